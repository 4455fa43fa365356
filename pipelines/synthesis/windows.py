"""The windows of a picture that a translation model needs to see, where it paints only a part of it.

A network's time is proportional to the area that it is given, and objects cover a small part of a picture.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PictureWindow", "picture_windows"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class PictureWindow:
    """A part of a picture, and what is painted there."""

    rows: slice
    columns: slice
    painted: NDArray[np.bool_]
    """(h, w) pixels that this window is there for; every painted pixel is in one window's."""


def picture_windows(painted: NDArray[np.bool_], *, margin_px: int, step_px: int) -> list[PictureWindow]:
    """Windows around the connected patches of what is painted; patches that are cheaper together share one.

    Args:
        painted: (H, W).
        margin_px: what is seen around a patch, less only at the border of the picture.
        step_px: windows lie on a grid of this step, or end with the picture. A network that halves its input n times
            makes the same of a thing only where it lies at the same place of a grid of 2^n pixels.

    Returns:
        The windows by their position, from the top; they may overlap.
    """
    height, width = painted.shape
    count, label, about, _ = cv2.connectedComponentsWithStats(painted.astype(np.uint8), connectivity=8)
    groups: dict[Box, list[int]] = {}
    for number in range(1, count):
        left, top, across, down = (int(value) for value in about[number, :4])
        near = (top - margin_px, left - margin_px, top + down + margin_px, left + across + margin_px)
        groups.setdefault(_fitted(near, (height, width), step_px), []).append(number)
    while (pair := _cheaper_together(groups, (height, width), step_px)) is not None:
        first, second, common = pair
        members = [*groups.pop(first), *groups.pop(second)]
        groups.setdefault(common, []).extend(members)
    return [_window(box, members, label) for box, members in sorted(groups.items())]


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


def _window(box: Box, members: list[int], label: NDArray[np.int32]) -> PictureWindow:
    rows, columns = slice(box[0], box[2]), slice(box[1], box[3])
    return PictureWindow(rows, columns, np.isin(label[rows, columns], members))
