"""A motorway: two carriageways with hard shoulders, barriers, noise walls, slopes with bushes, gantries and bridges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from assets.build.city.mesh import MeshBuilder, pose

from .axis import Axis
from .plants import plant_makers
from .rails import bridge, concrete_barrier, guard_rail, noise_wall
from .road import dashes, line
from .site import Site, strip
from .surroundings import backdrop_trees, ground_plate, hills
from .things import thing_makers

__all__ = ["motorway"]


@dataclass(frozen=True)
class _Road:
    """What all parts of the generator need; distances are from the middle."""

    axis: Axis
    lanes: int
    lane_m: float
    inner_m: float
    """Where the first lane begins."""
    edge_m: float
    """Where the asphalt ends."""
    trees: dict[str, float]


def motorway(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 104])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng, winter=float(rng.choice([0.0, 0.0, 0.7])))
    road = _draw_road(rng)
    axis, end = road.axis, road.axis.length_m
    ground_plate(site, axis, str(rng.choice(["grass", "dry_grass"])))
    hills(site, axis, float(rng.uniform(15.0, 100.0)))
    for low, high in ((-road.edge_m, -1.2), (1.2, road.edge_m)):
        strip(site.mesh("road"), axis, 0.0, end, low, high, 0.0, "asphalt", 8.0)
    strip(
        site.mesh("middle"), axis, 0.0, end, -1.2, 1.2, 0.02, str(rng.choice(["grass", "asphalt", "gravel_bed"])), 8.0
    )
    _lanes(site, road)
    _middle(site, road)
    for side in (-1, 1):
        _side(site, road, side)
    for u in np.arange(float(rng.uniform(60.0, 200.0)), end - 40.0, float(rng.uniform(170.0, 320.0))):
        if rng.random() < 0.5:
            bridge(site.mesh(f"bridge.{u:.0f}"), axis, float(u), road.edge_m + 2.0, float(rng.uniform(6.0, 12.0)))
        else:
            _gantry(site.mesh(f"gantry.{u:.0f}"), axis, float(u), road.edge_m + 1.2)
    backdrop_trees(site, axis, {**road.trees, "conifer": 0.5}, 55.0, 140.0, 130, [])
    site.far_m, site.has_people, site.speed_m_s = 150.0, False, 30.0
    return site


def _draw_road(rng: np.random.Generator) -> _Road:
    radius, turn = float(rng.uniform(450.0, 1200.0)), math.radians(float(rng.uniform(5.0, 22.0)))
    pieces = [
        (float(rng.uniform(120.0, 260.0)), 0.0),
        (radius * turn, float(rng.choice([-1, 1])) / radius),
        (float(rng.uniform(120.0, 260.0)), 0.0),
    ]
    lanes, lane, inner = int(rng.choice([2, 3, 4], p=[0.45, 0.4, 0.15])), float(rng.uniform(3.5, 3.75)), 2.0
    kinds = ["tree.oak", "tree.round", "tree.maple", "tree.poplar", "tree.small", "tree.eucalyptus"]
    trees = {str(name): float(rng.uniform(0.3, 1.0)) for name in rng.choice(kinds, size=3, replace=False)}
    axis = Axis(pieces, heading=float(rng.uniform(0.0, 2 * math.pi)))
    return _Road(axis, lanes, lane, inner, inner + lanes * lane + float(rng.uniform(2.4, 3.2)), trees)


def _lanes(site: Site, road: _Road) -> None:
    axis, end = road.axis, road.axis.length_m
    whole = [(0.0, end)]
    for k in range(road.lanes):
        d = road.inner_m + (k + 0.5) * road.lane_m
        site.lanes[f"out.{k}"] = (axis.line(2.0, end - 2.0, -d), road.lane_m)
        site.lanes[f"back.{k}"] = (axis.line(end - 2.0, 2.0, d), road.lane_m)
        site.paths["out" if k == 0 else f"out.{k}"] = axis.line(4.0, end - 120.0, -d)
        site.paths[f"back.{k}"] = axis.line(end - 4.0, 120.0, d)
        for side in (-1, 1):
            if k:
                dashes(site, axis, whole, side * (d - road.lane_m / 2), 6.0, 18.0)
    for side in (-1, 1):
        line(site, axis, 0.0, end, side * (road.inner_m - 0.1), 0.15)
        line(site, axis, 0.0, end, side * (road.inner_m + road.lanes * road.lane_m + 0.12), 0.25)


def _middle(site: Site, road: _Road) -> None:
    """Barrier between the carriageways."""
    if site.rng.random() < 0.5:
        concrete_barrier(site, road.axis, 0.0, road.axis.length_m, 0.0)
        return
    for d in (-0.6, 0.6):
        guard_rail(site, road.axis, 0.0, road.axis.length_m, d)
    if site.rng.random() < 0.5:
        for u in np.arange(3.0, road.axis.length_m - 3.0, 4.5):
            site.beside(
                road.axis, site.pick({"shrub.0": 1.0, "shrub.1": 1.0, "grass.0": 0.4}), float(u), 0.0, site.angle(), 0.6
            )


def _side(site: Site, road: _Road, side: int) -> None:
    """Rails, noise walls, slopes with bushes and trees, signs and lamps."""
    rng, axis, edge = site.rng, road.axis, road.edge_m
    strip(
        site.mesh("verge"),
        axis,
        0.0,
        axis.length_m,
        side * edge,
        side * (edge + 1.6),
        0.01,
        str(rng.choice(["grass", "gravel_bed"])),
        8.0,
    )
    strip(
        site.mesh("verge"),
        axis,
        0.0,
        axis.length_m,
        side * (edge + 1.6),
        side * (edge + 34.0),
        -0.02,
        str(rng.choice(["grass", "dry_grass"])),
        8.0,
    )
    u = 0.0
    while u < axis.length_m - 20.0:
        stop = min(axis.length_m, u + float(rng.uniform(50.0, 130.0)))
        kind = site.pick({"rail": 1.2, "wall": 0.7, "open": 0.7})
        if kind != "open":
            guard_rail(site, axis, u, stop, side * (edge + 0.8))
        if kind == "wall":
            noise_wall(
                site,
                axis,
                u,
                stop,
                side * (edge + 2.4),
                float(rng.uniform(2.0, 4.5)),
                str(rng.choice(["wood", "concrete", "steel", "block_wall"])),
            )
        near = edge + (4.5 if kind == "wall" else 3.5)
        for _ in range(int((stop - u) * float(rng.uniform(0.1, 0.5)))):
            d = near + 18.0 * float(rng.random()) ** 1.4
            site.beside(
                axis,
                site.pick({"shrub.0": 1, "shrub.1": 1, "shrub.2": 1, "shrub.3": 1, "grass.1": 0.6}),
                float(rng.uniform(u, stop)),
                side * d,
                site.angle(),
                float(rng.uniform(0.8, 1.5)),
            )
        for _ in range(int((stop - u) * float(rng.uniform(0.02, 0.12)))):
            site.beside(
                axis,
                site.pick(road.trees),
                float(rng.uniform(u, stop)),
                side * float(rng.uniform(near + 4.0, near + 30.0)),
                site.angle(),
                float(rng.uniform(0.9, 1.4)),
            )
        u = stop
    facing = 0.0 if side < 0 else math.pi
    for at in np.arange(30.0, axis.length_m - 10.0, 55.0):
        name = site.pick({"speed": 0.5, "warning": 0.3, "tall_sign": 0.2, "signal_box": 0.4, "meter_box": 0.5, "": 0.6})
        if name:
            site.beside(axis, name, float(at + rng.uniform(-8, 8)), side * (edge + 2.0), facing)
    if rng.random() < 0.4:
        for at in np.arange(20.0, axis.length_m, 45.0):
            site.beside(axis, "cobra_lamp", float(at), side * (edge + 1.5), 0.0 if side > 0 else math.pi, 1.2)


def _gantry(mesh: MeshBuilder, axis: Axis, u_m: float, half_m: float) -> None:
    """Signs on a frame over both carriageways."""
    x, y = axis.place(u_m, 0.0).tolist()
    mesh.matrix = pose(x, y, 0.0, float(axis.heading(u_m)))
    for d in (-half_m, half_m):
        mesh.tube([(0, d, 0), (0, d, 7.4)], [0.22, 0.18], 8, "steel")
    for z in (6.2, 7.2):
        mesh.box((-0.15, -half_m, z), (0.15, half_m, z + 0.2), "steel")
    for side in (-1, 1):
        face = side * 0.25
        for d in (0.3 * half_m, 0.7 * half_m):
            mesh.box((min(face, 0.0), side * d - 1.9, 5.7), (max(face, 0.0), side * d + 1.9, 8.0), "sign_blue")
    mesh.matrix = np.eye(4)
