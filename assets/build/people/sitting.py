"""People on a bench: legs bent so that feet are on the ground while what is sat on touches the seat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from renderer.scene.road_users.seats import FRONT_M, SEAT_M

from .poses import Leg, Pose

__all__ = ["on_a_seat"]

Array = NDArray[np.float64]

_BEHIND_M, _BEYOND_M = 0.25, 0.02
"""How far behind the hips a seat reaches, and what it may reach further ahead than where people sit on it."""
_THIGH_DEG = (52.0, 112.0)
_STEPS = 16
_LESS_DEG, _LESS_STEPS = 6.0, 6
"""Short legs are stretched less."""


def on_a_seat(angles: Pose, clothed: Callable[[Pose], tuple[Array, NDArray[np.bool_], Array]]) -> Pose:
    """The pose with thighs turned so that somebody sits on a seat of the height that benches have.

    Args:
        angles: shanks keep theirs, unless the legs are too short.
        clothed: points (N, 3) of body and clothes in a pose, which of them (N,) belong to trunk and thighs, and where
            the hips are.

    Raises:
        ValueError: legs that are too short or too long.
    """
    low, high = _THIGH_DEG
    for _ in range(_LESS_STEPS):
        heights = [_seat_m(*clothed(_turned(angles, thigh))) for thigh in _THIGH_DEG]
        if heights[0] > SEAT_M:
            break
        angles = _less_stretched(angles)
    if not heights[1] < SEAT_M < heights[0]:
        raise ValueError(f"a seat of {SEAT_M} m: these legs reach from {heights[1]:.2f} to {heights[0]:.2f} m")
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if _seat_m(*clothed(_turned(angles, middle))) > SEAT_M:
            low = middle
        else:
            high = middle
    return _turned(angles, low)


def _seat_m(points_m: Array, trunk: NDArray[np.bool_], hips_m: Array) -> float:
    """How high above the soles the lowest point is of what rests on the seat."""
    ahead = points_m[:, 0] - hips_m[0]
    seated = points_m[trunk & (ahead > -_BEHIND_M) & (ahead < FRONT_M + _BEYOND_M)]
    return float(seated[:, 2].min() - points_m[:, 2].min())


def _less_stretched(angles: Pose) -> Pose:
    """The pose with shanks nearer to upright."""
    left, right = (
        replace(leg, knee=leg.knee + _LESS_DEG, foot=max(0.0, leg.foot - _LESS_DEG))
        for leg in (angles.left_leg, angles.right_leg)
    )
    return replace(angles, left_leg=left, right_leg=right)


def _turned(angles: Pose, thigh_deg: float) -> Pose:
    """The pose with both thighs at an angle, shanks as they were."""
    left, right = (_leg(leg, thigh_deg) for leg in (angles.left_leg, angles.right_leg))
    return replace(angles, left_leg=left, right_leg=right)


def _leg(leg: Leg, thigh_deg: float) -> Leg:
    return replace(leg, thigh=thigh_deg, knee=leg.knee + thigh_deg - leg.thigh)
