"""The road around a car in a display-only frame: its warmth or shadow, and how it differs at the ground contact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..zones.categories import VEHICLES
from .levels import bend_into_scale
from .regions import CarRegion, car_regions

__all__ = ["REACH", "contact_glow", "glow_of", "shift_ground"]

Float32 = NDArray[np.float32]

_MOST_GREY = 25.0
"""Most that the ground is raised or lowered by warmth or shadow: medians under real cars are 4 greys by day, 24 at
night (RoadScene)."""
_GREY_PER_K = 14.0
_CONTACT_GREY, _CONTACT_STD_GREY, _CONTACT_LIMITS = 26.0, 40.0, (-35.0, 90.0)
"""Greys by which the road at a car's ground contact line is lighter than a third of its height below, mean and
deviation between cars: medians 15 by day and 55 at night, 15th and 85th percentile -40 to 77 and 25 to 95 (116 cars of
RoadScene's training frames, ``benchmarks/realism/car_levels.py``)."""
REACH = 0.3
"""Share of a car's height by which that reaches below its ground contact line: there the same cars show no difference
any more."""
_HALF_WIDTH = 0.62
"""Half width of what is lighter, in widths of the car's box."""


def shift_ground(ground: Float32, change_K: Float32, glow: Float32) -> Float32:
    """Road with what cars do to it, bent into the scale; where they do nothing it stays as it is.

    Args:
        ground: (H, W) grey levels.
        change_K: (H, W) warming or cooling.
        glow: (H, W) grey levels of :func:`contact_glow`.
    """
    change = np.tanh(change_K * np.float32(_GREY_PER_K / _MOST_GREY))
    return bend_into_scale(ground + change * np.float32(_MOST_GREY) + glow, ground)


def contact_glow(frame: Frame, rng: np.random.Generator) -> Float32:
    """Greys by which the road under and just before each car is lighter or darker than farther off, (H, W)."""
    out = np.zeros(frame.instance_id.shape, np.float32)
    for region in (one for one in car_regions(frame) if one.item.category in VEHICLES):
        amount = _CONTACT_GREY + _CONTACT_STD_GREY * rng.standard_normal()
        _keep_greater(out, region, float(np.clip(amount, *_CONTACT_LIMITS)))
    return out


def _keep_greater(out: Float32, region: CarRegion, amount: float) -> None:
    """Enter one car where its change is greater than what is there."""
    (rows, columns), (height, width) = region.window, out.shape
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    top, bottom = rows.stop - tall // 4, min(height, rows.stop + int(REACH * tall))
    left, right = max(0, columns.start - wide // 8), min(width, columns.stop + wide // 8)
    down = (np.arange(top, bottom) - rows.stop) / (REACH * tall)
    across = (np.arange(left, right) - (columns.start + columns.stop - 1) / 2) / (_HALF_WIDTH * wide)
    part = out[top:bottom, left:right]
    change = glow_of(down, across, amount)
    part[...] = np.where(np.abs(change) > np.abs(part), change, part)


def glow_of(down: NDArray[np.float64], across: NDArray[np.float64], amount: float) -> Float32:
    """Greys by place: all of ``amount`` above the ground contact line's middle, none below its reach.

    Args:
        down: (R,) rows below the ground contact line, as shares of the reach; negative under the car.
        across: (C,) columns from the middle, as shares of the half width.
        amount: grey levels.

    Returns:
        (R, C).
    """
    fall = np.clip(1.0 - np.maximum(down, 0.0), 0.0, 1.0) ** 2
    side = np.clip(1.0 - np.abs(across) ** 4, 0.0, 1.0)
    return np.asarray(amount * fall[:, None] * side[None], dtype=np.float32)
