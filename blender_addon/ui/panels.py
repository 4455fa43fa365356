"""The "GIS Thermal" tab in the 3-D viewport's sidebar. Nothing is computed here: ``draw`` runs at every redraw."""

import textwrap

import bpy

from ..jobs.dataset_job import duration
from ..jobs.view_job import VIEW
from ..translations import say
from .availability import why_no_room, why_no_view, why_not_editable, why_not_one_mesh

__all__ = ["GIS_PT_main", "draw_lines", "draw_progress", "draw_setting", "draw_title", "register", "unregister"]

_PX_PER_LETTER = 7.0
"""Mean width of a letter of Blender's font at 100 %, pixels."""
_MARGIN_PX = 60.0


STATUS_LINES = 2
"""Lines that are kept for messages at the top of the tab, so that none moves the buttons below it."""


def draw_status(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """A message in always the same number of lines; one that is longer is shown whole by a click on it."""
    lines = _wrapped(context, text)
    column = layout.column(align=True)
    for number in range(STATUS_LINES):
        line = lines[number] if number < len(lines) else ""
        if number == STATUS_LINES - 1 and len(lines) > STATUS_LINES:
            column.operator("gis.show_message", text=f"{line} ...", icon="BLANK1", emboss=False, translate=False)
        else:
            column.label(text=line, icon="BLANK1" if number or not line else icon, translate=False)


def _wrapped(context: bpy.types.Context, text: str) -> list[str]:
    """A text in lines as wide as the sidebar; Blender cuts a label that is longer."""
    room = context.region.width / context.preferences.system.ui_scale - _MARGIN_PX if context.region else 200.0
    return textwrap.wrap(text, max(12, int(room / _PX_PER_LETTER)))


def draw_title(layout: bpy.types.UILayout, title: str, reason: str) -> None:
    """A line above some buttons: what they do, or why they cannot be pressed now; always one line."""
    what_to_do = say(reason).rpartition(": ")[2]  # the sidebar is narrow; the buttons' tooltips have all of it
    text = what_to_do[:1].upper() + what_to_do[1:] if reason else say(title)
    layout.label(text=text, icon="INFO" if reason else "NONE", translate=False)


def draw_lines(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """A text in as many lines as it needs."""
    column = layout.column(align=True)
    for number, line in enumerate(_wrapped(context, text)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)


def draw_progress(
    layout: bpy.types.UILayout, context: bpy.types.Context, data: bpy.types.PropertyGroup, text: str
) -> None:
    """A text, and below it a bar for the property ``progress`` of a group, 0 to 1."""
    draw_lines(layout, context, text, "TIME")
    if bpy.app.version >= (4, 0, 0):
        layout.progress(factor=data.progress, text=f"{100 * data.progress:.0f} %")
    else:
        layout.prop(data, "progress", text="", slider=True)


def draw_setting(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, name: str) -> None:
    """Name and field of a property side by side, with room for both in a narrow sidebar."""
    split = layout.split(factor=0.36)
    split.label(text=settings.bl_rna.properties[name].name)
    split.prop(settings, name, text="")


def _titled_row(layout: bpy.types.UILayout, title: str, reason: str = "") -> bpy.types.UILayout:
    """A row of buttons, close below a line that says what they do, or why they cannot be pressed."""
    column = layout.column(align=True)
    draw_title(column, title, reason)
    return column.row(align=True)


def _stage() -> str:
    """What a running rendering does, with the time that it will take, or has taken where that is not known."""
    left_s = VIEW.left_s
    if left_s is None:
        return f"{say(VIEW.stage)}: {duration(VIEW.elapsed_s)}"
    return say("{stage}: {t} left", stage=say(VIEW.stage), t=duration(left_s))


class _Tab:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "GIS Thermal"


class GIS_PT_main(_Tab, bpy.types.Panel):
    """The tab's first panel; all others are its children (``bl_parent_id``)."""

    bl_idname = "GIS_PT_main"
    bl_label = "GIS Thermal"

    def draw(self, context: bpy.types.Context) -> None:
        """Message of the last button, or the running rendering's stage, time and progress, in the same room."""
        settings = context.scene.gis_thermal
        if not settings.is_rendering:
            text = "" if settings.message == context.scene.gis_dataset.message else settings.message
            draw_status(self.layout, context, text, "ERROR" if settings.is_refusal else "INFO")
            return
        column = self.layout.column(align=True)
        column.label(text=_stage(), icon="TIME", translate=False)
        row = column.row(align=True)
        row.prop(settings, "progress", text="", slider=True)
        row.operator("gis.cancel_render", text="", icon="CANCEL")


class GIS_UL_zones(bpy.types.UIList):
    """Zones with their colours and face counts."""

    bl_idname = "GIS_UL_zones"

    def draw_item(
        self, _context: bpy.types.Context, layout: bpy.types.UILayout, _data: object, item: bpy.types.PropertyGroup,
        _icon: int, _active: object, _property: str,
    ) -> None:  # fmt: skip
        """Colour, name, faces; a click on the arrow selects them."""
        row = layout.row(align=True)
        color = row.row()
        color.scale_x = 0.3
        color.prop(item, "color", text="")
        row.label(text=item.name, icon="ERROR" if item.zone == 0 else "NONE", translate=False)
        row.label(text=str(item.faces), translate=False)
        row.operator("gis.select_zone", text="", icon="RESTRICT_SELECT_OFF", emboss=False).zone = item.zone


class GIS_PT_zones(_Tab, bpy.types.Panel):
    """Thermal zones and their overlay."""

    bl_idname = "GIS_PT_zones"
    bl_parent_id = "GIS_PT_main"
    bl_label = "Thermal Zones"
    bl_options = {"DEFAULT_CLOSED"}  # the others then fit a screen, down to the buttons that make a data set

    def draw(self, context: bpy.types.Context) -> None:
        """Assign, guess, count, show."""
        layout, settings, item = self.layout, context.scene.gis_thermal, context.active_object
        layout.prop(settings, "zone")
        row = _titled_row(layout, "Assign it to", why_not_editable(item))
        for target, text in (("FACES", "Faces"), ("MATERIAL", "Material"), ("OBJECT", "Object")):
            part = row.row(align=True)
            part.enabled = target == "OBJECT" or not why_not_one_mesh(item)
            part.operator("gis.assign_zone", text=text).target = target
        row = layout.row(align=True)
        row.operator("gis.guess_zones", icon="SHADERFX")
        row.operator("gis.edit_faces", text="", icon="EDITMODE_HLT")
        row = _titled_row(layout, "Color the view by")
        for kind, text in (("ZONES", "Zone"), ("TEMPERATURE", "Temperature")):
            row.operator("gis.show_overlay", text=text, depress=settings.overlay == kind).kind = kind
        row.operator("gis.hide_overlay", text="", icon="X")
        layout.operator("gis.count_zones", icon="FILE_REFRESH")
        if settings.zone_rows:
            layout.label(text=settings.zone_rows_of, translate=False)
            layout.template_list("GIS_UL_zones", "", settings, "zone_rows", settings, "zone_row", rows=4)


class GIS_PT_cars(_Tab, bpy.types.Panel):
    """Cars, cameras, traffic."""

    bl_idname = "GIS_PT_cars"
    bl_parent_id = "GIS_PT_main"
    bl_label = "Cars, People and Cameras"

    def draw(self, context: bpy.types.Context) -> None:
        """Add, mark, scatter."""
        layout, settings = self.layout, context.scene.gis_thermal
        # One row: the buttons for the passes stay in view.
        row = _titled_row(layout, "Add at the 3D cursor", why_no_room(context))
        # As wide as their words, which four equal buttons would cut off.
        part = row.split(factor=0.23, align=True)
        part.operator_menu_enum("gis.add_car", "model", text="Car")
        part = part.split(factor=0.44, align=True)
        part.operator_menu_enum("gis.add_person", "person", text="Person")
        part = part.split(factor=0.58, align=True)
        part.operator_menu_enum("gis.add_two_wheeler", "model", text="Bike")
        part.operator_menu_enum("gis.add_other", "model", text="", icon="ADD")
        row = _titled_row(layout, "Or import your own model")
        row.prop(settings, "car_file", text="")
        row.operator("gis.import_car", text="", icon="IMPORT")
        row = _titled_row(layout, "Mark what is selected as")
        row.prop(settings, "category", text="")
        row.operator("gis.mark_car", text="Mark").clear = False
        row.operator("gis.mark_car", text="", icon="X").clear = True
        row = layout.row(align=True)
        row.prop(settings, "camera", text="")
        row.operator("gis.add_camera", text="Add", icon="CAMERA_DATA")
        row = layout.row(align=True)
        row.prop(settings, "seed")
        row.prop(settings, "index")
        layout.operator("gis.scatter_traffic", icon="PARTICLES")


class GIS_PT_passes(_Tab, bpy.types.Panel):
    """Passes and thermal image of the current view."""

    bl_idname = "GIS_PT_passes"
    bl_parent_id = "GIS_PT_main"
    bl_label = "Passes and Thermal Image"

    def draw(self, context: bpy.types.Context) -> None:
        """Settings and two buttons."""
        layout, settings = self.layout, context.scene.gis_thermal
        for name in ("hour", "weather", "season"):
            draw_setting(layout, settings, name)
        column = layout.column(align=True)
        draw_title(column, "What the active camera sees", why_no_view(context.scene))
        column.operator("gis.render_view", text="Render View", icon="RENDER_STILL").what = "ALL"
        again = column.operator("gis.render_view", text="Thermal Image Again", icon="FILE_REFRESH")
        again.what, again.reuse = "THERMAL", True


class GIS_PT_passes_more(_Tab, bpy.types.Panel):
    """What is seldom chosen."""

    bl_idname = "GIS_PT_passes_more"
    bl_parent_id = "GIS_PT_passes"
    bl_label = "Engine, Profile, Sensor"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Settings."""
        for name in ("engine", "profile", "sensor"):
            draw_setting(self.layout, context.scene.gis_thermal, name)


CLASSES = (GIS_PT_main, GIS_UL_zones, GIS_PT_zones, GIS_PT_cars, GIS_PT_passes, GIS_PT_passes_more)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
