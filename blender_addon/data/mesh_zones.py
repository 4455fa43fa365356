"""Zones of a mesh as an array: read, write, guess, count."""

import bpy
import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONE_ATTRIBUTE

__all__ = ["count_zones", "guess", "material_of", "read", "selected_faces", "write"]


def read(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    """(F,) int32 zones; 0 where none is assigned."""
    values = np.zeros(len(mesh.polygons), np.int32)
    attribute = mesh.attributes.get(ZONE_ATTRIBUTE)
    if attribute is not None and attribute.domain == "FACE" and attribute.data_type in ("INT", "INT8"):
        attribute.data.foreach_get("value", values)
    return values


def write(mesh: bpy.types.Mesh, values: NDArray[np.int32]) -> None:
    """Store zones, (F,) int32, as the face attribute."""
    attribute = mesh.attributes.get(ZONE_ATTRIBUTE)
    if attribute is not None and (attribute.domain != "FACE" or attribute.data_type != "INT"):
        mesh.attributes.remove(attribute)
        attribute = None
    if attribute is None:
        attribute = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
    attribute.data.foreach_set("value", np.ascontiguousarray(values, dtype=np.int32))
    mesh.update()


def selected_faces(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    """(F,) bool."""
    chosen = np.empty(len(mesh.polygons), np.bool_)
    mesh.polygons.foreach_get("select", chosen)
    return chosen


def material_of(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    """(F,) int32 slot of each face's material."""
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    return slots


def guess(item: bpy.types.Object, category: str | None, *, keep: bool) -> tuple[NDArray[np.int32], str]:
    """Zones by materials, then by shape.

    Args:
        item: mesh object.
        category: of the labelled object that it is part of; None for the street.
        keep: leave faces that have a zone.

    Returns:
        (F,) int32, and ``materials`` or ``geometry``.
    """
    from renderer.blender.zoning import zones_of_faces

    mesh = item.data
    old = read(mesh)
    if ZONE_ATTRIBUTE in mesh.attributes:
        mesh.attributes.remove(mesh.attributes[ZONE_ATTRIBUTE])
    try:
        materials = [slot.material for slot in item.material_slots]
        zoning = zones_of_faces(mesh, item.name, materials, category)
    finally:
        write(mesh, old)
    new = zoning.zones.astype(np.int32)
    return (np.where(old > 0, old, new) if keep else new), zoning.how


def count_zones(items: list[bpy.types.Object]) -> NDArray[np.int64]:
    """(256,) faces of each zone in some objects; a mesh that several share counts once."""
    meshes = {item.data.name: item.data for item in items}.values()
    counts = np.zeros(256, np.int64)
    for mesh in meshes:
        counts += np.bincount(np.clip(read(mesh), 0, 255), minlength=256)
    return counts
