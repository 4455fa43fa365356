"""Boxes of an object in KITTI's definitions.

Source: the development kit of the KITTI object benchmark (Geiger, Lenz, Urtasun, CVPR 2012). Its occlusion levels were set by
eye; ours are shares of visible pixels, stated in :data:`OCCLUSION_LEVELS`.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .frame import Box2D, Box3D
from .raster import Mesh, clip_triangle, transform_points

__all__ = [
    "OCCLUSION_LEVELS",
    "box_3d_corners_m",
    "clip_box",
    "heading_frame",
    "intersection_over_union",
    "observation_angle",
    "occlusion_level",
    "projected_bounds",
    "projected_box",
    "truncation",
    "upright_box",
    "visible_boxes",
]

OCCLUSION_LEVELS = ((0.95, 0), (0.5, 1), (0.0, 2))
"""Least visible share of the object's pixels in the image, and the level that it gets; nothing visible is level 3."""


def box_3d_corners_m(box: Box3D) -> NDArray[np.float64]:
    """Corners of a 3-D box in the camera frame, (8, 3) metres: four at the bottom, then four at the top."""
    c, s = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    along = np.array([1, 1, -1, -1]) * box.length_m / 2
    across = np.array([1, -1, -1, 1]) * box.width_m / 2
    x, z = c * along + s * across, -s * along + c * across
    bottom = np.stack([x, np.zeros(4), z], axis=1) + box.centre_m
    return np.concatenate([bottom, bottom - (0.0, box.height_m, 0.0)])


def projected_box(box: Box3D, camera: Camera, near_m: float = 0.1) -> Box2D | None:
    """Tight image box around a 3-D box, clipped at the near plane but not to the image; None when it is behind."""
    corners = box_3d_corners_m(box).astype(np.float32)
    quads = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]])
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    return projected_bounds(corners, triangles, np.hstack([camera.K, np.zeros((3, 1))]), near_m)


def projected_bounds(
    positions: NDArray[np.float32], triangles: NDArray[np.int32], matrix: NDArray[np.float64], near_m: float
) -> Box2D | None:
    """Tight image box of triangles before the near plane; ``matrix`` (3, 4) maps points to ``(x*z, y*z, z)``."""
    low_x, low_y, high_x, high_y = _bounds(positions, triangles, matrix, near_m)
    return None if low_x > high_x else (low_x, low_y, high_x, high_y)


@nb.njit(cache=True, nogil=True)
def _bounds(positions, triangles, matrix, near):  # type: ignore[no-untyped-def]
    points = np.empty((positions.shape[0], 3))
    transform_points(positions, matrix, points)
    px, py, pq = np.empty(4), np.empty(4), np.empty(4)
    low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
    for t in range(triangles.shape[0]):
        for k in range(clip_triangle(points, triangles[t], near, px, py, pq)):
            low_x, high_x = min(low_x, px[k]), max(high_x, px[k])
            low_y, high_y = min(low_y, py[k]), max(high_y, py[k])
    return low_x, low_y, high_x, high_y


def heading_frame(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) upright frame (z of the world) at a pose's origin whose x axis is the pose's x axis seen from above."""
    yaw = math.atan2(pose[1, 0], pose[0, 0])
    c, s = math.cos(yaw), math.sin(yaw)
    frame = np.array([[c, -s, 0.0, 0.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    frame[:3, 3] = pose[:3, 3]
    return frame


def upright_box(
    meshes: list[tuple[Mesh, NDArray[np.float64]]], pose: NDArray[np.float64], cam_to_world: NDArray[np.float64]
) -> Box3D:
    """Box around meshes ``(mesh, local_to_world)``, upright in the world, along the x axis of ``pose``."""
    frame = heading_frame(pose)
    to_frame = np.linalg.inv(frame)
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for mesh, local_to_world in meshes:
        matrix = to_frame @ local_to_world
        used = mesh.used_positions.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        low, high = np.minimum(low, used.min(axis=0)), np.maximum(high, used.max(axis=0))
    world_to_cam = np.linalg.inv(cam_to_world)
    bottom = frame @ np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2], 1.0])
    x, y, z = (world_to_cam @ bottom)[:3]
    heading = world_to_cam[:3, :3] @ frame[:3, 0]
    length, width, height = (high - low).tolist()
    return Box3D((float(x), float(y), float(z)), length, height, width, math.atan2(-heading[2], heading[0]))


def observation_angle(box: Box3D) -> float:
    """KITTI's ``alpha``: heading relative to the viewing ray, radians in (-pi, pi]."""
    alpha = box.yaw_rad - math.atan2(box.centre_m[0], box.centre_m[2])
    return math.atan2(math.sin(alpha), math.cos(alpha))


def clip_box(box: Box2D, camera: Camera) -> Box2D | None:
    """Part of a box inside the image; None where they do not meet."""
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(camera.width), box[2]), min(float(camera.height), box[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def truncation(box: Box2D, camera: Camera) -> float:
    """Share of a box's area outside the image, 0-1 (KITTI's ``truncated``)."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    inside = clip_box(box, camera)
    if inside is None or area <= 0:
        return 1.0
    return float(min(1.0, max(0.0, 1.0 - (inside[2] - inside[0]) * (inside[3] - inside[1]) / area)))


def occlusion_level(visible_px: int, amodal_px: int) -> int:
    """KITTI's occlusion level from the pixels that are seen and those that would be if nothing stood before."""
    if visible_px == 0 or amodal_px == 0:
        return 3
    share = visible_px / amodal_px
    return next(level for least, level in OCCLUSION_LEVELS if share >= least)


def intersection_over_union(a: Box2D, b: Box2D) -> float:
    """Overlap of two boxes, 0-1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def visible_boxes(instance_id: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    """Pixels and box of each id in an instance pass, (count + 1, 5): pixels, left, top, right, bottom (exclusive)."""
    return np.asarray(_visible_boxes(instance_id, count))


@nb.njit(cache=True, nogil=True)
def _visible_boxes(instance_id, count):  # type: ignore[no-untyped-def]
    height, width = instance_id.shape
    out = np.zeros((count + 1, 5), np.int64)
    out[:, 1], out[:, 2] = width, height
    for r in range(height):
        for c in range(width):
            i = instance_id[r, c]
            if i == 0 or i > count:
                continue
            out[i, 0] += 1
            out[i, 1], out[i, 2] = min(out[i, 1], c), min(out[i, 2], r)
            out[i, 3], out[i, 4] = max(out[i, 3], c + 1), max(out[i, 4], r + 1)
    return out
