"""Rectangles on the ground: where a car stands, and whether two of them touch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .cars import ModelSize, Placement

__all__ = ["SAFETY_MARGIN_M", "corners", "footprint", "overlaps", "rectangle"]

Array = NDArray[np.float64]

SAFETY_MARGIN_M = 0.25
"""Least gap between two cars, metres: mirrors (0.2 m) stand outside a car's nominal width."""


def footprint(placement: Placement, size: ModelSize, margin_m: float = 0.0) -> Array:
    """Corners of a car on the ground, (4, 2) counter-clockwise, grown by ``margin_m`` on each side."""
    return rectangle(
        placement.x_m, placement.y_m, placement.yaw_rad, size.length_m + 2 * margin_m, size.width_m + 2 * margin_m
    )


def rectangle(x_m: float, y_m: float, yaw_rad: float, length_m: float, width_m: float) -> Array:
    """Corners of a rectangle about a point, its length along ``yaw``: (4, 2) counter-clockwise."""
    return np.array(corners(x_m, y_m, yaw_rad, length_m, width_m))


def corners(x_m: float, y_m: float, yaw_rad: float, length_m: float, width_m: float) -> list[tuple[float, float]]:
    """:func:`rectangle` as plain numbers, for those who look at few of them."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    ax, ay, bx, by = c * length_m / 2, s * length_m / 2, -s * width_m / 2, c * width_m / 2
    return [
        (x_m + ax - bx, y_m + ay - by),
        (x_m + ax + bx, y_m + ay + by),
        (x_m - ax + bx, y_m - ay + by),
        (x_m - ax - bx, y_m - ay - by),
    ]


def overlaps(a: Array, b: Array) -> bool:
    """Whether two rectangles (4, 2) share a point: no side of either separates them."""
    first, second = a.tolist(), b.tolist()
    for (ox, oy), (px, py), (qx, qy) in (first[:3], second[:3]):
        for ax, ay in ((px - ox, py - oy), (qx - px, qy - py)):
            along = [ax * x + ay * y for x, y in first]
            other = [ax * x + ay * y for x, y in second]
            if max(along) < min(other) or max(other) < min(along):
                return False
    return True
