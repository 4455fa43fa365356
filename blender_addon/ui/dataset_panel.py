"""The panel that makes data sets."""

import bpy

from ..jobs import process
from ..jobs.dataset_job import RUNNER
from . import preferences, thumbnails
from .availability import why_no_dataset
from .dataset_watch import ROW
from .panels import GIS_PT_main, draw_lines, draw_progress, draw_setting, draw_title

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

    def draw(self, context: bpy.types.Context) -> None:
        """Settings, buttons, state."""
        layout, settings = self.layout, context.scene.gis_dataset
        row = layout.row(align=True)
        row.prop(settings, "count")
        row.prop(settings, "seed")
        draw_setting(layout, settings, "out")
        layout.label(text="Real backgrounds, if any")
        layout.prop(settings, "backgrounds", text="")
        _draw_pictures(layout, "backgrounds", _ICON_SCALE)
        draw_setting(layout, settings, "model")
        if settings.model == "NAMED":
            draw_setting(layout, settings, "model_name")
        if settings.model not in ("DEFAULT", "PHYSICS"):
            draw_setting(layout, settings, "weights")
        draw_setting(layout, settings, "conditions")
        column = layout.column(align=True)
        draw_title(column, "Frames of this scene", "" if RUNNER.is_running else why_no_dataset(context.scene))
        column.operator("gis.render_dataset", icon="RENDERLAYERS")
        column.operator("gis.synthesize_dataset", icon="RENDER_ANIMATION")
        preferences.draw_program(layout, context)
        if RUNNER.is_running:
            draw_progress(layout, context, settings, settings.message)
            layout.operator("gis.cancel_dataset", icon="CANCEL")
        else:
            self._draw_end(context, settings)
        _draw_pictures(layout, ROW, _LAST_SCALE)

    def _draw_end(self, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
        """What came of the last command, below the buttons that go with it: its length moves none of them."""
        layout = self.layout
        row = layout.row(align=True)
        if RUNNER.can_continue:
            row.operator("gis.continue_dataset", icon="PLAY")
        if settings.log:
            row.operator("wm.path_open", text="Log", icon="TEXT").filepath = settings.log
        if settings.state == process.DONE and RUNNER.output:
            row.operator("wm.path_open", text="Folder", icon="FILE_FOLDER").filepath = RUNNER.output
        if settings.message:
            draw_lines(layout, context, settings.message, "ERROR" if settings.state == process.FAILED else "INFO")


def _draw_pictures(layout: bpy.types.UILayout, name: str, scale: float) -> None:
    row = layout.row(align=True)
    for icon in thumbnails.icons(name):
        row.template_icon(icon, scale=scale)


def register() -> None:
    """Register the panel."""
    bpy.utils.register_class(GIS_PT_dataset)


def unregister() -> None:
    """Unregister it."""
    bpy.utils.unregister_class(GIS_PT_dataset)
