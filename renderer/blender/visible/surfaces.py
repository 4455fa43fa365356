"""Meshes of visible twins: copies of those in the opened file, and of a place's, whose faces have materials to be seen.

A face whose material the user made keeps it. One whose material is ours (``gis_<zone>``), or that has none, gets a
material of its thermal zone, with the colour, roughness and metallic that ours tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from ...scene.place import Faces, Place
from ...visible.looks import Look
from ...zones.catalogue import ZONE_ATTRIBUTE, Zone
from ..library.filled_mesh import fill_with_faces
from .shaders import surface_material

__all__ = ["VisibleMeshes", "is_as_stored"]

_OURS = "gis_"


def is_as_stored(item: bpy.types.Object) -> bool:
    """Whether an object shows its mesh as it stands in the file."""
    return item.type == "MESH" and not item.modifiers and not item.data.shape_keys


@dataclass
class VisibleMeshes:
    """Makes meshes when they are first asked for."""

    _of_file: dict[tuple[object, ...], bpy.types.Mesh] = field(default_factory=dict)
    _of_place: dict[str, dict[str, bpy.types.Mesh]] = field(default_factory=dict)

    def of_object(self, item: bpy.types.Object, drawn: frozenset[Zone], *, leafless: bool = False) -> bpy.types.Mesh:
        """A copy of an object's mesh.

        Args:
            item: a mesh object that :func:`is_as_stored`.
            drawn: zones whose colours objects with this mesh bring along.
            leafless: leave out its leaves.
        """
        slots = tuple(slot.material.name if slot.material else "" for slot in item.material_slots)
        key = (item.data.name_full, slots, drawn, leafless)
        if key not in self._of_file:
            mesh = item.data.copy()
            if leafless:
                _drop_faces(mesh, _zones(mesh) == Zone.VEGETATION)
            _set_materials(mesh, [slot.material for slot in item.material_slots], drawn)
            self._of_file[key] = mesh
        return self._of_file[key]

    def stand_ins(self, items: Iterable[bpy.types.Object]) -> dict[bpy.types.Object, bpy.types.Object]:
        """Copies of the mesh objects that have no material at all, which have some by their thermal zones."""
        made = {}
        for item in items:
            if item.type == "MESH" and not item.hide_render and not any(slot.material for slot in item.material_slots):
                made[item] = item.copy()
                made[item].data = self.of_object(item, frozenset())
        return made

    def of_place(self, name: str, place: Place, mesh: str) -> bpy.types.Mesh:
        """A mesh of a place that was built from arrays."""
        known = self._of_place.setdefault(name, {})
        if mesh not in known:
            known[mesh] = _mesh_of(place.meshes[mesh], place)
        return known[mesh]

    def forget_places(self, but: Iterable[str]) -> None:
        """Free the meshes of places other than these."""
        for name in self._of_place.keys() - set(but):
            bpy.data.batch_remove(self._of_place.pop(name).values())


def _mesh_of(faces: Faces, place: Place) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("gis visible")
    fill_with_faces(mesh, faces)
    names = sorted(set(faces.materials))
    number = {name: k for k, name in enumerate(names)}
    slots = np.array([number[name] for name in faces.materials], np.int64) if names else np.zeros(len(faces.zones), int)
    looks = [place.looks.get(name) for name in names] or [None]
    _give(
        mesh, faces.zones.astype(np.int64), slots, lambda zone, slot: surface_material(zone, looks[slot], drawn=False)
    )
    return mesh


def _set_materials(
    mesh: bpy.types.Mesh, materials: Sequence[bpy.types.Material | None], drawn: frozenset[Zone]
) -> None:
    """Give the faces of a mesh, whose slots hold these materials, what is to be seen."""
    zones = _zones(mesh)
    slots = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    slots = np.minimum(slots, max(len(materials) - 1, 0))

    def chosen(zone: int, slot: int) -> bpy.types.Material:
        material = materials[slot] if materials else None
        if material is not None and not material.name.startswith(_OURS):
            return material
        look = None if material is None else _look_of(material)
        return surface_material(zone, look, drawn=zone in drawn)

    _give(mesh, zones, slots.astype(np.int64), chosen)


def _give(
    mesh: bpy.types.Mesh,
    zones: NDArray[np.int64],
    slots: NDArray[np.int64],
    chosen: Callable[[int, int], bpy.types.Material],
) -> None:
    """Materials by zone and slot of each face."""
    pairs, number = np.unique(zones * 65536 + slots, return_inverse=True)
    mesh.materials.clear()
    for pair in pairs.tolist():
        mesh.materials.append(chosen(*divmod(pair, 65536)))
    mesh.polygons.foreach_set("material_index", number.reshape(-1).astype(np.int32))
    mesh.update()


def _drop_faces(mesh: bpy.types.Mesh, dropped: NDArray[np.bool_]) -> None:
    edited = bmesh.new()
    edited.from_mesh(mesh)
    edited.faces.ensure_lookup_table()
    bmesh.ops.delete(edited, geom=[edited.faces[k] for k in np.flatnonzero(dropped).tolist()], context="FACES")
    edited.to_mesh(mesh)
    edited.free()


def _zones(mesh: bpy.types.Mesh) -> NDArray[np.int64]:
    attribute = mesh.attributes.get(ZONE_ATTRIBUTE)
    values = np.zeros(len(mesh.polygons), np.int32)
    if attribute is not None and attribute.domain == "FACE":
        attribute.data.foreach_get("value", values)
    return values.astype(np.int64)


def _look_of(material: bpy.types.Material) -> Look | None:
    """What a material's Principled shader says."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    shader = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if shader is None:
        return None
    red, green, blue = (float(value) for value in shader.inputs["Base Color"].default_value[:3])
    numbers = (float(shader.inputs[name].default_value) for name in ("Roughness", "Metallic"))
    return Look((red, green, blue), *numbers)
