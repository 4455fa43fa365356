"""Course, cross-section and crossings of a main street, drawn once and needed by all its parts."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from assets.build.worlds.axis import Axis
from assets.build.worlds.road import Crossing, Section, free_stretches

from .houses import TownStyle

__all__ = ["BULB_M", "HOUSE_M", "PARKING", "Parking", "Plan", "Roundabout", "draw_plan", "kerb_stretches", "plots"]

Rng = np.random.Generator

HOUSE_M = 12.0
"""Depth of the houses."""
BULB_M = 6.5
"""No bays so near to a crossing: the pavement reaches out to the lane."""


@dataclass(frozen=True)
class Parking:
    """How cars stand along a kerb."""

    depth_m: float
    """From the kerb to the lane."""
    step_m: float
    """From one bay to the next."""
    turn_rad: float
    """Between the bays and the street."""
    length_m: float
    width_m: float


PARKING: dict[str, Parking] = {
    "none": Parking(0.0, 1.0, 0.0, 0.0, 0.0),
    "parallel": Parking(2.2, 6.1, 0.0, 5.9, 2.15),
    "angled": Parking(4.9, 3.2, math.radians(52.0), 5.0, 2.45),
    "square": Parking(5.1, 2.6, math.radians(90.0), 5.0, 2.5),
}


@dataclass(frozen=True)
class Roundabout:
    """An island in the middle of the street, which the lanes go round."""

    u_m: float
    radius_m: float

    @property
    def way_m(self) -> float:
        """Radius of the lanes' middle."""
        return self.radius_m + 2.1

    def aside_m(self, u_m: float, offset_m: float) -> float:
        """Distance of a lane from the axis, where it is ``offset`` far from the island."""
        share = min(1.0, abs(u_m - self.u_m) / (3.0 * self.way_m))
        return offset_m + (self.way_m - offset_m) * math.cos(0.5 * math.pi * share) ** 2


@dataclass(frozen=True)
class Plan:
    """What all parts of the generator need."""

    axis: Axis
    section: Section
    crossings: list[Crossing]
    walks_m: list[float]
    """Where people cross the street between its crossings."""
    lane_m: float
    median_m: float
    """Half of the planted strip in the middle, 0 for none."""
    parking: dict[int, Parking]
    """By side."""
    roundabout: Roundabout | None
    ending: str
    """What closes the view at the far end: bridge, hall or trees."""
    style: TownStyle
    trees: dict[str, float]
    palms: dict[str, float]
    signals: bool
    """Whether the crossings have signals, or stop signs."""

    @property
    def edge_m(self) -> float:
        """Where the lane ends and bays begin."""
        return self.median_m + self.lane_m + 0.35

    def kerb_m(self, side: int) -> float:
        """Where the pavement of one side begins beside its bays."""
        return self.edge_m + self.parking[side].depth_m

    @property
    def last_m(self) -> float:
        """Where houses and bays end."""
        return self.axis.length_m - {"bridge": 34.0, "hall": 4.0, "trees": 0.0}[self.ending]

    @property
    def is_southern(self) -> bool:
        """Palms and white walls rather than limes and brick."""
        return self.style.walls == "southern"


def draw_plan(rng: Rng) -> Plan:
    """Everything that is decided once."""
    pieces = [(float(rng.uniform(120.0, 200.0)), 0.0)]
    if rng.random() < 0.6:
        radius, turn = float(rng.uniform(160.0, 420.0)), math.radians(float(rng.uniform(8.0, 30.0)))
        pieces.append((radius * turn, float(rng.choice([-1, 1])) / radius))
    pieces.append((float(rng.uniform(90.0, 150.0)), 0.0))
    axis = Axis(pieces, heading=float(rng.uniform(0.0, 2 * math.pi)))
    lane, median = float(rng.uniform(3.1, 3.5)), float(rng.choice([0.0, 1.1, 1.7], p=[0.68, 0.12, 0.2]))
    parking = {side: _draw_parking(rng) for side in (-1, 1)}
    kerb = median + lane + 0.35 + max(one.depth_m for one in parking.values())
    section = Section(kerb_m=kerb, verge_m=0.0, walk_m=float(rng.uniform(3.2, 5.4)), height_m=0.14)
    crossings = _draw_crossings(axis, section, rng)
    roundabout = _draw_roundabout(crossings, kerb, median, rng)
    southern = rng.random() < 0.65
    kinds = ["tree.round", "tree.small", "tree.plane", "tree.jacaranda", "tree.lime", "tree.oak"]
    trees = {str(name): float(rng.uniform(0.4, 1.0)) for name in rng.choice(kinds, size=2, replace=False)}
    palms = {f"{kind}_palm.{k}": float(rng.uniform(0.2, 1.0)) for kind in ("fan", "feather") for k in range(2)}
    walks = _draw_walks(axis, crossings, rng)
    ending = str(rng.choice(["bridge", "hall", "trees"], p=[0.35, 0.2, 0.45]))
    return Plan(
        axis=axis,
        section=section,
        crossings=crossings,
        walks_m=walks,
        lane_m=lane,
        median_m=median,
        parking=parking,
        roundabout=roundabout,
        ending=ending,
        style=_draw_style(southern, rng),
        trees=trees,
        palms=palms,
        signals=bool(rng.random() < 0.55),
    )


def _draw_parking(rng: Rng) -> Parking:
    return PARKING[str(rng.choice(list(PARKING), p=[0.14, 0.5, 0.26, 0.1]))]


def _draw_crossings(axis: Axis, section: Section, rng: Rng) -> list[Crossing]:
    """Side streets 70 m and more apart where the street is straight."""
    found: list[Crossing] = []
    for u in np.arange(38.0, axis.length_m - 48.0, 6.0).tolist():
        if (found and u - found[-1].u_m < 72.0) or not axis.is_straight(u - 14.0, u + 14.0) or rng.random() < 0.45:
            continue
        sides = ((-1, 1), (-1,), (1,))[int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
        found.append(Crossing(u, float(rng.uniform(3.2, 4.4)), 72.0, sides, section.walk_m + 0.5))
    return found


def _draw_walks(axis: Axis, crossings: list[Crossing], rng: Rng) -> list[float]:
    """In the middle of long blocks."""
    marks = [0.0, *(one.u_m for one in crossings), axis.length_m - 34.0]
    blocks = [(low, high) for low, high in itertools.pairwise(marks) if high - low > 90.0]
    return [(low + high) / 2 for low, high in blocks if rng.random() < 0.6]


def _draw_roundabout(crossings: list[Crossing], kerb_m: float, median_m: float, rng: Rng) -> Roundabout | None:
    """Where a side street ends at the main street, and this is wide enough."""
    ends = [one.u_m for one in crossings if len(one.sides) == 1]
    radius = min(kerb_m - 3.7, 4.6)
    if not ends or radius < 1.7 or radius < median_m + 0.5 or rng.random() < 0.6:
        return None
    return Roundabout(ends[0], radius)


def _draw_style(southern: bool, rng: Rng) -> TownStyle:
    share = rng.uniform(0.2, 1.0, 5)
    names = ("arcade", "portico", "shops", "arched", "plain")
    base = (0.8, 0.6, 1.3, 0.9, 0.3) if southern else (0.25, 0.1, 1.8, 0.3, 0.7)
    tall = float(rng.uniform(0.0, 1.0))
    return TownStyle(
        walls="southern" if southern else "plain",
        grounds={name: float(a * b) for name, a, b in zip(names, share, base, strict=True)},
        storeys={0: 1.2 - tall, 1: 1.2, 2: 0.25 + 0.6 * tall, 3: 0.3 * tall},
        tiles=float(rng.uniform(0.3, 0.8)) if southern else float(rng.uniform(0.2, 0.6)),
        canopies=float(rng.uniform(0.45, 0.9)),
    )


def plots(plan: Plan, side: int) -> list[tuple[float, float]]:
    """Stretches of one side on which houses stand."""
    found = free_stretches(plan.axis.length_m, plan.crossings, side)
    return [(start, min(end, plan.last_m)) for start, end in found if min(end, plan.last_m) - start > 12.0]


def kerb_stretches(plan: Plan, side: int) -> list[tuple[float, float]]:
    """Those of them beside which the street has its usual width: not at a roundabout, ending where people cross."""
    cuts = [(u, u) for u in plan.walks_m]
    if plan.roundabout is not None:
        reach = 3.0 * plan.roundabout.way_m
        cuts.append((plan.roundabout.u_m - reach, plan.roundabout.u_m + reach))
    found = plots(plan, side)
    for low, high in cuts:
        found = [part for a, b in found for part in ((a, min(b, low)), (max(a, high), b)) if part[1] - part[0] > 8.0]
    return found
