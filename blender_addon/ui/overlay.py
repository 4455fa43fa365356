"""Colours on the meshes themselves: zones, or the predicted apparent temperature of each face."""

import bpy
import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import FIRST_ENVIRONMENT_ZONE, ZONES, zone_palette

from .. import adapter
from ..data import mesh_zones
from ..data.thermal_image import ThermalSettings

__all__ = ["ATTRIBUTE", "SCALE", "clear", "refresh", "show_temperatures", "show_zones", "zone_colors", "zone_names"]

ATTRIBUTE = "gis_overlay"
_LEFT_OUT = 0.02
"""Share of the area whose temperatures may lie beyond either end of the scale: exhausts and mirrors."""
# Ends and middle of an iron-like scale: black, violet, orange, yellow, white.
SCALE = np.array([[0, 0, 0], [0.3, 0, 0.45], [0.85, 0.25, 0.15], [1, 0.75, 0.1], [1, 1, 0.9]], np.float32)

Meshes = dict[bpy.types.Mesh, tuple[bpy.types.Object, bpy.types.Object]]
"""Meshes, each with an object that has it, and the object of the scene that shows that."""


def zone_colors() -> NDArray[np.float32]:
    """(256, 3) sRGB 0-1 of each zone; magenta where none is assigned."""
    palette: NDArray[np.float32] = zone_palette().astype(np.float32) / 255
    palette[0] = 1, 0, 1
    return palette


def zone_names() -> dict[int, str]:
    """Zones' names by number."""
    return {int(row.zone): row.name.replace("_", " ") for row in ZONES[1:]}


def _meshes(scene: bpy.types.Scene) -> Meshes:
    """Meshes of this file that the scene shows, with an object that has each, instanced collections included.

    Not those in edit mode: what is written to them is lost when it is left.
    """
    meshes: Meshes = {}
    for item in scene.objects:
        inner = item.instance_collection.all_objects if item.instance_type == "COLLECTION" else []
        for part in [item, *(inner or [])]:
            if part.type == "MESH" and not part.data.library and not part.data.is_editmode and len(part.data.polygons):
                meshes.setdefault(part.data, (part, item))
    return meshes


def _paint(mesh: bpy.types.Mesh, colors: NDArray[np.float32]) -> None:
    """Give each face of a mesh its colour, (F, 3) sRGB."""
    attribute = mesh.color_attributes.get(ATTRIBUTE)
    if attribute is None:
        attribute = mesh.color_attributes.new(ATTRIBUTE, "BYTE_COLOR", "CORNER")
    counts = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", counts)
    rgba = np.ones((len(mesh.loops), 4), np.float32)
    rgba[:, :3] = np.repeat(colors, counts, axis=0)
    attribute.data.foreach_set("color_srgb", rgba.ravel())
    mesh.color_attributes.active_color = attribute
    mesh.update()


def clear(scene: bpy.types.Scene) -> int:
    """Remove the colours; returns from how many meshes."""
    count = 0
    for mesh in _meshes(scene):
        attribute = mesh.color_attributes.get(ATTRIBUTE)
        if attribute is not None:
            mesh.color_attributes.remove(attribute)
            count += 1
    scene.gis_thermal.overlay = ""
    return count


def show_zones(scene: bpy.types.Scene) -> int:
    """Paint the zones, magenta where none is assigned; returns how many meshes."""
    palette, meshes, present = zone_colors(), _meshes(scene), set()
    for mesh in meshes:
        zones = np.clip(mesh_zones.read(mesh), 0, 255)
        present.update(np.unique(zones).tolist())
        _paint(mesh, palette[zones])
    scene.gis_thermal.overlay, scene.gis_thermal.overlay_zones = "ZONES", " ".join(map(str, sorted(present)))
    return len(meshes)


def _normals(mesh: bpy.types.Mesh, item: bpy.types.Object) -> NDArray[np.float64]:
    """(F, 3) unit normals in the world."""
    flat = np.empty(len(mesh.polygons) * 3, np.float32)
    mesh.polygons.foreach_get("normal", flat)
    turn = np.linalg.inv(np.array(item.matrix_world.to_3x3(), dtype=np.float64)).T
    normals = flat.reshape(-1, 3) @ turn.T
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _areas(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """(F,) areas of the faces, m2 where the object is not scaled."""
    areas = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", areas)
    return areas


def _span(values: NDArray[np.float64], weights: NDArray[np.float32]) -> tuple[float, float]:
    """Temperatures between which all but a fiftieth of the area at either end lies."""
    order = np.argsort(values)
    share = np.cumsum(weights[order], dtype=np.float64)
    low, high = np.searchsorted(share, np.array([_LEFT_OUT, 1 - _LEFT_OUT]) * share[-1])
    return values[order[low]], values[order[min(high, len(order) - 1)]]


def _range(
    kelvin: dict[bpy.types.Mesh, NDArray[np.float64]], zones: dict[bpy.types.Mesh, NDArray[np.uint8]]
) -> tuple[float, float]:
    """Ends of the scale for temperatures by mesh: cars and street each fill it, so neither hides the other.

    A street has a thousand times the area of a car, and a car's exhaust more faces than its roof.
    """
    low, high = np.inf, -np.inf
    car_meshes = {mesh for mesh in kelvin if ((zones[mesh] > 0) & (zones[mesh] < FIRST_ENVIRONMENT_ZONE)).any()}
    for is_car in (False, True):
        group = [mesh for mesh in kelvin if (mesh in car_meshes) == is_car]
        if group:
            values = np.concatenate([kelvin[mesh] for mesh in group])
            ends = _span(values, np.concatenate([_areas(mesh) for mesh in group]))
            low, high = min(low, ends[0]), max(high, ends[1])
    return float(low), max(float(high), float(low) + 1.0)


def show_temperatures(scene: bpy.types.Scene) -> int:
    """Paint the predicted apparent temperature under the panel's conditions; returns how many meshes."""
    from renderer.thermal.faces import face_temperatures_K

    settings = scene.gis_thermal
    conditions, meshes, kelvin, zones = ThermalSettings.of_scene(scene).conditions(), _meshes(scene), {}, {}
    for mesh, (item, holder) in meshes.items():
        own = str(holder.get("gis_profile") or "driving") if settings.profile == "EACH" else settings.profile
        own = own if own in adapter.profiles().cars else "driving"
        zones[mesh] = np.clip(mesh_zones.read(mesh), 0, 255).astype(np.uint8)
        normals = _normals(mesh, item)
        kelvin[mesh] = face_temperatures_K(zones[mesh], normals, conditions, adapter.profiles(), own)
    if not meshes:
        return 0
    low, high = _range(kelvin, zones)
    for mesh, values in kelvin.items():
        share = np.clip((values - low) / (high - low), 0, 1) * (len(SCALE) - 1)
        colors = [np.interp(share, np.arange(len(SCALE)), SCALE[:, k]) for k in range(3)]
        _paint(mesh, np.stack(colors, axis=1).astype(np.float32))
    settings.overlay_low_C, settings.overlay_high_C = low - 273.15, high - 273.15
    settings.overlay = "TEMPERATURE"
    return len(meshes)


def refresh(scene: bpy.types.Scene) -> None:
    """Paint again what is shown, after zones, hour or weather have changed; nothing where no overlay is shown."""
    paint = {"ZONES": show_zones, "TEMPERATURE": show_temperatures}.get(scene.gis_thermal.overlay)
    if paint:
        paint(scene)
