"""A z-buffer for triangle meshes: exact ids and depth at pixel centres, on one thread.

A pixel belongs to a triangle when its centre does; an edge belongs to one of the two triangles that share it (half-open
scanlines in float64), so that neighbouring triangles neither overlap nor leave a gap. Inverse depth is linear in the
image and interpolated in float64. Both sides of a face are drawn, as a path tracer does. Equal depths go to the lower
triangle number, so that the order in which meshes are drawn changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from .camera import Camera

__all__ = ["Drawing", "Mesh", "MeshPool", "RasterPasses", "Rasteriser", "clip_triangle", "transform_points"]

_PART_SHIFT = 32
"""A hit is one number: the part's, shifted, plus the triangle's within it. Lower numbers win equal depths."""
_TRIANGLE_MASK = 2**32 - 1
_NO_HIT = np.int64(2**62)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of one mesh in its own coordinates."""

    positions: NDArray[np.float32]
    """(V, 3) metres."""
    triangles: NDArray[np.int32]
    """(T, 3) vertex numbers."""
    zones: NDArray[np.uint8]
    """(T,) :class:`renderer.zones.Zone` of each triangle."""
    normals: NDArray[np.float32]
    """(T, 3, 3) unit normals of each triangle's corners."""

    @cached_property
    def used_positions(self) -> NDArray[np.float32]:
        """(N, 3) vertices that triangles use; one point at the origin where there is no triangle."""
        return self.positions[np.unique(self.triangles)] if len(self.triangles) else np.zeros((1, 3), np.float32)


class MeshPool:
    """Meshes in flat arrays, so that one compiled call draws a whole scene."""

    def __init__(self) -> None:
        self._meshes: list[Mesh] = []
        self._number: dict[object, int] = {}
        self._flat: _FlatMeshes | None = None

    def keep(self, wanted: Callable[[Any], bool]) -> MeshPool:
        """Pool of the meshes whose keys are wanted; this one, with its numbers, where that is all of them."""
        if all(wanted(key) for key in self._number):
            return self
        kept = MeshPool()
        for key, number in self._number.items():
            if wanted(key):
                kept.put(key, self._meshes[number])
        return kept

    def __contains__(self, key: object) -> bool:
        return key in self._number

    def number(self, key: object) -> int:
        """Number of the mesh that was put under that key."""
        return self._number[key]

    def mesh(self, number: int) -> Mesh:
        """The mesh of that number."""
        return self._meshes[number]

    def put(self, key: object, mesh: Mesh) -> int:
        """Store a mesh, or replace the one under the same key; returns its number."""
        if key in self._number:
            self._meshes[self._number[key]] = mesh
        else:
            self._number[key] = len(self._meshes)
            self._meshes.append(mesh)
        self._flat = None
        return self._number[key]

    def flat(self) -> _FlatMeshes:
        """The flat arrays, made anew after a change."""
        if self._flat is None:
            self._flat = _flatten(self._meshes)
        return self._flat


@dataclass(frozen=True, eq=False)
class _FlatMeshes:
    positions: NDArray[np.float32]  # (sum V, 3)
    triangles: NDArray[np.int32]  # (sum T, 3), vertex numbers within the mesh
    zones: NDArray[np.uint8]  # (sum T,)
    normals: NDArray[np.float32]  # (sum T, 3, 3)
    vertex_start: NDArray[np.int64]  # (M + 1,)
    triangle_start: NDArray[np.int64]  # (M + 1,)
    boxes: NDArray[np.float64]  # (M, 8, 3) corners of the bounding boxes


def _flatten(meshes: list[Mesh]) -> _FlatMeshes:
    vertex_start = np.cumsum([0, *(len(m.positions) for m in meshes)], dtype=np.int64)
    triangle_start = np.cumsum([0, *(len(m.triangles) for m in meshes)], dtype=np.int64)
    boxes = np.stack([_box_corners(m) for m in meshes]) if meshes else np.zeros((0, 8, 3))
    return _FlatMeshes(
        np.concatenate([np.zeros((0, 3), np.float32), *(m.positions for m in meshes)]),
        np.concatenate([np.zeros((0, 3), np.int32), *(m.triangles for m in meshes)]),
        np.concatenate([np.zeros(0, np.uint8), *(m.zones for m in meshes)]),
        np.concatenate([np.zeros((0, 3, 3), np.float32), *(m.normals for m in meshes)]),
        vertex_start,
        triangle_start,
        boxes,
    )


def _box_corners(mesh: Mesh) -> NDArray[np.float64]:
    """(8, 3) corners of the box around the vertices that triangles use."""
    used = mesh.used_positions
    low, high = used.min(axis=0).astype(np.float64), used.max(axis=0).astype(np.float64)
    return np.array([[(low, high)[(corner >> k) & 1][k] for k in range(3)] for corner in range(8)])


@dataclass(frozen=True, eq=False)
class Drawing:
    """What to draw: P parts, in an order that is the same for the same scene (it settles equal depths)."""

    mesh: NDArray[np.int64]
    """(P,) numbers of meshes in the pool."""
    local_to_world: NDArray[np.float64]
    """(P, 4, 4)."""
    instance_id: NDArray[np.int64]
    """(P,) 0 for the environment."""


@dataclass(frozen=True, eq=False)
class RasterPasses:
    """Result of :meth:`Rasteriser.draw`; arrays are (H, W)."""

    depth_m: NDArray[np.float32]
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    part: NDArray[np.uint16]
    """Index into the drawing's parts plus one, 0 where nothing was hit."""
    normal: NDArray[np.float32] | None
    amodal_px: NDArray[np.int64]
    """(P,) pixels that each part adds to those that its instance covers; their sum over an instance is its size."""


class Rasteriser:
    """Buffers for one image size; one object serves one thread."""

    def __init__(self, camera: Camera, near_m: float = 0.1) -> None:
        """Camera and distance of the near plane, metres along the optical axis."""
        shape = (camera.height, camera.width)
        self.camera, self.near_m = camera, near_m
        self._inverse_depth = np.empty(shape, np.float64)
        self._hit = np.empty(shape, np.int64)
        self._stamp = np.empty(shape, np.int64)

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
        flat = pool.flat()
        world_to_px = self.camera.K @ np.linalg.inv(cam_to_world)[:3]
        matrices = np.ascontiguousarray(world_to_px @ drawing.local_to_world)
        order = self._order(flat, drawing, matrices)
        self._inverse_depth.fill(0.0)
        self._hit.fill(_NO_HIT)
        self._stamp.fill(0)
        amodal_px = _draw_parts(
            flat.positions, flat.triangles, flat.vertex_start, flat.triangle_start,
            drawing.mesh, matrices, drawing.instance_id, order, self.near_m,
            self._inverse_depth, self._hit, self._stamp,
        )  # fmt: skip
        shape = self._hit.shape
        depth_m, instance_id = np.empty(shape, np.float32), np.empty(shape, np.uint16)
        zone, part = np.empty(shape, np.uint8), np.empty(shape, np.uint16)
        triangle_start = flat.triangle_start[drawing.mesh]
        _resolve(
            self._inverse_depth, self._hit, drawing.instance_id, triangle_start, flat.zones,
            background_zone, depth_m, instance_id, zone, part,
        )  # fmt: skip
        normal = self._normals(flat, drawing, matrices, triangle_start) if normals else None
        return RasterPasses(depth_m, instance_id, zone, part, normal, amodal_px)

    def _normals(
        self,
        flat: _FlatMeshes,
        drawing: Drawing,
        matrices: NDArray[np.float64],
        triangle_start: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """(H, W, 3) unit normals in the world, towards the camera."""
        normal = np.zeros((*self._hit.shape, 3), np.float32)
        linear = drawing.local_to_world[:, :3, :3]
        turn = np.ascontiguousarray(np.linalg.inv(linear).transpose(0, 2, 1))
        _interpolate_normals(
            self._hit, flat.positions, flat.triangles, flat.normals, flat.vertex_start[drawing.mesh],
            triangle_start, matrices, turn, np.linalg.det(linear) < 0, normal,
        )  # fmt: skip
        return normal

    def _order(self, flat: _FlatMeshes, drawing: Drawing, matrices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Parts that can be in the image, near ones first and those of an instance together."""
        corners = np.einsum("pij,pcj->pci", matrices[:, :, :3], flat.boxes[drawing.mesh]) + matrices[:, None, :, 3]
        x, y, z = corners[..., 0], corners[..., 1], corners[..., 2]
        outside = (z < self.near_m).all(1)
        outside |= (x < 0).all(1) | (x > self.camera.width * z).all(1)
        outside |= (y < 0).all(1) | (y > self.camera.height * z).all(1)
        # Each instance is as near as its nearest part, so that its parts follow each other; the street has no such tie.
        distance = z.min(axis=1)
        group = drawing.instance_id
        nearest = np.full(int(group.max(initial=0)) + 1, np.inf)
        np.minimum.at(nearest, group, distance)
        key = np.where(group > 0, nearest[group], distance)
        order = np.lexsort((np.arange(len(group)), group, key, group == 0))
        return order[~outside[order]].astype(np.int64)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def transform_points(positions, matrix, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (V, 3) float64 with the points times a (3, 4) matrix."""
    for i in range(positions.shape[0]):
        x, y, z = np.float64(positions[i, 0]), np.float64(positions[i, 1]), np.float64(positions[i, 2])
        for k in range(3):
            out[i, k] = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + matrix[k, 3]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def clip_triangle(points, triangle, near, px, py, pq):  # type: ignore[no-untyped-def]
    """Clip one triangle at ``z = near``; fill pixel coordinates and inverse depth, return the number of corners."""
    n = 0
    for e in range(3):
        i, j = triangle[e], triangle[(e + 1) % 3]
        zi, zj = points[i, 2], points[j, 2]
        if zi >= near:
            px[n], py[n], pq[n] = points[i, 0] / zi, points[i, 1] / zi, 1.0 / zi
            n += 1
        if (zi >= near) != (zj >= near):
            # From the lower vertex number to the higher one, so that both neighbours of an edge cut it at one point.
            if i > j:
                i, j = j, i
            s = (near - points[i, 2]) / (points[j, 2] - points[i, 2])
            px[n] = (points[i, 0] + s * (points[j, 0] - points[i, 0])) / near
            py[n] = (points[i, 1] + s * (points[j, 1] - points[i, 1])) / near
            pq[n] = 1.0 / near
            n += 1
    return n


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _edge(ax, ay, bx, by):  # type: ignore[no-untyped-def]
    """Upper end and slope of an edge, the same numbers whichever end comes first."""
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    return ax, ay, (bx - ax) / (by - ay) if by > ay else 0.0


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _project_points(points, near, screen):  # type: ignore[no-untyped-def]
    """Fill ``screen`` (V, 3) with pixel coordinates and inverse depth; points before the near plane get 0 as the last."""
    for i in range(points.shape[0]):
        z = points[i, 2]
        screen[i, 2] = 0.0
        if z >= near:
            screen[i, 0], screen[i, 1], screen[i, 2] = points[i, 0] / z, points[i, 1] / z, 1.0 / z


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_triangle(  # type: ignore[no-untyped-def]
    x0, y0, q0, x1, y1, q1, x2, y2, q2, face, instance, inverse_depth, hit, stamp
):
    """Draw one projected triangle; return how many pixels its instance had not covered before."""
    height, width = hit.shape
    first_row = max(0, math.ceil(min(y0, y1, y2) - 0.5))
    last_row = min(height - 1, math.ceil(max(y0, y1, y2) - 0.5) - 1)
    if first_row > last_row or max(x0, x1, x2) <= 0.5 or min(x0, x1, x2) > width - 0.5:
        return 0
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if area == 0.0:
        return 0
    gx = ((q1 - q0) * (y2 - y0) - (q2 - q0) * (y1 - y0)) / area
    gy = ((q2 - q0) * (x1 - x0) - (q1 - q0) * (x2 - x0)) / area
    q_low, q_high = min(q0, q1, q2), max(q0, q1, q2)
    ux, uy, us = _edge(x0, y0, x1, y1)
    vx, vy, vs = _edge(x1, y1, x2, y2)
    wx, wy, ws = _edge(x2, y2, x0, y0)
    fresh = 0
    for row in range(first_row, last_row + 1):
        y = row + 0.5
        low, high = np.inf, -np.inf
        if (y0 <= y) != (y1 <= y):
            low = high = ux + (y - uy) * us
        if (y1 <= y) != (y2 <= y):
            x = vx + (y - vy) * vs
            low, high = min(low, x), max(high, x)
        if (y2 <= y) != (y0 <= y):
            x = wx + (y - wy) * ws
            low, high = min(low, x), max(high, x)
        if high <= 0.5 or low > width - 0.5:
            continue
        q_row = q0 + gy * (y - y0)
        for col in range(max(0, math.ceil(low - 0.5)), min(width - 1, math.ceil(high - 0.5) - 1) + 1):
            # The centre lies inside the triangle; a sliver's gradient must not say otherwise.
            q = min(max(q_row + gx * (col + 0.5 - x0), q_low), q_high)
            held = inverse_depth[row, col]
            if q > held or (q == held and face < hit[row, col]):
                inverse_depth[row, col] = q
                hit[row, col] = face
            if instance > 0 and stamp[row, col] != instance:
                stamp[row, col] = instance
                fresh += 1
    return fresh


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw(  # type: ignore[no-untyped-def]
    points, screen, triangles, number, instance, near, inverse_depth, hit, stamp
):
    """Draw one part; return how many pixels of its instance no earlier part of it had covered."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    height, width = hit.shape
    fresh = 0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if screen[a, 2] > 0.0 and screen[b, 2] > 0.0 and screen[c, 2] > 0.0:
            # Most triangles lie outside the image or between pixel centres.
            ya, yb, yc = screen[a, 1], screen[b, 1], screen[c, 1]
            top, bottom = min(ya, yb, yc), max(ya, yb, yc)
            if bottom <= 0.5 or top > height - 0.5 or math.ceil(top - 0.5) == math.ceil(bottom - 0.5):
                continue
            xa, xb, xc = screen[a, 0], screen[b, 0], screen[c, 0]
            left, right = min(xa, xb, xc), max(xa, xb, xc)
            if right <= 0.5 or left > width - 0.5 or math.ceil(left - 0.5) == math.ceil(right - 0.5):
                continue
            fresh += _draw_triangle(
                screen[a, 0], screen[a, 1], screen[a, 2], screen[b, 0], screen[b, 1], screen[b, 2],
                screen[c, 0], screen[c, 1], screen[c, 2],
                (number << _PART_SHIFT) + t, instance, inverse_depth, hit, stamp,
            )  # fmt: skip
        elif screen[a, 2] > 0.0 or screen[b, 2] > 0.0 or screen[c, 2] > 0.0:
            n = clip_triangle(points, triangles[t], near, px, py, pq)
            for k in range(1, n - 1):
                fresh += _draw_triangle(
                    px[0], py[0], pq[0], px[k], py[k], pq[k], px[k + 1], py[k + 1], pq[k + 1],
                    (number << _PART_SHIFT) + t, instance, inverse_depth, hit, stamp,
                )  # fmt: skip
    return fresh


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_parts(  # type: ignore[no-untyped-def]
    positions, triangles, vertex_start, triangle_start, mesh, matrices, instance_id, order, near,
    inverse_depth, hit, stamp,
):  # fmt: skip
    largest = 0
    for m in range(vertex_start.shape[0] - 1):
        largest = max(largest, vertex_start[m + 1] - vertex_start[m])
    points, screen = np.empty((largest, 3)), np.empty((largest, 3))
    amodal = np.zeros(mesh.shape[0], np.int64)
    for p in order:
        m = mesh[p]
        transform_points(positions[vertex_start[m] : vertex_start[m + 1]], matrices[p], points)
        _project_points(points[: vertex_start[m + 1] - vertex_start[m]], near, screen)
        own = triangles[triangle_start[m] : triangle_start[m + 1]]
        amodal[p] = _draw(points, screen, own, p, instance_id[p], near, inverse_depth, hit, stamp)
    return amodal


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _resolve(  # type: ignore[no-untyped-def]
    inverse_depth, hit, instance_of_part, triangle_start, zones, background_zone, depth_m, instance_id, zone, part
):
    """Turn hits into passes; ``triangle_start`` (P,) is where each part's triangles begin in ``zones``."""
    for r in range(hit.shape[0]):
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h == _NO_HIT:
                depth_m[r, c], instance_id[r, c], zone[r, c], part[r, c] = np.inf, 0, background_zone, 0
            else:
                p = h >> _PART_SHIFT
                depth_m[r, c] = 1.0 / inverse_depth[r, c]
                instance_id[r, c] = instance_of_part[p]
                zone[r, c] = zones[triangle_start[p] + (h & _TRIANGLE_MASK)]
                part[r, c] = p + 1


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _corner_weights(positions, corners, matrix, cross):  # type: ignore[no-untyped-def]
    """Rows of ``cross`` become the corners' weights as functions of the pixel (up to scale); returns the facing sign.

    With homogeneous pixel coordinates ``h_i`` of the corners, weights ``w`` solve ``sum w_i h_i ~ (x, y, 1)``: Cramer's rule
    makes them the cross products of the other two corners. It holds for corners behind the camera as well.
    """
    h = np.empty((3, 3))
    transform_points(positions[corners], matrix, h)
    for i in range(3):
        a, b = h[(i + 1) % 3], h[(i + 2) % 3]
        cross[i, 0] = a[1] * b[2] - a[2] * b[1]
        cross[i, 1] = a[2] * b[0] - a[0] * b[2]
        cross[i, 2] = a[0] * b[1] - a[1] * b[0]
    return h[0, 0] * cross[0, 0] + h[0, 1] * cross[0, 1] + h[0, 2] * cross[0, 2]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _interpolate_normals(  # type: ignore[no-untyped-def]
    hit, positions, triangles, normals, vertex_start, triangle_start, matrices, turn, mirrored, out
):
    """Fill ``out`` with normals; neighbouring pixels of one triangle share its set-up."""
    cross, corner_normals = np.empty((3, 3)), np.empty((3, 3))
    for r in range(hit.shape[0]):
        last = _NO_HIT
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h == _NO_HIT:
                continue
            if h != last:
                last = h
                p = h >> _PART_SHIFT
                t = triangle_start[p] + (h & _TRIANGLE_MASK)
                facing = _corner_weights(positions[vertex_start[p] :], triangles[t], matrices[p], cross)
                # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
                sign = -1.0 if (facing > 0.0) != mirrored[p] else 1.0
                _turn_normals(normals[t], turn[p], sign, corner_normals)
            _blend(cross, corner_normals, c + 0.5, r + 0.5, out[r, c])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _turn_normals(local, turn, sign, out):  # type: ignore[no-untyped-def]
    """Corner normals (rows) in the world."""
    for i in range(3):
        for k in range(3):
            out[i, k] = sign * (turn[k, 0] * local[i, 0] + turn[k, 1] * local[i, 1] + turn[k, 2] * local[i, 2])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _blend(cross, corner_normals, x, y, out):  # type: ignore[no-untyped-def]
    """Weighted sum of the corner normals at a pixel, made a unit vector."""
    a = cross[0, 0] * x + cross[0, 1] * y + cross[0, 2]
    b = cross[1, 0] * x + cross[1, 1] * y + cross[1, 2]
    c = cross[2, 0] * x + cross[2, 1] * y + cross[2, 2]
    nx = a * corner_normals[0, 0] + b * corner_normals[1, 0] + c * corner_normals[2, 0]
    ny = a * corner_normals[0, 1] + b * corner_normals[1, 1] + c * corner_normals[2, 1]
    nz = a * corner_normals[0, 2] + b * corner_normals[1, 2] + c * corner_normals[2, 2]
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length > 0.0:
        # The weights share a sign, that of their sum.
        scale = 1.0 / length if a + b + c > 0.0 else -1.0 / length
        out[0], out[1], out[2] = nx * scale, ny * scale, nz * scale
