"""A generated scene as a .blend file: ``write_world("residential", 7, Path("my.blend"))``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from renderer.geometry.cover import Cover
from renderer.scene.place import Faces, Place, Thing
from renderer.scene.street import Bay as SceneBay
from renderer.scene.street import Lane, Street
from renderer.visible.looks import Look

from assets.build.city.mesh import MATERIALS, MeshBuilder, link
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
from .car_park import car_park
from .country import country
from .hill import hill
from .motorway import motorway
from .plants import bare_plants
from .residential import residential
from .site import Bay, Site
from .town.street import town
from .underpass import underpass

__all__ = ["GENERATORS", "build_place", "write_world"]

Array = NDArray[np.float64]

GENERATORS: dict[str, Callable[[int], Site]] = {
    "residential": residential,
    "arterial": arterial,
    "country": country,
    "motorway": motorway,
    "car_park": car_park,
    "town": town,
    "underpass": underpass,
    "hill": hill,
}


def write_world(kind: str, seed: int, path: Path, *, bare: bool = False) -> None:
    """Build the scene of a seed and save it, whole or not at all.

    Args:
        kind: one of :data:`GENERATORS`.
        seed: the same seed gives the same scene.
        path: the .blend file.
        bare: leave broadleaved trees without leaves.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = kind
    site = GENERATORS[kind](seed)
    if bare:
        site.makers |= bare_plants(seed)
    _add_static(scene, site)
    _add_props(scene, site)
    add_street(scene, site.lanes, site.bays, site.paths, site.covers)
    if site.far_m is not None:
        scene["gis_far_m"] = site.far_m
    scene["gis_people"] = int(site.has_people)
    if site.speed_m_s is not None:
        scene["gis_speed_m_s"] = site.speed_m_s
    add_cars(scene)
    add_light(scene)
    first = site.paths["out"]
    ahead = first[9] - first[8]
    add_camera(scene, float(first[8, 0]), float(first[8, 1]), float(np.arctan2(ahead[1], ahead[0])))
    show_first_frame(scene)
    save(path)


def build_place(kind: str, seed: int) -> Place:
    """The scene of a seed as arrays: what :func:`write_world` writes, without cars, light and camera."""
    site = GENERATORS[kind](seed)
    meshes: dict[str, Faces] = {}
    things = []
    for name, (mesh, matrix) in site.static.items():
        if mesh.faces:
            meshes[name] = _faces(mesh)
            things.append(Thing(name, name, np.eye(4) if matrix is None else _stored(matrix)))
    for k, (name, matrix) in enumerate(site.props):
        if f"prop.{name}" not in meshes:
            meshes[f"prop.{name}"] = _faces(site.makers[name]())
        things.append(Thing(f"{name}.{k:04d}", f"prop.{name}", _stored(matrix)))
    there = sorted({name for name, _ in site.props})
    return Place(meshes, tuple(things), _street(site), _LOOKS, partial(_bare_meshes, there, seed))


def _bare_meshes(names: Sequence[str], seed: int) -> dict[str, Faces]:
    """Plants of those names without leaves, by the names of their meshes."""
    makers = bare_plants(seed)
    return {f"prop.{name}": _faces(makers[name]()) for name in names if name in makers}


_LOOKS = {name: Look(*values[1:]) for name, values in MATERIALS.items()}


def _faces(mesh: MeshBuilder) -> Faces:
    zones = np.array([MATERIALS[name][0] for name in mesh.materials], dtype=np.int32)
    return Faces(np.concatenate(mesh.points), mesh.faces, zones, mesh.materials)


def _stored(values: Array) -> Array:
    """As a file would hold them."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def _street(site: Site) -> Street:
    """Lanes, bays and paths in the order in which a file lists them: by name."""
    lanes = [(name, *site.lanes[name]) for name in sorted(site.lanes)]
    paths = sorted(site.paths.items(), key=lambda item: "" if item[0] == "out" else item[0])
    bays = [site.bays[k] for k in sorted(range(len(site.bays)), key=lambda k: f"bay.{k:03d}")]
    return Street(
        tuple(Lane(_on_ground(points), width) for _, points, width in lanes),
        tuple(_bay(bay) for bay in bays),
        tuple(_on_ground(points) for _, points in paths),
        site.far_m,
        site.has_people,
        site.speed_m_s,
        tuple(_cover(cover) for cover in site.covers),
    )


def _bay(bay: Bay) -> SceneBay:
    x, y, z = _stored(np.array([bay.x_m, bay.y_m, bay.z_m])).tolist()
    return SceneBay(x, y, z, bay.yaw_rad, bay.length_m, bay.width_m, bay.slope)


def _cover(cover: Cover) -> Cover:
    x, y, z = _stored(np.array([cover.x_m, cover.y_m, cover.z_m])).tolist()
    return replace(cover, x_m=x, y_m=y, z_m=z)


def _on_ground(points: Array) -> Array:
    if points.shape[1] == 3:
        return _stored(points)
    return _stored(np.column_stack([points, np.zeros(len(points))]))


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
