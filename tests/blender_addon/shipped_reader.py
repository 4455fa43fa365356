"""What a Blender of any version holds of car models. As its script, ``blender -b -P FILE -- ROOT OUT.npz``, it makes
the shipped cars with the add-on and writes that.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

import bpy
import numpy as np


def read_mesh(mesh: bpy.types.Mesh) -> dict[str, np.ndarray]:
    """Item by item: slow, and without the tricks of what it judges."""
    if hasattr(mesh, "corner_normals"):
        normals = [tuple(item.vector) for item in mesh.corner_normals]
    else:
        mesh.calc_normals_split()
        normals = [tuple(item.normal) for item in mesh.loops]
    sharp = sorted(tuple(sorted(edge.vertices)) for edge in mesh.edges if edge.use_edge_sharp)
    names = [material.name for material in mesh.materials]
    return {
        "vertices": np.array([tuple(vertex.co) for vertex in mesh.vertices], np.float32),
        "corners": np.array([i for face in mesh.polygons for i in face.vertices]),
        "sizes": np.array([len(face.vertices) for face in mesh.polygons]),
        "zones": np.array([item.value for item in mesh.attributes["thermal_zone"].data]),
        "materials": np.array([names[face.material_index] for face in mesh.polygons]),
        "smooth": np.array([face.use_smooth for face in mesh.polygons]),
        "sharp": np.array(sharp),
        "normals": np.array(normals, np.float32),
    }


def look(material: bpy.types.Material) -> list[float]:
    """Viewport colour, and colour, roughness and metallic of the shader."""
    inputs = material.node_tree.nodes["Principled BSDF"].inputs
    values = [*material.diffuse_color, *inputs["Base Color"].default_value]
    values += [inputs["Roughness"].default_value, inputs["Metallic"].default_value]
    return [round(value, 5) for value in values]


def read_models() -> dict[str, np.ndarray]:
    """Collections, objects and meshes of the opened file."""
    collections = {group.name: group for group in bpy.data.collections if "gis_category" in group}
    items = [item for group in collections.values() for item in group.objects]
    about = {
        "marks": {name: dict(group.items()) for name, group in collections.items()},
        "objects": {
            name: {item.name: [item.data.name, *item.location, *item.rotation_euler] for item in group.objects}
            for name, group in collections.items()
        },
        "materials": {group.name: look(group) for item in items for group in item.data.materials},
    }
    arrays = {"about": np.array(json.dumps(about, sort_keys=True))}
    for mesh in {item.data.name: item.data for item in items}.values():
        arrays.update({f"{mesh.name}/{key}": value for key, value in read_mesh(mesh).items()})
    return arrays


def main(root: str, out: str) -> None:
    """Make all shipped cars, write what there is then."""
    sys.path.insert(0, root)
    from blender_addon.data import shipped_models

    shipped_models.add_models(set(shipped_models.model_names()))
    np.savez(out, **read_models())


if __name__ == "__main__":
    try:
        main(*sys.argv[sys.argv.index("--") + 1 :])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
