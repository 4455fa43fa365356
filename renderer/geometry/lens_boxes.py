"""Tight boxes of objects in a distorted picture, in which straight edges are bent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
        meshes: of the object, each with the matrix (3, 4) that takes it into the camera's axes.
        camera: with its lens.
        near_m: distance of the near plane.
    """
    places = [found for mesh, matrix in meshes for found in _outline(mesh, matrix, camera, near_m) if len(found)]
    if not places:
        return None
    columns, rows = (np.concatenate([one[:, axis] for one in places]) for axis in (0, 1))
    return float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())


def _outline(mesh: Mesh, to_camera: Array, camera: Camera, near_m: float) -> Iterator[Array]:
    """Places (N, 2) in the picture among which all extremes of a mesh are: its corners, and points of long edges."""
    corners = mesh.positions.astype(np.float64) @ to_camera[:3, :3].T + to_camera[:3, 3]
    before = corners[:, 2] < near_m
    places = camera.project(np.where(before[:, None], (0.0, 0.0, 1.0), corners))
    yield places[~before]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        one, other = mesh.triangles[:, first], mesh.triangles[:, second]
        apart = np.maximum(np.abs(places[one, 0] - places[other, 0]), np.abs(places[one, 1] - places[other, 1]))
        cut = before[one] != before[other]
        chosen = np.flatnonzero(((apart > _STEP_PX) & ~before[one] & ~before[other]) | cut)
        if len(chosen):
            yield _along(corners[one[chosen]], corners[other[chosen]], camera, near_m)


def _along(one: Array, other: Array, camera: Camera, near_m: float) -> Array:
    """Places of points along edges from ``one`` to ``other`` (N, 3), cut off at the near plane."""
    ends = _clipped(np.stack([one, other], axis=1), near_m)
    length = np.abs(np.diff(camera.project(ends), axis=1)).max(axis=(1, 2))
    steps = np.clip(np.ceil(length / _STEP_PX), 1, _MOST_STEPS).astype(int)
    edge = np.repeat(np.arange(len(ends)), steps + 1)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    share = (number / steps[edge])[:, None]
    return camera.project(ends[edge, 0] + share * (ends[edge, 1] - ends[edge, 0]))


def _clipped(ends: Array, near_m: float) -> Array:
    """Edges (N, 2, 3), one end of each at least behind the near plane, cut off there."""
    ends = ends.copy()
    for this, other in ((0, 1), (1, 0)):
        cut = ends[:, this, 2] < near_m
        a, b = ends[cut, this], ends[cut, other]
        share = ((near_m - a[:, 2]) / (b[:, 2] - a[:, 2]))[:, None]
        ends[cut, this] = a + share * (b - a)
    return ends
