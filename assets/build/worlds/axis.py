"""The line that a street follows: straight pieces and arcs, addressed by the distance along it. Pure numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Axis"]

Array = NDArray[np.float64]


class Axis:
    """A curve in the plane. ``u`` is the distance along it, ``d`` the distance to the left of it, metres."""

    def __init__(
        self, segments: Sequence[tuple[float, float]], origin: tuple[float, float] = (0.0, 0.0), heading: float = 0.0
    ) -> None:
        """Lay it out.

        Args:
            segments: length in metres and curvature in 1/m (left is positive) of each piece.
            origin: where ``u`` is 0.
            heading: direction there, radians from world +x.
        """
        lengths = np.cumsum([0.0] + [length for length, _ in segments])
        turned = np.cumsum([0.0] + [length * bend for length, bend in segments])
        bends = np.array([bend for _, bend in segments])
        self.length_m = float(lengths[-1])
        self._u = np.linspace(0.0, self.length_m, max(2, round(self.length_m * 4)) + 1)
        which = np.clip(np.searchsorted(lengths, self._u, side="right") - 1, 0, len(bends) - 1)
        self._heading = heading + turned[which] + bends[which] * (self._u - lengths[which])
        middle = (self._heading[1:] + self._heading[:-1]) / 2
        steps = np.stack([np.cos(middle), np.sin(middle)], axis=1) * np.diff(self._u)[:, None]
        self._points = np.concatenate([[[0.0, 0.0]], np.cumsum(steps, axis=0)]) + np.asarray(origin)

    def heading(self, u_m: Array | float) -> Array:
        """Direction at places along the axis, radians."""
        return np.asarray(np.interp(u_m, self._u, self._heading))

    def place(self, u_m: ArrayLike, d_m: ArrayLike) -> Array:
        """World x, y (..., 2) of points beside the axis; before its start and beyond its end it goes on straight."""
        u = np.asarray(u_m, dtype=np.float64)
        inside = np.clip(u, 0.0, self.length_m)
        heading = self.heading(inside)
        points = np.stack([np.interp(inside, self._u, self._points[:, k]) for k in (0, 1)], axis=-1)
        forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        left = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
        return np.asarray(
            points + forward * (u - inside)[..., None] + left * np.asarray(d_m, dtype=np.float64)[..., None]
        )

    def nearest(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Distance along the axis, and to the left of it, of a world point; beyond its ends, of the straight on."""
        away = self._points - (x_m, y_m)
        k = int(np.argmin((away**2).sum(axis=1)))
        c, s = math.cos(self._heading[k]), math.sin(self._heading[k])
        dx, dy = x_m - self._points[k, 0], y_m - self._points[k, 1]
        return float(self._u[k]) + c * dx + s * dy, c * dy - s * dx

    def line(self, start_m: float, end_m: float, d_m: float, step_m: float = 2.0) -> Array:
        """Points (N, 2) beside the axis, from ``start`` to ``end`` in this order."""
        count = max(2, round(abs(end_m - start_m) / step_m) + 1)
        return self.place(np.linspace(start_m, end_m, count), np.full(count, d_m))

    def bend(self, u_m: float) -> float:
        """Curvature at a place, 1/m."""
        a, b = max(0.0, u_m - 2.0), min(self.length_m, u_m + 2.0)
        return float(self.heading(b) - self.heading(a)) / max(b - a, 1e-6)

    def is_straight(self, start_m: float, end_m: float) -> bool:
        """Whether it turns by less than half a degree between two places."""
        return bool(np.ptp(self.heading(np.linspace(start_m, end_m, 9))) < math.radians(0.5))
