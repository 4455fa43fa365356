"""Write ``assets/cars.blend``: ``python -m assets.build.cars [FILE]``.

One collection per model, named after it; in it one body object and one object per wheel, whose origin is the hub.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy
import numpy as np
from renderer.blender.session import quiet
from renderer.zones.catalogue import ZONE_ATTRIBUTE, Zone

from assets import CARS

from .car import CarModel, CarSpec, build_car
from .mesh import PolyMesh
from .models import MODELS

__all__ = ["add_model", "blender_mesh", "main", "write_cars"]

SHARP_RAD = np.radians(38.0)
"""Edges that turn more than this stay sharp: the creases of panels, but not the round of a shoulder."""

FLAT_RAD = np.radians(2.0)
"""Faces that turn less than this from one to the next become one. That saves two fifths of the triangles; the
surface moves by at most 9 mm on a car's outside, 21 mm on a bus's wall."""
CURVED_RAD = np.radians(8.0)
"""A face whose corner normals turn more than this from its own stays as it is: merged with its neighbours it would
carry the shading of a rounded edge far into a flat panel."""

# Colour (linear RGB), roughness and metallic of a zone's material; the paint comes from the model.
_LOOKS: dict[Zone, tuple[tuple[float, float, float], float, float]] = {
    Zone.GLASS: ((0.02, 0.03, 0.035), 0.05, 0.0),
    Zone.GRILLE: ((0.012, 0.012, 0.012), 0.6, 0.0),
    Zone.TYRE: ((0.02, 0.02, 0.02), 0.8, 0.0),
    Zone.BRAKE: ((0.25, 0.22, 0.2), 0.45, 1.0),
    Zone.EXHAUST: ((0.45, 0.43, 0.4), 0.35, 1.0),
    Zone.LAMP: ((0.8, 0.8, 0.75), 0.1, 0.0),
    Zone.UNDERBODY: ((0.015, 0.015, 0.016), 0.9, 0.0),
    Zone.INTERIOR: ((0.03, 0.03, 0.03), 0.85, 0.0),
}


def blender_mesh(mesh: PolyMesh, name: str, spec: CarSpec) -> bpy.types.Mesh:
    """Blender mesh: smooth with sharp creases, a material and a ``thermal_zone`` for every face."""
    made = bpy.data.meshes.new(name)
    made.from_pydata(mesh.vertices.astype(np.float32).tolist(), [], mesh.faces)
    zones = np.array(mesh.zones, dtype=np.int32)
    used = np.unique(zones)
    for zone in used:
        made.materials.append(_material(Zone(int(zone)), spec))
    made.polygons.foreach_set("material_index", np.searchsorted(used, zones).astype(np.int32))
    made.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE").data.foreach_set("value", zones)
    made.polygons.foreach_set("use_smooth", np.ones(len(zones), dtype=bool))
    made.set_sharp_from_angle(angle=float(SHARP_RAD))
    _dissolve_flat(made)
    made.update()
    return made


def _dissolve_flat(mesh: bpy.types.Mesh) -> None:
    """Merge faces of one zone that lie flat beside each other; no vertex moves."""
    import bmesh  # the module exists only once bpy is imported

    normals = np.array([item.vector[:] for item in mesh.corner_normals])
    turned = [normals[list(face.loop_indices)] @ np.array(face.normal) < np.cos(CURVED_RAD) for face in mesh.polygons]
    flat = [not corners.any() for corners in turned]
    working = bmesh.new()
    working.from_mesh(mesh)
    working.faces.ensure_lookup_table()
    bmesh.ops.dissolve_limit(
        working,
        angle_limit=float(FLAT_RAD),
        verts=[vertex for vertex in working.verts if all(flat[face.index] for face in vertex.link_faces)],
        edges=[edge for edge in working.edges if all(flat[face.index] for face in edge.link_faces)],
        delimit={"MATERIAL", "SHARP"},
    )
    working.to_mesh(mesh)
    working.free()


def _material(zone: Zone, spec: CarSpec) -> bpy.types.Material:
    """Material ``gis_<zone>``; painted zones have one per model."""
    painted = zone not in _LOOKS
    label = f"gis_{zone.name.lower()}" + (f".{spec.name}" if painted else "")
    if (known := bpy.data.materials.get(label)) is not None:
        return known
    colour, roughness, metallic = (spec.paint, 0.3, 0.2) if painted else _LOOKS[zone]
    material = bpy.data.materials.new(label)
    material.diffuse_color = (*colour, 1.0)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    return material


def add_model(model: CarModel, scene: bpy.types.Scene) -> bpy.types.Collection:
    """Put a model into the scene as a collection of its own."""
    spec = model.spec
    collection = bpy.data.collections.new(spec.name)
    scene.collection.children.link(collection)
    collection["gis_category"] = spec.category
    collection["gis_model"] = spec.name
    collection["gis_length_m"] = spec.length_m
    collection["gis_width_m"] = spec.width_m
    collection["gis_height_m"] = spec.height_m
    collection["gis_source"] = spec.source
    collection["gis_share"] = spec.share
    collection.objects.link(bpy.data.objects.new(spec.name, blender_mesh(model.body, spec.name, spec)))
    meshes: dict[int, bpy.types.Mesh] = {}
    for place in model.wheels:
        if id(place.mesh) not in meshes:
            meshes[id(place.mesh)] = blender_mesh(place.mesh, place.name, spec)
        wheel = bpy.data.objects.new(place.name, meshes[id(place.mesh)])
        wheel.location = place.hub_m
        wheel.rotation_euler = (0.0, 0.0, np.pi if place.turned else 0.0)
        collection.objects.link(wheel)
    return collection


def write_cars(path: Path) -> None:
    """Build every model and write them to one compressed .blend."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for spec in MODELS.values():
        add_model(build_car(spec), scene)
    part = path.with_name(f".{path.stem}.part.blend")
    bpy.context.preferences.filepaths.save_version = 0
    with quiet():
        bpy.ops.wm.save_as_mainfile(filepath=str(part), compress=True, copy=True)
    os.replace(part, path)


def main() -> None:
    """Write the file that ships, or the one named on the command line."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CARS
    write_cars(path)
    print(f"{path}: {len(MODELS)} models, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
