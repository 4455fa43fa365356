"""People who sit on benches and at stops for the whole of a sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...thermal.conditions import Conditions
from ...thermal.people import activity_of
from ..cars import ModelSize
from ..pedestrians import suits
from ..road_users.seated import COUNT_SHARES, LEGS_M, bench_share, by_bench, sits
from ..road_users.seats import Seat
from .route import Route
from .tracks import Room, Track
from .views import Views

__all__ = ["add_seated"]


def add_seated(
    room: Room,
    views: Views,
    seats: Sequence[Seat],
    people: Sequence[ModelSize],
    most: int | None,
    weather: Conditions,
    rng: np.random.Generator,
) -> None:
    """Put people onto the benches that a sequence shows, as many as in single frames.

    Args:
        room: gets their tracks; holds all else.
        views: what the camera sees.
        seats: of the street.
        people: models of people.
        most: most people, those of the room included; None as in real streets.
        weather: tells who is out and how many sit.
        rng: of the draws.
    """
    sitting = [one for one in people if sits(one)]
    on_foot = sum(one.profile in ("walking", "running", "standing") and one.rider is None for one in room.tracks)
    left = len(seats) if most is None else max(0, most - on_foot)
    if not sitting or not seats:
        return
    share, shares = bench_share(weather), np.cumsum([suits(one, weather) for one in sitting])
    seen = views.sees_points(np.array([(one.x_m, one.y_m) for one in seats]))
    for bench in by_bench([seat for seat, shown in zip(seats, seen, strict=True) if shown]):
        used, count = rng.random() < share, 1 + int(np.searchsorted(np.cumsum(COUNT_SHARES), rng.random()))
        for place in rng.permutation(len(bench))[:count] if used else ():
            chosen = min(int(np.searchsorted(shares, rng.random() * shares[-1], side="right")), len(sitting) - 1)
            track = _on(bench[int(place)], sitting[chosen].name, float(rng.normal(0.0, 0.04)))
            left -= left > 0 and _takes(room, track)


def _on(seat: Seat, name: str, turned_rad: float) -> Track:
    route = Route(np.array([[seat.x_m, seat.y_m, seat.z_m]]), np.array([seat.yaw_rad + turned_rad]))
    return Track((name,), activity_of(name), *LEGS_M, route)


def _takes(room: Room, track: Track) -> bool:
    """Somebody on a seat, unless something comes to where the legs are; who sits beside does not count."""
    (x, y, z), yaw = track.route.places_m[0].tolist(), float(track.route.yaw_rad[0])
    legs = np.array([x + 0.3 * math.cos(yaw), y + 0.3 * math.sin(yaw), z, yaw])
    poses = np.tile(legs, (len(room.at_s), 1))
    if room.touches(poses, np.ones(len(room.at_s), np.bool_), *LEGS_M):
        return False
    room.join(track)
    return True
