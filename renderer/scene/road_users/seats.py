"""Where people can sit in a street: benches, and those of bus stops, found by their names and then by their shape.

What is sat on is level, of the height of a bench, and has room for legs before it and for a back behind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..walkable import Ground, Kind

__all__ = ["FRONT_M", "SEAT_M", "Seat", "find_seats", "is_bench"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEAT_M = 0.475
"""Height of a seat that people are made for. Benches are 0.45 to 0.48 m high (Neufert, Architects' Data)."""
LOWER_M, HIGHER_M = 0.035, 0.004
"""By how much a seat may be lower (a cushion of clothes) or higher."""
FRONT_M = 0.18
"""How far behind the front edge the hips are."""
BACK_M = 0.2
"""Room behind the hips."""
LEAST_DEPTH_M, PLACE_M = 0.3, 0.6
"""Least depth of a seat, and its width for each who sits."""
LEGS_M = 0.65
"""How far ahead of the front edge the ground must be free."""
_CELL_M = 0.05
_OVER_M = (0.03, 0.85)
"""Heights above the seat in which nothing may be."""
_LEAST_FILLED = 0.8
_LEVEL: Final = 0.97
_NAME: Final = re.compile(r"(?:^|[^a-z])(?:bench|benches|bus_?stop|shelter)(?:[^a-z]|$)")


@dataclass(frozen=True)
class Seat:
    """A place for one person."""

    x_m: float
    """Where the hips are."""
    y_m: float
    z_m: float
    """Of the ground."""
    yaw_rad: float
    """Where one looks who sits there."""
    bench: int
    """Number of the bench; those on one bench follow one another, side by side."""


def is_bench(name: str) -> bool:
    """Whether an object's name says that one can sit on it: ``bench.003``, ``Bus stop``."""
    return _NAME.search(name.lower().replace(" ", "_")) is not None


def find_seats(benches: Iterable[tuple[Array, Array]], ground: Ground) -> tuple[Seat, ...]:
    """Places to sit.

    Args:
        benches: corners of triangles (T, 3, 3) in the world, metres, and pose (4, 4) of each bench.
        ground: on which they stand.
    """
    seats: list[Seat] = []
    for number, (corners, pose) in enumerate(benches):
        seats += _seats_of(corners, pose, ground, number)
    return tuple(seats)


def _seats_of(corners: Array, pose: Array, ground: Ground, number: int) -> Iterator[Seat]:
    """Of one bench; its axes lie along and across the seat."""
    yaw = math.atan2(pose[1, 0], pose[0, 0])
    c, s = math.cos(yaw), math.sin(yaw)
    turned = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    base = np.array([pose[0, 3], pose[1, 3], float(corners[..., 2].min())])
    own = (corners - base) @ turned.T
    found = _seat_rectangle(own)
    if found is None:
        return
    low, high = found
    along = int(high[1] - low[1] > high[0] - low[0])
    for sign in (-1.0, 1.0):
        front = low[1 - along] if sign < 0 else high[1 - along]
        if _room_behind_m(own, low, high, along, front, sign) < FRONT_M + BACK_M:
            continue
        places = [
            _in_world(base, turned, along, at, front - sign * FRONT_M, sign)
            for at in _places(float(low[along]), float(high[along]))
        ]
        free = [
            Seat(x, y, float(base[2]), heading, number)
            for x, y, heading in places
            if _legs_fit(ground, x, y, heading, float(base[2]))
        ]
        if free:
            yield from free
            return


def _places(start_m: float, end_m: float) -> Array:
    """Middles of the places along a seat."""
    count = int((end_m - start_m + 0.05) / PLACE_M)
    return (start_m + end_m) / 2 + PLACE_M * (np.arange(count) - (count - 1) / 2)


def _in_world(
    base: Array, turned: Array, along: int, along_m: float, across_m: float, sign: float
) -> tuple[float, float, float]:
    """Position of a place, and the direction that one looks to from there."""
    own, ahead = np.zeros(3), np.zeros(3)
    own[along], own[1 - along], ahead[1 - along] = along_m, across_m, sign
    x, y, _ = (base + own @ turned).tolist()
    way = ahead @ turned
    return x, y, math.atan2(way[1], way[0])


def _legs_fit(ground: Ground, x_m: float, y_m: float, yaw_rad: float, z_m: float) -> bool:
    """Whether there is free ground before a seat, as high as the bench stands."""
    reach = FRONT_M + LEGS_M
    kind, height = ground.at(x_m + reach * math.cos(yaw_rad), y_m + reach * math.sin(yaw_rad))
    return kind in (Kind.PAVEMENT, Kind.BAY, Kind.ROAD) and abs(height - z_m) < 0.02


def _seat_rectangle(own: Array) -> tuple[Array, Array] | None:
    """Lowest and highest corner (2,) of the level part at the height of a seat; None where there is none."""
    across = np.cross(own[:, 1] - own[:, 0], own[:, 2] - own[:, 0])
    upward = across[:, 2] > _LEVEL * np.maximum(np.linalg.norm(across, axis=1), 1e-12)
    heights = own[..., 2]
    level = upward & (heights.min(axis=1) > SEAT_M - LOWER_M) & (heights.max(axis=1) < SEAT_M + HIGHER_M)
    if not level.any():
        return None
    parts = own[level, :, :2]
    low, high = parts.min(axis=(0, 1)), parts.max(axis=(0, 1))
    if (high - low).min() < LEAST_DEPTH_M or _filled_share(parts, low, high) < _LEAST_FILLED:
        return None
    return low, high


def _filled_share(parts: Array, low: Array, high: Array) -> float:
    """Share of a rectangle that lies near level triangles (T, 3, 2): boards have gaps."""
    size = np.maximum(1, np.ceil((high - low) / _CELL_M).astype(int))
    filled = np.zeros(size, np.bool_)
    for first, last in zip(parts.min(axis=1), parts.max(axis=1), strict=True):
        x0, y0 = np.floor((first - low) / _CELL_M).astype(int)
        x1, y1 = np.ceil((last - low) / _CELL_M).astype(int)
        filled[x0:x1, y0:y1] = True
    return float(filled.mean())


def _room_behind_m(own: Array, low: Array, high: Array, along: int, front_m: float, sign: float) -> float:
    """From the front edge back to what rises above the seat; 0 where something stands before it."""
    heights = own[..., 2]
    rising = (heights.max(axis=1) > SEAT_M + _OVER_M[0]) & (heights.min(axis=1) < SEAT_M + _OVER_M[1])
    sides = own[rising]
    first, last = sides[..., along].min(axis=1), sides[..., along].max(axis=1)
    beside = (last > low[along] + _CELL_M) & (first < high[along] - _CELL_M)
    behind = sign * (front_m - sides[beside][..., 1 - along])
    near = behind[behind.max(axis=1) > -LEGS_M]
    return float(near.min()) if len(near) else math.inf
