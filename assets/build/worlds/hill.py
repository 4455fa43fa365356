"""Streets on a slope: one of the other kinds on ground that rises or falls by up to 8 %.

Ground, kerbs, paint, fences and rails are sheared, so that what is upright stays so; houses stay level and stand on
plinths; trees, lamps and furniture stay upright.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from renderer.scene.cars import pose_on_slope

from assets.build.city.mesh import MeshBuilder

from .arterial import arterial
from .country import country
from .residential import residential
from .site import Site
from .town.street import town

__all__ = ["Relief", "hill", "lie_on"]

Array = NDArray[np.float64]
_STREETS: tuple[tuple[Callable[[int], Site], float], ...] = (
    (residential, 0.4), (town, 0.25), (arterial, 0.15), (country, 0.2),
)  # fmt: skip
_GRADE, _ACROSS = (0.02, 0.08), 0.015
"""Rise along the road and across it, metres per metre. What is steeper is rare: guidelines for streets in towns end at
6 to 8 % (RASt 06, AASHTO)."""
_FOOT_M = 0.25
"""Points of a house that are lower belong to its foot."""
_ALONG = ("hedge",)
"""What follows the ground, and does not stand level on it."""


class Relief:
    """Height of the ground: a plane around the street, level beyond it."""

    def __init__(self, slope: tuple[float, float], centre_m: Array, reach_m: float) -> None:
        """Lay it out.

        Args:
            slope: rise along world x and y.
            centre_m: (2,) where its height is 0.
            reach_m: from there on, into every direction, the ground rises no more.
        """
        self.slope, self._centre, self._reach_m = np.array(slope), np.asarray(centre_m), reach_m

    def height(self, points_m: Array) -> Array:
        """(...,) at points (..., 2)."""
        away = np.asarray(points_m, dtype=np.float64) - self._centre
        far = np.maximum(np.hypot(away[..., 0], away[..., 1]) / self._reach_m, 1.0)
        return np.asarray(away @ self.slope / far)


def hill(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 108])
    street = _STREETS[int(rng.choice(len(_STREETS), p=[share for _, share in _STREETS]))][0]
    site = street(int(rng.integers(1 << 31)))
    assert site.course is not None
    axis = site.course.axis
    start, end = axis.place([0.0, axis.length_m], [0.0, 0.0])
    ahead = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
    along = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(*_GRADE))
    across = float(rng.uniform(-_ACROSS, _ACROSS))
    slope = along * ahead + across * np.array([-ahead[1], ahead[0]])
    lie_on(site, Relief((float(slope[0]), float(slope[1])), (start + end) / 2, axis.length_m / 2 + 110.0))
    return site


def lie_on(site: Site, relief: Relief) -> None:
    """Bring everything of a level site onto a relief."""
    for mesh, matrix in site.static.values():
        if not mesh.points:
            continue
        if matrix is None:
            mesh.points = [_raised(points, relief) for points in mesh.points]
        else:
            _stand_level(mesh, matrix, relief)
    site.props = [(name, _placed(name, matrix, relief)) for name, matrix in site.props]
    slope = (float(relief.slope[0]), float(relief.slope[1]))
    site.bays = [
        replace(bay, z_m=bay.z_m + float(relief.height(np.array([bay.x_m, bay.y_m]))), slope=slope) for bay in site.bays
    ]
    site.lanes = {name: (_line(points, relief), width) for name, (points, width) in site.lanes.items()}
    site.paths = {name: _line(points, relief) for name, points in site.paths.items()}


def _raised(points: Array, relief: Relief) -> Array:
    return points + np.column_stack([np.zeros((len(points), 2)), relief.height(points[:, :2])])


def _line(points: Array, relief: Relief) -> Array:
    z = relief.height(points[:, :2])
    return np.column_stack([points[:, :2], z + (points[:, 2] if points.shape[1] == 3 else 0.0)])


def _stand_level(mesh: MeshBuilder, matrix: Array, relief: Relief) -> None:
    """Lift a house to the ground at its front door; its foot goes down to the ground where that is lower."""
    base = float(relief.height(matrix[:2, 3]))
    matrix[2, 3] += base
    for k, points in enumerate(mesh.points):
        world = points @ matrix[:3, :3].T + matrix[:3, 3]
        lower = np.minimum(relief.height(world[:, :2]) - base, 0.0)
        sunk = points.copy()
        sunk[:, 2] += np.where(points[:, 2] < _FOOT_M, lower, 0.0)
        mesh.points[k] = sunk


def _placed(name: str, matrix: Array, relief: Relief) -> Array:
    """The pose of a thing at the height of its ground."""
    moved = matrix.copy()
    moved[2, 3] += float(relief.height(matrix[:2, 3]))
    if name.startswith(_ALONG):
        x, y, z = moved[:3, 3].tolist()
        slope = (float(relief.slope[0]), float(relief.slope[1]))
        turned = pose_on_slope(x, y, z, math.atan2(matrix[1, 0], matrix[0, 0]), slope)
        moved[:3, :3] = turned[:3, :3] * float(np.linalg.norm(matrix[:3, 0]))
    return moved
