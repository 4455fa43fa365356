"""`gis synthesize --format`: a data set, and beside it exports of it for other tools, by one command.

The data set is the same with and without exports; each export is what `gis export` makes of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from gan.options import Option

from pipelines.dataset.labels import CATEGORIES
from pipelines.dataset.store import DATASET_FILE
from pipelines.errors import ConfigError
from pipelines.export.classes import class_map
from pipelines.export.config import BoxRoom, Classes, ExportConfig, Link, Segments, Sequences, Shares, WhatOfIgnored
from pipelines.export.formats import FORMATS, KELVIN_TIFF, format_names
from pipelines.io.files import read_object
from pipelines.synthesis.options.synthesize import SynthesizeConfig

__all__ = ["SetAndExportsConfig", "export_places", "make_exports"]

_OF_EXPORTS: Final = ("split", "sequences", "classes", "segments", "box_margins", "ignored", "link")
"""Options that every export gets whose format knows them."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(" ", "").split(",")))


@dataclass(frozen=True)
class SetAndExportsConfig(SynthesizeConfig):
    """A labelled thermal data set, and exports of it.

    Raises:
        ConfigError: an option that cannot work; an export that is there, and another.
    """

    format: Annotated[
        tuple[str, ...],
        Option(
            "Also write the data set for other tools, as gis export does: yolo,coco,kitti ..., each into OUT-FORMAT "
            "beside OUT.",
            "Exports",
            parse=_names,
            suggestions=format_names,
            default_text="the data set alone",
            decides_content=False,
        ),
    ] = ()
    split: Shares = ()
    sequences: Sequences = None
    classes: Classes = None
    segments: Segments = False
    box_margins: BoxRoom = None
    ignored: WhatOfIgnored = "auto"
    link: Link = False

    def __post_init__(self) -> None:
        """Check the options of the exports too, before a frame is made."""
        super().__post_init__()
        if unknown := [name for name in self.format if name not in format_names()]:
            raise ConfigError(f"format {unknown[0]!r}: expected one or several of {', '.join(FORMATS)}")
        if self.format and self.is_part:
            raise ConfigError("format is of whole data sets: give it to gis export after gis merge, or leave it out")
        for name, value in self._given().items():
            if not any(name in FORMATS[one].takes for one in self._formats):
                raise ConfigError(f"{name} = {value} is for exports: give a --format that knows it, or leave it out")
        for export in self.exports():
            _check_place(export, self.count)

    @property
    def _formats(self) -> tuple[str, ...]:
        return tuple(KELVIN_TIFF if name == "tiff" else name for name in self.format)

    def _given(self) -> dict[str, Any]:
        """Options of the exports that are not at their defaults."""
        values = {name: getattr(self, name) for name in _OF_EXPORTS}
        return {name: value for name, value in values.items() if value != getattr(ExportConfig, name)}

    def exports(self) -> tuple[ExportConfig, ...]:
        """What is exported, each with the options that its format knows."""
        places = export_places(self.out, self._formats)
        return tuple(
            ExportConfig(
                self.out, place, name, **{key: one for key, one in self._given().items() if key in FORMATS[name].takes}
            )
            for name, place in places.items()
        )

    def to_json(self) -> dict[str, Any]:
        """See :meth:`SynthesizeConfig.to_json`; nothing of the exports, which do not change the data set."""
        return {name: value for name, value in super().to_json().items() if name not in _OF_EXPORTS}


def export_places(out: Path, formats: tuple[str, ...]) -> Mapping[str, Path]:
    """Folder of each export, by its format: beside the data set."""
    whole = Path(os.path.abspath(out))
    parent = whole.parent if out.name in ("", "..") else out.parent
    return {name: parent / f"{whole.name}-{name}" for name in formats}


def _check_place(export: ExportConfig, count: int) -> None:
    """Refuses a folder that the export cannot be written into once the frames are there."""
    described = export.out / "export.json"
    if not described.is_file():
        if export.out.exists() and (not export.out.is_dir() or any(export.out.iterdir())):
            raise ConfigError(f"{export.out} is there and no export: expected a new folder for --format")
        return
    stored = read_object(described)
    told, frames = stored.get("configuration"), _frames(stored)
    described = export.folder / DATASET_FILE
    categories = tuple(read_object(described).get("categories") or CATEGORIES) if described.is_file() else CATEGORIES
    wanted = {**export.to_json(), "classes": class_map(export.classes, categories).to_json()}
    same = isinstance(told, Mapping) and all(told.get(name) == value for name, value in wanted.items())
    if export.format == KELVIN_TIFF:  # says what it was made of in other words
        same = True
    if not same or (frames is not None and frames != count):
        why = f"of {frames} frames" if same else "with other options"
        raise ConfigError(f"{export.out} is an export {why}: remove it, or give another --out")


def _frames(stored: Mapping[str, Any]) -> int | None:
    """Frames of the data set that a complete export was made of."""
    images, left_out = stored.get("images"), stored.get("left_out")
    if not stored.get("complete") or not isinstance(images, Mapping) or not isinstance(left_out, Mapping):
        return None
    return sum(images.values()) + sum(left_out.values())


def make_exports(
    config: SetAndExportsConfig, *, progress: bool = False, report: Callable[[str], None] = lambda line: None
) -> dict[Path, int]:
    """Writes the exports of a data set that is complete; those that are there are gone on with.

    Args:
        config: with the data set in ``out``.
        progress: show a bar on stderr for each.
        report: takes lines for the user.

    Returns:
        how many images each holds, by its folder.

    Raises:
        PipelineError: the data set is not whole, cannot be split as asked for, or a file cannot be written.
    """
    from pipelines.export.run import run_export

    done = (run_export(export, progress=progress, report=report) for export in config.exports())
    return {one.folder: sum(one.images.values()) for one in done}
