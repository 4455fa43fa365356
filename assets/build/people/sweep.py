"""Closed bodies swept along a path: rounded, with a width and a height at each point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from .mesh import ZonedMesh, loft

__all__ = ["Array", "Knot", "sweep"]

Array = NDArray[np.float64]
Knot = tuple[float, float, float, float, float]
"""Point of a path (x, y, z), half of the width across and of the height there, metres."""
_BETWEEN = 4
"""Rings from one knot to the next."""


def sweep(knots: Sequence[Knot], zone: Zone, sides: int = 14) -> ZonedMesh:
    """A body through knots, with ends as round as they are wide."""
    path = _smooth(np.array(knots, np.float64))
    along = np.gradient(path[:, :3], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    rings = [_ring(row[:3], ahead, row[3], row[4], sides) for row, ahead in zip(path, along, strict=True)]
    return loft([*_cap(rings[0], -along[0], first=True), *rings, *_cap(rings[-1], along[-1], first=False)], zone)


def _smooth(knots: Array) -> Array:
    """(N, 5) the knots and points between them, on Catmull-Rom curves."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = (np.arange(_BETWEEN) / _BETWEEN)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    path: Array = np.concatenate([*pieces, knots[-1:]])
    path[:, 3:] = np.maximum(path[:, 3:], 0.004)
    return path


def _ring(centre: Array, ahead: Array, half_width: float, half_height: float, sides: int) -> Array:
    """A ring (sides, 3) across the path, against the clock seen from where it leads."""
    aside = np.array([0.0, 1.0, 0.0]) - ahead[1] * ahead
    aside /= np.linalg.norm(aside)
    up = np.cross(aside, ahead)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring: Array = centre + half_height * np.cos(angle)[:, None] * up + half_width * np.sin(angle)[:, None] * aside
    return ring


def _cap(ring: Array, outward: Array, *, first: bool) -> list[Array]:
    """Two smaller rings beyond an end, in the order of the path."""
    centre = ring.mean(axis=0)
    radius = float(np.linalg.norm(ring - centre, axis=1).min())
    rings = [centre + wide * (ring - centre) + out * radius * outward for wide, out in ((0.8, 0.5), (0.35, 0.85))]
    return rings[::-1] if first else rings
