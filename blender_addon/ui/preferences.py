"""Preferences of the add-on: the program that makes data sets."""

import os
import sys
from pathlib import Path

import bpy

from ..adapter import PACKAGE
from ..jobs import process
from ..translations import say

__all__ = ["GIS_AP_preferences", "gis_command", "known_program", "preferences", "register", "unregister"]


def _keep_whole(own: "GIS_AP_preferences", _context: bpy.types.Context) -> None:
    """A path that was just chosen relative to the open file means that place also when another file is open."""
    if own.program.startswith("//"):
        own.program = bpy.path.abspath(own.program)


class GIS_AP_preferences(bpy.types.AddonPreferences):
    """What Blender keeps for the user, whatever file is open."""

    bl_idname = PACKAGE

    program: bpy.props.StringProperty(
        name="gis Program",
        description="The gis program, the Python that has it, or the folder of its virtual environment; empty: search",
        subtype="FILE_PATH",
        update=_keep_whole,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Path, search, check."""
        draw_program(self.layout, context)


def preferences() -> "GIS_AP_preferences | None":
    """The add-on's preferences; None where it was registered without being enabled."""
    entry = bpy.context.preferences.addons.get(PACKAGE)
    return entry.preferences if entry else None


def draw_program(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Path, search and check of the program, with what the check said; in the preferences and in the panel."""
    column = layout.column(align=True)
    column.label(text="Program gis, or its .venv")
    row = column.row(align=True)
    if own := preferences():
        row.prop(own, "program", text="")
    row.operator("gis.find_environment", text="", icon="VIEWZOOM")
    row.operator("gis.check_environment", text="Check")


def known_program() -> str:
    """The program that the preferences name, else one that is found; empty where there is none."""
    own = preferences()
    if own and own.program:
        return own.program
    return process.find_gis(os.environ, Path(sys.prefix))


def gis_command() -> list[str]:
    """Beginning of a command line that runs ``gis``.

    Raises:
        CommandError: none is named or found.
    """
    program = known_program()
    if not program:
        raise process.CommandError(
            say("No Python with gis was found: install gis, then name its Python in the add-on's preferences")
        )
    return process.command_of(program)


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(GIS_AP_preferences)


def unregister() -> None:
    """Unregister them; values stay in the user's preferences."""
    bpy.utils.unregister_class(GIS_AP_preferences)
