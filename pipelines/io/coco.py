"""Boxes of a COCO file, for every command that is given one.

Read are ``images``, ``annotations`` and ``categories``; what a file holds beside them is left alone. Names of images
count without folder and suffix, so that a copy of the images in another format keeps its labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import DatasetError
from pipelines.io.files import short

__all__ = ["CocoBox", "CocoImage", "is_coco", "is_made_by_gis", "name_stem", "read_coco"]

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CocoBox:
    """One annotation."""

    label: str
    """Name of its category; empty where the file has no categories."""
    box_px: tuple[float, float, float, float]
    """``(left, top, right, bottom)`` in pixels of the image."""
    outline_px: tuple[Ring, ...] = ()
    """Polygons, where its segmentation is made of them; run lengths are left to those who read masks."""
    crowd: bool = False
    """Many objects in one box (``iscrowd``)."""


@dataclass(frozen=True)
class CocoImage:
    """One image and its boxes."""

    name: str
    """Stem of its file's name."""
    width: int
    """Pixels; 0 where the file does not say."""
    height: int
    boxes: tuple[CocoBox, ...]


class _Unusable(Exception):
    """What is wrong, and in which entry."""


def is_coco(data: Any) -> bool:
    """Whether the content of a JSON file is meant as COCO."""
    return isinstance(data, dict) and "annotations" in data


def is_made_by_gis(data: Mapping[str, Any]) -> bool:
    """Whether gis wrote a COCO file: its crowds are single objects that are not to count, such as hidden ones."""
    info = data.get("info")
    contributor = info.get("contributor") if isinstance(info, Mapping) else None
    return isinstance(contributor, str) and contributor.partition(" ")[0] == "gis"


def read_coco(data: Mapping[str, Any], where: str, *, categories: bool = True) -> tuple[CocoImage, ...]:
    """The images of a COCO file with their boxes, in the file's order.

    Args:
        data: content of the file.
        where: begins the error.
        categories: whether names of categories are needed.

    Raises:
        DatasetError: an entry is missing, of another kind, or names what is not there; two images of one name.
    """
    try:
        labels = {_key(item, "id"): str(item.get("name", "")) for item in _objects(data, "categories", categories)}
        images = _objects(data, "images", True)
        boxes: dict[Any, list[CocoBox]] = {_key(item, "id"): [] for item in images}
        if len(boxes) != len(images):
            raise _Unusable("two images have one id")
        for number, item in enumerate(_objects(data, "annotations", True)):
            place = f"annotations[{number}]"
            image = _known(boxes, _key(item, "image_id"), f"{place}: no image")
            label = _known(labels, item.get("category_id"), f"{place}: no category") if categories else ""
            image.append(_box(item, label, place))
        return _named(images, boxes)
    except _Unusable as error:
        raise DatasetError(f"{where}: boxes could not be read: {error}; expected COCO") from None


def name_stem(name: str) -> str:
    """Name without folder and suffix, as image and label share it."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = base.rpartition(".")
    return stem if dot and 1 <= len(suffix) <= 5 else base


def _objects(data: Mapping[str, Any], key: str, needed: bool) -> list[dict[str, Any]]:
    items = data.get(key, None if needed else [])
    if not isinstance(items, list):
        raise _Unusable(f"{key} is {'missing' if items is None else short(items)}: expected a list")
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise _Unusable(f"{key}[{number}] is {short(item)}: expected an object")
    return items


def _key(item: Mapping[str, Any], name: str) -> int | str:
    value = item.get(name)
    if not isinstance(value, int | str):
        raise _Unusable(f"{name} is {short(value)} in {short(dict(item))}: expected a number or a text")
    return value


def _known(table: Mapping[Any, Any], key: Any, what: str) -> Any:
    if not isinstance(key, int | str) or key not in table:
        raise _Unusable(f"{what} of id {short(key)}")
    return table[key]


def _named(images: Sequence[Mapping[str, Any]], boxes: Mapping[Any, list[CocoBox]]) -> tuple[CocoImage, ...]:
    found: dict[str, CocoImage] = {}
    for item in images:
        if not isinstance(item.get("file_name"), str):
            raise _Unusable(f"file_name is {short(item.get('file_name'))}: expected a text")
        name = name_stem(item["file_name"])
        if name in found:
            raise _Unusable(f"two images are named {name!r} (folders and suffixes do not count)")
        width, height = (_pixels(item.get(side), side) for side in ("width", "height"))
        found[name] = CocoImage(name, width, height, tuple(boxes[item["id"]]))
    return tuple(found.values())


def _pixels(value: Any, side: str) -> int:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6):
        raise _Unusable(f"{side} is {short(value)}: expected pixels")
    return int(value or 0)


def _box(item: Mapping[str, Any], label: str, place: str) -> CocoBox:
    rings = item.get("segmentation")
    outline = tuple(_ring(ring, place) for ring in rings) if isinstance(rings, list) else ()
    outline = tuple(ring for ring in outline if len(ring) >= 3)
    if item.get("bbox") is None and outline:
        columns, rows = zip(*(point for ring in outline for point in ring), strict=True)
        return CocoBox(label, (min(columns), min(rows), max(columns), max(rows)), outline, bool(item.get("iscrowd")))
    x, y, width, height = numbers(item.get("bbox"), 4, f"{place}: bbox")
    if width < 0 or height < 0:
        raise _Unusable(f"{place}: bbox is {width:g} wide and {height:g} high")
    return CocoBox(label, (x, y, x + width, y + height), outline, bool(item.get("iscrowd")))


def _ring(values: Any, place: str) -> Ring:
    flat = numbers(values, None, f"{place}: segmentation")
    if len(flat) % 2:
        raise _Unusable(f"{place}: segmentation has {len(flat)} coordinates, expected x and y of each point")
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def numbers(values: Any, count: int | None, what: str) -> list[float]:
    """Finite numbers of a list.

    Raises:
        _Unusable: another count, or no numbers.
    """
    fits = isinstance(values, list) and (count is None or len(values) == count)
    if not fits or not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values):
        raise _Unusable(f"{what} is {short(values)}: expected {count or 'a list of'} finite numbers")
    return [float(value) for value in values]
