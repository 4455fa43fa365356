"""The flat arrays of a pool follow its changes: each mesh in use is found there as it was put."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.geometry.clusters import CLUSTER_TRIANGLES, FlatMeshes
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh


def mesh(rng: np.random.Generator, triangles: int) -> Mesh:
    positions = rng.normal(size=(triangles + 2, 3)).astype(np.float32)
    corners = np.stack([np.arange(triangles) + k for k in range(3)], axis=1).astype(np.int32)
    normals = rng.normal(size=(triangles, 3, 3)).astype(np.float32)
    return make_mesh(positions, corners, rng.integers(0, 30, triangles).astype(np.uint8), normals)


def check(flat: FlatMeshes, number: int, put: Mesh) -> None:
    """Corner by corner, by what the arrays say of themselves."""
    triangles = slice(flat.mesh_triangle[number], flat.mesh_triangle[number + 1])
    clusters = slice(flat.mesh_cluster[number], flat.mesh_cluster[number + 1])
    count = len(put.triangles)
    assert triangles.stop - triangles.start == count
    np.testing.assert_array_equal(flat.zones[triangles], put.zones)
    np.testing.assert_array_equal(flat.normals[triangles], put.normals)
    blocks = flat.blocks[clusters].reshape(-1, 3, 3, CLUSTER_TRIANGLES)
    corners = blocks.transpose(0, 3, 1, 2).reshape(-1, 3, 3)
    np.testing.assert_array_equal(corners[:count], put.positions[put.triangles])
    assert (corners[count:] == corners[count - 1 : count]).all()
    for box, points in zip(flat.cluster_box[clusters], blocks, strict=True):
        np.testing.assert_array_equal(box, [points.min(axis=(0, 2)), points.max(axis=(0, 2))])
    if count:
        np.testing.assert_array_equal(flat.mesh_box[number], [put.positions.min(axis=0), put.positions.max(axis=0)])


@pytest.mark.parametrize("seed", range(8))
def test_flat_arrays_hold_what_was_put_whatever_came_and_went(seed: int) -> None:
    rng, pool = np.random.default_rng(seed), MeshPool()
    there: dict[int, Mesh] = {}
    for step in range(120):
        key = int(rng.integers(12))
        before = there.get(key)
        if rng.random() < 0.3:
            pool.empty(lambda one, key=key: one == key)  # type: ignore[misc]
            there.pop(key, None)
        else:
            same = before is not None and rng.random() < 0.5
            count = len(before.triangles) if before is not None and same else int(rng.integers(0, 200))
            there[key] = mesh(rng, count)
            number = pool.put(key, there[key])
            assert pool.number(key) == number
            assert pool.mesh(number) is there[key]
        if step % 3 == 0:
            flat = pool.flat()
            for known, one in there.items():
                check(flat, pool.number(known), one)


def test_a_number_is_never_another_meshs() -> None:
    rng, pool = np.random.default_rng(1), MeshPool()
    first, second = pool.put("a", mesh(rng, 3)), pool.put("b", mesh(rng, 4))
    pool.flat()
    pool.empty(lambda key: key == "a")
    assert pool.put("a", mesh(rng, 3)) not in (first, second)
    assert len(pool.mesh(first).triangles) == 0


def test_what_was_freed_is_no_more_than_half() -> None:
    rng, pool = np.random.default_rng(2), MeshPool()
    for turn in range(200):
        pool.put(turn, mesh(rng, 640))
        flat = pool.flat()
        pool.empty(lambda key, turn=turn: key <= turn - 3)  # type: ignore[misc]
        assert len(flat.zones) <= 2 * 640 * 3 + 640
