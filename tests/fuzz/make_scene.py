"""Writes a small scene of a car on a road, with scripts that must not run: ``python make_scene.py FOLDER CANARY``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy


def cube(name: str, place: tuple[float, float, float], scale: tuple[float, float, float]) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add(location=place)
    made = bpy.context.object
    made.name, made.scale = name, scale
    return made


def main(folder: Path, canary: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    car = cube("Car", (0, 8, 0.7), (0.9, 2.1, 0.7))
    cube("Ground", (0, 0, -0.05), (30, 30, 0.05))
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler, scene.camera = (0, -4, 1.6), (1.5708, 0, 0), camera
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    touch = f"open({canary!r}, 'w').write('x')"
    text = bpy.data.texts.new("evil.py")
    text.write(f"import bpy\n{touch}\nbpy.app.handlers.load_post.append(lambda *_: {touch})\n")
    text.use_module = True
    car.driver_add("location", 0).driver.expression = f"({touch}) * 0"
    scene.render.filepath = canary
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"), compress=False)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "packed.blend"), compress=True, copy=True)
    bpy.data.objects.remove(camera)
    bpy.data.objects.remove(bpy.data.objects["Ground"])
    bpy.ops.export_scene.gltf(filepath=str(folder / "car.glb"))
    bpy.ops.wm.obj_export(filepath=str(folder / "car.obj"))
    bpy.ops.wm.ply_export(filepath=str(folder / "car.ply"), ascii_format=True)
    bpy.ops.wm.stl_export(filepath=str(folder / "car.stl"), ascii_format=True)
    bpy.ops.wm.usd_export(filepath=str(folder / "car.usda"))
    bpy.ops.export_scene.fbx(filepath=str(folder / "car.fbx"))


main(Path(sys.argv[1]), sys.argv[2])
os._exit(0)  # Blender may hang when Python ends in the ordinary way
