"""A country road of two lanes: fields, meadows, wood, hedgerows, guard rails in bends, farms, a lane that crosses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from assets.build.city.mesh import MeshBuilder, pose

from .axis import Axis
from .houses import build_villa, draw_villa
from .plants import plant_makers
from .rails import guard_rail, wire_fence
from .road import Crossing, Section, asphalt, crossing_streets, dashes, free_stretches, line
from .site import Bay, Course, Site, flat, strip
from .surroundings import backdrop_trees, ground_plate, hills
from .things import thing_makers

__all__ = ["country"]


@dataclass(frozen=True)
class _Road:
    """What all parts of the generator need."""

    axis: Axis
    section: Section
    """Its kerb is the edge of the asphalt; there is none that stands up."""
    crossings: list[Crossing]
    trees: dict[str, float]


def country(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 103])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng, winter=float(rng.choice([0.0, 0.0, 0.7])))
    site.makers["delineator"] = _delineator
    site.makers["bale"] = _bale
    road = _draw_road(rng)
    axis, section = road.axis, road.section
    ground_plate(site, axis, "grass", "grass")
    hills(site, axis, float(rng.uniform(15.0, 110.0)))
    asphalt(site, axis, section, road.crossings)
    _lanes(site, road)
    for k, one in enumerate(road.crossings):
        crossing_streets(site, axis, one, f"side{k}", 1, section.kerb_m)
        for side in one.sides:
            site.beside(
                axis, "stop", one.u_m - side * (one.half_m + 0.8), side * (section.kerb_m + 3.0), -side * math.pi / 2
            )
    for side in (-1, 1):
        for start, end in free_stretches(axis.length_m, road.crossings, side):
            strip(
                site.mesh("verge"),
                axis,
                start,
                end,
                side * section.kerb_m,
                side * (section.kerb_m + 0.9),
                0.008,
                "gravel_bed",
                8.0,
            )
            _land(site, road, side, start, end)
            _roadside(site, road, side, start, end)
    blocked = [(one.u_m - 9.0, one.u_m + 9.0) for one in road.crossings]
    backdrop_trees(site, axis, {**road.trees, "conifer": 0.6, "tree.poplar": 0.4}, 70.0, 190.0, 130, blocked)
    site.far_m, site.speed_m_s = 130.0, 22.0
    site.course = Course(axis, section.kerb_m + 2.0, tuple((a - 8.0, b + 8.0) for a, b in blocked))
    site.has_people = bool(rng.random() < 0.4)
    return site


def _draw_road(rng: np.random.Generator) -> _Road:
    """Bends and straights, and lanes that cross or join."""
    pieces = [(float(rng.uniform(110.0, 230.0)), 0.0)]
    for _ in range(int(rng.integers(2, 4))):
        radius, turn = float(rng.uniform(110.0, 420.0)), math.radians(float(rng.uniform(12.0, 45.0)))
        pieces += [(radius * turn, float(rng.choice([-1, 1])) / radius), (float(rng.uniform(50.0, 180.0)), 0.0)]
    axis = Axis(pieces, heading=float(rng.uniform(0.0, 2 * math.pi)))
    section = Section(kerb_m=float(rng.uniform(3.1, 3.9)), verge_m=0.0, walk_m=0.0, height_m=0.0)
    crossings: list[Crossing] = []
    for u in np.arange(60.0, axis.length_m - 60.0, 10.0).tolist():
        if (
            (crossings and u - crossings[-1].u_m < 150.0)
            or not axis.is_straight(u - 14.0, u + 14.0)
            or rng.random() < 0.7
        ):
            continue
        sides = ((-1, 1), (-1,), (1,))[int(rng.choice(3))]
        crossings.append(Crossing(u, float(rng.uniform(2.6, 3.2)), 80.0, sides, 5.0))
    kinds = ["tree.oak", "tree.round", "tree.lime", "tree.maple", "tree.poplar", "tree.small", "tree.eucalyptus"]
    trees = {str(name): float(rng.uniform(0.3, 1.0)) for name in rng.choice(kinds, size=4, replace=False)}
    return _Road(axis, section, crossings, trees)


def _lanes(site: Site, road: _Road) -> None:
    axis, half, end = road.axis, road.section.kerb_m / 2, road.axis.length_m - 2.0
    site.lanes["out"] = (axis.line(2.0, end, -half), road.section.kerb_m - 0.2)
    site.lanes["back"] = (axis.line(end, 2.0, half), road.section.kerb_m - 0.2)
    site.paths["out"] = axis.line(4.0, end - 70.0, -half)
    site.paths["back"] = axis.line(end - 2.0, 70.0, half)
    gaps = [(0.0, axis.length_m)]
    dashes(site, axis, gaps, 0.0, 4.0, 12.0)
    for side in (-1, 1):
        for start, stop in free_stretches(axis.length_m, road.crossings, side):
            line(site, axis, start, stop, side * (road.section.kerb_m - 0.15))
    for k, one in enumerate(road.crossings):
        for side in one.sides:
            d = np.arange(one.length_m - 6.0, road.section.kerb_m + 5.0, -2.0)
            site.paths[f"side{k}.{side}"] = axis.place(np.full(len(d), one.u_m - side * one.half_m / 2), side * d)


def _land(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """What lies beside the road, stretch by stretch."""
    u = start_m
    while end_m - u > 10.0:
        width = min(float(site.rng.uniform(45.0, 110.0)), end_m - u)
        kind = site.pick({"field": 1.0, "meadow": 1.0, "wood": 0.9, "farm": 0.5, "scrub": 0.5})
        _KINDS[kind](site, road, side, u, u + width)
        u += width


def _ground(site: Site, road: _Road, side: int, start_m: float, end_m: float, material: str) -> None:
    near = road.section.kerb_m + 0.9
    for low, high in ((near, 26.0), (26.0, 62.0)):
        strip(site.mesh("land"), road.axis, start_m, end_m, side * low, side * high, -0.01, material, 8.0)


def _field(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Ploughed, mown or green, with furrows' ridges, a fence or a hedgerow, now and then bales."""
    rng = site.rng
    _ground(site, road, side, start_m, end_m, str(rng.choice(["earth", "dry_grass", "grass", "mulch"])))
    _edge(site, road, side, start_m, end_m)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(3, 12))):
            site.beside(
                road.axis,
                "bale",
                float(rng.uniform(start_m, end_m)),
                side * float(rng.uniform(14.0, 60.0)),
                site.angle(),
            )


def _meadow(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Grass with single trees and bushes."""
    rng = site.rng
    _ground(site, road, side, start_m, end_m, "grass")
    _edge(site, road, side, start_m, end_m)
    for _ in range(int((end_m - start_m) / 14)):
        u, d = float(rng.uniform(start_m, end_m)), float(rng.uniform(9.0, 60.0))
        site.beside(
            road.axis,
            site.pick({**road.trees, "shrub.0": 1.0, "shrub.3": 1.0}),
            u,
            side * d,
            site.angle(),
            float(rng.uniform(0.8, 1.3)),
        )


def _wood(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Trees close together, undergrowth at the edge."""
    rng, edge = site.rng, road.section.kerb_m + float(site.rng.uniform(2.5, 5.0))
    _ground(site, road, side, start_m, end_m, "earth")
    kinds = {**road.trees, "conifer": float(rng.uniform(0.0, 1.5))}
    for d, gap in ((edge + 1.2, 5.0), (edge + 6.0, 6.0), (edge + 12.0, 7.0), (edge + 19.0, 8.0)):
        for u in np.arange(start_m + 1.5, end_m - 1.0, gap):
            at = float(u + rng.uniform(-1.5, 1.5))
            site.beside(
                road.axis,
                site.pick(kinds),
                at,
                side * (d + float(rng.uniform(-0.8, 1.8))),
                site.angle(),
                float(rng.uniform(0.9, 1.5)),
            )
    for u in np.arange(start_m + 1.0, end_m - 1.0, 2.8):
        if rng.random() < 0.6:
            site.beside(
                road.axis,
                site.pick({"shrub.0": 1, "shrub.1": 1, "shrub.2": 1}),
                float(u),
                side * (edge - 0.4),
                site.angle(),
                float(rng.uniform(0.6, 1.2)),
            )


def _scrub(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Bushes, grasses and stones on unused ground."""
    rng = site.rng
    _ground(site, road, side, start_m, end_m, str(rng.choice(["dry_grass", "earth"])))
    kinds = {"shrub.0": 1.0, "shrub.1": 1.0, "shrub.2": 1.0, "grass.0": 0.8, "agave.0": 0.3, "boulders": 0.4}
    for _ in range(int((end_m - start_m) * 0.5)):
        d = road.section.kerb_m + 2.2 + 20.0 * float(rng.random()) ** 1.5
        site.beside(
            road.axis,
            site.pick(kinds),
            float(rng.uniform(start_m, end_m)),
            side * d,
            site.angle(),
            float(rng.uniform(0.7, 1.5)),
        )


def _farm(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """House and barn with a yard where cars stand, a drive to it, trees around."""
    rng, axis, middle = site.rng, road.axis, (start_m + end_m) / 2
    _ground(site, road, side, start_m, end_m, "grass")
    back = float(rng.uniform(14.0, 22.0))
    yard = site.mesh("yards")
    for low, high, half in ((road.section.kerb_m + 0.9, back - 7.0, 2.0), (back - 7.0, back + 4.0, 11.0)):
        corners = axis.place(
            [middle - half, middle + half, middle + half, middle - half], [side * low] * 2 + [side * high] * 2
        )
        flat(yard, corners, 0.006, "driveway")
    yaw = float(axis.heading(middle)) + (0.0 if side > 0 else math.pi)
    house = draw_villa(rng, float(rng.uniform(12.0, 16.0)), int(rng.choice([-1, 1])), 0.7)
    seed = int(rng.integers(1 << 31))
    x, y = axis.place(middle - 10.0, side * (back + 5.0)).tolist()
    site.static[f"farm.{side}.{start_m:.0f}"] = (build_villa(house, np.random.default_rng(seed)), pose(x, y, 0.0, yaw))
    x, y = axis.place(middle + 9.0, side * (back + 5.0)).tolist()
    site.static[f"barn.{side}.{start_m:.0f}"] = (_barn(rng), pose(x, y, 0.0, yaw))
    for k, turn in enumerate((0.0, math.pi / 2, 0.0)):
        x, y = axis.place(middle - 6.0 + 6.0 * k, side * (back - 2.0)).tolist()
        site.bays.append(Bay(x, y, float(axis.heading(middle)) + turn, 5.8, 2.6, 0.006))
    for _ in range(6):
        site.beside(
            axis,
            site.pick({**road.trees, "shrub.1": 1.0}),
            float(rng.uniform(start_m + 3, end_m - 3)),
            side * float(rng.uniform(back + 16, 58.0)),
            site.angle(),
            1.1,
        )
    wire_fence(site, axis, start_m + 1.0, middle - 12.0, side * (road.section.kerb_m + 3.0))


def _barn(rng: np.random.Generator) -> MeshBuilder:
    """A long building of wood or sheet metal with a gate and a gabled roof."""
    mesh = MeshBuilder()
    w, d, h = float(rng.uniform(5.0, 9.0)), float(rng.uniform(12.0, 20.0)), float(rng.uniform(3.5, 5.5))
    wall, rise = str(rng.choice(["wood", "steel", "brick_red"])), float(rng.uniform(1.5, 3.0))
    mesh.box((-w / 2, 0.0, 0.0), (w / 2, d, h), wall, skip="-z+z")
    for y, order in ((0.0, 1), (d, -1)):
        mesh.polygon(wall, *[(-w / 2, y, h), (w / 2, y, h), (0.0, y, h + rise)][::order])
    roof = str(rng.choice(["tiles_red", "shingle_grey", "steel"]))
    mesh.polygon(
        roof,
        (-w / 2 - 0.4, -0.4, h - 0.2),
        (0.0, -0.4, h + rise),
        (0.0, d + 0.4, h + rise),
        (-w / 2 - 0.4, d + 0.4, h - 0.2),
    )
    mesh.polygon(
        roof,
        (0.0, -0.4, h + rise),
        (w / 2 + 0.4, -0.4, h - 0.2),
        (w / 2 + 0.4, d + 0.4, h - 0.2),
        (0.0, d + 0.4, h + rise),
    )
    mesh.box((-1.8, -0.06, 0.0), (1.8, 0.0, 3.2), "door", skip="+y-z")
    return mesh


_KINDS = {"field": _field, "meadow": _meadow, "wood": _wood, "farm": _farm, "scrub": _scrub}


def _edge(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Fence, hedgerow, row of trees, or nothing."""
    rng, d = site.rng, road.section.kerb_m + float(site.rng.uniform(3.0, 5.0))
    kind = site.pick({"fence": 1.0, "hedge": 0.7, "row": 0.7, "": 0.6})
    if kind == "fence":
        wire_fence(site, road.axis, start_m, end_m, side * d)
    elif kind == "hedge":
        for u in np.arange(start_m + 1.0, end_m - 0.5, 2.0):
            site.beside(road.axis, "hedge.high" if rng.random() < 0.3 else "hedge.middle", float(u), side * d, 0.0)
    elif kind == "row":
        name, gap = site.pick(road.trees), float(rng.uniform(9.0, 16.0))
        for u in np.arange(start_m + 3.0, end_m - 3.0, gap):
            site.beside(road.axis, name, float(u), side * d, site.angle(), float(rng.uniform(0.9, 1.2)))


def _roadside(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Posts, signs and poles; guard rails outside of bends."""
    rng, axis, edge = site.rng, road.axis, road.section.kerb_m
    for u in np.arange(start_m + 5.0, end_m - 2.0, 25.0):
        site.beside(axis, "delineator", float(u), side * (edge + 1.1))
    if rng.random() < 0.5:
        for u in np.arange(start_m + 8.0, end_m - 2.0, 45.0):
            site.beside(axis, "pole", float(u), side * (edge + 6.5))
    for u in np.arange(start_m + 15.0, end_m - 5.0, 60.0):
        if rng.random() < 0.6:
            site.beside(
                axis,
                site.pick({"warning": 1.0, "speed": 1.0, "shelter": 0.2, "letter_box": 0.4, "meter_box": 0.4}),
                float(u + rng.uniform(-5, 5)),
                side * (edge + 1.7),
                0.0 if side < 0 else math.pi,
            )
    u = start_m
    while u < end_m - 12.0:
        outside = axis.bend(u + 6.0) * side < -1 / 500.0
        if outside or rng.random() < 0.06:
            guard_rail(site, axis, u, min(u + 12.0, end_m), side * (edge + 0.9))
        u += 12.0


def _delineator() -> MeshBuilder:
    mesh = MeshBuilder()
    mesh.box((-0.05, -0.06, 0.0), (0.05, 0.06, 1.0), "sign_face", skip="-z")
    return mesh


def _bale() -> MeshBuilder:
    """A round bale of straw."""
    mesh = MeshBuilder()
    mesh.tube([(0, -0.6, 0.65), (0, 0.6, 0.65)], [0.65, 0.65], 12, "straw")
    return mesh
