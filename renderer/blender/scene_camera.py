"""The active camera of a Blender scene in our terms: intrinsics, pose and clip planes, as they are at its frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.camera import Camera
from .evaluation import metres_per_unit, pose_in_metres

__all__ = ["CAMERA_AXES", "CameraView", "Planes", "read_camera", "read_planes", "read_view", "scene_camera"]

CAMERA_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Blender's camera looks along -z with y up; ours looks along +z with y down."""


@dataclass(frozen=True)
class Planes:
    """Between which distances along its optical axis a camera sees."""

    near_m: float = 0.1
    far_m: float = float("inf")


@dataclass(frozen=True, eq=False)
class CameraView:
    """What a camera sees of a scene at one frame."""

    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) OpenCV camera axes to the world, metres."""
    planes: Planes


def scene_camera(scene: bpy.types.Scene) -> Camera:
    """Intrinsics of the active camera at the scene's resolution, as the viewport's frame has them.

    Raises:
        SceneError: there is no active camera, or no perspective one.
    """
    return read_camera(bpy.context.evaluated_depsgraph_get(), f"scene {scene.name!r}")


def read_view(depsgraph: bpy.types.Depsgraph, source: Path | str, camera: Camera | None = None) -> CameraView:
    """Intrinsics, pose and clip planes of the active camera.

    Args:
        depsgraph: evaluated scene.
        source: file or scene that a message names.
        camera: intrinsics that are used instead of its own, which then may be of any kind.

    Raises:
        SceneError: there is no active camera, or (without ``camera``) no perspective one.
    """
    own = camera or read_camera(depsgraph, source)
    item = _active(depsgraph, source)
    pose = np.array(item.matrix_world.normalized(), dtype=np.float64) @ CAMERA_AXES
    return CameraView(own, pose_in_metres(pose, metres_per_unit(depsgraph.scene)), read_planes(depsgraph))


def read_planes(depsgraph: bpy.types.Depsgraph) -> Planes:
    """Clip planes of the active camera; the usual near plane alone where there is none."""
    item = depsgraph.scene.camera
    if item is None or item.type != "CAMERA":
        return Planes()
    scale = metres_per_unit(depsgraph.scene)
    return Planes(float(item.data.clip_start) * scale, float(item.data.clip_end) * scale)


def read_camera(depsgraph: bpy.types.Depsgraph, source: Path | str) -> Camera:
    """The active camera at the scene's render resolution, with the infrared sensor that its ``gis_sensor`` names.

    Args:
        depsgraph: evaluated scene.
        source: file or scene that a message names.

    Raises:
        SceneError: there is no active camera, or no perspective one.
    """
    item, render = _active(depsgraph, source), depsgraph.scene.render
    kind = item.data.type if item.type == "CAMERA" else item.type
    if kind != "PERSP":
        raise SceneError(
            f"{source}: at frame {depsgraph.scene.frame_current} of its animation camera {item.name!r} is {kind}: "
            "expected a perspective camera"
        )
    width = render.resolution_x * render.resolution_percentage // 100
    height = render.resolution_y * render.resolution_percentage // 100
    matrix = item.calc_matrix_camera(
        depsgraph, x=width, y=height, scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    p = np.array(matrix, dtype=np.float64)
    whole = Camera(
        name=str(item.name),
        width=width,
        height=height,
        fx=float(p[0, 0] * width / 2),
        fy=float(p[1, 1] * height / 2),
        cx=float(width / 2 * (1 - p[0, 2])),
        cy=float(height / 2 * (1 + p[1, 2])),
        sensor=str(item.get("gis_sensor", Camera.sensor)),
    )
    return _cropped(whole, render) if render.use_border and render.use_crop_to_border else whole


def _active(depsgraph: bpy.types.Depsgraph, source: Path | str) -> bpy.types.Object:
    item = depsgraph.scene.camera
    if item is None:
        raise SceneError(f"{source}: the scene has no active camera; add one and make it active (Ctrl+Numpad 0)")
    return item


def _cropped(camera: Camera, render: bpy.types.RenderSettings) -> Camera:
    """What the render border leaves of a picture; its edges are whole pixels, counted from the bottom (Blender's)."""
    left, right = (int(edge * camera.width) for edge in (render.border_min_x, render.border_max_x))
    bottom, top = (int(edge * camera.height) for edge in (render.border_min_y, render.border_max_y))
    window = camera.crop(left, camera.height - top, right - left, top - bottom)
    return replace(window, name=camera.name)
