"""People of a sequence: they walk along pavements and over crossings, alone and side by side, or stand.

Who walks goes straight on with a constant speed, in step with it; who could not do so for the whole sequence, because
of a wall, a tree, a car or another, is not there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...thermal.people import activity_of
from ..cars import ModelSize
from ..pedestrians import (
    ABREAST_M,
    CAR_MARGIN_M,
    CIRCLE_M,
    GROUP_SHARES,
    HEADING_STD,
    PLACES,
    STANDING_SHARE,
    TRIES,
    sample_count,
    spots_by_kind,
)
from ..road_users.companions import HANDLE_M
from ..walkable import Ground, Kind
from .gait import Gait, KeyPoints, find_gaits, standing_models
from .route import Route
from .tracks import Room, Track
from .views import NEW_VIEW_M, Views

__all__ = ["add_people", "straight_way"]

Array = NDArray[np.float64]
Rng = np.random.Generator

STEP_M = 0.1
"""Between the places at which the ground is looked at."""
SMOOTH_M = 0.6
"""Over which somebody goes up a kerb."""
MOST_STEP_M = 0.3
"""Between neighbouring cells of ground; more is an edge that nobody walks over."""
_PRAM = "bicycle_parked"
"""Thermal profile of a pram: as warm as what stands."""
BODY_M = (0.5, 0.5)
"""Room of a body."""


@dataclass(frozen=True, eq=False)
class _People:
    """Who there is: all poses of each person."""

    sizes: Sequence[ModelSize]
    key_points: KeyPoints
    prams: Sequence[ModelSize] = ()
    """What some of them push; none: nobody pushes."""

    @cached_property
    def by_name(self) -> dict[str, ModelSize]:
        return {size.name: size for size in self.sizes if size.category == "person"}

    @cached_property
    def gaits(self) -> dict[str, list[Gait]]:
        found = find_gaits({name: size.height_m for name, size in self.by_name.items()}, self.key_points)
        kept = {name: [one for one in gaits if self.prams or not one.pushes] for name, gaits in found.items()}
        return {name: gaits for name, gaits in kept.items() if gaits}

    @cached_property
    def walking(self) -> list[str]:
        return sorted(self.gaits)

    @cached_property
    def standing(self) -> list[str]:
        return standing_models(self.by_name)


def add_people(
    room: Room,
    views: Views,
    ground: Ground,
    sizes: Sequence[ModelSize],
    key_points: KeyPoints,
    most: int | None,
    rng: Rng,
    prams: Sequence[ModelSize] = (),
) -> None:
    """Put people into the room of a sequence.

    Args:
        room: gets their tracks; holds the cars.
        views: what the camera sees.
        ground: where one can stand.
        sizes: of the people's models.
        key_points: of a model.
        most: most people in view at a time, about; None as in real streets.
        rng: of the draws.
        prams: what some of them push.
    """
    people = _People(sizes, key_points, prams)
    gone_m = views.drive.speed_m_s * views.duration_s
    if not people.walking and not people.standing:
        return
    for part in range(1 + math.floor(gone_m / NEW_VIEW_M)):
        count = sample_count(rng, most)
        _fill(room, _Scene(views, ground, people, part * NEW_VIEW_M / max(gone_m, NEW_VIEW_M)), count, rng)


def _fill(room: Room, scene: _Scene, count: int, rng: Rng) -> None:
    placed = 0
    for _ in range(3 * count):
        if placed >= count:
            break
        placed += scene.group(room, count - placed, rng)


@dataclass(frozen=True, eq=False)
class _Scene:
    """What the camera sees of the ground at one moment."""

    views: Views
    ground: Ground
    people: _People
    share: float
    """Of the sequence that has gone by."""

    @property
    def _time_s(self) -> float:
        return self.share * self.views.duration_s

    @cached_property
    def _spots(self) -> dict[Kind, tuple[Array, Array]]:
        return spots_by_kind(self.ground, self.views.drive.cam_to_world(self._time_s), self.views.camera)

    def group(self, room: Room, most: int, rng: Rng) -> int:
        """One to four people together; how many found room."""
        if not self._spots:
            return 0
        count = min(most, 1 + _chosen(GROUP_SHARES, rng))
        kind = list(self._spots)[_chosen([PLACES[kind] for kind in self._spots], rng)]
        points, sums = self._spots[kind]
        for _ in range(TRIES):
            middle = points[min(int(np.searchsorted(sums, rng.random() * sums[-1])), len(points) - 1)]
            stands = bool(rng.random() < STANDING_SHARE[kind]) or not self.people.walking
            placed = (
                self._standing(room, middle, count, rng)
                if stands and self.people.standing
                else self._walking(room, kind, middle, count, rng)
            )
            if placed:
                return placed
        return 0

    # --- walking ---

    def _walking(self, room: Room, kind: Kind, middle: Array, count: int, rng: Rng) -> int:
        """Side by side with one speed, each in their own step; none where the first finds no way."""
        heading = self._way(kind, middle, rng)
        gaits = [self._gait(rng, alone=count == 1) for _ in range(count)]
        low, high = gaits[0].strides_per_s
        speed = gaits[0].stride_m * float(rng.uniform(low, high))
        placed = 0
        for number, gait in enumerate(gaits):
            side, row = (number % 2) * float(rng.uniform(*ABREAST_M)), (number // 2) * float(rng.uniform(0.8, 1.3))
            left = np.array([-math.sin(heading), math.cos(heading)])
            place = middle + side * left - row * np.array([math.cos(heading), math.sin(heading)])
            phase = float(rng.random())
            route = straight_way(self.ground, place, heading, speed, self._time_s, self.views.duration_s)
            placed += route is not None and self._takes(room, gait, route, speed, phase)
            if not placed:
                break
        return placed

    def _gait(self, rng: Rng, *, alone: bool) -> Gait:
        """Of one person; who is with others does not run."""
        gaits = self.people.gaits[self.people.walking[int(rng.integers(len(self.people.walking)))]]
        fitting = [gait for gait in gaits if alone or not gait.runs] or gaits
        return fitting[int(rng.integers(len(fitting)))]

    def _takes(self, room: Room, gait: Gait, route: Route, speed_m_s: float, phase: float) -> bool:
        activity = activity_of(gait.models[0])
        track = Track(gait.models, activity, *BODY_M, route, 0.0, speed_m_s, gait.stride_m, phase)
        if not gait.pushes:
            return room.take(track, 2 * CAR_MARGIN_M, 0.0)
        pram = self.people.prams[int(phase * len(self.people.prams))]
        ahead = HANDLE_M * np.column_stack([np.cos(route.yaw_rad), np.sin(route.yaw_rad), 0.0 * route.yaw_rad])
        pushed = Route(route.places_m + ahead, route.yaw_rad)
        # The room of a pram is that of who pushes it too.
        taken = Track((pram.name,), _PRAM, pram.length_m, pram.width_m, pushed, 0.0, speed_m_s)
        if not room.take(taken, 2 * HANDLE_M, 0.1):
            return False
        room.join(track)
        return True

    def _way(self, kind: Kind, middle: Array, rng: Rng) -> float:
        """Heading: along the street on pavements, across it on the road."""
        along = self.views.street.heading_rad(*middle.tolist()) + (math.pi if rng.random() < 0.5 else 0.0)
        turned = kind != Kind.PAVEMENT
        return along + (math.pi / 2 if turned else 0.0) + float(rng.normal(0.0, 0.5 * HEADING_STD))

    # --- standing ---

    def _standing(self, room: Room, middle: Array, count: int, rng: Rng) -> int:
        """Alone, or in a circle."""
        first, placed = float(rng.uniform(0.0, 2 * math.pi)), 0
        for number in range(count):
            angle = first + 2 * math.pi * number / count
            radius = float(rng.uniform(*CIRCLE_M)) if count > 1 else 0.0
            x, y = (middle + radius * np.array([math.cos(angle), math.sin(angle)])).tolist()
            yaw = angle + math.pi + float(rng.normal(0.0, 0.35))
            name = self.people.standing[int(rng.integers(len(self.people.standing)))]
            kind, z = self.ground.at(x, y)
            if kind is not Kind.NONE:
                route = Route(np.array([[x, y, z]]), np.array([yaw]))
                track = Track((name,), activity_of(name), BODY_M[0], BODY_M[1], route)
                placed += room.take(track, 2 * CAR_MARGIN_M - 0.4, 0.0)
            if not placed:
                break
        return placed


def straight_way(
    ground: Ground, place: Array, heading: float, speed_m_s: float, time_s: float, duration_s: float
) -> Route | None:
    """The way through a place (2,) at a time, for the whole of a sequence; None where something stands in it."""
    ahead = np.array([math.cos(heading), math.sin(heading)])
    first, last = -speed_m_s * time_s, speed_m_s * (duration_s - time_s)
    along = np.linspace(first, last, max(2, math.ceil((last - first) / STEP_M) + 1))
    points = place + along[:, None] * ahead
    cells = [ground.at(x, y) for x, y in points.tolist()]
    heights = np.array([height for _, height in cells])
    blocked = any(kind is Kind.NONE for kind, _ in cells)
    if blocked or np.abs(np.diff(heights)).max() > MOST_STEP_M:
        return None
    return Route(np.column_stack([points, _smooth(heights)]), np.full(len(points), heading))


def _smooth(heights_m: Array) -> Array:
    """Heights without the steps of kerbs."""
    half = round(SMOOTH_M / STEP_M / 2)
    padded = np.pad(heights_m, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1.0 / (2 * half + 1)), mode="valid")


def _chosen(shares: Sequence[float], rng: Rng) -> int:
    """Which of some things is drawn, each as often as its share says; one number is drawn."""
    sums = np.cumsum(shares)
    return min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(shares) - 1)
