"""Compiled loops that give each pixel its normal, interpolated between the corners of its triangle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..geometry.clusters import AXIS_STEP, CLUSTER_TRIANGLES, CORNER_STEP, FlatMeshes, PlacedParts
from ..optional import kernel
from .hits import NO_HIT, PART_SHIFT, TRIANGLE_MASK

__all__ = ["blend", "fill_normals", "normal_matrices", "project_corners", "turn_normals", "weights"]

Floats = NDArray[np.float64]
_SPREAD = 31
"""So that triangles of neighbouring parts seldom take each other's place."""
_KEPT = 1024
"""Triangles whose set-up is kept: those of some rows."""


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
    """
    kept = np.full(_KEPT, NO_HIT)
    setups = np.empty((_KEPT, 18))
    corner, weight, turned = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    width = hit.shape[1]
    axes = np.empty(3 * width, np.float32)
    for r in range(hit.shape[0]):
        end = 0
        while end < width:
            first = end
            h = hit[r, np.uint64(first)]
            end += 1
            while end < width and hit[r, np.uint64(end)] == h:
                end += 1
            if h == NO_HIT:
                for c in range(first, end):
                    axes[c], axes[c + width], axes[c + 2 * width] = 0.0, 0.0, 0.0
                continue
            p, number = h >> PART_SHIFT, h & TRIANGLE_MASK
            slot = (p * _SPREAD + number) % _KEPT
            if kept[slot] != h:
                kept[slot] = h
                m = parts.mesh[p]
                c, t = meshes.mesh_cluster[m] + number // CLUSTER_TRIANGLES, number % CLUSTER_TRIANGLES
                project_corners(meshes.blocks, c, t, parts.matrices, p, corner)
                # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
                sign = -1.0 if (weights(corner, weight) > 0.0) != mirrored[p] else 1.0
                turn_normals(meshes.normals, meshes.mesh_triangle[m] + number, turn, p, sign, turned)
                for i in range(3):
                    for k in range(3):
                        setups[slot, 3 * i + k], setups[slot, 9 + 3 * i + k] = weight[i, k], turned[i, k]
            _blend_run(setups, slot, first, end, r + 0.5, width, axes)
        for c in range(width):
            at = np.uint64(c)
            out[r, at, 0], out[r, at, 1], out[r, at, 2] = axes[at], axes[c + width], axes[c + 2 * width]


@kernel
def _blend_run(
    setups: Floats, slot: int, first: int, end: int, y: float, width: int, axes: NDArray[np.float32]
) -> None:
    """As :func:`blend`, for the pixels of one triangle in a row, whose weights and normals are ``setups[slot]`` (18).

    Fills ``axes`` (3 * width), one axis after the other: so the compiler takes some pixels at once.
    """
    ax, ay, at = setups[slot, 0], setups[slot, 1], setups[slot, 2]
    bx, by, bt = setups[slot, 3], setups[slot, 4], setups[slot, 5]
    dx, dy, dt = setups[slot, 6], setups[slot, 7], setups[slot, 8]
    s0, s1, s2 = setups[slot, 9], setups[slot, 10], setups[slot, 11]
    t0, t1, t2 = setups[slot, 12], setups[slot, 13], setups[slot, 14]
    u0, u1, u2 = setups[slot, 15], setups[slot, 16], setups[slot, 17]
    for c in range(first, end):
        x = c + 0.5
        a, b, d = ax * x + ay * y + at, bx * x + by * y + bt, dx * x + dy * y + dt
        nx, ny, nz = a * s0 + b * t0 + d * u0, a * s1 + b * t1 + d * u1, a * s2 + b * t2 + d * u2
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        # The weights share a sign, that of their sum.
        scale = (1.0 if a + b + d > 0.0 else -1.0) / length
        there = length > 0.0
        i = np.uint64(c)
        axes[i] = nx * scale if there else 0.0
        axes[i + np.uint64(width)] = ny * scale if there else 0.0
        axes[i + np.uint64(2 * width)] = nz * scale if there else 0.0


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
