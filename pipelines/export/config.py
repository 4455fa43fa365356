"""What `gis export` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from gan.options import Option, check_options, declarations

from pipelines.dataset.labels.box_margins import BoxMargins, read_box_margins
from pipelines.errors import ConfigError
from pipelines.export.formats import FORMATS, KELVIN_TIFF, format_names

__all__ = [
    "SPLITS", "BoxRoom", "Classes", "ExportConfig", "Ignored", "Link", "Segments", "Sequences", "Shares",
    "WhatOfIgnored",
]  # fmt: skip

Ignored = Literal["auto", "mark", "paint", "leave-out", "background"]
SPLITS = ("train", "val", "test")
_FILES, _LABELS, _SPLIT = "Files", "Labels", "Split"


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"split is {text!r}: expected shares such as 0.8,0.1,0.1") from None


def _class_maps() -> tuple[str, ...]:
    from pipelines.export.classes import CLASS_MAPS

    return tuple(CLASS_MAPS)


Link = Annotated[
    bool,
    Option("Hard links in place of copies of the images: no room on the disk, one file under two names.", _FILES),
]
Shares = Annotated[
    tuple[float, ...],
    Option(
        "Shares of training, validation and test, as 0.8,0.1,0.1: never one background or sequence on two sides.",
        _SPLIT,
        parse=_shares,
        default_text="all is for training",
    ),
]
Sequences = Annotated[
    Path | None,
    Option(
        "JSON file that says of each background which sequence it is of: {NAME: SEQUENCE}, or objects with "
        "sequence or group.",
        _SPLIT,
        default_text="each background is one",
    ),
]
Classes = Annotated[
    str | None,
    Option(
        "Classes of another set (flir-adas, coco, kitti, kaist, m3fd, llvip), or a file, JSON or TOML: {OURS: THEIRS}.",
        _LABELS,
        suggestions=_class_maps,
        default_text="those of the data set",
    ),
]
Segments = Annotated[
    bool, Option("Outlines as polygons: YOLO's rows for segmentation, COCO's in place of run lengths.", _LABELS)
]
BoxRoom = Annotated[
    str | None,
    Option(
        "Boxes with the room that another set's annotators leave: a file that gis measure writes (box-margins-...), "
        "or left, top, right and bottom in heights of the box, as car=0.02:0:0.02:0.07.",
        _LABELS,
        default_text="boxes end with the pixels",
    ),
]
WhatOfIgnored = Annotated[
    Ignored,
    Option(
        "What a detector should neither be asked for nor blamed for: marked as the format can, painted over in "
        "the image, the image left out, or background; auto: marked, or painted over where there are no marks.",
        _LABELS,
    ),
]


@dataclass(frozen=True)
class ExportConfig:
    """A data set, and the form that another tool wants it in.

    Raises:
        ConfigError: an option of another type or outside of its limits, or one that the format does not know.
    """

    folder: Annotated[
        Path, Option("Folder of gis synthesize; for kelvin-tiff also of gis backgrounds.", _FILES, positional=True)
    ]
    out: Annotated[Path, Option("Folder of the output; a run that was cut short goes on in it.", _FILES)]
    format: Annotated[str, Option("What the files are for.", _FILES, choices=format_names)] = KELVIN_TIFF
    link: Link = False
    split: Shares = ()
    sequences: Sequences = None
    seed: Annotated[int, Option("Seed of the split.", _SPLIT, at_least=0)] = 0
    classes: Classes = None
    segments: Segments = False
    box_margins: BoxRoom = None
    ignored: WhatOfIgnored = "auto"
    license: Annotated[
        str | None,
        Option(
            "Licence that you give the set, as SPDX names it (CC-BY-4.0).",
            _LABELS,
            default_text="that of the data set, where one was stated",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Check the options, one by one and together."""
        check_options(self)
        object.__setattr__(self, "format", KELVIN_TIFF if self.format == "tiff" else self.format)
        self._check_split()
        known = FORMATS[self.format].takes
        for one in declarations(type(self)):
            given = getattr(self, one.field) != one.default
            if one.field not in ("folder", "out", "format") and given and one.field not in known:
                raise ConfigError(f"{one.flag} means nothing to the format {self.format}: leave it out")
        if self.ignored == "mark" and not FORMATS[self.format].marks_ignored:
            raise ConfigError(f"{self.format} has no mark for what is ignored: expected --ignored paint or leave-out")

    def _check_split(self) -> None:
        shares = self.split
        if shares and (len(shares) > len(SPLITS) or min(shares) < 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6)):
            text = ",".join(f"{share:g}" for share in shares)
            raise ConfigError(f"split is {text}: expected up to three shares that add up to 1, such as 0.8,0.1,0.1")

    @cached_property
    def margins(self) -> BoxMargins:
        """By how much boxes are drawn larger.

        Raises:
            ConfigError: no margins, or of an unknown category.
            DatasetError: a file that cannot be read.
        """
        return read_box_margins(self.box_margins) if self.box_margins else {}

    @property
    def shares(self) -> dict[str, float]:
        """Share of each split that is wanted."""
        return {name: share for name, share in zip(SPLITS, self.split or (1.0,), strict=False) if share > 0}

    def to_json(self) -> dict[str, Any]:
        """What decides the content of the files; no paths."""
        return {
            "format": self.format,
            "split": list(self.split) or [1.0],
            "seed": self.seed,
            "segments": self.segments,
            **({"box_margins": {name: list(one) for name, one in self.margins.items()}} if self.margins else {}),
            "ignored": self.ignored,
            "license": self.license,
        }
