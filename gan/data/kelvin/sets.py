"""Sets of `gis synthesize` as training data with temperatures: what is warm how much, and what it is.

Beside the planes that other data have, an item holds ``entry`` (place of the object's category in the vector, 0 for the
background) and ``instance_id``, both of the objects with a label; its target lies on one span for all frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gan.data.images import read_image
from gan.data.kelvin.vector import BACKGROUND
from gan.data.sample_files import StoredSample, file_stamp, find_samples
from gan.data.sources import Item, Meaning, Planes, Sources, Span
from gan.errors import DataError, ItemError, LayoutError
from gan.text_files import parse_json

__all__ = ["Masks", "find_masks", "find_temperature_set"]

_RECORDS: Final = "frames.jsonl"
_MOST_CATEGORIES: Final = 60
_FULL: Final = int(np.iinfo(np.uint16).max)


@dataclass(frozen=True)
class _Line:
    """What a frame's line says that is needed here."""

    name: str
    span_K: tuple[float, float] | None
    """None of display intensities."""
    categories: Mapping[int, str]
    """Of the ids in its mask."""


def find_temperature_set(folder: Path, source_dir: str = "visible") -> Sources | None:
    """The frames of a set, or None where the folder is no set of `gis synthesize`.

    Args:
        folder: The set, or its folder ``tensors``.
        source_dir: Folder of the sources below it; where there is none, source tensors are taken.

    Raises:
        DataError: a set without temperatures or sources, or whose lines cannot be read.
    """
    root = folder.parent if folder.name in ("tensors", "shards") and not (folder / _RECORDS).is_file() else folder
    if not (root / _RECORDS).is_file():
        return None
    lines = _read_lines(root / _RECORDS)
    spans = [_span_of(line, root / _RECORDS) for line in lines]
    names = (BACKGROUND, *sorted({name for line in lines for name in line.categories.values()} - {BACKGROUND}))
    if len(names) > _MOST_CATEGORIES:
        raise DataError(f"{root}: {len(names)} categories: expected at most {_MOST_CATEGORIES}")
    span = Span(min(low for low, _ in spans), max(high for _, high in spans), names)
    images = folder == root and (root / source_dir).is_dir()
    items, meaning = (_with_images(root, source_dir, lines, span), None) if images else _with_tensors(root, lines, span)
    return Sources("paired" if images else "tensors", tuple(items), meaning=meaning, span=span)


def _read_lines(path: Path) -> list[_Line]:
    lines = []
    try:
        with path.open(encoding="utf-8") as stream:
            lines = [_line(text, f"{path}, line {number}") for number, text in enumerate(stream, 1) if text.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    if not lines:
        raise DataError(f"{path}: no frames; expected a set of gis synthesize")
    return lines


def _line(text: str, where: str) -> _Line:
    try:
        about = parse_json(text)
        index, span = about["index"], about["span_K"]
        categories = {
            int(item["id"]): str(item["category"]) for item in about["instances"] if item.get("labelled") is not False
        }
        own = None if span is None else (float(span[0]), float(span[1]))
        if not isinstance(index, int) or not (own is None or (0 < own[0] < own[1] and math.isfinite(own[1]))):
            raise ValueError(f"span_K is {span}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"{where}: no frame of gis synthesize ({reason}); check the set with gis validate") from error
    return _Line(f"{index:06d}", own, categories)


def _span_of(line: _Line, path: Path) -> tuple[float, float]:
    if line.span_K is None:
        raise DataError(
            f"{path}: frame {int(line.name)} has display intensities and no temperatures: expected a set that was made "
            "with them (gis synthesize over a scene, or over radiometric backgrounds)"
        )
    return line.span_K


@dataclass(frozen=True)
class Masks:
    """Which category each pixel of the frames of a set shows; made by `find_masks`."""

    root: Path
    """The set."""
    lines: Mapping[str, Mapping[int, str]]
    """Categories of the objects with a label by their ids, by name of the frame."""

    def entries(self, name: str, names: Sequence[str]) -> npt.NDArray[np.uint8]:
        """(H, W) place of each pixel's category among ``names``, 0 where there is no object with a label.

        Raises:
            DataError: no such frame, no mask of it, or a category that is not among the names.
        """
        path = self.root / "masks" / f"{name}.png"
        if name not in self.lines or not path.is_file():
            raise DataError(f"{path}: no mask of input {name}: expected the inputs of one set of gis synthesize")
        ids = read_image(path)[0]
        categories = self.lines[name]
        for number in map(int, np.unique(ids)):
            if categories.get(number, BACKGROUND) not in names:
                raise DataError(
                    f"{path}: shows a {categories[number]}, of which the model has no layer; it has {', '.join(names)}"
                )
        return _places(ids, categories, names)


def find_masks(folder: Path) -> Masks | None:
    """The masks of a set of `gis synthesize`, or None where the folder is none.

    Args:
        folder: The set, or its folder of sources below it.

    Raises:
        DataError: lines that cannot be read.
    """
    for root in (folder, folder.parent):
        if (root / _RECORDS).is_file():
            return Masks(root, {line.name: line.categories for line in _read_lines(root / _RECORDS)})
    return None


def _with_images(root: Path, source_dir: str, lines: Sequence[_Line], span: Span) -> list[Item]:
    items = []
    for line in lines:
        source = root / source_dir / f"{line.name}.png"
        files = (source, root / "images16" / source.name, root / "masks" / source.name)
        for path in files:
            if not path.is_file():
                raise DataError(
                    f"{path}: no such file, but {_RECORDS} lists its frame; check the set with gis validate"
                )
        items.append(Item(line.name, "".join(map(file_stamp, files)), partial(_read_images, files, line, span)))
    return items


def _read_images(files: tuple[Path, Path, Path], line: _Line, span: Span) -> tuple[Planes, str]:
    source, target, mask = (read_image(path) for path in files)
    if (
        source.dtype.kind == "f"
        or target.dtype != np.uint16
        or not source.shape[1:] == target.shape[1:] == mask.shape[1:]
    ):
        raise ItemError(f"{files[0]}: does not fit its image of 16 bits or its mask: expected one size; make it anew")
    assert line.span_K is not None
    planes = {"source": source, "target": _on_span(target[:1], line.span_K, span)}
    return planes | _object_planes(mask[:1], line, span), ""


def _with_tensors(root: Path, lines: Sequence[_Line], span: Span) -> tuple[list[Item], Meaning]:
    places = (root / "tensors", root / "shards")
    found = {stored.name: stored for place in places if place.is_dir() for stored in find_samples(place)}
    if not found:
        raise DataError(
            f"{root}: a set without sources: make it with source tensors or visible twins (gis synthesize --tensors or "
            "--visible)"
        )
    meaning: Meaning | None = None
    items = []
    for line in lines:
        stored = found.get(line.name)
        if stored is None:
            raise DataError(f"{root}: frame {line.name} has no source tensor; check the set with gis validate")
        if meaning is None:
            meaning = Meaning(stored.load().layout, display=False)
        items.append(Item(line.name, stored.stamp, partial(_read_tensor, stored, line, span, meaning.layout)))
    assert meaning is not None
    return items, meaning


def _read_tensor(stored: StoredSample, line: _Line, span: Span, layout: str) -> tuple[Planes, str]:
    try:
        sample = stored.load()
    except LayoutError as error:
        raise ItemError(str(error)) from error
    if sample.target is None or sample.instance_id is None or sample.span_K is None or sample.layout != layout:
        raise ItemError(f"{stored.where}: expected a source tensor of layout {layout} with kelvin and ids")
    planes: Planes = {
        "label_image": sample.label_image.transpose(2, 0, 1),
        "segmentation": sample.segmentation[None],
        "inverse_depth": sample.inverse_depth[None],
        "target": _on_span(sample.target[None], sample.span_K, span),
    }
    return planes | _object_planes(sample.instance_id[None], line, span), sample.group


def _on_span(values: npt.NDArray[Any], own_K: tuple[float, float], span: Span) -> npt.NDArray[np.uint16]:
    """(1, H, W) uint16 over a frame's own span to that of all frames."""
    kelvin = own_K[0] + values.astype(np.float64) * ((own_K[1] - own_K[0]) / _FULL)
    share = (kelvin - span.lowest_K) * (_FULL / (span.highest_K - span.lowest_K))
    return np.asarray(np.rint(share.clip(0, _FULL)), dtype=np.uint16)


def _object_planes(ids: npt.NDArray[Any], line: _Line, span: Span) -> Planes:
    """Ids of the objects with a label, and the entries of their categories; (1, H, W)."""
    entry = _places(ids, line.categories, span.names)
    return {"entry": entry, "instance_id": np.where(entry > 0, ids, 0).astype(np.uint16)}


def _places(ids: npt.NDArray[Any], categories: Mapping[int, str], names: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Place of each pixel's category among the names; 0 for objects without a label."""
    places = np.zeros(int(ids.max(initial=0)) + 1, np.uint8)
    for number, category in categories.items():
        if 0 < number < len(places) and category in names:
            places[number] = names.index(category)
    entry: npt.NDArray[np.uint8] = places[ids]
    return entry
