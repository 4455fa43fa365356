"""Walls with round arches, in the axes of a front: x along it, y into the house, z up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import MeshBuilder

__all__ = ["Arch", "arched_wall", "even_arches"]

Array = NDArray[np.float64]

Arch = tuple[float, float]
"""Where an opening begins and ends along the wall."""
_PIECES = 8
"""Straight pieces of a half circle: at 20 m its outline is off by a tenth of a pixel of a camera of 772 px."""


def even_arches(width_m: float, count: int, pier_m: float) -> list[Arch]:
    """Openings of equal width between equal piers."""
    wide = (width_m - (count + 1) * pier_m) / count
    return [(pier_m + k * (wide + pier_m), pier_m + k * (wide + pier_m) + wide) for k in range(count)]


def arched_wall(
    mesh: MeshBuilder,
    width_m: float,
    sill_m: float,
    crown_m: float,
    top_m: float,
    arches: Sequence[Arch],
    wall: str,
    deep_m: float,
    pane: str = "",
) -> None:
    """A wall at y = 0 whose openings end in half circles.

    Args:
        mesh: gets it.
        width_m: of the wall.
        sill_m: lower edge of the openings.
        crown_m: highest point of the openings; all have the same.
        top_m: of the wall.
        arches: the openings, from left to right.
        wall: material.
        deep_m: of the reveals.
        pane: material that closes the openings at the back of the reveals; none: open.
    """
    if sill_m > 0.0:
        _upright(mesh, wall, 0.0, width_m, 0.0, sill_m)
    x = 0.0
    for low, high in arches:
        _upright(mesh, wall, x, low, sill_m, top_m)
        _above(mesh, wall, _outline(low, high, sill_m, crown_m), top_m)
        _reveal(mesh, wall, _outline(low, high, sill_m, crown_m), deep_m)
        if pane:
            outline = _outline(low, high, sill_m, crown_m)[::-1]
            mesh.add(outline + np.array([0.0, deep_m, 0.0]), [range(len(outline))], pane)
        x = high
    _upright(mesh, wall, x, width_m, sill_m, top_m)


def _upright(mesh: MeshBuilder, material: str, x0: float, x1: float, z0: float, z1: float) -> None:
    mesh.polygon(material, (x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1))


def _outline(low_m: float, high_m: float, sill_m: float, crown_m: float) -> Array:
    """(N, 3) from the lower left corner up, round and down to the lower right one."""
    radius = (high_m - low_m) / 2
    angle = np.linspace(math.pi, 0.0, _PIECES + 1)
    spring = max(sill_m, crown_m - radius)
    z = spring + (crown_m - spring) * np.sin(angle)
    arc = np.column_stack([(low_m + high_m) / 2 + radius * np.cos(angle), np.zeros(len(angle)), z])
    return np.concatenate([[[low_m, 0.0, sill_m]], arc, [[high_m, 0.0, sill_m]]])


def _above(mesh: MeshBuilder, wall: str, outline: Array, top_m: float) -> None:
    """What the wall has between the arc and its own top."""
    arc = outline[1:-1]
    n = len(arc)
    upper = np.column_stack([arc[:, 0], arc[:, 1], np.full(n, top_m)])
    mesh.add(np.concatenate([arc, upper]), [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], wall)


def _reveal(mesh: MeshBuilder, wall: str, outline: Array, deep_m: float) -> None:
    n = len(outline)
    both = np.concatenate([outline, outline + np.array([0.0, deep_m, 0.0])])
    mesh.add(both, [(i, n + i, n + i + 1, i + 1) for i in range(n - 1)], wall)
