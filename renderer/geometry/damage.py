"""Triangles that nothing can be drawn of: with corners that are no numbers or beyond all measure, or without area."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = ["FARTHEST", "NO_DAMAGE", "Damage", "reaches_too_far", "sound_triangles"]

FARTHEST = 1e9
"""Largest coordinate of a triangle that is drawn: a million kilometres, where float32 steps are 64 m wide."""
_SLIVERS = 0.1
"""Share of triangles without an area up to which nothing is said: many meshes have a few, and they hide nothing."""


@dataclass(frozen=True)
class Damage:
    """How many triangles of a mesh are left out, and why."""

    total: int = 0
    not_finite: int = 0
    too_far: int = 0
    without_area: int = 0

    def __add__(self, other: Damage) -> Damage:
        return Damage(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def note(self) -> str:
        """In words; empty where there is nothing to say."""
        slivers = self.without_area if self.without_area > _SLIVERS * self.total else 0
        counts = (
            (self.not_finite, "with coordinates that are no finite numbers"),
            (self.too_far, f"with coordinates beyond {FARTHEST:.0e}"),
            (slivers, "without an area"),
        )
        said = [f"{count} {why}" for count, why in counts if count]
        return f"left out of {self.total} triangles: {', '.join(said)}" if said else ""


NO_DAMAGE = Damage()


def sound_triangles(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> tuple[NDArray[np.bool_], Damage]:
    """Which triangles can be drawn, (T,), and what is the matter with the others.

    Args:
        positions: (V, 3).
        triangles: (T, 3) vertex numbers.
    """
    if np.abs(positions).max(initial=0.0) <= FARTHEST:  # false for NaN
        good = _have_area(positions, triangles)
        return good, Damage(len(triangles), without_area=int((~good).sum()))
    finite = np.isfinite(positions).all(axis=1)
    near = finite & (np.abs(np.where(finite[:, None], positions, 0)) <= FARTHEST).all(axis=1)
    all_finite, all_near = finite[triangles].all(axis=1), near[triangles].all(axis=1)
    good = all_near.copy()
    good[all_near] = _have_area(positions, triangles[all_near])
    damage = Damage(
        len(triangles), int((~all_finite).sum()), int((all_finite & ~all_near).sum()), int((all_near & ~good).sum())
    )
    return good, damage


def _have_area(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(T,) which triangles have an area, by the cross product of two edges; numpy's takes four times as long."""
    columns = positions.T.astype(np.float64)
    a, b, c = (columns[:, corner] for corner in triangles.T)
    (ux, uy, uz), (vx, vy, vz) = b - a, c - a
    return np.asarray((uy * vz != uz * vy) | (uz * vx != ux * vz) | (ux * vy != uy * vx))


def reaches_too_far(positions: NDArray[np.float32], local_to_world: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(V,) which vertices a matrix (4, 4) takes beyond all measure."""
    world = positions.astype(np.float64) @ local_to_world[:3, :3].T + local_to_world[:3, 3]
    return np.asarray((np.abs(world) > FARTHEST).any(axis=1))
