"""The plan of a sequence: what there is, and where it is at any time.

It follows from the seed and the number of the sequence; a frame is the plan at its time, so that no frame depends on
another's being made. All objects keep their places in the list of placements, and so their ids, from the first frame to
the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import SceneError
from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ...thermal.conditions import Conditions
from ..camera_car import BACK_M, FRONT_M, WIDTH_M
from ..cars import FrameSetup, ModelSize, Placement
from ..distances import Traffic
from ..road_users.companions import ANIMALS
from ..road_users.seats import Seat
from ..road_users.two_wheelers import TwoWheelerMix
from ..street import Street
from ..walkable import Ground
from .companions import add_animals
from .cyclists import add_riders
from .drive import Drive, draw_drive
from .gait import KeyPoints
from .seated import add_seated
from .tracks import OutOfSight, Room, Track, times_s
from .traffic import add_cars
from .views import Views
from .walkers import add_people

__all__ = ["RoadUsers", "SequencePlan", "draw_plan"]

ATTEMPTS = 8
"""Traffic is drawn again, at most so often, until a car can be seen well."""
_CAMERA, _CARS, _RIDERS, _PEOPLE, _SEATED, _ANIMALS = range(6)
"""Parts of the random stream; of animals from the last on one for each kind."""


@dataclass(frozen=True, eq=False)
class RoadUsers:
    """Who is there beside the cars."""

    people: Sequence[ModelSize]
    most_people: int | None
    """In view at a time, about; None as in real streets."""
    two_wheelers: TwoWheelerMix
    most_others: Mapping[str, int | None]
    others: Sequence[ModelSize]
    """Animals and prams, and who pushes them, among others."""
    weather: Conditions
    seats: Callable[[], Sequence[Seat]]
    """Of the street; asked for if anybody is to sit."""
    ground: Callable[[], Ground]
    """Where one can stand; asked for if anybody is to."""
    key_points: KeyPoints

    def add(self, room: Room, views: Views, draw: Draw) -> None:
        """Put them into the room of a sequence whose cars are there."""
        if self.most_people != 0 and any(most != 0 for most in self.most_others.values()):
            add_riders(room, views, self.two_wheelers, self.most_others, draw.rng(Stream.MOTION, _RIDERS))
        if self.most_people != 0 and self.people and views.street.has_people:
            rng, pushing = draw.rng(Stream.MOTION, _PEOPLE), [one for one in self.others if one.category == "person"]
            people = [*self.people, *(one for one in pushing if not one.rides)]
            prams = [one for one in self.others if one.category == "stroller"] if self._has("strollers") else []
            add_people(room, views, self.ground(), people, self.key_points, self.most_people, rng, prams)
            rng = draw.rng(Stream.MOTION, _SEATED)
            add_seated(room, views, self.seats(), self.people, self.most_people, self.weather, rng)
        if any(self._has(kind) for kind in ANIMALS):
            rngs = {kind: draw.rng(Stream.MOTION, _ANIMALS + number) for number, kind in enumerate(ANIMALS)}
            add_animals(room, views, self.ground(), self.others, self.most_others, rngs)

    def _has(self, kind: str) -> bool:
        return self.most_others.get(kind, 0) != 0


@dataclass(frozen=True, eq=False)
class SequencePlan:
    """Everything that moves."""

    drive: Drive
    tracks: tuple[Track, ...]

    def setup(self, index: int, time_s: float) -> FrameSetup:
        """Camera and objects of a frame.

        Args:
            index: number of the frame in its data set.
            time_s: since the first frame of the sequence.
        """
        pose = self.drive.cam_to_world(time_s)
        away = OutOfSight(pose)
        placements: list[Placement] = []
        for number, track in enumerate(self.tracks):
            placements += track.placements(time_s) or away.placement(track, number)
        return FrameSetup(index, tuple(placements), pose)


def draw_plan(
    street: Street,
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    conditions: Conditions,
    traffic: Traffic,
    profile: str | None = None,
    road_users: RoadUsers | None = None,
) -> SequencePlan:
    """Draw the plan of a sequence.

    Args:
        street: lanes, bays and camera paths.
        models: of the cars.
        camera: of the sequence.
        draw: has a moment, whose sequence is drawn.
        conditions: of the sequence.
        traffic: how many cars, and how far away.
        profile: thermal profile of all cars; None draws one for each.
        road_users: people and two-wheelers; None: there are none.

    Raises:
        SceneError: no camera path, or no models.
    """
    if draw.moment is None:
        raise ValueError("a plan is of a sequence: expected a draw with a moment")
    if not street.camera_paths or not models:
        raise SceneError("a sequence needs a camera path (gis_camera_path) and car models (gis_category)")
    duration_s = draw.moment.duration_s
    drive = draw_drive(street, camera, duration_s, draw.rng(Stream.MOTION, _CAMERA))
    distances = traffic.distances_for(camera.fy)
    far_m = None if distances is None else distances.farthest_m
    views = Views(camera, drive, street, models, duration_s, far_m)
    rng = draw.rng(Stream.MOTION, _CARS)
    room = _with_cars(views, models, conditions, traffic, profile, rng)
    if road_users is not None:
        road_users.add(room, views, draw)
    return SequencePlan(drive, tuple(room.tracks))


def _with_cars(
    views: Views,
    models: Sequence[ModelSize],
    conditions: Conditions,
    traffic: Traffic,
    profile: str | None,
    rng: np.random.Generator,
) -> Room:
    """Room with cars, drawn again until one is seen well."""
    for _ in range(ATTEMPTS):
        room = Room(times_s(views.duration_s))
        room.block(_own_car(views), FRONT_M + BACK_M, WIDTH_M)
        add_cars(room, views, models, conditions, traffic.density, profile, rng)
        if traffic.density <= 0 or views.show_well(room.tracks):
            break
    return room


def _own_car(views: Views) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Poses (T, 4) of the middle of the camera's own car."""
    poses = views.drive.poses(times_s(views.duration_s)).copy()
    middle = (FRONT_M - BACK_M) / 2
    poses[:, 0] += middle * np.cos(poses[:, 3])
    poses[:, 1] += middle * np.sin(poses[:, 3])
    return poses
