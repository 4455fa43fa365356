"""Show zones or predicted temperatures on the meshes."""

import bpy

from .. import overlay
from ..translations import say
from .common import Refused, refuses, reports_errors

__all__ = ["register", "unregister"]


def _shade(context, kind):
    """Make the 3-D viewports show the active colour attribute (or, with ``MATERIAL``, no longer)."""
    for area in context.screen.areas if context.screen else ():
        if area.type == "VIEW_3D":
            if kind == "VERTEX":
                area.spaces.active.shading.type = "SOLID"
            area.spaces.active.shading.color_type = kind
            area.tag_redraw()


class GIS_OT_show_overlay(bpy.types.Operator):
    """Color the scene's meshes by zone, or by the apparent temperature predicted for hour and weather"""

    bl_idname = "gis.show_overlay"
    bl_label = "Show Overlay"
    bl_options = {"REGISTER", "UNDO"}

    kind: bpy.props.EnumProperty(
        name="Overlay",
        description="What the colors show",
        items=[
            ("ZONES", "Zones", "Color of each thermal zone, magenta where none is assigned"),
            ("TEMPERATURE", "Temperature", "Predicted apparent temperature, without patterns and shadows"),
        ],
    )

    @classmethod
    def poll(cls, context):
        """Colours are written in object mode."""
        return not refuses(cls, "" if context.mode == "OBJECT" else "Leave edit mode first")

    @reports_errors
    def execute(self, context):
        """Paint, report."""
        paint = overlay.show_zones if self.kind == "ZONES" else overlay.show_temperatures
        count = paint(context.scene)
        if not count:
            raise Refused(say("The scene has no mesh with faces"))
        _shade(context, "VERTEX")
        self.report({"INFO"}, say("{n} meshes colored", n=count))
        return {"FINISHED"}


class GIS_OT_hide_overlay(bpy.types.Operator):
    """Remove the overlay's colors from the meshes"""

    bl_idname = "gis.hide_overlay"
    bl_label = "Hide Overlay"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        """An overlay is shown."""
        return not refuses(cls, "" if context.scene.gis_thermal.overlay else "No overlay is shown")

    @reports_errors
    def execute(self, context):
        """Remove, report."""
        count = overlay.clear(context.scene)
        _shade(context, "MATERIAL")
        self.report({"INFO"}, say("{n} meshes restored", n=count))
        return {"FINISHED"}


CLASSES = (GIS_OT_show_overlay, GIS_OT_hide_overlay)


def register() -> None:
    """Register the operators."""
    for one in CLASSES:
        bpy.utils.register_class(one)


def unregister() -> None:
    """Unregister them."""
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
