"""One line of a label file: KITTI, DOTA, and YOLO's boxes, polygons, rotated boxes and poses.

The dialects do not say what they are. A line that begins with a number is YOLO's, or DOTA's where a name stands behind
eight coordinates; one that begins with a name is KITTI's. Of YOLO's, by Ultralytics' documents of its formats:

======================  =============================================================================
columns                 meaning
======================  =============================================================================
5                       class, middle x y, width height
6                       the same and a confidence or a number of a track
7                       a box, confidence and track where the last has no decimal point; else a polygon of 3 points
9                       a rotated box, its 4 corners (a polygon of 4 points is the same)
7, 9, 11 ...            a polygon: class, then x y of each point
an even number above 7  a pose where all adds up (see below), else a polygon and a confidence or track
======================  =============================================================================

A pose is a box and ``x y visibility`` of each point with visibilities 0, 1 or 2 and the seen points inside the box;
where a data.yaml gives ``kpt_shape``, that alone decides. Coordinates are shares of the image's sides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.backgrounds.geometry.class_names import ClassNames

__all__ = ["LabelLine", "parse_line"]

Box = tuple[float, float, float, float]
Points = tuple[tuple[float, float], ...]

KITTI_COLUMNS: Final = 15
"""Of a detection a score more."""
_BOX: Final = 5
_TRACKED: Final = 7
_DOTA: Final = 9
_OUTSIDE: Final = 0.02
"""Shares of the image by which a coordinate may lie outside of it: labels that were drawn over the edge, rounding."""
_INSIDE: Final = 0.01
"""Shares by which a pose's point may lie outside its box."""
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class LabelLine:
    """What a line says."""

    label: str
    box: Box
    """``(left, top, right, bottom)``."""
    outline: Points = ()
    relative: bool = False
    """In shares of the image's sides, else in pixels."""
    dialect: str = ""
    """What the line was taken for."""


def parse_line(columns: Sequence[str], classes: ClassNames | None) -> LabelLine:
    """One line, split at its spaces.

    Raises:
        ValueError: none of the dialects, or a coordinate or class that cannot be.
    """
    if _is_number(columns[0]):
        named = len(columns) >= _DOTA and not _is_number(columns[8])
        return _dota(columns) if named else _yolo(columns, classes)
    return _kitti(columns)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _number(text: str) -> float:
    if not _is_number(text) or not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:30]!r} is no number")
    return value


def _kitti(columns: Sequence[str]) -> LabelLine:
    """A name, which may hold spaces, and 14 numbers, 15 with a score."""
    words = next((place for place, column in enumerate(columns) if _is_number(column)), len(columns))
    name, values = " ".join(columns[:words]), [_number(column) for column in columns[words:]]
    if len(values) not in (KITTI_COLUMNS - 1, KITTI_COLUMNS):
        raise ValueError(f"{name[:30]!r} and {len(values)} numbers")
    left, top, right, bottom = values[3:7]
    return LabelLine(name, (left, top, right, bottom), dialect="KITTI")


def _dota(columns: Sequence[str]) -> LabelLine:
    """Four corners in pixels, a name and a difficulty."""
    points = _points([_number(column) for column in columns[:8]])
    names = columns[8:-1] if _is_number(columns[-1]) else columns[8:]
    return LabelLine(" ".join(names), _bounds(points), points, dialect="DOTA (corners in pixels, then a name)")


def _yolo(columns: Sequence[str], classes: ClassNames | None) -> LabelLine:
    number, *rest = (_number(column) for column in columns)
    if not number.is_integer() or number < 0:
        raise ValueError(f"class {number:g} is no whole number from 0")
    if len(rest) < _BOX - 1:
        raise ValueError(f"{len(columns)} columns")
    if classes is None:
        raise ValueError("no list of classes (classes.txt or data.yaml)")
    label = classes[int(number)]
    tracked = len(columns) == _TRACKED and columns[-1].isdecimal()
    points = None if tracked else _polygon(rest, classes.keypoints)
    if points is None:
        return LabelLine(label, _centred(rest), relative=True, dialect=_box_dialect(len(rest)))
    _check_shares([value for point in points for value in point])
    dialect = "YOLO rotated boxes or polygons of 4 corners" if len(points) == 4 else "YOLO polygons"
    more = " with confidence or track, left out" if len(rest) > 2 * len(points) else ""
    return LabelLine(label, _bounds(points), points, relative=True, dialect=dialect + more)


def _box_dialect(count: int) -> str:
    more = {4: "", 5: " with a 6th column (confidence or track, left out)", 6: " with confidence and track, left out"}
    return "YOLO boxes" + more.get(count, " with key points, left out")


def _polygon(rest: Sequence[float], keypoints: tuple[int, int] | None) -> Points | None:
    """The corners; None for a box with what else stands behind it."""
    if len(rest) <= _BOX:
        return None
    if keypoints is not None:
        if len(rest) - 4 not in (keypoints[0] * keypoints[1] + more for more in (0, 1, 2)):
            raise ValueError(f"{len(rest) + 1} columns, the kpt_shape of data.yaml asks for {5 + math.prod(keypoints)}")
        return None
    if _is_pose(rest):
        return None
    if len(rest) % 2 == 0 and rest[-1] > 1 and rest[-1].is_integer() and 0 <= rest[-2] <= 1:
        rest = rest[:-2]  # confidence and track
    return _points(rest[: len(rest) // 2 * 2])


def _is_pose(rest: Sequence[float]) -> bool:
    if (len(rest) - 4) % 3:
        return False
    points = [rest[place : place + 3] for place in range(4, len(rest), 3)]
    x, y, width, height = rest[:4]
    return all(seen in (0, 1, 2) for _, _, seen in points) and all(
        seen == 0 or (abs(px - x) <= width / 2 + _INSIDE and abs(py - y) <= height / 2 + _INSIDE)
        for px, py, seen in points
    )


def _centred(rest: Sequence[float]) -> Box:
    x, y, width, height = rest[:4]
    _check_shares((x, y, width, height))
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _check_shares(values: Sequence[float]) -> None:
    for value in values:
        if not -_OUTSIDE <= value <= 1 + _OUTSIDE:
            raise ValueError(f"coordinate {value:g} lies outside the image (in pixels?)")


def _points(values: Sequence[float]) -> Points:
    return tuple(zip(values[::2], values[1::2], strict=True))


def _bounds(points: Points) -> Box:
    columns, rows = zip(*points, strict=True)
    return min(columns), min(rows), max(columns), max(rows)
