"""A generated scene as a .blend file: ``write_world("residential", 7, Path("my.blend"))``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from assets.build.city.mesh import link
from assets.build.street_scene import (
    add_camera,
    add_cars,
    add_collection,
    add_light,
    add_street,
    save,
    show_first_frame,
)

from .arterial import arterial
from .residential import residential
from .site import Site

__all__ = ["GENERATORS", "write_world"]

GENERATORS: dict[str, Callable[[int], Site]] = {"residential": residential, "arterial": arterial}


def write_world(kind: str, seed: int, path: Path) -> None:
    """Build the scene of a seed and save it, whole or not at all.

    Args:
        kind: one of :data:`GENERATORS`.
        seed: the same seed gives the same scene.
        path: the .blend file.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = kind
    site = GENERATORS[kind](seed)
    _add_static(scene, site)
    _add_props(scene, site)
    add_street(scene, site.lanes, site.bays, site.paths)
    if site.far_m is not None:
        scene["gis_far_m"] = site.far_m
    add_cars(scene)
    add_light(scene)
    first = site.paths["out"]
    ahead = first[9] - first[8]
    add_camera(scene, float(first[8, 0]), float(first[8, 1]), float(np.arctan2(ahead[1], ahead[0])))
    show_first_frame(scene)
    save(path)


def _add_static(scene: bpy.types.Scene, site: Site) -> None:
    """Ground, houses, walls: what stands once."""
    home = add_collection(scene, "static")
    for name, (mesh, matrix) in site.static.items():
        if mesh.faces:
            link(home, mesh.build(name), name, matrix)


def _add_props(scene: bpy.types.Scene, site: Site) -> None:
    """What stands often: one mesh each, shared by all its objects."""
    home = add_collection(scene, "props")
    meshes: dict[str, bpy.types.Mesh] = {}
    for k, (name, matrix) in enumerate(site.props):
        if name not in meshes:
            meshes[name] = site.makers[name]().build(name)
        item = bpy.data.objects.new(f"{name}.{k:04d}", meshes[name])
        item.matrix_world = Matrix(matrix.tolist())
        home.objects.link(item)
