"""Lanes of a main street and what lies between them: crossings, a roundabout, a planted middle, the far end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import MeshBuilder, pose
from assets.build.worlds.rails import bridge
from assets.build.worlds.road import Crossing, crossing_streets, dashes, junction_gaps, line, raised_median, zebra
from assets.build.worlds.site import PAINT_M, Site, fence_along, flat, rectangle

from .houses import build_townhouse, draw_townhouse
from .plan import Plan, Roundabout

__all__ = ["far_end", "junctions", "lanes", "middle"]

Array = NDArray[np.float64]


def lanes(site: Site, plan: Plan) -> None:
    """A lane for each direction, and the camera's ways in them; both go round an island."""
    end = plan.axis.length_m
    offset = plan.median_m + plan.lane_m / 2
    stop = end - 45.0
    site.lanes["out"] = (_way(plan, 2.0, end - 2.0, -offset), plan.lane_m)
    site.lanes["back"] = (_way(plan, end - 2.0, 2.0, offset), plan.lane_m)
    site.paths["out"] = _way(plan, 4.0, stop, -offset)
    site.paths["back"] = _way(plan, end - 4.0, 45.0, offset)


def _way(plan: Plan, start_m: float, end_m: float, offset_m: float) -> Array:
    """(N, 2) points of a lane, 2 m apart."""
    u = np.linspace(start_m, end_m, round(abs(end_m - start_m) / 2.0) + 1)
    if plan.roundabout is None:
        return plan.axis.place(u, np.full(len(u), offset_m))
    aside = np.array([plan.roundabout.aside_m(at, abs(offset_m)) for at in u.tolist()])
    return plan.axis.place(u, math.copysign(1.0, offset_m) * aside)


def middle(site: Site, plan: Plan) -> None:
    """Palms on a kerbed strip, or a line; an island with a fountain where there is a roundabout."""
    axis, island = plan.axis, plan.roundabout
    gaps = [(low, min(high, plan.last_m)) for low, high in junction_gaps(axis.length_m, plan.crossings)]
    if island is not None:
        reach = 2.0 * island.way_m
        gaps = [gap for low, high in gaps for gap in ((low, min(high, island.u_m - reach)),
                                                      (max(low, island.u_m + reach), high))]  # fmt: skip
        _island(site, plan, island)
    gaps = sorted({gap for gap in gaps if gap[1] - gap[0] > 6.0})
    if plan.median_m > 0.0:
        kinds = {"clipped.0": 0.8, "agave.0": 0.8, "grass.0": 0.4, "cube": 0.3}
        trees = plan.palms if plan.is_southern else plan.trees
        raised_median(site, axis, gaps, plan.median_m, {**kinds, **{name: 0.6 * w for name, w in trees.items()}})
    elif site.rng.random() < 0.5:
        dashes(site, axis, gaps, 0.0, 3.0, 9.0)
    else:
        for low, high in gaps:
            for d in (-0.12, 0.12):
                line(site, axis, low, high, d, 0.1)


def _island(site: Site, plan: Plan, island: Roundabout) -> None:
    """Kerb, bed, and a fountain, palms or a monument with clipped bushes round it."""
    rng, axis, r, mesh = site.rng, plan.axis, island.radius_m, site.mesh("island")
    angle = np.linspace(0.0, 2 * math.pi, 25)
    circle = axis.place(island.u_m, 0.0) + np.column_stack([np.cos(angle), np.sin(angle)]) * r
    flat(mesh, circle[:-1], 0.16, "grass" if r > 3.2 else "paving")
    fence_along(mesh, circle, 0.3, 0.0, 0.2, "kerb")
    centre = site.pick({"fountain": 1.0, "palm": 0.6, "monument": 0.5} if r > 2.9 else {"palm": 1.0, "monument": 0.5})
    name = site.pick(plan.palms if plan.is_southern else plan.trees) if centre == "palm" else centre
    site.beside(axis, name, island.u_m, 0.0, float(rng.uniform(0.0, 0.8)), 1.0 if r > 2.9 else 0.8, 0.16)
    plants = site.pick({"clipped.0": 1.0, "agave.0": 1.0, "cube": 0.5, "grass.0": 0.4})
    x, y = axis.place(island.u_m, 0.0).tolist()
    for turn in np.arange(0.0, 2 * math.pi, 2 * math.pi / max(5, round(2.2 * r))):
        at = r - 0.75
        site.stand(plants, x + at * math.cos(turn), y + at * math.sin(turn), float(turn) + math.pi / 2, 0.75, 0.16)


def junctions(site: Site, plan: Plan) -> None:
    """Crossing streets with their traffic, paint, signals or stop signs; crossings for people between them too."""
    for k, one in enumerate(plan.crossings):
        island = plan.roundabout if plan.roundabout is not None and plan.roundabout.u_m == one.u_m else None
        reach = plan.edge_m - 1.5 if island is None else -island.way_m
        crossing_streets(site, plan.axis, one, f"side{k}", 1, plan.section.kerb_m, reach)
        _arms(site, plan, one)
        if island is None:
            _main_arms(site, plan, one)
    for u in plan.walks_m:
        zebra(site, plan.axis, u, plan.edge_m - 0.1, 3.2)


def _main_arms(site: Site, plan: Plan, one: Crossing) -> None:
    """Stop lines, crossings for people and signals of the main street."""
    axis, z, edge = plan.axis, plan.section.height_m, plan.edge_m
    for direction in (1, -1):
        yaw = 0.0 if direction > 0 else math.pi
        stop, mine = one.u_m - direction * (one.opening_m + 4.4), -direction
        x, y = axis.place(stop, mine * (plan.median_m + plan.lane_m / 2)).tolist()
        mark = site.mesh("markings")
        rectangle(mark, x, y, 0.5, plan.lane_m - 0.3, float(axis.heading(one.u_m)), PAINT_M, "paint_white")
        zebra(site, axis, one.u_m - direction * (one.opening_m + 2.2), edge - 0.1, 2.8)
        if plan.signals:
            far = one.u_m + direction * (one.opening_m + 0.8)
            site.beside(axis, "mast_signal", far, mine * (edge + 0.9), yaw, 0.85, z)
            site.beside(axis, "signal", stop + direction, mine * (edge + 0.8), yaw, 1.0, z)
        else:
            site.beside(axis, "stop", stop + 0.6 * direction, mine * (edge + 0.8), yaw, 1.0, z)


def _arms(site: Site, plan: Plan, one: Crossing) -> None:
    """Signs or signals of the crossing street, zebras over it, and the camera's way along it."""
    axis, section, z = plan.axis, plan.section, plan.section.height_m
    corner = section.kerb_m + one.radius_m
    for side in one.sides:
        yaw = -side * math.pi / 2
        name = "signal" if plan.signals else "stop"
        site.beside(axis, name, one.u_m - side * (one.half_m + 0.8), side * (corner + 0.8), yaw, 1.0, z)
        site.beside(axis, "street_name", one.u_m + side * (one.half_m + 0.9), side * (corner + 0.6), 0.0, 1.0, z)
        heading = float(axis.heading(one.u_m))
        for across in np.arange(-one.half_m + 0.5, one.half_m - 0.2, 1.2):
            x, y = axis.place(one.u_m + float(across), side * (corner - 1.2)).tolist()
            rectangle(site.mesh("markings"), x, y, 0.55, 2.6, heading, PAINT_M, "paint_white")
        d = np.arange(one.length_m - 6.0, section.kerb_m + 5.0, -2.0)
        site.paths[f"side{one.u_m:.0f}.{side}"] = axis.place(np.full(len(d), one.u_m - side * one.half_m / 2), side * d)
    site.beside(axis, "signal_box", one.u_m + one.opening_m + 1.5, one.sides[0] * (section.back_m - 0.7), 0.0, 1.0, z)


# --- the far end ------------------------------------------------------------------------------------------------------


def far_end(site: Site, plan: Plan) -> None:
    """A bridge with its banks across the street, or a hall that looks down it."""
    if plan.ending == "bridge":
        _underpass(site, plan)
    elif plan.ending == "hall":
        _hall(site, plan)


def _underpass(site: Site, plan: Plan) -> None:
    """A railway or a road crosses on a bank: the street goes on below, between walls."""
    axis, wide, u = plan.axis, float(site.rng.uniform(9.0, 16.0)), plan.axis.length_m - 18.0
    half = plan.section.back_m - 1.2
    bridge(site.mesh("bridge"), axis, u, half, wide)
    mesh, a = site.mesh("bank"), wide / 2
    x, y = axis.place(u, 0.0).tolist()
    mesh.matrix = pose(x, y, 0.0, float(axis.heading(u)))
    for side in (-1, 1):
        _bank(mesh, a, side * (half + 1.5), side * 80.0)
    mesh.matrix = np.eye(4)
    for _ in range(26):
        at, aside = float(site.rng.uniform(a + 1.0, a + 6.0)), float(site.rng.uniform(half + 4.0, 60.0))
        side = -1 if site.rng.random() < 0.5 else 1
        kind = site.pick({"shrub.0": 1.0, "shrub.2": 1.0, "agave.1": 0.5, "grass.1": 0.5})
        z = 5.2 * (1.0 - (at - a) / 7.0)
        site.beside(axis, kind, u - at, side * aside, site.angle(), float(site.rng.uniform(0.7, 1.2)), z)


def _bank(mesh: MeshBuilder, half_m: float, near_m: float, far_m: float) -> None:
    """Earth of 5.2 m with sloped sides between two distances from the street, a wall where it ends at the street."""
    a, b, high = half_m, half_m + 7.0, 5.25
    low, top = min(near_m, far_m), max(near_m, far_m)
    for sign in (-1.0, 1.0):
        face = [(sign * b, low, 0.0), (sign * a, low, high), (sign * a, top, high), (sign * b, top, 0.0)]
        mesh.polygon("dry_grass", *(face if sign < 0 else face[::-1]))
        wall = [(sign * a, near_m, 0.0), (sign * a, near_m, high), (sign * b, near_m, 0.0)]
        mesh.polygon("block_wall", *wall)
    mesh.polygon("gravel_bed", (-a, low, high), (a, low, high), (a, top, high), (-a, top, high))


def _hall(site: Site, plan: Plan) -> None:
    """A broad house with a tower across the end of the street."""
    rng, axis, u = site.rng, plan.axis, plan.axis.length_m + 2.5
    wide = 2 * plan.section.back_m + 8.0
    drawn = draw_townhouse(rng, plan.style, wide, 10.0)
    house = replace(drawn, storeys=max(1, drawn.storeys), has_tower=True, ground="arcade")
    p, q = axis.place(u, wide / 2), axis.place(u, -wide / 2)
    yaw = math.atan2(q[1] - p[1], q[0] - p[0])
    mesh = build_townhouse(house, np.random.default_rng(int(rng.integers(1 << 31))))
    site.static["hall"] = (mesh, pose(float(p[0]), float(p[1]), 0.0, yaw))
