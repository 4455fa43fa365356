"""The car park of a shop: bays along aisles, planted islands, lamps, trolley shelters, a low building."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from assets.build.city.mesh import MeshBuilder, pose

from .axis import Axis
from .houses import build_shop
from .plants import plant_makers
from .site import PAINT_M, Bay, Site, fence_along, flat, rectangle, strip
from .surroundings import backdrop_trees, ground_plate, hills
from .things import thing_makers

__all__ = ["car_park"]

_BAY_M, _AISLE_M = (5.2, 2.65), 6.6
"""Length and width of a bay; width of an aisle between two rows."""


@dataclass(frozen=True)
class _Yard:
    """What all parts of the generator need: aisles run along the axis."""

    axis: Axis
    aisles: tuple[float, ...]
    """Distances of their middles from the axis."""
    low_m: float
    high_m: float
    """Edges of the asphalt across the axis."""
    trees: dict[str, float]


def car_park(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 105])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng, winter=float(rng.choice([0.0, 0.0, 0.7])))
    site.makers["trolleys"] = _trolleys
    yard = _draw_yard(rng)
    axis, end = yard.axis, yard.axis.length_m
    ground_plate(site, axis)
    hills(site, axis, float(rng.uniform(15.0, 100.0)))
    strip(site.mesh("road"), axis, -12.0, end + 12.0, yard.low_m, yard.high_m, 0.0, "asphalt")
    _lanes(site, yard)
    _rows(site, yard)
    _border(site, yard)
    _shops(site, yard)
    backdrop_trees(site, axis, {**yard.trees, "fan_palm.0": 0.5}, yard.high_m + 34.0, yard.high_m + 80.0, 90, [])
    site.far_m, site.speed_m_s = 60.0, 3.0
    return site


def _draw_yard(rng: np.random.Generator) -> _Yard:
    module = 2 * _BAY_M[0] + _AISLE_M
    count = int(rng.integers(2, 4))
    aisles = tuple((k - (count - 1) / 2) * module for k in range(count))
    half = count * module / 2
    kinds = ["tree.round", "tree.small", "tree.jacaranda", "tree.plane", "fan_palm.1", "feather_palm.0", "tree.lime"]
    trees = {str(name): float(rng.uniform(0.3, 1.0)) for name in rng.choice(kinds, size=3, replace=False)}
    axis = Axis([(float(rng.uniform(70.0, 120.0)), 0.0)], heading=float(rng.uniform(0.0, 2 * math.pi)))
    return _Yard(axis, aisles, -half - 1.0, half + 7.5, trees)


def _lanes(site: Site, yard: _Yard) -> None:
    """Along the aisles both ways, and across them at both ends and in front of the shops."""
    axis, end, half = yard.axis, yard.axis.length_m, _AISLE_M / 4
    for k, d in enumerate(yard.aisles):
        site.lanes[f"aisle{k}.out"] = (axis.line(-10.0, end + 10.0, d - half), _AISLE_M / 2)
        site.lanes[f"aisle{k}.back"] = (axis.line(end + 10.0, -10.0, d + half), _AISLE_M / 2)
        site.paths["out" if k == 0 else f"aisle{k}.out"] = axis.line(-8.0, end - 25.0, d - half)
        site.paths[f"aisle{k}.back"] = axis.line(end + 8.0, 25.0, d + half)
    for name, u in (("start", -6.0), ("end", end + 6.0)):
        across = np.arange(yard.low_m + 1.0, yard.high_m - 1.0, 2.0)
        site.lanes[f"{name}.left"] = (axis.place(np.full(len(across), u + 1.6), across), 3.0)
        site.lanes[f"{name}.right"] = (axis.place(np.full(len(across), u - 1.6), across[::-1]), 3.0)
    front = yard.high_m - 3.2
    site.lanes["front.out"] = (axis.line(-10.0, end + 10.0, front - 1.6), 3.1)
    site.lanes["front.back"] = (axis.line(end + 10.0, -10.0, front + 1.6), 3.1)
    site.paths["front.back"] = axis.line(end, 25.0, front + 1.6)


def _rows(site: Site, yard: _Yard) -> None:
    """Bays on both sides of each aisle; islands with trees or lamps at their ends and here and there between."""
    rng, axis = site.rng, yard.axis
    length, width = _BAY_M
    turned = rng.random() < 0.3
    for d in yard.aisles:
        for side in (-1, 1):
            middle = d + side * (_AISLE_M + length) / 2
            every = int(rng.integers(6, 14))
            for k, u in enumerate(np.arange(1.0, axis.length_m - 1.0, width)):
                if k % every == 0:
                    _island(site, yard, float(u) + width / 2, middle)
                    continue
                x, y = axis.place(float(u) + width / 2, middle).tolist()
                yaw = float(axis.heading(0.0)) + side * math.pi / 2 + math.pi * (turned and rng.random() < 0.5)
                site.bays.append(Bay(x, y, yaw, length, width - 0.1))
                x, y = axis.place(float(u), middle).tolist()
                rectangle(
                    site.mesh("markings"), x, y, 0.1, length - 0.3, float(axis.heading(0.0)), PAINT_M, "paint_white"
                )


def _island(site: Site, yard: _Yard, u_m: float, d_m: float) -> None:
    """A kerbed bed of the size of a bay."""
    axis, mesh, a, b = yard.axis, site.mesh("islands"), _BAY_M[1] / 2 - 0.15, _BAY_M[0] / 2 - 0.4
    ring = [(u_m - a, d_m - b), (u_m + a, d_m - b), (u_m + a, d_m + b), (u_m - a, d_m + b)]
    corners = np.array([axis.place(u, d) for u, d in ring])
    flat(mesh, corners, 0.14, site.pick({"mulch": 1.0, "grass": 1.0, "paving": 0.5}))
    fence_along(mesh, np.concatenate([corners, corners[:1]]), 0.15, 0.0, 0.15, "kerb")
    name = site.pick(
        {
            site.pick(yard.trees): 1.2,
            "cobra_lamp": 0.7,
            "shrub.0": 0.4,
            "agave.0": 0.4,
            "trolleys": 0.4,
            "sign_parking": 0.3,
        }
    )
    site.beside(axis, name, u_m, d_m, site.angle() if "tree" in name else 0.0, 0.8 if "tree" in name else 1.0, 0.14)
    for offset in (-1.5, 1.4):
        if site.rng.random() < 0.6:
            site.beside(
                axis,
                site.pick({"shrub.1": 1.0, "agave.1": 1.0, "grass.0": 1.0, "boulders": 0.3}),
                u_m,
                d_m + offset,
                site.angle(),
                0.6,
                0.14,
            )


def _border(site: Site, yard: _Yard) -> None:
    """Hedge, wall and trees around the asphalt."""
    rng, axis, end = site.rng, yard.axis, yard.axis.length_m
    d = yard.low_m - 1.2
    strip(site.mesh("border"), axis, -14.0, end + 14.0, d - 6.0, yard.low_m, 0.1, "grass")
    kind = site.pick({"hedge.low": 1.0, "hedge.middle": 1.0, "wall": 0.7, "shrub.2": 0.7})
    if kind == "wall":
        fence_along(
            site.mesh("wall"), axis.line(-12.0, end + 12.0, d), 0.25, 0.0, float(rng.uniform(0.9, 2.0)), "block_wall"
        )
    for u in np.arange(-12.0, end + 12.0, 2.0 if "hedge" in kind else 2.6):
        if kind != "wall":
            site.beside(axis, kind, float(u), d, 0.0 if "hedge" in kind else site.angle(), 1.0, 0.1)
    for u in np.arange(-10.0, end + 10.0, float(rng.uniform(8.0, 14.0))):
        site.beside(axis, site.pick(yard.trees), float(u), d - 2.5, site.angle(), float(rng.uniform(0.8, 1.1)), 0.1)
    for at, sign in ((-13.5, -1.0), (end + 13.5, 1.0)):
        for across in np.arange(yard.low_m, yard.high_m, 2.4):
            site.beside(
                axis,
                site.pick({"shrub.0": 1.0, "shrub.3": 1.0, "agave.0": 0.5, "": 1.0, site.pick(yard.trees): 0.4})
                or "grass.1",
                at + sign * float(rng.uniform(0.0, 4.0)),
                float(across),
                site.angle(),
                float(rng.uniform(0.7, 1.1)),
            )


def _shops(site: Site, yard: _Yard) -> None:
    """A row of shops behind a pavement."""
    rng, axis, end, front = site.rng, yard.axis, yard.axis.length_m, yard.high_m
    strip(site.mesh("pavements"), axis, -12.0, end + 12.0, front, front + 4.5, 0.13, "paving")
    fence_along(site.mesh("pavements"), axis.line(-12.0, end + 12.0, front + 0.08, 8.0), 0.15, 0.0, 0.14, "kerb")
    u = -8.0
    while u < end + 4.0:
        width = float(rng.uniform(14.0, 30.0))
        x, y = axis.place(u + width / 2, front + 4.5).tolist()
        mesh = build_shop(np.random.default_rng(int(rng.integers(1 << 31))), width - 0.3)
        site.static[f"shop.{u:05.1f}"] = (mesh, pose(x, y, 0.1, float(axis.heading(0.0))))
        for at in np.arange(u + 2.0, u + width - 1.0, 6.0):
            name = site.pick(
                {"planter": 0.6, "bin": 0.6, "bollard": 1.0, "bench": 0.4, "bicycle": 0.3, "agave.0": 0.4, "": 1.0}
            )
            if name:
                site.beside(axis, name, float(at), front + 1.2, math.pi, 1.0, 0.13)
        u += width


def _trolleys() -> MeshBuilder:
    """Shelter with a row of shopping trolleys."""
    mesh = MeshBuilder()
    for x in (-1.0, 1.0):
        for y in (-1.8, 1.8):
            mesh.tube([(x, y, 0), (x, y, 2.2)], [0.04, 0.04], 6, "steel")
    mesh.box((-1.1, -2.0, 2.2), (1.1, 2.0, 2.28), "steel")
    for k in range(5):
        y = -1.3 + 0.5 * k
        mesh.box((-0.5, y, 0.5), (0.1, y + 0.9, 0.95), "steel", skip="+z")
        mesh.box((-0.45, y + 0.1, 0.12), (0.05, y + 0.8, 0.2), "steel_dark")
    return mesh
