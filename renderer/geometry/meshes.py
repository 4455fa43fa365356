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
        self._flat = _Flat()

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

        A new one costs itself alone, and so does one that replaces another of as many triangles: people come and go
        all the time, and what moves its shape is put at each frame.
        """
        if key in self._number:
            number = self._number[key]
            self._meshes[number] = mesh
            self._flat.changed(number, mesh)
        else:
            number = self._number[key] = len(self._meshes)
            self._meshes.append(mesh)
        return number

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
            number = self._number.pop(key)
            self._meshes[number] = _NO_MESH
            self._flat.left(number)

    def flat(self) -> FlatMeshes:
        """The flat arrays, valid until the pool's next change. What was freed may still lie between the others."""
        if self._flat.is_outdated:
            self._flat = self._flat.anew(self._meshes)
        return self._flat.of(self._meshes)


class _Rows:
    """An array that grows at its end: room for half as much again is made each time that it is full."""

    def __init__(self, kind: type[np.generic], *shape: int) -> None:
        self._room, self._count = np.empty((0, *shape), kind), 0

    def add(self, rows: NDArray[Any]) -> None:
        """Put (N, ...) rows behind the others."""
        end = self._count + len(rows)
        if end > len(self._room):
            room = np.empty((end + end // 2, *self._room.shape[1:]), self._room.dtype)
            room[: self._count] = self.rows
            self._room = room
        self._room[self._count : end] = rows
        self._count = end

    @property
    def rows(self) -> NDArray[Any]:
        """All of them, contiguous."""
        return self._room[: self._count]


class _Flat:
    """The flat arrays of a pool's first meshes, which follow what happens to the pool."""

    def __init__(self) -> None:
        self._blocks, self._cluster_box = _Rows(np.float32, 9 * CLUSTER_TRIANGLES), _Rows(np.float64, 2, 3)
        self._zones, self._normals = _Rows(np.uint8), _Rows(np.float32, 3, 3)
        self._first_triangle, self._first_cluster = _Rows(np.int64), _Rows(np.int64)
        self._mesh_box = _Rows(np.float64, 2, 3)
        for first in (self._first_triangle, self._first_cluster):
            first.add(np.zeros(1, np.int64))
        self._unused = 0
        """Triangles of meshes that were freed."""
        self._other: set[int] = set()
        """Numbers of meshes that were replaced by ones of more or fewer triangles."""

    @property
    def is_outdated(self) -> bool:
        """Whether it is to be made :meth:`anew`: most of it is no longer used, or something does not fit its place."""
        return bool(self._other) or 2 * self._unused > len(self._zones.rows)

    def of(self, meshes: list[Mesh]) -> FlatMeshes:
        """The arrays of all meshes of the pool, of which some may be new."""
        for mesh in meshes[len(self._mesh_box.rows) :]:
            self._add(mesh, cluster_blocks(mesh.positions, mesh.triangles))
        return self._arrays()

    def anew(self, meshes: list[Mesh]) -> _Flat:
        """Other arrays, with what is still in use copied."""
        made, before = _Flat(), self._blocks.rows
        for number, mesh in enumerate(meshes[: len(self._mesh_box.rows)]):
            is_kept = number not in self._other and len(mesh.triangles) > 0
            own = before[self._places(number)[1]] if is_kept else cluster_blocks(mesh.positions, mesh.triangles)
            made._add(mesh, own)
        return made

    def changed(self, number: int, mesh: Mesh) -> None:
        """Another mesh has that number now."""
        if number >= len(self._mesh_box.rows):
            return
        triangles, clusters = self._places(number)
        if number in self._other or triangles.stop - triangles.start != len(mesh.triangles):
            self._other.add(number)
            return
        blocks = cluster_blocks(mesh.positions, mesh.triangles)
        self._blocks.rows[clusters], self._cluster_box.rows[clusters] = blocks, _cluster_boxes(blocks)
        self._zones.rows[triangles], self._normals.rows[triangles] = mesh.zones, mesh.normals
        self._mesh_box.rows[number] = _box(mesh.positions)

    def left(self, number: int) -> None:
        """Nothing has that number any more."""
        if number < len(self._mesh_box.rows):
            triangles, _ = self._places(number)
            self._unused += triangles.stop - triangles.start

    def _add(self, mesh: Mesh, blocks: NDArray[np.float32]) -> None:
        self._zones.add(mesh.zones)
        self._normals.add(mesh.normals)
        self._blocks.add(blocks)
        self._cluster_box.add(_cluster_boxes(blocks))
        self._first_triangle.add(self._first_triangle.rows[-1:] + len(mesh.triangles))
        self._first_cluster.add(self._first_cluster.rows[-1:] + len(blocks))
        self._mesh_box.add(_box(mesh.positions)[None])

    def _places(self, number: int) -> tuple[slice, slice]:
        """Where a mesh's triangles and clusters are."""
        triangles, clusters = (
            slice(int(first.rows[number]), int(first.rows[number + 1]))
            for first in (self._first_triangle, self._first_cluster)
        )
        return triangles, clusters

    def _arrays(self) -> FlatMeshes:
        return FlatMeshes(
            self._blocks.rows, self._zones.rows, self._normals.rows, self._first_triangle.rows,
            self._first_cluster.rows, self._mesh_box.rows, self._cluster_box.rows,
        )  # fmt: skip


_NO_MESH = make_mesh(
    np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), np.zeros((0, 3, 3), np.float32)
)


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
    """(2, 3) lowest and highest corner."""
    if not len(positions):
        return np.zeros((2, 3))
    axes = np.ascontiguousarray(positions.T)  # numpy is slow at rows of three
    return np.array([axes.min(axis=1), axes.max(axis=1)], dtype=np.float64)


def _cluster_boxes(blocks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C, 2, 3) lowest and highest corner of each cluster."""
    corners = blocks.reshape(-1, 3, 3, CLUSTER_TRIANGLES)
    low, high = corners.min(axis=(1, 3)), corners.max(axis=(1, 3))
    return np.asarray(np.stack([low, high], axis=1), dtype=np.float64)
