"""Where a car model must stand so that its projection fills a given box.

For a model, an observation angle and a length the box has four edges, and four things are free: the place (x, y, z) and
the height of the model. They are solved by fixed-point steps. Where an edge of the box is cut, by the image's border or
by a nearer object, that edge is left free and the height keeps the model's own value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D, Box3D
from renderer.optional import njit

from pipelines.fitting.shapes import Shape

__all__ = ["HEIGHT_SHARE", "Cut", "Pose", "free_edges", "solve"]

HEIGHT_SHARE = (0.86, 1.18)
"""How far a model may be lowered or raised: hatchbacks and saloons lie within 1.36 to 1.65 m."""
NEAREST_M = 2.5
"""No car stands nearer to a camera on a car."""
STEPS = 24


@dataclass(frozen=True)
class Cut:
    """Edges of a box that are not the car's own."""

    left: bool = False
    right: bool = False
    bottom: bool = False
    top: bool = False


@dataclass(frozen=True)
class Pose:
    """A model in front of the camera whose principal row is the horizon."""

    x_m: float
    y_m: float
    """Height of the camera above the car's ground."""
    z_m: float
    yaw_rad: float
    """0 looks away from the camera, pi / 2 to the right."""
    length_scale: float
    height_scale: float
    box_px: Box2D
    """Tight box of the projection, not clipped."""

    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) model to camera, OpenCV axes."""
        s, c = math.sin(self.yaw_rad), math.cos(self.yaw_rad)
        matrix = np.eye(4)
        matrix[:3, 0] = self.length_scale * s, 0.0, self.length_scale * c
        matrix[:3, 1] = -c, 0.0, s
        matrix[:3, 2] = 0.0, -self.height_scale, 0.0
        matrix[:3, 3] = self.x_m, self.y_m, self.z_m
        return matrix

    def box_3d(self, shape: Shape) -> Box3D:
        """Upright box of the car in the camera frame."""
        yaw = math.remainder(self.yaw_rad - math.pi / 2, 2 * math.pi)
        size = shape.length_m * self.length_scale, shape.height_m * self.height_scale, shape.width_m
        return Box3D((self.x_m, self.y_m, self.z_m), *size, yaw)


def free_edges(box: Box2D, nearer: list[Box2D], camera: Camera, border_px: float = 3.0) -> Cut:
    """Edges of a box cut by the image's border, or by nearer boxes that stand before it there."""
    left, top, right, bottom = box
    cut_left, cut_right = left <= border_px, right >= camera.width - border_px
    for a, b, c, d in nearer:
        tall = (min(bottom, d) - max(top, b)) / (bottom - top) > 0.45
        inner = 0.2 * (right - left)
        cut_left |= tall and a < left + 3 and left - 4 <= c < right - inner
        cut_right |= tall and c > right - 3 and left + inner < a <= right + 4
    both_hidden = cut_left and cut_right and left > border_px and right < camera.width - border_px
    if both_hidden:
        cut_left = cut_right = False
    return Cut(cut_left, cut_right, bottom >= camera.height - border_px, top <= border_px)


def solve(shape: Shape, angle_rad: float, length_scale: float, box: Box2D, cut: Cut, camera: Camera) -> Pose:
    """Place and height of a model that fill a box.

    Args:
        shape: the model.
        angle_rad: observation angle: heading against the viewing ray; 0 shows the rear, pi the front.
        length_scale: factor of the model's length.
        box: ``(left, top, right, bottom)`` pixels.
        cut: edges of the box to leave free.
        camera: with its principal row at the horizon.
    """
    out = _solve(
        shape.outer, angle_rad, length_scale, np.array(box, dtype=np.float64),
        cut.left, cut.right, cut.bottom, cut.top, camera.fx, camera.fy, camera.cx, camera.cy,
    )  # fmt: skip
    x, y, z, yaw, height, left, top, right, bottom = (float(value) for value in out)
    return Pose(x, y, z, yaw, length_scale, height, (left, top, right, bottom))


@njit(cache=True, nogil=True)
def _bounds(points: Any, pose: Any, length: Any, fx: Any, fy: Any, cx: Any, cy: Any) -> Any:
    """Box of the projected points; ``pose`` is x, y, z, yaw and height scale."""
    x, y, z, yaw, height = pose
    s, c = np.sin(yaw), np.cos(yaw)
    left, top, right, bottom = 1e9, 1e9, -1e9, -1e9
    for i in range(points.shape[0]):
        along = points[i, 0] * length
        depth = max(c * along + s * points[i, 1] + z, 0.3)
        u = fx * (s * along - c * points[i, 1] + x) / depth + cx
        v = fy * (y - height * points[i, 2]) / depth + cy
        left, right, top, bottom = min(left, u), max(right, u), min(top, v), max(bottom, v)
    return left, top, right, bottom


@njit(cache=True, nogil=True)
def _solve(
    points: Any, angle: Any, length: Any, box: Any, cut_left: Any, cut_right: Any, cut_bottom: Any, cut_top: Any,
    fx: Any, fy: Any, cx: Any, cy: Any,
) -> Any:  # fmt: skip
    """x, y, z, yaw, height scale and the projected box."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    height = 1.0
    z = fy * 1.5 / high
    x, y = ((left + right) / 2 - cx) / fx * z, (bottom - cy) / fy * z
    upright_cut, side_cut = cut_bottom or cut_top, cut_left or cut_right
    for step in range(STEPS):
        yaw = angle + np.arctan2(x, z)
        a, b, c, d = _bounds(points, (x, y, z, yaw, height), length, fx, fy, cx, cy)
        by_width, by_height = (c - a) / wide, (d - b) / high
        if side_cut and upright_cut:  # the edge that is whole sets the scale
            grow = by_height if not cut_bottom else by_width
        elif side_cut:
            grow = by_height
        else:
            grow = by_width
        if step > 1 and not side_cut and not upright_cut:
            proportional = height * by_width / by_height
            height = min(max(proportional, HEIGHT_SHARE[0]), HEIGHT_SHARE[1])
            if height != proportional:
                grow = np.sqrt(by_width * by_height)
        nearer = max(z * min(max(grow, 0.6), 1.6), NEAREST_M)
        shift_x = (left + right) / 2 - (a + c) / 2
        if cut_left and not cut_right:
            shift_x = right - c
        elif cut_right and not cut_left:
            shift_x = left - a
        shift_y = (top + bottom) / 2 - (b + d) / 2
        if cut_bottom:
            shift_y = top - b
        elif cut_top or side_cut:
            shift_y = bottom - d
        x, y, z = (x + shift_x / fx * z) * nearer / z, (y + shift_y / fy * z) * nearer / z, nearer
    yaw = angle + np.arctan2(x, z)
    a, b, c, d = _bounds(points, (x, y, z, yaw, height), length, fx, fy, cx, cy)
    return x, y, z, yaw, height, a, b, c, d
