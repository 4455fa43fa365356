"""Write ``assets/cars.npz``, the models of ``cars.blend`` as plain arrays: ``python -m assets.build.arrays [FILE]``.

A .blend of one Blender crashes an older one; arrays are read by all. ``models`` is a JSON text that describes the
models, their parts and materials. Each mesh NAME has

- ``NAME/vertices`` (V, 3) float32, m,
- ``NAME/corners`` (C,) uint16, the vertices of all faces, one face after the other,
- ``NAME/sizes``, ``NAME/zones``, ``NAME/slots`` (F,) uint8, corners, thermal zone and material slot of each face,
- ``NAME/sharp`` (S, 2) uint16, the vertices of sharp edges.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray
from renderer.blender.session import open_blend
from renderer.zones.catalogue import ZONE_ATTRIBUTE

from assets import CAR_ARRAYS, CARS

__all__ = ["main", "model_arrays", "write_arrays"]

Arrays = dict[str, NDArray[Any]]


def _read(items: bpy.types.bpy_prop_collection, name: str, kind: type, width: int = 1) -> NDArray[Any]:
    """One property of all items, (N * width,)."""
    values: NDArray[Any] = np.empty(len(items) * width, kind)
    items.foreach_get(name, values)
    return values


def _mesh_arrays(mesh: bpy.types.Mesh) -> Arrays:
    """Arrays of one mesh; all its faces are smooth, which is not stored."""
    edges = _read(mesh.edges, "vertices", np.int32, 2).reshape(-1, 2)
    sharp = np.sort(edges[_read(mesh.edges, "use_edge_sharp", np.bool_)], axis=1)
    return {
        "vertices": _read(mesh.vertices, "co", np.float32, 3).reshape(-1, 3),
        "corners": _read(mesh.loops, "vertex_index", np.int32).astype(np.uint16),
        "sizes": _read(mesh.polygons, "loop_total", np.int32).astype(np.uint8),
        "zones": _read(mesh.attributes[ZONE_ATTRIBUTE].data, "value", np.int32).astype(np.uint8),
        "slots": _read(mesh.polygons, "material_index", np.int32).astype(np.uint8),
        "sharp": sharp[np.lexsort(sharp.T[::-1])].astype(np.uint16),
    }


def _look(material: bpy.types.Material) -> dict[str, Any]:
    """Colour (linear RGB), roughness and metallic of a material."""
    inputs = material.node_tree.nodes["Principled BSDF"].inputs
    colour = [round(value, 6) for value in inputs["Base Color"].default_value[:3]]
    roughness, metallic = (round(inputs[name].default_value, 6) for name in ("Roughness", "Metallic"))
    return {"colour": colour, "roughness": roughness, "metallic": metallic}


def _describe(collection: bpy.types.Collection) -> dict[str, Any]:
    """A model: its marks, and which mesh stands where."""
    parts = sorted(collection.objects, key=lambda item: str(item.name))
    return {
        "marks": {key: collection[key] for key in sorted(collection.keys())},
        "parts": [[item.name, item.data.name, list(item.location), item.rotation_euler.z] for item in parts],
    }


def model_arrays(collections: Iterable[bpy.types.Collection]) -> Arrays:
    """Everything that the file holds, by entry."""
    models = {str(one.name): one for one in collections}
    meshes = {item.data.name: item.data for one in models.values() for item in one.objects}
    materials = {material.name: material for mesh in meshes.values() for material in mesh.materials}
    about = {
        "models": {name: _describe(models[name]) for name in sorted(models)},
        "slots": {name: [material.name for material in meshes[name].materials] for name in sorted(meshes)},
        "materials": {name: _look(materials[name]) for name in sorted(materials)},
    }
    arrays: Arrays = {"models": np.array(json.dumps(about, sort_keys=True))}
    for name in sorted(meshes):
        arrays |= {f"{name}/{key}": value for key, value in _mesh_arrays(meshes[name]).items()}
    return arrays


def write_arrays(path: Path, source: Path = CARS) -> None:
    """Write the models of a .blend as arrays; the same file gives the same bytes."""
    scene = open_blend(source)
    part = path.with_name(f".{path.stem}.part.npz")
    np.savez_compressed(part, **model_arrays(scene.collection.children))
    part.replace(path)


def main() -> None:
    """Write the file that ships, or the one named on the command line."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CAR_ARRAYS
    write_arrays(path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
