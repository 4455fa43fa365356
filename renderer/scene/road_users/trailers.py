"""Trailers behind cars that drive: caravans, boxes, boards, where the lane behind a car is free and straight enough."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ..camera_car import camera_car_rectangle
from ..cars import FrameSetup, ModelSize, Placement
from ..field_of_view import FieldOfView
from ..footprints import SAFETY_MARGIN_M, footprint, overlaps
from ..street import Lane, Street
from .trams import camera_car_ahead

__all__ = ["TRAILER", "TRAILERS", "trailers_on_street"]

Array = NDArray[np.float64]

TRAILER, TRAILERS = "trailer", "trailers"
"""The category, and the word of ``--objects``."""
PROFILE: Final = "trailer_towed"
TOWING: Final = ("car", "van")
"""Categories of what tows one."""
BEHIND_M: Final = 0.05
"""Between a car's bumper and the coupling, whose ball stands out so far."""
MOST_ASIDE_M: Final = 1.0
"""From the middle of a lane: further aside a car does not drive in it."""
MOST_TURNED_RAD: Final = 0.15
OVERHANG_M: Final = 0.2
"""How far corners may stand out of the lane in a bend."""
FAR_M: Final = 70.0
LEAST_AHEAD_M: Final = 5.0
"""From the camera to a trailer ahead of it in its own lane."""


def trailers_on_street(
    setup: FrameSetup,
    street: Street,
    sizes: Mapping[str, ModelSize],
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    most: int,
) -> FrameSetup:
    """The setup with trailers behind all else; nothing that stood there changes.

    Args:
        setup: camera, cars and trams of the frame.
        street: lanes.
        sizes: of the models that are placed, by name.
        models: of trailers.
        camera: decides where a trailer is seen.
        draw: seed of the dataset and number of the frame.
        most: trailers that are tried, from one to so many.
    """
    if most <= 0 or not models or not street.lanes:
        return setup
    rng = draw.rng(Stream.TRAILERS)
    view = FieldOfView(camera, setup.cam_to_world, models, FAR_M)
    heading = math.atan2(*setup.cam_to_world[1::-1, 2].tolist())
    own_m = camera_car_rectangle(setup.cam_to_world[:2, 3], heading)
    room = _Room(street, sizes, camera_car_ahead(own_m, LEAST_AHEAD_M), [*setup.placements])
    added: list[Placement] = []
    wanted = int(rng.integers(1, most + 1))
    for k in rng.permutation(len(setup.placements)).tolist():
        model = models[int(rng.integers(len(models)))]
        if len(added) == wanted:
            break
        trailer = room.behind(setup.placements[k], model)
        if trailer is not None and view.reaches(footprint(trailer, model)):
            added.append(trailer)
            room.take(trailer, model)
    return replace(setup, placements=(*setup.placements, *added))


@dataclass
class _Room:
    """What stands in the street."""

    street: Street
    sizes: Mapping[str, ModelSize]
    own_car_m: Array
    placed: list[Placement]

    def __post_init__(self) -> None:
        """Corners of all that is there."""
        self.corners_m = [footprint(one, self.sizes[one.model]) for one in self.placed if one.model in self.sizes]

    def take(self, trailer: Placement, model: ModelSize) -> None:
        """Something more stands there."""
        self.corners_m.append(footprint(trailer, model))

    def behind(self, car: Placement, model: ModelSize) -> Placement | None:
        """A trailer behind a car that drives; None where the car does not, or there is no room."""
        size = self.sizes.get(car.model)
        if size is None or size.category not in TOWING:
            return None
        lane, s_m = _lane_of(self.street, car)
        if model.width_m > lane.width_m or not _drives(lane, s_m, car):
            return None
        s_m -= size.length_m / 2 + BEHIND_M + model.length_m / 2
        if s_m < model.length_m:
            return None
        x, y, z, yaw = lane.line.pose(s_m, 0.6 * model.length_m)
        aside = _aside_m(lane, car)
        trailer = Placement(model.name, x - aside * math.sin(yaw), y + aside * math.cos(yaw), z, yaw, PROFILE)
        return trailer if self._is_free(trailer, model, lane, s_m, car) else None

    def _is_free(self, trailer: Placement, model: ModelSize, lane: Lane, s_m: float, car: Placement) -> bool:
        corners = footprint(trailer, model)
        in_lane = lane.line.distance_m(corners, s_m, model.length_m).max() <= lane.width_m / 2 + OVERHANG_M
        towed_m = footprint(car, self.sizes[car.model])
        others = [one for one in self.corners_m if not np.array_equal(one, towed_m)]
        grown = footprint(trailer, model, SAFETY_MARGIN_M)
        free = not any(overlaps(grown, other) for other in (self.own_car_m, *others))
        return bool(in_lane and free and not overlaps(corners, towed_m))


def _lane_of(street: Street, car: Placement) -> tuple[Lane, float]:
    """The lane that is nearest to a car, and where in it the car is."""
    points = street.lane_points_m
    nearest = int(np.argmin((points[:, 0] - car.x_m) ** 2 + (points[:, 1] - car.y_m) ** 2))
    number = bisect_right(street.lane_starts, nearest) - 1
    lane = street.lanes[number]
    s_m = float(lane.line.dense_s_m[nearest - street.lane_starts[number]])
    x, y, _, yaw = lane.line.pose(s_m, 2.0)
    return lane, s_m + (car.x_m - x) * math.cos(yaw) + (car.y_m - y) * math.sin(yaw)


def _aside_m(lane: Lane, car: Placement) -> float:
    """How far left of the middle of its lane a car drives."""
    middle = lane.line.dense_m[np.argmin(((lane.line.dense_m[:, :2] - (car.x_m, car.y_m)) ** 2).sum(axis=1))]
    return float((car.y_m - middle[1]) * math.cos(car.yaw_rad) - (car.x_m - middle[0]) * math.sin(car.yaw_rad))


def _drives(lane: Lane, s_m: float, car: Placement) -> bool:
    turned = math.remainder(car.yaw_rad - lane.line.pose(s_m, 2.0)[3], 2 * math.pi)
    return abs(turned) < MOST_TURNED_RAD and abs(_aside_m(lane, car)) < MOST_ASIDE_M
