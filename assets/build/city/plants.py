"""Trees, hedges and bushes: many small leaf polygons round a few dark cores, so that edges are ragged, not round."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .mesh import MeshBuilder

__all__ = ["TREES", "bush", "grow", "hedge", "leaf_clump", "tree"]

Array = NDArray[np.float64]

# kind: (height of the crown's foot, crown radius, crown height, blobs, leaf clumps, leaf size, trunk radius)
TREES: dict[str, tuple[float, float, float, int, int, float, float]] = {
    "lime": (3.3, 2.3, 5.4, 8, 290, 0.69, 0.17),
    "plane": (3.6, 3.1, 5.8, 10, 350, 0.78, 0.24),
    "maple": (2.9, 1.7, 3.6, 6, 210, 0.57, 0.11),
    "poplar": (2.2, 1.15, 9.5, 9, 250, 0.66, 0.16),
}


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
        mesh.blob(centre, 0.7 * r * np.array([1.0, 1.0, 0.95]), "leaves_dark", rings=3, sides=7, bumps=bumps)
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
    """Leaf clumps (bent quads of uneven outline) on the outside of the clouds, none below ``lowest``."""
    share = radii**2 / (radii**2).sum()
    made = 0
    while made < count:
        which = int(rng.choice(len(radii), p=share))
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        place = centres[which] + normal * radii[which] * rng.uniform(0.78, 1.12)
        inside = np.linalg.norm((place - centres) / radii[:, None], axis=1) < 0.72
        if inside.any() or place[2] < lowest_m:
            continue
        made += 1
        leaf_clump(mesh, place, normal + 0.7 * rng.normal(size=3), size_m * float(rng.uniform(0.7, 1.35)), rng)


def leaf_clump(mesh: MeshBuilder, centre: Array, normal: Array, size_m: float, rng: np.random.Generator) -> None:
    """Two triangles, folded along their common edge."""
    n = normal / np.linalg.norm(normal)
    u = np.cross(n, rng.normal(size=3))
    u /= np.linalg.norm(u)
    v = np.cross(n, u)
    a, b, c, d = size_m * rng.uniform(0.35, 0.65, 4)
    fold = n * size_m * float(rng.uniform(-0.05, 0.25))
    points = np.array([centre - a * u, centre - b * v - fold, centre + c * u, centre + d * v - fold])
    material = ("leaves", "leaves", "leaves_light", "leaves_dark")[int(rng.integers(4))]
    mesh.add(points, [(0, 1, 2), (0, 2, 3)], material)


def hedge() -> MeshBuilder:
    """Two metres of clipped hedge along x, 1.1 m high."""
    rng = np.random.default_rng(31)
    mesh = MeshBuilder()
    mesh.box((-1.0, -0.28, 0.0), (1.0, 0.28, 1.0), "leaves_dark", skip="-z")
    for _ in range(64):
        side = int(rng.integers(3))
        x, z = float(rng.uniform(-1.0, 1.0)), float(rng.uniform(0.1, 1.05))
        if side == 2:
            place, normal = np.array([x, float(rng.uniform(-0.28, 0.28)), 1.05]), np.array([0.0, 0.0, 1.0])
        else:
            sign = 1.0 if side else -1.0
            place, normal = np.array([x, sign * 0.32, z]), np.array([0.0, sign, 0.0])
        place = place + rng.normal(0.0, 0.04, 3)
        leaf_clump(mesh, place, normal + 0.35 * rng.normal(size=3), float(rng.uniform(0.3, 0.5)), rng)
    return mesh


def bush() -> MeshBuilder:
    """A round bush of 1.2 m."""
    rng = np.random.default_rng(37)
    mesh = MeshBuilder()
    centres, radii = np.array([[0.0, 0.0, 0.5], [0.4, 0.2, 0.4], [-0.35, 0.25, 0.45]]), np.array([0.6, 0.45, 0.5])
    for centre, r in zip(centres, radii, strict=True):
        mesh.blob(centre, (0.75 * r, 0.75 * r, 0.75 * r), "leaves_dark", rings=4, sides=7)
    for _ in range(80):
        which = int(rng.integers(3))
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        place = centres[which] + normal * radii[which]
        if place[2] > 0.02:
            leaf_clump(mesh, place, normal + 0.5 * rng.normal(size=3), float(rng.uniform(0.25, 0.4)), rng)
    return mesh
