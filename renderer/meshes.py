"""Triangle meshes as the rasteriser wants them: in small clusters that are drawn or skipped as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels import CLUSTER_TRIANGLES

__all__ = ["FlatMeshes", "Mesh", "MeshPool", "make_mesh"]

_MORTON_BITS = 10
"""Per axis; a cell is then a thousandth of the mesh, far smaller than a cluster."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of one mesh in its own coordinates; :func:`make_mesh` makes it.

    Triangles that are near each other follow each other. Each cluster has its own vertices, so that a vertex of two
    clusters stands there twice.
    """

    positions: NDArray[np.float32]
    """(V, 3) metres, cluster by cluster; every one is used."""
    triangles: NDArray[np.int32]
    """(T, 3) vertex numbers."""
    zones: NDArray[np.uint8]
    """(T,) :class:`renderer.zones.Zone` of each triangle."""
    normals: NDArray[np.float32]
    """(T, 3, 3) unit normals of each triangle's corners."""
    vertex_start: NDArray[np.int64]
    """(C + 1,) where each cluster's vertices begin, and the end. Triangles begin at multiples of the cluster's size."""


def make_mesh(
    positions: NDArray[np.float32],
    triangles: NDArray[np.int32],
    zones: NDArray[np.uint8],
    normals: NDArray[np.float32],
) -> Mesh:
    """Sort triangles into clusters and drop vertices without a triangle.

    Args:
        positions: (V, 3) metres.
        triangles: (T, 3) vertex numbers.
        zones: (T,) zone of each triangle.
        normals: (T, 3, 3) unit normals of the triangles' corners.
    """
    order = _near_each_other(positions, triangles)
    triangles = triangles[order]
    cluster = np.arange(len(triangles), dtype=np.int64) // CLUSTER_TRIANGLES
    key = cluster[:, None] * max(1, len(positions)) + triangles
    used, number = np.unique(key, return_inverse=True)
    count = int(cluster[-1]) + 1 if len(cluster) else 0
    return Mesh(
        np.ascontiguousarray(positions[used % max(1, len(positions))]).reshape(-1, 3),
        number.reshape(-1, 3).astype(np.int32),
        np.ascontiguousarray(zones[order]),
        np.ascontiguousarray(normals[order]),
        np.searchsorted(used, np.arange(count + 1, dtype=np.int64) * max(1, len(positions))),
    )


def _near_each_other(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """Order of the triangles along a Morton curve through their centres."""
    if not len(triangles):
        return np.zeros(0, np.int64)
    centres = positions[triangles].mean(axis=1, dtype=np.float64)
    low, high = centres.min(axis=0), centres.max(axis=0)
    # One scale for all axes: clusters of a long flat street shall be as wide as long.
    scale = (2**_MORTON_BITS - 1) / max(float((high - low).max()), 1e-9)
    cells = ((centres - low) * scale).astype(np.uint64)
    code = np.zeros(len(cells), np.uint64)
    for bit in range(_MORTON_BITS):
        for axis in range(3):
            code |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(3 * bit + axis)
    return np.argsort(code, kind="stable")


@dataclass(frozen=True, eq=False)
class FlatMeshes:
    """All meshes of a pool, one after the other."""

    positions: NDArray[np.float32]
    """(3, sum V): coordinate by coordinate, because processors work on runs of equal things."""
    corners: NDArray[np.uint16]
    """(3, sum T) vertex numbers within the cluster."""
    zones: NDArray[np.uint8]
    """(sum T,)"""
    normals: NDArray[np.float32]
    """(sum T, 3, 3)"""
    mesh_triangle: NDArray[np.int64]
    """(M + 1,) where each mesh's triangles begin."""
    mesh_cluster: NDArray[np.int64]
    """(M + 1,) where each mesh's clusters begin."""
    cluster_vertex: NDArray[np.int64]
    """(sum C + 1,) where each cluster's vertices begin."""
    mesh_box: NDArray[np.float64]
    """(M, 2, 3) lowest and highest corner of each mesh."""
    cluster_box: NDArray[np.float64]
    """(sum C, 2, 3) lowest and highest corner of each cluster."""


class MeshPool:
    """Meshes in flat arrays, so that one compiled call draws a whole scene."""

    def __init__(self) -> None:
        self._meshes: list[Mesh] = []
        self._number: dict[Any, int] = {}
        self._flat: FlatMeshes | None = None

    def __contains__(self, key: object) -> bool:
        return key in self._number

    def number(self, key: object) -> int:
        """Number of the mesh that was put under that key."""
        return self._number[key]

    def mesh(self, number: int) -> Mesh:
        """The mesh of that number."""
        return self._meshes[number]

    def put(self, key: object, mesh: Mesh) -> int:
        """Store a mesh, or replace the one under the same key; returns its number."""
        if key in self._number:
            self._meshes[self._number[key]] = mesh
        else:
            self._number[key] = len(self._meshes)
            self._meshes.append(mesh)
        self._flat = None
        return self._number[key]

    def keep(self, wanted: Callable[[Any], bool]) -> MeshPool:
        """Pool of the meshes whose keys are wanted; this one, with its numbers, where that is all of them."""
        if all(wanted(key) for key in self._number):
            return self
        kept = MeshPool()
        for key, number in self._number.items():
            if wanted(key):
                kept.put(key, self._meshes[number])
        return kept

    def flat(self) -> FlatMeshes:
        """The flat arrays, made anew after a change."""
        if self._flat is None:
            self._flat = _flatten(self._meshes)
        return self._flat


def _flatten(meshes: list[Mesh]) -> FlatMeshes:
    vertex_count = [len(m.positions) for m in meshes]
    mesh_vertex = np.cumsum([0, *vertex_count], dtype=np.int64)
    positions = np.concatenate([np.zeros((0, 3), np.float32), *(m.positions for m in meshes)])
    starts = [m.vertex_start[:-1] + first for m, first in zip(meshes, mesh_vertex, strict=False)]
    cluster_vertex = np.concatenate([np.zeros(0, np.int64), *starts, mesh_vertex[-1:]])
    filled = np.array(vertex_count, dtype=np.int64) > 0
    mesh_box = np.zeros((len(meshes), 2, 3))
    mesh_box[filled] = _boxes(positions, mesh_vertex[:-1][filled])
    return FlatMeshes(
        np.ascontiguousarray(positions.T),
        np.ascontiguousarray(np.concatenate([np.zeros((0, 3), np.uint16), *(_corners(m) for m in meshes)]).T),
        np.concatenate([np.zeros(0, np.uint8), *(m.zones for m in meshes)]),
        np.concatenate([np.zeros((0, 3, 3), np.float32), *(m.normals for m in meshes)]),
        np.cumsum([0, *(len(m.triangles) for m in meshes)], dtype=np.int64),
        np.cumsum([0, *(len(m.vertex_start) - 1 for m in meshes)], dtype=np.int64),
        cluster_vertex,
        mesh_box,
        _boxes(positions, cluster_vertex[:-1]),
    )


def _corners(mesh: Mesh) -> NDArray[np.uint16]:
    """(T, 3) vertex numbers within each triangle's cluster; a cluster has at most 3 * CLUSTER_TRIANGLES."""
    cluster = np.arange(len(mesh.triangles)) // CLUSTER_TRIANGLES
    return np.asarray(mesh.triangles - mesh.vertex_start[cluster][:, None], dtype=np.uint16)


def _boxes(positions: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, 2, 3) boxes of the runs of vertices that begin there; no run is empty."""
    if not len(starts):
        return np.zeros((0, 2, 3))
    low, high = np.minimum.reduceat(positions, starts), np.maximum.reduceat(positions, starts)
    return np.asarray(np.stack([low, high], axis=1), dtype=np.float64)
