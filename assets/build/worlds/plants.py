"""Plants of gardens, verges and medians: palms, agaves, shrubs, hedges, conifers, trees of many shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import MeshBuilder
from assets.build.city.plants import LOW_LEAVES, TREES, grow, on_balls, on_box, sprays

__all__ = [
    "agave",
    "bare_plants",
    "conifer",
    "fan_palm",
    "feather_palm",
    "grass_tuft",
    "hedge_of",
    "plant_makers",
    "shrub",
]

Array = NDArray[np.float64]
Rng = np.random.Generator
_Shape = tuple[float, float, float, int, int, float, float]
_POINTS, _LEAFLETS = 11, 15
"""Of a fan, and on each side of a feather."""

# As city.plants.TREES: (foot of crown, its radius, its height, blobs, sprays, size of a spray, trunk radius), metres.
_SHAPES = {
    "oak": (2.4, 4.2, 5.0, 12, 460, 0.66, 0.3),
    "round": (2.1, 2.2, 3.4, 7, 260, 0.5, 0.14),
    "small": (1.5, 1.4, 2.2, 5, 150, 0.4, 0.08),
    "eucalyptus": (5.2, 2.9, 9.5, 10, 360, 0.66, 0.26),
    "jacaranda": (3.1, 3.4, 3.6, 9, 330, 0.55, 0.2),
    "cypress": (0.6, 0.8, 6.5, 8, 210, 0.5, 0.1),
}


def plant_makers(rng: Rng, winter: float = 0.0) -> dict[str, Callable[[], MeshBuilder]]:
    """Makers of all plants; each call of this gives other individuals.

    Args:
        rng: decides about shapes.
        winter: share of the broadleaved trees that have no leaves.
    """
    seeds = iter(rng.integers(1 << 31, size=64).tolist())

    def seeded(make: Callable[[Rng], MeshBuilder]) -> Callable[[], MeshBuilder]:
        seed = next(seeds)
        return lambda: make(np.random.default_rng(seed))

    makers: dict[str, Callable[[], MeshBuilder]] = {}
    for name, shape in (*_SHAPES.items(), *TREES.items()):
        bare = rng.random() < winter and name not in ("cypress", "eucalyptus")
        makers[f"tree.{name}"] = seeded(partial(_bare if bare else _varied, shape))
    for k in range(2):
        makers[f"fan_palm.{k}"] = seeded(fan_palm)
        makers[f"feather_palm.{k}"] = seeded(feather_palm)
        makers[f"agave.{k}"] = seeded(agave)
        makers[f"grass.{k}"] = seeded(grass_tuft)
    for k in range(4):
        makers[f"shrub.{k}"] = seeded(shrub)
    makers["conifer"] = seeded(conifer)
    for name, height in (("low", 0.8), ("middle", 1.3), ("high", 2.2)):
        makers[f"hedge.{name}"] = seeded(partial(hedge_of, height))
    return makers


def _varied(shape: _Shape, rng: Rng) -> MeshBuilder:
    foot, radius, height, blobs, leaves, leaf, trunk = shape
    a, b, c = rng.uniform(0.85, 1.2, 3)
    return grow((foot * a, radius * b, height * c, blobs, leaves, leaf, trunk), rng)


def _bare(shape: _Shape, rng: Rng) -> MeshBuilder:
    """A tree in winter: trunk, boughs and twigs."""
    foot, radius, height, blobs, _, _, trunk = shape
    mesh = MeshBuilder()
    top = np.array([0.0, 0.0, foot + 0.3 * height])
    mesh.tube([(0, 0, -0.1), (0, 0, foot), top], [trunk * 1.2, trunk * 0.8, trunk * 0.5], 7, "bark", caps=False)
    for k in range(blobs + 3):
        angle = 2.4 * k + float(rng.uniform(-0.4, 0.4))
        reach = radius * float(rng.uniform(0.6, 1.0))
        start = np.array([0.0, 0.0, foot + 0.3 * height * float(rng.uniform(0.0, 1.0))])
        end = np.array(
            [reach * math.cos(angle), reach * math.sin(angle), foot + height * float(rng.uniform(0.45, 1.0))]
        )
        middle = (start + end) / 2 + [0.0, 0.0, -0.08 * height]
        mesh.tube([start, middle, end], [trunk * 0.4, trunk * 0.22, 0.02], 4, "bark", caps=False)
        for _ in range(7):
            root = middle + (end - middle) * float(rng.uniform(0.0, 0.95))
            tip = root + rng.normal(0.0, 0.22 * radius, 3) + [0.0, 0.0, 0.22 * radius]
            mesh.tube([root, tip], [0.025, 0.008], 3, "bark", caps=False)
    return mesh


def bare_plants(seed: int) -> dict[str, Callable[[], MeshBuilder]]:
    """Makers of plants in a cold winter, by the names that :func:`plant_makers` gives them; the rest are evergreen."""
    makers: dict[str, Callable[[], MeshBuilder]] = {}
    for name, shape in (*_SHAPES.items(), *TREES.items()):
        if name not in ("cypress", "eucalyptus"):
            makers[f"tree.{name}"] = partial(_winter_tree, shape, np.random.SeedSequence([seed, 31, *name.encode()]))
    for k in (0, 2):
        makers[f"shrub.{k}"] = partial(_winter_shrub, np.random.SeedSequence([seed, 32, k]))
    for k, (palm, instead) in enumerate(_INSTEAD_OF_PALMS.items()):
        makers[palm] = partial(_winter_tree, TREES[instead], np.random.SeedSequence([seed, 33, k]))
    for k in range(2):
        makers[f"agave.{k}"] = partial(_winter_shrub, np.random.SeedSequence([seed, 34, k]))
    return makers


_INSTEAD_OF_PALMS = {"fan_palm.0": "poplar", "fan_palm.1": "lime", "feather_palm.0": "maple", "feather_palm.1": "maple"}
"""Where winters are cold other trees stand: a palm in the snow would be a rare sight."""


def _winter_tree(shape: _Shape, seed: np.random.SeedSequence) -> MeshBuilder:
    """Trunk, boughs, branches and twigs: half of what a crown hides is still hidden, and the sky shows through."""
    rng, mesh = np.random.default_rng(seed), MeshBuilder()
    foot, radius, height, blobs, _, _, trunk = shape
    foot, radius, height = foot * 0.9, radius * float(rng.uniform(0.9, 1.15)), height * float(rng.uniform(0.9, 1.15))
    top = np.array([*rng.uniform(-0.3, 0.3, 2), foot + 0.75 * height])
    mesh.tube([(0, 0, -0.1), (0, 0, foot), top], [trunk * 1.2, trunk * 0.8, 0.03], 7, "bark", caps=False)
    for k in range(blobs + 5):
        angle, share = 2.4 * k + float(rng.uniform(-0.4, 0.4)), (k + 0.5) / (blobs + 5)
        start = np.array([0.0, 0.0, foot]) + share * 0.6 * (top - [0.0, 0.0, foot])
        reach = radius * float(rng.uniform(0.75, 1.05)) * math.sin(math.pi * min(1.0, 0.25 + 0.65 * share)) ** 0.6
        rise = height * (0.25 + 0.45 * share + float(rng.uniform(-0.05, 0.08)))
        end = start + np.array([reach * math.cos(angle), reach * math.sin(angle), rise * (0.55 + 0.5 * share)])
        thick = trunk * (0.42 - 0.2 * share)
        middle = (start + end) / 2 - [0.0, 0.0, 0.1 * reach]
        mesh.tube([start, middle, end], [thick, 0.55 * thick, 0.03], 5, "bark", caps=False)
        for _ in range(7):
            _branch(mesh, start, middle, end, 0.3 * radius, 0.3 * thick, rng)
    return mesh


def _branch(
    mesh: MeshBuilder, start: Array, middle: Array, end: Array, length_m: float, thick_m: float, rng: Rng
) -> None:
    """One branch of a bough, with its twigs, a finger thick: thinner ones would be dots, for a pixel is one sample."""
    t = float(rng.uniform(0.25, 1.0))
    root = (start + (middle - start) * 2 * t) if t < 0.5 else (middle + (end - middle) * (2 * t - 1))
    out = (end - start) / np.linalg.norm(end - start)
    tip = root + length_m * (0.7 * out + rng.normal(0.0, 0.55, 3) + [0.0, 0.0, 0.45])
    mesh.tube([root, tip], [max(0.03, thick_m), 0.022], 4, "bark", caps=False)
    for _ in range(4):
        at = root + float(rng.uniform(0.2, 1.0)) * (tip - root)
        ends = at + 0.55 * length_m * (0.5 * (tip - root) / length_m + rng.normal(0.0, 0.45, 3) + [0.0, 0.0, 0.35])
        mesh.tube([at, ends], [0.022, 0.012], 3, "bark", caps=False)


def _winter_shrub(seed: np.random.SeedSequence) -> MeshBuilder:
    """Rods that rise from one root."""
    rng, mesh = np.random.default_rng(seed), MeshBuilder()
    width, height = float(rng.uniform(0.5, 1.1)), float(rng.uniform(0.8, 1.9))
    for k in range(26):
        out = np.array([math.cos(2.4 * k), math.sin(2.4 * k)]) * width * float(rng.uniform(0.1, 1.0)) ** 0.7
        tip = np.array([*out, height * float(rng.uniform(0.55, 1.0))])
        root = np.array([*(0.12 * out), 0.0])
        mesh.tube([root, tip], [0.02, 0.01], 3, "bark", caps=False)
        for _ in range(3):
            at = root + float(rng.uniform(0.35, 0.9)) * (tip - root)
            mesh.tube([at, at + rng.normal(0.0, 0.16, 3) + [0.0, 0.0, 0.22]], [0.013, 0.008], 3, "bark", caps=False)
    return mesh


def _frond(
    mesh: MeshBuilder,
    root: Array,
    angle: float,
    rise: float,
    length_m: float,
    width_m: float,
    droop: float,
    material: str,
    pieces: int = 4,
) -> None:
    """A leaf blade that rises and hangs over, folded along its middle."""
    t = np.linspace(0.0, 1.0, pieces + 1)
    out, side = _axes(angle)
    spine = root + length_m * _hanging(t, out, rise, droop)
    wide = width_m * np.sin(math.pi * np.clip(0.12 + 0.88 * t, 0, 1)) ** 0.7
    for sign in (1.0, -1.0):
        edge: Array = spine + np.outer(sign * wide, side) - np.outer(0.35 * wide, [0.0, 0.0, 1.0])
        n = len(t)
        blades: list[tuple[int, ...]] = [(i, i + 1, n + i + 1, n + i) for i in range(n - 2)]
        blades.append((n - 2, n - 1, 2 * n - 2))  # the tip
        mesh.add(np.concatenate([spine, edge[:-1]]), [face[:: int(sign)] for face in blades], material)


def _fan(mesh: MeshBuilder, root: Array, angle: float, rise: float, reach_m: float, material: str) -> None:
    """A palm leaf on its stalk: a round blade that is split into points along its rim, which hang."""
    level, side = _axes(angle)
    out = math.cos(rise) * level + [0.0, 0.0, math.sin(rise)]
    hub, stalk = root + 0.5 * reach_m * out, 0.025 * side
    mesh.add(np.stack([root - stalk, root + stalk, hub]), [(0, 1, 2)], material)
    turns = np.radians(np.linspace(-115.0, 115.0, 2 * _POINTS + 1))
    rays = np.outer(np.cos(turns), out) + np.outer(np.sin(turns), side)
    rim = hub + 0.3 * reach_m * rays[::2] - [0.0, 0.0, 0.03 * reach_m]
    tips = hub + 0.56 * reach_m * rays[1::2] - [0.0, 0.0, 0.16 * reach_m]
    faces = [(0, 1 + k, 2 + k) for k in range(_POINTS)]
    faces += [(1 + k, 2 + _POINTS + k, 2 + k) for k in range(_POINTS)]
    mesh.add(np.concatenate([[hub], rim, tips]), faces, material)


def _feather(
    mesh: MeshBuilder, root: Array, angle: float, rise: float, length_m: float, material: str, rng: Rng
) -> None:
    """A palm leaf of narrow leaflets on both sides of a rib that hangs over."""
    droop, (out, side), up = 0.62, _axes(angle), np.array([0.0, 0.0, 1.0])
    _frond(mesh, root, angle, rise, length_m, 0.035, droop, material)
    t = np.repeat(np.linspace(0.12, 0.98, _LEAFLETS), 2)[:, None]
    sign = np.tile([1.0, -1.0], _LEAFLETS)[:, None]
    spine = root + length_m * _hanging(t[:, 0], out, rise, droop)
    along = math.cos(rise) * out + (math.sin(rise) - 2.0 * droop * t) * up
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    reach = 0.24 * length_m * np.sin(math.pi * (0.1 + 0.8 * t)) ** 0.5 * rng.uniform(0.8, 1.15, (len(t), 1))
    hang = rng.uniform(0.15, 0.6, (len(t), 1))
    tips = spine + reach * (0.5 * along + 0.8 * sign * side - hang * up)
    points = np.stack([spine - 0.05 * along, spine + 0.05 * along, tips], axis=1).reshape(-1, 3)
    mesh.add(points, np.arange(len(points)).reshape(-1, 3).tolist(), material)


def _axes(angle: float) -> tuple[Array, Array]:
    """Level directions: at an angle, and to the left of it."""
    return np.array([math.cos(angle), math.sin(angle), 0.0]), np.array([-math.sin(angle), math.cos(angle), 0.0])


def _hanging(t: Array, out: Array, rise: float, droop: float) -> Array:
    """(N, 3) points at shares ``t`` of a curve of length 1 that rises outwards and hangs over."""
    curve: Array = np.outer(t * math.cos(rise), out) + np.outer(t * math.sin(rise) - droop * t * t, [0.0, 0.0, 1.0])
    return curve


def fan_palm(rng: Rng) -> MeshBuilder:
    """Washingtonia: a thin trunk of 6 to 15 m, a round head of fans, a skirt of dead ones."""
    mesh = MeshBuilder()
    height, lean = float(rng.uniform(6.0, 15.0)), rng.uniform(-0.35, 0.35, 2)
    top = np.array([*lean, height])
    mesh.tube(
        [(0, 0, -0.1), (0.3 * lean[0], 0.3 * lean[1], 0.5 * height), top], [0.3, 0.19, 0.16], 7, "bark", caps=False
    )
    for k in range(26):
        rise = math.radians(75.0 - 4.6 * k)
        material = ("leaves", "leaves_light", "leaves_dark")[int(rng.integers(3))] if k < 19 else "straw"
        reach = float(rng.uniform(1.1, 1.6))
        root = top + np.array([0.35 * math.cos(2.4 * k), 0.35 * math.sin(2.4 * k), 0.02 * (10 - k)])
        if k < 19:
            _fan(mesh, root, 2.4 * k, rise, reach, material)
        else:
            _frond(mesh, root, 2.4 * k, rise, reach, 0.42, 0.35, material, pieces=3)
    return mesh


def feather_palm(rng: Rng) -> MeshBuilder:
    """Date or queen palm: a stout trunk of 3 to 8 m, long feathers that hang over."""
    mesh = MeshBuilder()
    height, stout = float(rng.uniform(3.0, 8.0)), float(rng.uniform(0.18, 0.34))
    mesh.tube(
        [(0, 0, -0.1), (0, 0, 0.6 * height), (0, 0, height)], [1.2 * stout, 0.9 * stout, stout], 8, "bark", caps=False
    )
    top = np.array([0.0, 0.0, height])
    for k in range(32):
        rise = math.radians(80.0 - 3.6 * k + float(rng.uniform(-6, 6)))
        material = ("leaves", "leaves_light", "leaves_dark")[int(rng.integers(3))]
        _feather(mesh, top, 2.4 * k, rise, float(rng.uniform(2.2, 3.2)), material, rng)
    return mesh


def agave(rng: Rng) -> MeshBuilder:
    """A rosette of stiff pointed leaves, 0.7 to 1.3 m high."""
    mesh = MeshBuilder()
    size, count = float(rng.uniform(0.8, 1.4)), int(rng.integers(20, 32))
    for k in range(count):
        rise = math.radians(82.0 - 70.0 * k / count + float(rng.uniform(-5, 5)))
        angle, length = 2.4 * k, size * float(rng.uniform(0.8, 1.05))
        out, side = _axes(angle)
        t = np.array([0.0, 0.35, 1.0])
        spine = np.outer(t * length * math.cos(rise) + 0.05, out) + np.outer(
            t * length * math.sin(rise) + 0.08, [0, 0, 1.0]
        )
        wide = np.outer(size * np.array([0.07, 0.1, 0.004]), side)
        points = np.concatenate([spine - wide, spine + wide])
        mesh.add(points, [(0, 3, 4, 1), (1, 4, 5, 2)], ("leaves_dark", "leaves_light")[k % 2])
    return mesh


def grass_tuft(rng: Rng) -> MeshBuilder:
    """Ornamental grass: thin blades that hang over, 0.6 to 1 m high."""
    mesh = MeshBuilder()
    for k in range(34):
        root = np.array([*rng.normal(0.0, 0.09, 2), 0.0])
        _frond(
            mesh,
            root,
            2.4 * k,
            math.radians(float(rng.uniform(55, 85))),
            float(rng.uniform(0.7, 1.1)),
            0.03,
            0.4,
            ("leaves_light", "straw", "leaves")[int(rng.integers(3))],
            pieces=3,
        )
    return mesh


def shrub(rng: Rng) -> MeshBuilder:
    """A bush of 0.8 to 2.4 m: round, spreading or upright."""
    mesh = MeshBuilder()
    width, height = float(rng.uniform(0.5, 1.2)), float(rng.uniform(0.7, 2.2))
    count = int(rng.integers(3, 7))
    centres = np.column_stack([rng.normal(0.0, 0.4 * width, (count, 2)), height * rng.uniform(0.3, 0.75, count)])
    radii = width * rng.uniform(0.4, 0.75, count)
    tall = max(0.5, min(1.6, 0.5 * height / width))
    for centre, r in zip(centres, radii, strict=True):
        mesh.blob(
            centre,
            (0.78 * r, 0.78 * r, 0.78 * r * tall),
            "leaves_dark",
            rings=4,
            sides=7,
            bumps=rng.uniform(0.75, 1.15, (4, 7)),
        )
    mesh.blob((0.0, 0.0, 0.25 * height), (0.6 * width, 0.6 * width, 0.3 * height), "leaves_dark", rings=3, sides=7)
    leaves = int(70 + 35 * width * height)
    which = rng.integers(count, size=leaves)
    places, normals = on_balls(centres[which], radii[which, None] * [1.0, 1.0, tall], rng)
    across = normals + 0.6 * rng.normal(size=normals.shape)
    sprays(mesh, places, across, rng.uniform(0.22, 0.45, leaves), rng, LOW_LEAVES)
    return mesh


def conifer(rng: Rng) -> MeshBuilder:
    """A cone of drooping branches, 7 to 12 m."""
    mesh = MeshBuilder()
    height = float(rng.uniform(7.0, 12.0))
    mesh.tube([(0, 0, -0.1), (0, 0, height)], [0.2, 0.04], 6, "bark", caps=False)
    for k in range(72):
        share = (k + 0.5) / 72
        z, reach = 0.9 + share * (height - 1.2), (1 - share) * 0.24 * height + 0.25
        _frond(
            mesh,
            np.array([0.0, 0.0, z]),
            2.4 * k,
            math.radians(8.0),
            reach * float(rng.uniform(0.8, 1.1)),
            0.16 * reach + 0.14,
            0.35,
            ("leaves_dark", "leaves")[k % 3 == 0],
            pieces=2,
        )
    return mesh


def hedge_of(height_m: float, rng: Rng) -> MeshBuilder:
    """Two metres of hedge along x, clipped more or less well."""
    mesh = MeshBuilder()
    deep = float(rng.uniform(0.3, 0.5))
    mesh.box((-1.02, -deep, 0.0), (1.02, deep, 0.95 * height_m), "leaves_dark", skip="-z")
    leaves = int(40 + 26 * height_m)
    places, normals = on_box(np.array([1.0, deep + 0.02, 0.97 * height_m]), leaves, rng)
    places += rng.normal(0.0, 0.05, places.shape)
    across = normals + 0.4 * rng.normal(size=normals.shape)
    sprays(mesh, places, across, rng.uniform(0.3, 0.55, leaves), rng, LOW_LEAVES)
    return mesh
