"""The car that carries the camera: where it drives, how its camera looks, and the room that it takes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from ..random_streams import Draw, Stream
from .draws import clipped_normal
from .footprints import rectangle
from .projection import camera_pose
from .slopes import tilted
from .street import Street

__all__ = ["LATERAL_STD_M", "camera_car_rectangle", "sample_camera", "vary_mount"]

Array = NDArray[np.float64]

# Camera against the road, fitted to 134 road planes of KITTI: height 1.655 m (std 0.027), pitch std 0.319 degrees.
HEIGHT_STD_M, HEIGHT_MAX_M = 0.027, 0.09
PITCH_STD_DEG, PITCH_MAX_DEG = 0.32, 1.0
MOUNT_HEIGHT_M, MOUNT_PITCH_DEG = (1.1, 2.4), 3.0
"""From the bumper of a car to the windscreen of a van; how far a camera is aimed off its usual pitch. Assumed."""
_MOUNT = 3
"""Part of the random stream."""
# A driver keeps to the middle of the lane within a few decimetres and mostly looks along it; one frame in six is taken
# while steering (lane change, bend), which is when a narrow camera sees the kerb. Our choice.
LATERAL_STD_M, LATERAL_MAX_M = 0.3, 0.7
YAW_STD_DEG, STEERING_YAW_STD_DEG, STEERING_SHARE, YAW_MAX_DEG = 1.2, 4.0, 0.17, 9.0
# The camera car itself: nothing may stand here. The camera is behind its windscreen, 1.7 m behind the front bumper.
BACK_M, FRONT_M, WIDTH_M = 3.2, 4.2, 2.3
WHEELBASE_M = 2.7
"""Of an ordinary car."""


def vary_mount(camera: Camera, strength: float, draw: Draw) -> Camera:
    """The camera with another usual height and pitch, as it is mounted on another vehicle.

    Args:
        camera: its own height and pitch are the mean at strength 0.
        strength: 0-1; at 1 the height is any that a vehicle has.
        draw: of the frame.
    """
    if strength == 0:
        return camera
    rng = draw.rng(Stream.SENSOR_VARIETY, _MOUNT)
    height_m, pitch_deg = float(rng.uniform(*MOUNT_HEIGHT_M)), float(rng.uniform(-MOUNT_PITCH_DEG, MOUNT_PITCH_DEG))
    return replace(
        camera,
        height_m=camera.height_m + strength * (height_m - camera.height_m),
        pitch_deg=camera.pitch_deg + strength * pitch_deg,
    )


def sample_camera(street: Street, camera: Camera, rng: np.random.Generator) -> tuple[Array, float]:
    """Pose of the camera, and the heading of its car."""
    lengths = np.array([line.length_m for line in street.path_lines])
    along = rng.uniform(0.0, lengths.sum())
    which = min(int(np.searchsorted(np.cumsum(lengths), along)), len(lengths) - 1)
    s = along - lengths[:which].sum()
    x, y, z, heading = street.path_lines[which].pose(float(s), WHEELBASE_M)
    lateral = clipped_normal(rng, LATERAL_STD_M, LATERAL_MAX_M)
    yaw_std = STEERING_YAW_STD_DEG if rng.random() < STEERING_SHARE else YAW_STD_DEG
    yaw = heading + math.radians(clipped_normal(rng, yaw_std, YAW_MAX_DEG))
    height = camera.height_m + clipped_normal(rng, HEIGHT_STD_M, HEIGHT_MAX_M)
    pitch = math.radians(camera.pitch_deg + clipped_normal(rng, PITCH_STD_DEG, PITCH_MAX_DEG))
    x, y = x - lateral * math.sin(heading), y + lateral * math.cos(heading)
    return tilted(camera_pose(x, y, z + height, yaw, pitch), street.slope_at(x, y, z)), heading


def camera_car_rectangle(position_m: Array, heading_rad: float) -> Array:
    """Where the camera's own car is, (4, 2)."""
    centre = (FRONT_M - BACK_M) / 2
    x, y = position_m + centre * np.array([math.cos(heading_rad), math.sin(heading_rad)])
    return rectangle(float(x), float(y), heading_rad, FRONT_M + BACK_M, WIDTH_M)
