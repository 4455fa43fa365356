"""The panel that makes data sets."""

import bpy

from . import dataset, preferences, process, thumbnails
from .operators.dataset import why_no_dataset
from .panels import GIS_PT_main, say_in, show_progress, show_setting
from .translations import say

__all__ = ["GIS_PT_dataset", "register", "unregister"]

_ICON_SCALE = 3.5
_LAST_SCALE = 9.0


class GIS_PT_dataset(bpy.types.Panel):
    """Settings, two buttons, progress, last image."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "GIS Thermal"
    bl_idname = "GIS_PT_dataset"
    bl_parent_id = GIS_PT_main.bl_idname
    bl_label = "Dataset"

    def draw(self, context):
        """Settings, buttons, state."""
        layout, settings = self.layout, context.scene.gis_dataset
        preferences.draw_program(layout, context)
        column = layout.column(align=True)
        column.prop(settings, "count")
        column.prop(settings, "seed")
        show_setting(layout, settings, "out")
        layout.label(text="Real backgrounds, if any")
        layout.prop(settings, "backgrounds", text="")
        _draw_pictures(layout, "backgrounds", _ICON_SCALE)
        show_setting(layout, settings, "backend")
        if settings.backend != "physics":
            show_setting(layout, settings, "weights")
        layout.prop(settings, "vary")
        column = layout.column(align=True)
        column.operator("gis.render_dataset", icon="RENDERLAYERS")
        column.operator("gis.synthesize_dataset", icon="RENDER_ANIMATION")
        if dataset.is_running():
            show_progress(layout, context, settings, settings.message)
            layout.operator("gis.cancel_dataset", icon="CANCEL")
        else:
            self._draw_end(context, settings)
        _draw_pictures(layout, "last", _LAST_SCALE)

    def _draw_end(self, context, settings):
        """What came of the last command, and why none can be started."""
        layout = self.layout
        if settings.message:
            say_in(layout, context, settings.message, "ERROR" if settings.state == process.FAILED else "INFO")
        row = layout.row(align=True)
        if dataset.can_continue():
            row.operator("gis.continue_dataset", icon="PLAY")
        if settings.log:
            row.operator("wm.path_open", text="Log", icon="TEXT").filepath = settings.log
        if settings.state == process.DONE and dataset.output():
            row.operator("wm.path_open", text="Folder", icon="FILE_FOLDER").filepath = dataset.output()
        if reason := why_no_dataset(context.scene):
            say_in(layout, context, say(reason), "INFO")


def _draw_pictures(layout, name, scale):
    row = layout.row(align=True)
    for icon in thumbnails.icons(name):
        row.template_icon(icon, scale=scale)


def register() -> None:
    """Register the panel."""
    bpy.utils.register_class(GIS_PT_dataset)


def unregister() -> None:
    """Unregister it."""
    bpy.utils.unregister_class(GIS_PT_dataset)
