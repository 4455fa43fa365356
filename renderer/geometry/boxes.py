"""Boxes of an object in KITTI's definitions.

Source: the development kit of the KITTI object benchmark (Geiger, Lenz, Urtasun, CVPR 2012). Its occlusion levels were
set by eye; ours are shares of visible pixels, stated in :data:`OCCLUSION_LEVELS`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from .affine import world_to_local
from .camera import Camera
from .clusters import FlatMeshes, PlacedParts, bound_instances, bound_pixels, bound_triangles, renumber_pixels
from .frame import Box2D, Box3D
from .meshes import Mesh, cluster_blocks

__all__ = [
    "OCCLUSION_LEVELS",
    "box_3d_corners_m",
    "clip_box",
    "extent_m",
    "heading_frame",
    "intersection_over_union",
    "nearest_depth_m",
    "observation_angle",
    "occlusion_level",
    "parts_of",
    "projected_bounds",
    "projected_box",
    "projected_boxes",
    "renumbered",
    "truncation",
    "upright_box",
    "upright_box_from",
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


def nearest_depth_m(box: Box3D) -> float:
    """Depth of the corner of a 3-D box that is nearest along the axis of the camera, metres."""
    reach = abs(math.sin(box.yaw_rad)) * box.length_m + abs(math.cos(box.yaw_rad)) * box.width_m
    return float(box.centre_m[2]) - reach / 2


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
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    bound_triangles(cluster_blocks(positions, triangles), len(triangles), matrix, near_m, bounds)
    return _as_box(bounds)


def _as_box(bounds: NDArray[np.float64]) -> Box2D | None:
    left, top, right, bottom = bounds.tolist()
    return None if left > right else (left, top, right, bottom)


def projected_boxes(meshes: FlatMeshes, parts: PlacedParts, near_m: float) -> list[Box2D | None]:
    """Tight image box of each instance, by id: not clipped to the image, None where all of it is before the near plane.

    Args:
        meshes: all that the parts are made of.
        parts: as the camera sees them; the environment gets no box.
        near_m: distance of the near plane.
    """
    bounds = np.tile([np.inf, np.inf, -np.inf, -np.inf], (int(parts.instance_id.max(initial=0)) + 1, 1))
    bound_instances(meshes, parts, near_m, bounds)
    return [_as_box(row) for row in bounds]


def parts_of(parts: PlacedParts, numbers: Collection[int]) -> PlacedParts:
    """The parts, of which those of other instances than the numbered ones are of the environment: they get no box."""
    wanted = np.zeros(max(int(parts.instance_id.max(initial=0)), *numbers, 0) + 1, np.bool_)
    wanted[list(numbers)] = True
    return parts._replace(instance_id=np.where(wanted[parts.instance_id], parts.instance_id, 0))


def heading_frame(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) upright frame (z of the world) at a pose's origin whose x axis is the pose's x axis seen from above."""
    yaw = math.atan2(pose[1, 0], pose[0, 0])
    c, s = math.cos(yaw), math.sin(yaw)
    frame = np.array([[c, -s, 0.0, 0.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    frame[:3, 3] = pose[:3, 3]
    return frame


def extent_m(meshes: Iterable[tuple[Mesh, NDArray[np.float64]]], frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowest and highest corner, (2, 3) m, of meshes ``(mesh, local_to_world)`` along the axes of a frame (4, 4)."""
    to_frame = world_to_local(frame)
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for mesh, local_to_world in meshes:
        if len(mesh.positions):
            matrix = to_frame @ local_to_world
            points = mesh.positions.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
            low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    return np.stack([low, high])


def upright_box(extent: NDArray[np.float64], frame: NDArray[np.float64], cam_to_world: NDArray[np.float64]) -> Box3D:
    """The box of that extent in an upright frame (4, 4; see :func:`heading_frame`), as the camera sees it."""
    return upright_box_from(extent, frame, world_to_local(cam_to_world))


def upright_box_from(
    extent: NDArray[np.float64], frame: NDArray[np.float64], world_to_cam: NDArray[np.float64]
) -> Box3D:
    """:func:`upright_box` with the camera's pose turned round (3, 4), which is the same for all objects of a frame."""
    (x0, y0, z0), (x1, y1, z1) = extent.tolist()
    x, y, z = (world_to_cam @ frame @ ((x0 + x1) / 2, (y0 + y1) / 2, z0, 1.0)).tolist()
    heading = world_to_cam[:3, :3] @ frame[:3, 0]
    return Box3D((x, y, z), x1 - x0, z1 - z0, y1 - y0, math.atan2(-heading[2], heading[0]))


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
    return np.asarray(bound_pixels(instance_id, count))


def renumbered(instance_id: NDArray[np.uint16], numbers: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """An instance pass (H, W) with other numbers.

    Args:
        instance_id: the pass.
        numbers: (M,) what stands for each id.

    Raises:
        IndexError: an id is M or more.
    """
    if instance_id.size and int(instance_id.max()) >= len(numbers):
        raise IndexError(f"an instance pass has id {instance_id.max()}: expected ids below {len(numbers)}")
    out = np.empty(instance_id.shape, np.uint16)
    renumber_pixels(np.ascontiguousarray(instance_id).reshape(-1), numbers, out.reshape(-1))
    return out
