"""Bicycles, motorcycles and kick scooters in a street: ridden in lanes, parked on the pavement and between cars.

They have streams of their own and are placed after cars and people, who stay as they are however many there are. A
lane narrower than any car is a cycle path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ...thermal.conditions import Conditions
from ..camera_car import camera_car_rectangle
from ..cars import FrameSetup, ModelSize, Placement
from ..draws import clipped_normal
from ..footprints import overlaps, rectangle
from ..pedestrians import suits
from ..projection import WorldToCam, box_around, seen_share, world_to_cam
from ..street import Street
from .parking import Parking, ParkingPlace

__all__ = [
    "FAR_M",
    "JUST_PARKED",
    "KERB_M",
    "KINDS",
    "NEAR_M",
    "NO_OTHERS",
    "Kind",
    "Site",
    "TwoWheelerMix",
    "sample_count",
    "taken_by",
    "two_wheelers_on_street",
]  # fmt: skip

Array = NDArray[np.float64]


class Kind(NamedTuple):
    """How often vehicles of a category are there, and where."""

    category: str
    mean: float
    """In a frame."""
    ridden: float
    """Share of them that somebody rides."""
    parked: Mapping[ParkingPlace, float]
    """Shares of places of those that nobody rides (assumed)."""
    rider: str
    """What the rider does: an activity of ``assets/thermal_profiles.toml``."""
    moving: str
    """Thermal profile of one that is ridden."""
    resting: str
    """Of one that is parked."""
    warm: float = 0.0
    """Share of parked ones whose engine is still warm (assumed)."""


_AT_WALLS: Final = {ParkingPlace.WALL: 0.45, ParkingPlace.KERB: 0.35, ParkingPlace.BAY: 0.2}
_IN_BAYS: Final = {ParkingPlace.WALL: 0.1, ParkingPlace.KERB: 0.25, ParkingPlace.BAY: 0.65}
KINDS: Final[Mapping[str, Kind]] = {
    "bicycles": Kind("bicycle", 0.35, 0.3, _AT_WALLS, "cycling", "bicycle_ridden", "bicycle_parked"),
    "motorcycles": Kind("motorcycle", 0.055, 0.5, _IN_BAYS, "riding", "motorcycle_ridden", "motorcycle_parked", 0.25),
    "scooters": Kind("scooter", 0.03, 0.5, _AT_WALLS, "scooting", "bicycle_ridden", "bicycle_parked"),
}
"""By the words of ``--objects``. Bicycles: 44 for 447 people in RoadScene's training boxes, 13 of them
below a person. Motorcycles: 1116 for 7237
bicycles in the training labels of FLIR ADAS, version 2. All else assumed. Ridden ones are placed by one over their
distance: of RoadScene's thirteen nine are within 20 m."""
NO_OTHERS: Final[Mapping[str, int | None]] = dict.fromkeys(KINDS, 0)
JUST_PARKED = "motorcycle_just_parked"
MOST = 8
NEAR_M, FAR_M = 4.5, 68.0
"""As people (:mod:`..pedestrians`)."""
LEAST_HEIGHT_PX, LEAST_SEEN = 8.0, 0.3
TRIES = 16
"""Places that are tried for one before it is given up."""
ROUTE_MARGIN_M = 0.3
"""Room around cars, to either side."""
APART_M = 0.15
"""Room around people and around other two-wheelers."""
KERB_M = (0.45, 0.85)
"""How far from the right edge of a lane bicycles are ridden (town traffic; German rules advise 0.8 m from the kerb)."""
CYCLE_PATH_M = 1.7
"""A lane that is narrower is a cycle path: no car fits."""
PATH_SHARE = 0.85
"""Share of bicycles that are on the cycle path where one is seen (assumed)."""
BESIDE_SHARE = 0.4
"""Share of parked ones that stand beside another that is parked (assumed)."""
BESIDE_M = (0.55, 0.8)
_SPREAD_RAD = math.radians(7.0)


def sample_count(mean: float, rng: np.random.Generator, most: int | None) -> int:
    """How many there are, at most ``most``: a geometric number, as that of people; one number is drawn, always."""
    count = int(rng.geometric(1.0 / (1.0 + mean))) - 1
    return min(count, MOST if most is None else most)


class TwoWheelerMix:
    """Draws vehicles, each as often as another, and who rides them."""

    def __init__(self, models: Sequence[ModelSize]) -> None:
        wanted = {kind.category for kind in KINDS.values()}
        self._vehicles: dict[str, list[ModelSize]] = {}
        self._riders: dict[str, list[ModelSize]] = {}
        for model in models:
            if model.rides:
                self._riders.setdefault(model.rides, []).append(model)
            elif model.category in wanted:
                self._vehicles.setdefault(model.category, []).append(model)
        self.sizes = {model.name: model for model in models}
        self._dress: tuple[Conditions, Draw] | None = None

    def dressed_for(self, weather: Conditions, draw: Draw) -> TwoWheelerMix:
        """The same vehicles, whose riders go out as their clothes suit the weather."""
        dressed = copy(self)
        dressed._dress = weather, draw
        return dressed

    @cached_property
    def _of_riders(self) -> np.random.Generator:
        """Draws of their own: what those of the vehicles give stays as it is."""
        assert self._dress is not None
        return self._dress[1].rng(Stream.RIDERS)

    def draw(self, category: str, rng: np.random.Generator) -> ModelSize | None:
        """A vehicle; None where there is none of the category."""
        return _one_of(self._vehicles.get(category, ()), rng)

    def rider(self, vehicle: str, rng: np.random.Generator) -> ModelSize | None:
        """Who rides a vehicle; None where nobody can."""
        riders = self._riders.get(vehicle, [])
        anybody = _one_of(riders, rng)
        if self._dress is None or not riders:
            return anybody
        return riders[_chosen([suits(one, self._dress[0]) for one in riders], self._of_riders)]


def _one_of(models: Sequence[ModelSize], rng: np.random.Generator) -> ModelSize | None:
    return models[int(rng.integers(len(models)))] if models else None


def two_wheelers_on_street(
    setup: FrameSetup,
    parking: Parking,
    street: Street,
    sizes: Mapping[str, ModelSize],
    mix: TwoWheelerMix,
    camera: Camera,
    draw: Draw,
    most: Mapping[str, int | None],
    *,
    riders: bool = True,
) -> tuple[Placement, ...]:
    """Two-wheelers for a frame whose cars and people are placed; a rider follows the vehicle that is ridden.

    Args:
        setup: camera, cars and people.
        parking: where two-wheelers can be parked.
        street: its lanes are ridden on.
        sizes: of the setup's models.
        mix: what there is.
        camera: of the frame.
        draw: seed of the dataset and number of the frame.
        most: most vehicles of each of :data:`KINDS`; None as in real streets, none of what is not named.
        riders: whether any is ridden.

    Returns:
        their placements; none touches a car, a wall, a person or another.
    """
    pose = setup.cam_to_world
    own = camera_car_rectangle(pose[:2, 3], math.atan2(pose[1, 2], pose[0, 2]))
    site = _Streetside(setup, parking, street, camera, [own, *taken_by(setup.placements, sizes)])
    site.fill(mix, draw, most, riders=riders)
    return tuple(site.placed)


def taken_by(placements: Sequence[Placement], sizes: Mapping[str, ModelSize]) -> list[Array]:
    """Rectangles (4, 2) of cars and people with room around them."""
    taken = []
    for one in placements:
        size = sizes[one.model]
        room = 2 * (APART_M if size.category == "person" else ROUTE_MARGIN_M)
        taken.append(rectangle(one.x_m, one.y_m, one.yaw_rad, size.length_m + room, size.width_m + room))
    return taken


class Site:
    """A place that one camera sees, and what stands on it; :meth:`ride` and :meth:`park` find room."""

    def __init__(self, setup: FrameSetup, camera: Camera, taken: list[Array]) -> None:
        self.setup, self.camera, self.taken = setup, camera, taken
        self.placed: list[Placement] = []

    def fill(self, mix: TwoWheelerMix, draw: Draw, most: Mapping[str, int | None], *, riders: bool) -> None:
        """Place what is drawn of each kind."""
        for number, (name, kind) in enumerate(KINDS.items()):
            rng = draw.rng(Stream.TWO_WHEELERS, number)
            for _ in range(sample_count(kind.mean, rng, most.get(name, 0))):
                self._add(kind, mix, rng, ridden=rng.random() < kind.ridden and riders)

    def _add(self, kind: Kind, mix: TwoWheelerMix, rng: np.random.Generator, *, ridden: bool) -> None:
        """One vehicle, with its rider where it is ridden; nothing where there is no room."""
        vehicle = mix.draw(kind.category, rng)
        rider = None if vehicle is None or not ridden else mix.rider(vehicle.name, rng)
        if vehicle is None or (ridden and rider is None):
            return
        for _ in range(TRIES):
            if self.ride(kind, vehicle, rider, rng) if rider is not None else self.park(kind, vehicle, rng):
                return

    def ride(self, kind: Kind, vehicle: ModelSize, rider: ModelSize, rng: np.random.Generator) -> bool:
        """Put a vehicle and its rider on the road; whether there was room."""
        raise NotImplementedError

    def park(self, kind: Kind, vehicle: ModelSize, rng: np.random.Generator) -> bool:
        """Park a vehicle; whether there was room."""
        raise NotImplementedError

    def take(self, at: Placement, vehicle: ModelSize, rider: ModelSize | None = None, does: str = "") -> bool:
        """Place a vehicle, and its rider if there is one, unless something stands there or they are not seen.

        Args:
            at: of the vehicle.
            vehicle: its size.
            rider: who rides it.
            does: what the rider does, an activity.
        """
        above = vehicle if rider is None else rider
        width, height = max(vehicle.width_m, above.width_m), max(vehicle.height_m, above.height_m)
        box = box_around(at, replace(vehicle, width_m=width, height_m=height), self.camera, self._to_cam)
        if box is None or box[3] - box[1] < LEAST_HEIGHT_PX or seen_share(box, self.camera) < LEAST_SEEN:
            return False
        corners = rectangle(at.x_m, at.y_m, at.yaw_rad, vehicle.length_m, width)
        if any(overlaps(corners, other) for other in self.taken):
            return False
        room = 2 * APART_M
        self.taken.append(rectangle(at.x_m, at.y_m, at.yaw_rad, vehicle.length_m + room, width + room))
        self.placed.append(at)
        if rider is not None:
            self.placed.append(replace(at, model=rider.name, profile=does, rides=1))
        return True

    @cached_property
    def _to_cam(self) -> WorldToCam:
        return world_to_cam(self.setup.cam_to_world)


class _Streetside(Site):
    """A street with lanes, pavements and bays."""

    def __init__(self, setup: FrameSetup, parking: Parking, street: Street, camera: Camera, taken: list[Array]) -> None:
        super().__init__(setup, camera, taken)
        self.parking, self.street = parking, street
        self._parked: list[tuple[Placement, ParkingPlace]] = []

    # --- ridden ---

    @cached_property
    def _seen_lanes(self) -> tuple[NDArray[np.int64], NDArray[np.bool_], Array]:
        """Numbers of lanes' points in the field of view, (N,), whether each is of a cycle path, and metres ahead."""
        points, pose, camera = self.street.lane_points_m, self.setup.cam_to_world, self.camera
        ahead, across = (points - pose[:2, 3]) @ pose[:2, 2], (points - pose[:2, 3]) @ pose[:2, 0]
        column = camera.cx + camera.fx * across / np.maximum(ahead, NEAR_M)
        seen = np.flatnonzero((ahead > NEAR_M) & (ahead < FAR_M) & (column > 0) & (column < camera.width))
        narrow = np.array([lane.width_m < CYCLE_PATH_M for lane in self.street.lanes], np.bool_)
        return seen, narrow[self._lane_of(seen)] if len(seen) else np.zeros(0, np.bool_), ahead[seen]

    def _lane_of(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the lanes that points belong to."""
        return np.asarray(np.searchsorted(self.street.lane_starts, points, side="right") - 1, np.int64)

    def ride(self, kind: Kind, vehicle: ModelSize, rider: ModelSize, rng: np.random.Generator) -> bool:
        """In a lane, on its right side, as often per metre as it is near."""
        seen, on_path, ahead_m = self._seen_lanes
        takes_path = kind.category != "motorcycle" and bool(on_path.any()) and rng.random() < PATH_SHARE
        wanted = on_path == takes_path
        if not wanted.any():
            return False
        point = int(seen[wanted][_chosen(1.0 / ahead_m[wanted], rng)])
        number = int(self._lane_of(np.array([point]))[0])
        lane = self.street.lanes[number]
        s = float(lane.line.dense_s_m[point - self.street.lane_starts[number]]) + rng.uniform(-0.5, 0.5)
        x, y, z, yaw = lane.line.pose(s, 1.0)
        right = self._to_the_right(kind, lane.width_m, rng)
        at = Placement(
            vehicle.name, x + right * math.sin(yaw), y - right * math.cos(yaw), z,
            yaw + clipped_normal(rng, 0.03, 0.08), kind.moving,
        )  # fmt: skip
        return self.take(at, vehicle, rider, kind.rider)

    @staticmethod
    def _to_the_right(kind: Kind, width_m: float, rng: np.random.Generator) -> float:
        """How far right of a lane's middle: motorcycles about the middle, all others near its edge."""
        from_edge, wander = rng.uniform(*KERB_M), clipped_normal(rng, 0.4, 0.7)
        room = max(0.0, width_m / 2 - 0.45)
        return min(max(wander, -room), room) if kind.category == "motorcycle" else max(0.0, width_m / 2 - from_edge)

    # --- parked ---

    @cached_property
    def _places(self) -> dict[ParkingPlace, tuple[Array, Array]]:
        """Places in the field of view (N, 2), and running sums (N,) of their weights: one over the distance."""
        return self.parking.places_in_view(self.setup.cam_to_world, self.camera, NEAR_M, FAR_M)

    def park(self, kind: Kind, vehicle: ModelSize, rng: np.random.Generator) -> bool:
        """At a wall, a kerb or between cars, or beside another that is parked."""
        profile = JUST_PARKED if rng.random() < kind.warm else kind.resting
        if self._parked and rng.random() < BESIDE_SHARE:
            at, place = self._beside(*self._parked[-1], rng)
        else:
            places = {place: share for place, share in kind.parked.items() if place in self._places}
            if not places:
                return False
            place = list(places)[_chosen([*places.values()], rng)]
            at = self._at_a_place(place, rng)
        at = replace(at, model=vehicle.name, profile=profile)
        if not self.parking.fits(at, vehicle, place):
            return False
        at = replace(at, z_m=self.parking.height_m(at.x_m, at.y_m))
        if not self.take(at, vehicle):
            return False
        self._parked.append((at, place))
        return True

    def _at_a_place(self, place: ParkingPlace, rng: np.random.Generator) -> Placement:
        points, sums = self._places[place]
        chosen = min(int(np.searchsorted(sums, rng.random() * sums[-1])), len(points) - 1)
        x, y = (points[chosen] + rng.uniform(-0.1, 0.1, 2)).tolist()
        yaw = self.street.heading_rad(x, y) + (math.pi if rng.random() < 0.5 else 0.0)
        across = place is ParkingPlace.BAY and rng.random() < 0.8
        return Placement("", x, y, 0.0, yaw + across * math.pi / 2 + clipped_normal(rng, _SPREAD_RAD, 0.3), "")

    @staticmethod
    def _beside(other: Placement, place: ParkingPlace, rng: np.random.Generator) -> tuple[Placement, ParkingPlace]:
        """To the side of another, as in a rack; along a wall or a kerb in front of it."""
        if place is ParkingPlace.BAY:
            step, along = float(rng.uniform(*BESIDE_M)) * (-1 if rng.random() < 0.5 else 1), False
        else:
            step, along = float(rng.uniform(1.9, 2.5)) * (-1 if rng.random() < 0.5 else 1), True
        c, s = math.cos(other.yaw_rad), math.sin(other.yaw_rad)
        dx, dy = (step * c, step * s) if along else (-step * s, step * c)
        turned = clipped_normal(rng, _SPREAD_RAD / 2, 0.15)
        return replace(other, x_m=other.x_m + dx, y_m=other.y_m + dy, yaw_rad=other.yaw_rad + turned), place


def _chosen(shares: Sequence[float] | Array, rng: np.random.Generator) -> int:
    """Which of some things is drawn, each as often as its share says; one number is drawn."""
    sums = np.cumsum(shares)
    return min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(shares) - 1)
