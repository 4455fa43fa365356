"""Boxes of what a background shows already: COCO, YOLO and KITTI labels, or one JSON object by image.

The kinds are reduced to those whose size is known: ``car``, ``person`` and ``other``. An image's boxes are found by the
stem of its name, so that a copy of the images in another format keeps its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import BackgroundError
from pipelines.io.files import read_json

__all__ = ["KnownBox", "read_boxes", "to_crop"]

Box = tuple[float, float, float, float]

CARS = frozenset({"car"})
PEOPLE = frozenset({"person", "pedestrian", "person_sitting"})
KINDS = {**dict.fromkeys(CARS, "car"), **dict.fromkeys(PEOPLE, "person")}
IGNORED = frozenset({"dontcare"})
CLASSES_FILE = "classes.txt"
KITTI_COLUMNS = 15
YOLO_COLUMNS = 5


@dataclass(frozen=True)
class KnownBox:
    """One object that is in the picture already."""

    kind: str
    """``car``, ``person`` or ``other``."""
    box_px: Box
    """``(left, top, right, bottom)``: pixels of the image, or shares of its sides where :attr:`relative`."""
    outline_px: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Polygons of its silhouette, where they are known."""
    relative: bool = False

    def in_pixels(self, width: int, height: int) -> KnownBox:
        """The same in pixels of an image of that size."""
        if not self.relative:
            return self
        left, top, right, bottom = self.box_px
        return replace(self, box_px=(left * width, top * height, right * width, bottom * height), relative=False)


def read_boxes(path: Path) -> dict[str, tuple[KnownBox, ...]]:
    """Boxes by the stem of their image's name.

    Args:
        path: a COCO file (``images`` and ``annotations``); a JSON object ``{image: {"boxes": [{"cls": "car", "xyxy":
            [left, top, right, bottom]}]}}`` (``boxes_full`` is read like ``boxes``); or a folder of KITTI or YOLO
            text files, one per image, the names of YOLO's classes in its ``classes.txt``.

    Raises:
        BackgroundError: none of these, or a box that is none.
    """
    if path.is_dir():
        return _read_folder(path)
    data = read_json(path)
    try:
        if isinstance(data, dict) and isinstance(data.get("annotations"), list):
            boxes = _read_coco(data)
        else:
            boxes = {_stem(name): tuple(_read_entry(entry)) for name, entry in data.items()}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BackgroundError(
            f"{path}: boxes could not be read ({error!r}): expected COCO, or an object by image with "
            "'boxes': [{'cls': 'car', 'xyxy': [left, top, right, bottom]}]"
        ) from None
    return boxes


def to_crop(
    boxes: Iterable[KnownBox], size_px: tuple[int, int], crop_px: Box, width: int, height: int
) -> list[KnownBox]:
    """Boxes of an image in the pixels of a window of it; what lies outside the window keeps its place there.

    Args:
        boxes: of the whole image.
        size_px: its width and height.
        crop_px: the window ``(left, top, right, bottom)``.
        width: of the resized window.
        height: of the resized window.
    """
    left, top, right, bottom = crop_px
    sx, sy = width / (right - left), height / (bottom - top)
    moved = []
    for box in boxes:
        whole = box.in_pixels(*size_px)
        a, b, c, d = whole.box_px
        outline = tuple(tuple(((x - left) * sx, (y - top) * sy) for x, y in ring) for ring in whole.outline_px)
        place = ((a - left) * sx, (b - top) * sy, (c - left) * sx, (d - top) * sy)
        moved.append(replace(whole, box_px=place, outline_px=outline))
    return moved


def _stem(name: str) -> str:
    """Name without folder and suffix, as image and label share it."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = base.rpartition(".")
    return stem if dot and 1 <= len(suffix) <= 5 else base


def _known_box(name: str, values: Iterable[Any], *, relative: bool = False, outline: Any = ()) -> KnownBox | None:
    """A box; None for regions that no object is in.

    Raises:
        ValueError: no box.
    """
    left, top, right, bottom = (float(value) for value in values)
    if not np.isfinite((left, top, right, bottom)).all() or not (left < right and top < bottom):
        raise ValueError(f"box {(left, top, right, bottom)}")
    label = name.strip().lower()
    if label in IGNORED:
        return None
    return KnownBox(KINDS.get(label, "other"), (left, top, right, bottom), tuple(outline), relative)


def _read_entry(entry: Any) -> Iterator[KnownBox]:
    items = entry if isinstance(entry, list) else entry.get("boxes_full", entry.get("boxes", []))
    for item in items:
        box = _known_box(str(item["cls"]), item["xyxy"])
        if box is not None:
            yield box


def _read_coco(data: dict[str, Any]) -> dict[str, tuple[KnownBox, ...]]:
    names = {item["id"]: str(item["name"]) for item in data["categories"]}
    images = {item["id"]: _stem(str(item["file_name"])) for item in data["images"]}
    by_stem: dict[str, list[KnownBox]] = {stem: [] for stem in images.values()}
    for item in data["annotations"]:
        x, y, width, height = (float(value) for value in item["bbox"])
        rings = item.get("segmentation")
        outline = [_ring(ring) for ring in rings] if isinstance(rings, list) else []
        box = _known_box(names[item["category_id"]], (x, y, x + width, y + height), outline=outline)
        if box is not None:
            by_stem[images[item["image_id"]]].append(box)
    return {stem: tuple(boxes) for stem, boxes in by_stem.items()}


def _ring(values: list[Any]) -> tuple[tuple[float, float], ...]:
    points = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    return tuple((float(x), float(y)) for x, y in points)


def _read_folder(folder: Path) -> dict[str, tuple[KnownBox, ...]]:
    files = sorted(path for path in folder.glob("*.txt") if path.name != CLASSES_FILE)
    if not files:
        raise BackgroundError(f"{folder} holds no .txt files: expected KITTI or YOLO labels, one file per image")
    listed = folder / CLASSES_FILE
    classes = listed.read_text(encoding="utf-8").split() if listed.is_file() else None
    return {path.stem: tuple(_read_lines(path, classes)) for path in files}


def _read_lines(path: Path, classes: list[str] | None) -> Iterator[KnownBox]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        columns = line.split()
        if not columns:
            continue
        try:
            box = _read_line(columns, classes)
        except (ValueError, IndexError) as error:
            raise BackgroundError(
                f"{path}, line {number}: {error}: expected a KITTI line of {KITTI_COLUMNS} columns, or YOLO's "
                f"'class x y width height' in shares of the image and a {CLASSES_FILE} beside it"
            ) from None
        if box is not None:
            yield box


def _read_line(columns: list[str], classes: list[str] | None) -> KnownBox | None:
    if len(columns) >= KITTI_COLUMNS:
        return _known_box(columns[0], columns[4:8])
    if len(columns) < YOLO_COLUMNS or classes is None:
        raise ValueError(f"{len(columns)} columns" if classes else f"no {CLASSES_FILE}")
    x, y, width, height = (float(value) for value in columns[1:5])
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return _known_box(classes[int(columns[0])], box, relative=True)
