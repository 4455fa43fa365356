"""Animals of a sequence: dogs that walk beside people, others by themselves; they go straight on or stand.

Prams go with those who push them (:mod:`.walkers`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..cars import ModelSize
from ..road_users.companions import ANIMALS, ASKED_MEAN, HEEL_M, LEASH_M, TRIES
from ..road_users.two_wheelers import sample_count
from ..walkable import Ground, Kind
from .route import Route
from .tracks import Room, Track
from .views import NEW_VIEW_M, Views
from .walkers import straight_way

__all__ = ["add_animals"]

Array = NDArray[np.float64]
Rng = np.random.Generator

WALKING_SHARE: Final = 0.6
"""Of animals that are by themselves (assumed)."""
STRIDES_PER_S: Final = (0.9, 1.5)
"""Of those at a walk."""
STRIDE_PER_LENGTH: Final = 0.42
"""Of an animal in terms of its length from nose to tail, 0.9 times the height at the withers. Its paws reach three
quarters of that; for the rest of it they are in the air, as in a trot (assumed). Beside a person it takes as many
strides as it needs."""
NEAREST_M, FARTHEST_M = 7.0, 60.0
ROOM_M: Final = 0.1
"""Around an animal."""
_PHASE: Final = re.compile(r"(.+)\.walk_([0-9]+)")


@dataclass(frozen=True)
class _Animal:
    """One animal in its poses."""

    size: ModelSize
    walk: tuple[str, ...]
    still: tuple[str, ...]


def add_animals(
    room: Room,
    views: Views,
    ground: Ground,
    models: Sequence[ModelSize],
    most: Mapping[str, int | None],
    rngs: Mapping[str, Rng],
) -> None:
    """Put animals into the room of a sequence.

    Args:
        room: gets their tracks; holds cars and people.
        views: what the camera sees.
        ground: where they can stand.
        models: of animals, among others.
        most: most of each of :data:`..road_users.companions.ANIMALS`; None as in real streets.
        rngs: of the draws, one for each kind.
    """
    gone_m = views.drive.speed_m_s * views.duration_s
    people = [one for one in room.tracks if one.profile in ("walking", "standing") and one.rider is None]
    for kind, (category, usual) in ANIMALS.items():
        animals = _animals([one for one in models if one.category == category])
        mean = usual if usual or not most.get(kind) else ASKED_MEAN
        for part in range(1 + math.floor(gone_m / NEW_VIEW_M)) if animals and mean else ():
            time_s = views.duration_s * part * NEW_VIEW_M / max(gone_m, NEW_VIEW_M)
            for _ in range(sample_count(mean, rngs[kind], most.get(kind, 0))):
                scene = _Scene(room, views, ground, time_s, people if category == "dog" else None)
                scene.add(animals, rngs[kind])


def _animals(models: Sequence[ModelSize]) -> list[_Animal]:
    """By name; their phases in order."""
    walks: dict[str, dict[int, str]] = {}
    still: dict[str, list[str]] = {}
    sizes: dict[str, ModelSize] = {}
    for model in models:
        found = _PHASE.fullmatch(model.name)
        name = found[1] if found else model.name.split(".")[0]
        sizes.setdefault(name, model)
        if found:
            walks.setdefault(name, {})[int(found[2])] = model.name
        else:
            still.setdefault(name, []).append(model.name)
    return [
        _Animal(sizes[name], _in_order(walks.get(name, {})), tuple(sorted(still.get(name, []))))
        for name in sorted(sizes)
    ]


def _in_order(phases: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(phases[number] for number in sorted(phases))


@dataclass(frozen=True, eq=False)
class _Scene:
    """One moment of a sequence."""

    room: Room
    views: Views
    ground: Ground
    time_s: float
    people: Sequence[Track] | None
    """Beside whom the animal goes; None: it is by itself."""

    def add(self, animals: Sequence[_Animal], rng: Rng) -> None:
        """One animal; none where there is no room."""
        for _ in range(TRIES):
            animal = animals[int(rng.integers(len(animals)))]
            for track in self._beside(animal, rng) if self.people is not None else self._alone(animal, rng):
                if self.views.shows(track) and self.room.take(track, ROOM_M, ROOM_M):
                    return

    def _beside(self, animal: _Animal, rng: Rng) -> Iterator[Track]:
        """With somebody, as fast."""
        assert self.people is not None
        if not self.people:
            return
        person = self.people[int(rng.integers(len(self.people)))]
        x, y, _, yaw = person.poses(np.array([self.time_s]))[0].tolist()
        side = math.copysign(float(rng.uniform(HEEL_M, HEEL_M + 0.25)), rng.random() - 0.5)
        along, turned = float(rng.uniform(-0.4, LEASH_M)), float(rng.uniform(0.0, 2 * math.pi))
        c, s = math.cos(yaw), math.sin(yaw)
        place = np.array([x + along * c - side * s, y + along * s + side * c])
        yield from self._going(animal, place, yaw if person.speed_m_s > 0 else turned, person.speed_m_s, rng)

    def _alone(self, animal: _Animal, rng: Rng) -> Iterator[Track]:
        """Somewhere in view, evenly over the distance."""
        pose, camera = self.views.drive.cam_to_world(self.time_s), self.views.camera
        ahead, column = float(rng.uniform(NEAREST_M, FARTHEST_M)), float(rng.uniform(0.0, camera.width))
        place = pose[:2, 3] + ahead * pose[:2, 2] + (column - camera.cx) / camera.fx * ahead * pose[:2, 0]
        yaw, walks = float(rng.uniform(0.0, 2 * math.pi)), rng.random() < WALKING_SHARE
        strides = float(rng.uniform(*STRIDES_PER_S))
        yield from self._going(animal, place, yaw, strides * _stride_m(animal.size) if walks else 0.0, rng)

    def _going(self, animal: _Animal, place: Array, yaw_rad: float, speed_m_s: float, rng: Rng) -> Iterator[Track]:
        """At a place at this moment, straight on."""
        phase, chosen, size = float(rng.random()), float(rng.random()), animal.size
        if speed_m_s > 0.0 and animal.walk:
            way = straight_way(self.ground, place, yaw_rad, speed_m_s, self.time_s, self.views.duration_s)
            if way is not None:
                yield Track(
                    animal.walk,
                    "walking",
                    size.length_m,
                    size.width_m,
                    way,
                    0.0,
                    speed_m_s,
                    _stride_m(size),
                    phase,
                )
        elif animal.still:
            kind, height = self.ground.at(*place.tolist())
            if kind is not Kind.NONE:
                name = animal.still[int(chosen * len(animal.still))]
                way = Route(np.array([[*place.tolist(), height]]), np.array([yaw_rad]))
                yield Track((name,), "standing", size.length_m, size.width_m, way)


def _stride_m(size: ModelSize) -> float:
    return STRIDE_PER_LENGTH * size.length_m
