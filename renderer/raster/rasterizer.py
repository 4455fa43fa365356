"""A z-buffer for triangle meshes: exact ids and depth at pixel centres, on one thread.

A pixel belongs to a triangle when its centre does; an edge belongs to one of the two triangles that share it (half-open
scanlines in float64), so that neighbouring triangles neither overlap nor leave a gap. Inverse depth is linear in the
image and interpolated in float64. Both sides of a face are drawn, as a path tracer does. Equal depths go to the lower
triangle number, so that the order in which meshes are drawn changes nothing.

What is far outnumbers what is seen, so triangles come in clusters: one that is outside the image, or behind what is
drawn already, is skipped as a whole. That changes no pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.camera import Camera
from ..geometry.meshes import FlatMeshes, MeshPool
from .kernels import NO_HIT, draw_parts, fill_normals, nearest_of_parts, normal_matrices, resolve

__all__ = ["MAX_INSTANCES", "MAX_PARTS", "Drawing", "RasterPasses", "Rasteriser"]

MAX_INSTANCES = MAX_PARTS = 65535
"""Ids in passes are 16 bits wide."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """What to draw: P parts, in an order that is the same for the same scene (it settles equal depths)."""

    mesh: NDArray[np.int64]
    """(P,) numbers of meshes in the pool."""
    local_to_world: NDArray[np.float64]
    """(P, 4, 4)."""
    instance_id: NDArray[np.int64]
    """(P,) 0 for the environment."""

    def local_to_px(self, camera: Camera, cam_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
        """(P, 3, 4) each part's coordinates to ``(x*z, y*z, z)`` in pixels and metres."""
        world_to_px = camera.K @ world_to_local(cam_to_world)
        return np.ascontiguousarray(world_to_px @ self.local_to_world)


@dataclass(frozen=True, eq=False)
class RasterPasses:
    """Result of :meth:`Rasteriser.draw`; arrays are (H, W)."""

    depth_m: NDArray[np.float32]
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    part: NDArray[np.uint16]
    """Index into the drawing's parts plus one, 0 where nothing was hit; meaningless above ``MAX_PARTS`` parts."""
    normal: NDArray[np.float32] | None
    amodal_px: NDArray[np.int64]
    """(N + 1,) pixels that each instance would cover if nothing stood before it, by id."""


class Rasteriser:
    """Buffers for one image size; one object serves one thread."""

    def __init__(self, camera: Camera, near_m: float = 0.1) -> None:
        """Camera and distance of the near plane, metres along the optical axis."""
        shape = (camera.height, camera.width)
        self.camera, self.near_m = camera, near_m
        self._inverse_depth = np.empty(shape, np.float64)
        self._hit = np.empty(shape, np.int64)
        self._stamp = np.empty(shape, np.uint16)

    def draw(
        self,
        pool: MeshPool,
        drawing: Drawing,
        cam_to_world: NDArray[np.float64],
        *,
        background_zone: int = 0,
        normals: bool = False,
    ) -> RasterPasses:
        """Rasterise the parts as the camera at ``cam_to_world`` (4, 4; OpenCV axes) sees them."""
        flat, shape = pool.flat(), self._hit.shape
        matrices = drawing.local_to_px(self.camera, cam_to_world)
        self._inverse_depth.fill(0.0)
        self._hit.fill(NO_HIT)
        self._stamp.fill(0)
        amodal_px = np.zeros(int(drawing.instance_id.max(initial=0)) + 1, np.int64)
        draw_parts(
            flat.blocks, flat.mesh_triangle, flat.mesh_cluster, flat.cluster_box,
            drawing.mesh, matrices, drawing.instance_id, self._order(flat, drawing, matrices),
            self.near_m, self._inverse_depth, self._hit, self._stamp, amodal_px,
        )  # fmt: skip
        depth_m, instance_id = np.empty(shape, np.float32), np.empty(shape, np.uint16)
        zone, part = np.empty(shape, np.uint8), np.empty(shape, np.uint16)
        resolve(
            self._inverse_depth, self._hit, drawing.instance_id, flat.mesh_triangle[drawing.mesh], flat.zones,
            background_zone, depth_m, instance_id, zone, part,
        )  # fmt: skip
        normal = None
        if normals:
            normal = self._normals(flat, drawing, matrices)
        return RasterPasses(depth_m, instance_id, zone, part, normal, amodal_px)

    def _normals(self, flat: FlatMeshes, drawing: Drawing, matrices: NDArray[np.float64]) -> NDArray[np.float32]:
        """(H, W, 3) unit normals in the world, interpolated from the corners, towards the camera; 0 for no hit."""
        normal = np.zeros((*self._hit.shape, 3), np.float32)
        turn, mirrored = np.empty((len(drawing.mesh), 3, 3)), np.empty(len(drawing.mesh), np.bool_)
        normal_matrices(drawing.local_to_world, turn, mirrored)
        fill_normals(
            self._hit, flat.blocks, flat.normals, flat.mesh_triangle[drawing.mesh], flat.mesh_cluster[drawing.mesh],
            matrices, turn, mirrored, normal,
        )  # fmt: skip
        return normal

    def _order(self, flat: FlatMeshes, drawing: Drawing, matrices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Parts that can be in the image: those of an instance together, near instances first, the street last."""
        nearest = np.empty(len(drawing.mesh))
        nearest_of_parts(
            flat.mesh_box, flat.mesh_triangle, drawing.mesh, matrices, self.near_m,
            float(self.camera.width), float(self.camera.height), nearest,
        )  # fmt: skip
        group = drawing.instance_id
        first = np.full(int(group.max(initial=0)) + 1, np.inf)
        np.minimum.at(first, group, nearest)
        first[0] = np.inf
        order = np.lexsort((group, first[group]))
        return np.asarray(order[np.isfinite(nearest[order])])
