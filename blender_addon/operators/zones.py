"""Assign, guess, count and select thermal zones."""

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONES, parse_zone, zone_palette

from ..data import mesh_zones
from ..translations import say
from ..ui import overlay
from ..ui.availability import why_not_editable
from .common import Refused, editable_meshes, refuses, reports_errors

__all__ = ["refresh_rows", "register", "unregister"]

_TARGETS = [
    ("FACES", "Selected Faces", "The faces that are selected in edit mode"),
    ("MATERIAL", "Material", "All faces with the active material, in every object that uses it"),
    ("OBJECT", "Whole Object", "All faces of the selected objects"),
]


@contextlib.contextmanager
def _object_mode(context: bpy.types.Context) -> Iterator[None]:
    """Leave edit mode for a moment: attributes can only be written outside it."""
    mode = context.active_object.mode if context.active_object else "OBJECT"
    if mode == "EDIT":
        bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        if mode == "EDIT":
            bpy.ops.object.mode_set(mode="EDIT")


def refresh_rows(context: bpy.types.Context) -> int:
    """Count zones of the selected meshes (of all if none is selected) into the panel's list; returns what has none."""
    settings = context.scene.gis_thermal
    overlay.refresh(context.scene)
    chosen = [item for item in context.selected_objects if item.type == "MESH"]
    everything = [item for item in context.scene.objects if item.type == "MESH"]
    counts = mesh_zones.count_zones(chosen or everything)
    settings.zone_rows_of = chosen[0].name if len(chosen) == 1 else say("{n} objects", n=len(chosen or everything))
    settings.zone_rows.clear()
    palette = zone_palette()
    names = {int(row.zone): row.name for row in ZONES}
    for zone in np.flatnonzero(counts).tolist():
        row = settings.zone_rows.add()
        row.name = names.get(zone, str(zone)) if zone else say("unassigned")
        row.zone, row.faces = zone, int(counts[zone])
        row.color = tuple(palette[zone] / 255.0)
    return int(counts[0])


def _faces_with_material(item: bpy.types.Object, material: bpy.types.Material) -> NDArray[np.bool_]:
    slots = np.array([slot.material == material for slot in item.material_slots] or [False])
    return slots[np.clip(mesh_zones.material_of(item.data), 0, len(slots) - 1)]


def _assign(context: bpy.types.Context, target: str, zone: int) -> int:
    """Write a zone to faces, material or objects; returns how many faces got it."""
    if target == "MATERIAL":
        material = context.active_object.active_material
        items = [i for i in bpy.data.objects if i.type == "MESH" and material in [s.material for s in i.material_slots]]
        items = [item for item in items if not why_not_editable(item)]
    else:
        items = editable_meshes(context)
    count = 0
    for mesh, item in {item.data: item for item in items}.items():
        where = np.ones(len(mesh.polygons), np.bool_)
        if target == "FACES":
            where = mesh_zones.selected_faces(mesh)
        elif target == "MATERIAL":
            where = _faces_with_material(item, material)
        if where.any():
            mesh_zones.write(mesh, np.where(where, zone, mesh_zones.read(mesh)))
        count += int(where.sum())
    return count


class GIS_OT_assign_zone(bpy.types.Operator):
    """Give faces the chosen thermal zone"""

    bl_idname = "gis.assign_zone"
    bl_label = "Assign Zone"
    bl_options = {"REGISTER", "UNDO"}

    target: bpy.props.EnumProperty(name="To", description="What gets the zone", items=_TARGETS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A mesh of this file with faces is active."""
        return not refuses(cls, why_not_editable(context.active_object))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Assign, count, report."""
        if self.target == "MATERIAL" and context.active_object.active_material is None:
            raise Refused(say("The active object has no material: add one, or assign to the whole object"))
        zone = parse_zone(context.scene.gis_thermal.zone)
        with _object_mode(context):
            count = _assign(context, self.target, int(zone))
            refresh_rows(context)
        if not count:
            raise Refused(say("No face is selected: select faces in edit mode"))
        self.report({"INFO"}, say("{n} faces are {zone} now", n=count, zone=zone.name.lower()))
        return {"FINISHED"}


class GIS_OT_guess_zones(bpy.types.Operator):
    """Guess the zones of the selected objects from their materials' names, then from their shape"""

    bl_idname = "gis.guess_zones"
    bl_label = "Guess Zones"
    bl_options = {"REGISTER", "UNDO"}

    keep: bpy.props.BoolProperty(
        name="Keep Assigned", description="Leave faces that have a zone as they are", default=True
    )
    kind: bpy.props.EnumProperty(
        name="As",
        description="What the objects are parts of",
        items=[
            ("AUTO", "Automatic", "What it is marked or named as, else the street"),
            ("CAR", "Car", "Parts of a car"),
            ("STREET", "Street", "Parts of the street"),
        ],
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A mesh of this file with faces is active."""
        return not refuses(cls, why_not_editable(context.active_object))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Guess, count, report."""
        from renderer.blender.objects import labels_of_scene

        labels = labels_of_scene(context.view_layer.objects)
        how: dict[str, int] = {"materials": 0, "geometry": 0}
        with _object_mode(context):
            for item in {item.data: item for item in editable_meshes(context)}.values():
                found = {"CAR": "car", "STREET": None}.get(self.kind, labels.category_at(item))
                zones, source = mesh_zones.guess(item, found, keep=self.keep)
                mesh_zones.write(item.data, zones)
                how[source] += 1
            refresh_rows(context)
        text = say("Zones of {m} objects from materials, of {g} from shape", m=how["materials"], g=how["geometry"])
        self.report({"INFO"}, text)
        return {"FINISHED"}


class GIS_OT_count_zones(bpy.types.Operator):
    """Count the faces of each zone in the selected objects, or in the whole scene"""

    bl_idname = "gis.count_zones"
    bl_label = "Count Zones"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a mesh."""
        has_mesh = any(item.type == "MESH" for item in context.scene.objects)
        return not refuses(cls, "" if has_mesh else "The scene has no mesh")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Count, report."""
        with _object_mode(context):
            left = refresh_rows(context)
        self.report({"INFO"}, say("{n} faces have no zone", n=left))
        return {"FINISHED"}


class GIS_OT_select_zone(bpy.types.Operator):
    """Select the faces of a zone in the active object"""

    bl_idname = "gis.select_zone"
    bl_label = "Select Zone"
    bl_options = {"REGISTER", "UNDO"}

    zone: bpy.props.IntProperty(name="Zone", description="Number of the zone, 0 selects what has none", min=0, max=255)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A mesh of this file with faces is active."""
        return not refuses(cls, why_not_editable(context.active_object))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Select, report."""
        with _object_mode(context):
            # In vertex mode entering edit mode would select by vertices again.
            context.tool_settings.mesh_select_mode = (False, False, True)
            mesh = context.active_object.data
            chosen = mesh_zones.read(mesh) == self.zone
            mesh.vertices.foreach_set("select", np.zeros(len(mesh.vertices), np.bool_))
            mesh.edges.foreach_set("select", np.zeros(len(mesh.edges), np.bool_))
            mesh.polygons.foreach_set("select", chosen)
            mesh.update()
        self.report({"INFO"}, say("{n} faces selected", n=int(chosen.sum())))
        return {"FINISHED"}


CLASSES = (GIS_OT_assign_zone, GIS_OT_guess_zones, GIS_OT_count_zones, GIS_OT_select_zone)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
