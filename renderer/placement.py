"""Cars on the flat road before a camera, for a real background: seeded, on free ground, beside what is there already.

The road is the plane z = 0; the camera stands above its origin. A picture gives the camera its height, the row of the
horizon and the heading of the road (:mod:`pipelines.geometry` estimates them); a mask says where the ground is free,
and rectangles on the ground say where real cars, people and poles stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .errors import SceneError
from .thermal.conditions import Conditions, sample_conditions
from .traffic import (
    LATERAL_STD_M,
    LEAD_MIN_LONG_M,
    LONG_CATEGORIES,
    SAFETY_MARGIN_M,
    STREAM_CONDITIONS,
    STREAM_TRAFFIC,
    FrameSetup,
    ModelMix,
    ModelSize,
    Placement,
    camera_pose,
    covered_share,
    footprint,
    overlaps,
    parked_profile,
    projected_box,
    seen_share,
)

__all__ = ["Standing", "sample_on_plane"]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

DEPTH_M = (7.0, 45.0)
COUNT = (1, 4)
MIN_WIDTH_PX_SHARE = 0.05
"""A car narrower than this share of the picture's width is not worth composing."""
MAX_COVER = 0.55
"""Most of a car's box that the boxes of nearer cars or things may cover."""
TRIES = 120
# Lateral slots of a two-way street as the camera car sees it: (offset of the centre to the left in metres, heading
# 0 along / 1 against, parked, share). Lanes of 3.3 m (RASt 06: 3.25 m where buses drive), cars parked beyond the lane.
SLOTS = (
    (0.0, 0, False, 0.38),
    (3.3, 1, False, 0.32),
    (-2.9, 0, True, 0.20),
    (6.0, 1, True, 0.10),
)
MAX_LANE_SLOPE = 0.7
"""Tangent of the road's heading up to which the camera is taken to look along its lanes, and not across them."""
TURNING_SHARE = 0.55
"""Share of the cars that turn, cross or stand askew where the free ground is known: of 115 cars fitted to street frames
(``gis fit``, RoadScene's training frames) 64 % are seen from more than 10 degrees beside their axis."""
TURNING_RAD = (math.radians(10.0), math.radians(90.0))
"""Angle between such a car and the road: the fitted ones thin out evenly from 10 to 90 degrees."""
TURNING_TRIES = 60
ELSEWHERE_TRIES = 80
"""Tries anywhere on the free ground where the slots hold no car: the lanes of a real street lie where they like."""
GROUND_GRID = (7, 4)
"""Points along and across a car's footprint at which the ground is looked up: closer than a kerb or a foot is wide."""
GROUND_POINTS = np.stack(np.meshgrid(*(np.linspace(-0.5, 0.5, count) for count in GROUND_GRID))).reshape(2, -1)
FREE_SHARE = 0.96
"""Least share of them on free ground: one of 28 may fall on a speck of the mask."""


@dataclass(frozen=True)
class Standing:
    """Something real that stands on the road: no car may touch it, and it hides what is behind it."""

    corners_m: Array
    """(4, 2) its rectangle on the ground, world metres."""
    depth_m: float
    """Distance of its nearest edge along the camera's heading."""
    box_px: Box
    """``(left, top, right, bottom)`` in the picture."""


def sample_on_plane(
    camera: Camera,
    models: Sequence[ModelSize],
    seed: int,
    index: int,
    *,
    horizon_px: float | None = None,
    horizon_slope: float = 0.0,
    road_yaw_rad: float | None = None,
    free_mask: NDArray[np.bool_] | None = None,
    standing: Sequence[Standing] = (),
    depth_range_m: tuple[float, float] = DEPTH_M,
    count: tuple[int, int] = COUNT,
    profile: str | None = None,
    conditions: Conditions | None = None,
) -> FrameSetup:
    """Draw cars that stand on the plane z = 0 before a camera, for a real background.

    The camera is at ``(0, 0, camera.height_m)``, looks along +x and is tilted by ``camera.pitch_deg``.

    Args:
        camera: of the background.
        models: what may stand there.
        seed: of the dataset.
        index: of the frame.
        horizon_px: row of the background's horizon, in the column of the optical axis; replaces the camera's pitch.
        horizon_slope: rows by which it falls per column to the right: the camera is rolled against the road.
        road_yaw_rad: heading of the road, counter-clockwise from the camera's; None draws one near 0.
        free_mask: (H, W) bool, True where a wheel may stand; what of a car's ground lies outside the picture is free.
        standing: what is there already.
        depth_range_m: nearest and farthest distance of a car's centre along the road.
        count: least and most cars.
        profile: thermal profile of all cars; None draws one per car that suits its place.
        conditions: weather and hour instead of drawn ones.

    Returns:
        the setup; fewer cars than asked where there is no room, even none.

    Raises:
        SceneError: no models, or a mask of another size than the camera.
    """
    if not models:
        raise SceneError("no car models: expected at least one collection with the property 'gis_category'")
    if free_mask is not None and free_mask.shape != (camera.height, camera.width):
        raise SceneError(f"free_mask is {free_mask.shape}: expected the camera's {(camera.height, camera.width)}")
    pitch = math.radians(camera.pitch_deg)
    if horizon_px is not None:
        pitch = math.atan2(camera.cy - horizon_px, camera.fy)
    cam_to_world = _rolled(camera_pose(0.0, 0.0, camera.height_m, 0.0, pitch), horizon_slope)
    weather = conditions or sample_conditions(np.random.default_rng([seed, index, STREAM_CONDITIONS]))
    rng = np.random.default_rng([seed, index, STREAM_TRAFFIC])
    wanted = int(rng.integers(count[0], count[1] + 1))
    road = _Road(camera, cam_to_world, free_mask, standing)
    if free_mask is None or free_mask.any():
        mix = ModelMix(models)
        if free_mask is not None:
            turning = int(rng.binomial(wanted, TURNING_SHARE))
            road.fill(_turning(mix, road, depth_range_m, weather, rng, road_yaw_rad or 0.0), turning)
        if road_yaw_rad is None or abs(math.tan(road_yaw_rad)) < MAX_LANE_SLOPE:
            road.fill(_in_lanes(mix, depth_range_m, weather, rng, road_yaw_rad), wanted)
        if not road.placed and free_mask is not None:
            road.fill(_anywhere(mix, road, depth_range_m, weather, rng, road_yaw_rad or 0.0), wanted)
    placements = [replace(p, profile=profile) if profile else p for p, _, _ in road.placed]
    return FrameSetup(index, tuple(placements), cam_to_world, weather)


def _rolled(cam_to_world: Array, slope: float) -> Array:
    """The pose turned about the optical axis until the horizon falls by ``slope`` rows per column to the right."""
    if slope == 0.0:
        return cam_to_world
    c, s = math.cos(math.atan(slope)), math.sin(math.atan(slope))
    turn = np.eye(4)
    turn[:2, :2] = [[c, s], [-s, c]]
    return np.asarray(cam_to_world @ turn)


def _in_lanes(
    mix: ModelMix,
    depth_range_m: tuple[float, float],
    conditions: Conditions,
    rng: np.random.Generator,
    road_yaw_rad: float | None,
) -> Iterator[tuple[Placement, ModelSize]]:
    """Cars in the lanes of a two-way street, near ones as likely as far ones per ratio of distance."""
    ego_offset = float(rng.normal(0.0, LATERAL_STD_M))
    drawn_yaw = math.radians(float(rng.normal(0.0, 1.5)))
    road_yaw = drawn_yaw if road_yaw_rad is None else road_yaw_rad
    edges = np.cumsum([share for *_, share in SLOTS])
    near, far = depth_range_m
    for _ in range(TRIES):
        offset, against, parked, _share = SLOTS[int(np.searchsorted(edges, rng.random() * edges[-1]))]
        size = mix.draw(rng)
        x = math.exp(rng.uniform(math.log(near), math.log(far)))
        lateral = offset - ego_offset + _clipped(rng, 0.25, 0.6) + math.tan(road_yaw) * x
        yaw = road_yaw + math.pi * against + math.radians(_clipped(rng, 2.0, 6.0))
        moving = "idling" if rng.random() < 0.3 else "driving"
        profile = parked_profile(conditions, rng) if parked else moving
        if size.category in LONG_CATEGORIES and (parked or x - size.length_m / 2 < LEAD_MIN_LONG_M):
            continue
        yield Placement(size.name, x + size.length_m / 2, lateral, 0.0, yaw, profile), size


def _turning(
    mix: ModelMix,
    road: _Road,
    depth_range_m: tuple[float, float],
    conditions: Conditions,
    rng: np.random.Generator,
    road_yaw_rad: float,
) -> Iterator[tuple[Placement, ModelSize]]:
    """Cars that turn, cross or stand askew, wherever the ground is free."""
    half_width = road.camera.width / 2 / road.camera.fx
    for _ in range(TURNING_TRIES):
        size = mix.draw(rng)
        x = float(rng.uniform(*depth_range_m)) + size.width_m / 2
        lateral = float(rng.uniform(-half_width, half_width)) * x
        turn = float(rng.uniform(*TURNING_RAD)) * (1 if rng.random() < 0.5 else -1)
        yaw = road_yaw_rad + turn + math.pi * (rng.random() < 0.5)
        profile = "driving" if rng.random() < 0.6 else parked_profile(conditions, rng)
        if size.category not in LONG_CATEGORIES:
            yield Placement(size.name, x, lateral, 0.0, yaw, profile), size


def _anywhere(
    mix: ModelMix,
    road: _Road,
    depth_range_m: tuple[float, float],
    conditions: Conditions,
    rng: np.random.Generator,
    road_yaw_rad: float,
) -> Iterator[tuple[Placement, ModelSize]]:
    """Cars on free ground wherever it lies, along or against the road."""
    near, far = depth_range_m
    half_width = road.camera.width / 2 / road.camera.fx
    for _ in range(ELSEWHERE_TRIES):
        size = mix.draw(rng)
        x = math.exp(rng.uniform(math.log(near), math.log(far))) + size.length_m / 2
        lateral = float(rng.uniform(-half_width, half_width)) * x
        against = bool(rng.random() < 0.5)
        yaw = road_yaw_rad + math.pi * against + math.radians(_clipped(rng, 2.0, 6.0))
        profile = "driving" if rng.random() < 0.6 else parked_profile(conditions, rng)
        if size.category not in LONG_CATEGORIES:
            yield Placement(size.name, x, lateral, 0.0, yaw, profile), size


def _clipped(rng: np.random.Generator, std: float, limit: float) -> float:
    """A normal draw, no farther from 0 than ``limit``."""
    return min(max(float(rng.normal(0.0, std)), -limit), limit)


class _Road:
    """Accepts cars on the plane one by one."""

    def __init__(
        self,
        camera: Camera,
        cam_to_world: Array,
        free_mask: NDArray[np.bool_] | None,
        standing: Sequence[Standing],
    ) -> None:
        self.camera, self.cam_to_world, self.free_mask = camera, cam_to_world, free_mask
        self.standing = standing
        self.world_to_cam = [[float(value) for value in row] for row in np.linalg.inv(cam_to_world)[:3]]
        self.placed: list[tuple[Placement, Array, Box]] = []

    def fill(self, candidates: Iterator[tuple[Placement, ModelSize]], wanted: int) -> None:
        """Take candidates until there are enough."""
        for placement, size in candidates:
            if len(self.placed) >= wanted:
                return
            self.offer(placement, size)

    def offer(self, placement: Placement, size: ModelSize) -> None:
        """Take the car if it is in the picture, on free ground, apart from the others, and none hides another."""
        if not self._centre_free(placement):
            return
        box = projected_box(placement, size, self.camera, self.cam_to_world)
        if box is None or not self._worth_seeing(box) or not self._free(placement, size):
            return
        corners = footprint(placement, size, SAFETY_MARGIN_M)
        if self._touches(corners) or self._hidden(placement, size, box):
            return
        for other, _, other_box in self.placed:
            nearer, farther = (box, other_box) if placement.x_m < other.x_m else (other_box, box)
            if covered_share(farther, nearer) > MAX_COVER:
                return
        self.placed.append((placement, corners, box))

    def _worth_seeing(self, box: Box) -> bool:
        wide = box[2] - box[0] >= MIN_WIDTH_PX_SHARE * self.camera.width
        return wide and seen_share(box, self.camera) > 0.65

    def _touches(self, corners_m: Array) -> bool:
        taken = [other for _, other, _ in self.placed] + [thing.corners_m for thing in self.standing]
        return any(overlaps(corners_m, other) for other in taken)

    def _hidden(self, placement: Placement, size: ModelSize, box: Box) -> bool:
        """Whether nearer things leave too little of the car."""
        nearest = placement.x_m - size.length_m / 2
        covers = (covered_share(box, thing.box_px) for thing in self.standing if thing.depth_m < nearest)
        return sum(covers) > MAX_COVER

    def _centre_free(self, placement: Placement) -> bool:
        """Whether the ground below the car's centre is free: in plain numbers, because most candidates end here."""
        if self.free_mask is None:
            return True
        across, down, depth = (a * placement.x_m + b * placement.y_m + d for a, b, _, d in self.world_to_cam)
        if depth <= 0.0:
            return False
        column = math.floor(self.camera.cx + self.camera.fx * across / depth)
        row = math.floor(self.camera.cy + self.camera.fy * down / depth)
        outside = not (0 <= column < self.camera.width and 0 <= row < self.camera.height)
        return outside or bool(self.free_mask[row, column])

    def _free(self, placement: Placement, size: ModelSize) -> bool:
        """Whether the ground below the car is marked free."""
        if self.free_mask is None:
            return True
        along, across = GROUND_POINTS[0] * size.length_m, GROUND_POINTS[1] * size.width_m
        c, s = math.cos(placement.yaw_rad), math.sin(placement.yaw_rad)
        ground = np.zeros((along.size, 3))
        ground[:, 0] = placement.x_m + c * along - s * across
        ground[:, 1] = placement.y_m + s * along + c * across
        points = (ground - self.cam_to_world[:3, 3]) @ self.cam_to_world[:3, :3]
        columns, rows = np.floor(self.camera.project(points)).astype(np.int64).T
        inside = (columns >= 0) & (columns < self.camera.width) & (rows >= 0) & (rows < self.camera.height)
        return bool(inside.any() and self.free_mask[rows[inside], columns[inside]].mean() >= FREE_SHARE)
