"""What a viewer of a near car names first: plates in their frames, badges, wipers, the lip of the roof, load on it.

Each function returns a part, which adds it to a mesh. Places are given on the skin by a :class:`Skin`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from renderer.zones.catalogue import Zone

from .cabin import Cabin
from .curves import Outline, Profile
from .mesh import PolyMesh
from .parts import Part
from .tub import Row

__all__ = [
    "AMERICAN_PLATE_M",
    "EUROPEAN_PLATE_M",
    "Details",
    "Skin",
    "badge",
    "bar",
    "lettering",
    "number_plate",
    "roof_box",
    "roof_lip",
    "wiper",
]


EUROPEAN_PLATE_M = (0.520, 0.112)
AMERICAN_PLATE_M = (0.305, 0.152)
"""12 x 6 inches."""
_BAR_PIECES = 6


@dataclass(frozen=True)
class Details:
    """Small things of a car; None: it has none."""

    rear_plate: float = 0.79
    """Height of its middle; the front plate's is the family's."""
    plate_recess: float = 0.03
    """How deep the rear plate lies in the tail."""
    plate_m: tuple[float, float] = EUROPEAN_PLATE_M
    framed: bool = True
    """Whether plates have a frame of bright metal."""
    badges: tuple[float | None, float | None] = (0.64, 0.905)
    """Heights of the emblems on nose and tail."""
    letters: float | None = 0.905
    """Height of names on the tail."""
    rear_bar: tuple[float, float] | None = None
    """Height and half width of a bar of bright metal across the tail."""
    front_bar: tuple[float, float] | None = None
    lip: float | None = None
    """How far a lip goes on behind the roof."""
    rear_wiper: bool = False
    roof_box: tuple[float, float] | None = None
    """Distances d between which a box stands on the roof."""


@dataclass(frozen=True)
class Skin:
    """Where the middle part of nose and tail is."""

    outline: Outline
    rows: Sequence[Row]
    flat_tail_m: float | None = None
    """x of a tail that is no part of the rows: the box of a lorry."""

    def x(self, y: float, z: float, *, front: bool) -> float:
        """Where nose or tail is at a place, x in metres."""
        if self.flat_tail_m is not None and not front:
            return self.flat_tail_m
        ends = [row.front if front else row.rear for row in self.rows]
        depth = float(Profile([(end[0] + 1e-4 * k, end[2]) for k, end in enumerate(ends)])(z))
        x, _ = self.outline.end(np.array(abs(y) / self.outline.half_m), front=front)
        return float(x) - depth if front else float(x) + depth


def _slab(skin: Skin, y: tuple[float, float], z: tuple[float, float], out: float, zone: Zone, *, front: bool) -> Part:
    """Flat box on nose or tail that stands ``out`` of the skin where that reaches farthest behind it."""
    places = [skin.x(at, height, front=front) for at in np.linspace(*y, 5) for height in np.linspace(*z, 3)]
    x = max(places) + out if front else min(places) - out
    inner = min(min(places), x - 0.03) if front else max(max(places), x + 0.03)
    low, high = (min(x, inner), y[0], z[0]), (max(x, inner), y[1], z[1])
    return lambda mesh: mesh.box(low, high, zone, 0.002)


def number_plate(
    skin: Skin, z: float, size_m: tuple[float, float], *, front: bool, framed: bool, recess: float = 0.0
) -> Part:
    """Number plate of that width and height in a frame."""
    half, tall = size_m[0] / 2, size_m[1] / 2
    plate = _slab(skin, (-half, half), (z - tall, z + tall), 0.008 - recess, Zone.BODY, front=front)
    outer, above = half + 0.02, tall + 0.018
    frame = _slab(skin, (-outer, outer), (z - above, z + above), 0.003 - recess, Zone.TRIM, front=front)

    def add(mesh: PolyMesh) -> None:
        plate(mesh)
        if framed:
            frame(mesh)

    return add


def badge(skin: Skin, z: float, *, front: bool, radius: float = 0.042) -> Part:
    """Round emblem of bright metal."""
    x, sign = skin.x(0.0, z, front=front), 1.0 if front else -1.0
    return lambda mesh: mesh.tube([(x - 0.04 * sign, 0.0, z), (x + 0.014 * sign, 0.0, z)], radius, Zone.TRIM, 10)


def lettering(skin: Skin, z: float, y: float) -> Part:
    """Names left and right on the tail."""
    left = _slab(skin, (y - 0.09, y + 0.09), (z - 0.012, z + 0.012), 0.004, Zone.TRIM, front=False)
    right = _slab(skin, (-y - 0.05, -y + 0.05), (z - 0.012, z + 0.012), 0.004, Zone.TRIM, front=False)

    def add(mesh: PolyMesh) -> None:
        left(mesh)
        right(mesh)

    return add


def bar(skin: Skin, z: float, half: float, *, front: bool) -> Part:
    """Bar of bright metal across nose or tail, bent as they are."""
    ends, gap = np.linspace(-half, half, _BAR_PIECES + 1), 0.0005  # two pieces must not end in the same face
    pieces = [
        _slab(skin, (left + gap, right - gap), (z - 0.014, z + 0.014), 0.012, Zone.TRIM, front=front)
        for left, right in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]

    def add(mesh: PolyMesh) -> None:
        for piece in pieces:
            piece(mesh)

    return add


def wiper(cabin: Cabin, ends: Sequence[tuple[float, float]], *, rear: bool) -> Part:
    """Wiper on a screen, along places (fraction of the half width, fraction of the height)."""
    out = np.array([-0.02 if rear else 0.02, 0.0, 0.008])
    path = [cabin.on_screen(f, h, rear=rear) + out for f, h in ends]
    return lambda mesh: mesh.tube(path, 0.012, Zone.BODY, 5)


def roof_lip(roof: Profile, x: float, half: float, depth: float, crown: Callable[[float], float]) -> Part:
    """Lip that goes on behind the roof's rear edge at ``x``; ``crown(share)`` is how far the roof falls sideways."""

    def add(mesh: PolyMesh) -> None:
        rings = []
        for share in np.linspace(-1.0, 1.0, 9):
            y, bow = share * half, 0.35 * depth * share**2
            z = float(roof(x)) - crown(abs(float(share)))
            inner, outer = x + 0.05, x - depth + bow
            rings.append(np.array([(outer, y, z - 0.1 * depth), (inner, y, z + 0.006), (inner, y, z - 0.04),
                                   (outer, y, z - 0.1 * depth - 0.022)]))  # fmt: skip
        mesh.loft(rings, Zone.ROOF)

    return add


def roof_box(front_x: float, rear_x: float, z: float) -> Part:
    """Box for luggage on two bars."""
    middle, half = (front_x + rear_x) / 2, (front_x - rear_x) / 2

    def add(mesh: PolyMesh) -> None:
        mesh.blob((middle, -0.08, z + 0.22), (half, 0.38, 0.19), Zone.ROOF, 4.0, 9, 16)
        for x in (middle - 0.45 * half, middle + 0.45 * half):
            mesh.box((x - 0.03, -0.52, z - 0.03), (x + 0.03, 0.52, z + 0.04), Zone.TRIM, 0.008)

    return add
