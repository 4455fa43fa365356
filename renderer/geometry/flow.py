"""Forward optical flow: where in the next frame the surface point is that a pixel of this frame shows.

Exact, because depth and poses are: each pixel's point is carried by the mesh that it lies on, and projected by the next
frame's camera. Sources of the conventions: KITTI flow 2015 (Menze and Geiger, CVPR 2015) and MPI Sintel (Butler et al.,
ECCV 2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .meshes import Mesh

__all__ = ["CameraStep", "Deformation", "Flow", "PartStep", "forward_flow"]

Array = NDArray[np.float64]

NEAREST_M = 1e-3
"""A point that comes nearer than this to the next camera's plane has no place in its picture."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Of one frame."""

    flow_px: NDArray[np.float32]
    """(H, W, 2) to the right and down, pixels; 0 where it is not known."""
    valid: NDArray[np.bool_]
    """(H, W) where it is known: also of what leaves the picture or is hidden in the next frame."""


@dataclass(frozen=True, eq=False)
class CameraStep:
    """The camera in both frames."""

    camera: Camera
    next_camera: Camera
    cam_to_world: Array
    """(4, 4) OpenCV axes."""
    next_cam_to_world: Array


@dataclass(frozen=True, eq=False)
class Deformation:
    """A mesh and what it becomes: triangle ``k`` of the one as it was made is triangle ``k`` of the other."""

    mesh: Mesh
    next_mesh: Mesh

    @property
    def is_known(self) -> bool:
        """Whether the triangles correspond."""
        same = self.mesh.triangles.shape == self.next_mesh.triangles.shape
        return same and self.mesh.damage == self.next_mesh.damage

    def carried(self, points_m: Array, triangles: NDArray[np.int64]) -> Array:
        """Points (N, 3) on triangles (N,) of the mesh, where they are on the next one, both in the meshes' own axes."""
        place_of = np.empty(len(self.next_mesh.order), np.int64)
        place_of[self.next_mesh.order] = np.arange(len(place_of))
        corners = self.mesh.positions[self.mesh.triangles[triangles]].astype(np.float64)
        others = self.next_mesh.positions[self.next_mesh.triangles[place_of[self.mesh.order[triangles]]]]
        return np.asarray(np.einsum("ni,nij->nj", _barycentric(points_m, corners), others.astype(np.float64)))


@dataclass(frozen=True, eq=False)
class PartStep:
    """One mesh as it stands in both frames."""

    local_to_world: Array
    next_local_to_world: Array
    deformation: Deformation | None = None
    """None: it keeps its shape."""


def forward_flow(
    step: CameraStep,
    depth_m: NDArray[np.float32],
    part: NDArray[np.uint16],
    triangle: NDArray[np.int64] | None,
    parts: Sequence[PartStep | None],
) -> Flow:
    """Flow of a frame.

    Args:
        step: the camera.
        depth_m: (H, W) along the optical axis; ``inf`` where nothing was hit: infinitely far away, so that the
            camera's turning alone moves it.
        part: (H, W) index into ``parts`` plus one; 0 where nothing was hit.
        triangle: (H, W) number of the triangle in its mesh, for parts that change their shape; None: not known.
        parts: where each is; None: not known.
    """
    rays = step.camera.rays().reshape(-1, 3)
    points = np.concatenate([rays, np.zeros((len(rays), 1))], axis=1)
    known, numbers = np.ones(len(rays), np.bool_), part.ravel()
    hit = np.isfinite(depth_m.ravel())
    points[hit, :3] *= depth_m.ravel()[hit, None]
    points[hit, 3] = 1.0
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(parts) + 2))
    to_next = np.linalg.inv(step.next_cam_to_world)
    for number in np.unique(numbers).tolist():
        chosen = order[starts[number] : starts[number + 1]]
        one = None if number == 0 else parts[number - 1]
        if number and one is None:
            known[chosen] = False
            continue
        triangles = None if triangle is None else triangle.ravel()[chosen]
        moved = _carried(points[chosen] @ step.cam_to_world.T, one, triangles)
        if moved is None:
            known[chosen] = False
        else:
            points[chosen] = moved @ to_next.T
    return _projected(step, points[:, :3], known, depth_m.shape)


def _carried(world: Array, one: PartStep | None, triangles: NDArray[np.int64] | None) -> Array | None:
    """Points (N, 4) in the world, in the next frame; None where they are not known."""
    if one is None:
        return world
    local = world @ np.linalg.inv(one.local_to_world).T
    if one.deformation is not None:
        if triangles is None or not one.deformation.is_known:
            return None
        local[:, :3] = one.deformation.carried(local[:, :3], triangles)
    return np.asarray(local @ one.next_local_to_world.T)


def _projected(step: CameraStep, points: Array, known: NDArray[np.bool_], shape: tuple[int, ...]) -> Flow:
    known = known & (points[:, 2] > NEAREST_M)
    places = np.zeros((len(points), 2))
    places[known] = step.next_camera.project(points[known])
    rows, columns = np.indices(shape)
    flow = places.reshape(*shape, 2) - np.stack([columns + 0.5, rows + 0.5], axis=-1)
    valid = known.reshape(shape)
    flow[~valid] = 0.0
    return Flow(flow.astype(np.float32), valid)


def _barycentric(points: Array, corners: Array) -> Array:
    """(N, 3) weights of the corners (N, 3, 3) of triangles for points (N, 3) in their planes."""
    first, second, rest = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    pairs = ((first, first), (first, second), (second, second), (first, rest), (second, rest))
    aa, ab, bb, ap, bp = (np.einsum("ni,ni->n", one, other) for one, other in pairs)
    area = np.maximum(aa * bb - ab * ab, 1e-30)
    v, w = (bb * ap - ab * bp) / area, (aa * bp - ab * ap) / area
    return np.stack([1.0 - v - w, v, w], axis=1)
