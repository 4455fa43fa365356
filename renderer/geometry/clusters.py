"""Compiled loops over meshes in clusters: their boxes in the image, and what of them bounds an object.

Everything here works on the arrays of :class:`.meshes.FlatMeshes`; matrices (P, 3, 4) take a part's coordinates to
``(x*z, y*z, z)``, in pixels and metres.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..optional import ZERO, kernel

__all__ = [
    "AXIS_STEP",
    "BOTTOM",
    "CLUSTER_TRIANGLES",
    "CORNER_STEP",
    "FARTHEST",
    "LEFT",
    "NEAREST",
    "RIGHT",
    "TOP",
    "BoxState",
    "FlatMeshes",
    "PlacedParts",
    "bound_instances",
    "bound_pixels",
    "bound_triangles",
    "box_on_screen",
    "clip_triangle",
    "renumber_pixels",
    "transform_cluster",
]

Floats = NDArray[np.float64]

CLUSTER_TRIANGLES = 64
"""Triangles per cluster. Measured on the city: 32 and 128 are slower by a tenth."""
CORNER_STEP, AXIS_STEP = 3 * CLUSTER_TRIANGLES, CLUSTER_TRIANGLES
"""Distance between a triangle's corners, and between the axes of a corner, in a cluster's block."""

LEFT, TOP, RIGHT, BOTTOM, NEAREST, FARTHEST = range(6)
"""Places in a box as it appears in the image: four edges in pixels, two distances in metres. Bounds have the edges."""


class BoxState(IntEnum):
    """Where a box is, as seen from the camera."""

    OUTSIDE = 0
    """Nothing of it is in the image."""
    CROSSES_NEAR = 1
    """The near plane cuts it, so that its edges in the image are not known."""
    IN_FRONT = 2


class FlatMeshes(NamedTuple):
    """All meshes of a pool, one after the other, cut into clusters of :data:`CLUSTER_TRIANGLES` triangles."""

    blocks: NDArray[np.float32]
    """(sum C, 9 * CLUSTER_TRIANGLES) the clusters' corners, see :func:`.meshes.cluster_blocks`."""
    zones: NDArray[np.uint8]
    """(sum T,)"""
    normals: NDArray[np.float32]
    """(sum T, 3, 3)"""
    mesh_triangle: NDArray[np.int64]
    """(M + 1,) where each mesh's triangles begin."""
    mesh_cluster: NDArray[np.int64]
    """(M + 1,) where each mesh's clusters begin."""
    mesh_box: Floats
    """(M, 2, 3) lowest and highest corner of each mesh."""
    cluster_box: Floats
    """(sum C, 2, 3) lowest and highest corner of each cluster."""


class PlacedParts(NamedTuple):
    """P meshes as they stand before a camera."""

    mesh: NDArray[np.int64]
    """(P,) numbers of meshes."""
    matrices: Floats
    """(P, 3, 4) each part's coordinates to ``(x*z, y*z, z)``, in pixels and metres."""
    instance_id: NDArray[np.int64]
    """(P,) 0 for the environment."""


@kernel
def box_on_screen(
    boxes: Floats, b: int, matrices: Floats, p: int, near_m: float, width: float, height: float, on_screen: Floats
) -> BoxState:
    """Project one box, ``boxes[b]`` (2, 3: lowest and highest corner), by a part's matrix, ``matrices[p]`` (3, 4).

    Fills ``on_screen`` (6,) with the edges in the image (pixels, only where all of the box is in front) and the
    distances of its nearest and farthest corner.
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
        if nearest >= near_m:
            inverse = 1.0 / z
            left, right = min(left, x * inverse), max(right, x * inverse)
            top, bottom = min(top, y * inverse), max(bottom, y * inverse)
    on_screen[LEFT], on_screen[TOP], on_screen[RIGHT], on_screen[BOTTOM] = left, top, right, bottom
    on_screen[NEAREST], on_screen[FARTHEST] = nearest, farthest
    if farthest < near_m or beyond_left or beyond_right or above or below:
        return BoxState.OUTSIDE
    return BoxState.IN_FRONT if nearest >= near_m else BoxState.CROSSES_NEAR


@kernel
def transform_cluster(block: NDArray[np.float32], matrix: Floats, points: Floats) -> None:
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


@kernel
def clip_triangle(points: Floats, t: int, near_m: float, px: Floats, py: Floats, pq: Floats) -> int:
    """Clip a triangle of a transformed block at ``z = near_m``.

    Fills pixel coordinates and inverse depth; returns the number of corners.
    """
    n = 0
    for corner in range(3):
        i, j = corner * CORNER_STEP + t, (corner + 1) % 3 * CORNER_STEP + t
        zi, zj = points[i + 2 * AXIS_STEP], points[j + 2 * AXIS_STEP]
        if zi >= near_m:
            inverse = 1.0 / zi
            px[n], py[n], pq[n] = points[i] * inverse, points[i + AXIS_STEP] * inverse, inverse
            n += 1
        if (zi >= near_m) != (zj >= near_m):
            # Always from the far end to the near one, so that both triangles of an edge cut it at one point.
            far, close = (i, j) if zi > zj else (j, i)
            s = (near_m - max(zi, zj)) / (min(zi, zj) - max(zi, zj))
            inverse = 1.0 / near_m
            px[n] = (points[far] + s * (points[close] - points[far])) * inverse
            py[n] = (points[far + AXIS_STEP] + s * (points[close + AXIS_STEP] - points[far + AXIS_STEP])) * inverse
            pq[n] = inverse
            n += 1
    return n


# --- bounds of instances ----------------------------------------------------------------------------------------------


@kernel
def bound_instances(meshes: FlatMeshes, parts: PlacedParts, near_m: float, bounds: Floats) -> None:
    """Widen ``bounds`` (N, 4) to the instances' left, top, right and bottom; instance 0 is left out.

    The clusters' boxes are projected first, and only those that reach beyond what is known are looked into: first the
    four that reach farthest, then hardly any other.
    """
    mesh, ids, mesh_cluster = parts.mesh, parts.instance_id, meshes.mesh_cluster
    points = np.empty(9 * CLUSTER_TRIANGLES)
    farthest = np.full((bounds.shape[0], 4), np.inf)
    where = np.zeros((bounds.shape[0], 4, 2), np.int64)
    on_screen, n = np.empty((_labelled_clusters(meshes, parts), 6)), ZERO
    for p in range(mesh.shape[0]):
        i = ids[p]
        if i > 0:
            n = _bound_near_clusters(meshes, parts, p, near_m, points, bounds[i], farthest[i], where[i], on_screen, n)
    for i in range(bounds.shape[0]):
        for side in range(4):
            if farthest[i, side] < np.inf:
                p, c = where[i, side]
                count = _transform(meshes, parts, p, c, points)
                _widen_by_points(points, count, bounds[i])
    n = ZERO
    for p in range(mesh.shape[0]):
        i, m = ids[p], mesh[p]
        for c in range(mesh_cluster[m], mesh_cluster[m + 1] if i > 0 else 0):
            if on_screen[n, NEAREST] >= near_m and _reaches_beyond(on_screen, n, bounds, i):
                count = _transform(meshes, parts, p, c, points)
                _widen_by_points(points, count, bounds[i])
            n += 1


@kernel
def _labelled_clusters(meshes: FlatMeshes, parts: PlacedParts) -> int:
    """How many clusters the instances have."""
    total = 0
    for p in range(parts.mesh.shape[0]):
        if parts.instance_id[p] > 0:
            total += meshes.mesh_cluster[parts.mesh[p] + 1] - meshes.mesh_cluster[parts.mesh[p]]
    return total


@kernel
def _transform(meshes: FlatMeshes, parts: PlacedParts, p: int, c: int, points: Floats) -> int:
    """Transform a cluster of a part; returns its number of triangles."""
    transform_cluster(meshes.blocks[c], parts.matrices[p], points)
    m = parts.mesh[p]
    left = meshes.mesh_triangle[m + 1] - meshes.mesh_triangle[m] - (c - meshes.mesh_cluster[m]) * CLUSTER_TRIANGLES
    return CLUSTER_TRIANGLES if left > CLUSTER_TRIANGLES else int(left)


@kernel
def _bound_near_clusters(
    meshes: FlatMeshes, parts: PlacedParts, p: int, near_m: float, points: Floats, bounds: Floats, farthest: Floats,
    where: NDArray[np.int64], on_screen: Floats, n: int,
) -> int:  # fmt: skip
    """Widen an instance's bounds by what the near plane cuts; note which of the other clusters reach farthest.

    Fills ``on_screen`` (N, 6) from row ``n`` on with the clusters' boxes; returns the row behind them.
    """
    matrices, cluster_box = parts.matrices, meshes.cluster_box
    m = parts.mesh[p]
    for c in range(meshes.mesh_cluster[m], meshes.mesh_cluster[m + 1]):
        box_on_screen(cluster_box, c, matrices, p, near_m, 1.0, 1.0, on_screen[n])
        if on_screen[n, NEAREST] < near_m <= on_screen[n, FARTHEST]:
            count = _transform(meshes, parts, p, c, points)
            _widen_by_triangles(points, count, near_m, bounds)
        elif on_screen[n, NEAREST] >= near_m:
            for side in range(4):
                reach = on_screen[n, side] if side < RIGHT else -on_screen[n, side]
                if reach < farthest[side]:
                    farthest[side], where[side, 0], where[side, 1] = reach, p, c
        n += 1
    return n


@kernel
def _reaches_beyond(on_screen: Floats, n: int, bounds: Floats, i: int) -> bool:
    return bool(
        on_screen[n, LEFT] < bounds[i, LEFT]
        or on_screen[n, TOP] < bounds[i, TOP]
        or on_screen[n, RIGHT] > bounds[i, RIGHT]
        or on_screen[n, BOTTOM] > bounds[i, BOTTOM]
    )


@kernel
def _widen_by_points(points: Floats, count: int, bounds: Floats) -> None:
    for corner in range(0, 3 * CORNER_STEP, CORNER_STEP):
        for i in range(corner, corner + count):
            inverse = 1.0 / points[i + 2 * AXIS_STEP]
            x, y = points[i] * inverse, points[i + AXIS_STEP] * inverse
            bounds[LEFT], bounds[RIGHT] = min(bounds[LEFT], x), max(bounds[RIGHT], x)
            bounds[TOP], bounds[BOTTOM] = min(bounds[TOP], y), max(bounds[BOTTOM], y)


@kernel
def _widen_by_triangles(points: Floats, count: int, near_m: float, bounds: Floats) -> None:
    """Widen bounds to triangles of a transformed block, clipped at the near plane."""
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    for t in range(count):
        for k in range(clip_triangle(points, t, near_m, px, py, pq)):
            bounds[LEFT], bounds[RIGHT] = min(bounds[LEFT], px[k]), max(bounds[RIGHT], px[k])
            bounds[TOP], bounds[BOTTOM] = min(bounds[TOP], py[k]), max(bounds[BOTTOM], py[k])


@kernel
def bound_triangles(blocks: NDArray[np.float32], count: int, matrix: Floats, near_m: float, bounds: Floats) -> None:
    """Widen ``bounds`` (4,) to some triangles, clipped at the near plane."""
    points = np.empty(9 * CLUSTER_TRIANGLES)
    for c in range(blocks.shape[0]):
        transform_cluster(blocks[c], matrix, points)
        _widen_by_triangles(points, min(CLUSTER_TRIANGLES, count - c * CLUSTER_TRIANGLES), near_m, bounds)


@kernel
def bound_pixels(instance_id: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    """Pixels, left, top, right and bottom (exclusive) of each id up to ``count``: (count + 1, 5)."""
    height, width = instance_id.shape
    out = np.zeros((count + 1, 5), np.int64)
    pixels, left, top, right, bottom = out[:, 0], out[:, 1], out[:, 2], out[:, 3], out[:, 4]
    left[:], top[:] = width, height
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
                pixels[i] += end - first
                left[i], top[i] = min(left[i], first), min(top[i], r)
                right[i], bottom[i] = max(right[i], end), r + 1
            first = end
    return out


@kernel
def renumber_pixels(instance_id: NDArray[np.uint16], numbers: NDArray[np.uint16], out: NDArray[np.uint16]) -> None:
    """Fill ``out`` (N,) with the numbers (M,) that stand for ids (N,), all of them below M.

    Where numpy takes elements it makes places of 64 bits of the ids first, and looks at each whether it is too large.
    """
    for k in range(instance_id.size):
        at = np.uint64(k)
        out[at] = numbers[np.uint64(instance_id[at])]
