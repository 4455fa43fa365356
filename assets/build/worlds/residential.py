"""A street of detached houses: gardens, driveways, parked rows, trees in the verge, side streets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .axis import Axis
from .gardens import GardenStyle, Lot, plant_lot
from .plants import plant_makers
from .road import Crossing, Section, asphalt, crossing_streets, free_stretches, sidewalks
from .site import Bay, Course, Site, strip
from .surroundings import backdrop_trees, ground_plate, hills
from .things import thing_makers

__all__ = ["residential"]

BAY_WIDTH_M = 2.1


@dataclass(frozen=True)
class _Street:
    """What all parts of the generator need."""

    axis: Axis
    section: Section
    crossings: list[Crossing]
    trees: dict[str, float]


def residential(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 101])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng)
    street = _draw_street(rng)
    axis, section = street.axis, street.section
    ground_plate(site, axis)
    hills(site, axis, float(rng.uniform(15.0, 90.0)))
    asphalt(site, axis, section, street.crossings)
    sidewalks(site, axis, section, street.crossings)
    _lawns(site, street)
    _lanes(site, street)
    for k, one in enumerate(street.crossings):
        crossing_streets(site, axis, one, f"side{k}", 1, section.kerb_m)
        _corner_things(site, street, one)
    _lots(site, street)
    _parked_rows(site, street)
    _verge(site, street)
    blocked = [(one.u_m - 12.0, one.u_m + 12.0) for one in street.crossings]
    backdrop_trees(
        site,
        axis,
        {**street.trees, "fan_palm.0": 0.6, "fan_palm.1": 0.6, "conifer": 0.3, "tree.eucalyptus": 0.5},
        section.back_m + 26.0,
        section.back_m + 75.0,
        120,
        blocked,
    )
    _benches(site, street, np.random.default_rng([seed, 111]))
    site.far_m, site.speed_m_s = 100.0, 8.0
    site.course = Course(axis, section.back_m, tuple((a - 14.0, b + 14.0) for a, b in blocked))
    return site


def _draw_street(rng: np.random.Generator) -> _Street:
    """Course, cross-section and side streets."""
    pieces = [(float(rng.uniform(110.0, 200.0)), 0.0)]
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.75:
            radius, turn = float(rng.uniform(90.0, 220.0)), math.radians(float(rng.uniform(20.0, 55.0)))
            pieces.append((radius * turn, float(rng.choice([-1, 1])) / radius))
        pieces.append((float(rng.uniform(70.0, 170.0)), 0.0))
    axis = Axis(pieces, heading=float(rng.uniform(0.0, 2 * math.pi)))
    section = Section(
        kerb_m=float(rng.uniform(4.6, 6.0)),
        verge_m=float(rng.choice([0.0, 1.3, 2.2], p=[0.3, 0.3, 0.4])),
        walk_m=float(rng.uniform(1.3, 1.8)),
        verge=str(rng.choice(["grass", "dry_grass", "mulch"])),
    )
    kinds = [
        "tree.oak",
        "tree.round",
        "tree.jacaranda",
        "tree.small",
        "tree.lime",
        "tree.plane",
        "fan_palm.0",
        "feather_palm.0",
    ]
    chosen = rng.choice(kinds, size=4, replace=False).tolist()
    trees = {str(name): float(rng.uniform(0.3, 1.0)) for name in chosen}
    return _Street(axis, section, _draw_crossings(axis, rng), trees)


def _draw_crossings(axis: Axis, rng: np.random.Generator) -> list[Crossing]:
    """Side streets where the road is straight, 70 m and more apart."""
    found: list[Crossing] = []
    for u in np.arange(40.0, axis.length_m - 40.0, 6.0).tolist():
        if (found and u - found[-1].u_m < 85.0) or not axis.is_straight(u - 18.0, u + 18.0) or rng.random() < 0.6:
            continue
        sides = ((-1, 1), (-1,), (1,))[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]
        found.append(Crossing(u, float(rng.uniform(3.2, 4.2)), 70.0, sides, 4.5))
    return found


def _lawns(site: Site, street: _Street) -> None:
    """Grass behind the pavements, between the side streets."""
    section, back = street.section, street.section.back_m
    for side in (-1, 1):
        for start, end in free_stretches(street.axis.length_m, street.crossings, side):
            for low, high in ((back, back + 24.0), (back + 24.0, back + 48.0)):
                strip(
                    site.mesh("lawns"),
                    street.axis,
                    start,
                    end,
                    side * low,
                    side * high,
                    section.height_m - 0.005,
                    "grass",
                    6.0,
                )


def _lanes(site: Site, street: _Street) -> None:
    """A lane for each direction between the parked rows, and the camera's ways along them."""
    axis = street.axis
    half = (street.section.kerb_m - BAY_WIDTH_M) / 2
    width = min(2 * half, 3.3)
    far = axis.length_m - 2.0
    site.lanes["out"] = (axis.line(2.0, far, -half), width)
    site.lanes["back"] = (axis.line(far, 2.0, half), width)
    site.paths["out"] = axis.line(4.0, axis.length_m - 45.0, -half)
    site.paths["back"] = axis.line(axis.length_m - 4.0, 45.0, half)
    for k, one in enumerate(street.crossings):
        for side in one.sides:
            d = np.arange(one.length_m - 6.0, street.section.kerb_m + 4.0, -2.0)
            site.paths[f"side{k}.{side}"] = axis.place(np.full(len(d), one.u_m - side * one.half_m / 2), side * d)


def _lots(site: Site, street: _Street) -> None:
    """Houses along both sides of the street and, with their ends, along the side streets."""
    rng = site.rng
    style = GardenStyle(
        setback_m=float(rng.uniform(6.0, 9.0)),
        two_storeys=float(rng.uniform(0.1, 0.6)),
        dry=float(rng.uniform(0.1, 0.6)),
        walls=float(rng.uniform(0.1, 0.4)),
        hedges=float(rng.uniform(0.1, 0.35)),
        trees=street.trees,
    )
    for side in (-1, 1):
        for start, end in free_stretches(street.axis.length_m, street.crossings, side):
            u, low, high = start + 2.0, 15.0, 21.0
            while u + low < end:
                width = float(rng.uniform(low, high))
                if end - (u + width) < low:
                    width = end - 1.0 - u
                if width < 24.0:
                    plant_lot(
                        site,
                        street.axis,
                        street.section,
                        Lot(f"{'r' if side < 0 else 'l'}{u:04.0f}", u, u + width, side),
                        style,
                    )
                u += width


def _parked_rows(site: Site, street: _Street) -> None:
    """Bays along the kerbs, some stretches without, none at corners."""
    rng, axis = site.rng, street.axis
    for side in (-1, 1):
        share = float(rng.uniform(0.15, 0.5))
        for start, end in free_stretches(axis.length_m, street.crossings, side):
            u = start + 5.0
            while u + 5.8 < end - 5.0:
                if rng.random() < share:
                    d = side * (street.section.kerb_m - BAY_WIDTH_M / 2 - 0.05)
                    x, y = axis.place(u + 2.9, d).tolist()
                    yaw = float(axis.heading(u + 2.9)) + (math.pi if side > 0 else 0.0)
                    site.bays.append(Bay(x, y, yaw, 5.8, BAY_WIDTH_M))
                u += 5.8 if rng.random() < 0.75 else float(rng.uniform(7.0, 14.0))


def _verge(site: Site, street: _Street) -> None:
    """Trees, poles, lamps, boxes, hydrants, letter boxes and bins along the kerbs."""
    rng, axis, section = site.rng, street.axis, street.section
    kind, step = site.pick(street.trees), float(rng.uniform(9.0, 16.0))
    small = {
        "letter_box": 1.0,
        "carts.1": 0.7,
        "carts.2": 0.8,
        "carts.3": 0.4,
        "hydrant": 0.3,
        "meter_box": 0.5,
        "transformer": 0.35,
        "speed": 0.2,
        "warning": 0.15,
        "sign_parking": 0.2,
        "shrub.0": 0.6,
        "agave.0": 0.5,
        "grass.1": 0.4,
        "mail_drop": 0.1,
    }
    poles = int(rng.choice([-1, 0, 1]))
    for side in (-1, 1):
        for start, end in free_stretches(axis.length_m, street.crossings, side):
            in_verge = side * (section.kerb_m + 0.25 + max(0.5, section.verge_m / 2))
            behind = side * (section.back_m + 0.5)
            for u in np.arange(start + 4.0, end - 3.0, step):
                if section.verge_m > 1.0 and rng.random() < 0.8:
                    name = kind if rng.random() < 0.8 else site.pick(street.trees)
                    site.beside(
                        axis, name, float(u), in_verge, site.angle(), float(rng.uniform(0.75, 1.15)), section.height_m
                    )
            for u in np.arange(start + 7.0, end - 3.0, float(rng.uniform(9.0, 14.0))):
                name = site.pick(small)
                at = behind if name in ("transformer", "shrub.0", "agave.0") else side * (section.kerb_m + 0.6)
                site.beside(
                    axis, name, float(u + rng.uniform(-2, 2)), at, 0.0 if side < 0 else math.pi, 1.0, section.height_m
                )
            for u in np.arange(start + 11.0, end - 3.0, 42.0):
                if side == poles:
                    site.beside(axis, "pole", float(u), side * (section.kerb_m + 0.7), 0.0, 1.0, section.height_m)
                elif rng.random() < 0.8:
                    site.beside(
                        axis,
                        "cobra_lamp",
                        float(u),
                        side * (section.kerb_m + 0.6),
                        0.0 if side > 0 else math.pi,
                        0.8,
                        section.height_m,
                    )


def _benches(site: Site, street: _Street, rng: np.random.Generator) -> None:
    """A few benches at the back of the pavements, facing the road, with numbers of their own: all else stays."""
    section = street.section
    for side in (-1, 1):
        for start, end in free_stretches(street.axis.length_m, street.crossings, side):
            for u in np.arange(start + 15.0, end - 8.0, 45.0):
                if rng.random() < 0.5:
                    at, yaw = float(u + rng.uniform(-6.0, 12.0)), 0.0 if side > 0 else math.pi
                    site.beside(street.axis, "bench", at, side * (section.back_m - 0.54), yaw, 1.0, section.height_m)


def _corner_things(site: Site, street: _Street, one: Crossing) -> None:
    """Stop signs and street names."""
    axis, section = street.axis, street.section
    for side in one.sides:
        d = side * (section.kerb_m + one.radius_m + 0.8)
        heading = -math.pi / 2 if side > 0 else math.pi / 2
        site.beside(axis, "stop", one.u_m - side * (one.half_m + 0.7), d, heading, 1.0, section.height_m)
        site.beside(axis, "street_name", one.u_m + side * (one.half_m + 0.9), d, 0.0, 1.0, section.height_m)
