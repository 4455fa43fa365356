"""Distortion of lenses, as OpenCV has it: where a ray of a pinhole camera meets the picture, and back.

Both models work on normalised coordinates, x / z and y / z of a point in the camera's axes (OpenCV, "Camera Calibration
and 3D Reconstruction" and "Fisheye camera model"):

* ``brown-conrady``, coefficients k1, k2, p1, p2 and perhaps k3 (Brown, "Decentering distortion of lenses", 1966):
  x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2), and y' alike;
* ``fisheye``, coefficients k1 to k4 (Kannala and Brandt, PAMI 2006): a ray at the angle t to the axis lands at
  t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8) from it.

Such polynomials turn back far from the axis, where no lens does. Points from there on are taken to the circle where
they turn, so that what is outside of the picture stays outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import CameraError

__all__ = ["BROWN_CONRADY", "FISHEYE", "Lens", "parse_lens"]

Array = NDArray[np.float64]

BROWN_CONRADY, FISHEYE = "brown-conrady", "fisheye"
_COUNTS = {BROWN_CONRADY: (4, 5), FISHEYE: (4,)}
_NAMES = {BROWN_CONRADY: "k1,k2,p1,p2 or k1,k2,p1,p2,k3", FISHEYE: "k1,k2,k3,k4"}
_ROUNDS, _EXACT = 30, 1e-12
"""Of Newton's method, and of the normalised coordinates that it is to meet."""


@dataclass(frozen=True)
class Lens:
    """A lens that distorts.

    Raises:
        CameraError: an unknown model, or coefficients that it does not have.
    """

    model: str
    """``brown-conrady`` or ``fisheye``."""
    coefficients: tuple[float, ...]
    """In OpenCV's order: k1, k2, p1, p2[, k3], or k1 to k4."""

    def __post_init__(self) -> None:
        """Check the coefficients."""
        if self.model not in _COUNTS:
            raise CameraError(f"lens {self.model!r}: expected {BROWN_CONRADY} or {FISHEYE}")
        if len(self.coefficients) not in _COUNTS[self.model] or not all(map(math.isfinite, self.coefficients)):
            raise CameraError(f"lens {self.model}: {self.coefficients}: expected numbers {_NAMES[self.model]}")

    @cached_property
    def _radial(self) -> tuple[float, ...]:
        """Coefficients of the even powers, from the second."""
        if self.model == FISHEYE:
            return self.coefficients
        return (*self.coefficients[:2], *self.coefficients[4:])

    @cached_property
    def reach(self) -> float:
        """Radius (of a fisheye: angle) at which the polynomial turns back; inf where it never does."""
        slope = [1.0, *((2 * place + 3) * k for place, k in enumerate(self._radial))]
        roots = np.roots(slope[::-1])
        turning = [float(root.real) for root in roots if abs(root.imag) < 1e-9 and root.real > 0]
        return math.sqrt(min(turning)) if turning else math.inf

    def distort(self, points: Array) -> Array:
        """Normalised coordinates (..., 2) of a pinhole camera, where the lens puts them."""
        radius = np.hypot(points[..., 0], points[..., 1])
        if self.model == FISHEYE:
            angle = np.minimum(np.arctan(radius), self.reach)
            scale = angle * self._stretch(angle) / np.maximum(radius, 1e-12)
            return np.asarray(points * np.where(radius > 1e-12, scale, 1.0)[..., None])
        inside = points * np.minimum(1.0, self.reach / np.maximum(radius, 1e-12))[..., None]
        x, y = inside[..., 0], inside[..., 1]
        squared = x * x + y * y
        stretch = self._stretch(np.sqrt(squared))
        p1, p2 = self.coefficients[2:4]
        return np.stack([
            x * stretch + 2 * p1 * x * y + p2 * (squared + 2 * x * x),
            y * stretch + 2 * p2 * x * y + p1 * (squared + 2 * y * y),
        ], axis=-1)  # fmt: skip

    def _stretch(self, radius: Array) -> Array:
        """1 + k1 r^2 + k2 r^4 + ..."""
        total, squared = np.zeros_like(radius), radius * radius
        for k in reversed(self._radial):
            total = (total + k) * squared
        return 1.0 + total

    def undistort(self, points: Array) -> Array:
        """Inverse of :meth:`distort`; NaN for what no ray reaches."""
        return self._undistort_fisheye(points) if self.model == FISHEYE else self._undistort_brown(points)

    def _undistort_fisheye(self, points: Array) -> Array:
        wanted = np.hypot(points[..., 0], points[..., 1])
        angle = np.minimum(wanted, min(self.reach, math.pi / 2))
        for _ in range(_ROUNDS):
            squared = angle * angle
            slope = 1.0 + sum((2 * place + 3) * k * squared ** (place + 1) for place, k in enumerate(self._radial))
            angle = angle - (angle * self._stretch(angle) - wanted) / np.where(np.abs(slope) > 1e-9, slope, 1.0)
        met = np.abs(angle * self._stretch(angle) - wanted) < _EXACT
        good = met & (angle >= 0) & (angle < min(self.reach, math.pi / 2 - 1e-6))
        scale = np.tan(np.where(good, angle, 0.0)) / np.maximum(wanted, 1e-12)
        return np.where(good[..., None], points * np.where(wanted > 1e-12, scale, 1.0)[..., None], np.nan)

    def _undistort_brown(self, points: Array) -> Array:
        """Newton's method; the slopes are differences, which does not matter for where it ends."""
        found, step = points / self._stretch(np.hypot(points[..., 0], points[..., 1]))[..., None], 1e-6
        for _ in range(_ROUNDS):
            off = self.distort(found) - points
            if np.abs(off).max(initial=0.0) < _EXACT:
                break
            a, c = np.moveaxis((self.distort(found + np.array([step, 0.0])) - points - off) / step, -1, 0)
            b, d = np.moveaxis((self.distort(found + np.array([0.0, step])) - points - off) / step, -1, 0)
            area = a * d - b * c
            area = np.where(np.abs(area) > 1e-9, area, 1.0)
            change = np.stack([d * off[..., 0] - b * off[..., 1], a * off[..., 1] - c * off[..., 0]], axis=-1)
            found = found - change / area[..., None]
        met = np.abs(self.distort(found) - points).max(axis=-1) < 1e-9
        inside = np.hypot(found[..., 0], found[..., 1]) < self.reach
        return np.where((met & inside)[..., None], found, np.nan)


def parse_lens(model: str, text: str) -> Lens:
    """A lens of coefficients with commas between.

    Raises:
        CameraError: no numbers, or more or fewer of them than the model has.
    """
    try:
        coefficients = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise CameraError(f"lens {model}: {text!r}: expected numbers {_NAMES.get(model, '')}") from None
    return Lens(model, coefficients)
