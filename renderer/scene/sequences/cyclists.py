"""Two-wheelers of a sequence that somebody rides: along the right edge of a lane, with constant speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from ..draws import clipped_normal
from ..road_users.two_wheelers import CYCLE_PATH_M, KERB_M, KINDS, Kind, TwoWheelerMix, sample_count
from ..street import Lane
from .route import lane_routes, route_along
from .tracks import Room, Track
from .views import NEW_VIEW_M, Views

__all__ = ["add_riders"]

Rng = np.random.Generator

SPEEDS_M_S: Final = {"bicycle": (3.5, 6.5), "scooter": (3.5, 5.5), "motorcycle": (7.0, 13.0)}
"""Of cyclists 13 to 23 km/h (Schleinitz et al., Safety Science 92, 2017: a mean of 15.3 km/h); of electric scooters up
to the 20 km/h that German rules allow; of motorcycles as of cars in a town."""
CADENCE_HZ: Final = (0.85, 1.35)
"""Turns of the cranks a second, some 50 to 80 a minute, which a rider keeps by the gear (assumed)."""
TRIES: Final = 8
ALONG_M, ACROSS_M = 1.5, 0.4
"""Room before and behind a two-wheeler together, and to its sides."""


def add_riders(room: Room, views: Views, mix: TwoWheelerMix, most: Mapping[str, int | None], rng: Rng) -> None:
    """Put two-wheelers with their riders into the room of a sequence.

    Args:
        room: gets their tracks.
        views: what the camera sees.
        mix: what there is.
        most: most of each of :data:`..road_users.two_wheelers.KINDS`; none of what is not named.
        rng: of the draws.
    """
    lanes = lane_routes(views.street)
    parts = 1 + math.floor(views.drive.speed_m_s * views.duration_s / NEW_VIEW_M)
    for name, kind in KINDS.items():
        for _ in range(parts):
            for _ in range(sample_count(kind.mean, rng, most.get(name, 0))):
                if rng.random() < kind.ridden and lanes:
                    _add(room, views, mix, kind, lanes, rng)


def _add(room: Room, views: Views, mix: TwoWheelerMix, kind: Kind, lanes: list[Lane], rng: Rng) -> None:
    vehicle = mix.draw(kind.category, rng)
    rider = None if vehicle is None else mix.rider(vehicle.name, rng)
    if vehicle is None or rider is None:
        return
    for _ in range(TRIES):
        lane = lanes[int(rng.integers(len(lanes)))]
        route = route_along(lane.line, 1.0, -_to_the_right(kind, lane.width_m, rng))
        start, speed = float(rng.uniform(0.0, route.length_m)), float(rng.uniform(*SPEEDS_M_S[kind.category]))
        start -= speed * float(rng.uniform(0.0, views.duration_s))
        track = Track(
            (vehicle.name,),
            kind.moving,
            vehicle.length_m,
            max(vehicle.width_m, rider.width_m),
            route,
            start,
            speed,
            stride_m=speed / float(rng.uniform(*CADENCE_HZ)),
            phase=float(rng.random()),
            rider=(rider.name, kind.rider),
            pedalled=kind.category == "bicycle",
        )
        fits = views.shows(track) and not views.shows_coming_or_going(track)
        if fits and room.take(track, ALONG_M, ACROSS_M):
            return


def _to_the_right(kind: Kind, width_m: float, rng: Rng) -> float:
    """How far right of a lane's middle: motorcycles about the middle, all others near its edge."""
    from_edge, wander = float(rng.uniform(*KERB_M)), clipped_normal(rng, 0.4, 0.7)
    room = max(0.0, width_m / 2 - 0.45)
    if kind.category == "motorcycle" or width_m < CYCLE_PATH_M:
        return min(max(wander, -room), room)
    return max(0.0, width_m / 2 - from_edge)
