"""Show zones or predicted temperatures on the meshes."""

import bpy

from ..translations import count_of, say
from ..ui import overlay
from .common import Refused, refuses, reports_errors

__all__ = ["register", "unregister"]


_SHADING = {"type": "SOLID", "color_type": "VERTEX", "light": "FLAT", "show_cavity": True}
"""Shading under which a viewport shows exactly the colours of the legend; the cavities keep shapes visible."""
_PLAIN = {"type": "SOLID", "color_type": "MATERIAL", "light": "STUDIO", "show_cavity": False}
_BEFORE: dict[int, dict[str, object]] = {}
"""Shading of the viewports before an overlay was shown, by the area's address: an area takes no data of an add-on's."""


def _shade(*, only_changes: bool = False) -> None:
    """Make the 3-D viewports show the active colour attribute where there is an overlay, else what they showed before.

    Args:
        only_changes: leave viewports whose user has chosen another shading meanwhile.
    """
    for window in bpy.context.window_manager.windows if bpy.context.window_manager else ():
        is_shown = bool(window.scene.gis_thermal.overlay)
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and not (only_changes and is_shown == (area.as_pointer() in _BEFORE)):
                _shade_area(area, is_shown=is_shown)


def _shade_area(area: bpy.types.Area, *, is_shown: bool) -> None:
    shading, key = area.spaces.active.shading, area.as_pointer()
    if is_shown:
        _BEFORE.setdefault(key, {name: getattr(shading, name) for name in _SHADING})
    for name, value in (_SHADING if is_shown else _BEFORE.pop(key, _PLAIN)).items():
        setattr(shading, name, value)
    area.tag_redraw()


@bpy.app.handlers.persistent
def _follow_undo(*_args: object) -> None:
    """Undo takes the colours away, and leaves the viewports' shading to whoever changed it: it would be white."""
    _shade(only_changes=True)


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
        _shade()
        self.report({"INFO"}, say("{meshes} colored", meshes=count_of(count, "mesh")))
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
        _shade()
        self.report({"INFO"}, say("{meshes} restored", meshes=count_of(count, "mesh")))
        return {"FINISHED"}


CLASSES = (GIS_OT_show_overlay, GIS_OT_hide_overlay)


def _handlers() -> tuple[list[object], ...]:
    return bpy.app.handlers.undo_post, bpy.app.handlers.redo_post


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for handlers in _handlers():
        handlers.append(_follow_undo)


def unregister() -> None:
    """Unregister them."""
    for handlers in _handlers():
        handlers.remove(_follow_undo)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    _BEFORE.clear()
