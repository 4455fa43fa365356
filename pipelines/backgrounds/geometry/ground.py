"""Everything that placement needs of a background, estimated once per file: :func:`estimate_ground_plane`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import KnownBox, to_crop
from pipelines.backgrounds.geometry.horizon import (
    CAMERA_HEIGHT_M,
    CAMERA_HEIGHT_STD_M,
    Horizon,
    VanishingPoint,
    horizon_from_boxes,
    level_row,
    vanishing_point,
)
from pipelines.backgrounds.geometry.obstacles import Obstacle, find_obstacles
from pipelines.backgrounds.geometry.road import Road, RoadPlane, estimate_road, read_road_mask
from pipelines.backgrounds.images import Background
from pipelines.dataset.record import GroundRecord

__all__ = ["GroundPlane", "GroundPlanes", "estimate_ground_plane", "overlay", "with_ground_plane"]

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

GIVEN_ROW_STD_SHARE = 0.002
"""A given row is right to a pixel of 512."""
MIN_POINT_CONFIDENCE = 0.55
"""Below, the lines of the picture do not say where the road goes."""
POINT_ROW_STD_SHARE = 0.03
"""Error of a vanishing point's row, as a share of the picture's height."""
MOUNTING_CONFIDENCE = 0.2
"""Of a horizon by the pitch of a camera that is mounted on a car."""
STRETCH_PERCENT = (1, 99)
MAX_KEPT = 256
"""Ground planes kept in memory, some 0.3 MB each."""


@dataclass(frozen=True)
class GroundPlane:
    """The plane before a background's camera."""

    horizon: Horizon
    road: Road
    obstacles: tuple[Obstacle, ...]
    point: VanishingPoint | None
    road_yaw_rad: float | None
    """Heading of the road, counter-clockwise from the camera's; None where nothing says."""
    record: GroundRecord
    """Entry of the frame's record."""


@dataclass(frozen=True)
class GroundPlanes:
    """The ground planes of a folder of backgrounds, each estimated once per process."""

    boxes: dict[str, tuple[KnownBox, ...]] | None = None
    """What the images show, by the stem of their names; None where no boxes are given."""
    road_mask: Path | None = None
    camera_height_m: float | None = None
    road_heading_deg: float | None = None
    estimates: dict[tuple[str, int, int], GroundPlane] = field(default_factory=dict, compare=False)
    """By hash of the file, and width and height of the crop."""

    def of(self, background: Background) -> GroundPlane:
        """The ground plane of a background; the estimate depends on its file and the options alone."""
        camera, file = background.camera, background.file
        key = (file.sha256, camera.width, camera.height)
        if key not in self.estimates:
            if len(self.estimates) >= MAX_KEPT:
                self.estimates.pop(next(iter(self.estimates)))
            self.estimates[key] = estimate_ground_plane(
                background,
                None if self.boxes is None else self.boxes.get(Path(file.name).stem, ()),
                camera_height_m=self.camera_height_m,
                road_mask=self.road_mask,
                road_heading_deg=self.road_heading_deg,
            )
        return self.estimates[key]


def estimate_ground_plane(
    background: Background,
    boxes: tuple[KnownBox, ...] | None = None,
    *,
    camera_height_m: float | None = None,
    road_mask: Path | None = None,
    road_heading_deg: float | None = None,
) -> GroundPlane:
    """Estimates what is not given.

    Args:
        background: the picture as a frame uses it.
        boxes: what the whole image shows, in its pixels; None where nothing is known of it, empty where it is empty.
        camera_height_m: of the camera above the road, if known.
        road_mask: see :func:`pipelines.backgrounds.geometry.road.read_road_mask`.
        road_heading_deg: where the road goes, to the left of the camera's axis, if known.

    Raises:
        BackgroundError: the mask cannot be used.
    """
    image, camera, file, crop = _stretched(background), background.camera, background.file, background.crop_px
    single = [box for box in boxes or () if not box.dont_care]
    known = to_crop(single, (file.width, file.height), crop, camera.width, camera.height)
    point = vanishing_point(image, camera, row_px=_given_row(background))
    horizon = _horizon(background, known, point, camera_height_m)
    evident_point = point if point is not None and point.confidence >= MIN_POINT_CONFIDENCE else None
    column = camera.cx if evident_point is None else evident_point.column_px
    obstacles = find_obstacles(known, image, camera, horizon)
    if road_mask is not None:
        road = read_road_mask(road_mask, file.name, crop, camera.width, camera.height)
    else:
        plane = RoadPlane(camera, horizon.row_px, horizon.height_m, column, horizon.street_known, horizon.slope)
        road = estimate_road(image, plane, _taken(obstacles, image))
        if horizon.confidence == 0.0 and road.confidence > 0.0:
            why = "no free road found: no lines, boxes or options say where the horizon is"
            road = Road(np.zeros_like(road.free), 0.0, why)
    yaw = None if evident_point is None else math.atan2(camera.cx - evident_point.column_px, camera.fx)
    if road_heading_deg is not None:
        yaw = math.radians(road_heading_deg)
    record = _record(horizon, road, obstacles, yaw, boxes is not None)
    return GroundPlane(horizon, _without(road, obstacles), obstacles, point, yaw, record)


def with_ground_plane(background: Background, ground: GroundPlane) -> Background:
    """The background with the horizon and the camera height of its ground, and what was estimated in its record."""
    return replace(
        background,
        camera=replace(background.camera, height_m=ground.horizon.height_m),
        horizon_px=ground.horizon.row_px,
        obstacle_mask=_obstacle_mask(ground.obstacles, background.image),
        horizon_source=ground.horizon.source,
        ground=ground.record,
    )


def _taken(obstacles: tuple[Obstacle, ...], image: UInt8) -> Bool:
    """Pixels that show something that stands on the road."""
    taken = np.zeros(image.shape, dtype=np.bool_)
    for obstacle in obstacles:
        left, top, right, bottom = obstacle.window
        taken[top:bottom, left:right] = True
    return taken


def _obstacle_mask(obstacles: tuple[Obstacle, ...], image: UInt8) -> Bool | None:
    """Pixels of the silhouettes of what stands on the road."""
    if not obstacles:
        return None
    mask = np.zeros(image.shape, dtype=np.bool_)
    for obstacle in obstacles:
        left, top, right, bottom = obstacle.window
        mask[top:bottom, left:right] |= obstacle.mask
    return mask


def _stretched(background: Background) -> UInt8:
    """The picture with its contrast over the whole range, as radiometric frames do not have it."""
    grey = background.image if background.kelvin is None else background.kelvin
    low, high = (float(value) for value in np.percentile(grey, STRETCH_PERCENT))
    share = np.clip((grey - low) / max(high - low, 1e-6), 0.0, 1.0)
    return np.asarray(np.rint(share * 255.0), dtype=np.uint8)


def _given_row(background: Background) -> tuple[float, float] | None:
    if background.horizon_px is None:
        return None
    return background.horizon_px, GIVEN_ROW_STD_SHARE * background.camera.height


def _horizon(
    background: Background, known: list[KnownBox], point: VanishingPoint | None, camera_height_m: float | None
) -> Horizon:
    """Given, else from boxes, else from the lines of the road, else the camera's pitch."""
    camera, given = background.camera, _given_row(background)
    height = (CAMERA_HEIGHT_M, CAMERA_HEIGHT_STD_M) if camera_height_m is None else (camera_height_m, 1e-3)
    fitted = horizon_from_boxes(known, camera, row_px=given, height_m=height)
    if given is not None:
        metres = height[0] if fitted is None else fitted.height_m
        return Horizon(given[0], metres, "given", 1.0, given[1], slope=0.0 if fitted is None else fitted.slope)
    if fitted is not None:
        return fitted
    if point is not None and point.confidence >= MIN_POINT_CONFIDENCE:
        std = POINT_ROW_STD_SHARE * camera.height
        return Horizon(point.row_px, height[0], "lines of the road", round(0.7 * point.confidence, 3), std)
    row, std = level_row(camera)
    if background.camera_source.startswith(("given", "assumed")):
        # A preset is that of a camera on a car; metadata of a handheld camera say nothing of how it was held.
        return Horizon(row, height[0], "assumed: the preset's mounting", MOUNTING_CONFIDENCE, std)
    return Horizon(row, height[0], "assumed: the camera's pitch", 0.0, std)


def _without(road: Road, obstacles: tuple[Obstacle, ...]) -> Road:
    """The road without the lowest pixels of what stands on it: a mask may run below people and cars."""
    free = road.free.copy()
    for obstacle in obstacles:
        left, top, right, bottom = obstacle.window
        contact = max(top, bottom - max(2, (bottom - top) // 6))
        free[contact:bottom, left:right] = False
    return replace(road, free=free)


def _record(
    horizon: Horizon, road: Road, obstacles: tuple[Obstacle, ...], yaw: float | None, boxes_given: bool
) -> GroundRecord:
    return GroundRecord(
        horizon_px=round(horizon.row_px, 2),
        horizon_std_px=round(horizon.row_std_px, 2),
        horizon_from=horizon.source,
        horizon_confidence=horizon.confidence,
        camera_height_m=round(horizon.height_m, 3),
        roll_deg=round(math.degrees(math.atan(horizon.slope)), 2),
        road_from=road.source,
        road_confidence=road.confidence,
        road_share=round(float(road.free.mean()), 4),
        road_yaw_deg=None if yaw is None else round(math.degrees(yaw), 2),
        obstacles=len(obstacles),
        obstacles_from="given boxes" if boxes_given else "the free road ends before them",
        placement="on the free road" if road.confidence > 0.0 else "refused",
    )


def overlay(background: Background, ground: GroundPlane) -> UInt8:
    """The picture with the horizon, the free road and the obstacles drawn into it, (H, W, 3) uint8 BGR."""
    picture = cv2.cvtColor(_stretched(background), cv2.COLOR_GRAY2BGR)
    picture[ground.road.free, 1] = np.minimum(255, picture[ground.road.free, 1].astype(np.int32) + 60).astype(np.uint8)
    left, right = (round(ground.horizon.row_at(x, background.camera)) for x in (0.0, float(picture.shape[1])))
    cv2.line(picture, (0, left), (picture.shape[1], right), (0, 255, 255), 1)
    for obstacle in ground.obstacles:
        left, top, right, bottom = obstacle.window
        picture[top:bottom, left:right, 2][obstacle.mask] = 220
    return np.asarray(picture, dtype=np.uint8)
