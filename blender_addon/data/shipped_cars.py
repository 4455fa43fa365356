"""The shipped cars: made from the arrays of ``cars.npz``, alike in every Blender that runs the add-on."""

from __future__ import annotations

import functools
import json
from typing import Any, TypedDict

import bpy
import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONE_ATTRIBUTE

from .. import adapter

__all__ = ["add_models", "model_names"]

ARRAYS = "cars.npz"
KEYS = ("vertices", "corners", "sizes", "zones", "slots", "sharp")
"""Entries of one mesh; ``assets/build/arrays.py`` says what they hold."""


class _Model(TypedDict):
    """A car: what marks its collection, and its objects."""

    marks: dict[str, str | float]
    parts: list[tuple[str, str, list[float], float]]
    """Name, mesh, location in metres, turn about z in radians."""


class _Look(TypedDict):
    """A material: linear colour, and the shader's numbers from 0 to 1."""

    colour: tuple[float, float, float]
    roughness: float
    metallic: float


class _Shipped(TypedDict):
    """What the file says beside the arrays."""

    models: dict[str, _Model]
    materials: dict[str, _Look]
    slots: dict[str, list[str]]
    """Materials of each mesh, by slot."""


@functools.cache
def _shipped() -> _Shipped:
    """Models, their parts and materials."""
    with np.load(adapter.data_file(ARRAYS), allow_pickle=False) as stored:
        shipped: _Shipped = json.loads(str(stored["models"]))
    return shipped


def model_names() -> list[str]:
    """Names of the shipped models, sorted."""
    return sorted(_shipped()["models"])


def add_models(names: set[str]) -> None:
    """Add models to the opened file, each as a collection that no scene shows.

    Args:
        names: some of :func:`model_names`.

    Raises:
        FileMissing: the arrays are not in the add-on's folder.
    """
    shipped = _shipped()
    with np.load(adapter.data_file(ARRAYS), allow_pickle=False) as stored:
        for name in sorted(names):
            model = shipped["models"][name]
            used = sorted({mesh for _, mesh, _, _ in model["parts"]})
            meshes = {mesh: _mesh(mesh, {key: stored[f"{mesh}/{key}"] for key in KEYS}) for mesh in used}
            for mesh in used:
                for material in shipped["slots"][mesh]:
                    meshes[mesh].materials.append(_material(material, shipped["materials"][material]))
            _collection(name, model, meshes)


def _collection(name: str, model: _Model, meshes: dict[str, bpy.types.Mesh]) -> None:
    """The model's objects, body and wheels, and its marks."""
    collection = bpy.data.collections.new(name)
    for key, value in model["marks"].items():
        collection[key] = value
    for part, mesh, location, turned in model["parts"]:
        item = bpy.data.objects.new(part, meshes[mesh])
        item.location, item.rotation_euler = location, (0.0, 0.0, turned)
        collection.objects.link(item)


def _mesh(name: str, arrays: dict[str, NDArray[Any]]) -> bpy.types.Mesh:
    """A smooth mesh with sharp creases, material slots and thermal zones."""
    mesh = bpy.data.meshes.new(name)
    ends = np.cumsum(arrays["sizes"], dtype=np.int64)
    faces = [corners.tolist() for corners in np.split(arrays["corners"], ends[:-1])]
    mesh.from_pydata(arrays["vertices"].tolist(), [], faces)
    mesh.polygons.foreach_set("material_index", arrays["slots"].astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), np.bool_))
    mesh.edges.foreach_set("use_edge_sharp", _are_sharp(mesh, arrays["sharp"]))
    attribute = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
    attribute.data.foreach_set("value", arrays["zones"].astype(np.int32))
    if hasattr(mesh, "use_auto_smooth"):  # before 4.1: without it, sharp edges are shaded smooth
        mesh.use_auto_smooth, mesh.auto_smooth_angle = True, np.pi
    mesh.update()
    return mesh


def _are_sharp(mesh: bpy.types.Mesh, sharp: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """(E,) bool: which edges of the mesh are among the given pairs of vertices, (S, 2) with the smaller first."""
    pairs = np.empty(len(mesh.edges) * 2, np.int32)
    mesh.edges.foreach_get("vertices", pairs)
    # One number for each pair: vertices are counted in 16 bits.
    low_high = np.sort(pairs.reshape(-1, 2), axis=1).astype(np.int64)
    creases = sharp.astype(np.int64)
    return np.isin(low_high[:, 0] << 16 | low_high[:, 1], creases[:, 0] << 16 | creases[:, 1])


def _material(name: str, look: _Look) -> bpy.types.Material:
    """A material by name, made where the file lacks it."""
    if (known := bpy.data.materials.get(name)) is not None:
        return known
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*look["colour"], 1.0)
    if material.node_tree is None:  # before 5.0 a material begins without nodes
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*look["colour"], 1.0)
    shader.inputs["Roughness"].default_value = look["roughness"]
    shader.inputs["Metallic"].default_value = look["metallic"]
    return material
