"""Add and mark cars, add camera rigs, scatter traffic."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix
from renderer.zones.catalogue import ZONE_ATTRIBUTE
from renderer.zones.categories import VEHICLES

from .. import adapter
from ..data import shipped_models
from ..translations import count_of, say
from ..ui.availability import why_no_room
from .common import Refused, refuses, reports_errors, show_message

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera

__all__ = ["place", "register", "unregister"]

_CAMERA_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Blender's camera looks along -z with y up; the renderer's along +z with y down."""


@functools.cache
def _car_rows() -> list[tuple[str, str, str]]:
    """Rows of the shipped cars: the same strings at each call, because Blender keeps none of them."""
    return [(name, name.replace("_", " ").capitalize(), "") for name in shipped_models.model_names()]


def _models(names: set[str] | None = None) -> dict[str, bpy.types.Collection]:
    """Car models of this file by name, after adding the shipped ones that are named (None: all) and missing."""
    from renderer.blender.traffic import model_collections

    missing = set(shipped_models.model_names() if names is None else names) - set(model_collections())
    shipped_models.add_models(missing)
    return model_collections()


def _vehicles(models: dict[str, bpy.types.Collection]) -> dict[str, bpy.types.Collection]:
    """Those that drive and park: people may stand beside them in the file."""
    return {name: model for name, model in models.items() if model["gis_category"] in VEHICLES}


def place(context: bpy.types.Context, model: bpy.types.Collection, profile: str = "driving") -> bpy.types.Object:
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

    model: bpy.props.EnumProperty(name="Car", description="Shipped car", items=lambda _self, _context: _car_rows())

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Cars are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load, place, report."""
        item = place(context, _models({self.model})[self.model])
        self.report({"INFO"}, say("Added {name}", name=item.name))
        return {"FINISHED"}


class GIS_OT_import_car(bpy.types.Operator):
    """Import a car model, turn, scale and stand it on the ground, and add it at the 3-D cursor"""

    bl_idname = "gis.import_car"
    bl_label = "Import Car"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A file is named, and there is a place for the car."""
        named = bool(context.scene.gis_thermal.car_file)
        return not refuses(cls, why_no_room(context) or ("" if named else "Choose a model file first"))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import, place, report."""
        from renderer.blender.models import load_models
        from renderer.blender.zoning import assign_zones

        path = Path(bpy.path.abspath(context.scene.gis_thermal.car_file))
        models, notes = load_models(path)
        for model in models.values():
            place(context, model)
            for part in model.all_objects:
                if ZONE_ATTRIBUTE not in part.data.attributes:
                    assign_zones([(part, ())], lambda *_: "car")
        told = "; ".join(notes) or say("Imported {cars}", cars=count_of(len(models), "car"))
        self.report({"INFO"}, told)
        show_message(context, told, is_refusal=False)
        return {"FINISHED"}


def _markable(context: bpy.types.Context) -> list[bpy.types.Object]:
    """What gets the mark: the instanced collection's empty or the selected objects' topmost parents."""
    tops = {}
    for item in context.selected_objects:
        while item.parent is not None:
            item = item.parent
        tops[item.name] = item
    return list(tops.values())


class GIS_OT_mark_car(bpy.types.Operator):
    """Mark the selected objects, or the active collection, as an object of the chosen category"""

    bl_idname = "gis.mark_car"
    bl_label = "Mark"
    bl_options = {"REGISTER", "UNDO"}

    what: bpy.props.EnumProperty(
        name="What",
        description="What is the object",
        items=[
            ("OBJECTS", "Selected Objects", "Each selected object with its children"),
            ("COLLECTION", "Active Collection", "The collection that is active in the outliner"),
        ],
    )
    clear: bpy.props.BoolProperty(name="Clear", description="Take the mark away instead")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Something is selected."""
        return not refuses(cls, "" if context.selected_objects or context.collection else "Select an object")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark, report."""
        marked = [context.collection] if self.what == "COLLECTION" else _markable(context)
        if not marked or marked == [context.scene.collection]:
            raise Refused(say("Select an object, or make a collection other than the scene's active"))
        if linked := [item.name for item in marked if item.library]:
            raise Refused(say("{name} is linked from another file: make it local first", name=linked[0]))
        for item in marked:
            if self.clear:
                item.pop("gis_category", None)
            else:
                item["gis_category"] = context.scene.gis_thermal.category
        self.report({"INFO"}, say("{n} marked", n=len(marked)) if not self.clear else say("Marks cleared"))
        return {"FINISHED"}


def _fit_camera(scene: bpy.types.Scene, camera: "Camera") -> None:
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
    def poll(cls, context: bpy.types.Context) -> bool:
        """Cameras are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add, set up, report."""
        from renderer.scene.projection import camera_pose

        scene, camera = context.scene, adapter.cameras()[context.scene.gis_thermal.camera]
        item = bpy.data.objects.new(f"GIS {camera.name}", bpy.data.cameras.new(f"GIS {camera.name}"))
        context.collection.objects.link(item)
        x, y, z = scene.cursor.location
        pitch = float(np.radians(camera.pitch_deg))
        pose = camera_pose(x, y, z + camera.height_m, self.yaw, pitch)
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
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is an active camera and a street."""
        if context.scene.camera is None:
            return not refuses(cls, "The scene has no active camera: add a camera rig")
        if context.scene.camera.library or context.scene.camera.override_library:
            return not refuses(cls, "The active camera is linked from another file: add a camera rig")
        street = any("gis_camera_path" in item for item in context.scene.objects)
        return not refuses(cls, "" if street else "The scene has no street: open the shipped city, or mark lanes")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw, place, report."""
        from renderer.blender import traffic
        from renderer.blender.scene_camera import scene_camera
        from renderer.random_streams import Draw, Stream
        from renderer.scene.traffic import sample_frame
        from renderer.thermal.conditions import sample_conditions

        scene, settings = context.scene, context.scene.gis_thermal
        models = _vehicles(traffic.model_collections()) or _models()
        sizes = tuple(traffic.model_size(model) for model in models.values())
        street = traffic.read_street(scene)
        if street is None:
            raise Refused(say("The scene has no street: open the shipped city, or mark lanes"))
        draw = Draw(settings.seed, settings.index)
        weather = sample_conditions(draw.rng(Stream.CONDITIONS))
        setup = sample_frame(street, sizes, scene_camera(scene), draw, weather)
        traffic.apply(scene, setup, models)
        context.view_layer.update()
        self.report({"INFO"}, say("{cars} placed", cars=count_of(len(setup.placements), "car")))
        return {"FINISHED"}


CLASSES = (GIS_OT_add_car, GIS_OT_import_car, GIS_OT_mark_car, GIS_OT_add_camera, GIS_OT_scatter_traffic)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Unregister them."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    _car_rows.cache_clear()
