"""Where something moves along: places and headings by the distance that its own middle has gone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..street import Lane, Polyline, Street

__all__ = ["Route", "lane_routes", "route_along"]

Array = NDArray[np.float64]

STEP_M = 0.25
"""Between the places that a route is made of: in a bend of 6 m radius an arc differs from its chord by 1.3 mm."""
JOIN_M, JOIN_COSINE = 1.2, 0.9
"""A lane goes on in another that passes its end so near and in so much the same direction."""
GAP_S = 4
"""Places over which a bend is looked at: a corner of a polyline is none."""


@dataclass(frozen=True, eq=False)
class Route:
    """Places by arc length, so that one who goes with constant speed covers ``speed * dt`` in every step."""

    places_m: Array
    """(N, 3) world."""
    yaw_rad: Array
    """(N,) headings, without jumps of a whole turn."""

    @cached_property
    def s_m(self) -> Array:
        """(N,) distance over the ground from the first place."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.places_m[:, :2], axis=0).T))])

    @property
    def length_m(self) -> float:
        """Over the ground."""
        return float(self.s_m[-1])

    def at(self, s_m: Array | float) -> Array:
        """``x, y, z, yaw`` (..., 4) at distances from the beginning."""
        columns = (*self.places_m.T, self.yaw_rad)
        return np.stack([np.interp(s_m, self.s_m, column) for column in columns], axis=-1)

    def curvature_per_m(self, s_m: float) -> float:
        """How much the heading turns to the left in a metre, over the next and the last one."""
        ends = np.clip([s_m - 1.0, s_m + 1.0], 0.0, self.length_m)
        if ends[1] - ends[0] < 0.5:
            return 0.0
        first, last = np.interp(ends, self.s_m, self.yaw_rad).tolist()
        return float((last - first) / (ends[1] - ends[0]))

    def fastest_m_s(self, from_m: float, to_m: float, sideways_m_s2: float) -> float:
        """Speed at which no bend between two distances presses harder to the side."""
        turned, gone = (values[GAP_S:] - values[:-GAP_S] for values in (self.yaw_rad, self.s_m))
        middle = (self.s_m[GAP_S:] + self.s_m[:-GAP_S]) / 2
        bend = (np.abs(turned) / np.maximum(gone, 1e-9))[(middle > from_m - 1.0) & (middle < to_m + 1.0)]
        return math.sqrt(sideways_m_s2 / max(float(bend.max(initial=0.0)), 1e-6))


def route_along(line: Polyline, base_m: float, left_m: float = 0.0) -> Route:
    """Along a line, of something whose axles are ``base_m`` apart and that keeps so far to the left of it."""
    distances = np.arange(base_m / 2, max(line.length_m - base_m / 2, base_m / 2 + STEP_M), STEP_M)
    poses = np.array([line.pose(float(s), base_m) for s in distances])
    yaw = np.unwrap(poses[:, 3])
    places = poses[:, :3] + left_m * np.column_stack([-np.sin(yaw), np.cos(yaw), np.zeros(len(yaw))])
    kept = np.concatenate([[True], np.hypot(*np.diff(places[:, :2], axis=0).T) > 1e-6])
    return Route(places[kept], yaw[kept])


def lane_routes(street: Street) -> list[Lane]:
    """The lanes, each with what comes before it and after it on the lanes that it leaves and joins."""
    return [_whole(lane, street.lanes) for lane in street.lanes]


def _whole(lane: Lane, lanes: tuple[Lane, ...]) -> Lane:
    before, after = _passing(lane, lanes, end=False), _passing(lane, lanes, end=True)
    parts = [lane.points_m]
    if before is not None:
        other, s = before
        parts.insert(0, other.points_m[other.line.s_m < s - 0.5])
    if after is not None:
        other, s = after
        parts.append(other.points_m[other.line.s_m > s + 0.5])
    return lane if len(parts) == 1 else Lane(np.concatenate(parts), lane.width_m)


def _passing(lane: Lane, lanes: tuple[Lane, ...], *, end: bool) -> tuple[Lane, float] | None:
    """Another lane that passes the end (or the beginning) of this one, and where on it."""
    line, width = lane.line, 2.7
    *_, yaw = line.pose(line.length_m - width if end else width, width)
    point = line.points_m[-1 if end else 0]
    for other in lanes:
        away = np.hypot(*(other.line.dense_m[:, :2] - point[:2]).T)
        nearest = int(np.argmin(away))
        s = float(other.line.dense_s_m[nearest])
        inside = 5.0 < s < other.line.length_m - 5.0
        if other is lane or not inside or away[nearest] > JOIN_M:
            continue
        if math.cos(other.line.pose(s, width)[3] - yaw) > JOIN_COSINE:
            return other, s
    return None
