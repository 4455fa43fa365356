"""Which trainings a measurement takes: rows of sets and shares of them, folds, seeds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.detection.labelled_images import LabelledImages
from pipelines.errors import ConfigError

__all__ = [
    "Part", "Row", "Training", "file_name", "folds_of", "parse_rows", "part_images", "plan_trainings",
    "reported_images",
]  # fmt: skip

_LONGEST_NAME: Final = 160
"""Characters that leave room for fold and seed: file systems take 255 bytes."""
_HEAVIEST: Final = 1000


@dataclass(frozen=True)
class Part:
    """A set, or a share of it."""

    name: str
    percent: float = 100.0
    weight: float = 1.0
    """How much of each batch it fills, beside the other parts of its row."""


@dataclass(frozen=True)
class Row:
    """What one line of the table is trained on."""

    text: str
    parts: tuple[Part, ...]

    @property
    def file_name(self) -> str:
        """As a file can be called."""
        return file_name(self.text)


@dataclass(frozen=True)
class Training:
    """One training."""

    row: Row
    fold: int
    """The part of the test set that is left out and tested on; -1 where nothing of the test set is trained on."""
    seed: int

    @property
    def name(self) -> str:
        """As a file can be called."""
        fold = "" if self.fold < 0 else f"-fold{self.fold}"
        return f"{self.row.file_name}{fold}-seed{self.seed}"


def file_name(text: str) -> str:
    """A text as a file can be called: as it is, or its beginning and hash where it cannot stand so."""
    plain = re.sub(r"[^A-Za-z0-9._@+-]", "_", text)
    if plain == text and len(plain) <= _LONGEST_NAME:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{plain[: _LONGEST_NAME - 9]}-{digest}"


def parse_rows(texts: Sequence[str], names: Sequence[str]) -> tuple[Row, ...]:
    """Rows of ``A``, ``A+B``, ``A@25+B``, ``A@25+3*B``; without any, each set alone, and all together.

    Raises:
        ConfigError: A name that is no set, or a share or a weight that is none.
    """
    texts = texts or (*names, *(["+".join(names)] if len(names) > 1 else []))
    return tuple(Row(text, tuple(_part(one, names) for one in text.split("+"))) for text in texts)


def _part(text: str, names: Sequence[str]) -> Part:
    times, star, rest = text.strip().partition("*")
    number, text = (times, rest) if star and text.strip() not in names else ("1", text)
    name, at, share = text.strip().partition("@")
    if name not in names:
        raise ConfigError(f"rows name {name!r}: expected one of the sets {', '.join(names)}")
    try:
        percent = float(share) if at else 100.0
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise ConfigError(f"rows have {text!r}: expected NAME@PERCENT, above 0 and at most 100")
    try:
        weight = float(number)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= _HEAVIEST:
        raise ConfigError(f"rows have {number!r} times {name}: expected N*NAME, above 0 and at most {_HEAVIEST}")
    return Part(name, percent, weight)


def plan_trainings(rows: Sequence[Row], overlapping: Collection[str], folds: int, seeds: int) -> list[Training]:
    """All trainings; ``overlapping`` names the sets of which some images are, or show, tested ones."""
    return [
        Training(row, fold, seed)
        for seed in range(seeds)  # first, so that a run that is cut short has every row
        for row in rows
        for fold in (range(folds) if any(part.name in overlapping for part in row.parts) else (-1,))
    ]


def folds_of(images: LabelledImages, folds: int) -> list[int]:
    """The fold of each image; whole sequences, dealt out so that the folds are of about one size.

    Raises:
        ConfigError: Fewer sequences than folds.
    """
    sizes: dict[str, int] = {}
    for image in images.images:
        sizes[image.sequence] = sizes.get(image.sequence, 0) + 1
    if len(sizes) < folds:
        raise ConfigError(
            f"{images.name}: {len(sizes)} sequences for {folds} folds; expected at least as many: fewer --folds"
        )
    totals, fold_of = [0] * folds, {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        fold_of[name] = int(np.argmin(totals))
        totals[fold_of[name]] += sizes[name]
    return [fold_of[image.sequence] for image in images.images]


def reported_images(images: LabelledImages, share: float) -> list[bool]:
    """Which images to report on; by the others one may choose. Whole sequences, drawn, at most that share.

    Raises:
        ConfigError: A share that leaves either side without a sequence.
    """
    members = _by_sequence(images, range(len(images.images)))
    room, chosen = share * len(images.images), set[int]()
    for number in np.random.default_rng(0).permutation(len(members)).tolist():
        rows = list(members.values())[number]
        if len(chosen) + len(rows) <= room:
            chosen.update(rows)
    if not chosen:
        raise ConfigError(
            f"{images.name}: {len(members)} sequences, none of at most {share:.0%} of the images: expected shorter "
            "sequences, or another --report-share"
        )
    return [row in chosen for row in range(len(images.images))]


def _by_sequence(images: LabelledImages, rows: Iterable[int]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for row in rows:
        members.setdefault(images.images[row].sequence, []).append(row)
    return members


def part_images(images: LabelledImages, allowed: Sequence[int], percent: float, seed: int) -> list[int]:
    """A share of the allowed images: whole sequences, in an order by the seed, as a smaller recording would hold."""
    if percent >= 100:
        return list(allowed)
    members = _by_sequence(images, allowed)
    wanted = max(1, round(len(allowed) * percent / 100))
    chosen: list[int] = []
    for number in np.random.default_rng([seed, 1]).permutation(len(members)).tolist():
        chosen += list(members.values())[number][: wanted - len(chosen)]
    return sorted(chosen)
