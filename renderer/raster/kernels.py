"""Compiled loops that draw: clusters of triangles into a depth buffer, and what was hit into passes.

The innermost loops index with ``np.uint64``: numba lets signed numbers count from the end, and the test for that costs
a tenth of a frame.
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

__all__ = ["Buffers", "HitPasses", "draw_parts", "nearest_of_parts", "resolve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN_PX = 1e-3
"""Slack of a cluster's box against rounding, which is below 1e-9 px for scenes of some kilometres."""
MARGIN_DEPTH = 1e-9
"""The same for inverse depth, relative."""


class Buffers(NamedTuple):
    """What is known of each pixel while parts are drawn; arrays are (H, W)."""

    inverse_depth: Floats
    """1 / metres of the nearest surface so far, of the far plane for none."""
    hit: Ints
    """Which triangle that is, see :mod:`.hits`."""
    stamp: NDArray[np.uint16]
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
    """Draw the parts of one instance after the other, each instance's clusters from near to far."""
    inverse_depth, hit, stamp = buffers.inverse_depth, buffers.hit, buffers.stamp
    mesh, matrices, ids, blocks = parts.mesh, parts.matrices, parts.instance_id, meshes.blocks
    mesh_cluster, mesh_triangle = meshes.mesh_cluster, meshes.mesh_triangle
    total = 0
    for p in order:
        total += mesh_cluster[mesh[p] + 1] - mesh_cluster[mesh[p]]
    part, cluster, state = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    on_screen = np.empty((total, 6))
    found = _Clusters(part, cluster, state, on_screen)
    points, spans = np.empty(9 * CLUSTER_TRIANGLES), np.empty((5, CLUSTER_TRIANGLES), np.int32)
    columns = np.empty((2, hit.shape[0]), np.int32)
    first = 0
    while first < len(order):
        instance = ids[order[first]]
        last = first + 1
        while last < len(order) and ids[order[last]] == instance:
            last += 1
        count = _find_clusters(meshes, parts, order[first:last], near_m, hit.shape[1], hit.shape[0], found)
        for k in np.argsort(on_screen[:count, NEAREST]):
            p, c, in_front = part[k], cluster[k], state[k] == BoxState.IN_FRONT
            if in_front and _box_is_hidden(on_screen[k], instance, inverse_depth, stamp):
                continue
            m = mesh[p]
            number = (c - mesh_cluster[m]) * CLUSTER_TRIANGLES
            triangles = min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - number)
            face = (p << PART_SHIFT) + number
            transform_cluster(blocks[c], matrices[p], points)
            if in_front:
                _project(points)
                amodal_px[instance] += _draw_cluster(
                    points, triangles, face, instance, inverse_depth, hit, stamp, spans, columns
                )
            else:
                amodal_px[instance] += _draw_clipped(
                    points, triangles, face, instance, near_m, inverse_depth, hit, stamp, columns
                )
        first = last
    amodal_px[0] = 0


@kernel
def _find_clusters(
    meshes: FlatMeshes, parts: PlacedParts, numbers: Ints, near_m: float, width: int, height: int, found: _Clusters
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
def _box_is_hidden(on_screen: Floats, instance: int, inverse_depth: Floats, stamp: NDArray[np.uint16]) -> bool:
    """Whether a cluster can change nothing."""
    height, width = inverse_depth.shape
    first_col = math.ceil(max(on_screen[LEFT], 0.0) - 0.5 - MARGIN_PX)
    end_col = math.ceil(min(on_screen[RIGHT], width + 1.0) - 0.5 + MARGIN_PX)
    first_row = math.ceil(max(on_screen[TOP], 0.0) - 0.5 - MARGIN_PX)
    end_row = math.ceil(min(on_screen[BOTTOM], height + 1.0) - 0.5 + MARGIN_PX)
    return _is_hidden(
        max(0, first_row), min(height, end_row), max(0, first_col), min(width, end_col),
        (1.0 + MARGIN_DEPTH) / on_screen[NEAREST], instance, inverse_depth, stamp,
    )  # fmt: skip


@kernel
def _is_hidden(
    first_row: int, end_row: int, first_col: int, end_col: int, closest: float, instance: int,
    inverse_depth: Floats, stamp: NDArray[np.uint16],
) -> bool:  # fmt: skip
    """Whether every one of some pixels is nearer already, and counted for the instance."""
    if instance == 0:  # nothing is counted
        for row in range(first_row, end_row):
            r = np.uint64(row)
            for col in range(first_col, end_col):
                if inverse_depth[r, np.uint64(col)] <= closest:
                    return False
        return True
    for row in range(first_row, end_row):
        r = np.uint64(row)
        for col in range(first_col, end_col):
            c = np.uint64(col)
            if inverse_depth[r, c] <= closest or stamp[r, c] != instance:
                return False
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
def _spans(points: Floats, axis: int, size: float, first: NDArray[np.int32], end: NDArray[np.int32]) -> None:
    """Pixels whose centres lie between the least and the greatest coordinate of each triangle, within the image."""
    for t in range(CLUSTER_TRIANGLES):
        i = axis * AXIS_STEP + t
        a, b, c = points[i], points[i + CORNER_STEP], points[i + 2 * CORNER_STEP]
        first[t] = np.int32(np.ceil(min(max(min(a, b, c), 0.0), size + 1.0) - 0.5))
        end[t] = np.int32(np.ceil(min(max(a, b, c, 0.0), size) - 0.5))


@kernel
def _draw_cluster(
    points: Floats, count: int, face: int, instance: int, inverse_depth: Floats, hit: Ints, stamp: NDArray[np.uint16],
    spans: NDArray[np.int32], columns: NDArray[np.int32],
) -> int:  # fmt: skip
    """Draw one cluster of projected points; returns how many pixels its instance had not covered before.

    Overwrites ``spans`` (5, CLUSTER_TRIANGLES: first and end row, first and end column of each triangle; numbers of
    those with any) and ``columns`` (2, H: first and end column in each row of one triangle).
    """
    height, width = hit.shape
    first_row, end_row, first_col, end_col, covering = spans[0], spans[1], spans[2], spans[3], spans[4]
    _spans(points, 1, height + 0.0, first_row, end_row)
    _spans(points, 0, width + 0.0, first_col, end_col)
    left = 0
    for t in range(count):
        covering[left] = t
        left += 1 if (first_row[t] < end_row[t]) & (first_col[t] < end_col[t]) else 0
    fresh = 0
    for k in range(left):
        t = int(covering[k])
        a, b, c = t, t + CORNER_STEP, t + 2 * CORNER_STEP
        aq, bq, cq = points[a + 2 * AXIS_STEP], points[b + 2 * AXIS_STEP], points[c + 2 * AXIS_STEP]
        closest = max(aq, bq, cq)
        if _is_hidden(first_row[t], end_row[t], first_col[t], end_col[t], closest, instance, inverse_depth, stamp):
            continue
        fresh += _draw_triangle(
            points[a], points[a + AXIS_STEP], aq, points[b], points[b + AXIS_STEP], bq,
            points[c], points[c + AXIS_STEP], cq, face + t, instance, inverse_depth, hit, stamp, columns,
        )  # fmt: skip
    return fresh


@kernel
def _draw_clipped(
    points: Floats, count: int, face: int, instance: int, near_m: float, inverse_depth: Floats, hit: Ints,
    stamp: NDArray[np.uint16], columns: NDArray[np.int32],
) -> int:  # fmt: skip
    """Draw one cluster of points ``(x*z, y*z, z)``, clipped at the near plane; returns as :func:`_draw_cluster`."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    fresh = 0
    for t in range(count):
        n = clip_triangle(points, t, near_m, px, py, pq)
        for k in range(1, n - 1):
            fresh += _draw_triangle(
                px[0], py[0], pq[0], px[k], py[k], pq[k], px[k + 1], py[k + 1], pq[k + 1],
                face + t, instance, inverse_depth, hit, stamp, columns,
            )  # fmt: skip
    return fresh


@kernel
def _slope(ax: float, ay: float, bx: float, by: float) -> float:
    """Columns per row along an edge from its upper end to its lower one."""
    return (bx - ax) / (by - ay) if by > ay else 0.0


@kernel
def _columns(
    x0: float, y0: float, x1: float, y1: float, long_slope: float, upper_slope: float, lower_slope: float,
    first_row: int, count: int, width: float, first: NDArray[np.int32], end: NDArray[np.int32],
) -> None:  # fmt: skip
    """Columns whose centres lie inside a triangle, for each of its rows: from the first up to the end."""
    for i in range(count):
        y = (first_row + i) + 0.5
        a = x0 + (y - y0) * long_slope
        b = x0 + (y - y0) * upper_slope if y < y1 else x1 + (y - y1) * lower_slope
        first[i] = np.int32(np.ceil(min(max(min(a, b), 0.0), width + 1.0) - 0.5))
        end[i] = np.int32(np.ceil(min(max(a, b, 0.0), width) - 0.5))


@kernel
def _stamp(stamp: NDArray[np.uint16], row: int, first: int, end: int, instance: int) -> int:
    """Mark pixels as covered by an instance; returns how many were not yet."""
    fresh = 0
    r = np.uint64(row)
    for col in range(first, end):
        c = np.uint64(col)
        fresh += stamp[r, c] != instance
        stamp[r, c] = instance
    return fresh


@kernel
def _draw_triangle(
    x0: float, y0: float, q0: float, x1: float, y1: float, q1: float, x2: float, y2: float, q2: float,
    face: int, instance: int, inverse_depth: Floats, hit: Ints, stamp: NDArray[np.uint16], columns: NDArray[np.int32],
) -> int:  # fmt: skip
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
    first_row, end_row = max(0, math.ceil(y0 - 0.5)), min(height, math.ceil(y2 - 0.5))
    _columns(
        x0, y0, x1, y1, long_slope, upper_slope, lower_slope, first_row, end_row - first_row, width + 0.0,
        columns[0], columns[1],
    )  # fmt: skip
    fresh = 0
    for row in range(first_row, end_row):
        first, end = columns[0, row - first_row], columns[1, row - first_row]
        if first >= end:
            continue
        # A pixel's centre lies inside the triangle; a sliver's gradient must not say otherwise.
        q_row = q0 + gy * (row + 0.5 - y0) - gx * (x0 - 0.5)
        r = np.uint64(row)
        for col in range(first, end):
            c = np.uint64(col)
            q = q_row + gx * col
            q = q if q > q_low else q_low
            q = q if q < q_high else q_high
            depth_there = inverse_depth[r, c]
            if q >= depth_there and (q > depth_there or face < hit[r, c]):
                inverse_depth[r, c] = q
                hit[r, c] = face
        if instance > 0:
            fresh += _stamp(stamp, row, first, end, instance)
    return fresh


@kernel
def resolve(buffers: Buffers, meshes: FlatMeshes, parts: PlacedParts, background_zone: int, passes: HitPasses) -> None:
    """Turn hits into passes."""
    inverse_depth, hit, zones, mesh_triangle = buffers.inverse_depth, buffers.hit, meshes.zones, meshes.mesh_triangle
    mesh, ids = parts.mesh, parts.instance_id
    depth_m, instance_id, zone, part = passes.depth_m, passes.instance_id, passes.zone, passes.part
    for r in range(hit.shape[0]):
        for c in range(hit.shape[1]):
            depth_m[r, c] = 1.0 / inverse_depth[r, c] if hit[r, c] != NO_HIT else np.inf
        last, i, z, p = NO_HIT, 0, background_zone, -1
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h != last:
                last = h
                i, z, p = 0, background_zone, -1
                if h != NO_HIT:
                    p = h >> PART_SHIFT
                    i, z = ids[p], zones[mesh_triangle[mesh[p]] + (h & TRIANGLE_MASK)]
            instance_id[r, c], zone[r, c], part[r, c] = i, z, p + 1
