"""What the renderer's tests share: cameras, poses, placements, scenes made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import CAMERAS
from renderer.geometry.camera import Camera, read_cameras
from renderer.scene.cars import FrameSetup, Placement


@pytest.fixture(scope="session")
def kitti_square() -> Camera:
    """KITTI's camera, cropped to a square of 512 pixels."""
    return read_cameras(CAMERAS)["kitti-object"].square(512)


@pytest.fixture(scope="session")
def level_pose() -> Callable[[float], np.ndarray[Any, Any]]:
    """Pose of a camera above the origin that looks along the world's x axis, by its height in metres."""

    def pose(height_m: float) -> np.ndarray[Any, Any]:
        matrix = np.eye(4)
        matrix[:3, :3] = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        matrix[2, 3] = height_m
        return matrix

    return pose


@pytest.fixture(scope="session")
def setup_of(level_pose: Callable[[float], np.ndarray[Any, Any]]) -> Callable[..., FrameSetup]:
    """A setup with cars ``(model, x, y, yaw)`` before a level camera."""

    def setup(*cars: tuple[str, float, float, float], height_m: float = 1.65) -> FrameSetup:
        placements = tuple(Placement(model, x, y, 0.0, yaw, "driving") for model, x, y, yaw in cars)
        return FrameSetup(0, placements, level_pose(height_m))

    return setup


@pytest.fixture
def empty_scene() -> Iterator[Any]:
    """A new Blender file with nothing in it but a camera: 0.5 m up, looking along +y, 96 x 64 pixels."""
    bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    data = bpy.data.cameras.new("camera")
    camera = bpy.data.objects.new("camera", data)
    camera.location, camera.rotation_euler = (0.0, 0.0, 0.5), (np.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 96, 64, 100
    yield scene
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.fixture
def add_box(empty_scene: Any) -> Callable[..., Any]:
    """Adds a box-shaped mesh object: name, centre, size, collection (the scene's)."""
    import bpy

    def add(
        name: str,
        centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
        size: tuple[float, float, float] = (1.0, 1.0, 1.0),
        collection: Any = None,
    ) -> Any:
        corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([tuple(c * s for c, s in zip(corner, size, strict=True)) for corner in corners], [], faces)
        item = bpy.data.objects.new(name, mesh)
        item.location = centre
        (collection or empty_scene.collection).objects.link(item)
        return item

    return add


@pytest.fixture
def save_scene(tmp_path: Path) -> Callable[..., Path]:
    """Saves the open Blender file and gives its path."""
    import bpy

    def save(name: str = "scene.blend", *, compress: bool = False) -> Path:
        path = tmp_path / name
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=compress, check_existing=False)
        return path

    return save
