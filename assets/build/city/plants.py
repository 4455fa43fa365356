"""Trees, hedges and bushes: sprays of leaves round boughs and dark cores, so that edges are ragged and show the sky."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .mesh import MeshBuilder

__all__ = ["LOW_LEAVES", "TREES", "bush", "grow", "hedge", "on_balls", "on_box", "sprays", "tree"]

Array = NDArray[np.float64]

# kind: (height of the crown's foot, crown radius, crown height, blobs, sprays of leaves, size of a spray, trunk radius)
TREES: dict[str, tuple[float, float, float, int, int, float, float]] = {
    "lime": (3.3, 2.3, 5.4, 8, 290, 0.69, 0.17),
    "plane": (3.6, 3.1, 5.8, 10, 350, 0.78, 0.24),
    "maple": (2.9, 1.7, 3.6, 6, 210, 0.57, 0.11),
    "poplar": (2.2, 1.15, 9.5, 9, 250, 0.66, 0.16),
}
LEAVES, LOW_LEAVES = 9, 5
"""In a spray of a tree, and of what grows lower."""


def tree(kind: str) -> MeshBuilder:
    """One tree of a kind, root at the origin."""
    return grow(TREES[kind], np.random.default_rng([23, *kind.encode()]))


def grow(shape: tuple[float, float, float, int, int, float, float], rng: np.random.Generator) -> MeshBuilder:
    """One tree with the measures of a row of :data:`TREES`, root at the origin."""
    foot, radius, height, blobs, leaves, leaf, trunk = shape
    mesh = MeshBuilder()
    lean = rng.uniform(-0.15, 0.15, (4, 2)) * [[0.0], [0.3], [1.0], [1.5]]
    z = np.array([-0.1, foot * 0.5, foot, foot + 0.55 * height])
    mesh.tube(np.column_stack([lean, z]), [trunk * 1.25, trunk, trunk * 0.8, trunk * 0.25], 8, "bark", caps=False)
    centres, radii = _blobs(foot, radius, height, blobs, rng)
    for centre, r in zip(centres, radii, strict=True):
        start = np.array([*lean[2], foot - 0.3])
        mesh.tube([start, centre], [trunk * 0.45, trunk * 0.12], 4, "bark", caps=False)
        bumps = rng.uniform(0.75, 1.1, (3, 7))
        mesh.blob(centre, 0.42 * r * np.array([1.0, 1.0, 0.95]), "leaves_dark", rings=3, sides=7, bumps=bumps)
    _leaves(mesh, centres, radii, leaves, leaf, foot - 0.15, rng)
    return mesh


def _blobs(
    foot_m: float, radius_m: float, height_m: float, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Centres (B, 3) and radii (B,) of the clouds that make up a crown, narrower towards top and foot."""
    golden = math.pi * (3.0 - math.sqrt(5.0))
    share = (np.arange(count) + 0.5) / count
    profile = np.sin(math.pi * np.clip(share * 0.92 + 0.1, 0, 1)) ** 0.7
    angle = golden * np.arange(count) + rng.uniform(-0.4, 0.4, count)
    reach = 0.55 * radius_m * profile * rng.uniform(0.8, 1.25, count)
    centres = np.stack(
        [reach * np.cos(angle), reach * np.sin(angle), foot_m + 0.25 * radius_m + height_m * share], axis=1
    )
    radii = radius_m * (0.42 + 0.28 * profile) * rng.uniform(0.85, 1.15, count)
    return centres, radii


def _leaves(
    mesh: MeshBuilder,
    centres: Array,
    radii: Array,
    count: int,
    size_m: float,
    lowest_m: float,
    rng: np.random.Generator,
) -> None:
    """Sprays of leaves on the outside of the clouds, none below ``lowest``."""
    share = radii**2 / (radii**2).sum()
    places, normals = np.zeros((0, 3)), np.zeros((0, 3))
    while len(places) < count:
        which = rng.choice(len(radii), size=2 * count, p=share)
        normal = rng.normal(size=(2 * count, 3))
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        place = centres[which] + normal * (radii[which] * rng.uniform(0.4, 1.12, 2 * count))[:, None]
        depth = np.linalg.norm((place[:, None] - centres) / radii[:, None], axis=2)
        kept = (depth >= 0.36).all(axis=1) & (place[:, 2] >= lowest_m)
        places, normals = np.concatenate([places, place[kept]]), np.concatenate([normals, normal[kept]])
    normals = normals[:count] + 0.7 * rng.normal(size=(count, 3))
    sprays(mesh, places[:count], normals, size_m * rng.uniform(0.7, 1.35, count), rng)


def sprays(
    mesh: MeshBuilder, centres: Array, normals: Array, sizes_m: Array, rng: np.random.Generator, leaves: int = LEAVES
) -> None:
    """Sprays of leaves, each a triangle; most point away from the middle of their spray.

    Args:
        mesh: to add them to.
        centres: (N, 3) of the sprays.
        normals: (N, 3) across them, of any length.
        sizes_m: (N,) from side to side.
        rng: decides about leaves.
        leaves: of each.
    """
    count = len(centres) * leaves
    n = np.repeat(normals / np.linalg.norm(normals, axis=1, keepdims=True), leaves, axis=0)
    size = np.repeat(sizes_m, leaves)[:, None]
    out = rng.normal(size=(count, 3))
    out -= (out * n).sum(axis=1, keepdims=True) * n
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    root = np.repeat(centres, leaves, axis=0) + size * (
        out * (0.5 * np.sqrt(rng.uniform(0, 1, (count, 1))) - 0.1) + n * rng.uniform(-0.16, 0.16, (count, 1))
    )
    along = 0.7 * out + 0.6 * rng.normal(size=(count, 3)) + [0.0, 0.0, -0.2]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, n + 0.6 * rng.normal(size=(count, 3)))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    length, width = size * rng.uniform(0.28, 0.5, (count, 1)), size * rng.uniform(0.1, 0.2, (count, 1))
    lean = rng.uniform(-0.4, 0.4, (count, 1))
    points = np.stack([root - across * width, root + across * width, root + along * length + across * width * lean], 1)
    kinds = np.array(["leaves", "leaves", "leaves_light", "leaves_dark"])
    material = np.repeat(kinds[rng.integers(4, size=len(centres))], leaves)
    for kind in dict.fromkeys(kinds.tolist()):
        chosen = points[material == kind].reshape(-1, 3)
        mesh.add(chosen, np.arange(len(chosen)).reshape(-1, 3).tolist(), kind)


def hedge() -> MeshBuilder:
    """Two metres of clipped hedge along x, 1.1 m high."""
    rng = np.random.default_rng(31)
    mesh = MeshBuilder()
    mesh.box((-1.0, -0.28, 0.0), (1.0, 0.28, 1.0), "leaves_dark", skip="-z")
    places, normals = on_box(np.array([1.0, 0.3, 1.05]), 64, rng)
    places += rng.normal(0.0, 0.04, places.shape)
    sprays(mesh, places, normals + 0.35 * rng.normal(size=normals.shape), rng.uniform(0.3, 0.5, 64), rng, LOW_LEAVES)
    return mesh


def on_box(half_m: Array, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Places on both long sides and the top of a box along x that stands on the ground, a third on each; their normals.

    Args:
        half_m: (3,) half its length, half its depth, its height.
        count: of places.
        rng: decides where.
    """
    places = rng.uniform([-1.0, -1.0, 0.1], 1.0, (count, 3)) * half_m
    normals = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])[rng.integers(3, size=count)]
    upright = normals[:, 1] != 0.0
    places[upright, 1] = normals[upright, 1] * half_m[1]
    places[~upright, 2] = half_m[2]
    return places, normals


def bush() -> MeshBuilder:
    """A round bush of 1.2 m."""
    rng = np.random.default_rng(37)
    mesh = MeshBuilder()
    centres, radii = np.array([[0.0, 0.0, 0.5], [0.4, 0.2, 0.4], [-0.35, 0.25, 0.45]]), np.array([0.6, 0.45, 0.5])
    for centre, r in zip(centres, radii, strict=True):
        mesh.blob(centre, (0.75 * r, 0.75 * r, 0.75 * r), "leaves_dark", rings=4, sides=7)
    which = rng.integers(3, size=80)
    places, normals = on_balls(centres[which], radii[which], rng)
    sprays(mesh, places, normals + 0.5 * rng.normal(size=normals.shape), rng.uniform(0.25, 0.4, 80), rng, LOW_LEAVES)
    return mesh


def on_balls(centres: Array, radii_m: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A place on each of N balls, none below the ground, with the normals; both (N, 3)."""
    normals = rng.normal(size=centres.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    places = centres + normals * radii_m.reshape(len(centres), -1)
    places[:, 2] = np.abs(places[:, 2]) + 0.03
    return places, normals
