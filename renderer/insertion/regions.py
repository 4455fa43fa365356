"""Where in a frame the inserted cars are, and how far what they do to it reaches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..geometry.frame import Frame, Instance

__all__ = ["CarRegion", "Window", "affected_window", "car_regions", "check_size"]

Window = tuple[slice, slice]
"""Rows and columns."""

_MARGIN_PX = 8
"""Room for the blur around what is changed."""
_GROUND_CHANGE_K = 0.02
"""A smaller change of the ground is not seen."""


class CarRegion(NamedTuple):
    """A visible car and its tight box."""

    item: Instance
    rows: slice
    columns: slice

    @property
    def window(self) -> Window:
        """The box as an index."""
        return self.rows, self.columns


def car_regions(frame: Frame) -> list[CarRegion]:
    """Every car of which a pixel is visible, in the order of the frame."""
    regions = []
    for item in frame.instances:
        if item.box_visible_px is not None and item.visible_px > 0:
            left, top, right, bottom = (int(value) for value in item.box_visible_px)
            regions.append(CarRegion(item, slice(top, bottom), slice(left, right)))
    return regions


def affected_window(frame: Frame, ground_change_K: NDArray[np.float32], below: float = 0.0) -> Window | None:
    """Smallest rectangle with all cars and all ground that they change, and room for the blur; None: there are none.

    Args:
        frame: passes.
        ground_change_K: (H, W) of the ground around the cars.
        below: share of the tallest car's height that the rectangle reaches farther down.
    """
    touched = (frame.instance_id > 0) | (np.abs(ground_change_K) > _GROUND_CHANGE_K)
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    if rows.size == 0:
        return None
    tallest = max((region.rows.stop - region.rows.start for region in car_regions(frame)), default=0)
    return (
        slice(max(0, int(rows[0]) - _MARGIN_PX), int(rows[-1]) + 1 + _MARGIN_PX + int(below * tallest)),
        slice(max(0, int(columns[0]) - _MARGIN_PX), int(columns[-1]) + 1 + _MARGIN_PX),
    )


def check_size(background: NDArray[Any], frame: Frame) -> None:
    """Check that a background is as large as a frame.

    Raises:
        ThermalError: it is not.
    """
    if background.shape != frame.instance_id.shape:
        raise ThermalError(f"background is {background.shape}: expected the frame's {frame.instance_id.shape}")
