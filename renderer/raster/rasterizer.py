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
from ..geometry.clusters import FlatMeshes, PlacedParts
from ..geometry.edge_samples import SAMPLE_GRID, SUB_SAMPLES, EdgeSamples
from ..geometry.meshes import MeshPool
from .distorted import Rays, draw_at_rays, fill_normals_at, rays_of_pixels
from .edges import Seen, edge_pixels, edge_sources, hits_at_edges
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK
from .kernels import Buffers, HitPasses, draw_parts, nearest_of_parts, resolve
from .lanes import lane_array
from .normals import fill_normals, normal_matrices

__all__ = ["MAX_INSTANCES", "MAX_PARTS", "Drawing", "RasterPasses", "Rasteriser"]

_SUB_SAMPLES = np.array(SUB_SAMPLES)
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
    holdout: NDArray[np.bool_] | None = None
    """(P,) which parts are holes: what is behind them is hidden, and they are not there themselves. None: none is."""

    def of_instance(self, number: int) -> Drawing:
        """The parts of one instance alone."""
        members = np.flatnonzero(self.instance_id == number)
        return Drawing(self.mesh[members], self.local_to_world[members], self.instance_id[members])

    def seen_by(self, camera: Camera, cam_to_world: NDArray[np.float64]) -> PlacedParts:
        """The parts before a camera with a pose (4, 4; OpenCV axes)."""
        world_to_px = camera.K @ world_to_local(cam_to_world)
        return PlacedParts(self.mesh, np.ascontiguousarray(world_to_px @ self.local_to_world), self.instance_id)


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
    triangle: NDArray[np.int64] | None = None
    """Number of the triangle in its mesh where it was asked for; meaningless where nothing was hit."""


class Rasteriser:
    """Buffers for one image size; one object serves one thread."""

    def __init__(self, camera: Camera, near_m: float = 0.1, far_m: float = np.inf) -> None:
        """Camera and distances of the planes that it sees between, metres along the optical axis."""
        self.camera, self.near_m, self.far_m = camera, near_m, far_m
        self._buffers = _buffers((camera.height, camera.width))

    def look_through(self, camera: Camera, near_m: float, far_m: float = np.inf) -> None:
        """Take another camera from the next image on; one of the same size costs nothing."""
        self.camera, self.near_m, self.far_m = camera, near_m, far_m
        if (camera.height, camera.width) != self._buffers.hit.shape:
            self._buffers = _buffers((camera.height, camera.width))

    def draw(
        self,
        pool: MeshPool,
        drawing: Drawing,
        cam_to_world: NDArray[np.float64],
        *,
        background_zone: int = 0,
        normals: bool = False,
        triangles: bool = False,
    ) -> RasterPasses:
        """Rasterise the parts as the camera at ``cam_to_world`` (4, 4; OpenCV axes) sees them."""
        meshes, parts = pool.flat(), drawing.seen_by(self.camera, cam_to_world)
        amodal_px = self._fill(meshes, parts)
        if drawing.holdout is not None:
            _cut_out(self._buffers.hit, drawing.holdout)
        passes = _empty_passes((self.camera.height, self.camera.width))
        resolve(self._buffers, meshes, parts, background_zone, passes)
        normal = self._normals(meshes, parts, drawing.local_to_world) if normals else None
        return RasterPasses(*passes, normal, amodal_px, self._buffers.hit & TRIANGLE_MASK if triangles else None)

    def mask(self, pool: MeshPool, drawing: Drawing, cam_to_world: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(H, W) pixels that the parts cover; arguments as for :meth:`draw`."""
        self._fill(pool.flat(), drawing.seen_by(self.camera, cam_to_world))
        return np.asarray(self._buffers.hit != NO_HIT)

    def distorted(
        self,
        pool: MeshPool,
        drawing: Drawing,
        cam_to_world: NDArray[np.float64],
        rays: Rays,
        shape: tuple[int, int],
        *,
        background_zone: int = 0,
        normals: bool = False,
    ) -> RasterPasses:
        """What a lens shows of what :meth:`draw` has just drawn, with the same arguments.

        Args:
            pool: of the meshes.
            drawing: what was drawn.
            cam_to_world: (4, 4) pose.
            rays: of the pixels, see :mod:`.distorted`.
            shape: height and width of the distorted picture.
            background_zone: where nothing was hit.
            normals: also give them.
        """
        meshes, parts = pool.flat(), drawing.seen_by(self.camera, cam_to_world)
        buffers, amodal_px = self._drawn_at(meshes, parts, rays, shape, self._buffers.inverse_depth)
        if drawing.holdout is not None:
            _cut_out(buffers.hit, drawing.holdout)
        passes, normal = _empty_passes(shape), None
        resolve(buffers, meshes, parts, background_zone, passes)
        if normals:
            normal = np.zeros((*shape, 3), np.float32)
            turn, mirrored = _normal_matrices(drawing.local_to_world)
            fill_normals_at(buffers.hit, rays_of_pixels(rays, shape), meshes, parts, turn, mirrored, normal)
        return RasterPasses(*passes, normal, amodal_px, buffers.hit & TRIANGLE_MASK)

    def edges(
        self,
        pool: MeshPool,
        drawing: Drawing,
        cam_to_world: NDArray[np.float64],
        passes: RasterPasses,
        near: NDArray[np.bool_],
        windows: NDArray[np.int64],
    ) -> EdgeSamples | None:
        """What pixels at the edges of near objects show beside what their centres hit.

        Args:
            pool: of the meshes.
            drawing: what :meth:`draw` has just drawn.
            cam_to_world: (4, 4) pose.
            passes: of :meth:`draw`, with normals.
            near: by instance id, the objects whose edges count.
            windows: (B, 4) top, bottom, left and right of the pixels to look at, at least one.

        Returns:
            None where there is no edge.
        """
        assert passes.normal is not None
        width, hit = self.camera.width, self._buffers.hit
        seen = Seen(
            width, hit.reshape(-1), passes.depth_m.reshape(-1), passes.instance_id.reshape(-1),
            passes.zone.reshape(-1), passes.normal.reshape(-1),
        )  # fmt: skip
        edges = edge_pixels(seen, near, windows)
        if edges.number.size == 0:
            return None
        meshes, parts, each = pool.flat(), drawing.seen_by(self.camera, cam_to_world), len(SUB_SAMPLES)
        hits, inverse_depth = np.empty(edges.number.size * each, np.int64), np.empty(edges.number.size * each)
        hits_at_edges(edges, seen, near, meshes, parts, self.near_m, hits, inverse_depth)
        source, normal = np.empty(hits.size, np.int32), np.empty((hits.size, 3), np.float32)
        kept = edge_sources(
            edges, hits, inverse_depth, seen, near, meshes, parts, drawing.local_to_world, source, normal
        )
        found, sub, at = hits[kept], _SUB_SAMPLES[kept % each], edges.number[kept // each]
        part = found >> PART_SHIFT
        return EdgeSamples(
            edges.number.astype(np.int32), source.reshape(-1, each),
            (at % width * SAMPLE_GRID + sub[:, 0]).astype(np.int32),
            (at // width * SAMPLE_GRID + sub[:, 1]).astype(np.int32),
            (1.0 / inverse_depth[kept]).astype(np.float32),
            parts.instance_id[part].astype(np.uint16),
            meshes.zones[meshes.mesh_triangle[parts.mesh[part]] + (found & TRIANGLE_MASK)],
            (part + 1).astype(np.uint16), normal[: kept.size],
        )  # fmt: skip

    def distorted_mask(
        self,
        pool: MeshPool,
        drawing: Drawing,
        cam_to_world: NDArray[np.float64],
        rays: Rays,
        shape: tuple[int, int],
    ) -> NDArray[np.bool_]:
        """(H, W) pixels of a distorted picture that the parts cover; arguments as for :meth:`distorted`."""
        meshes, parts = pool.flat(), drawing.seen_by(self.camera, cam_to_world)
        buffers, _ = self._drawn_at(meshes, parts, rays, shape, np.empty((0, 0)))
        return np.asarray(buffers.hit != NO_HIT)

    def _drawn_at(
        self, meshes: FlatMeshes, parts: PlacedParts, rays: Rays, shape: tuple[int, int], wide: NDArray[np.float64]
    ) -> tuple[Buffers, NDArray[np.int64]]:
        """Buffers (H, W) of a distorted picture, and the pixels of whole instances."""
        buffers = self._emptied(_buffers(shape))
        inverse_depth, hit, stamp = buffers
        flat = Buffers(inverse_depth.reshape(-1), hit.reshape(-1), stamp.reshape(-1))
        amodal_px = np.zeros(int(parts.instance_id.max(initial=0)) + 1, np.int64)
        draw_at_rays(meshes, parts, self._order(meshes, parts), self.near_m, rays, wide, flat, amodal_px)
        return buffers, amodal_px

    def _fill(self, meshes: FlatMeshes, parts: PlacedParts) -> NDArray[np.int64]:
        """Draw the parts into the buffers; returns the pixels that each instance covers if nothing stands before it."""
        self._emptied(self._buffers)
        amodal_px = np.zeros(int(parts.instance_id.max(initial=0)) + 1, np.int64)
        draw_parts(meshes, parts, self._order(meshes, parts), self.near_m, self._buffers, amodal_px)
        return amodal_px

    def _emptied(self, buffers: Buffers) -> Buffers:
        """The buffers before anything is drawn."""
        buffers.inverse_depth.fill(1.0 / self.far_m)  # nothing beyond is nearer than that
        buffers.hit.fill(NO_HIT)
        buffers.stamp.fill(0)
        return buffers

    def _normals(
        self, meshes: FlatMeshes, parts: PlacedParts, local_to_world: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """(H, W, 3) unit normals in the world, interpolated from the corners, towards the camera; 0 for no hit."""
        hit = self._buffers.hit
        normal = lane_array((*hit.shape, 3), np.float32)
        turn, mirrored = _normal_matrices(local_to_world)
        fill_normals(hit, meshes, parts, turn, mirrored, normal)
        return normal

    def _order(self, meshes: FlatMeshes, parts: PlacedParts) -> NDArray[np.int64]:
        """Parts that can be in the image: those of an instance together, near instances first, the street last."""
        nearest = np.empty(len(parts.mesh))
        width, height = float(self.camera.width), float(self.camera.height)
        nearest_of_parts(meshes, parts, self.near_m, width, height, nearest)
        nearest[nearest > self.far_m] = np.inf
        group = parts.instance_id
        first = np.full(int(group.max(initial=0)) + 1, np.inf)
        np.minimum.at(first, group, nearest)
        first[0] = np.inf
        order = np.lexsort((group, first[group]))
        return np.asarray(order[np.isfinite(nearest[order])])


def _cut_out(hit: NDArray[np.int64], holdout: NDArray[np.bool_]) -> None:
    """Let nothing have been hit where a part is a hole."""
    hit[(hit != NO_HIT) & holdout[np.where(hit == NO_HIT, 0, hit >> PART_SHIFT)]] = NO_HIT


def _empty_passes(shape: tuple[int, int]) -> HitPasses:
    return HitPasses(
        np.empty(shape, np.float32),
        lane_array(shape, np.uint16),
        lane_array(shape, np.uint8),
        lane_array(shape, np.uint16),
    )


def _normal_matrices(local_to_world: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What turns the parts' normals to the world, and which parts are mirror images."""
    turn, mirrored = np.empty((len(local_to_world), 3, 3)), np.empty(len(local_to_world), np.bool_)
    normal_matrices(local_to_world, turn, mirrored)
    return turn, mirrored


def _buffers(shape: tuple[int, int]) -> Buffers:
    return Buffers(lane_array(shape, np.float64), lane_array(shape, np.int64), lane_array(shape, np.uint16))
