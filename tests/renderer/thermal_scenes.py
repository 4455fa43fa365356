"""Frames made by hand: one surface that fills a narrow view."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D, Frame, Instance, Part
from renderer.thermal.conditions import Conditions
from renderer.thermal.profiles import Profiles, read_profiles
from renderer.zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SIZE = 24


def profiles() -> Profiles:
    return read_profiles(ASSETS / "thermal_profiles.toml")


def winter_night(**changes: object) -> Conditions:
    """The night of the two real cars: clear, 2 degC."""
    values: dict[str, object] = {
        "hour": 20.0,
        "day_of_year": 20,
        "weather": "clear",
        "air_temperature_K": 275.15,
        "sky_temperature_K": 219.0,
        "relative_humidity": 0.75,
        "wind_m_s": 2.0,
        "visibility_m": 20000.0,
        "sun_elevation_deg": -40.0,
        "sun_azimuth_deg": 0.0,
    }
    return Conditions(**{**values, **changes})  # type: ignore[arg-type]


def camera(height: int = SIZE, width: int = SIZE) -> Camera:
    """About 1.4 degrees: every pixel sees the surface alike."""
    return Camera("narrow", width, height, 1000.0, 1000.0, width / 2, height / 2)


def pose(down_deg: float, height_m: float = 1.65) -> NDArray[np.float64]:
    """Camera above the origin that looks along +x, tilted down."""
    tilt = math.radians(down_deg)
    forward = np.array([math.cos(tilt), 0.0, -math.sin(tilt)])
    right = np.array([0.0, -1.0, 0.0])
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    matrix[2, 3] = height_m
    return matrix


def surface(
    zone: Zone,
    normal: tuple[float, float, float],
    *,
    distance_m: float = 8.0,
    down_deg: float = 5.0,
    local_m: tuple[float, float, float] = (0.0, 0.0, 0.8),
    profile: str = "driving",
    size: tuple[int, int] = (SIZE, SIZE),
) -> Frame:
    """A frame filled by one surface; of a car that looks at the camera, hit at ``local_m`` of its own axes."""
    view, to_world = camera(*size), pose(down_deg)
    depth = np.full(size, distance_m, dtype=np.float32)
    if zone == Zone.SKY:
        depth[:] = np.inf
    unit = np.asarray(normal) / np.linalg.norm(normal)
    instances: tuple[Instance, ...] = ()
    if zone < FIRST_ENVIRONMENT_ZONE:
        point = to_world[:3, 3] + distance_m * to_world[:3, 2]
        instances = (car(point, local_m, profile),)
    return Frame(
        index=0,
        camera=view,
        cam_to_world=to_world,
        depth_m=depth,
        instance_id=np.full(size, len(instances), dtype=np.uint16),
        zone=np.full(size, zone, dtype=np.uint8),
        instances=instances,
        normal=np.broadcast_to(unit.astype(np.float32), (*size, 3)).copy(),
    )


def car(point_m: NDArray[np.float64], local_m: tuple[float, float, float], profile: str) -> Instance:
    """A saloon heading for the camera, placed so that its point ``local_m`` is at ``point_m`` of the world."""
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = point_m - matrix[:3, :3] @ np.asarray(local_m)
    box = Box3D((0.0, 1.65, 10.0), 4.5, 1.45, 1.8, 0.0)
    return Instance(1, "car", "saloon", profile, matrix, box, (0, 0, 1, 1), None, 0, 0, 0.0, 0)


def every_zone() -> Frame:
    """A small frame with a column for each zone, of which one is the sky's, and a car one of whose parts is a wheel."""
    zones = [*Zone, Zone.TYRE]
    frame = surface(Zone.BODY, (-1.0, 0.3, 0.6), distance_m=6.0, down_deg=12.0, size=(6, len(zones)))
    zone = np.tile(np.array(zones, np.uint8), (6, 1))
    is_car = (zone > 0) & (zone < FIRST_ENVIRONMENT_ZONE)
    part = np.where(is_car, 1, 2).astype(np.uint16)
    part[:, -1] = 3
    to_world = frame.instances[0].object_to_world
    wheel = to_world.copy()
    wheel[:3, 3] = (to_world @ (1.3, 0.7, 0.3, 1.0))[:3]
    return dataclasses.replace(
        frame,
        zone=zone,
        depth_m=np.where(zone == Zone.SKY, np.inf, frame.depth_m).astype(np.float32),
        instance_id=is_car.astype(np.uint16),
        part=part,
        parts=(Part("car", 1, to_world), Part("street", 0, np.eye(4)), Part("wheel", 1, wheel)),
    )
