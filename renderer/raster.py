"""A z-buffer for triangle meshes: exact ids and depth at pixel centres, on one thread.

A pixel belongs to a triangle when its centre does; an edge belongs to one of the two triangles that share it (half-open
scanlines in float64), so that neighbouring triangles neither overlap nor leave a gap. Inverse depth is linear in the
image and interpolated in float64. Both sides of a face are drawn, as a path tracer does. Equal depths go to the lower
triangle number, so that the order in which meshes are drawn changes nothing.

What is far outnumbers what is seen, so triangles come in clusters: one that is outside the image, or behind what is
drawn already, is skipped as a whole. That changes no pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .meshes import CLUSTER_TRIANGLES, FlatMeshes, MeshPool
from .normals import NO_HIT, PART_SHIFT, TRIANGLE_MASK, shade_normals

__all__ = ["MAX_INSTANCES", "MAX_PARTS", "Drawing", "RasterPasses", "Rasteriser", "box_on_screen", "clip_triangle"]

MAX_INSTANCES = MAX_PARTS = 65535
"""Ids in passes are 16 bits wide."""
OUTSIDE, CROSSES_NEAR, IN_FRONT = 0, 1, 2
_MARGIN_PX = 1e-3
"""Slack of a cluster's box against rounding, which is below 1e-9 px for scenes of some kilometres."""
_MARGIN_DEPTH = 1e-9
"""The same for inverse depth, relative."""


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
        world_to_px = camera.K @ np.linalg.inv(cam_to_world)[:3]
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
        _draw_parts(
            flat.positions, flat.corners, flat.mesh_triangle, flat.mesh_cluster, flat.cluster_vertex,
            flat.cluster_box, drawing.mesh, matrices, drawing.instance_id, self._order(flat, drawing, matrices),
            self.near_m, self._inverse_depth, self._hit, self._stamp, amodal_px,
        )  # fmt: skip
        depth_m, instance_id = np.empty(shape, np.float32), np.empty(shape, np.uint16)
        zone, part = np.empty(shape, np.uint8), np.empty(shape, np.uint16)
        _resolve(
            self._inverse_depth, self._hit, drawing.instance_id, flat.mesh_triangle[drawing.mesh], flat.zones,
            background_zone, depth_m, instance_id, zone, part,
        )  # fmt: skip
        normal = None
        if normals:
            normal = shade_normals(self._hit, flat, drawing.mesh, matrices, drawing.local_to_world)
        return RasterPasses(depth_m, instance_id, zone, part, normal, amodal_px)

    def _order(self, flat: FlatMeshes, drawing: Drawing, matrices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Parts that can be in the image: those of an instance together, near instances first, the street last."""
        nearest = np.empty(len(drawing.mesh))
        _nearest(
            flat.mesh_box, flat.mesh_triangle, drawing.mesh, matrices, self.near_m,
            float(self.camera.width), float(self.camera.height), nearest,
        )  # fmt: skip
        group = drawing.instance_id
        first = np.full(int(group.max(initial=0)) + 1, np.inf)
        np.minimum.at(first, group, nearest)
        first[0] = np.inf
        order = np.lexsort((group, first[group]))
        return order[np.isfinite(nearest[order])]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _nearest(boxes, mesh_triangle, mesh, matrices, near, width, height, out):  # type: ignore[no-untyped-def]
    """Distance of each part's box, metres; ``inf`` where it is outside the image."""
    screen = np.empty(6)
    for p in range(mesh.shape[0]):
        m = mesh[p]
        out[p] = np.inf
        if mesh_triangle[m] == mesh_triangle[m + 1]:
            continue
        if box_on_screen(boxes, m, matrices, p, near, width, height, screen) != OUTSIDE:
            out[p] = screen[4]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def box_on_screen(boxes, b, matrices, p, near, width, height, screen):  # type: ignore[no-untyped-def]
    """Project one box ``boxes[b]`` (2, 3) by ``matrices[p]``.

    Fills ``screen`` with left, top, right, bottom (pixels, only where all of it is in front) and the distances of its
    nearest and farthest corner; returns ``OUTSIDE`` the image, ``CROSSES_NEAR`` or ``IN_FRONT``.
    """
    left, top, nearest, farthest = np.inf, np.inf, np.inf, -np.inf
    right, bottom = -np.inf, -np.inf
    beyond_left = beyond_right = above = below = True
    for corner in range(8):
        bx, by, bz = boxes[b, corner & 1, 0], boxes[b, (corner >> 1) & 1, 1], boxes[b, corner >> 2, 2]
        z = matrices[p, 2, 0] * bx + matrices[p, 2, 1] * by + matrices[p, 2, 2] * bz + matrices[p, 2, 3]
        x = matrices[p, 0, 0] * bx + matrices[p, 0, 1] * by + matrices[p, 0, 2] * bz + matrices[p, 0, 3]
        y = matrices[p, 1, 0] * bx + matrices[p, 1, 1] * by + matrices[p, 1, 2] * bz + matrices[p, 1, 3]
        nearest, farthest = min(nearest, z), max(farthest, z)
        beyond_left, beyond_right = beyond_left and x < 0.0, beyond_right and x > width * z
        above, below = above and y < 0.0, below and y > height * z
        if nearest >= near:
            inverse = 1.0 / z
            left, right = min(left, x * inverse), max(right, x * inverse)
            top, bottom = min(top, y * inverse), max(bottom, y * inverse)
    screen[0], screen[1], screen[2], screen[3], screen[4], screen[5] = left, top, right, bottom, nearest, farthest
    if farthest < near or beyond_left or beyond_right or above or below:
        return OUTSIDE
    return IN_FRONT if nearest >= near else CROSSES_NEAR


@nb.njit(cache=True, nogil=True, error_model="numpy")
def clip_triangle(points, a, b, c, near, px, py, pq):  # type: ignore[no-untyped-def]
    """Clip one triangle at ``z = near``; fill pixel coordinates and inverse depth, return the number of corners."""
    n = 0
    for e in range(3):
        i = a if e == 0 else (b if e == 1 else c)
        j = b if e == 0 else (c if e == 1 else a)
        zi, zj = points[i, 2], points[j, 2]
        if zi >= near:
            inverse = 1.0 / zi
            px[n], py[n], pq[n] = points[i, 0] * inverse, points[i, 1] * inverse, inverse
            n += 1
        if (zi >= near) != (zj >= near):
            # Always from the far end to the near one, so that both triangles of an edge cut it at one point.
            if zi < zj:
                i, j = j, i
            s = (near - points[i, 2]) / (points[j, 2] - points[i, 2])
            inverse = 1.0 / near
            px[n] = (points[i, 0] + s * (points[j, 0] - points[i, 0])) * inverse
            py[n] = (points[i, 1] + s * (points[j, 1] - points[i, 1])) * inverse
            pq[n] = inverse
            n += 1
    return n


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_parts(  # type: ignore[no-untyped-def]
    positions, corners, mesh_triangle, mesh_cluster, cluster_vertex, cluster_box, mesh, matrices, instance_id, order, near,
    inverse_depth, hit, stamp, amodal_px,
):  # fmt: skip
    """Draw the parts of one instance after the other, each instance's clusters from near to far."""
    total = 0
    for p in order:
        total += mesh_cluster[mesh[p] + 1] - mesh_cluster[mesh[p]]
    found_part, found_cluster = np.empty(total, np.int64), np.empty(total, np.int64)
    found_state, found_screen = np.empty(total, np.int64), np.empty((total, 6))
    points, span = np.empty((3, 3 * CLUSTER_TRIANGLES)), np.empty((5, CLUSTER_TRIANGLES), np.int32)
    first = 0
    while first < len(order):
        instance = instance_id[order[first]]
        last = first + 1
        while last < len(order) and instance_id[order[last]] == instance:
            last += 1
        count = _find_clusters(
            order[first:last], mesh, mesh_cluster, cluster_box, matrices, near, hit.shape[1], hit.shape[0],
            found_part, found_cluster, found_state, found_screen,
        )  # fmt: skip
        for k in np.argsort(found_screen[:count, 4]):
            p, c = found_part[k], found_cluster[k]
            if found_state[k] == IN_FRONT and _box_is_hidden(found_screen[k], instance, inverse_depth, stamp):
                continue
            m = mesh[p]
            begin = (c - mesh_cluster[m]) * CLUSTER_TRIANGLES
            end = min(begin + CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m])
            own = corners[:, mesh_triangle[m] + begin : mesh_triangle[m] + end]
            face = (p << PART_SHIFT) + begin
            _transform(positions, cluster_vertex[c], cluster_vertex[c + 1], matrices[p], points)
            if found_state[k] == IN_FRONT:
                _project(points, cluster_vertex[c + 1] - cluster_vertex[c])
                amodal_px[instance] += _draw_cluster(points, own, face, instance, inverse_depth, hit, stamp, span)
            else:
                amodal_px[instance] += _draw_clipped(points, own, face, instance, near, inverse_depth, hit, stamp)
        first = last
    amodal_px[0] = 0


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _find_clusters(  # type: ignore[no-untyped-def]
    parts, mesh, mesh_cluster, cluster_box, matrices, near, width, height,
    found_part, found_cluster, found_state, found_screen,
):  # fmt: skip
    """List the clusters of some parts that can be in the image; returns how many."""
    n = 0
    for p in parts:
        for c in range(mesh_cluster[mesh[p]], mesh_cluster[mesh[p] + 1]):
            state = box_on_screen(cluster_box, c, matrices, p, near, width, height, found_screen[n])
            if state != OUTSIDE:
                found_part[n], found_cluster[n], found_state[n] = p, c, state
                n += 1
    return n


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _box_is_hidden(screen, instance, inverse_depth, stamp):  # type: ignore[no-untyped-def]
    """Whether a cluster can change nothing."""
    height, width = inverse_depth.shape
    first_col = math.ceil(max(screen[0], 0.0) - 0.5 - _MARGIN_PX)
    end_col = math.ceil(min(screen[2], width + 1.0) - 0.5 + _MARGIN_PX)
    first_row = math.ceil(max(screen[1], 0.0) - 0.5 - _MARGIN_PX)
    end_row = math.ceil(min(screen[3], height + 1.0) - 0.5 + _MARGIN_PX)
    return _is_hidden(
        max(0, first_row), min(height, end_row), max(0, first_col), min(width, end_col),
        (1.0 + _MARGIN_DEPTH) / screen[4], instance, inverse_depth, stamp,
    )  # fmt: skip


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _is_hidden(first_row, end_row, first_col, end_col, closest, instance, inverse_depth, stamp):  # type: ignore[no-untyped-def]
    """Whether every one of some pixels is nearer already, and counted for the instance."""
    for row in range(first_row, end_row):
        for col in range(first_col, end_col):
            if inverse_depth[row, col] <= closest or (instance > 0 and stamp[row, col] != instance):
                return False
    return True


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _transform(positions, first, last, matrix, points):  # type: ignore[no-untyped-def]
    """Fill ``points`` (3, N) with ``(x*z, y*z, z)`` of a cluster's vertices."""
    for k in range(3):
        a, b, c, d = matrix[k, 0], matrix[k, 1], matrix[k, 2], matrix[k, 3]
        for i in range(last - first):
            points[k, i] = (
                a * positions[0, first + i] + b * positions[1, first + i] + c * positions[2, first + i] + d
            )


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _project(points, count):  # type: ignore[no-untyped-def]
    """Turn ``(x*z, y*z, z)`` into ``(x, y, 1/z)``."""
    for i in range(count):
        points[2, i] = 1.0 / points[2, i]
    for i in range(count):
        points[0, i] *= points[2, i]
    for i in range(count):
        points[1, i] *= points[2, i]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_cluster(points, corners, face, instance, inverse_depth, hit, stamp, span):  # type: ignore[no-untyped-def]
    """Draw one cluster of projected points; returns how many pixels its instance had not covered before."""
    height, width = hit.shape
    _spans(points[1], corners, height, span[0], span[1])
    _spans(points[0], corners, width, span[2], span[3])
    covering = span[4]
    count = 0
    for t in range(corners.shape[1]):
        covering[count] = t
        count += 1 if (span[0, t] < span[1, t]) & (span[2, t] < span[3, t]) else 0
    fresh = 0
    for k in range(count):
        t = covering[k]
        a, b, c = corners[0, t], corners[1, t], corners[2, t]
        closest = max(points[2, a], points[2, b], points[2, c])
        if _is_hidden(span[0, t], span[1, t], span[2, t], span[3, t], closest, instance, inverse_depth, stamp):
            continue
        fresh += _draw_triangle(
            points[0, a], points[1, a], points[2, a], points[0, b], points[1, b], points[2, b],
            points[0, c], points[1, c], points[2, c], face + t, instance, inverse_depth, hit, stamp,
        )  # fmt: skip
    return fresh


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _spans(coordinate, corners, size, first, end):  # type: ignore[no-untyped-def]
    """Pixels whose centres lie between the least and the greatest coordinate of each triangle, within the image."""
    for t in range(corners.shape[1]):
        a, b, c = coordinate[corners[0, t]], coordinate[corners[1, t]], coordinate[corners[2, t]]
        first[t] = np.int32(math.ceil(min(max(min(a, b, c), 0.0), size + 1.0) - 0.5))
        end[t] = np.int32(math.ceil(min(max(max(a, b, c), 0.0), size + 0.0) - 0.5))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_clipped(points, corners, face, instance, near, inverse_depth, hit, stamp):  # type: ignore[no-untyped-def]
    """Draw one cluster of points ``(x*z, y*z, z)``, clipped at the near plane; returns as :func:`_draw_cluster`."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    fresh = 0
    for t in range(corners.shape[1]):
        n = clip_triangle(points.T, corners[0, t], corners[1, t], corners[2, t], near, px, py, pq)
        for k in range(1, n - 1):
            fresh += _draw_triangle(
                px[0], py[0], pq[0], px[k], py[k], pq[k], px[k + 1], py[k + 1], pq[k + 1],
                face + t, instance, inverse_depth, hit, stamp,
            )  # fmt: skip
    return fresh


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _slope(ax, ay, bx, by):  # type: ignore[no-untyped-def]
    """Columns per row along an edge from its upper end to its lower one."""
    return (bx - ax) / (by - ay) if by > ay else 0.0


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _draw_triangle(  # type: ignore[no-untyped-def]
    x0, y0, q0, x1, y1, q1, x2, y2, q2, face, instance, inverse_depth, hit, stamp
):
    """Draw one projected triangle; returns how many pixels its instance had not covered before."""
    # From top to bottom, so that both triangles of an edge compute the same columns for it.
    if y1 < y0:
        x0, y0, q0, x1, y1, q1 = x1, y1, q1, x0, y0, q0
    if y2 < y1:
        x1, y1, q1, x2, y2, q2 = x2, y2, q2, x1, y1, q1
    if y1 < y0:
        x0, y0, q0, x1, y1, q1 = x1, y1, q1, x0, y0, q0
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if area == 0.0:
        return 0
    inverse_area = 1.0 / area
    gx = ((q1 - q0) * (y2 - y0) - (q2 - q0) * (y1 - y0)) * inverse_area
    gy = ((q2 - q0) * (x1 - x0) - (q1 - q0) * (x2 - x0)) * inverse_area
    q_low, q_high = min(q0, q1, q2), max(q0, q1, q2)
    long_slope, upper_slope, lower_slope = _slope(x0, y0, x2, y2), _slope(x0, y0, x1, y1), _slope(x1, y1, x2, y2)
    height, width = hit.shape
    fresh = 0
    for row in range(max(0, math.ceil(y0 - 0.5)), min(height, math.ceil(y2 - 0.5))):
        y = row + 0.5
        a = x0 + (y - y0) * long_slope
        b = x0 + (y - y0) * upper_slope if y < y1 else x1 + (y - y1) * lower_slope
        low, high = min(a, b), max(a, b)
        if high <= 0.5 or low > width - 0.5:
            continue
        first, last = max(0, math.ceil(low - 0.5)), min(width, math.ceil(high - 0.5))
        # A pixel's centre lies inside the triangle; a sliver's gradient must not say otherwise.
        q_row = q0 + gy * (y - y0) - gx * (x0 - 0.5)
        for col in range(first, last):
            q = min(max(q_row + gx * col, q_low), q_high)
            held = inverse_depth[row, col]
            if q > held or (q == held and face < hit[row, col]):
                inverse_depth[row, col] = q
                hit[row, col] = face
        if instance > 0:
            for col in range(first, last):
                if stamp[row, col] != instance:
                    stamp[row, col] = instance
                    fresh += 1
    return fresh


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _resolve(  # type: ignore[no-untyped-def]
    inverse_depth, hit, instance_of_part, triangle_start, zones, background_zone, depth_m, instance_id, zone, part
):
    """Turn hits into passes; ``triangle_start`` (P,) is where each part's triangles begin in ``zones``."""
    for r in range(hit.shape[0]):
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h == NO_HIT:
                depth_m[r, c], instance_id[r, c], zone[r, c], part[r, c] = np.inf, 0, background_zone, 0
            else:
                p = h >> PART_SHIFT
                depth_m[r, c] = 1.0 / inverse_depth[r, c]
                instance_id[r, c] = instance_of_part[p]
                zone[r, c] = zones[triangle_start[p] + (h & TRIANGLE_MASK)]
                part[r, c] = p + 1
