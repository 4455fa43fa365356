"""Shading normals of a rasterised image, interpolated from the corners of the triangle behind each pixel."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from .meshes import CLUSTER_TRIANGLES, FlatMeshes

__all__ = ["NO_HIT", "PART_SHIFT", "TRIANGLE_MASK", "shade_normals"]

PART_SHIFT = 32
"""A hit is one number: the part's, shifted, plus the triangle's within it. Lower numbers win equal depths."""
TRIANGLE_MASK = 2**32 - 1
NO_HIT = np.int64(2**62)


def shade_normals(
    hit: NDArray[np.int64],
    flat: FlatMeshes,
    mesh: NDArray[np.int64],
    matrices: NDArray[np.float64],
    local_to_world: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Unit normals in the world, towards the camera; 0 where nothing was hit.

    Args:
        hit: (H, W) part and triangle of each pixel.
        flat: the meshes.
        mesh: (P,) mesh of each part.
        matrices: (P, 3, 4) each part's coordinates to ``(x*z, y*z, z)`` in pixels and metres.
        local_to_world: (P, 4, 4).

    Returns:
        (H, W, 3) float32.
    """
    normal = np.zeros((*hit.shape, 3), np.float32)
    linear = local_to_world[:, :3, :3]
    mirrored = np.linalg.det(linear) < 0
    turn = np.ascontiguousarray(np.linalg.inv(linear).transpose(0, 2, 1)) if len(linear) else linear
    _fill(
        hit, flat.positions, flat.corners, flat.normals, flat.mesh_triangle[mesh], flat.mesh_cluster[mesh],
        flat.cluster_vertex, matrices, turn, mirrored, normal,
    )  # fmt: skip
    return normal


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _fill(  # type: ignore[no-untyped-def]
    hit, positions, corners, normals, first_triangle, first_cluster, cluster_vertex, matrices, turn, mirrored, out
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
                first_vertex = cluster_vertex[first_cluster[p] + number // CLUSTER_TRIANGLES]
                _project(positions, corners, t, first_vertex, matrices, p, corner)
                # Seen from behind: the normal turns to the camera. A mirroring pose turns the triangle round.
                sign = -1.0 if (_weights(corner, weight) > 0.0) != mirrored[p] else 1.0
                _turn(normals, t, turn, p, sign, turned)
            _blend(weight, turned, c + 0.5, r + 0.5, out, r, c)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _project(positions, corners, t, first_vertex, matrices, p, corner):  # type: ignore[no-untyped-def]
    """Homogeneous pixel coordinates of a triangle's corners, as rows."""
    for i in range(3):
        v = first_vertex + np.int64(corners[i, t])
        for k in range(3):
            corner[i, k] = (
                matrices[p, k, 0] * positions[0, v]
                + matrices[p, k, 1] * positions[1, v]
                + matrices[p, k, 2] * positions[2, v]
                + matrices[p, k, 3]
            )


@nb.njit(cache=True, nogil=True, error_model="numpy")
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


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _turn(normals, t, turn, p, sign, out):  # type: ignore[no-untyped-def]
    """Corner normals (rows) in the world."""
    for i in range(3):
        for k in range(3):
            out[i, k] = sign * (
                turn[p, k, 0] * normals[t, i, 0] + turn[p, k, 1] * normals[t, i, 1] + turn[p, k, 2] * normals[t, i, 2]
            )


@nb.njit(cache=True, nogil=True, error_model="numpy")
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
