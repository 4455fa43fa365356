"""Roofs over a street: decks of bridges, which hide the sky from what is below and keep the sun from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cover"]

Array = NDArray[np.float64]
_NEAREST_M = 0.05
"""What is less below the underside is part of the deck."""


@dataclass(frozen=True)
class Cover:
    """A level rectangle seen from below, in world axes."""

    x_m: float
    """Its middle."""
    y_m: float
    z_m: float
    """Height of the underside."""
    yaw_rad: float
    """Of its length, counter-clockwise from world +x."""
    length_m: float
    width_m: float

    def contains(self, points_m: Array) -> NDArray[np.bool_]:
        """(...,) whether points (..., 3) lie within the rectangle, seen from above."""
        along, across = self._along_across(points_m[..., 0], points_m[..., 1])
        return np.asarray((np.abs(along) <= self.length_m / 2) & (np.abs(across) <= self.width_m / 2))

    def hidden_sky(self, points_m: Array) -> Array:
        """(...,) share 0-1 of the light of an even sky that the rectangle keeps from level surfaces at points (..., 3).

        The view factor from a small level surface to a parallel rectangle (Howell, "A Catalog of Radiation Heat
        Transfer Configuration Factors", B-3), as a sum over its four corners.
        """
        below = self.z_m - points_m[..., 2]
        height = np.maximum(below, _NEAREST_M)
        along, across = self._along_across(points_m[..., 0], points_m[..., 1])
        total = np.zeros(np.shape(along))
        for end, one in ((self.length_m / 2, 1.0), (-self.length_m / 2, -1.0)):
            for side, other in ((self.width_m / 2, 1.0), (-self.width_m / 2, -1.0)):
                total += one * other * _corner_factor((end - along) / height, (side - across) / height)
        return np.where(below > _NEAREST_M, np.clip(total, 0.0, 1.0), 0.0)

    def hides(self, points_m: Array, towards: Array) -> NDArray[np.bool_]:
        """(...,) whether the rectangle is met on the way from points (..., 3) into a direction (3,), a unit vector."""
        below = self.z_m - points_m[..., 2]
        if towards[2] < 0.02:
            return np.zeros(np.shape(below), np.bool_)
        way = below / towards[2]
        along, across = self._along_across(points_m[..., 0] + way * towards[0], points_m[..., 1] + way * towards[1])
        inside = (np.abs(along) <= self.length_m / 2) & (np.abs(across) <= self.width_m / 2)
        return np.asarray(inside & (below > _NEAREST_M))

    def _along_across(self, x_m: Array, y_m: Array) -> tuple[Array, Array]:
        c, s = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        dx, dy = x_m - self.x_m, y_m - self.y_m
        return c * dx + s * dy, c * dy - s * dx


def _corner_factor(x: Array, y: Array) -> Array:
    """Of the rectangle from the foot of the surface's normal to a corner, in heights; odd in both."""
    a, b = np.sqrt(1.0 + x * x), np.sqrt(1.0 + y * y)
    return np.asarray((x / a * np.arctan(y / a) + y / b * np.arctan(x / b)) / (2.0 * math.pi))
