"""Bicycles, motorcycles, scooters and electric kick scooters, as tubes, wheels and boxes with thermal zones.

Sizes: ISO 4210-2 and common catalogues (700C wheels 0.34 m, wheelbase 1.05 m, saddle of 0.95 m; motorcycles 1.4 m of
wheelbase, seat of 0.8 m; scooters 1.3 m; kick scooters 0.85 m between wheels of 0.1 m radius).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from .mesh import ZonedMesh, box, joined, loft
from .sweep import sweep

__all__ = ["TWO_WHEELERS", "TwoWheeler"]

Array = NDArray[np.float64]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class TwoWheeler:
    """A vehicle, and where its rider touches it; model axes, the origin below the middle between the wheels."""

    name: str
    category: str
    mesh: ZonedMesh
    saddle_m: Point
    """Top of the saddle's middle; of a kick scooter, where the hips are."""
    grip_m: Point
    """Left end of the handlebar."""
    pedals_m: tuple[Point, Point]
    """Under the left and the right foot's middle."""
    lean_deg: float
    """Of the rider's trunk."""
    standing: bool = False
    hubs_m: tuple[Point, Point] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    """Of the rear and the front wheel."""
    crank_m: Point | None = None
    """Middle of the crank's axle; None where nobody pedals."""
    pedal_middles_m: tuple[Point, ...] = ()
    """Of the left and the right pedal."""


def tube(start: Point, end: Point, radius_m: float, zone: Zone, sides: int = 6) -> ZonedMesh:
    """A closed straight tube."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.linalg.norm(b - a)
    aside = np.cross(along, [0.0, 1.0, 0.0] if abs(along[1]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    third = np.cross(along, aside)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = radius_m * (np.cos(angle)[:, None] * aside + np.sin(angle)[:, None] * third)
    return loft([a + ring, b + ring], zone)


def torus(centre: Point, radius_m: float, thick_m: float, zone: Zone, around: int = 28) -> ZonedMesh:
    """A tyre whose axle is y."""
    turn, tilt = (2 * np.pi * np.arange(count) / count for count in (around, 6))
    reach = radius_m - thick_m + thick_m * np.cos(tilt)
    vertices = np.stack(
        [
            centre[0] + np.cos(turn)[:, None] * reach,
            centre[1] + np.broadcast_to(thick_m * np.sin(tilt), (around, 6)),
            centre[2] + np.sin(turn)[:, None] * reach,
        ],
        axis=2,
    ).reshape(-1, 3)
    here = np.arange(around * 6).reshape(around, 6)
    ahead, up = np.roll(here, -1, axis=0), np.roll(here, -1, axis=1)
    both = np.roll(ahead, -1, axis=1)
    faces = np.concatenate(
        [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((here, both, ahead), (here, up, both))]
    )
    return ZonedMesh(vertices, faces, np.full(len(faces), zone, np.uint8))


def disc(centre: Point, radius_m: float, half_m: float, zone: Zone, sides: int = 16) -> ZonedMesh:
    """A flat wheel or brake disc whose axle is y."""
    return tube(
        (centre[0], centre[1] - half_m, centre[2]), (centre[0], centre[1] + half_m, centre[2]), radius_m, zone, sides
    )


def _spoked(centre: Point, radius_m: float, tyre_m: float, spokes: int) -> Iterator[ZonedMesh]:
    x, y, z = centre
    yield torus(centre, radius_m, tyre_m, Zone.TYRE)
    yield disc(centre, 0.03, 0.03, Zone.FRAME, 8)
    for turn in np.pi * np.arange(spokes) / spokes:
        reach = (radius_m - tyre_m) * np.array([np.cos(turn), np.sin(turn)])
        yield tube((x - reach[0], y, z - reach[1]), (x + reach[0], y, z + reach[1]), 0.003, Zone.FRAME, 3)


def _bars(centre: Point, half_m: float, back_m: float) -> Iterator[ZonedMesh]:
    x, y, z = centre
    for side in (1, -1):
        yield tube((x, y, z), (x - 0.3 * back_m, side * half_m * 0.6, z), 0.012, Zone.FRAME)
        yield tube((x - 0.3 * back_m, side * half_m * 0.6, z), (x - back_m, side * half_m, z), 0.016, Zone.SEAT)


def _bicycle(
    name: str, *, step_through: bool, wheel_m: float, saddle_m: float, bar_m: float, extras: tuple[str, ...]
) -> TwoWheeler:
    half, tyre = 0.525, 0.02 if "racing" in extras else 0.025
    rear, front, crank = (-half, 0.0, wheel_m), (half, 0.0, wheel_m), (-0.09, 0.0, 0.28)
    saddle, head, low_head = (-0.27, 0.0, saddle_m - 0.06), (0.36, 0.0, bar_m - 0.1), (0.39, 0.0, bar_m - 0.24)
    meet = (-0.2, 0.0, min(saddle_m - 0.2, bar_m - 0.14))
    top_end = (-0.13, 0.0, 0.42) if step_through else meet
    bar = (0.36, 0.0, bar_m)
    reach = -0.08 if "racing" in extras else 0.14
    tubes = ((crank, saddle, 0.016), (crank, low_head, 0.018), (top_end, head, 0.016), (low_head, bar, 0.017))
    parts = [tube(a, b, radius, Zone.FRAME) for a, b, radius in tubes]
    for y in (0.06, -0.06):
        parts += [tube((crank[0], y * 0.6, crank[2]), (rear[0], y, rear[2]), 0.009, Zone.FRAME)]
        parts += [tube((meet[0], y * 0.4, meet[2]), (rear[0], y, rear[2]), 0.008, Zone.FRAME)]
        parts += [tube((low_head[0], y * 0.7, low_head[2]), (front[0], y, front[2]), 0.012, Zone.FRAME)]
    parts += [*_spoked(rear, wheel_m, tyre, 8), *_spoked(front, wheel_m, tyre, 8), *_bars(bar, 0.29, reach)]
    parts += [
        box((-0.29, 0.0, saddle_m - 0.03), (0.26, 0.15, 0.06), Zone.SEAT),
        disc((crank[0], -0.05, crank[2]), 0.09, 0.004, Zone.FRAME),
    ]
    pedals = _pedals(crank, 0.17)
    parts += [tube((crank[0], y, crank[2]), (x, y, z), 0.011, Zone.FRAME) for x, y, z in pedals]
    parts += [box((x, y + 0.06 * np.sign(y), z), (0.09, 0.09, 0.025), Zone.FRAME) for x, y, z in pedals]
    if "rack" in extras:
        parts += [box((-0.55, 0.0, wheel_m + 0.36), (0.4, 0.13, 0.02), Zone.FRAME)]
        parts += [tube((-0.6, y, wheel_m + 0.35), (rear[0], y, rear[2]), 0.006, Zone.FRAME) for y in (0.07, -0.07)]
    if "basket" in extras:
        parts += [box((0.56, 0.0, bar_m - 0.1), (0.26, 0.34, 0.22), Zone.CARRIED)]
    if "panniers" in extras:
        parts += [box((-0.56, y, wheel_m + 0.17), (0.32, 0.13, 0.34), Zone.CARRIED) for y in (0.16, -0.16)]
    under = tuple((x, y + 0.06 * float(np.sign(y)), z + 0.015) for x, y, z in pedals)
    lean = 38.0 if "racing" in extras else 12.0 if step_through else 20.0
    return TwoWheeler(
        name,
        "bicycle",
        _grounded(parts),
        (-0.29, 0.0, saddle_m),
        (bar[0] - reach, 0.28, bar_m),
        (under[0], under[1]),
        lean,
        hubs_m=(rear, front),
        crank_m=crank,
        pedal_middles_m=tuple((x, y + 0.06 * float(np.sign(y)), z) for x, y, z in pedals),
    )


def _pedals(crank: Point, arm_m: float) -> tuple[Point, Point]:
    """Left one forward and down, right one back and up."""
    x, _, z = crank
    down, ahead = 0.75 * arm_m, 0.66 * arm_m
    return (x + ahead, 0.075, z - down), (x - ahead, -0.075, z + down)


def _mudguard(wheel: Point, radius_m: float, half_m: float, from_deg: float, to_deg: float) -> ZonedMesh:
    """An arc of sheet above a wheel; degrees from ahead upwards."""
    x, _, z = wheel
    turns = np.radians(np.linspace(from_deg, to_deg, 5))
    return sweep([(x + radius_m * np.cos(t), 0.0, z + radius_m * np.sin(t), half_m, 0.012) for t in turns], Zone.FRAME)


def _wheels(rear: Point, front: Point, wheel_m: float) -> Iterator[ZonedMesh]:
    """Tyres, cast wheels and brake discs of a motorcycle."""
    yield torus(rear, wheel_m, 0.075, Zone.TYRE)
    yield torus(front, wheel_m, 0.055, Zone.TYRE)
    for at, tyre, half in ((rear, 0.14, 0.03), (front, 0.11, 0.025)):
        yield disc(at, 0.06, 2 * half, Zone.FRAME, 10)
        rim = wheel_m - tyre + 0.01
        for turn in 2 * np.pi * np.arange(5) / 5:
            end = (at[0] + rim * float(np.cos(turn)), 0.0, at[2] + rim * float(np.sin(turn)))
            yield tube(at, end, 0.022, Zone.FRAME, 5)
        yield torus(at, rim + 0.01, 0.02, Zone.FRAME, 22)
    for at, y in ((front, 0.07), (front, -0.07), (rear, -0.09)):
        yield disc((at[0], y, at[2]), 0.14, 0.004, Zone.BRAKE)


def _engine(seat_m: float) -> Iterator[ZonedMesh]:
    """Crankcase, cylinders leaning forward, and the pipes that lead from them below to the silencer."""
    yield sweep(
        [(-0.2, 0.0, 0.36, 0.1, 0.09), (-0.02, 0.0, 0.37, 0.16, 0.15), (0.16, 0.0, 0.38, 0.16, 0.14),
         (0.27, 0.0, 0.4, 0.09, 0.08)], Zone.ENGINE,
    )  # fmt: skip
    top = seat_m - 0.1
    yield sweep([(0.06, 0.0, 0.42, 0.17, 0.1), (0.13, 0.0, 0.56, 0.19, 0.1), (0.18, 0.0, top, 0.17, 0.09)], Zone.ENGINE)
    for y in (-0.09, 0.0, 0.09):
        pipe = [(0.2, y, 0.58), (0.34, y, 0.5), (0.33, y, 0.3), (0.2, 0.5 * y - 0.05, 0.21), (0.0, -0.1, 0.21)]
        yield sweep([(*at, 0.021, 0.021) for at in pipe], Zone.EXHAUST, 8)
    tail = [
        (0.0, -0.1, 0.21, 0.028),
        (-0.22, -0.17, 0.27, 0.035),
        (-0.32, -0.185, 0.31, 0.055),
        (-0.72, -0.2, 0.44, 0.06),
    ]
    yield sweep([(x, y, z, r, r) for x, y, z, r in tail], Zone.EXHAUST, 12)


def _tank_and_seat(seat_m: float) -> Iterator[ZonedMesh]:
    """A tank with hollows for the knees, a seat for two, and the tail below it."""
    yield sweep(
        [(-0.12, 0.0, seat_m - 0.01, 0.07, 0.05), (-0.02, 0.0, seat_m + 0.05, 0.1, 0.09),
         (0.14, 0.0, seat_m + 0.09, 0.155, 0.125), (0.3, 0.0, seat_m + 0.09, 0.15, 0.11),
         (0.41, 0.0, seat_m + 0.05, 0.08, 0.06)], Zone.FRAME,
    )  # fmt: skip
    yield sweep(
        [(-0.78, 0.0, seat_m + 0.045, 0.07, 0.025), (-0.62, 0.0, seat_m + 0.03, 0.12, 0.04),
         (-0.45, 0.0, seat_m - 0.01, 0.135, 0.045), (-0.26, 0.0, seat_m - 0.04, 0.14, 0.05),
         (-0.06, 0.0, seat_m - 0.03, 0.09, 0.05)], Zone.SEAT,
    )  # fmt: skip
    yield sweep(
        [(-0.86, 0.0, seat_m + 0.02, 0.05, 0.035), (-0.64, 0.0, seat_m - 0.06, 0.1, 0.06),
         (-0.35, 0.0, seat_m - 0.13, 0.11, 0.07), (-0.08, 0.0, seat_m - 0.16, 0.1, 0.07)], Zone.FRAME,
    )  # fmt: skip


def _fairing(half_m: float, bar_m: float) -> Iterator[ZonedMesh]:
    """A nose before the bars, and panels beside the engine."""
    yield sweep(
        [(half_m - 0.42, 0.0, bar_m, 0.15, 0.12), (half_m - 0.3, 0.0, bar_m - 0.03, 0.21, 0.19),
         (half_m - 0.12, 0.0, bar_m - 0.11, 0.18, 0.16), (half_m + 0.02, 0.0, bar_m - 0.2, 0.08, 0.07)], Zone.FRAME,
    )  # fmt: skip
    yield sweep(
        [(half_m - 0.28, 0.0, 0.74, 0.19, 0.12), (0.28, 0.0, 0.58, 0.22, 0.2), (0.05, 0.0, 0.42, 0.21, 0.17),
         (-0.22, 0.0, 0.3, 0.12, 0.09)], Zone.FRAME,
    )  # fmt: skip
    for y in (0.09, -0.09):
        yield sweep([(half_m - 0.1, y, bar_m - 0.12, 0.05, 0.04), (half_m, 0.7 * y, bar_m - 0.18, 0.035, 0.025)],
                    Zone.LAMP, 10)  # fmt: skip


def _motorcycle(name: str, *, base_m: float, wheel_m: float, seat_m: float, bar_m: float, faired: bool) -> TwoWheeler:
    half = base_m / 2
    rear, front = (-half, 0.0, wheel_m), (half, 0.0, wheel_m)
    head = (half - 0.3, 0.0, bar_m - 0.1)
    parts = [*_wheels(rear, front, wheel_m), *_engine(seat_m), *_tank_and_seat(seat_m)]
    for y in (0.09, -0.09):
        parts += [tube((head[0], y, head[2]), (front[0], y, front[2]), 0.026, Zone.FRAME, 8)]
        parts += [tube((-0.1, y, 0.42), (rear[0], y * 1.2, rear[2]), 0.03, Zone.FRAME, 8)]
        parts += [tube((-0.55, y, seat_m - 0.1), (rear[0] + 0.1, y * 1.2, rear[2] + 0.05), 0.022, Zone.FRAME, 8)]
    parts += [tube((head[0], 0.0, head[2]), (0.1, 0.0, seat_m - 0.04), 0.035, Zone.FRAME, 8)]
    parts += [_mudguard(front, wheel_m + 0.03, 0.06, 40.0, 150.0), _mudguard(rear, wheel_m + 0.04, 0.08, 95.0, 155.0)]
    parts += [*_bars((half - 0.33, 0.0, bar_m), 0.38, 0.12), *_mirrors(half - 0.34, bar_m)]
    if faired:
        parts += [*_fairing(half, bar_m)]
    else:
        lamp = [(half - 0.33, 0.0, bar_m - 0.1, 0.05, 0.05), (half - 0.24, 0.0, bar_m - 0.11, 0.09, 0.09)]
        parts += [sweep([*lamp, (half - 0.16, 0.0, bar_m - 0.12, 0.092, 0.092)], Zone.LAMP, 14)]
    pegs = ((-0.12, 0.2, 0.36), (-0.12, -0.24, 0.36))
    return TwoWheeler(
        name,
        "motorcycle",
        _grounded(parts),
        (-0.26, 0.0, seat_m + 0.01),
        (half - 0.45, 0.36, bar_m),
        pegs,
        26.0 if faired else 12.0,
        hubs_m=(rear, front),
    )


def _mirrors(x_m: float, bar_m: float) -> Iterator[ZonedMesh]:
    for y in (0.25, -0.25):
        top = (x_m, 1.25 * y, bar_m + 0.16)
        yield tube((x_m, y, bar_m), top, 0.007, Zone.FRAME, 5)
        yield sweep([(*top, 0.05, 0.035), (top[0] + 0.03, top[1], top[2], 0.04, 0.028)], Zone.FRAME, 8)


def _scooter(name: str) -> TwoWheeler:
    wheel, half, seat, bar = 0.23, 0.64, 0.77, 1.05
    rear, front = (-half, 0.0, wheel), (half, 0.0, wheel)
    parts = [torus(at, wheel, 0.055, Zone.TYRE, 22) for at in (rear, front)]
    parts += [disc(at, 0.12, 0.03, Zone.FRAME) for at in (rear, front)] + [
        disc((front[0], 0.06, front[2]), 0.1, 0.004, Zone.BRAKE)
    ]
    shapes = (
        (Zone.FRAME, ((-0.84, 0.62, 0.08, 0.07), (-0.66, 0.59, 0.17, 0.14), (-0.36, 0.55, 0.19, 0.17),
                      (-0.12, 0.48, 0.15, 0.15), (-0.02, 0.38, 0.12, 0.1))),
        (Zone.SEAT, ((-0.76, seat, 0.09, 0.03), (-0.56, seat - 0.03, 0.13, 0.045), (-0.3, seat - 0.04, 0.14, 0.045),
                     (-0.06, seat - 0.05, 0.09, 0.045))),
        (Zone.ENGINE, ((-0.56, 0.28, 0.1, 0.1), (-0.36, 0.3, 0.12, 0.12), (-0.18, 0.3, 0.09, 0.09))),
        (Zone.FRAME, ((0.3, 0.3, 0.19, 0.03), (0.4, 0.46, 0.21, 0.04), (0.44, 0.7, 0.2, 0.05), (0.39, 0.92, 0.14, 0.06),
                      (0.35, bar, 0.13, 0.06), (0.31, bar + 0.05, 0.1, 0.03))),
    )  # fmt: skip
    parts += [sweep([(x, 0.0, z, wide, high) for x, z, wide, high in knots], zone) for zone, knots in shapes]
    parts += [
        sweep([(-0.3, -0.13, 0.26, 0.04, 0.04), (-0.46, -0.16, 0.27, 0.055, 0.055), (-0.8, -0.17, 0.34, 0.055, 0.055)],
              Zone.EXHAUST, 10),
        box((0.1, 0.0, 0.28), (0.5, 0.34, 0.08), Zone.FRAME),
        sweep([(0.42, 0.0, bar - 0.06, 0.09, 0.07), (0.475, 0.0, bar - 0.07, 0.07, 0.055)], Zone.LAMP, 12),
        _mudguard(front, wheel + 0.025, 0.065, 30.0, 150.0),
        tube((0.42, 0.0, 0.6), (0.34, 0.0, bar), 0.03, Zone.FRAME),
    ]  # fmt: skip
    parts += [tube((front[0], y, front[2]), (0.42, y, 0.6), 0.022, Zone.FRAME) for y in (0.08, -0.08)]
    parts += [*_bars((0.32, 0.0, bar), 0.34, 0.1), *_mirrors(0.32, bar)]
    return TwoWheeler(
        name,
        "motorcycle",
        _grounded(parts),
        (-0.3, 0.0, seat + 0.01),
        (0.22, 0.32, bar),
        ((0.16, 0.11, 0.325), (0.16, -0.11, 0.325)),
        4.0,
        hubs_m=(rear, front),
    )


def _kick_scooter(name: str) -> TwoWheeler:
    wheel, half, bar = 0.11, 0.43, 1.05
    parts = [torus((x, 0.0, wheel), wheel, 0.028, Zone.TYRE, 18) for x in (-half, half)]
    parts += [disc((x, 0.0, wheel), 0.06, 0.02, Zone.FRAME, 10) for x in (-half, half)]
    parts += [
        box((-0.02, 0.0, 0.12), (0.66, 0.17, 0.07), Zone.FRAME),
        tube((half, 0.0, wheel + 0.12), (half - 0.12, 0.0, bar), 0.024, Zone.FRAME, 8),
    ]
    parts += [
        tube((half, 0.05, wheel), (half, 0.0, wheel + 0.14), 0.02, Zone.FRAME),
        *_bars((half - 0.12, 0.0, bar), 0.25, 0.03),
    ]
    return TwoWheeler(
        name,
        "scooter",
        _grounded(parts),
        (-0.05, 0.0, 0.95),
        (half - 0.15, 0.24, bar),
        ((0.12, 0.05, 0.155), (-0.17, -0.05, 0.155)),
        3.0,
        standing=True,
        hubs_m=((-half, 0.0, wheel), (half, 0.0, wheel)),
    )


def _grounded(parts: list[ZonedMesh]) -> ZonedMesh:
    mesh = joined(parts)
    return ZonedMesh(mesh.vertices_m - (0.0, 0.0, mesh.vertices_m[:, 2].min()), mesh.faces, mesh.zones)


TWO_WHEELERS: tuple[TwoWheeler, ...] = (
    _bicycle("bicycle_01", step_through=False, wheel_m=0.34, saddle_m=0.97, bar_m=1.02, extras=("rack",)),
    _bicycle("bicycle_02", step_through=True, wheel_m=0.34, saddle_m=0.92, bar_m=1.1, extras=("rack", "basket")),
    _bicycle("bicycle_03", step_through=False, wheel_m=0.335, saddle_m=1.0, bar_m=0.96, extras=("racing",)),
    _bicycle("bicycle_04", step_through=False, wheel_m=0.355, saddle_m=0.98, bar_m=1.06, extras=("rack", "panniers")),
    _bicycle("bicycle_05", step_through=True, wheel_m=0.27, saddle_m=0.8, bar_m=0.95, extras=()),
    _motorcycle("motorcycle_01", base_m=1.42, wheel_m=0.32, seat_m=0.8, bar_m=1.08, faired=False),
    _motorcycle("motorcycle_02", base_m=1.4, wheel_m=0.31, seat_m=0.83, bar_m=0.98, faired=True),
    _scooter("motorcycle_03"),
    _kick_scooter("scooter_01"),
)
