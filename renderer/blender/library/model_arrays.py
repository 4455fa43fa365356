"""Models from a file of arrays, alike in every Blender: cars for the add-on, people and two-wheelers for the streets.

The file is a .npz. Its entry ``models`` is a JSON text that describes models, their parts and materials; each mesh NAME
has ``NAME/vertices``, ``NAME/corners``, ``NAME/sizes``, ``NAME/zones``, ``NAME/slots`` and ``NAME/sharp``
(``assets/build/arrays.py`` says what they hold). A model may have ``MODEL/key_points`` (17, 3), metres in its own axes.
A two-wheeler has ``axles`` in the text and ``MODEL/part`` (V,), the axle of each vertex from 1; a rider ``MODEL/limbs``
(V, 7), in 255ths, and ``MODEL/joints`` (7, 3): see :mod:`...scene.sequences.turning`.
"""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import SceneError
from ...scene.cars import ModelSize
from ...scene.sequences.turning import Axle, Limbs
from ...zones.catalogue import ZONE_ATTRIBUTE
from .filled_mesh import fill_mesh

if TYPE_CHECKING:
    from typing import NotRequired  # Python 3.11

__all__ = ["UNIT", "ModelLibrary"]

UNIT = "gis_unit_m"
"""Property of a collection: the length of its unit, where that is not the scene's."""
KEYS = ("vertices", "corners", "sizes", "zones", "slots", "sharp")
"""Entries of one mesh."""


class _Model(TypedDict):
    """A model: what marks its collection, and its objects."""

    marks: dict[str, str | float]
    parts: list[tuple[str, str, list[float], float]]
    """Name, mesh, location in metres, turn about z in radians."""
    axles: NotRequired[list[tuple[str, tuple[float, float, float]]]]
    """Name and place in metres of what parts of it turn about."""


class _Look(TypedDict):
    """A material: linear colour, and the shader's numbers from 0 to 1."""

    colour: tuple[float, float, float]
    roughness: float
    metallic: float


class _About(TypedDict):
    """What the file says beside the arrays."""

    models: dict[str, _Model]
    materials: dict[str, _Look]
    slots: dict[str, list[str]]
    """Materials of each mesh, by slot."""


class ModelLibrary:
    """The models of one file, of which those that are asked for are made."""

    def __init__(self, path: Path) -> None:
        """Read what the file says of its models.

        Raises:
            SceneError: it cannot be read.
        """
        self.path = path
        try:
            # It stays open: thousands of entries take a tenth of a second to list.
            self._stored = np.load(path, allow_pickle=False)
            self._about: _About = json.loads(str(self._stored["models"]))
            self._entries = frozenset(self._stored.files)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SceneError(f"{path}: no models could be read ({error}): expected a file of model arrays") from error
        self._made: dict[str, bpy.types.Collection] = {}
        self._apart: dict[str, list[tuple[bpy.types.Object, Axle | None]]] = {}

    def close(self) -> None:
        """Close the file; no model can be read from it after that."""
        self._stored.close()

    @property
    def names(self) -> list[str]:
        """Of all models, sorted."""
        return sorted(self._about["models"])

    @functools.cached_property
    def sizes(self) -> tuple[ModelSize, ...]:
        """Categories and outer sizes of all models, by name."""
        return tuple(self._size(name, self._about["models"][name]["marks"]) for name in self.names)

    def _size(self, name: str, marks: dict[str, str | float]) -> ModelSize:
        try:
            length, width, height = (float(marks[f"gis_{side}_m"]) for side in ("length", "width", "height"))
            share, rides = float(marks.get("gis_share", 1.0)), str(marks.get("gis_rides", ""))
            clo = float(marks["gis_clo"]) if "gis_clo" in marks else None
            carries, category = str(marks.get("gis_carries", "")), str(marks["gis_category"])
            return ModelSize(name, category, length, width, height, rides, share, clo, carries)
        except KeyError as error:
            raise SceneError(f"{self.path}: model {name!r} has no {error}: expected a category and a size") from None

    def key_points_m(self, name: str) -> NDArray[np.float64] | None:
        """COCO's key points (17, 3) of a model in its own axes, None where it has none."""
        entry = f"{name}/key_points"
        if entry not in self._entries:
            return None
        return np.asarray(self._stored[entry], dtype=np.float64)

    def limbs(self, name: str) -> Limbs | None:
        """What of a rider follows the pedals, None where that is not known."""
        if f"{name}/limbs" not in self._entries:
            return None
        weights, joints = (self._stored[f"{name}/{key}"] for key in ("limbs", "joints"))
        return Limbs(weights.astype(np.float32) / np.float32(255.0), joints.astype(np.float64))

    def turning(self, name: str) -> list[tuple[bpy.types.Object, Axle | None]] | None:
        """A model of one mesh taken apart: what keeps still, then what turns about each axle.

        None where nothing of it does. The objects are in no collection; they are made once in each opened file.
        """
        model = self._about["models"][name]
        if f"{name}/part" not in self._entries:
            return None
        if name not in self._apart:
            arrays = {key: self._stored[f"{name}/{key}"] for key in KEYS}
            part = self._stored[f"{name}/part"][arrays["corners"][_starts(arrays["sizes"])]]
            axles = [None, *(Axle(axle, (x, y, z)) for axle, (x, y, z) in model["axles"])]
            items = []
            for number, axle in enumerate(axles):
                own = name if axle is None else f"{name}.{axle.name}"
                mesh = _mesh(own, _some_faces(arrays, part == number))
                for material in self._about["slots"][name]:
                    mesh.materials.append(_material(material, self._about["materials"][material]))
                items.append(bpy.data.objects.new(own, mesh))
            self._apart[name] = list(zip(items, axles, strict=True))
        return self._apart[name]

    def collection(self, name: str) -> bpy.types.Collection:
        """A model as a collection that no scene shows, in metres, made once in each opened file."""
        if name not in self._made:
            self._made |= self.add([name])
            self._made[name][UNIT] = 1.0
        return self._made[name]

    def add(self, names: Iterable[str]) -> dict[str, bpy.types.Collection]:
        """Add models to the opened file; new ones at each call.

        Args:
            names: some of :attr:`names`.

        Returns:
            collections by name.
        """
        made = {}
        for name in sorted(names):
            model = self._about["models"][name]
            used = sorted({mesh for _, mesh, _, _ in model["parts"]})
            meshes = {mesh: _mesh(mesh, {key: self._stored[f"{mesh}/{key}"] for key in KEYS}) for mesh in used}
            for mesh in used:
                for material in self._about["slots"][mesh]:
                    meshes[mesh].materials.append(_material(material, self._about["materials"][material]))
            made[name] = _collection(name, model, meshes)
        return made


def _collection(name: str, model: _Model, meshes: dict[str, bpy.types.Mesh]) -> bpy.types.Collection:
    """The model's objects, body and wheels, and its marks."""
    collection = bpy.data.collections.new(name)
    for key, value in model["marks"].items():
        collection[key] = value
    for part, mesh, location, turned in model["parts"]:
        item = bpy.data.objects.new(part, meshes[mesh])
        item.location, item.rotation_euler = location, (0.0, 0.0, turned)
        collection.objects.link(item)
    return collection


def _mesh(name: str, arrays: dict[str, NDArray[Any]]) -> bpy.types.Mesh:
    """A smooth mesh with sharp creases, material slots and thermal zones."""
    mesh = bpy.data.meshes.new(name)
    fill_mesh(mesh, arrays["vertices"], arrays["corners"], arrays["sizes"], smooth=True)
    mesh.polygons.foreach_set("material_index", arrays["slots"].astype(np.int32))
    mesh.edges.foreach_set("use_edge_sharp", _are_sharp(mesh, arrays["sharp"]))
    attribute = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
    attribute.data.foreach_set("value", arrays["zones"].astype(np.int32))
    if hasattr(mesh, "use_auto_smooth"):  # before 4.1: without it, sharp edges are shaded smooth
        mesh.use_auto_smooth, mesh.auto_smooth_angle = True, np.pi
    mesh.update()
    return mesh


def _starts(sizes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(F,) where each face's corners begin."""
    return np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)])


def _some_faces(arrays: dict[str, NDArray[Any]], chosen: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """The arrays of a mesh with some of its faces and their vertices."""
    corners = arrays["corners"][np.repeat(chosen, arrays["sizes"])]
    used, corners = np.unique(corners, return_inverse=True)
    number = np.full(len(arrays["vertices"]), -1, np.int64)
    number[used] = np.arange(len(used))
    sharp = number[arrays["sharp"].astype(np.int64)]
    faces = {key: arrays[key][chosen] for key in ("sizes", "zones", "slots")}
    kept = sharp[(sharp >= 0).all(axis=1)].astype(np.uint16)
    return {**faces, "vertices": arrays["vertices"][used], "corners": corners.astype(np.uint16), "sharp": kept}


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
