"""From the ground into the picture: pose of a camera, and the boxes of cars in its pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from .cars import ModelSize, Placement
from .footprints import corners

__all__ = [
    "NEAREST_M",
    "Box",
    "WorldToCam",
    "box_around",
    "camera_pose",
    "covered_share",
    "projected_box",
    "seen_share",
    "world_to_cam",
]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""``(left, top, right, bottom)`` in pixels."""
WorldToCam = list[list[float]]
"""Rows of the (3, 4) matrix from world to camera: plain numbers, because a frame asks for few of them many times."""

NEAREST_M = 0.3
"""A car that comes nearer than this to the camera's plane has no box in the picture."""


def camera_pose(x_m: float, y_m: float, z_m: float, yaw_rad: float, pitch_rad: float) -> Array:
    """(4, 4) pose of an OpenCV camera at that point, looking along ``yaw`` and tilted ``pitch`` downward."""
    c, s, cp, sp = math.cos(yaw_rad), math.sin(yaw_rad), math.cos(pitch_rad), math.sin(pitch_rad)
    pose = np.eye(4)
    pose[:3, 0] = s, -c, 0.0
    pose[:3, 1] = -c * sp, -s * sp, -cp
    pose[:3, 2] = c * cp, s * cp, -sp
    pose[:3, 3] = x_m, y_m, z_m
    return pose


def projected_box(placement: Placement, size: ModelSize, camera: Camera, cam_to_world: Array) -> Box | None:
    """Box ``(left, top, right, bottom)`` in pixels around a car's 3-D box; None if part of it is behind the camera."""
    return box_around(placement, size, camera, world_to_cam(cam_to_world))


def box_around(placement: Placement, size: ModelSize, camera: Camera, to_cam: WorldToCam) -> Box | None:
    """The same with the matrix of :func:`world_to_cam`."""
    (rx, ry, rz, ox), (ux, uy, uz, oy), (fx, fy, fz, oz) = to_cam
    columns, rows = [], []
    for x, y in corners(placement.x_m, placement.y_m, placement.yaw_rad, size.length_m, size.width_m):
        for z in (placement.z_m, placement.z_m + size.height_m):
            depth = fx * x + fy * y + fz * z + oz
            if depth < NEAREST_M:
                return None
            columns.append(camera.fx * (rx * x + ry * y + rz * z + ox) / depth + camera.cx)
            rows.append(camera.fy * (ux * x + uy * y + uz * z + oy) / depth + camera.cy)
    return min(columns), min(rows), max(columns), max(rows)


def world_to_cam(cam_to_world: Array) -> WorldToCam:
    """Rows of the (3, 4) matrix from world to camera."""
    turn = cam_to_world[:3, :3].T
    return np.column_stack([turn, -turn @ cam_to_world[:3, 3]]).tolist()  # type: ignore[no-any-return]


def seen_share(box: Box, camera: Camera) -> float:
    """Share of a box's area that lies inside the picture."""
    left, top, right, bottom = box
    width = min(right, camera.width) - max(left, 0.0)
    height = min(bottom, camera.height) - max(top, 0.0)
    return max(width, 0.0) * max(height, 0.0) / ((right - left) * (bottom - top))


def covered_share(box: Box, by: Box) -> float:
    """Share of a box's area that another covers."""
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    return max(width, 0.0) * max(height, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))
