"""Cars of a sequence: they flow along their lanes, wait in queues, or are parked; none ever touches another.

How full lanes and bays are is as in single frames (:mod:`..traffic`). A lane's cars have nearly one speed, those that
turn the speed that their bend allows. A car that would come into another's way is left out, as if it had turned off.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...thermal.conditions import Conditions
from ..cars import LONG_CATEGORIES, ModelMix, ModelSize
from ..draws import clipped_normal
from ..footprints import SAFETY_MARGIN_M
from ..street import Lane
from ..traffic import (
    BAY_OCCUPANCY,
    FLOW_GAP_M,
    LANE_STATES,
    LEAST_GAP_M,
    QUEUE_CARS,
    QUEUE_GAP_M,
    lane_state_edges,
    parked_in,
)
from .drive import SIDEWAYS_M_S2, usual_speed_m_s
from .route import Route, lane_routes, route_along
from .tracks import Room, Track
from .views import Views

__all__ = ["add_cars"]

Array = NDArray[np.float64]
Rng = np.random.Generator

LANE_SPEED_SHARE = (0.7, 1.15)
"""Of the usual speed of a street."""
SPEED_SPREAD, MOST_SPREAD = 0.03, 0.06
"""Between the cars of a lane (assumed: they follow each other)."""
OWN_LANE_SPREAD = 0.02
"""Of the cars in the camera's lane against its own."""
FOLLOWING_S = 0.35
"""Room before and behind a moving car together, in seconds of its way."""
NEAR_LANE_M = 1.5
"""So near to its middle the camera drives in a lane."""
LEAST_SPEED_M_S = 1.5
"""What a bend would make slower than that does not drive at all."""


@dataclass(frozen=True)
class _LaneTraffic:
    """What one lane is like in a sequence."""

    lane: Lane
    route: Route
    speed_m_s: float
    state: str
    is_own: bool
    """Whether the camera drives in it."""


def add_cars(
    room: Room,
    views: Views,
    models: Sequence[ModelSize],
    conditions: Conditions,
    density: float,
    profile: str | None,
    rng: Rng,
) -> None:
    """Put cars into the room of a sequence.

    Args:
        room: gets their tracks; holds what the camera's own car needs.
        views: what the camera sees; what it never sees is left out.
        models: what may stand there.
        conditions: tell how parked cars were heated.
        density: 1 is ordinary town traffic.
        profile: thermal profile of all cars; None draws one that suits.
        rng: of the draws.
    """
    if density <= 0:
        return
    mix = ModelMix(models)
    for lane in _lanes(views, density, rng):
        for track, long_m in _in_lane(lane, views, mix, density, rng):
            track = track if profile is None else replace(track, profile=profile)
            if views.shows(track) and not views.shows_coming_or_going(track):
                room.take(track, long_m, SAFETY_MARGIN_M)
    for track in _in_bays(views, mix, conditions, density, rng):
        room.take(track if profile is None else replace(track, profile=profile), SAFETY_MARGIN_M, SAFETY_MARGIN_M)


def _lanes(views: Views, density: float, rng: Rng) -> Iterator[_LaneTraffic]:
    edges, usual, drive = lane_state_edges(density), usual_speed_m_s(views.street), views.drive
    begin = drive.poses(np.zeros(1))[0]
    for lane in lane_routes(views.street):
        state = LANE_STATES[bisect_right(edges, rng.random())]
        speed, spread = usual * float(rng.uniform(*LANE_SPEED_SHARE)), clipped_normal(rng, 0.01, OWN_LANE_SPREAD)
        own = _is_own(lane, begin)
        if own:
            state = "idling" if drive.speed_m_s == 0 else "driving"
            speed = drive.speed_m_s * (1 + spread)
        if state != "empty":
            yield _LaneTraffic(lane, route_along(lane.line, 2.7), speed, state, own)


def _is_own(lane: Lane, pose: Array) -> bool:
    away = np.hypot(*(lane.line.dense_m[:, :2] - pose[:2]).T)
    nearest = int(np.argmin(away))
    heading = lane.line.pose(float(lane.line.dense_s_m[nearest]), 2.7)[3]
    return bool(away[nearest] < NEAR_LANE_M and math.cos(heading - pose[3]) > 0.9)


def _in_lane(
    lane: _LaneTraffic, views: Views, mix: ModelMix, density: float, rng: Rng
) -> Iterator[tuple[Track, float]]:
    """Tracks along a lane, each with the room that it needs before and behind it."""
    waits = lane.state == "idling"
    low, high = QUEUE_GAP_M if waits else FLOW_GAP_M
    run_up = 0.0 if waits else lane.speed_m_s * views.duration_s
    # A queue is where the camera waits, or somewhere before a signal.
    s = -run_up if not waits else _queue_start_m(lane, views, rng)
    left = int(rng.integers(QUEUE_CARS[0], QUEUE_CARS[1] + 1)) if waits else 10_000
    while s < lane.route.length_m and left:
        left -= 1
        size = mix.draw(rng)
        yield _car(lane, views, s + size.length_m / 2, size, rng)
        s += size.length_m + max(LEAST_GAP_M, float(rng.uniform(low, high)) / density)


def _queue_start_m(lane: _LaneTraffic, views: Views, rng: Rng) -> float:
    """Where a queue ends; in the camera's own lane it begins before the camera."""
    if not lane.is_own:
        return float(rng.uniform(0.0, lane.route.length_m))
    place = views.drive.poses(np.zeros(1))[0, :2]
    nearest = int(np.argmin(np.hypot(*(lane.route.places_m[:, :2] - place).T)))
    return float(lane.route.s_m[nearest]) + float(rng.uniform(6.0, 10.0))


def _car(lane: _LaneTraffic, views: Views, start_m: float, size: ModelSize, rng: Rng) -> tuple[Track, float]:
    slack = max(0.0, (lane.lane.width_m - size.width_m) / 2 - 0.15)
    lateral = clipped_normal(rng, 0.18, slack / 2)
    share = 1.0 + clipped_normal(rng, 0.2 * SPEED_SPREAD if lane.is_own else SPEED_SPREAD, MOST_SPREAD)
    route = _beside(route_of(lane.lane, size), lateral)
    if lane.state == "idling":
        return _track(size, route, start_m, 0.0, "idling"), LEAST_GAP_M * 0.8
    speed = min(
        lane.speed_m_s * share,
        route.fastest_m_s(start_m, start_m + lane.speed_m_s * views.duration_s, SIDEWAYS_M_S2),
    )
    speed = speed if speed >= LEAST_SPEED_M_S else 0.0
    long_m = 2.0 if size.category in LONG_CATEGORIES else 0.0
    return _track(size, route, start_m, speed, "driving" if speed else "idling"), 1.0 + long_m + FOLLOWING_S * speed


def _track(size: ModelSize, route: Route, start_m: float, speed_m_s: float, profile: str) -> Track:
    return Track((size.name,), profile, size.length_m, size.width_m, route, start_m, speed_m_s)


def route_of(lane: Lane, size: ModelSize) -> Route:
    """Along a lane's middle, for the axles of a model."""
    return route_along(lane.line, 0.6 * size.length_m)


def _beside(route: Route, left_m: float) -> Route:
    side = np.column_stack([-np.sin(route.yaw_rad), np.cos(route.yaw_rad), np.zeros(len(route.yaw_rad))])
    return Route(route.places_m + left_m * side, route.yaw_rad)


def _in_bays(views: Views, mix: ModelMix, conditions: Conditions, density: float, rng: Rng) -> Iterator[Track]:
    street = views.street
    occupancy = min(0.97, float(rng.uniform(*BAY_OCCUPANCY)) * density)
    for which in np.flatnonzero(views.sees_points(street.bay_centres_m)).tolist():
        if rng.random() >= occupancy:
            continue
        parked = parked_in(street.bays[which], mix, conditions, rng)
        if parked is not None:
            at, size = parked
            place = np.array([[at.x_m, at.y_m, at.z_m]])
            yield _track(size, Route(place, np.array([at.yaw_rad])), 0.0, 0.0, at.profile)
