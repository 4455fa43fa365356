"""Trams in a street: in its lanes, where these are straight enough for a long vehicle that does not bend.

No scene has rails; a tram runs in a lane, as trams do in narrow streets. Cars that drive where it runs give way: they
are left out. What is parked stays, and a tram that does not pass it is not there.
"""

from __future__ import annotations

import math
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

__all__ = ["TRAM", "TRAMS", "trams_on_street"]

Array = NDArray[np.float64]

TRAM, TRAMS = "tram", "trams"
"""The category, and the word of ``--objects``."""
TRIES: Final = 40
"""Places that are tried for one before it is given up."""
FAR_M: Final = 90.0
BOGIES: Final = 0.67
"""Distance between the outer bogies as a share of the length (18 of 26.8 m)."""
OVERHANG_M: Final = 0.3
"""How far corners or the middle may stand out of the lane in a bend."""
LEAST_AHEAD_M: Final = 11.0
"""Camera to a tram ahead in its own lane, as to a bus."""


def trams_on_street(
    setup: FrameSetup,
    street: Street,
    sizes: Mapping[str, ModelSize],
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    most: int,
) -> FrameSetup:
    """The setup with trams behind its cars, without the cars that would stand where a tram runs.

    Args:
        setup: camera and cars of the frame.
        street: lanes.
        sizes: of the models of the cars, by name.
        models: of trams.
        camera: decides where a tram is seen.
        draw: seed of the dataset and number of the frame.
        most: trams that are tried, from one to so many.
    """
    if most <= 0 or not models or not street.lanes:
        return setup
    rng = draw.rng(Stream.TRAMS)
    scene = _Scene(setup, street, sizes, FieldOfView(camera, setup.cam_to_world, models, FAR_M), [])
    for _ in range(int(rng.integers(1, most + 1))):
        size = models[int(rng.integers(len(models)))]
        tries = rng.random((TRIES, 2))
        chosen = next((one for which, along in tries if (one := scene.tram(size, float(which), float(along)))), None)
        if chosen is not None:
            scene.take(*chosen)
    gone, trams = {id(car) for car in scene.gone}, tuple(one for one, _ in scene.trams)
    return replace(setup, placements=(*(car for car in setup.placements if id(car) not in gone), *trams))


@dataclass
class _Scene:
    """The frame while trams come into it."""

    setup: FrameSetup
    street: Street
    sizes: Mapping[str, ModelSize]
    view: FieldOfView
    gone: list[Placement]

    def __post_init__(self) -> None:
        """Nothing is there yet."""
        heading = math.atan2(*self.setup.cam_to_world[1::-1, 2].tolist())
        self.own_car_m = camera_car_rectangle(self.setup.cam_to_world[:2, 3], heading)
        self.trams: list[tuple[Placement, ModelSize]] = []

    def tram(self, size: ModelSize, which: float, along: float) -> tuple[Placement, ModelSize, list[Placement]] | None:
        """A tram in a lane, with the cars that give way to it; None where it does not fit.

        Args:
            size: of the tram.
            which: lane, 0 to 1.
            along: place in it, 0 to 1.
        """
        lane = self.street.lanes[min(int(which * len(self.street.lanes)), len(self.street.lanes) - 1)]
        s_m = size.length_m / 2 + along * (lane.line.length_m - size.length_m)
        x, y, z, yaw = lane.line.pose(s_m, BOGIES * size.length_m)
        tram = Placement(size.name, x, y, z, yaw, "tram_in_service")
        corners = footprint(tram, size)
        if lane.line.length_m <= size.length_m or size.width_m > lane.width_m or not self.view.reaches(_sides(corners)):
            return None
        if lane.line.distance_m(_sides(corners), s_m, size.length_m).max() > lane.width_m / 2 + OVERHANG_M:
            return None
        if self._is_in_the_way(tram, size) or self._meets_a_tram(corners):
            return None
        met = self._cars_at(footprint(tram, size, SAFETY_MARGIN_M))
        return None if any(not _drives_in(lane, car, s_m, size) for car in met) else (tram, size, met)

    def take(self, tram: Placement, size: ModelSize, gone: list[Placement]) -> None:
        """Puts a tram there."""
        self.trams.append((tram, size))
        self.gone += gone

    def _is_in_the_way(self, tram: Placement, size: ModelSize) -> bool:
        """Whether it stands where the camera's car is, or right before it."""
        near = footprint(tram, size, SAFETY_MARGIN_M)
        ahead = self.view.depth_m(tram, size)
        in_line = overlaps(near, camera_car_ahead(self.own_car_m, LEAST_AHEAD_M))
        return overlaps(near, self.own_car_m) or (in_line and ahead < LEAST_AHEAD_M)

    def _meets_a_tram(self, corners: Array) -> bool:
        return any(overlaps(corners, footprint(other, size, 1.0)) for other, size in self.trams)

    def _cars_at(self, corners: Array) -> list[Placement]:
        cars = [car for car in self.setup.placements if car.model in self.sizes]
        return [car for car in cars if overlaps(corners, footprint(car, self.sizes[car.model]))]


def camera_car_ahead(corners: Array, reach_m: float) -> Array:
    """The rectangle of the camera's car (4, 2), so much longer ahead."""
    forward = corners[0] - corners[3]
    ahead = corners.copy()
    ahead[:2] += reach_m * forward / np.linalg.norm(forward)
    return ahead


def _sides(corners: Array) -> Array:
    """Corners of a rectangle, and points along its long sides: (12, 2)."""
    share = np.linspace(0.0, 1.0, 6)[:, None]
    right, left = corners[3] - corners[0], corners[2] - corners[1]
    return np.concatenate([corners[0] + share * right, corners[1] + share * left])


def _drives_in(lane: Lane, car: Placement, s_m: float, size: ModelSize) -> bool:
    """Whether a car drives in a lane, and does not park beside it."""
    middle = np.array([[car.x_m, car.y_m]])
    return bool(lane.line.distance_m(middle, s_m, size.length_m)[0] < lane.width_m / 2)
