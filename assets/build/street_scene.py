"""What every street scene has: lanes, bays and paths as marked objects, cars, light, camera, and how it is saved.

The geometry of a scene is built by :mod:`.city` and :mod:`.worlds`.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from renderer.blender.session import quiet
from renderer.blender.traffic import apply, model_collections, model_size, read_street
from renderer.geometry.camera import read_cameras
from renderer.geometry.cover import Cover
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import pose_on_slope
from renderer.scene.traffic import sample_frame
from renderer.thermal.conditions import sample_conditions
from renderer.zones.catalogue import ZONE_ATTRIBUTE, Zone

from assets import CAMERAS, CARS

from .city.mesh import MeshBuilder, link, pose

__all__ = ["BayMark", "add_camera", "add_cars", "add_collection", "add_light", "add_street", "save", "show_first_frame"]

Array = NDArray[np.float64]
SUN_ELEVATION_DEG, SUN_AZIMUTH_DEG = 42.0, 200.0


class BayMark(Protocol):
    """A parking bay on the ground."""

    @property
    def x_m(self) -> float:
        """Its centre."""

    @property
    def y_m(self) -> float:
        """Its centre."""

    @property
    def yaw_rad(self) -> float:
        """Heading of a car that parks forward."""

    @property
    def length_m(self) -> float:
        """Along the heading."""

    @property
    def width_m(self) -> float:
        """Across it."""


def add_street(
    scene: bpy.types.Scene,
    lanes: Mapping[str, tuple[Array, float]],
    bays: Sequence[BayMark],
    camera_paths: Mapping[str, Array],
    covers: Sequence[Cover] = (),
) -> None:
    """Lanes, bays and camera paths as marked objects that are never rendered.

    Args:
        scene: gets them.
        lanes: points (N, 2), or (N, 3) where they are not at height 0, in driving order, and width, by name.
        bays: parking bays; those with a height of their own say it as ``z_m``.
        camera_paths: points (N, 2) or (N, 3) by name.
        covers: decks of bridges.
    """
    home = add_collection(scene, "gis_street")
    for name, (points, width) in lanes.items():
        _polyline(home, f"lane.{name}", points)["gis_lane"] = width
    for name, points in camera_paths.items():
        label = "camera_path" if name == "out" else f"camera_path.{name}"
        _polyline(home, label, points)["gis_camera_path"] = True
    for k, bay in enumerate(bays):
        item = bpy.data.objects.new(f"bay.{k:03d}", None)
        item.empty_display_type = "ARROWS"
        item.matrix_world = Matrix(_bay_pose(bay).tolist())
        item["gis_bay"] = 1
        item["gis_length_m"], item["gis_width_m"] = bay.length_m, bay.width_m
        home.objects.link(item)
    for k, cover in enumerate(covers):
        item = bpy.data.objects.new(f"cover.{k:02d}", None)
        item.matrix_world = Matrix(pose(cover.x_m, cover.y_m, cover.z_m, cover.yaw_rad).tolist())
        item["gis_cover"] = 1
        item["gis_length_m"], item["gis_width_m"] = cover.length_m, cover.width_m
        home.objects.link(item)


def _bay_pose(bay: BayMark) -> Array:
    z, slope = float(getattr(bay, "z_m", 0.0)), getattr(bay, "slope", (0.0, 0.0))
    if any(slope):
        return pose_on_slope(bay.x_m, bay.y_m, z, bay.yaw_rad, slope)
    return pose(bay.x_m, bay.y_m, z, bay.yaw_rad)


def _polyline(home: bpy.types.Collection, name: str, points: Array) -> bpy.types.Object:
    """Object whose mesh is a line of edges."""
    mesh = bpy.data.meshes.new(name)
    vertices = points.tolist() if points.shape[1] == 3 else np.column_stack([points, np.zeros(len(points))]).tolist()
    mesh.from_pydata(vertices, [(k, k + 1) for k in range(len(points) - 1)], [])
    item = link(home, mesh, name)
    item.hide_render = True
    return item


def add_cars(scene: bpy.types.Scene) -> None:
    """Append the car models, or boxes in their place where there is no cars.blend yet; hide the originals."""
    home = add_collection(scene, "cars")
    if CARS.is_file():
        for collection in _append_collections(CARS):
            if "gis_category" in collection:
                home.children.link(collection)
    else:
        for name, (category, length, width, height) in _PLACEHOLDERS.items():
            _box_model(home, name, category, length, width, height)
    layer = bpy.context.view_layer.layer_collection.children["cars"]
    layer.exclude = True


def _append_collections(path: Path) -> list[bpy.types.Collection]:
    """Collections of another file. What is appended keeps its file's path: that of a copy tells nothing of ours."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copyfile(path, Path(folder) / path.name)
        with bpy.data.libraries.load(str(copy), link=False) as (source, target):
            target.collections = list(source.collections)
    return list(target.collections)


_PLACEHOLDERS = {
    "hatchback": ("car", 4.0, 1.75, 1.46), "saloon": ("car", 4.7, 1.82, 1.45), "suv": ("car", 4.6, 1.88, 1.68),
    "van": ("van", 5.3, 1.98, 2.0), "lorry": ("truck", 8.2, 2.5, 3.4), "bus": ("bus", 12.0, 2.55, 3.1),
}  # fmt: skip


def _box_model(
    home: bpy.types.Collection, name: str, category: str, length_m: float, width_m: float, height_m: float
) -> None:
    mesh = MeshBuilder()
    a, b = length_m / 2, width_m / 2
    mesh.box((-a, -b, 0.25), (a, b, height_m * 0.6), "steel")
    mesh.box((-a * 0.6, -b * 0.85, height_m * 0.6), (a * 0.6, b * 0.85, height_m), "glass", skip="-z")
    collection = bpy.data.collections.new(name)
    home.children.link(collection)
    data = mesh.build(name)
    data.attributes[ZONE_ATTRIBUTE].data.foreach_set("value", np.full(len(data.polygons), Zone.BODY, dtype=np.int32))
    link(collection, data, name)
    collection["gis_category"], collection["gis_model"] = category, name
    collection["gis_length_m"], collection["gis_width_m"], collection["gis_height_m"] = length_m, width_m, height_m


def add_light(scene: bpy.types.Scene) -> None:
    """Sun, and a world that is sky for the thermal camera too."""
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 4.0, math.radians(0.53)
    item = bpy.data.objects.new("sun", sun)
    item.rotation_euler = (math.radians(90 - SUN_ELEVATION_DEG), 0.0, math.radians(SUN_AZIMUTH_DEG + 90))
    add_collection(scene, "light").objects.link(item)
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.42, 0.58, 0.8, 1.0)
    background.inputs["Strength"].default_value = 0.9
    world[ZONE_ATTRIBUTE] = int(Zone.SKY)
    scene.world = world


def add_camera(scene: bpy.types.Scene, x_m: float, y_m: float, heading_rad: float) -> None:
    """The rig: KITTI's camera, 1.65 m above a point of the road, square crop."""
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    lens = camera.blender_lens()
    data = bpy.data.cameras.new("gis_camera")
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    data.clip_start, data.clip_end = 0.1, 2000.0
    item = bpy.data.objects.new("gis_camera", data)
    item.location = (x_m, y_m, camera.height_m)
    item.rotation_euler = (math.pi / 2, 0.0, heading_rad - math.pi / 2)
    scene.collection.objects.link(item)
    scene.camera = item
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    scene.render.resolution_percentage = 100
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 64
    scene.view_settings.view_transform = "Standard"


def show_first_frame(scene: bpy.types.Scene) -> None:
    """Show the cars of one frame, so that the scene is not empty when it is opened."""
    bpy.context.view_layer.update()
    street = read_street(scene)
    models = model_collections()
    if street is None or not models:
        raise RuntimeError("the scene has no street or no cars: its build is broken")
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    rig = scene.camera.matrix_world.copy()
    draw = Draw(0, 3)
    weather = sample_conditions(draw.rng(Stream.CONDITIONS))
    setup = sample_frame(street, [model_size(c) for c in models.values()], camera, draw, weather)
    apply(scene, setup, models)
    scene.camera.matrix_world = rig


def save(path: Path) -> None:
    """Write the file whole or not at all. A .blend remembers where it was saved first: let that be no one's home."""
    partial = path.with_name(f"{path.name}.partial")
    with tempfile.TemporaryDirectory() as folder, quiet():
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / path.name), compress=True, relative_remap=False)
        shutil.copyfile(Path(folder) / path.name, partial)
    os.replace(partial, path)


def add_collection(scene: bpy.types.Scene, name: str) -> bpy.types.Collection:
    """A new collection of the scene."""
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    return collection
