"""Assign, guess, count and select thermal zones."""

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONES, parse_zone, zone_palette

from ..data import mesh_zones
from ..translations import count_of, say
from ..ui import overlay
from ..ui.availability import parts_of, why_not_editable, why_not_one_mesh
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
    items = [item for item in context.selected_objects if parts_of(item)]
    items = items or [item for item in context.scene.objects if parts_of(item)]
    counts = mesh_zones.count_zones([part for item in items for part in parts_of(item)])
    is_one = len(items) == 1 and items[0].select_get()
    settings.zone_rows_of = items[0].name if is_one else count_of(len(items), "object")
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
        items = [item for item in items if not why_not_one_mesh(item)]
    else:
        items = list(editable_meshes(context))
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
        """A mesh of this file with faces is active, or a copy of a model that has some."""
        return not refuses(cls, why_not_editable(context.active_object))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Assign, count, report."""
        if self.target != "OBJECT" and (reason := why_not_one_mesh(context.active_object)):
            raise Refused(say(reason))
        if self.target == "MATERIAL" and context.active_object.active_material is None:
            raise Refused(say("The active object has no material: add one, or assign to the whole object"))
        zone = parse_zone(context.scene.gis_thermal.zone)
        with _object_mode(context):
            count = _assign(context, self.target, int(zone))
            refresh_rows(context)
        if not count:
            raise Refused(say("No face is selected: select faces in edit mode"))
        self.report({"INFO"}, say("{faces}: {zone}", faces=count_of(count, "face"), zone=zone.name.lower()))
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
        """A mesh of this file with faces is active, or a copy of a model that has some."""
        return not refuses(cls, why_not_editable(context.active_object))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Guess, count, report."""
        from renderer.blender.objects import labels_of_scene

        labels = labels_of_scene(context.view_layer.objects)
        how: dict[str, int] = {"materials": 0, "geometry": 0}
        with _object_mode(context):
            meshes = {item.data: (item, holder) for item, holder in editable_meshes(context).items()}
            for item, holder in meshes.values():
                marked = labels.category_at(item, () if holder == item else (holder,))
                found = {"CAR": "car", "STREET": None}.get(self.kind, marked)
                zones, source = mesh_zones.guess(item, found, keep=self.keep)
                mesh_zones.write(item.data, zones)
                how[source] += 1
            refresh_rows(context)
        objects = count_of(how["materials"], "object")
        text = say("Zones of {m} from materials, of {g} from shape", m=objects, g=how["geometry"])
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
        has_mesh = any(parts_of(item) for item in context.scene.objects)
        return not refuses(cls, "" if has_mesh else "The scene has no mesh")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Count, report."""
        with _object_mode(context):
            left = refresh_rows(context)
        self.report({"INFO"}, say("{faces} without a zone", faces=count_of(left, "face")))
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
        return not refuses(cls, why_not_one_mesh(context.active_object))

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
        self.report({"INFO"}, say("{faces} selected", faces=count_of(int(chosen.sum()), "face")))
        return {"FINISHED"}


def _take_out(holder: bpy.types.Object) -> list[bpy.types.Object]:
    """Put objects of their own, with the same meshes, in the place of a copy of a model; returns the meshes.

    The empty that showed the model stays their parent and keeps its mark, so they are still one labelled object.
    """
    model = holder.instance_collection
    inner = list(model.all_objects)
    outer = {item: item.copy() for item in inner}
    for item, own in outer.items():
        for home in holder.users_collection:
            home.objects.link(own)
        if item.parent in outer:
            own.parent = outer[item.parent]
        else:
            own.parent, own.parent_type = holder, "OBJECT"
            own.matrix_parent_inverse.identity()
            own.matrix_basis = Matrix.Translation(model.instance_offset).inverted() @ item.matrix_world
    holder.instance_type, holder.instance_collection = "NONE", None
    return [own for own in outer.values() if own.type == "MESH"]


class GIS_OT_edit_faces(bpy.types.Operator):
    """Edit the faces of a copy of a model: select faces and give them zones. All copies of the model share them"""

    bl_idname = "gis.edit_faces"
    bl_label = "Edit Faces"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A mesh with faces, or a copy of a model that has some, is active in object mode."""
        item = context.active_object
        reason = "" if context.mode == "OBJECT" else "Leave edit mode first"
        return not refuses(cls, reason or why_not_editable(item))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the model's parts out of the copy where it is one, select them, enter edit mode."""
        holder = context.active_object
        parts = [holder] if holder.type == "MESH" else _take_out(holder)
        context.view_layer.update()
        for other in context.selected_objects:
            other.select_set(False)
        parts = [part for part in parts if not why_not_one_mesh(part)]
        for part in parts:
            part.select_set(True)
        context.view_layer.objects.active = max(parts, key=lambda part: len(part.data.polygons))
        context.tool_settings.mesh_select_mode = (False, False, True)
        bpy.ops.object.mode_set(mode="EDIT")
        self.report({"INFO"}, say("Select faces, choose a zone, press Faces"))
        return {"FINISHED"}


CLASSES = (GIS_OT_assign_zone, GIS_OT_guess_zones, GIS_OT_count_zones, GIS_OT_select_zone, GIS_OT_edit_faces)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
