"""Cars on the flat road before a camera, for a real background: seeded, on free ground, beside what is there already.

The road is the plane z = 0; the camera stands above its origin. A picture gives the camera its height, the row of the
horizon and the heading of the road (:mod:`pipelines.backgrounds.geometry` estimates them); a mask says where the ground
is free, and rectangles on the ground say where real cars, people and poles stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.camera import Camera
from ..random_streams import Draw, Stream
from ..thermal.conditions import Conditions
from .camera_car import LATERAL_STD_M
from .cars import LONG_CATEGORIES, FrameSetup, ModelMix, ModelSize, Placement, nearest, parked_profile
from .distances import ORDINARY, Distances, Traffic
from .draws import clipped_normal
from .footprints import SAFETY_MARGIN_M, footprint, overlaps
from .projection import NEAREST_M, Box, camera_pose, covered_share, projected_box, seen_share
from .traffic import LEAD_MIN_LONG_M

__all__ = ["ObstacleFootprint", "sample_on_plane"]

Array = NDArray[np.float64]
Spot = list[tuple[Placement, ModelSize]]
"""One car at one distance, at several positions beside each other."""

DEPTH_M = (7.0, 45.0)
DEPTH_POWER = 0.25
"""Cars per metre of distance grow with this power of it. Of the 281 cars of RoadScene's training frames that stand 7 to
45 m away (boxes not cut by the border, 772 px of focal length, 1.5 m of height) by Kolmogorov's distance of 0.04."""
ROOM_POWER = 2.5
"""Where free ground is known, cars are drawn farther away by this power of the distance, because far away there is less
often room for one. Fitted to the distances of the cars that find room in RoadScene's training frames: their Kolmogorov
distance from the real ones' is 0.07 without and 0.09 with the frames' boxes; at a power of 0 it is 0.25 and 0.27."""
# Knots of the tables that distances are drawn from, as shares of the range.
DEPTH_KNOTS = np.linspace(0.0, 1.0, 33)
COUNT = (1, 4)
MIN_WIDTH_PX_SHARE = 0.025
"""A car narrower than this share of the picture's width is not worth composing; of RoadScene's cars a sixth are."""
MIN_SEEN_SHARE = 0.65
"""The same of a car of which the picture's border leaves less."""
MAX_COVER = 0.55
"""Most of a car's box that the boxes of nearer cars or things may cover."""
DEPTH_TRIES = 12
"""Distances that are tried per car that is asked for. More would fill a frame whose free road is short with near
cars."""
LAST_DEPTH_TRIES = 40
"""Distances that are tried for one car along or against the road where a frame got none."""
SIDE_TRIES = 4
"""Positions beside each other that are tried at one distance before another is drawn: room across the road must not
decide how far away a car stands."""
GIVE_UP, SPOT_TRIES = 8, 5
"""Where density or distances are asked for: distances in a row without room after which a frame is full, and cars that
are tried at each distance."""
SPOT_SPREAD = 0.06
"""Share by which a car may stand nearer or farther than the distance that was drawn for it."""
ROW_SHARE = 0.45
"""How often another car stands behind one: in a row beside the road, or in a queue."""
ROW_GAP_M = (0.8, 4.0)
SIDE_CELLS = 64
"""Positions across the field of view at which free ground is looked for: 0.5 m apart at 45 m."""
# Lateral slots of a two-way street as the camera car sees it: (offset of the centre to the left in metres, heading
# 0 along / 1 against, parked, share). Lanes of 3.3 m (RASt 06: 3.25 m where buses drive), cars parked beyond the lane.
SLOTS = (
    (0.0, 0, False, 0.38),
    (3.3, 1, False, 0.32),
    (-2.9, 0, True, 0.20),
    (6.0, 1, True, 0.10),
)
SLOT_SHARES = np.array([share for *_, share in SLOTS])
MAX_LANE_SLOPE = 0.7
"""Tangent of the road's heading up to which the camera is taken to look along its lanes, and not across them."""
TURNING_SHARE = 0.55
"""Share of the cars that turn, cross or stand askew where the free ground is known: of 115 cars fitted to street frames
(``gis fit``, RoadScene's training frames) 64 % are seen from more than 10 degrees beside their axis."""
TURNING_RAD = (math.radians(10.0), math.radians(90.0))
"""Angle between such a car and the road: the fitted ones thin out evenly from 10 to 90 degrees."""
GROUND_GRID = (7, 4)
"""Points along and across a car's footprint at which the ground is looked up: closer than a kerb or a foot is wide."""
GROUND_POINTS = np.stack(np.meshgrid(*(np.linspace(-0.5, 0.5, count) for count in GROUND_GRID))).reshape(2, -1)
STRIP_M = 3.25
"""Free ground that is less wide than a lane (RASt 06) is no road: an estimated mask runs up walls and hedges in strips,
and distant cars, that are small enough for them, would stand there."""
FREE_SHARE = 0.96
"""Least share of them on free ground: one of 28 may fall on a speck of the mask."""


@dataclass(frozen=True)
class _Limits:
    """What a car must show to be placed."""

    width_px: float
    seen_share: float = MIN_SEEN_SHARE
    side_reach: float = 1.0
    """How far beside the axis its centre may be, as a share of half the picture's width."""


ASKED_LIMITS = _Limits(8.0, 0.2, 1.15)
"""Where density or distances are asked for: cars of 10 px height, and cars that the border cuts, as 16 % of
RoadScene's."""


@dataclass(frozen=True)
class ObstacleFootprint:
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
    draw: Draw,
    conditions: Conditions,
    *,
    horizon_px: float | None = None,
    horizon_slope: float = 0.0,
    road_yaw_rad: float | None = None,
    free_mask: NDArray[np.bool_] | None = None,
    obstacles: Sequence[ObstacleFootprint] = (),
    depth_range_m: tuple[float, float] = DEPTH_M,
    count: tuple[int, int] = COUNT,
    profile: str | None = None,
    traffic: Traffic = ORDINARY,
) -> FrameSetup:
    """Draw cars that stand on the plane z = 0 before a camera, for a real background.

    The camera is at ``(0, 0, camera.height_m)``, looks along +x and is tilted by ``camera.pitch_deg``.

    Args:
        camera: of the background.
        models: what may stand there.
        draw: seed of the dataset and number of the frame.
        conditions: weather and hour of the frame, which tell how parked cars were heated.
        horizon_px: row of the background's horizon, in the column of the optical axis; replaces the camera's pitch.
        horizon_slope: rows by which it falls per column to the right: the camera is rolled against the road.
        road_yaw_rad: heading of the road, counter-clockwise from the camera's; None draws one near 0.
        free_mask: (H, W) bool, True where a wheel may stand; what of a car's ground lies outside the picture is free.
        obstacles: what is there already.
        depth_range_m: least and most distance of a car's nearest edge along the camera's heading.
        count: least and most cars.
        profile: thermal profile of all cars; None draws one per car that suits its place.
        traffic: multiplies the count, and says how far away cars stand, instead of ``depth_range_m``.

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
    rng = draw.rng(Stream.TRAFFIC)
    asked = not traffic.is_ordinary
    limits = ASKED_LIMITS if asked else _Limits(MIN_WIDTH_PX_SHARE * camera.width)
    road = _Road(camera, cam_to_world, free_mask, obstacles, limits)
    if free_mask is None or free_mask.any():
        candidates = _Candidates(models, road, depth_range_m, conditions, rng, road_yaw_rad)
        cars = int(rng.integers(count[0], count[1] + 1))
        if asked:
            candidates.fill_as_asked(
                math.floor(cars * traffic.density + rng.random()), traffic.distances_for(camera.fy)
            )
        else:
            candidates.fill(cars)
    placements = [replace(p, profile=profile) if profile else p for p, _, _ in road.placed]
    return nearest(FrameSetup(draw.index, tuple(placements), cam_to_world), traffic.most)


def _rolled(cam_to_world: Array, slope: float) -> Array:
    """The pose turned about the optical axis until the horizon falls by ``slope`` rows per column to the right."""
    if slope == 0.0:
        return cam_to_world
    c, s = math.cos(math.atan(slope)), math.sin(math.atan(slope))
    turn = np.eye(4)
    turn[:2, :2] = [[c, s], [-s, c]]
    return np.asarray(cam_to_world @ turn)


class _Depths:
    """Distances of which there are as many per metre as a power of the distance says."""

    def __init__(self, range_m: tuple[float, float], power: float) -> None:
        near, far = range_m
        self.knots_m = near + (far - near) * DEPTH_KNOTS
        density = self.knots_m**power
        self.below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])

    def draw(self, rng: np.random.Generator) -> float:
        """One distance."""
        return float(np.interp(rng.random() * self.below[-1], self.below, self.knots_m))


@dataclass
class _AtDistance:
    """Distances near the one that is being tried."""

    depth_m: float = 0.0

    def draw(self, rng: np.random.Generator) -> float:
        """One distance."""
        return self.depth_m * float(rng.uniform(1.0 - SPOT_SPREAD, 1.0 + SPOT_SPREAD))


class _Drawn(Protocol):
    """Anything that distances can be drawn from."""

    def draw(self, rng: np.random.Generator) -> float:
        """One distance."""


@dataclass(frozen=True)
class _Candidates:
    """Draws cars for a road: one distance after the other, and at each several positions for the same car."""

    models: Sequence[ModelSize]
    road: _Road
    depth_range_m: tuple[float, float]
    conditions: Conditions
    rng: np.random.Generator
    road_yaw_rad: float | None
    """None: not known."""

    def fill(self, count: int) -> None:
        """Put as many cars on the road, or as many as there is room for."""
        road, mix = self.road, ModelMix(self.models)
        real = depths = _Depths(self.depth_range_m, DEPTH_POWER)
        if road.free_mask is not None:
            depths = _Depths(self.depth_range_m, DEPTH_POWER + ROOM_POWER)
            askew = int(self.rng.binomial(count, TURNING_SHARE))
            road.fill(islice(self._on_free_ground(mix, depths, askew=True), askew * DEPTH_TRIES), askew)
        if abs(math.tan(self.road_yaw_rad or 0.0)) < MAX_LANE_SLOPE:
            road.fill(islice(self._in_lanes(mix, depths), (count - len(road.placed)) * DEPTH_TRIES), count)
        if not road.placed and road.free_mask is None:
            road.fill(islice(self._in_lanes(mix, real), LAST_DEPTH_TRIES), 1)
        for askew_last in (False, True) if road.free_mask is not None else ():
            if not road.placed:
                road.fill(islice(self._on_free_ground(mix, real, askew=askew_last), LAST_DEPTH_TRIES), 1)

    def fill_as_asked(self, count: int, distances: Distances | None) -> None:
        """Put that many cars on the road, or as many as there is room for, distance by distance.

        A distance is given up only after several cars were tried there, so that room decides little over how far away
        cars stand.
        """
        room = 0.0 if self.road.free_mask is None else ROOM_POWER
        depths: _Drawn = distances or _Depths(self.depth_range_m, DEPTH_POWER + room)
        target = _AtDistance()
        lanes, ground = self._kinds(ModelMix(self.models), target)
        failed = 0
        while len(self.road.placed) < count and failed < GIVE_UP:
            target.depth_m = depths.draw(self.rng)
            spots = (next(self._kind(lanes, ground), []) for _ in range(SPOT_TRIES))
            if any(self.road.offer(placement, size) for spot in spots for placement, size in spot):
                self._add_row(count)
                failed = 0
            else:
                failed += 1

    def _kinds(self, mix: ModelMix, depths: _Drawn) -> tuple[list[Iterator[Spot]], list[Iterator[Spot]]]:
        """Cars in lanes, where the camera looks along them; cars along and askew on free ground, where it is known."""
        lanes = [self._in_lanes(mix, depths)] if abs(math.tan(self.road_yaw_rad or 0.0)) < MAX_LANE_SLOPE else []
        if self.road.free_mask is None:
            return lanes, []
        return lanes, [self._on_free_ground(mix, depths, askew=askew) for askew in (True, False)]

    def _kind(self, lanes: list[Iterator[Spot]], ground: list[Iterator[Spot]]) -> Iterator[Spot]:
        """One of them."""
        if not ground or (lanes and self.rng.random() >= TURNING_SHARE):
            return lanes[0] if lanes else iter(())
        return ground[int(self.rng.random() >= TURNING_SHARE)]

    def _add_row(self, count: int) -> None:
        """Other cars behind the one that was placed last: a row that parks, or a queue."""
        mix = ModelMix(self.models)
        while len(self.road.placed) < count and self.rng.random() < ROW_SHARE:
            first = self.road.placed[-1][0]
            size = mix.draw_fitting(self.rng, math.inf, math.inf)
            if size is None or not self.road.offer(self._behind(first, size), size):
                return

    def _behind(self, first: Placement, size: ModelSize) -> Placement:
        """Where a car stands behind another one, as the camera sees it."""
        lengths = {model.name: model.length_m for model in self.models}
        gap = (lengths[first.model] + size.length_m) / 2 + 2 * SAFETY_MARGIN_M + float(self.rng.uniform(*ROW_GAP_M))
        c, s = math.cos(first.yaw_rad), math.sin(first.yaw_rad)
        away = gap if c >= 0 else -gap
        turn = math.radians(clipped_normal(self.rng, 1.5, 4.0))
        return replace(
            first, model=size.name, x_m=first.x_m + away * c, y_m=first.y_m + away * s, yaw_rad=first.yaw_rad + turn
        )

    def _in_lanes(self, mix: ModelMix, depths: _Drawn) -> Iterator[Spot]:
        """Cars in the lanes of a two-way street."""
        rng = self.rng
        ego_offset = float(rng.normal(0.0, LATERAL_STD_M))
        drawn_yaw = math.radians(float(rng.normal(0.0, 1.5)))
        road_yaw = drawn_yaw if self.road_yaw_rad is None else self.road_yaw_rad
        while True:
            size, depth = mix.draw(rng), depths.draw(rng)
            x = depth + size.length_m / 2
            moving = "idling" if rng.random() < 0.3 else "driving"
            still = parked_profile(self.conditions, rng)
            aside, turn = clipped_normal(rng, 0.25, 0.6), math.radians(clipped_normal(rng, 2.0, 6.0))
            # Sorting by exponential draws takes the slots with their shares, without putting one back.
            order = np.argsort(rng.exponential(size=len(SLOTS)) / SLOT_SHARES)
            spot = []
            for offset, against, parked, _ in (SLOTS[k] for k in order):
                if size.category in LONG_CATEGORIES and (parked or depth < LEAD_MIN_LONG_M):
                    continue
                lateral = offset - ego_offset + aside + math.tan(road_yaw) * x
                yaw = road_yaw + math.pi * against + turn
                spot.append((Placement(size.name, x, lateral, 0.0, yaw, still if parked else moving), size))
            yield spot

    def _on_free_ground(self, mix: ModelMix, depths: _Drawn, *, askew: bool) -> Iterator[Spot]:
        """Cars wherever the ground is free: along or against the road, or turning, crossing and standing askew."""
        rng = self.rng
        while True:
            size = mix.draw_fitting(rng, math.inf, math.inf)
            if size is None:
                return
            if askew:
                turn = float(rng.uniform(*TURNING_RAD)) * (1 if rng.random() < 0.5 else -1)
            else:
                turn = math.radians(clipped_normal(rng, 2.0, 6.0))
            yaw = (self.road_yaw_rad or 0.0) + turn + math.pi * (rng.random() < 0.5)
            profile = "driving" if rng.random() < 0.6 else parked_profile(self.conditions, rng)
            reach = abs(math.cos(yaw)) * size.length_m / 2 + abs(math.sin(yaw)) * size.width_m / 2
            x = depths.draw(rng) + reach
            sides = self.road.free_sides(Placement(size.name, x, 0.0, 0.0, yaw, profile), size, rng.random())
            chosen = rng.permutation(sides)[:SIDE_TRIES].tolist()
            yield [(Placement(size.name, x, side, 0.0, yaw, profile), size) for side in chosen]


def _circle(corners_m: Array) -> tuple[float, float, float]:
    """Centre and radius of a circle around a rectangle (4, 2): most do not touch, which circles tell soonest."""
    (ax, ay), _, (cx, cy), _ = corners_m.tolist()
    return (ax + cx) / 2, (ay + cy) / 2, math.hypot(cx - ax, cy - ay) / 2 + 1e-6


class _Road:
    """Accepts cars on the plane one by one."""

    def __init__(
        self,
        camera: Camera,
        cam_to_world: Array,
        free_mask: NDArray[np.bool_] | None,
        obstacles: Sequence[ObstacleFootprint],
        limits: _Limits,
    ) -> None:
        self.camera, self.cam_to_world, self.free_mask = camera, cam_to_world, free_mask
        self.obstacles, self.limits = obstacles, limits
        self.taken = [(_circle(thing.corners_m), thing.corners_m) for thing in obstacles]
        self.world_to_cam = [[float(value) for value in row] for row in np.linalg.inv(cam_to_world)[:3]]
        self.placed: list[tuple[Placement, Array, Box]] = []

    def fill(self, spots: Iterator[Spot], count: int) -> None:
        """Take the first car that fits of each spot, until there are enough."""
        if len(self.placed) >= count:
            return
        for spot in spots:
            if any(self.offer(placement, size) for placement, size in spot) and len(self.placed) >= count:
                return

    def offer(self, placement: Placement, size: ModelSize) -> bool:
        """Take the car if it is in the picture, on free ground, apart from the others, and none hides another."""
        if not self._centre_free(placement):
            return False
        box = projected_box(placement, size, self.camera, self.cam_to_world)
        if box is None or not self._worth_seeing(box):
            return False
        corners = footprint(placement, size, SAFETY_MARGIN_M)
        if self._touches(corners) or self._hidden(placement, size, box) or not self._free(placement, size):
            return False
        for other, _, other_box in self.placed:
            nearer, farther = (box, other_box) if placement.x_m < other.x_m else (other_box, box)
            if covered_share(farther, nearer) > MAX_COVER:
                return False
        self.placed.append((placement, corners, box))
        self.taken.append((_circle(corners), corners))
        return True

    def free_sides(self, placement: Placement, size: ModelSize, shift: float) -> Array:
        """How far to the left a car's centre can be in the picture with its centre and its corners on free ground.

        Args:
            placement: of the car before the camera.
            size: of the car.
            shift: 0 to 1, where in its cell each position lies.

        Returns:
            (N,) metres; corners outside the picture are free.
        """
        half_width = placement.x_m * self.camera.width / 2 / self.camera.fx * self.limits.side_reach
        sides = ((np.arange(SIDE_CELLS) + shift) / SIDE_CELLS * 2.0 - 1.0) * half_width
        if self.free_mask is None:
            return sides
        ground = np.vstack([footprint(placement, size), (placement.x_m, placement.y_m)])
        x, y = ground[:, :1], ground[:, 1:] + sides
        across, down, depth = (a * x + b * y + d for a, b, _, d in self.world_to_cam)
        depth = np.maximum(depth, NEAREST_M)
        columns = np.floor(self.camera.cx + self.camera.fx * across / depth).astype(np.int64)
        rows = np.floor(self.camera.cy + self.camera.fy * down / depth).astype(np.int64)
        inside = (columns >= 0) & (columns < self.camera.width) & (rows >= 0) & (rows < self.camera.height)
        free = ~inside
        free[inside] = self.free_mask[rows[inside], columns[inside]]
        reached = inside[-1] if self.limits.side_reach <= 1.0 else inside.any(axis=0)
        return np.asarray(sides[free.all(axis=0) & reached])

    def _worth_seeing(self, box: Box) -> bool:
        wide = box[2] - box[0] >= self.limits.width_px
        return wide and seen_share(box, self.camera) > self.limits.seen_share

    def _touches(self, corners_m: Array) -> bool:
        x, y, radius = _circle(corners_m)
        return any(
            math.hypot(x - other_x, y - other_y) < radius + other_radius and overlaps(corners_m, other)
            for (other_x, other_y, other_radius), other in self.taken
        )

    def _hidden(self, placement: Placement, size: ModelSize, box: Box) -> bool:
        """Whether nearer things leave too little of the car."""
        nearest = placement.x_m - size.length_m / 2
        covers = (covered_share(box, thing.box_px) for thing in self.obstacles if thing.depth_m < nearest)
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
        if not (0 <= column < self.camera.width and 0 <= row < self.camera.height):
            return True
        return bool(self.free_mask[row, column]) and self._lane_wide(row, column, depth)

    def _lane_wide(self, row: int, column: int, depth_m: float) -> bool:
        """Whether the free ground beside a free pixel is as wide as a lane; the picture's edge ends nothing."""
        assert self.free_mask is not None
        need = math.ceil(STRIP_M * self.camera.fx / depth_m)
        left, right = self.free_mask[row, max(0, column - need) : column + 1][::-1], self.free_mask[row, column:][:need]
        if left.all() or right.all():
            return True
        return int(left.argmin()) + int(right.argmin()) - 1 >= need

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
