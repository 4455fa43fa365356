"""Seams: triangles are cut where cloth ends, so that a hem is a line and not a row of teeth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Surface", "cut"]

Array = NDArray[np.float64]


class Surface:
    """Triangles whose vertices carry a position and the weights of bones."""

    def __init__(self, vertices_m: Array, weights: Array, faces: NDArray[np.int64]) -> None:
        """Keep (V, 3), (V, B) and (F, 3)."""
        self.vertices_m, self.weights, self.faces = vertices_m, weights, faces


def cut(surface: Surface, field: Array, region: NDArray[np.bool_]) -> Surface:
    """Cut triangles along the line where a field is zero.

    Args:
        surface: what is cut; stays closed if it was.
        field: (V,) value at each vertex.
        region: (V,) vertices between which edges are cut.
    """
    edges = np.unique(np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    start, end = edges.T
    crossed = edges[region[start] & region[end] & ((field[start] < 0) != (field[end] < 0))]
    if not len(crossed):
        return surface
    share = (field[crossed[:, 0]] / (field[crossed[:, 0]] - field[crossed[:, 1]]))[:, None]
    added = [
        values[crossed[:, 0]] * (1 - share) + values[crossed[:, 1]] * share
        for values in (surface.vertices_m, surface.weights)
    ]
    number = {(int(a), int(b)): len(field) + row for row, (a, b) in enumerate(crossed)}
    faces = [part for face in surface.faces.tolist() for part in _divided(face, number)]
    return Surface(
        np.concatenate([surface.vertices_m, added[0]]), np.concatenate([surface.weights, added[1]]), np.array(faces)
    )


def _divided(face: list[int], number: dict[tuple[int, int], int]) -> list[list[int]]:
    """A triangle, or the parts of it that its cut edges make."""
    for _ in range(3):
        a, b, c = face
        first, second, third = (number.get((min(pair), max(pair))) for pair in ((a, b), (b, c), (c, a)))
        if first is not None and second is None:
            break
        face = [b, c, a]
    else:
        return [face]
    if third is None:
        return [[a, first, c], [first, b, c]]
    return [[a, first, third], [first, b, third], [b, c, third]]
