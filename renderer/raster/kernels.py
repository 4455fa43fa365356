"""Compiled loops that draw: clusters of triangles into a depth buffer, and what was hit into passes.

The innermost loops index with ``np.uint64``: numba lets signed numbers count from the end, and the test for that costs
a tenth of a frame. They take flat arrays, made once: a view of an array costs a count of its references. The very
innermost steps stand in :mod:`.lanes`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.clusters import (
    AXIS_STEP,
    BOTTOM,
    CLUSTER_TRIANGLES,
    CORNER_STEP,
    FARTHEST,
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
from ..optional import ZERO, kernel
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK
from .lanes import LANES, draw_lanes, fill_lanes, is_new_or_seen, is_seen, row_lanes, stamp_lanes

__all__ = ["Buffers", "HitPasses", "draw_parts", "nearest_of_parts", "resolve", "sort_near_to_far"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Stamps = NDArray[np.uint16]

MARGIN_PX = 1e-3
"""Slack of a cluster's box against rounding, which is below 1e-9 px for scenes of some kilometres."""
MARGIN_DEPTH = 1e-9
"""The same for inverse depth, relative."""
FEW_ROWS = 1
"""A triangle of so few is drawn at once: to look whether it is hidden costs as much."""

X0, Y0, Q0, X1, Y1, Q1, X2, Y2, Q2 = range(9)
"""Rows of an array of triangles, one after the other as in a cluster's block: corners, from top to bottom once they are
set up, with 1 / depth."""
LONG, UPPER, LOWER, AREA, GX, GY, BACK, LOW, HIGH = range(9, 18)
"""Columns per row along the edge from the upper end to the lower one and along the other two; twice the area; how 1 /
depth grows by column and by row, and from the first corner back to column 0; its least and greatest."""
SIDES = 18


class Buffers(NamedTuple):
    """What is known of each pixel while parts are drawn; arrays are (H, W)."""

    inverse_depth: Floats
    """1 / metres of the nearest surface so far, of the far plane for none."""
    hit: Ints
    """Which triangle that is, see :mod:`.hits`."""
    stamp: Stamps
    """Instance that covered the pixel last, hidden or not: so that it is counted once."""


class HitPasses(NamedTuple):
    """What :func:`resolve` fills; arrays are (H, W)."""

    depth_m: NDArray[np.float32]
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    part: NDArray[np.uint16]


class _Clusters(NamedTuple):
    """Clusters of one instance that can be in the image."""

    part: Ints
    cluster: Ints
    state: Ints
    """:class:`BoxState`"""
    on_screen: Floats
    """(N, 6) see :func:`box_on_screen`."""


@kernel
def nearest_of_parts(
    meshes: FlatMeshes, parts: PlacedParts, near_m: float, width: float, height: float, out: Floats
) -> None:
    """Distance of each part's box, metres; ``inf`` where it is outside the image."""
    mesh, matrices, mesh_triangle, mesh_box = parts.mesh, parts.matrices, meshes.mesh_triangle, meshes.mesh_box
    on_screen = np.empty(6)
    for p in range(mesh.shape[0]):
        m = mesh[p]
        out[p] = np.inf
        if mesh_triangle[m] == mesh_triangle[m + 1]:
            continue
        state = box_on_screen(mesh_box, m, matrices, p, near_m, width, height, on_screen)
        if state != BoxState.OUTSIDE:
            out[p] = on_screen[NEAREST]


@kernel
def draw_parts(
    meshes: FlatMeshes, parts: PlacedParts, order: Ints, near_m: float, buffers: Buffers, amodal_px: Ints
) -> None:
    """Draw the parts of one instance after the other, each instance's clusters from near to far.

    The buffers are of :func:`.lanes.lane_array`. In which order things are drawn does not matter to the result: the
    nearest wins, of equals the lower number.
    """
    height, width = buffers.hit.shape
    # Flat, once: a view costs its count of references.
    inverse_depth, hit, stamp = buffers.inverse_depth.reshape(-1), buffers.hit.reshape(-1), buffers.stamp.reshape(-1)
    mesh, matrices, ids, blocks = parts.mesh, parts.matrices, parts.instance_id, meshes.blocks
    mesh_cluster, mesh_triangle = meshes.mesh_cluster, meshes.mesh_triangle
    total = 0
    for p in order:
        total += mesh_cluster[mesh[p] + 1] - mesh_cluster[mesh[p]]
    part, cluster, state = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    on_screen, near_to_far, distances = np.empty((total, 6)), np.empty(total, np.int64), np.empty(total)
    found = _Clusters(part, cluster, state, on_screen)
    points, sides, faces = (
        np.empty(9 * CLUSTER_TRIANGLES),
        np.zeros(SIDES * CLUSTER_TRIANGLES),
        np.empty(CLUSTER_TRIANGLES + 1, np.int64),
    )
    first_row, end_row = np.empty(CLUSTER_TRIANGLES, np.int32), np.empty(CLUSTER_TRIANGLES, np.int32)
    first_col, end_col = np.empty(CLUSTER_TRIANGLES, np.int32), np.empty(CLUSTER_TRIANGLES, np.int32)
    first_in_row, end_in_row = np.empty(height + LANES, np.int32), np.empty(height + LANES, np.int32)
    q_row = np.empty(height + LANES)
    first = 0
    while first < len(order):
        instance = ids[order[first]]
        last = first + 1
        while last < len(order) and ids[order[last]] == instance:
            last += 1
        count = _find_clusters(meshes, parts, order[first:last], near_m, width + 0.0, height + 0.0, found)
        sort_near_to_far(on_screen, count, distances, near_to_far)
        for n in range(count):
            k = near_to_far[n]
            p, c, in_front = part[k], cluster[k], state[k] == BoxState.IN_FRONT
            if in_front and _box_is_hidden(on_screen, k, height, width, instance, inverse_depth, stamp):
                continue
            m = mesh[p]
            number = (c - mesh_cluster[m]) * CLUSTER_TRIANGLES
            triangles = min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - number)
            face = (p << PART_SHIFT) + number
            transform_cluster(blocks[c], matrices[p], points)
            amodal_px[instance] += _draw_cluster(
                points, triangles, face, in_front, near_m, height, width, instance, inverse_depth, hit, stamp,
                sides, faces, first_row, end_row, first_col, end_col, first_in_row, end_in_row, q_row,
            )  # fmt: skip
        first = last
    amodal_px[0] = 0


@kernel
def _find_clusters(
    meshes: FlatMeshes, parts: PlacedParts, numbers: Ints, near_m: float, width: float, height: float, found: _Clusters
) -> int:
    """List the clusters of some parts that can be in the image; returns how many."""
    mesh, matrices, mesh_cluster, cluster_box = parts.mesh, parts.matrices, meshes.mesh_cluster, meshes.cluster_box
    found_part, found_cluster, found_state, on_screen = found.part, found.cluster, found.state, found.on_screen
    n = 0
    for p in numbers:
        for c in range(mesh_cluster[mesh[p]], mesh_cluster[mesh[p] + 1]):
            state = box_on_screen(cluster_box, c, matrices, p, near_m, width, height, on_screen[n])
            if state != BoxState.OUTSIDE:
                found_part[n], found_cluster[n], found_state[n] = p, c, state
                n += 1
    return n


@kernel
def sort_near_to_far(on_screen: Floats, count: int, distances: Floats, near_to_far: Ints) -> None:
    """List clusters from near to far: Shell's sort with the gaps of Knuth. ``np.argsort`` takes a second to compile.

    Args:
        on_screen: see :class:`_Clusters`.
        count: how many of these.
        distances: (N,) overwritten.
        near_to_far: (N,) numbers of clusters, filled.
    """
    gap = 1
    while gap < count:
        gap = 3 * gap + 1
    for k in range(count):
        distances[k], near_to_far[k] = on_screen[k, NEAREST] + on_screen[k, FARTHEST], k
    while gap > 1:
        gap //= 3
        for k in range(gap, count):
            distance, number, at = distances[k], near_to_far[k], k
            while at >= gap and distances[at - gap] > distance:
                distances[at], near_to_far[at] = distances[at - gap], near_to_far[at - gap]
                at -= gap
            distances[at], near_to_far[at] = distance, number


@kernel
def _box_is_hidden(
    on_screen: Floats, k: int, height: int, width: int, instance: int, inverse_depth: Floats, stamp: Stamps
) -> bool:
    """Whether a cluster can change nothing."""
    first_col = math.ceil(max(on_screen[k, LEFT], 0.0) - 0.5 - MARGIN_PX)
    end_col = math.ceil(min(on_screen[k, RIGHT], width + 1.0) - 0.5 + MARGIN_PX)
    first_row = math.ceil(max(on_screen[k, TOP], 0.0) - 0.5 - MARGIN_PX)
    end_row = math.ceil(min(on_screen[k, BOTTOM], height + 1.0) - 0.5 + MARGIN_PX)
    return _is_hidden(
        max(0, first_row), min(height, end_row), max(0, first_col), min(width, end_col),
        (1.0 + MARGIN_DEPTH) / on_screen[k, NEAREST], width, instance, inverse_depth, stamp,
    )  # fmt: skip


@kernel
def _is_hidden(
    first_row: int, end_row: int, first_col: int, end_col: int, closest: float, width: int, instance: int,
    inverse_depth: Floats, stamp: Stamps,
) -> bool:  # fmt: skip
    """Whether every one of some pixels is nearer already, and counted for the instance."""
    start, last = np.int64(first_row) * width, np.int64(end_row) * width
    while start < last:
        i, end = start + first_col, start + end_col
        while i < end:
            if instance == 0:  # nothing is counted
                seen = is_seen(inverse_depth, i, end - i, closest)
            else:
                seen = is_new_or_seen(inverse_depth, stamp, i, end - i, closest, instance)
            if seen:
                return False
            i += LANES
        start += width
    return True


@kernel
def _project(points: Floats) -> None:
    """Turn ``(x*z, y*z, z)`` into ``(x, y, 1/z)``."""
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + CLUSTER_TRIANGLES):
            inverse = 1.0 / points[i + 2 * AXIS_STEP]
            points[i] *= inverse
            points[i + AXIS_STEP] *= inverse
            points[i + 2 * AXIS_STEP] = inverse


@kernel
def _draw_cluster(
    points: Floats, count: int, face: int, in_front: bool, near_m: float, height: int, width: int, instance: int,
    inverse_depth: Floats, hit: Ints, stamp: Stamps,
    sides: Floats, faces: Ints, first_row: NDArray[np.int32], end_row: NDArray[np.int32], first_col: NDArray[np.int32],
    end_col: NDArray[np.int32], first_in_row: NDArray[np.int32], end_in_row: NDArray[np.int32], q_row: Floats,
) -> int:  # fmt: skip
    """Draw a cluster that was transformed; returns how many pixels its instance had not covered before.

    Overwrites ``points``, and the arrays from ``sides`` on: the triangles that may cover a pixel (see :data:`X0` and
    :data:`LONG`), their numbers, rows and columns; first and end column, and 1 / depth at column 0, in each row of one.
    """
    if in_front:
        _project(points)
    at, fresh = ZERO, 0
    while at < count:
        if in_front:
            at, n = (
                count,
                _covering(points, count, face, height, width, sides, first_row, end_row, first_col, end_col, faces),
            )
        else:
            at, n = _clipped(points, at, count, face, near_m, sides, faces)
            _spans(sides, 1, height + 0.0, first_row, end_row)
            _spans(sides, 0, width + 0.0, first_col, end_col)
        if n == 0:
            continue
        _set_up(sides, n)
        fresh += _draw_triangles(
            sides, n, faces, first_row, end_row, first_col, end_col, width, instance, inverse_depth, hit, stamp,
            first_in_row, end_in_row, q_row,
        )  # fmt: skip
    return fresh


@kernel
def _spans(points: Floats, axis: int, size: float, first: NDArray[np.int32], end: NDArray[np.int32]) -> None:
    """Pixels whose centres lie between the least and the greatest coordinate of each triangle, within the image."""
    for t in range(CLUSTER_TRIANGLES):
        i = axis * AXIS_STEP + t
        a, b, c = points[i], points[i + CORNER_STEP], points[i + 2 * CORNER_STEP]
        first[t] = np.int32(np.ceil(min(max(min(a, b, c), 0.0), size + 1.0) - 0.5))
        end[t] = np.int32(np.ceil(min(max(a, b, c, 0.0), size) - 0.5))


@kernel
def _covering(
    points: Floats, count: int, face: int, height: int, width: int, sides: Floats, first_row: NDArray[np.int32],
    end_row: NDArray[np.int32], first_col: NDArray[np.int32], end_col: NDArray[np.int32], faces: Ints,
) -> int:  # fmt: skip
    """Put those of a cluster's projected triangles whose box has the centre of a pixel into ``sides``; how many."""
    _spans(points, 1, height + 0.0, first_row, end_row)
    _spans(points, 0, width + 0.0, first_col, end_col)
    n = 0
    for t in range(count):
        faces[n] = t
        n += (first_row[t] < end_row[t]) & (first_col[t] < end_col[t])
    for i in range(n):
        t = faces[i]
        first_row[i], end_row[i], first_col[i], end_col[i] = first_row[t], end_row[t], first_col[t], end_col[t]
        for k in range(9):
            sides[np.uint64(k * CLUSTER_TRIANGLES + i)] = points[np.uint64(k * CLUSTER_TRIANGLES + t)]
        faces[i] = face + t
    return n


@kernel
def _clipped(
    points: Floats, first: int, count: int, face: int, near_m: float, sides: Floats, faces: Ints
) -> tuple[int, int]:
    """Put triangles of points ``(x*z, y*z, z)``, clipped at the near plane, into ``sides`` until these are full.

    Returns:
        the first triangle that is left, and how many ``sides`` has.
    """
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    n = 0
    while first < count and n + 2 <= CLUSTER_TRIANGLES:
        for k in range(1, clip_triangle(points, first, near_m, px, py, pq) - 1):
            for corner in range(3):
                i = 0 if corner == 0 else k + corner - 1
                at = corner * CORNER_STEP + n
                sides[at], sides[at + AXIS_STEP], sides[at + 2 * AXIS_STEP] = px[i], py[i], pq[i]
            faces[n] = face + first
            n += 1
        first += 1
    return first, n


@kernel
def _set_up(sides: Floats, count: int) -> None:
    """Sort the corners of triangles and fill in what their rows and depths follow from.

    One array, and steps that the compiler knows: see :func:`transform_cluster`.
    """
    step = CLUSTER_TRIANGLES
    for i in range((count + 15) // 16 * 16):
        x0, y0, q0 = sides[i + X0 * step], sides[i + Y0 * step], sides[i + Q0 * step]
        x1, y1, q1 = sides[i + X1 * step], sides[i + Y1 * step], sides[i + Q1 * step]
        x2, y2, q2 = sides[i + X2 * step], sides[i + Y2 * step], sides[i + Q2 * step]
        # From top to bottom, so that both triangles of an edge compute the same columns for it.
        x0, y0, q0, x1, y1, q1 = _downwards(x0, y0, q0, x1, y1, q1)
        x1, y1, q1, x2, y2, q2 = _downwards(x1, y1, q1, x2, y2, q2)
        x0, y0, q0, x1, y1, q1 = _downwards(x0, y0, q0, x1, y1, q1)
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        inverse_area = 1.0 / area
        gx = ((q1 - q0) * (y2 - y0) - (q2 - q0) * (y1 - y0)) * inverse_area
        gy = ((q2 - q0) * (x1 - x0) - (q1 - q0) * (x2 - x0)) * inverse_area
        long, upper, lower = (x2 - x0) / (y2 - y0), (x1 - x0) / (y1 - y0), (x2 - x1) / (y2 - y1)
        sides[i + X0 * step], sides[i + Y0 * step], sides[i + Q0 * step] = x0, y0, q0
        sides[i + X1 * step], sides[i + Y1 * step] = x1, y1
        sides[i + LONG * step] = long if y2 > y0 else 0.0
        sides[i + UPPER * step] = upper if y1 > y0 else 0.0
        sides[i + LOWER * step] = lower if y2 > y1 else 0.0
        sides[i + AREA * step] = area
        sides[i + GX * step], sides[i + GY * step], sides[i + BACK * step] = gx, gy, gx * (x0 - 0.5)
        sides[i + LOW * step], sides[i + HIGH * step] = min(q0, q1, q2), max(q0, q1, q2)


@kernel
def _downwards(
    x0: float, y0: float, q0: float, x1: float, y1: float, q1: float
) -> tuple[float, float, float, float, float, float]:
    """Two corners, the upper one first."""
    swap = y1 < y0
    return (
        x1 if swap else x0, y1 if swap else y0, q1 if swap else q0,
        x0 if swap else x1, y0 if swap else y1, q0 if swap else q1,
    )  # fmt: skip


@kernel
def _draw_triangles(
    sides: Floats, count: int, faces: Ints, first_rows: NDArray[np.int32], end_rows: NDArray[np.int32],
    first_cols: NDArray[np.int32], end_cols: NDArray[np.int32], width: int, instance: int,
    inverse_depth: Floats, hit: Ints, stamp: Stamps, first: NDArray[np.int32], end: NDArray[np.int32], q_row: Floats,
) -> int:  # fmt: skip
    """Draw triangles; returns how many pixels their instance had not covered before.

    Overwrites ``first``, ``end`` and ``q_row``, see :func:`row_lanes`.
    """
    fresh = 0
    step = CLUSTER_TRIANGLES
    for t in range(count):
        first_row, end_row, low, high = first_rows[t], end_rows[t], sides[t + LOW * step], sides[t + HIGH * step]
        if sides[t + AREA * step] == 0.0 or (
            end_row - first_row > FEW_ROWS
            and _is_hidden(first_row, end_row, first_cols[t], end_cols[t], high, width, instance, inverse_depth, stamp)
        ):
            continue
        rows, gx, face = end_row - first_row, sides[t + GX * step], faces[t]
        k = 0
        while k < rows:
            row_lanes(
                first, end, q_row, k, first_row + k, sides[t + X0 * step], sides[t + Y0 * step], sides[t + X1 * step],
                sides[t + Y1 * step], sides[t + LONG * step], sides[t + UPPER * step], sides[t + LOWER * step],
                sides[t + Q0 * step], sides[t + GY * step], sides[t + BACK * step], width,
            )  # fmt: skip
            k += LANES
        start = np.int64(first_row) * width
        for k in range(rows):
            u = np.uint64(k)
            i, stop, q = start + first[u], start + end[u], q_row[u]
            while i < stop:
                # A pixel's centre lies inside the triangle; a sliver's gradient must not say otherwise.
                draw_lanes(inverse_depth, hit, i, stop - i, i - start, q, gx, low, high, face)
                if instance > 0:
                    fresh += stamp_lanes(stamp, i, stop - i, instance)
                i += LANES
            start += width
    return fresh


@kernel
def resolve(buffers: Buffers, meshes: FlatMeshes, parts: PlacedParts, background_zone: int, passes: HitPasses) -> None:
    """Turn hits into passes; all arrays are of :func:`.lanes.lane_array`.

    What a run of pixels writes too far the next one overwrites.
    """
    inverse_depth, zones, mesh_triangle = buffers.inverse_depth.reshape(-1), meshes.zones, meshes.mesh_triangle
    hit, mesh, ids = buffers.hit.reshape(-1), parts.mesh, parts.instance_id
    depth_m, instance_id = passes.depth_m.reshape(-1), passes.instance_id.reshape(-1)
    zone, part = passes.zone.reshape(-1), passes.part.reshape(-1)
    for k in range(hit.shape[0]):
        depth_m[k] = 1.0 / inverse_depth[k] if hit[k] != NO_HIT else np.inf
    k, count = 0, hit.shape[0]
    while k < count:
        h, p, i, z = hit[np.uint64(k)], -1, 0, background_zone
        if h != NO_HIT:
            p = h >> PART_SHIFT
            i, z = ids[p], zones[mesh_triangle[mesh[p]] + (h & TRIANGLE_MASK)]
        end = k + 1
        while end < count and hit[np.uint64(end)] == h:
            end += 1
        while k < end:
            fill_lanes(instance_id, k, i)
            fill_lanes(zone, k, z)
            fill_lanes(part, k, p + 1)
            k += LANES
        k = end
