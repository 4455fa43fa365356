"""A car before a camera, made by hand, and pictures to put it into."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from thermal_scenes import car, pose, surface

from renderer.geometry.boxes import Box2D
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.insertion.regions import CarRegion, car_regions
from renderer.zones.catalogue import Zone

SIZE = (200, 300)
BOX: Box2D = (100.0, 60.0, 200.0, 140.0)
ROWS, COLUMNS = slice(60, 140), slice(100, 200)
HORIZON = 100


def parked(depth_m: float = 15.0, zones: tuple[Zone, Zone] = (Zone.GLASS, Zone.BODY)) -> Frame:
    """A flat car of two zones, one above the other, that faces the camera, and nothing else."""
    frame = surface(Zone.BODY, (0.0, -1.0, 0.2), size=SIZE)
    inside = np.zeros(SIZE, bool)
    inside[ROWS, COLUMNS] = True
    zone = np.where(inside, np.uint8(zones[1]), np.uint8(0))
    zone[60:90, COLUMNS] = zones[0]
    item = dataclasses.replace(car(np.zeros(3), (0.0, 0.0, 0.0), "driving"), box_visible_px=BOX, visible_px=8000)
    return dataclasses.replace(
        frame,
        camera=Camera("street", SIZE[1], SIZE[0], 300.0, 300.0, 150.0, float(HORIZON)),
        cam_to_world=pose(0.0, 1.5),
        zone=zone,
        depth_m=np.where(inside, np.float32(depth_m), np.float32(np.inf)),
        instance_id=np.where(inside, np.uint16(item.id), np.uint16(0)),
        instances=(item,),
    )


def region_of(frame: Frame) -> tuple[CarRegion, np.ndarray]:
    """The only car of a frame, and its pixels in its box."""
    (region,) = car_regions(frame)
    return region, frame.instance_id[region.window] == region.item.id


def street(road: float = 150.0, noise: float = 2.0) -> np.ndarray:
    """Sky, a row of houses and a road, as a camera with noise shows them; uint8."""
    rng = np.random.default_rng(3)
    picture = np.full(SIZE, road)
    picture[:90] = 30.0
    for left in range(0, 300, 40):
        picture[50:90, left : left + 22] = 120.0
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + rng.normal(0.0, noise, SIZE)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
