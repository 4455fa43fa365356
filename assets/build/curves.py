"""Curves that the car bodies are lofted along: smooth profiles, half outlines in plan, spacing of grid lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Outline", "Profile", "smooth_step", "spread"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Monotone cubic through points: it never overshoots, so a flat roof stays flat (Fritsch and Carlson, 1980)."""

    points: Sequence[tuple[float, float]]
    """(x, value), in any order of x."""

    def __call__(self, x: Array | float) -> Array:
        """Values at ``x``, constant beyond the ends."""
        at, value = np.array(sorted(self.points), dtype=np.float64).T
        step = np.diff(at)
        slope = np.diff(value) / step
        tangent = np.concatenate([slope[:1], _harmonic(slope, step), slope[-1:]])
        query = np.clip(np.asarray(x, dtype=np.float64), at[0], at[-1])
        k = np.clip(np.searchsorted(at, query, side="right") - 1, 0, len(step) - 1)
        t = (query - at[k]) / step[k]
        held = value[k] * (1 + 2 * t) * (1 - t) ** 2 + value[k + 1] * t**2 * (3 - 2 * t)
        return np.asarray(held + step[k] * t * (1 - t) * (tangent[k] * (1 - t) - tangent[k + 1] * t))


def _harmonic(slope: Array, step: Array) -> Array:
    """Tangents at the inner points: weighted harmonic mean of the slopes beside them, 0 at a turning point."""
    before, after = slope[:-1], slope[1:]
    w_before, w_after = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    same_sign = before * after > 0
    safe_before, safe_after = np.where(same_sign, before, 1.0), np.where(same_sign, after, 1.0)
    mean = (w_before + w_after) / (w_before / safe_before + w_after / safe_after)
    return np.where(same_sign, mean, 0.0)


def smooth_step(x: Array | float) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def spread(marks: Sequence[float], spacing: float) -> Array:
    """Numbers from the first to the last mark, each mark among them exactly, at most ``spacing`` apart."""
    line = [marks[0]]
    for start, stop in pairwise(marks):
        count = max(1, math.ceil(abs(stop - start) / spacing - 1e-9))
        line += [start + (stop - start) * k / count for k in range(1, count)] + [stop]
    return np.array(line)


@dataclass(frozen=True)
class Outline:
    """Left half of a car seen from above: straight sides, nose and tail rounded as superellipses."""

    front_m: float
    rear_m: float
    half_m: float
    nose: tuple[float, float] = (0.7, 2.5)
    """Length of the rounded part in metres and exponent (2 ellipse, larger is squarer)."""
    tail: tuple[float, float] = (0.55, 2.8)
    waist: float = 0.02
    """How much narrower the ends of the straight part are than the middle, as a fraction."""

    def _ends(self, x: Array) -> tuple[Array, Array]:
        """How far into the nose and into the tail each x lies, 0 to 1."""
        nose, tail = self.nose[0], self.tail[0]
        return np.clip((x - self.front_m + nose) / nose, 0, 1), np.clip((self.rear_m + tail - x) / tail, 0, 1)

    def half_width(self, x: Array | float) -> Array:
        """Half width at stations along the car."""
        x = np.asarray(x, dtype=np.float64)
        u_nose, u_tail = self._ends(x)
        middle, reach = (self.front_m + self.rear_m) / 2, (self.front_m - self.rear_m) / 2
        waist = 1 - self.waist * ((x - middle) / reach) ** 2
        nose = (1 - u_nose ** self.nose[1]) ** (1 / self.nose[1])
        tail = (1 - u_tail ** self.tail[1]) ** (1 / self.tail[1])
        return np.asarray(self.half_m * waist * nose * tail)

    def end(self, f: Array, *, front: bool) -> tuple[Array, Array]:
        """Points (x, y) on the nose or tail whose y is the fraction ``f`` of the half width there."""
        length, power = self.nose if front else self.tail
        set_back = length * (1 - (1 - f**power) ** (1 / power))
        x = self.front_m - set_back if front else self.rear_m + set_back
        waist = 1 - self.waist * ((x - (self.front_m + self.rear_m) / 2) / ((self.front_m - self.rear_m) / 2)) ** 2
        return x, f * self.half_m * waist

    def normal(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Unit outward normal (nx, ny) of the outline at points on it; the waist is left out."""
        u_nose, u_tail = self._ends(x)
        v = np.clip(y / self.half_m, 0, 1)
        (l_nose, n_nose), (l_tail, n_tail) = self.nose, self.tail
        nx = n_nose * u_nose ** (n_nose - 1) / l_nose - n_tail * u_tail ** (n_tail - 1) / l_tail
        power = np.where(x > (self.front_m + self.rear_m) / 2, n_nose, n_tail)
        ny = power * v ** (power - 1) / self.half_m
        length = np.hypot(nx, ny)
        return nx / length, ny / length
