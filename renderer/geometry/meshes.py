"""Triangle meshes as the rasteriser wants them: in small clusters that are drawn or skipped as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clusters import CLUSTER_TRIANGLES, FlatMeshes
from .damage import NO_DAMAGE, Damage

__all__ = ["Mesh", "MeshPool", "cluster_blocks", "make_mesh"]

_MORTON_BITS = 10
"""Per axis; a cell is then a thousandth of the mesh, far smaller than a cluster."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of one mesh in its own coordinates, those that are near each other one after the other.

    :func:`make_mesh` makes it.
    """

    positions: NDArray[np.float32]
    """(V, 3) metres; every one is used."""
    triangles: NDArray[np.int32]
    """(T, 3) vertex numbers."""
    zones: NDArray[np.uint8]
    """(T,) :class:`renderer.zones.catalogue.Zone` of each triangle."""
    normals: NDArray[np.float32]
    """(T, 3, 3) unit normals of each triangle's corners."""
    order: NDArray[np.int32]
    """(T,) which of the triangles that it was made of each one is."""
    damage: Damage = NO_DAMAGE
    """What was left out of it."""

    @cached_property
    def reach(self) -> float:
        """Distance of the farthest vertex from the mesh's origin."""
        return float(np.linalg.norm(self.positions.astype(np.float64), axis=1).max(initial=0.0))

    def without(self, vertices: NDArray[np.bool_]) -> Mesh:
        """The mesh without the triangles at some vertices (V,), which reach too far."""
        kept = ~vertices[self.triangles].any(axis=1)
        damage = self.damage + Damage(too_far=int((~kept).sum()))
        return make_mesh(self.positions, self.triangles[kept], self.zones[kept], self.normals[kept], damage)


def make_mesh(
    positions: NDArray[np.float32],
    triangles: NDArray[np.int32],
    zones: NDArray[np.uint8],
    normals: NDArray[np.float32],
    damage: Damage = NO_DAMAGE,
) -> Mesh:
    """Sort triangles and drop vertices without a triangle.

    Args:
        positions: (V, 3) metres.
        triangles: (T, 3) vertex numbers.
        zones: (T,) zone of each triangle.
        normals: (T, 3, 3) unit normals of the triangles' corners.
        damage: what was left out.
    """
    order = _near_each_other(positions, triangles)
    sorted_triangles = triangles[order]
    used = np.zeros(len(positions), np.bool_)
    used[sorted_triangles] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return Mesh(
        np.ascontiguousarray(positions[used]).reshape(-1, 3),
        number[sorted_triangles].reshape(-1, 3),
        np.ascontiguousarray(zones[order]),
        np.ascontiguousarray(normals[order]),
        order.astype(np.int32),
        damage,
    )


def _near_each_other(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """Order of the triangles along a Morton curve through their centres."""
    if not len(triangles):
        return np.zeros(0, np.int64)
    # Axis by axis: numpy is slow at rows of three.
    a, b, c = triangles.T
    axes = [np.ascontiguousarray(axis, np.float64) for axis in positions.T]
    centres = [(axis[a] + axis[b] + axis[c]) / 3.0 for axis in axes]
    # One scale for all axes: clusters of a long flat street shall be as wide as long.
    scale = (2**_MORTON_BITS - 1) / max(*(float(centre.max() - centre.min()) for centre in centres), 1e-9)
    code = np.zeros(len(triangles), np.uint32)
    for number, centre in enumerate(centres):
        code |= _spread(((centre - centre.min()) * scale).astype(np.uint32)) << np.uint32(number)
    return np.argsort(code, kind="stable")


def _spread(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Two empty bits after each of the :data:`_MORTON_BITS` bits of a number."""
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cells = (cells | (cells << np.uint32(shift))) & np.uint32(mask)
    return cells


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
        """Store a mesh, or replace the one under the same key; returns its number.

        One that replaces another of as many triangles costs little: what moves its shape is put at each frame.
        """
        if key in self._number:
            number = self._number[key]
            before, self._meshes[number] = self._meshes[number], mesh
            if self._flat is not None and len(before.triangles) == len(mesh.triangles):
                _overwrite(self._flat, number, mesh)
                return number
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

    def empty(self, unwanted: Callable[[Any], bool]) -> None:
        """Free the meshes of some keys; their numbers stay taken, by meshes of no triangles, and the keys are free."""
        for key in [key for key in self._number if unwanted(key)]:
            self._meshes[self._number.pop(key)] = _NO_MESH
            self._flat = None

    def flat(self) -> FlatMeshes:
        """The flat arrays, made anew after a change."""
        if self._flat is None:
            self._flat = _flatten(self._meshes)
        return self._flat


_NO_MESH = make_mesh(
    np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), np.zeros((0, 3, 3), np.float32)
)


def _flatten(meshes: list[Mesh]) -> FlatMeshes:
    counts = np.array([len(m.triangles) for m in meshes], dtype=np.int64)
    blocks = [cluster_blocks(m.positions, m.triangles) for m in meshes]
    return FlatMeshes(
        np.concatenate([np.zeros((0, 9 * CLUSTER_TRIANGLES), np.float32), *blocks]),
        np.concatenate([np.zeros(0, np.uint8), *(m.zones for m in meshes)]),
        np.concatenate([np.zeros((0, 3, 3), np.float32), *(m.normals for m in meshes)]),
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([[0], np.cumsum([len(block) for block in blocks], dtype=np.int64)]),
        np.concatenate([np.zeros((0, 2, 3)), *(_box(m.positions) for m in meshes)]),
        np.concatenate([np.zeros((0, 2, 3)), *(_cluster_boxes(block) for block in blocks)]),
    )


def _overwrite(flat: FlatMeshes, number: int, mesh: Mesh) -> None:
    """Put another mesh of as many triangles in the place of one."""
    blocks = cluster_blocks(mesh.positions, mesh.triangles)
    starts = flat.mesh_triangle, flat.mesh_cluster
    triangles, clusters = (slice(first[number], first[number + 1]) for first in starts)
    flat.blocks[clusters], flat.cluster_box[clusters] = blocks, _cluster_boxes(blocks)
    flat.zones[triangles], flat.normals[triangles] = mesh.zones, mesh.normals
    flat.mesh_box[number] = _box(mesh.positions)[0]


def cluster_blocks(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Corners of triangles, cluster by cluster: (C, 9 * CLUSTER_TRIANGLES) for (V, 3) vertices and (T, 3) triangles.

    A row holds corner by corner, axis by axis, the coordinates of the cluster's triangles: processors like runs of
    equal things better than shared vertices. The last cluster is filled up with its last triangle.
    """
    count = -(-len(triangles) // CLUSTER_TRIANGLES)
    if not count:
        return np.zeros((0, 9 * CLUSTER_TRIANGLES), np.float32)
    whole = np.minimum(np.arange(count * CLUSTER_TRIANGLES), len(triangles) - 1)
    corners = positions[triangles[whole]].reshape(count, CLUSTER_TRIANGLES, 9)
    return np.ascontiguousarray(corners.transpose(0, 2, 1)).reshape(count, -1)


def _box(positions: NDArray[np.float32]) -> NDArray[np.float64]:
    """(1, 2, 3) lowest and highest corner."""
    if not len(positions):
        return np.zeros((1, 2, 3))
    return np.array([[positions.min(axis=0), positions.max(axis=0)]], dtype=np.float64)


def _cluster_boxes(blocks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C, 2, 3) lowest and highest corner of each cluster."""
    corners = blocks.reshape(-1, 3, 3, CLUSTER_TRIANGLES)
    low, high = corners.min(axis=(1, 3)), corners.max(axis=(1, 3))
    return np.asarray(np.stack([low, high], axis=1), dtype=np.float64)
