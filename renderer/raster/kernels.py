"""The compiled loops of the renderer, all in this file.

numba keeps compiled code beside a file and compiles again when *that* file changes. Functions that call each other, and
the constants that are compiled into them, therefore stand together: else an update of one file would leave old code in
use.

Everything here works on the arrays of :class:`renderer.geometry.meshes.FlatMeshes`; matrices (P, 3, 4) take a part's
coordinates to ``(x*z, y*z, z)``, in pixels and metres.

The innermost loops index with ``np.uint64``: numba lets signed numbers count from the end, and the test for that costs
a tenth of a frame.
"""

from __future__ import annotations

import math

import numpy as np

from ..optional import njit

__all__ = [
    "CLUSTER_TRIANGLES",
    "NO_HIT",
    "bound_instances",
    "bound_pixels",
    "bound_triangles",
    "clip_triangle",
    "draw_parts",
    "fill_normals",
    "nearest_of_parts",
    "normal_matrices",
    "resolve",
]

CLUSTER_TRIANGLES = 64
"""Triangles per cluster. Measured on the city: 32 and 128 are slower by a tenth."""
CORNER_STEP, AXIS_STEP = 3 * CLUSTER_TRIANGLES, CLUSTER_TRIANGLES
"""Distance between a triangle's corners, and between the axes of a corner, in a cluster's block."""
PART_SHIFT = 32
"""A hit is one number: the part's, shifted, plus the triangle's within it. Lower numbers win equal depths."""
TRIANGLE_MASK = 2**32 - 1
NO_HIT = 2**62
OUTSIDE, CROSSES_NEAR, IN_FRONT = 0, 1, 2
MARGIN_PX = 1e-3
"""Slack of a cluster's box against rounding, which is below 1e-9 px for scenes of some kilometres."""
MARGIN_DEPTH = 1e-9
"""The same for inverse depth, relative."""


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_of_parts(boxes, mesh_triangle, mesh, matrices, near, width, height, out):  # type: ignore[no-untyped-def]
    """Distance of each part's box, metres; ``inf`` where it is outside the image."""
    screen = np.empty(6)
    for p in range(mesh.shape[0]):
        m = mesh[p]
        out[p] = np.inf
        if mesh_triangle[m] == mesh_triangle[m + 1]:
            continue
        if box_on_screen(boxes, m, matrices, p, near, width, height, screen) != OUTSIDE:
            out[p] = screen[4]


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def clip_triangle(points, t, near, px, py, pq):  # type: ignore[no-untyped-def]
    """Clip a triangle of a transformed block at ``z = near``.

    Fills pixel coordinates and inverse depth; returns the number of corners.
    """
    n = 0
    for corner in range(3):
        i, j = corner * CORNER_STEP + t, (corner + 1) % 3 * CORNER_STEP + t
        zi, zj = points[i + 2 * AXIS_STEP], points[j + 2 * AXIS_STEP]
        if zi >= near:
            inverse = 1.0 / zi
            px[n], py[n], pq[n] = points[i] * inverse, points[i + AXIS_STEP] * inverse, inverse
            n += 1
        if (zi >= near) != (zj >= near):
            # Always from the far end to the near one, so that both triangles of an edge cut it at one point.
            far, close = (i, j) if zi > zj else (j, i)
            s = (near - max(zi, zj)) / (min(zi, zj) - max(zi, zj))
            inverse = 1.0 / near
            px[n] = (points[far] + s * (points[close] - points[far])) * inverse
            py[n] = (points[far + AXIS_STEP] + s * (points[close + AXIS_STEP] - points[far + AXIS_STEP])) * inverse
            pq[n] = inverse
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def draw_parts(  # type: ignore[no-untyped-def]
    blocks, mesh_triangle, mesh_cluster, cluster_box, mesh, matrices, instance_id, order, near,
    inverse_depth, hit, stamp, amodal_px,
):  # fmt: skip
    """Draw the parts of one instance after the other, each instance's clusters from near to far."""
    total = 0
    for p in order:
        total += mesh_cluster[mesh[p] + 1] - mesh_cluster[mesh[p]]
    found_part, found_cluster = np.empty(total, np.int64), np.empty(total, np.int64)
    found_state, found_screen = np.empty(total, np.int64), np.empty((total, 6))
    points, span = np.empty(9 * CLUSTER_TRIANGLES), np.empty((5, CLUSTER_TRIANGLES), np.int32)
    columns = np.empty((2, hit.shape[0]), np.int32)
    first = 0
    while first < len(order):
        instance = instance_id[order[first]]
        last = first + 1
        while last < len(order) and instance_id[order[last]] == instance:
            last += 1
        found = _find_clusters(
            order[first:last], mesh, mesh_cluster, cluster_box, matrices, near, hit.shape[1], hit.shape[0],
            found_part, found_cluster, found_state, found_screen,
        )  # fmt: skip
        for k in np.argsort(found_screen[:found, 4]):
            p, c = found_part[k], found_cluster[k]
            if found_state[k] == IN_FRONT and _box_is_hidden(found_screen[k], instance, inverse_depth, stamp):
                continue
            m = mesh[p]
            number = (c - mesh_cluster[m]) * CLUSTER_TRIANGLES
            count = min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - number)
            face = (p << PART_SHIFT) + number
            _transform(blocks[c], matrices[p], points)
            if found_state[k] == IN_FRONT:
                _project(points)
                amodal_px[instance] += _draw_cluster(
                    points, count, face, instance, inverse_depth, hit, stamp, span, columns
                )
            else:
                amodal_px[instance] += _draw_clipped(
                    points, count, face, instance, near, inverse_depth, hit, stamp, columns
                )
        first = last
    amodal_px[0] = 0


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def _box_is_hidden(screen, instance, inverse_depth, stamp):  # type: ignore[no-untyped-def]
    """Whether a cluster can change nothing."""
    height, width = inverse_depth.shape
    first_col = math.ceil(max(screen[0], 0.0) - 0.5 - MARGIN_PX)
    end_col = math.ceil(min(screen[2], width + 1.0) - 0.5 + MARGIN_PX)
    first_row = math.ceil(max(screen[1], 0.0) - 0.5 - MARGIN_PX)
    end_row = math.ceil(min(screen[3], height + 1.0) - 0.5 + MARGIN_PX)
    return _is_hidden(
        max(0, first_row), min(height, end_row), max(0, first_col), min(width, end_col),
        (1.0 + MARGIN_DEPTH) / screen[4], instance, inverse_depth, stamp,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _is_hidden(first_row, end_row, first_col, end_col, closest, instance, inverse_depth, stamp):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True, error_model="numpy")
def _transform(block, matrix, points):  # type: ignore[no-untyped-def]
    """Fill ``points`` with ``(x*z, y*z, z)`` of a cluster's corners, laid out as the block is.

    One array in, one array out, and steps that the compiler knows: else it does not use vector instructions.
    """
    ax, ay, az, at = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3]
    bx, by, bz, bt = matrix[1, 0], matrix[1, 1], matrix[1, 2], matrix[1, 3]
    cx, cy, cz, ct = matrix[2, 0], matrix[2, 1], matrix[2, 2], matrix[2, 3]
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + CLUSTER_TRIANGLES):
            x, y, z = block[i], block[i + AXIS_STEP], block[i + 2 * AXIS_STEP]
            points[i] = ax * x + ay * y + az * z + at
            points[i + AXIS_STEP] = bx * x + by * y + bz * z + bt
            points[i + 2 * AXIS_STEP] = cx * x + cy * y + cz * z + ct


@njit(cache=True, nogil=True, error_model="numpy")
def _project(points):  # type: ignore[no-untyped-def]
    """Turn ``(x*z, y*z, z)`` into ``(x, y, 1/z)``."""
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + CLUSTER_TRIANGLES):
            inverse = 1.0 / points[i + 2 * AXIS_STEP]
            points[i] *= inverse
            points[i + AXIS_STEP] *= inverse
            points[i + 2 * AXIS_STEP] = inverse


@njit(cache=True, nogil=True, error_model="numpy")
def _spans(points, axis, size, first, end):  # type: ignore[no-untyped-def]
    """Pixels whose centres lie between the least and the greatest coordinate of each triangle, within the image."""
    for t in range(CLUSTER_TRIANGLES):
        i = axis * AXIS_STEP + t
        a, b, c = points[i], points[i + CORNER_STEP], points[i + 2 * CORNER_STEP]
        first[t] = np.int32(np.ceil(min(max(min(a, b, c), 0.0), size + 1.0) - 0.5))
        end[t] = np.int32(np.ceil(min(max(a, b, c, 0.0), size) - 0.5))


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_cluster(points, count, face, instance, inverse_depth, hit, stamp, span, columns):  # type: ignore[no-untyped-def]
    """Draw one cluster of projected points; returns how many pixels its instance had not covered before."""
    height, width = hit.shape
    _spans(points, 1, height + 0.0, span[0], span[1])
    _spans(points, 0, width + 0.0, span[2], span[3])
    covering = span[4]
    left = 0
    for t in range(count):
        covering[left] = t
        left += 1 if (span[0, t] < span[1, t]) & (span[2, t] < span[3, t]) else 0
    fresh = 0
    for k in range(left):
        t = int(covering[k])
        a, b, c = t, t + CORNER_STEP, t + 2 * CORNER_STEP
        aq, bq, cq = points[a + 2 * AXIS_STEP], points[b + 2 * AXIS_STEP], points[c + 2 * AXIS_STEP]
        if _is_hidden(span[0, t], span[1, t], span[2, t], span[3, t], max(aq, bq, cq), instance, inverse_depth, stamp):
            continue
        fresh += _draw_triangle(
            points[a], points[a + AXIS_STEP], aq, points[b], points[b + AXIS_STEP], bq,
            points[c], points[c + AXIS_STEP], cq, face + t, instance, inverse_depth, hit, stamp, columns,
        )  # fmt: skip
    return fresh


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_clipped(points, count, face, instance, near, inverse_depth, hit, stamp, columns):  # type: ignore[no-untyped-def]
    """Draw one cluster of points ``(x*z, y*z, z)``, clipped at the near plane; returns as :func:`_draw_cluster`."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    fresh = 0
    for t in range(count):
        n = clip_triangle(points, t, near, px, py, pq)
        for k in range(1, n - 1):
            fresh += _draw_triangle(
                px[0], py[0], pq[0], px[k], py[k], pq[k], px[k + 1], py[k + 1], pq[k + 1],
                face + t, instance, inverse_depth, hit, stamp, columns,
            )  # fmt: skip
    return fresh


@njit(cache=True, nogil=True, error_model="numpy")
def _slope(ax, ay, bx, by):  # type: ignore[no-untyped-def]
    """Columns per row along an edge from its upper end to its lower one."""
    return (bx - ax) / (by - ay) if by > ay else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _columns(  # type: ignore[no-untyped-def]
    x0, y0, x1, y1, long_slope, upper_slope, lower_slope, first_row, count, width, first, end
):
    """Columns whose centres lie inside a triangle, for each of its rows: from the first up to the end."""
    for i in range(count):
        y = (first_row + i) + 0.5
        a = x0 + (y - y0) * long_slope
        b = x0 + (y - y0) * upper_slope if y < y1 else x1 + (y - y1) * lower_slope
        first[i] = np.int32(np.ceil(min(max(min(a, b), 0.0), width + 1.0) - 0.5))
        end[i] = np.int32(np.ceil(min(max(a, b, 0.0), width) - 0.5))


@njit(cache=True, nogil=True, error_model="numpy")
def _stamp(stamp, row, first, end, instance):  # type: ignore[no-untyped-def]
    """Mark pixels as covered by an instance; returns how many were not yet."""
    fresh = 0
    r = np.uint64(row)
    for col in range(first, end):
        c = np.uint64(col)
        fresh += stamp[r, c] != instance
        stamp[r, c] = instance
    return fresh


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_triangle(  # type: ignore[no-untyped-def]
    x0, y0, q0, x1, y1, q1, x2, y2, q2, face, instance, inverse_depth, hit, stamp, columns
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
            held = inverse_depth[r, c]
            if q >= held and (q > held or face < hit[r, c]):
                inverse_depth[r, c] = q
                hit[r, c] = face
        if instance > 0:
            fresh += _stamp(stamp, row, first, end, instance)
    return fresh


@njit(cache=True, nogil=True, error_model="numpy")
def resolve(  # type: ignore[no-untyped-def]
    inverse_depth, hit, instance_of_part, triangle_start, zones, background_zone, depth_m, instance_id, zone, part
):
    """Turn hits into passes; ``triangle_start`` (P,) is where each part's triangles begin in ``zones``."""
    for r in range(hit.shape[0]):
        for c in range(hit.shape[1]):
            depth_m[r, c] = 1.0 / inverse_depth[r, c]  # 1 / 0 is infinite, as it should be
        last, i, z, p = NO_HIT, 0, background_zone, -1
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h != last:
                last = h
                i, z, p = 0, background_zone, -1
                if h != NO_HIT:
                    p = h >> PART_SHIFT
                    i, z = instance_of_part[p], zones[triangle_start[p] + (h & TRIANGLE_MASK)]
            instance_id[r, c], zone[r, c], part[r, c] = i, z, p + 1


@njit(cache=True, nogil=True, error_model="numpy")
def bound_instances(  # type: ignore[no-untyped-def]
    blocks, mesh_triangle, mesh_cluster, cluster_box, mesh, matrices, instance_id, near, bounds
):
    """Widen ``bounds`` (N, 4) to the instances' left, top, right and bottom; instance 0 is left out.

    The clusters' boxes are projected first, and only those that reach beyond what is known are looked into: first the
    four that reach farthest, then hardly any other.
    """
    points = np.empty(9 * CLUSTER_TRIANGLES)
    farthest = np.full((bounds.shape[0], 4), np.inf)
    where = np.zeros((bounds.shape[0], 4, 2), np.int64)
    for p in range(mesh.shape[0]):
        i = instance_id[p]
        if i > 0:
            _bound_near_clusters(
                blocks, mesh_triangle, mesh_cluster, cluster_box, mesh[p], matrices, p, near,
                points, bounds[i], farthest[i], where[i],
            )  # fmt: skip
    for i in range(bounds.shape[0]):
        for side in range(4):
            if farthest[i, side] < np.inf:
                p, c = where[i, side]
                count = _cluster(blocks, mesh_triangle, mesh_cluster, mesh[p], c, matrices[p], points)
                _widen_by_points(points, count, bounds[i])
    screen = np.empty(6)
    for p in range(mesh.shape[0]):
        i, m = instance_id[p], mesh[p]
        for c in range(mesh_cluster[m], mesh_cluster[m + 1] if i > 0 else 0):
            box_on_screen(cluster_box, c, matrices, p, near, 1.0, 1.0, screen)
            if screen[4] >= near and _reaches_beyond(screen, bounds[i]):
                count = _cluster(blocks, mesh_triangle, mesh_cluster, m, c, matrices[p], points)
                _widen_by_points(points, count, bounds[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _cluster(blocks, mesh_triangle, mesh_cluster, m, c, matrix, points):  # type: ignore[no-untyped-def]
    """Transform a cluster of a mesh; returns its number of triangles."""
    _transform(blocks[c], matrix, points)
    return min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - (c - mesh_cluster[m]) * CLUSTER_TRIANGLES)


@njit(cache=True, nogil=True, error_model="numpy")
def _bound_near_clusters(  # type: ignore[no-untyped-def]
    blocks, mesh_triangle, mesh_cluster, cluster_box, m, matrices, p, near, points, bounds, farthest, where
):
    """Widen an instance's bounds by what the near plane cuts; note which of the other clusters reach farthest."""
    screen = np.empty(6)
    for c in range(mesh_cluster[m], mesh_cluster[m + 1]):
        box_on_screen(cluster_box, c, matrices, p, near, 1.0, 1.0, screen)
        if screen[4] < near <= screen[5]:
            count = _cluster(blocks, mesh_triangle, mesh_cluster, m, c, matrices[p], points)
            _widen_by_triangles(points, count, near, bounds)
        elif screen[4] >= near:
            for side in range(4):
                reach = screen[side] if side < 2 else -screen[side]
                if reach < farthest[side]:
                    farthest[side], where[side, 0], where[side, 1] = reach, p, c


@njit(cache=True, nogil=True, error_model="numpy")
def _reaches_beyond(screen, bounds):  # type: ignore[no-untyped-def]
    return screen[0] < bounds[0] or screen[1] < bounds[1] or screen[2] > bounds[2] or screen[3] > bounds[3]


@njit(cache=True, nogil=True, error_model="numpy")
def _widen_by_points(points, count, bounds):  # type: ignore[no-untyped-def]
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + count):
            inverse = 1.0 / points[i + 2 * AXIS_STEP]
            x, y = points[i] * inverse, points[i + AXIS_STEP] * inverse
            bounds[0], bounds[2] = min(bounds[0], x), max(bounds[2], x)
            bounds[1], bounds[3] = min(bounds[1], y), max(bounds[3], y)


@njit(cache=True, nogil=True, error_model="numpy")
def _widen_by_triangles(points, count, near, bounds):  # type: ignore[no-untyped-def]
    """Widen bounds to triangles of a transformed block, clipped at the near plane."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    for t in range(count):
        for k in range(clip_triangle(points, t, near, px, py, pq)):
            bounds[0], bounds[2] = min(bounds[0], px[k]), max(bounds[2], px[k])
            bounds[1], bounds[3] = min(bounds[1], py[k]), max(bounds[3], py[k])


@njit(cache=True, nogil=True, error_model="numpy")
def bound_triangles(blocks, count, matrix, near, bounds):  # type: ignore[no-untyped-def]
    """Widen ``bounds`` (4,) to some triangles, clipped at the near plane."""
    points = np.empty(9 * CLUSTER_TRIANGLES)
    for c in range(blocks.shape[0]):
        _transform(blocks[c], matrix, points)
        _widen_by_triangles(points, min(CLUSTER_TRIANGLES, count - c * CLUSTER_TRIANGLES), near, bounds)


@njit(cache=True, nogil=True, error_model="numpy")
def bound_pixels(instance_id, count):  # type: ignore[no-untyped-def]
    """Pixels, left, top, right and bottom (exclusive) of each id up to ``count``: (count + 1, 5)."""
    height, width = instance_id.shape
    out = np.zeros((count + 1, 5), np.int64)
    out[:, 1], out[:, 2] = width, height
    for r in range(height):
        present = 0
        for c in range(width):
            present |= instance_id[r, c]
        first = 0 if present else width
        while first < width:
            i, end = instance_id[r, first], first + 1
            while end < width and instance_id[r, np.uint64(end)] == i:
                end += 1
            if 0 < i <= count:
                out[i, 0] += end - first
                out[i, 1], out[i, 2] = min(out[i, 1], first), min(out[i, 2], r)
                out[i, 3], out[i, 4] = max(out[i, 3], end), r + 1
            first = end
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def normal_matrices(local_to_world, turn, mirrored):  # type: ignore[no-untyped-def]
    """Matrices (P, 3, 3), up to scale, that turn each part's normals to the world, and which parts are mirror images.

    Cofactors are the transposed inverse times the determinant.
    """
    for p in range(local_to_world.shape[0]):
        m = local_to_world[p]
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            for r in range(3):
                s, t = (r + 1) % 3, (r + 2) % 3
                turn[p, i, r] = m[j, s] * m[k, t] - m[j, t] * m[k, s]
        determinant = m[0, 0] * turn[p, 0, 0] + m[0, 1] * turn[p, 0, 1] + m[0, 2] * turn[p, 0, 2]
        mirrored[p] = determinant < 0.0
        if mirrored[p]:
            for i in range(3):
                for r in range(3):
                    turn[p, i, r] = -turn[p, i, r]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_normals(  # type: ignore[no-untyped-def]
    hit, blocks, normals, first_triangle, first_cluster, matrices, turn, mirrored, out
):
    """Neighbouring pixels of one triangle share its set-up."""
    corner, weight, turned = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    for r in range(hit.shape[0]):
        last = NO_HIT
        for c in range(hit.shape[1]):
            h = hit[r, c]
            if h == NO_HIT:
                continue
            if h != last:
                last = h
                p = h >> PART_SHIFT
                number = h & TRIANGLE_MASK
                t = first_triangle[p] + number
                block = blocks[first_cluster[p] + number // CLUSTER_TRIANGLES]
                _project_corners(block, number % CLUSTER_TRIANGLES, matrices, p, corner)
                # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
                sign = -1.0 if (_weights(corner, weight) > 0.0) != mirrored[p] else 1.0
                _turn(normals, t, turn, p, sign, turned)
            _blend(weight, turned, c + 0.5, r + 0.5, out, r, c)


@njit(cache=True, nogil=True, error_model="numpy")
def _project_corners(block, t, matrices, p, out):  # type: ignore[no-untyped-def]
    """Homogeneous pixel coordinates of a triangle's corners, as rows."""
    for i in range(3):
        k = i * CORNER_STEP + t
        x, y, z = block[k], block[k + AXIS_STEP], block[k + 2 * AXIS_STEP]
        for k in range(3):
            out[i, k] = matrices[p, k, 0] * x + matrices[p, k, 1] * y + matrices[p, k, 2] * z + matrices[p, k, 3]


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(corner, weight):  # type: ignore[no-untyped-def]
    """Rows of ``weight``: the corners' weights as functions of the pixel (up to scale); returns the facing sign.

    Weights ``w`` solve ``sum w_i h_i ~ (x, y, 1)`` for homogeneous corners ``h_i``: Cramer's rule makes them the cross
    products of the other two corners. It holds for corners behind the camera as well.
    """
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        weight[i, 0] = corner[j, 1] * corner[k, 2] - corner[j, 2] * corner[k, 1]
        weight[i, 1] = corner[j, 2] * corner[k, 0] - corner[j, 0] * corner[k, 2]
        weight[i, 2] = corner[j, 0] * corner[k, 1] - corner[j, 1] * corner[k, 0]
    return corner[0, 0] * weight[0, 0] + corner[0, 1] * weight[0, 1] + corner[0, 2] * weight[0, 2]


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(normals, t, turn, p, sign, out):  # type: ignore[no-untyped-def]
    """Corner normals (rows) in the world."""
    for i in range(3):
        for k in range(3):
            out[i, k] = sign * (
                turn[p, k, 0] * normals[t, i, 0] + turn[p, k, 1] * normals[t, i, 1] + turn[p, k, 2] * normals[t, i, 2]
            )


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(weight, turned, x, y, out, r, c):  # type: ignore[no-untyped-def]
    """Weighted sum of the corner normals at a pixel, made a unit vector."""
    a = weight[0, 0] * x + weight[0, 1] * y + weight[0, 2]
    b = weight[1, 0] * x + weight[1, 1] * y + weight[1, 2]
    d = weight[2, 0] * x + weight[2, 1] * y + weight[2, 2]
    nx = a * turned[0, 0] + b * turned[1, 0] + d * turned[2, 0]
    ny = a * turned[0, 1] + b * turned[1, 1] + d * turned[2, 1]
    nz = a * turned[0, 2] + b * turned[1, 2] + d * turned[2, 2]
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length > 0.0:
        # The weights share a sign, that of their sum.
        scale = 1.0 / length if a + b + d > 0.0 else -1.0 / length
        out[r, c, 0], out[r, c, 1], out[r, c, 2] = nx * scale, ny * scale, nz * scale
