"""Sub-samples of the pixels at edges of near objects: strips and seams thinner than a pixel, outlines.

A pixel shows what its centre hits. A bevel, a seam or a bar that is thinner than that is hit in some columns and missed
in the next ones, and is seen as a row of strokes. Here the pixels at such edges are found, and the triangles that may
lie in them tested at four places of each: those of all clusters of which a pixel there shows a triangle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.clusters import AXIS_STEP, CLUSTER_TRIANGLES, CORNER_STEP, FlatMeshes, PlacedParts, transform_cluster
from ..geometry.edge_samples import SAMPLE_GRID, SUB_SAMPLES
from ..optional import ZERO, kernel
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK
from .normals import blend, normal_matrices, project_corners, turn_normals, weights

__all__ = ["EdgePixels", "Seen", "edge_pixels", "edge_sources", "hits_at_edges"]

_SAME = 0.9
"""Cosine between normals from which two points of one zone are parts of one surface."""
_SURE = 0.98
"""The same between corners of two triangles, which say nearly what the points themselves would."""
_COUNT = len(SUB_SAMPLES)
_COLUMNS, _ROWS = (np.array(axis) for axis in zip(*SUB_SAMPLES, strict=True))
_RIGHT, _DOWN = ((axis + 0.5) / SAMPLE_GRID for axis in (_COLUMNS, _ROWS))
_SLACK = 1e-9
_NUMBERS = 15
_SIDES = _NUMBERS + 3 * _COUNT
_SLOTS = 1 << 13
"""Of the table of clusters, a power of two; fuller than half it takes no more."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Seen(NamedTuple):
    """What the centres of the pixels of a picture hit, row after row."""

    width: int
    hit: Ints
    """(N,), see :mod:`.hits`."""
    depth_m: NDArray[np.float32]
    """(N,) as the next two."""
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    normal: NDArray[np.float32]
    """(3 N,)"""


class EdgePixels(NamedTuple):
    """Pixels beside another surface, in windows of the picture."""

    number: Ints
    """(E,) along rows."""
    first_row: int
    """Of the rectangle around the windows, as the next two."""
    first_column: int
    columns: int
    before: NDArray[np.int32]
    """(rows * columns + 1,) how many of the pixels lie before each of those, and all of them."""


@kernel
def edge_pixels(seen: Seen, near: NDArray[np.bool_], windows: Ints) -> EdgePixels:
    """Find pixels beside another surface.

    Args:
        seen: what the pixels show.
        near: by instance id, the objects whose edges count.
        windows: (B, 4) top, bottom, left and right of the pixels to look at.
    """
    # Taken out of the tuple once: each time costs a count of references.
    ids, zone, normal, width = seen.instance_id, seen.zone, seen.normal, seen.width
    first_row, end_row, first_column, end_column = windows[0]
    for w in range(1, windows.shape[0]):
        first_row, end_row = min(first_row, windows[w, 0]), max(end_row, windows[w, 1])
        first_column, end_column = min(first_column, windows[w, 2]), max(end_column, windows[w, 3])
    rows, columns = end_row - first_row, end_column - first_column
    is_edge = np.zeros(rows * columns, np.bool_)
    # What tells near objects' surfaces of two rows apart, 0 for all else.
    marks = np.zeros((2, columns + 1), np.int32)
    for w in range(windows.shape[0]):
        top, bottom, left, right = windows[w]
        for r in range(top, bottom):
            mark, above = marks[r % 2], marks[(r + 1) % 2]
            start, own, count = r * width + left, (r - first_row) * columns + left - first_column, right - left
            for c in range(count):
                i = np.uint64(start + c)
                mark[np.uint64(c)] = (np.int32(ids[i]) << 8 | np.int32(zone[i])) if near[np.uint64(ids[i])] else 0
            _mark_edges(mark[: count - 1], mark[1:count], normal, 3 * start, 3, is_edge, own, 1)
            if r > top:
                _mark_edges(above[:count], mark[:count], normal, 3 * (start - width), 3 * width, is_edge, own - columns,
                            columns)  # fmt: skip
    before = np.empty(is_edge.size + 1, np.int32)
    number = np.empty(is_edge.size, np.int64)
    count, k = 0, 0
    for r in range(rows):
        start = (first_row + r) * width + first_column
        for c in range(columns):
            i, at = np.uint64(k + c), np.uint64(count)
            before[i] = count
            number[at] = start + c
            count += is_edge[i]
        k += columns
    before[is_edge.size] = count
    return EdgePixels(number[:count], first_row, first_column, columns, before)


@kernel
def _mark_edges(
    mark: NDArray[np.int32], other: NDArray[np.int32], normal: NDArray[np.float32], at: int, away: int,
    is_edge: NDArray[np.bool_], own: int, step: int,
) -> None:  # fmt: skip
    """Set ``is_edge`` for pixels of a row and their neighbours between which another surface begins.

    Args:
        mark: what the pixels show.
        other: what their neighbours show.
        normal: (3 N,) of the picture.
        at: where in it the row begins.
        away: how much farther the neighbours are.
        is_edge: of the pixels of the windows.
        own: where in it the row begins.
        step: how much farther the neighbours are.
    """
    for c in range(mark.size):
        i, k = np.uint64(at + 3 * c), np.uint64(own + c)
        j, one, two = i + np.uint64(away), np.uint64(1), np.uint64(2)
        along = normal[i] * normal[j] + normal[i + one] * normal[j + one] + normal[i + two] * normal[j + two]
        a, b = mark[np.uint64(c)], other[np.uint64(c)]
        found = (a != b) | ((a != 0) & (along < np.float32(_SAME)))
        is_edge[k] |= found
        is_edge[k + np.uint64(step)] |= found


@kernel
def hits_at_edges(
    edges: EdgePixels, seen: Seen, near: NDArray[np.bool_], meshes: FlatMeshes, parts: PlacedParts, near_m: float,
    hits: Ints, inverse_depth: Floats,
) -> None:  # fmt: skip
    """Fill which triangles of near objects the sub-samples of pixels hit, and 1 / depth there.

    Args:
        edges: the pixels.
        seen: what the pixels show.
        near: by instance id, the objects that are looked for.
        meshes: all that the parts are made of.
        parts: as the camera sees them.
        near_m: distance of the near plane: triangles that reach beyond it are left out.
        hits: (4 E,), :data:`.hits.NO_HIT` for none.
        inverse_depth: (4 E,), 0 for none.
    """
    hits[:] = NO_HIT
    inverse_depth[:] = 0.0
    before, numbers, columns = edges.before, edges.number, edges.columns
    first_row, first_column, width = edges.first_row, edges.first_column, seen.width
    rows = before.size // columns
    mesh, matrices, blocks = parts.mesh, parts.matrices, meshes.blocks
    mesh_cluster, mesh_triangle = meshes.mesh_cluster, meshes.mesh_triangle
    points = np.empty(9 * CLUSTER_TRIANGLES)
    tops, bottoms = np.empty(CLUSTER_TRIANGLES, np.int32), np.empty(CLUSTER_TRIANGLES, np.int32)
    lefts, rights = np.empty(CLUSTER_TRIANGLES, np.int32), np.empty(CLUSTER_TRIANGLES, np.int32)
    sides = np.empty(_SIDES)
    keys = _clusters_of(edges, seen, near, parts)
    for key in keys:
        p, cluster = key >> PART_SHIFT, key & TRIANGLE_MASK
        m, number = mesh[p], cluster * CLUSTER_TRIANGLES
        transform_cluster(blocks[mesh_cluster[m] + cluster], matrices[p], points)
        _projected(points, near_m)
        _pixels_of(points, 0, first_column + 0.0, columns + 0.0, lefts, rights)
        _pixels_of(points, AXIS_STEP, first_row + 0.0, rows + 0.0, tops, bottoms)
        for t in range(min(CLUSTER_TRIANGLES, mesh_triangle[m + 1] - mesh_triangle[m] - number)):
            u = np.uint64(t)
            top, bottom, left, right = np.int64(tops[u]), np.int64(bottoms[u]), np.int64(lefts[u]), np.int64(rights[u])
            while top < bottom and before[np.uint64(top * columns + left)] == before[np.uint64(top * columns + right)]:
                top += 1
            if top >= bottom or not _set_up(points, t, sides):
                continue
            bx, by, b_level = sides[0], sides[1], sides[2]
            cx, cy, c_level = sides[3], sides[4], sides[5]
            for r in range(top, bottom):
                # Of the pixels in the triangle's box most lie beside it: from where to where any of it is in this row.
                y, start = first_row + r + 0.0, r * columns - first_column
                b_row, c_row = by * y + b_level, cy * y + c_level
                low, high = _bound(
                    first_column + left + 0.0, first_column + right - 1.0, b_row + sides[9], bx, sides[10]
                )
                low, high = _bound(low, high, c_row + sides[11], cx, sides[12])
                low, high = _bound(low, high, sides[13] - b_row - c_row, -bx - cx, sides[14])
                if low >= high + 1.0:
                    continue
                first = before[np.uint64(start + np.int64(np.ceil(low)))]
                end = before[np.uint64(start + np.int64(np.floor(high)) + 1)]
                for e in range(first, end):
                    x = numbers[np.uint64(e)] - (first_row + r) * width + 0.0
                    _test(
                        sides, bx * x + b_row, cx * x + c_row, x, y, (p << PART_SHIFT) + number + t, e * _COUNT, hits,
                        inverse_depth,
                    )  # fmt: skip


@kernel
def _bound(low: Any, high: Any, level: float, slope: float, per: float) -> tuple[Any, Any]:
    """The part of ``low`` to ``high`` in which ``level + slope * x`` is not below 0; ``per`` is 1 / slope or 0."""
    zero = -level * per
    return max(low, zero if per > 0.0 else low), min(high, zero if per < 0.0 else high)


@kernel
def _clusters_of(edges: EdgePixels, seen: Seen, near: NDArray[np.bool_], parts: PlacedParts) -> Ints:
    """Clusters of near objects that pixels show a triangle of: part, shifted, plus the cluster's number in its mesh."""
    table, found, count = np.full(_SLOTS, -1), np.empty(_SLOTS // 2, np.int64), 0
    last, hit, ids = -1, seen.hit, parts.instance_id
    for i in edges.number:
        h = hit[np.uint64(i)]
        if h == NO_HIT or not near[ids[h >> PART_SHIFT]]:
            continue
        key = ((h >> PART_SHIFT) << PART_SHIFT) + (h & TRIANGLE_MASK) // CLUSTER_TRIANGLES
        if key == last or count == found.size:
            continue
        last = key
        slot = ((key >> PART_SHIFT) * 641 + (key & TRIANGLE_MASK)) & (_SLOTS - 1)
        while table[slot] != -1 and table[slot] != key:
            slot = (slot + 1) & (_SLOTS - 1)
        if table[slot] == -1:
            table[slot] = found[count] = key
            count += 1
    return found[:count].copy()


@kernel
def _projected(points: Floats, near_m: float) -> None:
    """Turn ``(x*z, y*z, z)`` into ``(x, y, 1/z)``; what lies before the near plane becomes no number."""
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + CLUSTER_TRIANGLES):
            z = points[i + 2 * AXIS_STEP]
            inverse = 1.0 / z if z > near_m else np.nan
            points[i] *= inverse
            points[i + AXIS_STEP] *= inverse
            points[i + 2 * AXIS_STEP] = inverse


@kernel
def _pixels_of(
    points: Floats, axis: int, first: float, size: float, starts: NDArray[np.int32], ends: NDArray[np.int32]
) -> None:
    """Pixels, from ``first`` on, that triangles touch: from, and up to before; none where a corner is no number."""
    for t in range(CLUSTER_TRIANGLES):
        a, b, c = points[axis + t], points[axis + t + CORNER_STEP], points[axis + t + 2 * CORNER_STEP]
        low, high = min(min(a, b), c) - first, max(max(a, b), c) - first
        is_there = a + b + c == a + b + c and high >= 0.0 and low < size
        starts[t] = np.int32(np.floor(max(low, 0.0)) if is_there else 0.0)
        ends[t] = np.int32(np.floor(min(high, size - 0.5)) + 1.0 if is_there else 0.0)


@kernel
def _set_up(points: Floats, t: int, sides: Floats) -> bool:
    """Fill how the second and the third corner's weight and 1 / depth depend on the place; whether there is an area.

    ``sides``: of either weight, and of 1 / depth, what it grows by with column and row, and what it is at the origin;
    of either weight the most that a sub-sample adds to it, and 1 / its growth with the column, then the same of what
    their sum leaves of 1; at last what each sub-sample adds to either weight and to 1 / depth.
    """
    i, j, k = np.uint64(t), np.uint64(CORNER_STEP + t), np.uint64(2 * CORNER_STEP + t)
    y, z = np.uint64(AXIS_STEP), np.uint64(2 * AXIS_STEP)
    x0, y0, q0 = points[i], points[i + y], points[i + z]
    x1, y1, q1 = points[j], points[j + y], points[j + z]
    x2, y2, q2 = points[k], points[k + y], points[k + z]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if area == 0.0:
        return False
    per = 1.0 / area
    bx, by, cx, cy = (y2 - y0) * per, (x0 - x2) * per, (y0 - y1) * per, (x1 - x0) * per
    sides[0], sides[1], sides[2] = bx, by, -bx * x0 - by * y0
    sides[3], sides[4], sides[5] = cx, cy, -cx * x0 - cy * y0
    sides[6], sides[7] = bx * (q1 - q0) + cx * (q2 - q0), by * (q1 - q0) + cy * (q2 - q0)
    sides[8] = q0 - sides[6] * x0 - sides[7] * y0
    b_most = c_most = least = -np.inf
    for s in range(_COUNT):
        b, c = bx * _RIGHT[s] + by * _DOWN[s], cx * _RIGHT[s] + cy * _DOWN[s]
        b_most, c_most, least = max(b_most, b), max(c_most, c), max(least, -b - c)
        sides[_NUMBERS + s], sides[_NUMBERS + _COUNT + s] = b, c
        sides[_NUMBERS + 2 * _COUNT + s] = sides[6] * _RIGHT[s] + sides[7] * _DOWN[s]
    # Slack against rounding, which is settled sample by sample.
    sides[9], sides[11], sides[13] = b_most + _SLACK, c_most + _SLACK, 1.0 + least + _SLACK
    sides[10], sides[12], sides[14] = _inverse(bx), _inverse(cx), _inverse(-bx - cx)
    return True


@kernel
def _inverse(slope: float) -> float:
    return 1.0 / slope if abs(slope) > _SLACK else 0.0


@kernel
def _test(
    sides: Floats, b: float, c: float, x: float, y: float, face: int, at: int, hits: Ints, inverse_depth: Floats
) -> None:
    """Let a triangle be what those sub-samples of a pixel hit that lie in it, where nothing nearer is."""
    q = sides[6] * x + sides[7] * y + sides[8]
    for s in range(_COUNT):
        k, i = np.uint64(_NUMBERS + s), np.uint64(at + s)
        u, v, there = b + sides[k], c + sides[k + np.uint64(_COUNT)], q + sides[k + np.uint64(2 * _COUNT)]
        before, hit = inverse_depth[i], hits[i]
        # No branches: which way they go is anybody's guess.
        wins = (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & ((there > before) | ((there == before) & (face < hit)))
        inverse_depth[i] = there if wins else before
        hits[i] = face if wins else hit


@kernel
def edge_sources(
    edges: EdgePixels, hits: Ints, inverse_depth: Floats, seen: Seen, near: NDArray[np.bool_], meshes: FlatMeshes,
    parts: PlacedParts, local_to_world: Floats, source: NDArray[np.int32], normals: NDArray[np.float32],
) -> Ints:  # fmt: skip
    """Fill ``source``, see :class:`..geometry.edge_samples.EdgeSamples`; returns numbers (S,) of the samples it names.

    Args:
        edges: the pixels.
        hits: (4 E,) of :func:`hits_at_edges`, as inverse_depth.
        inverse_depth: see hits.
        seen: what the pixels show.
        near: by instance id, the objects whose edges count.
        meshes: all that the parts are made of.
        parts: as the camera sees them.
        local_to_world: (P, 4, 4) of the parts.
        source: (4 E,) what is filled.
        normals: (4 E, 3): the first S are filled.
    """
    width, hit, ids, zone, seen_normals, depths = (
        seen.width, seen.hit, seen.instance_id, seen.zone, seen.normal, seen.depth_m
    )  # fmt: skip
    mesh, part_ids, zones, mesh_triangle = parts.mesh, parts.instance_id, meshes.zones, meshes.mesh_triangle
    mesh_cluster, blocks, matrices, corner_normals = meshes.mesh_cluster, meshes.blocks, parts.matrices, meshes.normals
    numbers = edges.number
    kept, count, last = np.empty(hits.size, np.int64), ZERO, NO_HIT
    corner, weight, turned = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    turn, mirrored, last_part = np.empty((1, 3, 3)), np.empty(1, np.bool_), -1
    for e in range(numbers.size):
        pixel = numbers[e]
        i = np.uint64(pixel)
        own, own_id, own_zone = hit[i], ids[i], zone[i]
        is_near, depth = near[own_id], np.float64(depths[i])
        for s in range(_COUNT):
            k = np.uint64(e * _COUNT + s)
            h = hits[k]
            source[k] = pixel
            if h == NO_HIT:
                source[k] = _beside(ids, depths, width, pixel, _COLUMNS[s], _ROWS[s]) if is_near else pixel
            elif h != own and (is_near or inverse_depth[k] * depth > 1.0):
                p, number = h >> PART_SHIFT, h & TRIANGLE_MASK
                m = mesh[p]
                alike = zones[mesh_triangle[m] + number] == own_zone and part_ids[p] == own_id
                if alike and h >> PART_SHIFT == own >> PART_SHIFT:
                    # Of most the normals of a corner each tell that they are of one surface.
                    t = mesh_triangle[m]
                    if _cosine(corner_normals, t + number, t + (own & TRIANGLE_MASK)) > _SURE:
                        continue
                if h != last:
                    if p != last_part:
                        normal_matrices(local_to_world[p : p + 1], turn, mirrored)
                    last, last_part = h, p
                    cluster = mesh_cluster[m] + number // CLUSTER_TRIANGLES
                    project_corners(blocks, cluster, number % CLUSTER_TRIANGLES, matrices, p, corner)
                    sign = -1.0 if (weights(corner, weight) > 0.0) != mirrored[0] else 1.0
                    turn_normals(corner_normals, mesh_triangle[m] + number, turn, 0, sign, turned)
                blend(weight, turned, pixel % width + _RIGHT[s], pixel // width + _DOWN[s], normals[count])
                if alike and _along(normals, count, seen_normals, pixel) > _SAME:
                    continue
                source[k], kept[count] = -1 - count, k
                count += 1
    return kept[:count].copy()


@kernel
def _cosine(normals: NDArray[np.float32], i: int, k: int) -> float:
    """Between the normals of the first corners of two triangles, of all (T, 3, 3)."""
    cosine: float = (
        normals[i, 0, 0] * normals[k, 0, 0] + normals[i, 0, 1] * normals[k, 0, 1] + normals[i, 0, 2] * normals[k, 0, 2]
    )
    return cosine


@kernel
def _along(normals: NDArray[np.float32], k: int, flat: NDArray[np.float32], i: int) -> float:
    """Cosine between row ``k`` of normals (S, 3) and normal ``i`` of a flat array of them."""
    cosine: float = normals[k, 0] * flat[3 * i] + normals[k, 1] * flat[3 * i + 1] + normals[k, 2] * flat[3 * i + 2]
    return cosine


@kernel
def _beside(ids: NDArray[np.uint16], depths: NDArray[np.float32], width: int, pixel: int, column: int, row: int) -> int:
    """Number of the pixel that shows what lies behind an object where a sub-sample misses it; none: the pixel's own."""
    aside, below = 1 if 2 * column >= SAMPLE_GRID else -1, 1 if 2 * row >= SAMPLE_GRID else -1
    upright = abs(2 * column + 1 - SAMPLE_GRID) < abs(2 * row + 1 - SAMPLE_GRID)
    for step in range(3):
        down = below if step == 2 or (step == 0) == upright else 0
        over = aside if step == 2 or (step == 0) != upright else 0
        there = pixel + down * width + over
        is_inside = 0 <= pixel % width + over < width and 0 <= there < ids.size
        if is_inside and ids[there] != ids[pixel] and depths[there] > depths[pixel]:
            return there
    return pixel
