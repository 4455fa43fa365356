"""Which images train and which validate; frames of one sequence never do both."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan.errors import DataError
from gan.text_files import parse_json

__all__ = ["Split", "groups_from_names", "read_list", "read_sequences", "split_by_groups", "split_by_lists"]


@dataclass(frozen=True)
class Split:
    """Positions of the training and the validation images."""

    train: tuple[int, ...]
    """Positions, rising."""
    validation: tuple[int, ...]
    """Positions, rising."""
    how: str
    """How they were chosen, for the log."""


def groups_from_names(names: Sequence[str]) -> list[str]:
    """The sequence of each image by its name: the folder, and what stands before the trailing number."""
    return [re.sub(r"\d+$", "", name) for name in names]


def split_by_groups(groups: Sequence[str], share: float, seed: int) -> Split:
    """Whole groups go to validation, shuffled by the seed, as long as it stays within its share of the images.

    Args:
        groups: Group of each image in name order; "" is a group of its own.
        share: Share of the images to validate, 0 for none.
        seed: Seed of the draw.

    Raises:
        DataError: Where a side stays empty.
    """
    count = len(groups)
    if not 0 <= share < 1:
        raise DataError(f"validation share {share}: expected 0 (none) up to less than 1")
    if share == 0:
        return _checked(tuple(range(count)), (), "no validation")
    validated_count = max(1, round(count * share))
    keys = [group or f"\0{position}" for position, group in enumerate(groups)]
    distinct = sorted(set(keys))
    if len(distinct) == 1:
        # One sequence: a block at its end touches the rest at one place only.
        rows = range(count)
        how = f"the last {validated_count} images in name order validate (they all look like one sequence)"
        return _checked(tuple(rows[:-validated_count]), tuple(rows[-validated_count:]), how)
    sizes = collections.Counter(keys)
    shuffled = [distinct[position] for position in np.random.default_rng([seed, 0]).permutation(len(distinct))]
    taken: set[str] = set()
    for key in shuffled:
        if sum(sizes[other] for other in taken) + sizes[key] <= validated_count:
            taken.add(key)
    # Where every sequence is longer than the share, the shortest validates.
    taken = taken or {min(shuffled, key=lambda key: sizes[key])}
    train = tuple(position for position, key in enumerate(keys) if key not in taken)
    validation = tuple(position for position, key in enumerate(keys) if key in taken)
    return _checked(train, validation, f"{len(taken)} of {len(distinct)} sequences validate")


def split_by_lists(
    names: Sequence[str], groups: Sequence[str] | None, validation: Sequence[str], train: Sequence[str] | None = None
) -> Split:
    """Splits by lists of names; without a training list all other images train.

    Args:
        names: Name of each image.
        groups: Sequence of each image where one is known, to check the lists; "" is a sequence of its own.
        validation: Names that validate.
        train: Names that train.

    Raises:
        DataError: Where a name is unknown, stands in both lists, or a sequence stands on both sides.
    """
    known = {name: position for position, name in enumerate(names)}
    for name in (*validation, *(train or ())):
        if name not in known:
            raise DataError(f"split list names {name!r}, which is not in the data; expected names like {names[0]!r}")
    both = sorted(set(validation) & set(train or ()))
    if both:
        raise DataError(f"{len(both)} images stand in both split lists, first {both[0]!r}: expected disjoint lists")
    chosen = {known[name] for name in validation}
    rest = {known[name] for name in train} if train is not None else set(range(len(names))) - chosen
    if groups is not None:
        leaking = ({groups[p] for p in chosen} & {groups[p] for p in rest}) - {""}
        if leaking:
            raise DataError(
                f"sequence {sorted(leaking)[0]!r} stands in training and in validation: move all its images to one side"
            )
    return _checked(tuple(sorted(rest)), tuple(sorted(chosen)), "by list")


def read_list(path: Path) -> list[str]:
    """Names in a text file, one a line; suffixes of image files are dropped."""
    if not path.is_file():
        raise DataError(f"{path}: no such split list; expected a text file with one image name a line")
    try:
        lines = [line.strip() for line in path.read_bytes().decode("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no list of names ({error}); expected UTF-8 text with one image name a line") from None
    return [re.sub(r"\.(png|jpe?g|tiff?|npy|safetensors)$", "", line, flags=re.IGNORECASE) for line in lines if line]


def read_sequences(path: Path, names: Sequence[str]) -> list[str]:
    """The sequence of each image from a JSON object {name: sequence}.

    Raises:
        DataError: Where the file is no such object or a name is missing.
    """
    try:
        if not path.is_file():
            raise ValueError("no such file")  # a pipe would be waited for
        table = parse_json(path.read_bytes())
        return [str(table[name]) for name in names]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: no table of sequences ({error}); expected a JSON object {{name: sequence}}"
        ) from error
    except KeyError as error:
        raise DataError(f"{path}: no sequence for image {error.args[0]!r}; expected one for every image") from error


def _checked(train: tuple[int, ...], validation: tuple[int, ...], how: str) -> Split:
    if not train:
        raise DataError(
            f"no image is left to train ({how}; {len(validation)} validate): give more data or a smaller share"
        )
    if not validation and how != "no validation":
        raise DataError(f"no image validates ({how}): name some, or set the validation share to 0")
    return Split(train, validation, how)
