"""Show zones or predicted temperatures on the meshes."""

import bpy

from ..translations import say
from ..ui import overlay
from .common import Refused, refuses, reports_errors

__all__ = ["register", "unregister"]


_SHADING = {"type": "SOLID", "color_type": "VERTEX", "light": "FLAT", "show_cavity": True}
"""Shading under which a viewport shows exactly the colours of the legend; the cavities keep shapes visible."""
_PLAIN = {"type": "SOLID", "color_type": "MATERIAL", "light": "STUDIO", "show_cavity": False}
_BEFORE: dict[int, dict[str, object]] = {}
"""Shading of the viewports before an overlay was shown, by the area's address: an area takes no data of an add-on's."""


def _shade(context: bpy.types.Context, *, is_shown: bool) -> None:
    """Make the 3-D viewports show the active colour attribute, or what they showed before."""
    for area in context.screen.areas if context.screen else ():
        if area.type == "VIEW_3D":
            shading, key = area.spaces.active.shading, area.as_pointer()
            if is_shown:
                _BEFORE.setdefault(key, {name: getattr(shading, name) for name in _SHADING})
            for name, value in (_SHADING if is_shown else _BEFORE.pop(key, _PLAIN)).items():
                setattr(shading, name, value)
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
    def poll(cls, context: bpy.types.Context) -> bool:
        """Colours are written in object mode."""
        return not refuses(cls, "" if context.mode == "OBJECT" else "Leave edit mode first")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Paint, report."""
        paint = overlay.show_zones if self.kind == "ZONES" else overlay.show_temperatures
        count = paint(context.scene)
        if not count:
            raise Refused(say("The scene has no mesh with faces"))
        _shade(context, is_shown=True)
        self.report({"INFO"}, say("{n} meshes colored", n=count))
        return {"FINISHED"}


class GIS_OT_hide_overlay(bpy.types.Operator):
    """Remove the overlay's colors from the meshes"""

    bl_idname = "gis.hide_overlay"
    bl_label = "Hide Overlay"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """An overlay is shown."""
        return not refuses(cls, "" if context.scene.gis_thermal.overlay else "No overlay is shown")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove, report."""
        count = overlay.clear(context.scene)
        _shade(context, is_shown=False)
        self.report({"INFO"}, say("{n} meshes restored", n=count))
        return {"FINISHED"}


CLASSES = (GIS_OT_show_overlay, GIS_OT_hide_overlay)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Unregister them."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    _BEFORE.clear()
