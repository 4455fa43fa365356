"""Tight boxes of objects in a distorted picture, in which straight edges are bent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .frame import Box2D
from .meshes import Mesh

__all__ = ["distorted_box"]

Array = NDArray[np.float64]

_STEP_PX, _MOST_STEPS = 6.0, 64
"""Points are taken so far apart along an edge: an arc over such a chord bulges by hundredths of a pixel."""


def distorted_box(meshes: Iterable[tuple[Mesh, Array]], camera: Camera, near_m: float) -> Box2D | None:
    """Box of an object, not clipped to the image; None where all of it is before the near plane.

    Args:
        meshes: of the object, each with the matrix (4, 4) that takes it into the camera's axes.
        camera: with its lens.
        near_m: distance of the near plane.
    """
    places = [camera.project(points) for points in (_outline(*one, camera, near_m) for one in meshes) if len(points)]
    if not places:
        return None
    low, high = (getattr(np.concatenate(places), name)(axis=0).tolist() for name in ("min", "max"))
    return low[0], low[1], high[0], high[1]


def _outline(mesh: Mesh, to_camera: Array, camera: Camera, near_m: float) -> Array:
    """(N, 3) points before the near plane among which all extremes of a mesh are: corners, and points of long edges."""
    corners = mesh.positions.astype(np.float64) @ to_camera[:3, :3].T + to_camera[:3, 3]
    triangles = corners[mesh.triangles]
    ends = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2, 3)
    ends = _clipped(ends[(ends[..., 2] >= near_m).any(axis=1)], near_m)
    if not len(ends):
        return np.zeros((0, 3))
    length = np.abs(np.diff(camera.project(ends), axis=1)).max(axis=(1, 2))
    steps = np.clip(np.ceil(length / _STEP_PX), 1, _MOST_STEPS)
    points = [ends[:, 0], ends[:, 1]]
    for count in np.unique(steps[steps > 1]).astype(int).tolist():
        share = (np.arange(1, count) / count)[:, None, None]
        chosen = ends[steps == count]
        points.append((chosen[:, 0] + share * (chosen[:, 1] - chosen[:, 0])).reshape(-1, 3))
    return np.concatenate(points)


def _clipped(ends: Array, near_m: float) -> Array:
    """Edges (N, 2, 3), one end of each at least behind the near plane, cut off there."""
    ends = ends.copy()
    for this, other in ((0, 1), (1, 0)):
        cut = ends[:, this, 2] < near_m
        a, b = ends[cut, this], ends[cut, other]
        share = ((near_m - a[:, 2]) / (b[:, 2] - a[:, 2]))[:, None]
        ends[cut, this] = a + share * (b - a)
    return ends
