"""Add and mark cars, add camera rigs, scatter traffic."""

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from .. import adapter, shipped
from ..translations import say
from .common import Refused, refuses, reports_errors, why_no_room

__all__ = ["register", "unregister"]

_CAMERA_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Blender's camera looks along -z with y up; the renderer's along +z with y down."""
_SHIPPED: list[tuple[str, str, str]] = []
"""Blender does not keep the strings of an enumeration: they must live here."""


def _shipped_cars(_self, _context):
    """Rows of the shipped cars, read from the file once."""
    if not _SHIPPED:
        _SHIPPED.extend((name, name.replace("_", " ").capitalize(), "") for name in shipped.model_names())
    return _SHIPPED


def _models(names=None):
    """Car models of this file by name, after adding the shipped ones that are named (None: all) and missing."""
    found = adapter.renderer("blender.traffic").model_collections
    missing = set(shipped.model_names() if names is None else names) - set(found())
    shipped.add_models(missing)
    return found()


def _place(context, model, profile="driving"):
    """An empty that shows a model at the 3-D cursor, marked and selected."""
    item = bpy.data.objects.new(str(model.get("gis_model", model.name)), None)
    item.instance_type, item.instance_collection = "COLLECTION", model
    item["gis_category"], item["gis_model"] = str(model["gis_category"]), str(model.get("gis_model", model.name))
    item["gis_profile"] = profile
    context.collection.objects.link(item)
    item.location = context.scene.cursor.location
    for other in context.selected_objects:
        other.select_set(False)
    item.select_set(True)
    context.view_layer.objects.active = item
    return item


class GIS_OT_add_car(bpy.types.Operator):
    """Add one of the shipped cars at the 3-D cursor"""

    bl_idname = "gis.add_car"
    bl_label = "Add Car"
    bl_options = {"REGISTER", "UNDO"}

    model: bpy.props.EnumProperty(name="Car", description="Shipped car", items=_shipped_cars)

    @classmethod
    def poll(cls, context):
        """Cars are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context):
        """Load, place, report."""
        item = _place(context, _models({self.model})[self.model])
        self.report({"INFO"}, say("Added {name}", name=item.name))
        return {"FINISHED"}


class GIS_OT_import_car(bpy.types.Operator):
    """Import a car model, turn, scale and stand it on the ground, and add it at the 3-D cursor"""

    bl_idname = "gis.import_car"
    bl_label = "Import Car"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        """A file is named, and there is a place for the car."""
        named = bool(context.scene.gis_thermal.car_file)
        return not refuses(cls, why_no_room(context) or ("" if named else "Choose a model file first"))

    @reports_errors
    def execute(self, context):
        """Import, place, report."""
        path = Path(bpy.path.abspath(context.scene.gis_thermal.car_file))
        models, notes = adapter.renderer("blender.models").load_models(path)
        for model in models.values():
            _place(context, model)
            for part in model.all_objects:
                if "thermal_zone" not in part.data.attributes:
                    adapter.renderer("blender.zoning").assign_zones([(part, None)], lambda *_: True)
        self.report({"INFO"}, "; ".join(notes) or say("Imported {n} cars", n=len(models)))
        return {"FINISHED"}


def _markable(context):
    """What gets the mark: the instanced collection's empty or the selected objects' topmost parents."""
    tops = {}
    for item in context.selected_objects:
        while item.parent is not None:
            item = item.parent
        tops[item.name] = item
    return list(tops.values())


class GIS_OT_mark_car(bpy.types.Operator):
    """Mark the selected objects, or the active collection, as a car of the chosen category"""

    bl_idname = "gis.mark_car"
    bl_label = "Mark as Car"
    bl_options = {"REGISTER", "UNDO"}

    what: bpy.props.EnumProperty(
        name="What",
        description="What is the car",
        items=[
            ("OBJECTS", "Selected Objects", "Each selected object with its children"),
            ("COLLECTION", "Active Collection", "The collection that is active in the outliner"),
        ],
    )
    clear: bpy.props.BoolProperty(name="Clear", description="Take the mark away instead")

    @classmethod
    def poll(cls, context):
        """Something is selected."""
        return not refuses(cls, "" if context.selected_objects or context.collection else "Select an object")

    @reports_errors
    def execute(self, context):
        """Mark, report."""
        marked = [context.collection] if self.what == "COLLECTION" else _markable(context)
        if not marked or marked == [context.scene.collection]:
            raise Refused(say("Select an object, or make a collection other than the scene's active"))
        if linked := [one.name for one in marked if one.library]:
            raise Refused(say("{name} is linked from another file: make it local first", name=linked[0]))
        for one in marked:
            if self.clear:
                one.pop("gis_category", None)
            else:
                one["gis_category"] = context.scene.gis_thermal.category
        self.report({"INFO"}, say("{n} marked", n=len(marked)) if not self.clear else say("Marks cleared"))
        return {"FINISHED"}


def _fit_camera(scene, camera):
    """Give the active camera and the scene's resolution exact intrinsics."""
    lens, data, render = camera.blender_lens(), scene.camera.data, scene.render
    data.type, data.sensor_fit, data.lens_unit = "PERSP", "HORIZONTAL", "MILLIMETERS"
    data.sensor_width, data.lens = lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y, data.clip_start = lens.shift_x, lens.shift_y, 0.1
    render.resolution_x, render.resolution_y, render.resolution_percentage = camera.width, camera.height, 100
    render.pixel_aspect_x, render.pixel_aspect_y = lens.pixel_aspect_x, lens.pixel_aspect_y
    scene.camera["gis_camera"], scene.camera["gis_sensor"] = camera.name, camera.sensor


class GIS_OT_add_camera(bpy.types.Operator):
    """Add the chosen camera above the 3-D cursor at its height, looking along +X, and make it active"""

    bl_idname = "gis.add_camera"
    bl_label = "Add Camera Rig"
    bl_options = {"REGISTER", "UNDO"}

    yaw: bpy.props.FloatProperty(name="Heading", description="Counter-clockwise from +X", subtype="ANGLE")

    @classmethod
    def poll(cls, context):
        """Cameras are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context):
        """Add, set up, report."""
        scene, camera = context.scene, adapter.cameras()[context.scene.gis_thermal.camera]
        item = bpy.data.objects.new(f"GIS {camera.name}", bpy.data.cameras.new(f"GIS {camera.name}"))
        context.collection.objects.link(item)
        x, y, z = scene.cursor.location
        pitch = float(np.radians(camera.pitch_deg))
        pose = adapter.renderer("scene.traffic").camera_pose(x, y, z + camera.height_m, self.yaw, pitch)
        item.matrix_world = Matrix((pose @ _CAMERA_AXES).tolist())
        scene.camera = item
        _fit_camera(scene, camera)
        self.report({"INFO"}, say("{name}: {w} x {h} px", name=item.name, w=camera.width, h=camera.height))
        return {"FINISHED"}


class GIS_OT_scatter_traffic(bpy.types.Operator):
    """Fill the street's lanes and bays with cars and move the camera car, by seed and frame"""

    bl_idname = "gis.scatter_traffic"
    bl_label = "Scatter Traffic"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        """There is an active camera and a street."""
        if context.scene.camera is None:
            return not refuses(cls, "The scene has no active camera: add a camera rig")
        if context.scene.camera.library or context.scene.camera.override_library:
            return not refuses(cls, "The active camera is linked from another file: add a camera rig")
        street = any("gis_camera_path" in item for item in context.scene.objects)
        return not refuses(cls, "" if street else "The scene has no street: open the shipped city, or mark lanes")

    @reports_errors
    def execute(self, context):
        """Draw, place, report."""
        scene, settings, traffic = context.scene, context.scene.gis_thermal, adapter.renderer("blender.traffic")
        found = traffic.model_collections() or _models()
        view = adapter.renderer("blender.view").scene_camera(scene)
        draw = adapter.renderer("random_streams").Draw(settings.seed, settings.index)
        setup = adapter.renderer("scene.traffic").sample_frame(
            traffic.read_street(scene), tuple(traffic.model_size(m) for m in found.values()), view, draw
        )
        traffic.apply(scene, setup, found)
        context.view_layer.update()
        self.report({"INFO"}, say("{n} cars placed", n=len(setup.placements)))
        return {"FINISHED"}


CLASSES = (GIS_OT_add_car, GIS_OT_import_car, GIS_OT_mark_car, GIS_OT_add_camera, GIS_OT_scatter_traffic)


def register() -> None:
    """Register the operators."""
    for one in CLASSES:
        bpy.utils.register_class(one)


def unregister() -> None:
    """Unregister them."""
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
    _SHIPPED.clear()
