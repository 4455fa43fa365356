"""A wide road of several lanes with a median, crossed by streets at signals; shops, walls, planting and long views."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from assets.build.city.mesh import pose

from .axis import Axis
from .houses import build_shop
from .plants import plant_makers
from .road import (
    Crossing,
    Section,
    asphalt,
    crossing_streets,
    dashes,
    free_stretches,
    junction_gaps,
    line,
    raised_median,
    sidewalks,
    zebra,
)
from .site import PAINT_M, Bay, Course, Site, fence_along, rectangle, strip
from .surroundings import backdrop_trees, ground_plate, hills
from .things import thing_makers

__all__ = ["arterial"]


@dataclass(frozen=True)
class _Road:
    """What all parts of the generator need."""

    axis: Axis
    section: Section
    crossings: list[Crossing]
    lanes: int
    """In each direction."""
    lane_m: float
    median_m: float
    """Half of the median's width; 0: a pair of lines."""
    trees: dict[str, float]
    palms: dict[str, float]


def arterial(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 102])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng)
    road = _draw_road(rng)
    axis, section = road.axis, road.section
    ground_plate(site, axis)
    hills(site, axis, float(rng.uniform(20.0, 120.0)))
    asphalt(site, axis, section, road.crossings)
    sidewalks(site, axis, section, road.crossings)
    _median(site, road)
    _lanes(site, road)
    for k, one in enumerate(road.crossings):
        crossing_streets(site, axis, one, f"cross{k}", max(1, round(one.half_m / 3.4)), section.kerb_m)
        _junction(site, road, one)
    for side in (-1, 1):
        for start, end in free_stretches(axis.length_m, road.crossings, side):
            _frontage(site, road, side, start, end)
            _roadside(site, road, side, start, end)
    blocked = [(one.u_m - 14.0, one.u_m + 14.0) for one in road.crossings]
    backdrop_trees(
        site,
        axis,
        {**road.trees, **road.palms, "conifer": 0.3},
        section.back_m + 38.0,
        section.back_m + 90.0,
        110,
        blocked,
    )
    site.far_m, site.speed_m_s = 120.0, 14.0
    site.course = Course(axis, section.back_m, tuple((a - 18.0, b + 18.0) for a, b in blocked))
    return site


def _draw_road(rng: np.random.Generator) -> _Road:
    """Course, cross-section and crossings."""
    pieces = [(float(rng.uniform(230.0, 330.0)), 0.0)]
    if rng.random() < 0.7:
        radius, turn = float(rng.uniform(220.0, 500.0)), math.radians(float(rng.uniform(10.0, 35.0)))
        pieces += [(radius * turn, float(rng.choice([-1, 1])) / radius)]
    pieces.append((float(rng.uniform(120.0, 220.0)), 0.0))
    axis = Axis(pieces, heading=float(rng.uniform(0.0, 2 * math.pi)))
    lanes, lane = int(rng.choice([1, 2, 3], p=[0.25, 0.55, 0.2])), float(rng.uniform(3.3, 3.7))
    median = float(rng.choice([0.0, 1.6, 2.6], p=[0.35, 0.3, 0.35]))
    shoulder = float(rng.uniform(1.2, 2.6))
    section = Section(
        kerb_m=median + lanes * lane + shoulder,
        verge_m=float(rng.choice([0.0, 1.4, 2.4])),
        walk_m=float(rng.uniform(1.6, 2.6)),
        verge=str(rng.choice(["grass", "dry_grass", "mulch"])),
    )
    crossings: list[Crossing] = []
    for u in np.arange(55.0, axis.length_m - 50.0, 8.0).tolist():
        if (
            (crossings and u - crossings[-1].u_m < 105.0)
            or not axis.is_straight(u - 25.0, u + 25.0)
            or rng.random() < 0.5
        ):
            continue
        sides = ((-1, 1), (-1,), (1,))[int(rng.choice(3, p=[0.7, 0.15, 0.15]))]
        crossings.append(Crossing(u, float(rng.choice([3.6, 6.6, 7.0])), 95.0, sides, float(rng.uniform(6.0, 9.0))))
    trees = {
        str(name): float(rng.uniform(0.3, 1.0))
        for name in rng.choice(
            ["tree.oak", "tree.round", "tree.jacaranda", "tree.small", "tree.plane", "tree.eucalyptus"],
            size=3,
            replace=False,
        )
    }
    palms = {
        name: float(rng.uniform(0.0, 1.0)) for name in ("fan_palm.0", "fan_palm.1", "feather_palm.0", "feather_palm.1")
    }
    return _Road(axis, section, crossings, lanes, lane, median, trees, palms)


def _median(site: Site, road: _Road) -> None:
    """Raised and planted, or a pair of lines."""
    axis, half = road.axis, road.median_m
    gaps = junction_gaps(axis.length_m, road.crossings)
    if half == 0.0:
        for start, end in gaps:
            for d in (-0.12, 0.12):
                line(site, axis, start, end, d)
        return
    kinds = {
        "shrub.0": 1.0,
        "shrub.1": 0.8,
        "agave.0": 1.0,
        "agave.1": 0.8,
        "grass.0": 0.7,
        "boulders": 0.2,
        **road.palms,
        site.pick(road.trees): 0.7,
        "hedge.low": 0.5,
    }
    raised_median(site, axis, gaps, half, kinds)


def _lanes(site: Site, road: _Road) -> None:
    """Lanes both ways, their lines, and the camera's ways in them."""
    axis, end = road.axis, road.axis.length_m
    gaps = junction_gaps(axis.length_m, road.crossings)
    for k in range(road.lanes):
        d = road.median_m + (k + 0.5) * road.lane_m
        site.lanes[f"out.{k}"] = (axis.line(2.0, end - 2.0, -d), road.lane_m)
        site.lanes[f"back.{k}"] = (axis.line(end - 2.0, 2.0, d), road.lane_m)
        site.paths["out" if k == 0 else f"out.{k}"] = axis.line(4.0, end - 80.0, -d)
        site.paths[f"back.{k}"] = axis.line(end - 4.0, 80.0, d)
        for side in (-1, 1):
            outer = side * (road.median_m + (k + 1) * road.lane_m)
            if k == road.lanes - 1:
                for start, stop in gaps:
                    line(site, axis, start, stop, outer)
            else:
                dashes(site, axis, gaps, outer, 3.0, 12.0)


def _junction(site: Site, road: _Road, one: Crossing) -> None:
    """Stop lines, crossings for people, signals, their boxes; the camera waits in the crossing street."""
    axis, section, rng = road.axis, road.section, site.rng
    z, heading = section.height_m, float(axis.heading(one.u_m))
    for direction in (1, -1):
        stop = one.u_m - direction * (one.opening_m + 4.2)
        half = (road.lanes * road.lane_m) / 2
        x, y = axis.place(stop, -direction * (road.median_m + half)).tolist()
        rectangle(site.mesh("markings"), x, y, 0.5, 2 * half, heading, PAINT_M, "paint_white")
        zebra(site, axis, one.u_m - direction * (one.opening_m + 1.8), section.kerb_m - 0.2, 2.6)
        far = one.u_m + direction * (one.opening_m + 0.6)
        site.beside(
            axis, "mast_signal", far, -direction * (section.kerb_m + 0.9), 0.0 if direction > 0 else math.pi, 1.0, z
        )
        site.beside(
            axis,
            "signal",
            stop + direction,
            -direction * (section.kerb_m + 0.8),
            0.0 if direction > 0 else math.pi,
            1.0,
            z,
        )
    for side in one.sides:
        back = -math.pi / 2 if side > 0 else math.pi / 2
        site.beside(
            axis,
            "mast_signal",
            one.u_m - side * (one.half_m + 0.9),
            -side * (section.kerb_m + one.radius_m + 0.5),
            back,
            0.9,
            z,
        )
        d = np.arange(one.length_m - 6.0, section.kerb_m + 9.0, -2.0)
        lanes = max(1, round(one.half_m / 3.4))
        site.paths[f"cross{one.u_m:.0f}.{side}"] = axis.place(
            np.full(len(d), one.u_m - side * one.half_m / lanes / 2), side * d
        )
    corner = section.back_m + 0.8
    side = int(rng.choice(one.sides))
    site.beside(axis, "signal_box", one.u_m + one.opening_m + 1.5, side * corner, 0.0, 1.0, z)
    site.beside(axis, "street_name", one.u_m - one.opening_m - 0.5, side * (section.kerb_m + 1.0), 0.0, 1.0, z)


_FRONTAGES = {"shops": 1.0, "car_park": 1.1, "wall": 0.8, "planting": 0.9, "hedge": 0.5}


def _frontage(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """What stands behind the pavement, stretch by stretch."""
    rng, back, z = site.rng, road.section.back_m, road.section.height_m
    for low, high in ((back, back + 30.0), (back + 30.0, back + 60.0)):
        strip(
            site.mesh("lawns"),
            road.axis,
            start_m,
            end_m,
            side * low,
            side * high,
            z - 0.005,
            str(rng.choice(["grass", "dry_grass"])),
            8.0,
        )
    u = start_m + 1.0
    while end_m - u > 12.0:
        width = min(float(rng.uniform(22.0, 48.0)), end_m - u - 1.0)
        kind = site.pick(_FRONTAGES)
        _STRETCHES[kind](site, road, side, u, u + width)
        u += width + 1.0


def _shops(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Low buildings near the pavement."""
    setback = float(site.rng.uniform(1.5, 6.0))
    strip(
        site.mesh("yards"),
        road.axis,
        start_m,
        end_m,
        side * road.section.back_m,
        side * (road.section.back_m + setback),
        road.section.height_m + 0.012,
        "driveway",
    )
    _buildings(site, road, side, start_m, end_m, setback)
    for u in np.arange(start_m + 3.0, end_m - 2.0, 6.0):
        name = site.pick(
            {"planter": 0.5, "bin": 0.4, "shrub.0": 0.6, "agave.0": 0.5, "bench": 0.3, "mail_drop": 0.15, "": 1.0}
        )
        if name:
            site.beside(
                road.axis,
                name,
                float(u),
                side * (road.section.back_m + 0.9),
                0.0 if side > 0 else math.pi,
                1.0,
                road.section.height_m,
            )


def _buildings(site: Site, road: _Road, side: int, start_m: float, end_m: float, setback_m: float) -> None:
    rng, axis = site.rng, road.axis
    u = start_m
    while end_m - u > 9.0:
        width = min(float(rng.uniform(12.0, 24.0)), end_m - u)
        middle = u + width / 2
        x, y = axis.place(middle, side * (road.section.back_m + setback_m)).tolist()
        yaw = float(axis.heading(middle)) + (0.0 if side > 0 else math.pi)
        mesh = build_shop(np.random.default_rng(int(rng.integers(1 << 31))), width - 0.4)
        site.static[f"shop.{side}.{u:05.1f}"] = (mesh, pose(x, y, road.section.height_m, yaw))
        u += width


def _car_park(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Bays at right angles and along the road behind a strip of plants, shops at the back."""
    rng, axis, section = site.rng, road.axis, road.section
    edge, deep = section.back_m + 2.0, float(rng.choice([13.0, 18.5]))
    z = section.height_m + 0.012
    strip(site.mesh("yards"), axis, start_m, end_m, side * edge, side * (edge + deep), z, "asphalt")
    parallel, slant = rng.random() < 0.75, float(rng.choice([math.pi / 2, math.pi / 3]))
    rows = [(edge + (1.4 if parallel else 2.7), 0.0 if parallel else slant)]
    if rng.random() < 0.6:
        rows.append((edge + deep - 2.7, slant))
    for d, turn in rows:
        step = 6.4 if turn == 0.0 else 2.75 / math.sin(turn)
        for u in np.arange(start_m + step / 2 + 0.4, end_m - step / 2, step):
            x, y = axis.place(float(u), side * d).tolist()
            yaw = float(axis.heading(float(u))) + side * turn + math.pi * int(rng.integers(2))
            site.bays.append(Bay(x, y, yaw, 6.0 if turn == 0.0 else 5.3, 2.5, z))
            if turn:
                a, b = axis.place(float(u) + step / 2, side * d).tolist()
                rectangle(
                    site.mesh("yards"),
                    a,
                    b,
                    0.1,
                    5.2,
                    float(axis.heading(float(u))) + side * (turn - math.pi / 2),
                    z + PAINT_M,
                    "paint_white",
                )
    for u in np.arange(start_m + 1.0, end_m, float(rng.uniform(2.2, 4.5))):
        name = site.pick(
            {
                "shrub.0": 1.0,
                "shrub.1": 0.8,
                "hedge.low": 0.8,
                "agave.0": 0.7,
                "grass.0": 0.5,
                site.pick(road.trees): 0.35,
                "board": 0.12,
                "": 0.8,
            }
        )
        if name:
            yaw = 0.0 if "hedge" in name else math.pi / 2 if name == "board" else site.angle()
            site.beside(
                axis,
                name,
                float(u),
                side * (section.back_m + 1.0),
                yaw,
                0.7 if "tree" in name else 1.0,
                section.height_m,
            )
    _buildings(site, road, side, start_m, end_m, deep + 4.0)


def _wall(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Wall of a settlement, climbers and bushes before it, roofs and trees behind."""
    rng, axis, section = site.rng, road.axis, road.section
    d, high = section.back_m + float(rng.uniform(0.4, 2.5)), float(rng.uniform(1.4, 2.4))
    material = str(rng.choice(["block_wall", "stucco_sand", "plaster_white", "brick_red", "rock"]))
    mesh = site.mesh(f"wall.{side}.{start_m:.0f}")
    fence_along(
        mesh,
        axis.line(start_m, end_m, side * d, 4.0),
        0.25,
        section.height_m,
        section.height_m + high,
        material,
        "trim",
    )
    for u in np.arange(start_m + 2.5, end_m, 6.0):
        x, y = axis.place(float(u), side * d).tolist()
        yaw = float(axis.heading(float(u)))
        mesh.matrix = pose(x, y, section.height_m, yaw)
        mesh.box((-0.25, -0.25, 0.0), (0.25, 0.25, high + 0.15), material, skip="-z")
    mesh.matrix = np.eye(4)
    for u in np.arange(start_m + 1.0, end_m - 1.0, float(rng.uniform(2.5, 6.0))):
        if d - section.back_m > 1.2:
            site.beside(
                axis,
                site.pick({"shrub.0": 1.0, "shrub.2": 1.0, "agave.1": 1.0, "grass.1": 0.6}),
                float(u),
                side * (d - 0.8),
                site.angle(),
                float(rng.uniform(0.6, 1.0)),
                section.height_m,
            )
    for u in np.arange(start_m + 4.0, end_m, 9.0):
        site.beside(
            axis,
            site.pick({**road.trees, **road.palms}),
            float(u),
            side * (d + float(rng.uniform(3.0, 9.0))),
            site.angle(),
            float(rng.uniform(0.8, 1.2)),
        )


def _planting(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Slopes of shrubs, agaves, grasses and trees: a park, or ground that nobody has built on."""
    rng, axis, section = site.rng, road.axis, road.section
    kinds = {
        "shrub.0": 1.0,
        "shrub.1": 1.0,
        "shrub.2": 1.0,
        "shrub.3": 1.0,
        "agave.0": 0.9,
        "agave.1": 0.9,
        "grass.0": 0.8,
        "grass.1": 0.8,
        "boulders": 0.3,
        "hedge.middle": 0.3,
        "transformer": 0.12,
    }
    for _ in range(int((end_m - start_m) * 0.9)):
        u, d = float(rng.uniform(start_m, end_m)), section.back_m + 0.9 + 14.0 * float(rng.random()) ** 1.6
        site.beside(axis, site.pick(kinds), u, side * d, site.angle(), float(rng.uniform(0.7, 1.4)), section.height_m)
    for _ in range(int((end_m - start_m) * 0.16)):
        u, d = float(rng.uniform(start_m, end_m)), section.back_m + float(rng.uniform(4.0, 30.0))
        site.beside(
            axis,
            site.pick({**road.trees, **road.palms}),
            u,
            side * d,
            site.angle(),
            float(rng.uniform(0.8, 1.3)),
            section.height_m,
        )


def _hedge(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """A long hedge with houses' roofs and trees behind."""
    kind = site.pick({"hedge.middle": 1.0, "hedge.high": 1.0})
    for u in np.arange(start_m + 1.0, end_m - 0.5, 2.0):
        site.beside(road.axis, kind, float(u), side * (road.section.back_m + 0.8), 0.0, 1.0, road.section.height_m)
    _buildings(site, road, side, start_m, end_m, 9.0)


_STRETCHES = {"shops": _shops, "car_park": _car_park, "wall": _wall, "planting": _planting, "hedge": _hedge}


def _roadside(site: Site, road: _Road, side: int, start_m: float, end_m: float) -> None:
    """Lamps, trees, signs and boxes between kerb and pavement."""
    rng, axis, section, z = site.rng, road.axis, road.section, road.section.height_m
    facing = 0.0 if side < 0 else math.pi
    kerb = side * (section.kerb_m + 0.6)
    for u in np.arange(start_m + 12.0, end_m - 3.0, 38.0):
        site.beside(axis, "cobra_lamp", float(u), kerb, 0.0 if side > 0 else math.pi, 1.0, z)
    trees = road.palms if rng.random() < 0.5 else road.trees
    for u in np.arange(start_m + 6.0, end_m - 6.0, float(rng.uniform(10.0, 18.0))):
        if rng.random() < 0.8:
            at = side * (section.kerb_m + 0.2 + max(0.6, section.verge_m / 2))
            site.beside(axis, site.pick(trees), float(u), at, site.angle(), float(rng.uniform(0.75, 1.1)), z)
    small = {
        "speed": 0.5,
        "sign_parking": 0.3,
        "warning": 0.4,
        "hydrant": 0.4,
        "transformer": 0.7,
        "signal_box": 0.5,
        "meter_box": 0.6,
        "mail_drop": 0.3,
        "bin": 0.3,
        "shrub.0": 0.9,
        "agave.0": 0.9,
        "grass.0": 0.6,
        "bench": 0.2,
        "shelter": 0.25,
        "carts.2": 0.4,
        "boulders": 0.2,
        "tall_sign": 0.25,
    }
    for u in np.arange(start_m + 9.0, end_m - 4.0, float(rng.uniform(8.0, 13.0))):
        name = site.pick(small)
        slim = name in ("speed", "warning", "sign_parking", "hydrant", "meter_box")
        at = kerb if slim else side * (section.back_m + 0.6) if name != "shelter" else side * (section.back_m - 1.4)
        site.beside(axis, name, float(u + rng.uniform(-2, 2)), at, facing, 1.0, z)
