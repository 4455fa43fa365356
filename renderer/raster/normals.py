"""Compiled loops that give each pixel its normal, interpolated between the corners of its triangle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..geometry.clusters import AXIS_STEP, CLUSTER_TRIANGLES, CORNER_STEP, FlatMeshes, PlacedParts
from ..optional import kernel
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK
from .lanes import LANES, blend_lanes, unit_lanes

__all__ = ["blend", "fill_normals", "normal_matrices", "project_corners", "turn_normals", "weights"]

Floats = NDArray[np.float64]
_SPREAD = 641
"""So that triangles of neighbouring parts seldom take each other's place."""
_KEPT = 4096
"""Triangles whose set-up is kept: those of some rows. A power of two."""
_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11 = map(np.uint64, range(1, 12))
_BLOCK = 3 * CORNER_STEP
"""Numbers of a cluster's block."""
_SETUP = 18
"""Numbers of a set-up, see :func:`.lanes.blend_lanes`."""


@kernel
def normal_matrices(local_to_world: Floats, turn: Floats, mirrored: NDArray[np.bool_]) -> None:
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


@kernel
def fill_normals(
    hit: NDArray[np.int64], meshes: FlatMeshes, parts: PlacedParts, turn: Floats, mirrored: NDArray[np.bool_],
    out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Fill ``out`` (H, W, 3), 0 where nothing was hit; ``turn`` and ``mirrored`` are of :func:`normal_matrices`.

    Neighbouring pixels of one triangle share its set-up, and so do rows: the set-ups of the last triangles are kept.
    What a run of pixels writes too far the next one overwrites; ``out`` is of :func:`.lanes.lane_array`.
    """
    # Taken out of the tuples once: each time costs a count of references.
    blocks, corner_normals, turns = meshes.blocks.reshape(-1), meshes.normals.reshape(-1), turn.reshape(-1)
    mesh, matrices = parts.mesh, parts.matrices.reshape(-1)
    mesh_cluster, mesh_triangle = meshes.mesh_cluster, meshes.mesh_triangle
    kept, setups = np.full(_KEPT, NO_HIT), np.empty(_KEPT * _SETUP)
    height, width = hit.shape
    hits, axes, step = hit.reshape(-1), out.reshape(-1), np.int64(width + LANES)
    sums = np.empty(4 * step)
    for r in range(height):
        start, i = np.int64(r) * width, np.int64(0)
        while i < width:
            h = hits[np.uint64(start + i)]
            end = i + 1
            while end < width and hits[np.uint64(start + end)] == h:
                end += 1
            if h == NO_HIT:
                for c in range(i, end):
                    sums[c], sums[c + step], sums[c + 2 * step] = 0.0, 0.0, 0.0
                i = end
                continue
            p, number = h >> PART_SHIFT, h & TRIANGLE_MASK
            slot = (p * _SPREAD + number) & (_KEPT - 1)
            if kept[slot] != h:
                kept[slot] = h
                m = mesh[p]
                block = (mesh_cluster[m] + number // CLUSTER_TRIANGLES) * _BLOCK + number % CLUSTER_TRIANGLES
                _set_up(
                    blocks, block, matrices, 12 * p, corner_normals, 9 * (mesh_triangle[m] + number), turns, 9 * p,
                    mirrored[p], setups, slot * _SETUP,
                )  # fmt: skip
            while i < end:
                blend_lanes(setups, slot * _SETUP, sums, i, step, r + 0.5)
                i += LANES
            i = end
        i = np.int64(0)
        while i < width:
            unit_lanes(sums, i, step, axes, 3 * (start + i))
            i += LANES


@kernel
def _set_up(
    blocks: NDArray[np.float32], block: int, matrices: Floats, matrix: int, normals: NDArray[np.float32], normal: int,
    turns: Floats, turn: int, mirrored: bool, setups: Floats, at: int,
) -> None:  # fmt: skip
    """Put weights and normals of a triangle into ``setups``, from ``at`` on.

    What :func:`project_corners`, :func:`weights` and :func:`turn_normals` do, of flat arrays and where in them the
    triangle's numbers begin: calls and small arrays cost more than the arithmetic.
    """
    x0, y0, z0 = _corner(blocks, block, matrices, matrix)
    x1, y1, z1 = _corner(blocks, block + CORNER_STEP, matrices, matrix)
    x2, y2, z2 = _corner(blocks, block + 2 * CORNER_STEP, matrices, matrix)
    i = np.uint64(at)
    first = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
    setups[i], setups[i + _1], setups[i + _2] = first
    setups[i + _3], setups[i + _4], setups[i + _5] = y2 * z0 - z2 * y0, z2 * x0 - x2 * z0, x2 * y0 - y2 * x0
    setups[i + _6], setups[i + _7], setups[i + _8] = y0 * z1 - z0 * y1, z0 * x1 - x0 * z1, x0 * y1 - y0 * x1
    # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
    faces = x0 * first[0] + y0 * first[1] + z0 * first[2] > 0.0
    sign = -1.0 if faces != mirrored else 1.0
    for corner in range(3):
        i, n, t = np.uint64(at + 9 + 3 * corner), np.uint64(normal + 3 * corner), np.uint64(turn)
        x, y, z = normals[n], normals[n + _1], normals[n + _2]
        setups[i] = sign * (turns[t] * x + turns[t + _1] * y + turns[t + _2] * z)
        setups[i + _1] = sign * (turns[t + _3] * x + turns[t + _4] * y + turns[t + _5] * z)
        setups[i + _2] = sign * (turns[t + _6] * x + turns[t + _7] * y + turns[t + _8] * z)


@kernel
def _corner(blocks: NDArray[np.float32], block: int, matrices: Floats, matrix: int) -> tuple[float, float, float]:
    """Homogeneous pixel coordinates of a corner."""
    b, m = np.uint64(block), np.uint64(matrix)
    x, y, z = blocks[b], blocks[b + np.uint64(AXIS_STEP)], blocks[b + np.uint64(2 * AXIS_STEP)]
    return (
        matrices[m] * x + matrices[m + _1] * y + matrices[m + _2] * z + matrices[m + _3],
        matrices[m + _4] * x + matrices[m + _5] * y + matrices[m + _6] * z + matrices[m + _7],
        matrices[m + _8] * x + matrices[m + _9] * y + matrices[m + _10] * z + matrices[m + _11],
    )


@kernel
def project_corners(blocks: NDArray[np.float32], c: int, t: int, matrices: Floats, p: int, out: Floats) -> None:
    """Homogeneous pixel coordinates of the corners of a triangle of a cluster and a part, as rows."""
    for i in range(3):
        k = i * CORNER_STEP + t
        x, y, z = blocks[c, k], blocks[c, k + AXIS_STEP], blocks[c, k + 2 * AXIS_STEP]
        for axis in range(3):
            out[i, axis] = (
                matrices[p, axis, 0] * x + matrices[p, axis, 1] * y + matrices[p, axis, 2] * z + matrices[p, axis, 3]
            )


@kernel
def weights(corner: Floats, weight: Floats) -> float:
    """Rows of ``weight``: the corners' weights as functions of the pixel (up to scale); returns the facing sign.

    Weights ``w`` solve ``sum w_i h_i ~ (x, y, 1)`` for homogeneous corners ``h_i``: Cramer's rule makes them the cross
    products of the other two corners. It holds for corners behind the camera as well.
    """
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        weight[i, 0] = corner[j, 1] * corner[k, 2] - corner[j, 2] * corner[k, 1]
        weight[i, 1] = corner[j, 2] * corner[k, 0] - corner[j, 0] * corner[k, 2]
        weight[i, 2] = corner[j, 0] * corner[k, 1] - corner[j, 1] * corner[k, 0]
    determinant: float = corner[0, 0] * weight[0, 0] + corner[0, 1] * weight[0, 1] + corner[0, 2] * weight[0, 2]
    return determinant


@kernel
def turn_normals(normals: NDArray[np.float32], number: int, turn: Floats, p: int, sign: float, out: Floats) -> None:
    """Corner normals (rows) of a triangle of a part in the world."""
    for i in range(3):
        x, y, z = normals[number, i, 0], normals[number, i, 1], normals[number, i, 2]
        for k in range(3):
            out[i, k] = sign * (turn[p, k, 0] * x + turn[p, k, 1] * y + turn[p, k, 2] * z)


@kernel
def blend(weight: Floats, turned: Floats, x: float, y: float, out: NDArray[np.float32]) -> None:
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
        out[0], out[1], out[2] = nx * scale, ny * scale, nz * scale
