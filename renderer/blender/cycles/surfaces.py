"""Which part a point of a rendering by Cycles lies on, where its AOVs are of several surfaces.

A ray goes on through what is transparent there, and Cycles adds up the AOVs of all surfaces that it passes. Depth and
object index are of the last one alone: the object's copies are searched for the one with a surface at that depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ...geometry.meshes import Mesh, MeshPool
from ..extract import PlacedMesh

__all__ = ["find_surfaces"]

_SAME_PLACE = 1e-4
"""Share of the depth within which a surface is the one that was seen: Cycles' depth is float32."""


def find_surfaces(
    points_m: NDArray[np.float64],
    owners: NDArray[np.int64],
    depth_m: NDArray[np.float32],
    placed: Sequence[PlacedMesh],
    numbers: Mapping[str, int],
    pool: MeshPool,
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Part, from 1, and zone at each point; 0 where no surface of the object is there.

    Args:
        points_m: (N, 3) in the world.
        owners: (N,) numbers of the objects that were seen.
        depth_m: (N,) how far away the points are.
        placed: the parts.
        numbers: of the objects, by full name.
        pool: the meshes.
    """
    parts, zones = np.zeros(len(owners), np.int64), np.zeros(len(owners), np.uint8)
    nearest_m = _SAME_PLACE * depth_m.astype(np.float64)
    trees: dict[int, BVHTree] = {}
    for number, part in enumerate(placed, start=1):
        here = np.flatnonzero(owners == numbers[part.owner.name_full])
        mesh = pool.mesh(part.mesh)
        if not len(here) or not len(mesh.triangles):
            continue
        local = _to_local(points_m[here], part.local_to_world)
        inside = _inside(local, mesh, nearest_m[here], part.local_to_world)
        if inside.any() and part.mesh not in trees:
            trees[part.mesh] = BVHTree.FromPolygons(mesh.positions.tolist(), mesh.triangles.tolist())
        for k, point in zip(here[inside], local[inside], strict=True):
            near, _, triangle, _ = trees[part.mesh].find_nearest(Vector(point))
            away_m = np.linalg.norm(part.local_to_world[:3, :3] @ (np.array(near) - point))
            if away_m < nearest_m[k]:
                parts[k], zones[k], nearest_m[k] = number, mesh.zones[triangle], away_m
    return parts, zones


def _to_local(points_m: NDArray[np.float64], local_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.linalg.pinv(local_to_world[:3, :3])  # a part may be flat
    return np.asarray((points_m - local_to_world[:3, 3]) @ turn.T)


def _inside(
    local: NDArray[np.float64], mesh: Mesh, tolerance_m: NDArray[np.float64], local_to_world: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) whether points in a mesh's coordinates lie in its box, but for a tolerance in metres of the world."""
    shrunk = np.maximum(np.linalg.norm(local_to_world[:3, :3], axis=0), 1e-12)
    slack = tolerance_m[:, None] / shrunk
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    return np.asarray(((local >= low - slack) & (local <= high + slack)).all(axis=1))
