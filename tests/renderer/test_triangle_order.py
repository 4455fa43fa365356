"""Triangles lie along a Morton curve: its code worked out bit by bit, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from renderer.geometry.meshes import make_mesh

BITS = 10


def code(cell: list[int]) -> int:
    """Bits of the three axes in turn, x the lowest."""
    return sum(((cell[axis] >> bit) & 1) << (3 * bit + axis) for bit in range(BITS) for axis in range(3))


def order_of(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> list[int]:
    centres = [
        [sum(Fraction(float(positions[corner, axis])) for corner in triangle) / 3 for axis in range(3)]
        for triangle in triangles.tolist()
    ]
    low = [min(centre[axis] for centre in centres) for axis in range(3)]
    widest = max(max(centre[axis] for centre in centres) - low[axis] for axis in range(3))
    cells = [[int((centre[axis] - low[axis]) * (2**BITS - 1) / widest) for axis in range(3)] for centre in centres]
    return sorted(range(len(triangles)), key=lambda k: (code(cells[k]), k))


def test_triangles_lie_along_the_curve() -> None:
    rng = np.random.default_rng(3)
    positions = (rng.random((300, 3)) * (90.0, 31.0, 4.0)).astype(np.float32)
    triangles = rng.integers(0, 300, (200, 3)).astype(np.int32)
    mesh = make_mesh(positions, triangles, np.zeros(200, np.uint8), np.zeros((200, 3, 3), np.float32))
    assert mesh.order.tolist() == order_of(positions, triangles)


def test_none_and_one_have_an_order_too() -> None:
    for count in (0, 1):
        triangles = np.tile(np.arange(3, dtype=np.int32), (count, 1))
        none = np.zeros((count, 3, 3), np.float32)
        mesh = make_mesh(np.eye(3, dtype=np.float32), triangles, np.zeros(count, np.uint8), none)
        assert mesh.order.tolist() == list(range(count))
