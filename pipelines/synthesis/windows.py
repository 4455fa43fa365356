"""The windows of a picture that a translation model needs to see, where it paints only a part of it.

A network's time is proportional to the area that it is given, and objects cover a small part of a picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "PictureWindow", "Place", "box_around", "grown", "picture_windows", "place_of", "within"]

Box = tuple[int, int, int, int]
"""Top, left, bottom, right, pixels."""
Place = tuple[slice, slice]
"""Rows and columns of a box."""


@dataclass(frozen=True)
class PictureWindow:
    """A part of a picture, and what is painted there."""

    rows: slice
    columns: slice
    box: Box
    """Within the picture: where `painted` lies, inside of rows and columns."""
    painted: NDArray[np.bool_]
    """(h, w) of the box: pixels that this window is there for; every painted pixel is in one window's."""


def box_around(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box around the set pixels of (H, W); None where there are none."""
    left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
    return (top, left, top + down, left + across) if across else None


def grown(box: Box, by_px: int, size: Sequence[int]) -> Box:
    """The box with as many more pixels on each side, within a picture (H, W)."""
    return (
        max(box[0] - by_px, 0),
        max(box[1] - by_px, 0),
        min(box[2] + by_px, size[0]),
        min(box[3] + by_px, size[1]),
    )


def place_of(box: Box) -> Place:
    """Rows and columns of a box."""
    return slice(box[0], box[2]), slice(box[1], box[3])


def within(box: Box, outer: Box) -> Box:
    """The box, counted from the corner of one around it."""
    top, left = outer[:2]
    return box[0] - top, box[1] - left, box[2] - top, box[3] - left


def picture_windows(
    painted: NDArray[np.bool_],
    *,
    margin_px: int,
    step_px: int,
    corner: tuple[int, int] = (0, 0),
    size: Sequence[int] | None = None,
) -> list[PictureWindow]:
    """Windows around the connected patches of what is painted; patches that are cheaper together share one.

    Args:
        painted: (h, w) a part of the picture, outside of which nothing is painted.
        margin_px: what is seen around a patch, less only at the border of the picture.
        step_px: windows lie on a grid of this step, or end with the picture. A network that halves its input n times
            makes the same of a thing only where it lies at the same place of a grid of 2^n pixels.
        corner: row and column of the picture where the part begins.
        size: (H, W) of the picture; None: the part is all of it.

    Returns:
        The windows by their position, from the top; they may overlap.
    """
    whole = painted.shape if size is None else size
    height, width = whole
    count, label, about, _ = cv2.connectedComponentsWithStats(painted.view(np.uint8), connectivity=8)
    groups: dict[Box, list[int]] = {}
    patches: dict[int, Box] = {}
    for number in range(1, count):
        left, top, across, down = (int(value) for value in about[number, :4])
        patches[number] = (top, left, top + down, left + across)
        top, left = top + corner[0], left + corner[1]
        near = (top - margin_px, left - margin_px, top + down + margin_px, left + across + margin_px)
        groups.setdefault(_fitted(near, (height, width), step_px), []).append(number)
    while (pair := _cheaper_together(groups, (height, width), step_px)) is not None:
        first, second, common = pair
        members = [*groups.pop(first), *groups.pop(second)]
        groups.setdefault(common, []).extend(members)
    if len(groups) == 1:  # of all patches, so that none is to be left out
        around = _around(list(patches.values()))
        return [PictureWindow(*place_of(box), _moved(around, corner), painted[place_of(around)]) for box in groups]
    return [_window(box, {one: patches[one] for one in ones}, label, corner) for box, ones in sorted(groups.items())]


def _fitted(box: Box, size: tuple[int, int], step_px: int) -> Box:
    """The box within the picture, grown to lines of the grid."""
    top, left = (max(edge, 0) // step_px * step_px for edge in box[:2])
    bottom, right = (min(-(-edge // step_px) * step_px, end) for edge, end in zip(box[2:], size, strict=True))
    return top, left, bottom, right


def _cheaper_together(groups: dict[Box, Any], size: tuple[int, int], step_px: int) -> tuple[Box, Box, Box] | None:
    """Two windows whose common window is no larger than both, and that window."""
    for first, second in itertools.combinations(sorted(groups), 2):
        top, left = map(min, first[:2], second[:2])
        bottom, right = map(max, first[2:], second[2:])
        common = _fitted((top, left, bottom, right), size, step_px)
        if _area(common) <= _area(first) + _area(second):
            return first, second, common
    return None


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _window(box: Box, patches: dict[int, Box], label: NDArray[np.int32], corner: tuple[int, int]) -> PictureWindow:
    """Of some patches, whose boxes are counted from the corner as their labels are."""
    around = _around(list(patches.values()))
    here = label[place_of(around)]
    chosen = np.zeros(int(here.max()) + 1, np.uint8)
    chosen[list(patches)] = 1
    painted = chosen.take(here).view(np.bool_)
    return PictureWindow(*place_of(box), _moved(around, corner), painted)


def _around(boxes: Sequence[Box]) -> Box:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _moved(box: Box, corner: tuple[int, int]) -> Box:
    return within(box, (-corner[0], -corner[1], 0, 0))
