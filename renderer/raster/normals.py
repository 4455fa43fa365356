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
    """Fill ``out`` (H, W, 3) where something was hit; ``turn`` and ``mirrored`` are of :func:`normal_matrices`.

    Neighbouring pixels of one triangle share its set-up.
    """
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
                m = parts.mesh[p]
                block = meshes.blocks[meshes.mesh_cluster[m] + number // CLUSTER_TRIANGLES]
                project_corners(block, number % CLUSTER_TRIANGLES, parts.matrices[p], corner)
                # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
                sign = -1.0 if (weights(corner, weight) > 0.0) != mirrored[p] else 1.0
                turn_normals(meshes.normals[meshes.mesh_triangle[m] + number], turn[p], sign, turned)
            blend(weight, turned, c + 0.5, r + 0.5, out[r, c])


@kernel
def project_corners(block: NDArray[np.float32], t: int, matrix: Floats, out: Floats) -> None:
    """Homogeneous pixel coordinates of a triangle's corners, as rows."""
    for i in range(3):
        k = i * CORNER_STEP + t
        x, y, z = block[k], block[k + AXIS_STEP], block[k + 2 * AXIS_STEP]
        for axis in range(3):
            out[i, axis] = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z + matrix[axis, 3]


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
def turn_normals(normals: NDArray[np.float32], turn: Floats, sign: float, out: Floats) -> None:
    """Corner normals (rows) in the world."""
    for i in range(3):
        for k in range(3):
            out[i, k] = sign * (turn[k, 0] * normals[i, 0] + turn[k, 1] * normals[i, 1] + turn[k, 2] * normals[i, 2])


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
