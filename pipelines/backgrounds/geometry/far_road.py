"""The road behind what hides it and farther than a picture shows its surface: its lanes, followed straight on.

From 60 m on the whole road is a few rows high, and behind the first car nothing of it is seen: there
:mod:`.road` finds none. Of RoadScene's cars 47 % are less than 26 px high all the same, that is farther away than 45 m,
and 30 % stand behind others. Where it is known what stands on the road and where it goes, it goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera

from pipelines.backgrounds.geometry.ground import GroundPlane

__all__ = ["with_far_road"]

Bool = NDArray[np.bool_]
Outline = list[tuple[float, float]]
"""Points of the ground, metres ahead and to the left."""

LANES_M = (-1.75, 5.25)
"""Right and left edge of the camera's lane and the oncoming one: 3.5 m each (RASt 06: 3.25 m and more), the
camera's car in the middle of its own."""
RANGE_M = (12.0, 130.0)
"""Nearer the picture itself says where the road is; a car 130 m away is 9 px high."""
SEEN_M = (8.0, 30.0)
"""Where the lanes must be seen to be road, as far as nothing hides them."""
SEEN_SHARE = 0.6
CAR_FROM_M = 22.0
"""Where a real car stands is road. Nearer than this the picture shows it."""
BEFORE_M, BEHIND_M, BESIDE_M = 7.0, 22.0, 3.5
"""How far: a length before it, some behind it, and a lane towards the middle of the picture, where the road is."""
MAX_YAW_RAD = 0.25
"""A road that turns away by more than the half of a narrow picture is not what the camera's lanes are part of."""


def with_far_road(ground: GroundPlane, camera: Camera) -> Bool:
    """Free ground with what is road for other reasons than its looks, (H, W): the lanes ahead, and beside real cars.

    Args:
        ground: what stands on it must be known by boxes; else it stays as it is.
        camera: of the picture.
    """
    free = ground.road.free
    if not ground.horizon.street_known or ground.road.confidence == 0.0:
        return free
    lanes = _lanes_ahead(ground, camera)
    outlines = ([] if lanes is None else [lanes]) + list(_beside_cars(ground))
    return np.asarray(free | _filled(ground, camera, outlines)) if outlines else free


def _lanes_ahead(ground: GroundPlane, camera: Camera) -> Outline | None:
    """The lanes that the camera drives in, where it is known where they go and they are seen to be free."""
    yaw = ground.road_yaw_rad
    if yaw is None or abs(yaw) > MAX_YAW_RAD:
        return None
    seen = _filled(ground, camera, [_strip(SEEN_M, LANES_M, yaw)])
    for obstacle in ground.obstacles:
        left, top, right, bottom = obstacle.window
        seen[top:bottom, left:right] = False
    if not seen.any() or ground.road.free[seen].mean() < SEEN_SHARE:
        return None
    return _strip(RANGE_M, LANES_M, yaw)


def _beside_cars(ground: GroundPlane) -> Iterator[Outline]:
    """Before and behind real cars that are far away, and beside them on the camera's side of them."""
    slope = math.tan(ground.road_yaw_rad or 0.0) if abs(ground.road_yaw_rad or 0.0) < MAX_YAW_RAD else 0.0
    for obstacle in ground.obstacles:
        near, (right, left) = obstacle.footprint.depth_m, np.sort(obstacle.footprint.corners_m[:, 1])[[0, -1]]
        if obstacle.kind != "car" or not CAR_FROM_M < near < RANGE_M[1]:
            continue
        right, left = (right, left + BESIDE_M) if right + left < 0 else (right - BESIDE_M, left)
        corners = [(near - BEFORE_M, right), (near - BEFORE_M, left), (near + BEHIND_M, left), (near + BEHIND_M, right)]
        yield [(x, y + slope * (x - near)) for x, y in corners]


def _strip(range_m: tuple[float, float], sides_m: tuple[float, float], yaw_rad: float) -> Outline:
    """A stretch of road between two distances."""
    slope, (near, far), (right, left) = math.tan(yaw_rad), range_m, sides_m
    return [(x, side + slope * x) for x, side in ((near, right), (near, left), (far, left), (far, right))]


def _filled(ground: GroundPlane, camera: Camera, outlines: list[Outline]) -> Bool:
    """The picture of stretches of ground."""
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    for outline in outlines:
        points = np.array([_pixel(ground, camera, x, y) for x, y in outline])
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    return mask > 0


def _pixel(ground: GroundPlane, camera: Camera, x_m: float, y_m: float) -> tuple[float, float]:
    """Where a point of the ground is seen, ``x`` ahead and ``y`` to the left."""
    column = camera.cx - camera.fx * y_m / x_m
    return column, ground.horizon.row_at(column, camera) + camera.fy * ground.horizon.height_m / x_m
