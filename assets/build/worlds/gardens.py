"""A lot beside a residential street: house with garage, driveway with a place for a car or two, front garden."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from assets.build.city.mesh import pose

from .axis import Axis
from .houses import Villa, build_shed, build_villa, draw_villa
from .road import Section
from .site import Bay, Site, fence_along, flat

__all__ = ["GardenStyle", "Lot", "plant_lot"]

_BAY_SHARE = 0.55
"""Of the places in driveways, those where ever a car stands: the others' cars are in the garage."""
_BAY_GAP_M = 0.6
"""Between the pavement and the tail of a car in a driveway."""


@dataclass(frozen=True)
class GardenStyle:
    """What the lots of a street have in common."""

    setback_m: float
    """From the pavement to the house."""
    two_storeys: float
    """Share of houses with an upper floor."""
    dry: float
    """Share of front gardens of gravel, agaves and grasses in place of lawn."""
    walls: float
    hedges: float
    """Shares of lots with a low wall, a hedge along the pavement."""
    trees: dict[str, float]


@dataclass(frozen=True)
class Lot:
    """A stretch of one side of the street."""

    name: str
    start_m: float
    end_m: float
    side: int

    @property
    def middle_m(self) -> float:
        """Its middle along the street."""
        return (self.start_m + self.end_m) / 2


def plant_lot(site: Site, axis: Axis, section: Section, lot: Lot, style: GardenStyle) -> None:
    """Everything on a lot."""
    rng = site.rng
    width = lot.end_m - lot.start_m
    front = section.back_m + style.setback_m * float(rng.uniform(0.85, 1.25))
    garage_side = int(rng.choice([-1, 1]))
    house = draw_villa(rng, max(8.5, width - float(rng.uniform(2.0, 4.5))), garage_side, style.two_storeys)
    heading = float(axis.heading(lot.middle_m))
    x, y = axis.place(lot.middle_m, lot.side * front).tolist()
    yaw = heading if lot.side > 0 else heading + math.pi
    seed = int(rng.integers(1 << 31))
    matrix = pose(x, y, section.height_m, yaw)
    site.static[f"house.{lot.name}"] = (build_villa(house, np.random.default_rng(seed)), matrix)
    # The house's x runs with the street on its left side, against it on the right.
    to_u = 1.0 if lot.side > 0 else -1.0
    drive_u = lot.middle_m + to_u * house.garage_x_m
    _driveway(site, axis, section, lot, house, drive_u, front)
    _front_garden(site, axis, section, lot, style, front, (drive_u - house.garage_m / 2, drive_u + house.garage_m / 2))
    _between(site, axis, section, lot, front, house)


def _driveway(site: Site, axis: Axis, section: Section, lot: Lot, house: Villa, u_m: float, front_m: float) -> None:
    """Concrete from the kerb to the garage, a bay for each car that has room."""
    mesh, half, z = site.mesh("driveways"), house.garage_m / 2 - 0.2, section.height_m + 0.012
    end = front_m - house.garage_out_m
    for low, high, level in ((section.kerb_m, section.kerb_m + 0.15 + section.verge_m, z), (section.back_m, end, z)):
        corners = axis.place(
            [u_m - half, u_m + half, u_m + half, u_m - half], [lot.side * low] * 2 + [lot.side * high] * 2
        )
        flat(mesh, corners, level, "driveway")
    room, heading = end - section.back_m - _BAY_GAP_M, float(axis.heading(u_m))
    length = min(6.2, room)
    if length < 4.7:
        return
    inward = heading + (math.pi / 2 if lot.side > 0 else -math.pi / 2)
    places = (-0.25, 0.25) if house.garage_m > 5.0 else (0.0,)
    for offset in (place for place in places if site.rng.random() < _BAY_SHARE):
        x, y = axis.place(
            u_m + offset * house.garage_m, lot.side * (section.back_m + _BAY_GAP_M / 2 + length / 2)
        ).tolist()
        site.bays.append(Bay(x, y, inward, length, 2.5, z))


def _front_garden(
    site: Site, axis: Axis, section: Section, lot: Lot, style: GardenStyle, front_m: float, drive: tuple[float, float]
) -> None:
    """Wall or hedge along the pavement, shrubs, agaves and a tree on what the driveway leaves free."""
    rng, z, edge = site.rng, section.height_m, section.back_m
    dry = rng.random() < style.dry
    drawn = rng.random()
    boundary = "wall" if drawn < style.walls else "hedge" if drawn < style.walls + style.hedges else ""
    for start, end in ((lot.start_m + 0.3, drive[0] - 0.4), (drive[1] + 0.4, lot.end_m - 0.3)):
        if end - start < 1.5:
            continue
        if dry:
            corners = axis.place(
                [start, end, end, start], [lot.side * (edge + 0.05)] * 2 + [lot.side * (front_m - 0.5)] * 2
            )
            flat(site.mesh("beds"), corners, z + 0.012, "mulch")
        if boundary == "wall":
            _wall(site, axis, start, end, lot.side * (edge + 0.35), z)
        elif boundary == "hedge":
            _hedge(site, axis, start, end, lot.side * (edge + 0.6), z)
        _plants(site, axis, start, end, lot.side, (edge + 1.2, front_m - 0.9), z, dry)
    if rng.random() < 0.65:
        u = float(rng.uniform(lot.start_m + 2.0, lot.end_m - 2.0))
        if not drive[0] - 1.5 < u < drive[1] + 1.5:
            site.beside(
                axis,
                site.pick(style.trees),
                u,
                lot.side * float(rng.uniform(edge + 1.5, front_m - 2.0)),
                site.angle(),
                float(rng.uniform(0.7, 1.0)),
                z,
            )
    if rng.random() < 0.3:
        u = drive[0] - 0.9 if drive[0] - 1.0 > lot.start_m else drive[1] + 0.6
        site.beside(
            axis,
            f"carts.{int(rng.integers(1, 4))}",
            u,
            lot.side * (front_m - 0.9),
            0.0 if lot.side > 0 else math.pi,
            1.0,
            z,
        )


def _wall(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, z_m: float) -> None:
    """Low wall with a coping, or a fence of boards."""
    rng = site.rng
    high = z_m + float(rng.choice([0.55, 0.8, 1.1, 1.75], p=[0.3, 0.3, 0.25, 0.15]))
    material = str(rng.choice(["block_wall", "stucco_sand", "plaster_white", "brick_red", "wood", "rock"]))
    name = f"wall.{len(site.static):04d}"
    fence_along(
        site.mesh(name), axis.line(start_m, end_m, d_m, 4.0), 0.24 if material != "wood" else 0.08, z_m, high, material
    )


def _hedge(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, z_m: float) -> None:
    kind = site.pick({"hedge.low": 0.4, "hedge.middle": 0.4, "hedge.high": 0.2})
    count = max(1, round((end_m - start_m) / 2.0))
    for k in range(count):
        u = start_m + (k + 0.5) * (end_m - start_m) / count
        site.beside(axis, kind, u, d_m, math.pi * int(site.rng.integers(2)), 1.0, z_m)


def _plants(
    site: Site,
    axis: Axis,
    start_m: float,
    end_m: float,
    side: int,
    between_m: tuple[float, float],
    z_m: float,
    dry: bool,
) -> None:
    """Shrubs along the house; agaves, grasses and boulders where it is dry."""
    rng = site.rng
    wet_kinds = {"shrub.0": 1.0, "shrub.1": 1.0, "shrub.2": 1.0, "shrub.3": 1.0, "agave.0": 0.35, "grass.0": 0.3}
    dry_kinds = {
        "agave.0": 1.4,
        "agave.1": 1.4,
        "grass.0": 0.9,
        "grass.1": 0.9,
        "shrub.0": 0.5,
        "shrub.1": 0.5,
        "boulders": 0.4,
    }
    for _ in range(max(1, int((end_m - start_m) * float(rng.uniform(0.25, 0.6))))):
        near_house = rng.random() < (0.35 if dry else 0.6)
        d = between_m[1] if near_house else float(rng.uniform(*between_m))
        site.beside(
            axis,
            site.pick(dry_kinds if dry else wet_kinds),
            float(rng.uniform(start_m + 0.4, end_m - 0.4)),
            side * d,
            site.angle(),
            float(rng.uniform(0.65, 1.2)),
            z_m,
        )


def _between(site: Site, axis: Axis, section: Section, lot: Lot, front_m: float, house: Villa) -> None:
    """Fence from house to house, and what stands behind it."""
    rng, z = site.rng, section.height_m
    if rng.random() < 0.75:
        material = str(rng.choice(["wood", "wood", "block_wall", "stucco_sand"]))
        d = lot.side * (front_m + 1.5)
        gap = (lot.end_m - lot.start_m - house.width_m) / 2
        for a, b in ((lot.start_m, lot.start_m + gap), (lot.end_m - gap, lot.end_m)):
            if b - a > 0.4:
                fence_along(site.mesh(f"fence.{lot.name}.{a:.0f}"), axis.line(a, b, d), 0.1, z, z + 1.8, material)
    if rng.random() < 0.25:
        seed = int(rng.integers(1 << 31))
        site.makers.setdefault(f"shed.{lot.name}", lambda: build_shed(np.random.default_rng(seed)))
        site.beside(
            axis,
            f"shed.{lot.name}",
            lot.start_m + 1.0,
            lot.side * (front_m + house.depth_m + 5.0),
            0.0 if lot.side > 0 else math.pi,
            1.0,
            z,
        )
