"""Both sides of a main street: bays, kerb, what stands on the pavement, houses wall to wall with gaps between."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import pose
from assets.build.worlds.road import Crossing
from assets.build.worlds.site import PAINT_M, Bay, Site, fence_along, flat, rectangle, strip

from .houses import build_townhouse, draw_townhouse
from .plan import BULB_M, HOUSE_M, Parking, Plan, kerb_stretches, plots

__all__ = ["frontages", "side_street_houses"]

Array = NDArray[np.float64]
PARASOLS = ("parasol.dark", "parasol.red", "parasol.light")


def frontages(site: Site, plan: Plan) -> None:
    """Everything between the lanes and the back of the houses."""
    for side in (-1, 1):
        for start, end in plots(plan, side):
            _houses(site, plan, side, start, end)
            _front_band(site, plan, side, start, end)
        for start, end in kerb_stretches(plan, side):
            _kerb_side(site, plan, side, start, end)


# --- bays and kerb ----------------------------------------------------------------------------------------------------


def _kerb_side(site: Site, plan: Plan, side: int, start_m: float, end_m: float) -> None:
    """Bays between places where the pavement reaches out, and furniture along the kerb."""
    parking, low, high = plan.parking[side], start_m + BULB_M, end_m - BULB_M
    if parking.depth_m == 0.0 or high - low < parking.length_m + 2.0:
        _reach_out(site, plan, side, start_m, end_m, plan.edge_m)
        _kerb_band(site, plan, side, start_m + 1.5, end_m - 1.5, plan.edge_m)
        return
    _reach_out(site, plan, side, start_m, end_m, plan.kerb_m(side))
    every = int(site.rng.integers(4, 9)) * parking.step_m
    ends = [*np.arange(low, high - parking.length_m - 3.0, every + 2.8).tolist(), high]
    for k, (begin, stop) in enumerate(itertools.pairwise(ends)):
        last = k == len(ends) - 2
        _bays(site, plan, side, begin + 0.3, stop - (0.3 if last else 2.8))
        if not last:
            _reach_out(site, plan, side, stop - 2.6, stop, plan.edge_m + 0.2)
            _planted(site, plan, side, stop - 1.3, plan.edge_m + 0.5 * parking.depth_m)
    for begin, stop in ((start_m, low), (high, end_m)):
        _reach_out(site, plan, side, begin, stop, plan.edge_m)
    _kerb_band(site, plan, side, low, high, plan.kerb_m(side))


def _bays(site: Site, plan: Plan, side: int, start_m: float, end_m: float) -> None:
    """A row of bays and the lines between them."""
    parking, axis = plan.parking[side], plan.axis
    turn = parking.turn_rad
    margin = 0.0 if turn in (0.0, math.pi / 2) else 0.5 * parking.length_m * math.cos(turn)
    d = side * (plan.edge_m + parking.depth_m / 2)
    count = int((end_m - start_m - 2 * margin) / parking.step_m)
    for k in range(count):
        middle = start_m + margin + (k + 0.5) * parking.step_m
        x, y = axis.place(middle, d).tolist()
        # Cars keep to the right: on the right (d < 0) they head to +u and turn right into the bay.
        yaw = float(axis.heading(middle)) + (-turn if side < 0 else math.pi - turn)
        site.bays.append(Bay(x, y, yaw, parking.length_m, parking.width_m))
        _bay_line(site, plan, parking, middle - parking.step_m / 2, d, yaw)
        if k == count - 1:
            _bay_line(site, plan, parking, middle + parking.step_m / 2, d, yaw)


def _bay_line(site: Site, plan: Plan, parking: Parking, u_m: float, d_m: float, yaw_rad: float) -> None:
    x, y = plan.axis.place(u_m, d_m).tolist()
    mesh = site.mesh("markings")
    if parking.turn_rad:
        rectangle(mesh, x, y, parking.length_m - 0.2, 0.1, yaw_rad, PAINT_M, "paint_white")
    else:
        rectangle(mesh, x, y, 0.1, parking.width_m - 0.3, yaw_rad, PAINT_M, "paint_white")


def _reach_out(site: Site, plan: Plan, side: int, start_m: float, end_m: float, edge_m: float) -> None:
    """Pavement that is built out from the kerb to a line nearer to the lane."""
    outer = plan.section.kerb_m
    if outer - edge_m < 0.2 or end_m - start_m < 0.6:
        return
    mesh, axis, z = site.mesh("pavements"), plan.axis, plan.section.height_m
    strip(mesh, axis, start_m, end_m, side * edge_m, side * (outer + 0.05), z, "paving")
    along = axis.line(start_m, end_m, side * (edge_m + 0.075), 4.0)
    fence_along(mesh, along, 0.15, 0.0, z + 0.003, "kerb")
    for u in (start_m + 0.075, end_m - 0.075):
        across = axis.place([u, u], [side * edge_m, side * outer])
        fence_along(mesh, across, 0.15, 0.0, z + 0.003, "kerb")


def _planted(site: Site, plan: Plan, side: int, u_m: float, d_m: float) -> None:
    """A tree or bushes between two rows of bays."""
    z = plan.section.height_m
    name = site.pick({_tree(site, plan): 1.2, "clipped.1": 0.5, "agave.0": 0.4, "plinth": 0.3, "globe_lamp": 0.3})
    site.beside(plan.axis, name, u_m, side * d_m, math.pi / 2 if name == "plinth" else 0.0, 0.8, z)


def _tree(site: Site, plan: Plan) -> str:
    """A street tree: palms for the most part in a southern town."""
    return site.pick(plan.palms if site.rng.random() < (0.6 if plan.is_southern else 0.02) else plan.trees)


_KERB_THINGS = {
    "chained": 1.1, "bench": 0.7, "bin": 0.9, "planter": 0.7, "plinth": 0.6, "news_racks": 0.4, "bicycle_stands": 0.7,
    "notice_box": 0.5, "sign_on_posts": 0.35, "sign_parking": 0.5, "parking_meter": 0.8, "meter_box": 0.3,
    "signal_box": 0.4, "cabinet": 0.4, "mail_drop": 0.3, "hydrant": 0.3, "standard": 0.6, "clipped.0": 0.6,
    "bollard": 0.6, "column": 0.2, "kiosk": 0.25, "shelter": 0.15, "speed": 0.2, "": 0.8,
}  # fmt: skip


def _kerb_band(site: Site, plan: Plan, side: int, start_m: float, end_m: float, kerb_m: float) -> None:
    """Trees in grates, lamps, and things between them, 0.8 m behind the kerb."""
    rng, axis, z = site.rng, plan.axis, plan.section.height_m
    step, at, facing = float(rng.uniform(8.0, 13.0)), side * (kerb_m + 0.95), 0.0 if side > 0 else math.pi
    lamp = site.pick({"globe_lamp": 1.0, "banner_lamp": 0.5, "lamp": 0.4, "cobra_lamp": 0.3})
    kind = _tree(site, plan)
    for k, u in enumerate(np.arange(start_m + 1.2, end_m - 1.0, step / 2)):
        if k % 2 == 0 and rng.random() < 0.8:
            site.beside(axis, "grate", float(u), at, 0.0, 1.0, z)
            site.beside(axis, kind, float(u), at, site.angle(), float(rng.uniform(0.65, 0.95)), z + 0.02)
        elif k % 4 == 1:
            site.beside(axis, lamp, float(u), at, facing, 1.0, z)
    for u in np.arange(start_m + 1.2 + step / 4, end_m - 1.0, step / 2):
        name = site.pick(_KERB_THINGS)
        if name in ("kiosk", "shelter") and plan.section.walk_m < 4.2:
            name = "bench"
        if name:
            deep = {"kiosk": 0.8, "shelter": -0.4, "chained": -0.5}.get(name, 0.0)
            site.beside(axis, name, float(u), at + side * deep, facing, 1.0, z)
            _dress(site, plan, name, float(u), at, z)


def _dress(site: Site, plan: Plan, name: str, u_m: float, at_m: float, z_m: float) -> None:
    """Bushes in tubs, bicycles at stands."""
    if name == "planter":
        plant = site.pick({"clipped.0": 1.0, "agave.0": 0.7, "shrub.0": 0.5, "grass.0": 0.4})
        site.beside(plan.axis, plant, u_m, at_m, site.angle(), 0.8, z_m + 0.45)
    elif name == "bicycle_stands":
        for along in (-1.2, -0.4, 0.4, 1.2):
            if site.rng.random() < 0.7:
                site.beside(plan.axis, "bicycle", u_m + along + 0.25, at_m, math.pi / 2, 1.0, z_m)


def _front_band(site: Site, plan: Plan, side: int, start_m: float, end_m: float) -> None:
    """Tables below parasols, bushes in tubs, boards and benches along the fronts."""
    rng, axis, z = site.rng, plan.axis, plan.section.height_m
    at, facing = side * (plan.section.back_m - 0.75), 0.0 if side > 0 else math.pi
    u = start_m + 3.0
    while u < end_m - 3.0:
        name = site.pick({"tables": 0.6, "standard": 0.8, "clipped.0": 0.4, "sandwich_board": 0.6, "bench": 0.4,
                          "planter": 0.4, "cube": 0.3, "": 1.4})  # fmt: skip
        if name == "tables" and plan.section.walk_m > 3.9:
            cloth = str(rng.choice(PARASOLS))
            for _ in range(min(int(rng.integers(1, 5)), int((end_m - u) / 3.3))):
                here = side * (plan.section.back_m - 1.6)
                site.beside(axis, cloth, u, here, facing, float(rng.uniform(0.9, 1.05)), z)
                u += 3.3
        elif name and name != "tables":
            site.beside(axis, name, u, at, facing, 1.0, z)
            _dress(site, plan, name, u, at, z)
        u += float(rng.uniform(2.5, 6.0))


# --- houses and gaps --------------------------------------------------------------------------------------------------


def _houses(site: Site, plan: Plan, side: int, start_m: float, end_m: float) -> None:
    """A row of houses, with a courtyard, a garden or a small car park in place of some."""
    rng, u, back = site.rng, start_m + 0.1, plan.section.back_m
    for low, high in ((back, back + 26.0), (back + 26.0, back + 52.0)):
        ground = str(rng.choice(["dry_grass", "earth", "grass"]))
        strip(site.mesh("lawns"), plan.axis, start_m, end_m, side * low, side * high, plan.section.height_m - 0.006,
              ground, 8.0)  # fmt: skip
    gap_share, stands_free = float(rng.uniform(0.08, 0.3)), True
    while end_m - u > 5.0:
        width = float(rng.uniform(8.0, 17.0))
        if end_m - (u + width) < 8.0:
            width = end_m - 0.1 - u
        is_gap = rng.random() < gap_share and 9.0 < width < 20.0
        if is_gap:
            gap = site.pick({"courtyard": 1.0, "garden": 0.7, "car_park": 0.7})
            _GAPS[gap](site, plan, side, u, u + width)
            _house(site, plan, side, u, u + width, back + 16.0)
        else:
            _house(site, plan, side, u, u + width, back, at_corner=stands_free or end_m - (u + width) < 5.0)
            if rng.random() < 0.25:
                _house(site, plan, side, u, u + width, back + HOUSE_M + 9.0, more=2)
        u, stands_free = u + width, is_gap


def _house(
    site: Site,
    plan: Plan,
    side: int,
    low_m: float,
    high_m: float,
    d_m: float,
    more: int = 0,
    at_corner: bool = False,
) -> None:
    low, high = plan.axis.place([low_m, high_m], [side * d_m, side * d_m])
    start, end = (low, high) if side > 0 else (high, low)
    _build(site, plan, f"house.{side}.{low_m:05.1f}.{d_m:04.1f}", start, end, more, at_corner)


def _build(site: Site, plan: Plan, name: str, start: Array, end: Array, more: int = 0, at_corner: bool = False) -> None:
    """A house whose front runs from one point to another; it lies on the left of that direction."""
    rng = site.rng
    dx, dy = (end - start).tolist()
    drawn = draw_townhouse(rng, plan.style, math.hypot(dx, dy), HOUSE_M)
    house = replace(drawn, storeys=drawn.storeys + more, at_corner=at_corner)
    mesh = build_townhouse(house, np.random.default_rng(int(rng.integers(1 << 31))))
    site.static[name] = (mesh, pose(float(start[0]), float(start[1]), plan.section.height_m, math.atan2(dy, dx)))


def side_street_houses(site: Site, plan: Plan, one: Crossing) -> None:
    """Houses along a crossing street, behind those of the main street."""
    axis, rng, near = plan.axis, site.rng, plan.section.back_m + HOUSE_M + 0.3
    aside = one.half_m + 0.15 + plan.section.walk_m
    for side in one.sides:
        for east in (-1, 1):
            d = near if rng.random() < 0.8 else near + 8.0
            while d < one.length_m - 8.0:
                width = float(rng.uniform(9.0, 15.0))
                line = axis.place([one.u_m + east * aside] * 2, [side * d, side * (d + width)])
                ordered = line[::-1] if east * side > 0 else line
                _build(site, plan, f"side.{one.u_m:.0f}.{side}.{east}.{d:.0f}", *ordered)
                d += width if rng.random() < 0.85 else width + 7.0


def _yard(site: Site, plan: Plan, side: int, low_m: float, high_m: float, material: str) -> None:
    """Ground of a gap."""
    back, z = plan.section.back_m, plan.section.height_m + 0.006
    corners = plan.axis.place([low_m, high_m, high_m, low_m], side * np.array([back, back, back + 16.0, back + 16.0]))
    flat(site.mesh("yards"), corners, z, material)


def _courtyard(site: Site, plan: Plan, side: int, low_m: float, high_m: float) -> None:
    """A square with a low wall, parasols, bushes and perhaps a fountain; houses at its back."""
    rng, axis, z, back = site.rng, plan.axis, plan.section.height_m, plan.section.back_m
    _yard(site, plan, side, low_m, high_m, "paving")
    middle = (low_m + high_m) / 2
    for a, b in ((low_m + 0.2, middle - 1.5), (middle + 1.5, high_m - 0.2)):
        _front_wall(site, plan, side, a, b)
    if rng.random() < 0.5:
        site.beside(axis, "fountain", middle, side * (back + 7.5), 0.4, 0.8, z)
    for _ in range(int(rng.integers(3, 7))):
        u, d = float(rng.uniform(low_m + 2.0, high_m - 2.0)), back + float(rng.uniform(2.2, 14.0))
        if abs(u - middle) > 3.6 or abs(d - back - 7.5) > 3.6:
            name = site.pick({str(rng.choice(PARASOLS)): 1.2, "standard": 0.6, "plinth": 0.4, _tree(site, plan): 0.6})
            site.beside(axis, name, u, side * d, site.angle(), 0.9, z)


def _front_wall(site: Site, plan: Plan, side: int, low_m: float, high_m: float) -> None:
    """A low wall with bushes behind, or clipped cubes, along the pavement."""
    rng, axis, z, d = site.rng, plan.axis, plan.section.height_m, plan.section.back_m + 0.4
    if rng.random() < 0.6:
        wall = str(rng.choice(["plaster_white", "stucco_sand", "brick_red", "stone", "block_wall"]))
        high = z + float(rng.choice([0.45, 0.75, 1.1]))
        fence_along(site.mesh("walls"), axis.line(low_m, high_m, side * d, 4.0), 0.3, z, high, wall, "trim")
        for u in np.arange(low_m + 0.7, high_m, 1.6):
            kind = site.pick({"clipped.0": 1.0, "agave.0": 0.8, "shrub.1": 0.5, "grass.0": 0.3, "": 0.5})
            if kind:
                site.beside(axis, kind, float(u), side * (d + 0.9), site.angle(), 1.0, z)
    else:
        for u in np.arange(low_m + 0.6, high_m - 0.3, 1.35):
            site.beside(axis, "cube", float(u), side * d, 0.0, 1.0, z)


def _garden(site: Site, plan: Plan, side: int, low_m: float, high_m: float) -> None:
    """Lawn with round bushes, agaves and trees behind a low wall."""
    rng, axis, z, back = site.rng, plan.axis, plan.section.height_m, plan.section.back_m
    _yard(site, plan, side, low_m, high_m, str(rng.choice(["grass", "mulch"])))
    _front_wall(site, plan, side, low_m + 0.2, high_m - 0.2)
    kinds = {"clipped.1": 1.0, "clipped.2": 0.7, "agave.0": 0.8, "agave.1": 0.8, "shrub.2": 0.6, "hedge.low": 0.4}
    for _ in range(int(1.1 * (high_m - low_m))):
        u, d = float(rng.uniform(low_m + 1.0, high_m - 1.0)), back + float(rng.uniform(2.0, 15.0))
        site.beside(axis, site.pick(kinds), u, side * d, site.angle(), float(rng.uniform(0.8, 1.2)), z)
    for _ in range(2):
        u, d = float(rng.uniform(low_m + 2.0, high_m - 2.0)), back + float(rng.uniform(4.0, 14.0))
        site.beside(axis, _tree(site, plan), u, side * d, site.angle(), 1.0, z)


def _car_park(site: Site, plan: Plan, side: int, low_m: float, high_m: float) -> None:
    """Bays across, seen from the street over a low wall or bushes."""
    axis, z, back = plan.axis, plan.section.height_m, plan.section.back_m
    _yard(site, plan, side, low_m, high_m, "asphalt")
    middle = (low_m + high_m) / 2
    for a, b in ((low_m + 0.2, middle - 3.2), (middle + 3.2, high_m - 0.2)):
        if b - a > 1.0:
            _front_wall(site, plan, side, a, b)
    heading = float(axis.heading(middle))
    for low in (low_m, high_m):
        inward = 1.0 if low == low_m else -1.0
        for d in np.arange(back + 3.2, back + 14.6, 2.7):
            x, y = axis.place(low + inward * 2.7, side * float(d)).tolist()
            if high_m - low_m > 11.5 or low == low_m:
                site.bays.append(Bay(x, y, heading + (math.pi if inward > 0 else 0.0), 5.0, 2.5, z + 0.006))
    board = "sign_parking" if site.rng.random() < 0.5 else "sign_on_posts"
    site.beside(axis, board, middle - 3.6, side * (back - 0.4), 0.0, 1.0, z)


_GAPS = {"courtyard": _courtyard, "garden": _garden, "car_park": _car_park}
