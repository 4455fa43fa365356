"""What a lens that distorts shows: triangles drawn at rays that lie anywhere between the pixels of a pinhole camera.

Straight edges are bent behind a lens, and no triangle can be drawn there as one. So it is drawn in the picture of the
pinhole camera that covers the distorted one, at the very places where the rays of the distorted picture's pixels meet
it: each cell of that picture, one of its pixels, has a list of the rays in it, and a triangle is tested at those of the
cells that it touches (Johnson et al., "The irregular z-buffer", ACM TOG 2005). Ids, depth and normals are those of the
very ray; nothing is interpolated between pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.clusters import (
    BOTTOM,
    CLUSTER_TRIANGLES,
    LEFT,
    NEAREST,
    RIGHT,
    TOP,
    BoxState,
    FlatMeshes,
    PlacedParts,
    box_on_screen,
    clip_triangle,
    transform_cluster,
)
from ..optional import kernel
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK
from .kernels import Buffers
from .normals import blend, project_corners, turn_normals, weights

__all__ = ["Rays", "draw_at_rays", "fill_normals_at", "rays_by_cell", "rays_of_pixels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Rays(NamedTuple):
    """Where rays meet the picture of the pinhole camera, sorted by its pixels, the cells."""

    x: Floats
    """(N,) pixels."""
    y: Floats
    first: Ints
    """(h, w) number of the first ray of each cell."""
    end: Ints
    """(h, w) number of the ray after its last."""
    pixel: Ints
    """(N,) which pixel of the distorted picture a ray is of, counted along its rows."""


def rays_by_cell(places: Floats, height: int, width: int) -> Rays:
    """Rays of the pixels of a distorted picture.

    Args:
        places: (H, W, 2) where they meet the pinhole camera's picture, pixels; all inside of it.
        height: of that picture.
        width: of that picture.
    """
    flat = places.reshape(-1, 2)
    cell = np.floor(flat[:, 1]).astype(np.int64) * width + np.floor(flat[:, 0]).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(height * width + 1))
    first, end = (np.ascontiguousarray(one).reshape(height, width) for one in (bounds[:-1], bounds[1:]))
    x, y = (np.ascontiguousarray(flat[order, axis]) for axis in (0, 1))
    return Rays(x, y, first, end, order)


def rays_of_pixels(rays: Rays, shape: tuple[int, int]) -> Floats:
    """(H, W, 2) where the rays of the distorted picture's pixels are: what :func:`rays_by_cell` was given."""
    places = np.empty((shape[0] * shape[1], 2))
    places[rays.pixel, 0], places[rays.pixel, 1] = rays.x, rays.y
    return places.reshape(*shape, 2)


class _Polygon(NamedTuple):
    """What the near plane leaves of a triangle, up to four corners, in the pinhole camera's picture."""

    corner_x: Floats
    corner_y: Floats
    corner_q: Floats
    """1 / depth of the corners."""


@kernel
def draw_at_rays(
    meshes: FlatMeshes, parts: PlacedParts, order: Ints, near_m: float, rays: Rays, wide: Floats, out: Buffers,
    amodal_px: Ints,
) -> None:  # fmt: skip
    """Draw parts at rays.

    Args:
        meshes: all that the parts are made of.
        parts: as the pinhole camera sees them.
        order: parts to draw, those of an instance together.
        near_m: distance of the near plane.
        rays: of the distorted picture.
        wide: (h, w) 1 / depth at the centres of the cells as they were drawn: parts of the environment behind these
            are left out; an empty array draws all.
        out: (N,) by pixels of the distorted picture: what is filled.
        amodal_px: by instance, rays that it meets, hidden or not: what is added to.
    """
    mesh_cluster, mesh_triangle = meshes.mesh_cluster, meshes.mesh_triangle
    height, width = rays.first.shape
    points, on_screen = np.empty(9 * CLUSTER_TRIANGLES), np.empty(6)
    fan = _Polygon(np.empty(4), np.empty(4), np.empty(4))
    for p in order:
        m, instance = parts.mesh[p], parts.instance_id[p]
        for c in range(mesh_cluster[m], mesh_cluster[m + 1]):
            state = box_on_screen(meshes.cluster_box, c, parts.matrices, p, near_m, width, height, on_screen)
            if state == BoxState.OUTSIDE or (
                state == BoxState.IN_FRONT and instance == 0 and wide.size > 0 and _is_behind(on_screen, wide)
            ):
                continue
            number = (c - mesh_cluster[m]) * CLUSTER_TRIANGLES
            transform_cluster(meshes.blocks[c], parts.matrices[p], points)
            for t in range(min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - number)):
                corners = clip_triangle(points, t, near_m, fan.corner_x, fan.corner_y, fan.corner_q)
                for k in range(1, corners - 1):
                    amodal_px[instance] += _draw(fan, k, (p << PART_SHIFT) + number + t, instance, rays, out)
    amodal_px[0] = 0


@kernel
def _is_behind(on_screen: Floats, wide: Floats) -> bool:
    """Whether a box lies behind what is drawn at all centres in it and around it."""
    height, width = wide.shape
    closest = 1.0 / on_screen[NEAREST]
    for row in range(max(0, math.floor(on_screen[TOP]) - 1), min(height, math.floor(on_screen[BOTTOM]) + 2)):
        for column in range(max(0, math.floor(on_screen[LEFT]) - 1), min(width, math.floor(on_screen[RIGHT]) + 2)):
            if wide[row, column] <= closest:
                return False
    return True


@kernel
def _draw(fan: _Polygon, k: int, face: int, instance: int, rays: Rays, out: Buffers) -> int:
    """Draw the triangle of corners 0, k and k + 1; returns how many rays its instance had not met before."""
    x0, y0, q0 = fan.corner_x[0], fan.corner_y[0], fan.corner_q[0]
    x1, y1, q1 = fan.corner_x[k], fan.corner_y[k], fan.corner_q[k]
    x2, y2, q2 = fan.corner_x[k + 1], fan.corner_y[k + 1], fan.corner_q[k + 1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if area == 0.0:
        return 0
    inverse, fresh = 1.0 / area, 0
    height, width = rays.first.shape
    top, bottom = max(min(y0, y1, y2), 0.0), min(max(y0, y1, y2), height - 0.5)
    left, right = max(min(x0, x1, x2), 0.0), min(max(x0, x1, x2), width - 0.5)
    if top > bottom or left > right:
        return 0
    for row in range(math.floor(top), math.floor(bottom) + 1):
        for number in range(rays.first[row, math.floor(left)], rays.end[row, math.floor(right)]):
            x, y = rays.x[number], rays.y[number]
            b = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
            c = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
            if not (b >= 0.0 and c >= 0.0 and b + c <= 1.0):
                continue
            q, pixel = q0 + b * (q1 - q0) + c * (q2 - q0), rays.pixel[number]
            if q > out.inverse_depth[pixel] or (q == out.inverse_depth[pixel] and face < out.hit[pixel]):
                out.inverse_depth[pixel], out.hit[pixel] = q, face
            if instance > 0 and out.stamp[pixel] != instance:
                out.stamp[pixel] = instance
                fresh += 1
    return fresh


@kernel
def fill_normals_at(
    hit: NDArray[np.int64], places: Floats, meshes: FlatMeshes, parts: PlacedParts, turn: Floats,
    mirrored: NDArray[np.bool_], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """As :func:`renderer.raster.normals.fill_normals`, of pixels whose rays are at ``places`` (H, W, 2)."""
    corner, weight, turned = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    for r in range(hit.shape[0]):
        last = NO_HIT
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h == NO_HIT:
                continue
            if h != last:
                last = h
                p, number = h >> PART_SHIFT, h & TRIANGLE_MASK
                m = parts.mesh[p]
                cluster, t = meshes.mesh_cluster[m] + number // CLUSTER_TRIANGLES, number % CLUSTER_TRIANGLES
                project_corners(meshes.blocks, cluster, t, parts.matrices, p, corner)
                sign = -1.0 if (weights(corner, weight) > 0.0) != mirrored[p] else 1.0
                turn_normals(meshes.normals, meshes.mesh_triangle[m] + number, turn, p, sign, turned)
            blend(weight, turned, places[r, c, 0], places[r, c, 1], out[r, c])
