"""The "GIS Thermal" tab in the 3-D viewport's sidebar. Nothing is computed here: ``draw`` runs at every redraw."""

import bpy

__all__ = ["GIS_PT_main", "register", "unregister"]


class GIS_PT_main(bpy.types.Panel):
    """The tab's first panel; all others are its children (``bl_parent_id``)."""

    bl_idname = "GIS_PT_main"
    bl_label = "GIS Thermal"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "GIS Thermal"

    def draw(self, context):
        """Show nothing but the header."""


CLASSES = (GIS_PT_main,)


def register() -> None:
    """Register the panels."""
    for one in CLASSES:
        bpy.utils.register_class(one)


def unregister() -> None:
    """Unregister them, children first."""
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
