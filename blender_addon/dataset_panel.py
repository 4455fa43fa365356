"""The panel that makes data sets."""

import bpy

from . import dataset, preferences, process, thumbnails
from .operators.dataset import why_no_dataset
from .panels import GIS_PT_main, say_in, show_progress

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
        row = layout.row(align=True)
        row.prop(settings, "count")
        row.prop(settings, "seed")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("out", "backgrounds"):
            column.prop(settings, name)
        _draw_pictures(layout, "backgrounds", _ICON_SCALE)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "backend")
        if settings.backend != "physics":
            column.prop(settings, "weights")
        row = layout.row(align=True)
        row.operator("gis.render_dataset", icon="RENDERLAYERS")
        row.operator("gis.synthesize_dataset", icon="RENDER_ANIMATION")
        self._draw_state(context, settings)

    def _draw_state(self, context, settings):
        layout = self.layout
        if settings.state in (process.RUNNING, process.CANCELLING, dataset.CHECKING):
            show_progress(layout, settings, settings.message)
            layout.operator("gis.cancel_dataset", icon="CANCEL")
        elif settings.message:
            say_in(layout, context, settings.message, "ERROR" if settings.state == process.FAILED else "INFO")
        if dataset.can_continue() and settings.log:
            row = layout.row(align=True)
            row.operator("gis.continue_dataset", icon="PLAY")
            row.operator("wm.path_open", text="Log", icon="TEXT").filepath = settings.log
        elif not dataset.is_running() and (reason := why_no_dataset(context.scene)):
            say_in(layout, context, reason, "INFO")
        _draw_pictures(layout, "last", _LAST_SCALE)


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
