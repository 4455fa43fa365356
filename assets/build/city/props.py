"""Where the repeated things of the city stand: lamps, trees and furniture. People are placed for each frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from . import layout as plan
from .buildings import CORNER_GAP_M
from .ground import OPENING_M, PARK_U_M, ZEBRAS_U_M
from .mesh import pose

__all__ = ["Prop", "all_props"]

LAMP_SPACING_M = 27.0
"""On either side; the two rows are staggered."""


@dataclass(frozen=True)
class Prop:
    """One object that shares its mesh with others."""

    name: str
    """Of the mesh."""
    u_m: float
    d_m: float
    """Place in the plan, see :mod:`.layout`."""
    yaw_rad: float
    """Against the street's heading."""
    scale: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) pose in the world."""
        (x, y), heading = plan.place(self.u_m, self.d_m), float(plan.axis(self.u_m)[1])
        return pose(float(x), float(y), _ground_m(self.u_m, self.d_m), heading + self.yaw_rad, self.scale)


def _ground_m(u_m: float, d_m: float) -> float:
    """Height of the ground where things stand: pavements, or the park's grass."""
    in_park = PARK_U_M[0] < u_m < PARK_U_M[1] and d_m < -plan.FACADE_M - 0.3
    return 0.06 if in_park else plan.PAVEMENT_Z_M


def all_props() -> Iterator[Prop]:
    """Every repeated thing of the city, always the same."""
    rng = np.random.default_rng(53)
    yield from _lamps()
    yield from _street_trees(rng)
    yield from _park(rng)
    yield from _crossing_props()
    yield from _pavement_props()
    yield from _small_things(rng)


def _kerb_m(u_m: float, side: int) -> float:
    corners = plan.kerb_line(side)
    return float(np.interp(u_m, corners[:, 0], corners[:, 1]))


def _free(u_m: float, margin_m: float = 1.5) -> bool:
    """Not in the crossing and not on a zebra crossing."""
    zebra = any(start - margin_m < u_m < start + 3.2 + margin_m for start in ZEBRAS_U_M)
    return abs(u_m - plan.CROSSING_U_M) > OPENING_M + margin_m and not zebra


def _facing(side: int) -> float:
    """Turn that makes y point away from the lane; x then runs against the traffic."""
    return math.pi if side < 0 else 0.0


def _lamps() -> Iterator[Prop]:
    for k, u in enumerate(np.arange(-44.0, 344.0, LAMP_SPACING_M / 2)):
        side = -1 if k % 2 else 1
        if _free(float(u)):
            yield Prop("lamp", float(u), side * (_kerb_m(float(u), side) + 0.45), _facing(side), 1.0)


def _street_trees(rng: np.random.Generator) -> Iterator[Prop]:
    """Trees where the pavement is wide, mostly between bays, and beyond the corners."""
    right = (-6.0, 4.0, 47.5, 114.5, 162.0, 195.0, 270.5, 279.0, 316.0)
    left = (-3.0, 0.5, 32.0, 81.5, 117.0, 190.0, 222.0, 280.0, 312.5, 324.0, 338.0)
    for side, places in ((-1, right), (1, left)):
        for u in places:
            kind = str(rng.choice(["lime", "maple", "plane"], p=[0.4, 0.4, 0.2]))
            yield Prop(f"tree.{kind}", u, side * (_kerb_m(u, side) + 1.1), _angle(rng), float(rng.uniform(0.85, 1.1)))
    for u in np.arange(44.0, 78.0, 9.0):
        yield Prop("tree.maple", float(u), plan.PLAZA_KERB_M + 1.6, _angle(rng), float(rng.uniform(0.85, 1.05)))


def _angle(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.0, 2 * math.pi))


def _park(rng: np.random.Generator) -> Iterator[Prop]:
    """Hedge along the pavement with a gap, trees on the grass behind it."""
    a, b = PARK_U_M
    for u in np.arange(a + 1.5, b - 1.0, 1.95):
        if abs(u - (a + b) / 2) > 2.5:
            yield Prop("hedge", float(u), -plan.FACADE_M - 0.5, 0.0, 1.0)
    for k in range(15):
        u, d = a + 4.0 + k * (b - a - 8.0) / 14, -14.0 - 9.0 * (k % 3) - float(rng.uniform(0, 5))
        kind = str(rng.choice(["lime", "plane", "poplar"], p=[0.4, 0.35, 0.25]))
        yield Prop(f"tree.{kind}", u, d, _angle(rng), float(rng.uniform(0.9, 1.25)))
    for _ in range(10):
        u, d = float(rng.uniform(a + 3, b - 3)), -float(rng.uniform(11, 34))
        yield Prop("bush", u, d, _angle(rng), float(rng.uniform(0.8, 1.4)))
    for u in (a + 16.0, b - 18.0):
        yield Prop("bench", u, -10.9, math.pi, 1.0)


def _crossing_props() -> Iterator[Prop]:
    """Signals and signs at the crossing, trees at the ends of the side street."""
    x, gap = plan.CROSSING_U_M, OPENING_M + 0.3
    yield Prop("signal", x - gap, -plan.LANE_M - 0.7, 0.0, 1.0)
    yield Prop("signal", x + gap, plan.LANE_M + 0.7, math.pi, 1.0)
    yield Prop("signal", x + plan.SIDE_HALF_M + 0.6, -9.0, math.pi / 2, 1.0)
    yield Prop("signal", x - plan.SIDE_HALF_M - 0.6, 9.0, -math.pi / 2, 1.0)
    for sign in (1, -1):
        for d in (26.0, 44.0, 62.0):
            yield Prop("tree.maple", x + CORNER_GAP_M - 1.5, sign * d, 0.3 * d, 0.8)
            yield Prop("lamp", x - CORNER_GAP_M + 2.0, sign * (d - 8.0), -math.pi / 2, 0.85)
        yield Prop("tree.poplar", x - 5.2, sign * (plan.SIDE_END_M - 2.0), 1.0, 0.9)
    for u in (plan.CROSSING_U_M - 10.0, plan.CROSSING_U_M - 8.6, plan.CROSSING_U_M + 8.6, plan.CROSSING_U_M + 10.0):
        for side in (-1, 1):
            yield Prop("bollard", u, side * (plan.LANE_M + 0.55), 0.0, 1.0)


def _pavement_props() -> Iterator[Prop]:
    """Bus stop, cafe, bicycles, columns and planters."""
    yield Prop("shelter", 274.0, -plan.LANE_M - 2.2, math.pi, 1.0)
    for k in range(4):
        yield Prop("cafe", 46.0 + 4.2 * k, 12.3 - 0.5 * (k % 2), 0.4 * k, 1.0)
    for k in range(5):
        yield Prop("bicycle", 64.0 + 0.9 * k, 13.2, math.pi / 2 + 0.1, 1.0)
        yield Prop("bicycle", 160.2 + 0.9 * k, -7.6, math.pi / 2 - 0.1, 1.0)
    yield Prop("column", 84.5, 6.4, 0.0, 1.0)
    yield Prop("column", 314.5, -6.8, 0.0, 1.0)
    for u in (46.0, 49.0, 161.0, 192.5, 281.0):
        yield Prop("planter", u, -_kerb_m(u, -1) - 1.0, 0.0, 1.0)
        yield Prop("bush", u, -_kerb_m(u, -1) - 1.0, u, 0.75)


def _small_things(rng: np.random.Generator) -> Iterator[Prop]:
    """Signs and bins along the kerbs, household bins and cabinets along the fronts."""
    kinds = (("sign_parking", 41.0, 0.4), ("sign_limit", 97.0, 0.4), ("bin", 34.0, 0.5))
    for side, (name, step, inset) in product((-1, 1), kinds):
        for u in np.arange(7.0 + 3 * side + len(name), 312.0, step).tolist():
            if _free(u):
                yield Prop(name, u, side * (_kerb_m(u, side) + inset), 0.0 if side < 0 else math.pi, 1.0)
    for side, (name, step) in product((-1, 1), (("wheelie_bins", 52.0), ("cabinet", 78.0))):
        for u in (np.arange(14.0 + 9 * side + len(name), 190.0, step) + rng.uniform(-3, 3)).tolist():
            if _free(u, 4.0) and not (side > 0 and 28 < u < 84):
                yield Prop(name, u, side * (plan.FACADE_M - 0.45), 0.0 if name == "cabinet" else math.pi / 2, 1.0)
