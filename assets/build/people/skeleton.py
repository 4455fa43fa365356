"""Joints of a body: rotations down the chain of bones, and skin that follows them.

Axes are a model's own: x forward, y left, z up, metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Posed", "Skeleton", "between", "turn_x", "turn_y", "turn_z"]

Array = NDArray[np.float64]


def _turn(first: int, second: int, angle_rad: float) -> Array:
    matrix = np.eye(3)
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def turn_x(angle_rad: float) -> Array:
    """Rotation about x: y towards z."""
    return _turn(1, 2, angle_rad)


def turn_y(angle_rad: float) -> Array:
    """Rotation about y: z towards x, so that what is upright leans forward."""
    return _turn(2, 0, angle_rad)


def turn_z(angle_rad: float) -> Array:
    """Rotation about z: x towards y, to the left."""
    return _turn(0, 1, angle_rad)


def between(start: Array, end: Array) -> Array:
    """The smallest rotation that takes one direction to another (Rodrigues)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turned: Array = np.eye(3) + cross + cross @ cross / (1.0 + cosine)
    return turned


@dataclass(frozen=True)
class Posed:
    """Where the bones are."""

    rotations: Array
    """(B, 3, 3) from the body at rest to the pose."""
    heads_m: Array
    """(B, 3) joints in the pose."""
    rest_heads_m: Array
    """(B, 3) joints at rest."""

    def rigid(self, points_m: Array, bone: int) -> Array:
        """Points (N, 3) at rest that move with one bone."""
        moved: Array = (points_m - self.rest_heads_m[bone]) @ self.rotations[bone].T + self.heads_m[bone]
        return moved

    def skin(self, points_m: Array, weights: Array) -> Array:
        """Points (N, 3) at rest that follow bones by weights (N, B): linear blend skinning."""
        offset = self.heads_m - np.einsum("bij,bj->bi", self.rotations, self.rest_heads_m)
        blended = np.einsum("nb,bij->nij", weights, self.rotations)
        skinned: Array = np.einsum("nij,nj->ni", blended, points_m) + weights @ offset
        return skinned

    def moved(self, by_m: Array) -> Posed:
        """The same pose elsewhere."""
        return Posed(self.rotations, self.heads_m + by_m, self.rest_heads_m)


@dataclass(frozen=True)
class Skeleton:
    """Bones by name; parents stand before their children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]

    @cached_property
    def number(self) -> Mapping[str, int]:
        """Bones by name."""
        return {name: number for number, name in enumerate(self.names)}

    def pose(self, rest_heads_m: Array, rotations: Mapping[str, Array]) -> Posed:
        """Set rotations (of the world, not of the parent); a bone without one turns with its parent."""
        turned = np.empty((len(self.names), 3, 3))
        heads = np.empty_like(rest_heads_m)
        for bone, (name, parent) in enumerate(zip(self.names, self.parents, strict=True)):
            inherited = np.eye(3) if parent < 0 else turned[parent]
            turned[bone] = rotations.get(name, inherited)
            shift = rest_heads_m[bone] - rest_heads_m[max(parent, 0)]
            heads[bone] = (rest_heads_m[bone] if parent < 0 else heads[parent]) + inherited @ shift
        return Posed(turned, heads, rest_heads_m)
