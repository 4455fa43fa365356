"""The active camera of a Blender scene in our terms: intrinsics and pose."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.camera import Camera

__all__ = ["camera_to_world", "read_camera", "scene_camera"]

_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Blender's camera looks along -z with y up; ours looks along +z with y down."""


def scene_camera(scene: bpy.types.Scene) -> Camera:
    """Intrinsics of the active camera at the scene's resolution.

    Raises:
        SceneError: there is no active camera, or no perspective one.
    """
    if scene.camera is None:
        raise SceneError(f"scene {scene.name!r} has no active camera: add one and make it active")
    return read_camera(scene, str(scene.name))


def camera_to_world(scene: bpy.types.Scene) -> NDArray[np.float64]:
    """(4, 4) pose of the active camera as the depsgraph has it: OpenCV camera axes to the world."""
    camera = scene.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.asarray(np.array(camera.matrix_world.normalized(), dtype=np.float64) @ _AXES)


def read_camera(scene: bpy.types.Scene, source: Path | str) -> Camera:
    """The active camera at the scene's render resolution, with the infrared sensor that its ``gis_sensor`` names.

    Args:
        scene: with an active camera.
        source: file or scene that a message names.

    Raises:
        SceneError: the camera is not a perspective one.
    """
    render = scene.render
    width = int(render.resolution_x * render.resolution_percentage / 100)
    height = int(render.resolution_y * render.resolution_percentage / 100)
    data = scene.camera.data
    if data.type != "PERSP":
        raise SceneError(f"{source}: camera {scene.camera.name!r} is {data.type}: expected a perspective camera")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    matrix = scene.camera.evaluated_get(depsgraph).calc_matrix_camera(
        depsgraph, x=width, y=height, scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    p = np.array(matrix, dtype=np.float64)
    return Camera(
        name=str(scene.camera.name),
        width=width,
        height=height,
        fx=float(p[0, 0] * width / 2),
        fy=float(p[1, 1] * height / 2),
        cx=float(width / 2 * (1 - p[0, 2])),
        cy=float(height / 2 * (1 + p[1, 2])),
        sensor=str(scene.camera.get("gis_sensor", Camera.sensor)),
    )
