"""Thermal zones of a mesh: from its face attribute, else its materials' names, else its shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import bpy
import numpy as np
from numpy.typing import NDArray

from ..geometry.damage import FARTHEST
from ..zones.bodies import guess_body_zones, zone_of_body_from_name
from ..zones.catalogue import ZONE_ATTRIBUTE, Zone
from ..zones.categories import BUILT_LIKE_CARS
from ..zones.guess import guess_car_zones
from ..zones.names import zone_from_name

__all__ = ["Zoning", "assign_zones", "zones_of_faces"]


@dataclass(frozen=True)
class Zoning:
    """Zones of a mesh's faces, and how they were found."""

    zones: NDArray[np.uint8]
    """(F,) one per polygon."""
    how: Literal["attribute", "materials", "geometry"]


def zones_of_faces(
    mesh: bpy.types.Mesh, name: str, materials: Sequence[bpy.types.Material | None], category: str | None
) -> Zoning:
    """Zone of every polygon of an evaluated mesh.

    Args:
        mesh: evaluated mesh.
        name: the object's name, which tells of wheels and glass where materials do not.
        materials: the object's material slots (those of the object win over those of the mesh).
        category: of the labelled object that the mesh belongs to; None where it belongs to none.
    """
    count = len(mesh.polygons)
    attribute = mesh.attributes.get(ZONE_ATTRIBUTE)
    if attribute is not None and attribute.domain == "FACE" and attribute.data_type in ("INT", "INT8"):
        values = np.empty(count, np.int32)
        attribute.data.foreach_get("value", values)
        return Zoning(np.clip(values, 0, 255).astype(np.uint8), "attribute")
    if category is not None and category not in BUILT_LIKE_CARS:
        return _zones_of_body(mesh, name, materials, category)
    return _zones_of_car_or_street(mesh, name, materials, on_car=category is not None)


def _zones_by_material(mesh: bpy.types.Mesh, by_slot: Sequence[Zone | None]) -> NDArray[np.uint8]:
    """(F,) zones of the faces' material slots, 0 for none."""
    slots = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    table = np.array([0 if zone is None else zone for zone in by_slot] or [0], dtype=np.uint8)
    return np.asarray(table[np.clip(slots, 0, len(table) - 1)])


def _zones_of_car_or_street(
    mesh: bpy.types.Mesh, name: str, materials: Sequence[bpy.types.Material | None], *, on_car: bool
) -> Zoning:
    by_slot = [zone_from_name(material.name, on_car=on_car) if material else None for material in materials]
    zones = _zones_by_material(mesh, by_slot)
    named = set(by_slot) - {None, Zone.BODY}
    rest = _guess_from_shape(mesh, name) if on_car else np.full(len(mesh.polygons), _rest(name), np.uint8)
    if on_car and Zone.GLASS not in named:
        # Materials that name no glass do not part the windows from the paint: "body" may mean either.
        zones[zones == Zone.BODY] = 0
    elif on_car:
        rest = np.where(rest == Zone.GLASS, np.uint8(Zone.BODY), rest)
    return Zoning(np.where(zones == 0, rest, zones), "materials" if named else "geometry")


def _zones_of_body(
    mesh: bpy.types.Mesh, name: str, materials: Sequence[bpy.types.Material | None], category: str
) -> Zoning:
    """Of people, animals and two-wheelers."""
    by_slot = [zone_of_body_from_name(material.name, category) if material else None for material in materials]
    zones = _zones_by_material(mesh, by_slot)
    whole = zone_of_body_from_name(name, category)
    heights = np.empty(len(mesh.polygons) * 3, np.float32)
    mesh.polygons.foreach_get("center", heights)
    rest = guess_body_zones(heights.reshape(-1, 3)[:, 2], category)
    if whole is not None:
        rest = np.full_like(rest, whole)
    return Zoning(np.where(zones == 0, rest, zones), "materials" if set(by_slot) - {None} else "geometry")


def assign_zones(
    objects: Iterable[tuple[bpy.types.Object, Sequence[bpy.types.Object]]],
    category_at: Callable[[bpy.types.Object, Sequence[bpy.types.Object]], str | None],
) -> dict[str, str]:
    """Give every mesh that has no zones its zones, as the face attribute (in memory).

    Args:
        objects: mesh objects, each with the objects that instance it, outermost first.
        category_at: category of the labelled object that an object belongs to; None for none.

    Returns:
        how (``materials`` or ``geometry``) the zones of labelled objects were found, by object name.
    """
    how: dict[str, str] = {}
    for item, instancers in objects:
        mesh = item.data
        category = category_at(item, instancers)
        if ZONE_ATTRIBUTE in mesh.attributes or any(slot.link == "OBJECT" for slot in item.material_slots):
            continue
        zoning = zones_of_faces(mesh, item.name, list(mesh.materials), category)
        attribute = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
        attribute.data.foreach_set("value", zoning.zones.astype(np.int32))
        if category is not None and len(mesh.polygons):
            how[str(item.name)] = zoning.how
    return how


def _rest(name: str) -> Zone:
    """Zone of what no material names in the environment: what the object's own name tells, else a building's."""
    return zone_from_name(name, on_car=False) or Zone.BUILDING


def _guess_from_shape(mesh: bpy.types.Mesh, name: str) -> NDArray[np.uint8]:
    named = zone_from_name(name, on_car=True)
    if named not in (None, Zone.BODY):
        return np.full(len(mesh.polygons), named, np.uint8)
    centres = np.empty(len(mesh.polygons) * 3, np.float32)
    normals = np.empty(len(mesh.polygons) * 3, np.float32)
    positions = np.empty(len(mesh.vertices) * 3, np.float32)
    areas = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", areas)
    mesh.polygons.foreach_get("center", centres)
    mesh.polygons.foreach_get("normal", normals)
    mesh.vertices.foreach_get("co", positions)
    for values in (centres, normals, areas, positions):
        values[~(np.abs(values) <= FARTHEST)] = 0.0  # what is damaged is not drawn, and shall not part the others
    return guess_car_zones(centres.reshape(-1, 3), normals.reshape(-1, 3), positions.reshape(-1, 3), areas)
