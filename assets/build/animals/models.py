"""The models of ``animals.npz``: each animal in each pose is one mesh with zones and marks; and a pram.

A four-legged animal is a trunk, a neck, a head with ears, a tail and four legs of three bones. Lengths are shares of
the height at the withers. Sizes: shoulder heights of breed standards (dogs 0.62, 0.5 and 0.32 m), of roe deer 0.70 m
and white-tailed deer 0.95 m, of cats 0.25 m, of wild boar 0.75 m and a young one 0.45 m.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from renderer.zones.catalogue import Zone

from assets.build.people.mesh import ZonedMesh, box, joined
from assets.build.people.models import PersonModel
from assets.build.people.sweep import Array, Knot, sweep
from assets.build.people.twowheelers import torus, tube

__all__ = ["animal_models", "pram_model"]

_STEP_M = 1 / 2048
_FACE_BEHIND_STOP = 0.08
"""The coat ends so far behind where forehead and muzzle meet, further on the cheeks; a share of the head's length."""
POSES = ("stand", "walk_00", "walk_01", "walk_02", "walk_03", "graze")
"""``graze`` is an animal with its head at the ground."""


@dataclass(frozen=True)
class Species:
    """Proportions, as shares of the height at the withers."""

    name: str
    category: str
    height_m: float
    length: float
    """From breast to rump."""
    depth: float
    """Of the chest."""
    width: float
    leg: float
    """Thickness of the forearm."""
    neck: float
    neck_deg: float
    """Above the level."""
    head: float
    muzzle: float
    """Length of the muzzle as a share of the head's."""
    ear: float
    ear_up: bool
    tail: float
    tail_deg: float
    tuck: float = 0.75
    """Depth of the belly at the loins as a share of the chest's."""
    antlers: bool = False
    jaw: float = 0.085
    """Half of the muzzle's height at its end, as a share of the head's length."""
    skull: float = 0.24
    """Half of the skull's height, likewise."""
    head_deg: float = -14.0
    """Of the head against the level."""
    crest: float = 0.0
    """How far the shoulders stand above the back."""


SPECIES: tuple[Species, ...] = (
    Species(
        "dog_01",
        "dog",
        0.62,
        1.1,
        0.47,
        0.3,
        0.085,
        0.42,
        48.0,
        0.37,
        0.48,
        0.19,
        True,
        0.6,
        -40.0,
        jaw=0.115,
        skull=0.27,
    ),
    Species(
        "dog_02",
        "dog",
        0.5,
        1.12,
        0.5,
        0.34,
        0.1,
        0.38,
        42.0,
        0.38,
        0.44,
        0.16,
        False,
        0.55,
        15.0,
        jaw=0.135,
        skull=0.29,
    ),
    Species(
        "dog_03",
        "dog",
        0.32,
        1.25,
        0.52,
        0.36,
        0.12,
        0.38,
        55.0,
        0.44,
        0.42,
        0.2,
        True,
        0.4,
        60.0,
        0.85,
        jaw=0.125,
        skull=0.28,
    ),
    Species("deer_01", "deer", 0.7, 1.15, 0.44, 0.3, 0.055, 0.62, 58.0, 0.36, 0.55, 0.22, True, 0.08, -40.0, 0.8),
    Species("deer_02", "deer", 0.95, 1.15, 0.45, 0.3, 0.06, 0.6, 52.0, 0.34, 0.58, 0.19, True, 0.2, -60.0, 0.8, True),
    Species(
        "cat_01",
        "cat",
        0.25,
        1.35,
        0.5,
        0.36,
        0.12,
        0.3,
        35.0,
        0.4,
        0.26,
        0.2,
        True,
        1.0,
        40.0,
        0.9,
        jaw=0.15,
        skull=0.31,
    ),
    Species(
        "boar_01",
        "boar",
        0.75,
        1.45,
        0.6,
        0.4,
        0.085,
        0.2,
        4.0,
        0.6,
        0.6,
        0.16,
        True,
        0.28,
        -70.0,
        0.72,
        jaw=0.1,
        skull=0.27,
        head_deg=-34.0,
        crest=0.07,
    ),
    Species(
        "boar_02",
        "boar",
        0.45,
        1.35,
        0.52,
        0.36,
        0.09,
        0.2,
        8.0,
        0.55,
        0.58,
        0.17,
        True,
        0.25,
        -50.0,
        0.85,
        jaw=0.1,
        skull=0.26,
        head_deg=-30.0,
        crest=0.03,
    ),
)


def animal_models() -> Iterator[PersonModel]:
    """All animals in all poses."""
    for one in SPECIES:
        for pose in POSES:
            yield _model(f"{one.name}.{pose}", one.category, _animal(one, pose))


def _model(name: str, category: str, mesh: ZonedMesh) -> PersonModel:
    vertices = mesh.vertices_m - (0.0, 0.0, mesh.vertices_m[:, 2].min())
    vertices = np.round(vertices / _STEP_M) * _STEP_M
    length, width = (2.0 * float(abs(vertices[:, axis]).max()) for axis in (0, 1))
    marks = {
        "gis_category": category, "gis_model": name, "gis_source": "made by hand", "gis_length_m": length,
        "gis_width_m": width, "gis_height_m": float(vertices[:, 2].max()),
    }  # fmt: skip
    return PersonModel(name, ZonedMesh(vertices, mesh.faces, mesh.zones), None, marks)


def _animal(one: Species, pose: str) -> ZonedMesh:
    """An animal in metres, its paws about the ground."""
    step = int(pose[-2:]) / 4 if pose.startswith("walk") else None
    down = pose == "graze"
    front = _stout_front(one, down=down) if one.category == "boar" else _front(one, down=down)
    parts = [*_trunk(one), *front, _tail(one), *_legs(one, step)]
    mesh = joined(parts)
    return ZonedMesh(mesh.vertices_m * one.height_m, mesh.faces, mesh.zones)


def _trunk(one: Species) -> Iterator[ZonedMesh]:
    """From rump to breast: deepest behind the forelegs."""
    half, depth, wide, top = one.length / 2, one.depth / 2, one.width / 2, 1.0
    loin = one.tuck * depth
    knots: list[Knot] = [
        (-half, 0.0, top - 0.16, 0.45 * wide, 0.3 * loin),
        (-half + 0.1, 0.0, top - 0.8 * loin - 0.03, 0.85 * wide, 0.85 * loin),
        (-0.25 * one.length, 0.0, top - loin, 0.95 * wide, loin),
        (-0.02, 0.0, top - 0.9 * depth - 0.02 + 0.4 * one.crest, wide, 0.93 * depth + 0.4 * one.crest),
        (0.26 * one.length, 0.0, top - depth + one.crest / 2, wide, depth + one.crest / 2),
        (half - 0.1, 0.0, top - 0.95 * depth + 0.3 * one.crest, 0.85 * wide, 0.82 * depth + 0.3 * one.crest),
        (half, 0.0, top - 0.85 * depth, 0.5 * wide, 0.45 * depth),
    ]
    yield sweep(knots, Zone.FUR, 18)


def _front(one: Species, *, down: bool) -> Iterator[ZonedMesh]:
    """Neck and head with ears; the head hangs at the ground where it grazes."""
    start = np.array([one.length / 2 - 0.12, 1.0 - 0.7 * one.depth / 2 - 0.05])
    angle = math.radians(-48.0 if down else one.neck_deg)
    end = start + one.neck * np.array([math.cos(angle), math.sin(angle)])
    if down:
        # The neck reaches down as far as the muzzle touches the ground.
        end[1] = one.head + 0.02
    middle = 0.5 * (start + end) + (0.03, 0.03)
    thick = 0.36 * one.depth
    yield sweep(
        [
            (float(start[0] - 0.08), 0.0, float(start[1] - 0.02), 0.75 * thick, 1.1 * thick),
            (float(start[0] + 0.03), 0.0, float(start[1] + 0.02), 0.62 * thick, 0.85 * thick),
            (float(middle[0]), 0.0, float(middle[1]), 0.48 * thick, 0.62 * thick),
            (float(end[0]), 0.0, float(end[1]), 0.42 * thick, 0.48 * thick),
        ],
        Zone.FUR,
    )
    yield from _head(one, end, math.radians(-75.0 if down else one.head_deg))


def _stout_front(one: Species, *, down: bool) -> Iterator[ZonedMesh]:
    """A neck as thick as the breast, that ends in the head."""
    half, depth, wide = one.length / 2, one.depth / 2, one.width / 2
    path = ((-0.22, -0.9, 0.9), (-0.02, -1.0, 0.86), (0.12, -1.35, 0.66), (0.2, -1.7, 0.48)) if down else (
        (-0.22, -0.9, 0.9), (-0.02, -0.92, 0.84), (0.1, -0.98, 0.66), (0.2, -1.1, 0.5))  # fmt: skip
    knots: list[Knot] = [(half + x, 0.0, 1.0 + z * depth, 0.9 * share * wide, share * depth) for x, z, share in path]
    yield sweep(knots, Zone.FUR, 18)
    x, _, z = knots[-1][:3]
    yield from _head(one, np.array([x, z]), math.radians(-68.0 if down else one.head_deg))


def _head(one: Species, at: Array, tilt: float) -> Iterator[ZonedMesh]:
    """Skull and muzzle along a tilted axis; on face and ears short hair, through which more heat comes."""
    ahead = np.array([math.cos(tilt), math.sin(tilt)])
    above = np.array([-ahead[1], ahead[0]])
    size = one.head

    def knot(along: float, up: float, width: float, height: float) -> Knot:
        x, z = at + along * size * ahead + up * size * above
        return float(x), 0.0, float(z), width * size, height * size

    stop = 1.0 - one.muzzle
    head = sweep(
        [
            knot(-0.12, 0.0, 0.7 * one.skull, 0.7 * one.skull),
            knot(0.12, 0.03, 0.96 * one.skull, one.skull),
            knot(stop - 0.04, 0.0, 0.8 * one.skull, 0.86 * one.skull),
            knot(stop + 0.2 * one.muzzle, -0.07, 1.45 * one.jaw, 1.5 * one.jaw),
            knot(stop + 0.65 * one.muzzle, -0.09, 1.1 * one.jaw, 1.2 * one.jaw),
            knot(0.96, -0.1, 0.95 * one.jaw, one.jaw),
        ],
        Zone.HAIR,
    )
    middles = np.array([head.vertices_m[list(face)].mean(axis=0) for face in head.faces])
    along = (middles[:, [0, 2]] - at) @ ahead / size
    coat = along < stop - _FACE_BEHIND_STOP - 0.35 * abs(middles[:, 1]) / size
    yield ZonedMesh(head.vertices_m, head.faces, np.where(coat, Zone.FUR, head.zones).astype(head.zones.dtype))
    for side in (1.0, -1.0):
        yield _ear(one, knot(0.08, 0.17, 0.0, 0.0), side, above, ahead)
        if one.antlers:
            yield from _antler(one, knot(0.12, 0.24, 0.0, 0.0), side, above, ahead)


def _ear(one: Species, root: Knot, side: float, above: Array, ahead: Array) -> ZonedMesh:
    x, _, z = root[:3]
    y = side * 0.13 * one.head
    out, long = side * (0.35 if one.ear_up else 0.55), one.ear
    rise = above * (1.0 if one.ear_up else -0.55) - 0.15 * ahead
    points = [(x + s * long * rise[0], y + s * long * out, z + s * long * rise[1]) for s in (0.0, 0.45, 0.8, 1.0)]
    flat = [(0.4, 0.18), (0.46, 0.16), (0.3, 0.1), (0.08, 0.05)]
    return sweep([(*p, w * long * 0.6, h * long * 0.6) for p, (w, h) in zip(points, flat, strict=True)], Zone.HAIR, 8)


def _antler(one: Species, root: Knot, side: float, above: Array, ahead: Array) -> Iterator[ZonedMesh]:
    """A beam that bends forward, and three points on it; bone without blood, as warm as the air."""
    x, _, z = root[:3]
    beam = [
        (x + a * ahead[0] + u * above[0], side * (0.03 + o), z + a * ahead[1] + u * above[1])
        for a, u, o in ((0.0, 0.0, 0.0), (-0.1, 0.16, 0.1), (-0.06, 0.32, 0.22), (0.12, 0.42, 0.2))
    ]
    yield sweep([(*p, r, r) for p, r in zip(beam, (0.022, 0.019, 0.015, 0.008), strict=True)], Zone.CARRIED, 6)
    for foot in beam[1:]:
        tip = (foot[0] + 0.03, foot[1] + side * 0.02, foot[2] + 0.17)
        yield sweep([(*foot, 0.014, 0.014), (*tip, 0.005, 0.005)], Zone.CARRIED, 5)


def _tail(one: Species) -> ZonedMesh:
    angle = math.radians(one.tail_deg)
    x, z = -one.length / 2 + 0.02, 1.0 - 0.12
    thick = 0.05 if one.category != "deer" else 0.07
    points = [(x - s * one.tail * math.cos(angle), 0.0, z + s * one.tail * math.sin(angle)) for s in (0.0, 0.5, 1.0)]
    return sweep([(*p, thick * w, thick * w) for p, w in zip(points, (0.9, 1.0, 0.5), strict=True)], Zone.FUR, 8)


def _legs(one: Species, step: float | None) -> Iterator[ZonedMesh]:
    """Four legs; in a walk each is a quarter of the step after the one before: hind left, fore left, hind right ..."""
    for front, side, late in ((False, 1.0, 0.0), (True, 1.0, 0.25), (False, -1.0, 0.5), (True, -1.0, 0.75)):
        swing, lift = (0.0, 0.0) if step is None else _stride((step + late) % 1.0)
        yield from _leg(one, front=front, side=side, swing=swing, lift=lift)


def _stride(phase: float) -> tuple[float, float]:
    """How far ahead the paw is, and how high, as shares: on the ground for three quarters of the step."""
    if phase < 0.7:
        return 0.24 - 0.48 * phase / 0.7, 0.0
    through = (phase - 0.7) / 0.3
    return -0.24 + 0.48 * through, 0.14 * math.sin(math.pi * through)


def _leg(one: Species, *, front: bool, side: float, swing: float, lift: float) -> Iterator[ZonedMesh]:
    """Upper leg within the trunk's outline, lower leg, foot: joints between the hip and the paw."""
    thick, y = one.leg, side * 0.3 * one.width
    if front:
        top, paw = (one.length / 2 - 0.2, 1.0 - 0.62 * one.depth), (one.length / 2 - 0.2 + swing, lift)
        shape = ((0.0, 0.0), (-0.05, 0.5), (0.0, 0.72), (-0.01, 0.93))
        wide = ((1.5, 2.2), (0.75, 0.95), (0.5, 0.55), (0.42, 0.45))
    else:
        top, paw = (-one.length / 2 + 0.16, 1.0 - 0.5 * one.depth), (-one.length / 2 + 0.1 + swing, lift)
        shape = ((0.0, 0.0), (0.06, 0.4), (-0.07, 0.68), (0.0, 0.93))
        wide = ((1.6, 2.9), (1.15, 1.7), (0.5, 0.62), (0.42, 0.45))
    height = top[1] - paw[1]
    knots: list[Knot] = []
    for (aside, down), (across, deep) in zip(shape, wide, strict=True):
        x = top[0] + (paw[0] - top[0]) * down + aside + 0.35 * lift * (0.5 - abs(down - 0.5))
        knots.append((x, y, top[1] - height * down, across * thick * 0.6, deep * thick * 0.6))
    yield sweep(knots[:3], Zone.FUR, 10)
    yield sweep(knots[1:], Zone.FUR, 10)
    x, _, z = knots[-1][:3]
    foot = 0.55 * thick
    yield sweep(
        [(x - 0.3 * foot, y, z - 0.02, 0.7 * foot, 0.7 * foot), (x + 1.1 * foot, y, paw[1] + 0.03, 0.75 * foot, 0.03)],
        Zone.FUR, 8,
    )  # fmt: skip


def pram_model() -> PersonModel:
    """A pram with a hood: a tub on four wheels, the handle behind it at 1.02 m."""
    parts = [box((0.0, 0.0, 0.62), (0.78, 0.4, 0.26), Zone.CARRIED, 0.9)]
    hood = [(0.36 * math.sin(a), 0.0, 0.72 + 0.36 * math.cos(a), 0.2, 0.035) for a in np.linspace(0.1, 1.5, 5)]
    parts.append(sweep(hood, Zone.CARRIED, 12))
    for x in (-0.3, 0.3):
        for y in (-0.24, 0.24):
            parts += [
                torus((x, y, 0.14), 0.14, 0.02, Zone.TYRE, 18),
                tube((x, y, 0.14), (-x * 0.8, y, 0.5), 0.012, Zone.FRAME),
            ]
    for y in (-0.22, 0.22):
        parts.append(tube((-0.1, y, 0.5), (-0.52, y, 1.02), 0.012, Zone.FRAME))
    parts.append(tube((-0.52, -0.22, 1.02), (-0.52, 0.22, 1.02), 0.014, Zone.SEAT))
    return _model("stroller_01", "stroller", joined(parts))
