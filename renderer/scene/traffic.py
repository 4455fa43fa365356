"""Seeded traffic on a street: one frame's camera and cars.

From a :class:`.street.Street` and a list of :class:`.cars.ModelSize` :func:`sample_frame` draws the pose of the camera
and a :class:`.cars.Placement` for each car. Frame ``index`` of a seed is always the same, because all randomness comes
from its :class:`Draw`. World axes: z up, metres; traffic keeps to the right-hand side because the lanes do.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.camera import Camera
from ..random_streams import Draw, Stream
from ..thermal.conditions import Conditions
from .camera_car import camera_car_rectangle, sample_camera
from .cars import LONG_CATEGORIES, FrameSetup, ModelMix, ModelSize, Placement, nearest, parked_profile
from .distances import ORDINARY, Distances, Traffic
from .draws import clipped_normal
from .field_of_view import VIEW_FAR_M, FieldOfView
from .footprints import SAFETY_MARGIN_M, footprint, overlaps
from .street import Bay, Lane, Polyline, Street

__all__ = [
    "BAY_OCCUPANCY",
    "FLOW_GAP_M",
    "LANE_STATES",
    "LEAD_MIN_LONG_M",
    "LEAST_GAP_M",
    "QUEUE_CARS",
    "QUEUE_GAP_M",
    "lane_state_edges",
    "parked_in",
    "sample_frame",
    "without_room",
]

Array = NDArray[np.float64]

LEAD_MIN_M = 6.0
"""Camera to the rear of the car ahead: a gap of 4.3 m behind the bumper, as in a queue."""
LEAD_MIN_LONG_M = 11.0
"""The same for lorries and buses, which otherwise fill the picture."""
LEAD_NEAR_SHARE, LEAD_NEAR_MAX_M, LEAD_FAR_MAX_M = 0.62, 26.0, 70.0

# Bumper-to-bumper gaps, metres: standing queue 1.5-4 m; town traffic at 30-50 km/h and 1-3 s headway.
QUEUE_GAP_M, FLOW_GAP_M = (1.5, 4.0), (9.0, 45.0)
LEAST_GAP_M = 1.0
"""Of a queue, however dense the traffic is."""
QUEUE_CARS = (1, 5)
"""Cars that wait at a signal, least and most."""
# Share of lanes with a standing queue, flowing traffic, nothing.
LANE_STATES = ("idling", "driving", "empty")
LANE_STATE_EDGES = (0.25, 0.87)
BAY_OCCUPANCY = (0.15, 0.75)
"""Share of bays in use, drawn anew for each frame."""
REVERSED_SHARE = 0.1
"""Cars parked against the direction of their bay."""

HIDDEN_POWER = 0.35
"""Power of the distance by which fewer of a street's cars are seen: nearer ones and trees hide them. Fitted to 100
frames of the shipped city with the sizes of RoadScene's boxes (10, 50 and 90 %): asked for heights of 14 / 27 / 91 px,
they have 14 / 28 / 89; at a power of 0 16 / 36 / 107."""
_OVER_THE_EDGE_M = 0.05
"""How far a car's corner may stand out of its lane."""
_BAY_ROOM_M = (0.2, 0.1)
"""How much longer and wider than its car a bay must be."""

ATTEMPTS = 8
"""Traffic is drawn again, at most so often, until a car can be seen well."""


def sample_frame(
    street: Street,
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    conditions: Conditions,
    *,
    profile: str | None = None,
    traffic: Traffic = ORDINARY,
) -> FrameSetup:
    """Draw camera pose and cars of a frame.

    Args:
        street: lanes, bays and camera paths.
        models: what may stand there; lorries and buses only drive, bays take what fits.
        camera: its field of view decides where cars are worth placing; height and pitch are the mean of the pose.
        draw: seed of the dataset and number of the frame.
        conditions: weather and hour of the frame, which tell how parked cars were heated.
        profile: thermal profile of all cars; None draws one per car that suits its place.
        traffic: how many cars, and how far away.

    Raises:
        SceneError: no camera path, or no models.
    """
    if not street.camera_paths:
        raise SceneError("the street has no camera path: expected an object with the property 'gis_camera_path'")
    if not models:
        raise SceneError("no car models: expected at least one collection with the property 'gis_category'")
    cam_to_world, heading_rad = sample_camera(street, camera, draw.rng(Stream.CAMERA))
    rng = draw.rng(Stream.TRAFFIC)
    distances = traffic.distances_for(camera.fy)
    ordinary_m = VIEW_FAR_M if street.far_m is None else street.far_m
    view = FieldOfView(camera, cam_to_world, models, ordinary_m if distances is None else distances.farthest_m)
    cars = _Cars(street, view, heading_rad, traffic.density, distances, conditions)
    placements = cars.sample(rng)
    for _ in range(ATTEMPTS - 1):
        if traffic.density <= 0 or cars.are_enough(placements):
            break
        placements = cars.sample(rng)
    if profile is not None:
        placements = [replace(p, profile=profile) for p in placements]
    return nearest(FrameSetup(draw.index, tuple(placements), cam_to_world), traffic.most)


def without_room(street: Street, models: Sequence[ModelSize]) -> list[ModelSize]:
    """Models that fit no lane and no bay of a street."""

    def has_room(size: ModelSize) -> bool:
        drives = any(
            size.width_m <= lane.width_m + 2 * _OVER_THE_EDGE_M and size.length_m < lane.line.length_m
            for lane in street.lanes
        )
        parks = size.category not in LONG_CATEGORIES and any(
            size.length_m <= bay.length_m - _BAY_ROOM_M[0] and size.width_m <= bay.width_m - _BAY_ROOM_M[1]
            for bay in street.bays
        )
        return drives or parks

    return [size for size in models if not has_room(size)]


def parked_in(
    bay: Bay, mix: ModelMix, conditions: Conditions, rng: np.random.Generator
) -> tuple[Placement, ModelSize] | None:
    """A car that fits a bay; None where none does."""
    size = mix.draw_fitting(rng, bay.length_m - _BAY_ROOM_M[0], bay.width_m - _BAY_ROOM_M[1])
    if size is None:
        return None
    along = min(0.5, (bay.length_m - 0.1 - size.length_m) / 2)
    across = min(0.15, (bay.width_m - size.width_m) / 2)
    dx, dy = rng.uniform(-along, along), rng.uniform(-across, across) * 0.6
    yaw = bay.yaw_rad + (math.pi if rng.random() < REVERSED_SHARE else 0.0)
    c, s = math.cos(bay.yaw_rad), math.sin(bay.yaw_rad)
    jitter = math.radians(clipped_normal(rng, 0.8, 1.5))
    x, y = bay.x_m + dx * c - dy * s, bay.y_m + dx * s + dy * c
    return Placement(size.name, x, y, bay.z_m, yaw + jitter, parked_profile(conditions, rng)), size


def lane_state_edges(density: float) -> tuple[float, float]:
    """Shares of lanes with a queue, and with a queue or flowing traffic: dense traffic queues and leaves few empty."""
    queue, used = LANE_STATE_EDGES
    return (queue, used) if density <= 1 else (1 - (1 - queue) ** density, 1 - (1 - used) / density)


@dataclass(frozen=True)
class _SeenLane:
    """The part of a lane that one camera sees."""

    lane: Lane
    from_s_m: float
    to_s_m: float
    """Equal to ``from_s_m`` where none of the lane is seen."""
    lead_s_m: float | None
    """Where on it the camera's own car drives, if it does."""


class _Cars:
    """Sampler of one frame's cars; holds what all attempts share."""

    def __init__(
        self,
        street: Street,
        view: FieldOfView,
        heading_rad: float,
        density: float,
        distances: Distances | None,
        conditions: Conditions,
    ) -> None:
        self.street, self.view, self.heading_rad = street, view, heading_rad
        self.density, self.distances, self.conditions = density, distances, conditions
        self.lane_edges = lane_state_edges(density)
        self.mix = ModelMix(tuple(view.models.values()))
        self.own_car_m = camera_car_rectangle(view.position_m, heading_rad)
        self.seen_bays = np.flatnonzero(view.contains(street.bay_centres_m)).tolist()
        self.seen_lanes = list(self._seen_lanes())
        self.placed: list[tuple[Placement, Array, float]] = []

    def _seen_lanes(self) -> Iterator[_SeenLane]:
        """Lanes with a point in the field of view."""
        points, starts = self.street.lane_points_m, self.street.lane_starts
        seen = np.flatnonzero(self.view.contains(points))
        distance_m = np.hypot(*(points - self.view.position_m).T)
        ends = np.searchsorted(seen, starts).tolist()
        for k, lane in enumerate(self.street.lanes):
            own = slice(starts[k], starts[k + 1])
            if ends[k] < ends[k + 1]:
                s = lane.line.dense_s_m
                first, last = seen[ends[k]] - starts[k], seen[ends[k + 1] - 1] - starts[k]
                yield _SeenLane(lane, float(s[first]), float(s[last]), self._lead_s_m(lane.line, distance_m[own]))
            else:
                yield _SeenLane(lane, 0.0, 0.0, None)

    def sample(self, rng: np.random.Generator) -> list[Placement]:
        """One draw of all cars."""
        self.placed = []
        if self.density > 0:
            for seen in self.seen_lanes:
                self._fill_lane(seen, rng)
            self._fill_bays(rng)
        if self.distances is not None:
            self.placed = [car for car in self.placed if self._is_kept(car[0], rng)]
        return self.view.visible([placement for placement, _, _ in self.placed])

    def are_enough(self, placements: Sequence[Placement]) -> bool:
        """Whether the frame shows what a detector can learn from: where distances are asked for, any car does."""
        return self.view.shows_well(placements) if self.distances is None else bool(placements)

    def _is_kept(self, placement: Placement, rng: np.random.Generator) -> bool:
        """Whether a car is one of those that have the distances asked for."""
        assert self.distances is not None
        away = self.view.depth_m(placement, self.view.models[placement.model])
        return bool(rng.random() < self.distances.keep_share(away, HIDDEN_POWER))

    def _fill_lane(self, seen: _SeenLane, rng: np.random.Generator) -> None:
        """Walk along the visible part of a lane, from one car to the next."""
        state = LANE_STATES[bisect_right(self.lane_edges, rng.random())]
        lane, s, end, lead = seen.lane, seen.from_s_m, seen.to_s_m, seen.lead_s_m
        if s == end or (lead is None and state == "empty"):
            return
        low, high = QUEUE_GAP_M if state == "idling" else FLOW_GAP_M
        if lead is None:
            s += rng.uniform(0.0, high) - 6.0
        else:
            s = lead + self._lead_gap_m(state, rng)
        left = self._queue_length(rng) if state == "idling" else 99
        while s < end and left:
            left -= 1
            size = self.mix.draw(rng)
            if lead is not None and size.category in LONG_CATEGORIES:
                s = max(s, lead + LEAD_MIN_LONG_M)
            self._place_in_lane(lane, s + size.length_m / 2, size, "driving" if state == "empty" else state, rng)
            s += size.length_m + max(LEAST_GAP_M, rng.uniform(low, high) / self.density)

    def _queue_length(self, rng: np.random.Generator) -> int:
        most = max(QUEUE_CARS[0], round(QUEUE_CARS[1] * self.density)) if self.density > 1 else QUEUE_CARS[1]
        return int(rng.integers(QUEUE_CARS[0], most + 1))

    def _lead_s_m(self, line: Polyline, distance_m: Array) -> float | None:
        """Arc length of the camera where it drives in this lane, else None."""
        nearest = int(np.argmin(distance_m))
        if distance_m[nearest] > 1.5:
            return None
        yaw = line.pose(float(line.dense_s_m[nearest]), 2.7)[3]
        return float(line.dense_s_m[nearest]) if math.cos(yaw - self.heading_rad) > 0.9 else None

    @staticmethod
    def _lead_gap_m(state: str, rng: np.random.Generator) -> float:
        """Camera to the rear of the car ahead."""
        if state == "idling":
            return float(rng.uniform(LEAD_MIN_M, 10.0))
        if state == "driving" and rng.random() < LEAD_NEAR_SHARE:
            return float(rng.uniform(LEAD_MIN_M + 1.0, LEAD_NEAR_MAX_M))
        return float(rng.uniform(LEAD_NEAR_MAX_M, LEAD_FAR_MAX_M))

    def _place_in_lane(self, lane: Lane, s_m: float, size: ModelSize, profile: str, rng: np.random.Generator) -> None:
        if not size.length_m / 2 < s_m < lane.line.length_m - size.length_m / 2:
            return
        slack = max(0.0, (lane.width_m - size.width_m) / 2 - 0.15)
        lateral = clipped_normal(rng, 0.18, slack / 2)
        jitter = math.radians(clipped_normal(rng, 0.8, 2.0)) * min(1.0, 4.5 / size.length_m)
        x, y, z, yaw = lane.line.pose(s_m, 0.6 * size.length_m)
        placement = Placement(
            size.name, x - lateral * math.sin(yaw), y + lateral * math.cos(yaw), z, yaw + jitter, profile
        )
        corners = footprint(placement, size)
        if lane.line.distance_m(corners, s_m, size.length_m).max() <= lane.width_m / 2 + _OVER_THE_EDGE_M:
            self._place(placement, size)

    def _fill_bays(self, rng: np.random.Generator) -> None:
        occupancy = min(0.97, rng.uniform(*BAY_OCCUPANCY) * self.density)
        for which in self.seen_bays:
            if rng.random() < occupancy:
                self._fill_bay(self.street.bays[which], rng)

    def _fill_bay(self, bay: Bay, rng: np.random.Generator) -> None:
        """Park a model that fits, if there is one."""
        car = parked_in(bay, self.mix, self.conditions, rng)
        if car is not None:
            self._place(*car)

    def _is_in_the_way(self, corners: Array) -> bool:
        """Whether a car is not seen, or stands where the camera's own does."""
        return not self.view.reaches(corners) or overlaps(corners, self.own_car_m)

    def _place(self, placement: Placement, size: ModelSize) -> None:
        """Accept a car unless it touches another one, or the camera's own."""
        corners = footprint(placement, size, SAFETY_MARGIN_M / 2)
        radius = math.hypot(size.length_m, size.width_m) / 2 + SAFETY_MARGIN_M
        if self._is_in_the_way(corners) or self.view.is_filled_by(placement, size):
            return
        for other, other_corners, other_radius in self.placed:
            near = math.hypot(other.x_m - placement.x_m, other.y_m - placement.y_m) < radius + other_radius
            if near and overlaps(corners, other_corners):
                return
        self.placed.append((placement, corners, radius))
