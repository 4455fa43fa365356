"""What the tab shows where Blender's Python has no numpy: which package to install, in one line.

Blender's own builds bring numpy along; those of Linux distributions run the system's Python, and may leave it to the
user. Nothing here, and nothing that this module imports, needs numpy.
"""

from __future__ import annotations

import importlib
import sys

import bpy

__all__ = ["ADVICE", "GIS_PT_numpy_missing", "register", "unregister", "why_no_numpy"]

ADVICE = "install the package python3-numpy (Debian, Ubuntu: apt-get install python3-numpy), then start Blender again"


def why_no_numpy() -> str:
    """What is wrong and what to do about it, one line; empty where numpy can be imported."""
    try:
        importlib.import_module("numpy.typing")  # a folder of that name that was left behind can be imported too
    except ImportError:
        return f"this Blender's Python ({sys.executable}) has no numpy: {ADVICE}"
    return ""


class GIS_PT_numpy_missing(bpy.types.Panel):
    """The tab, with nothing in it but what to install"""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "GIS Thermal"
    bl_idname = "GIS_PT_numpy_missing"
    bl_label = "GIS Thermal"

    def draw(self, _context: bpy.types.Context) -> None:
        """Short lines: the sidebar is narrow."""
        column = self.layout.column(align=True)
        column.label(text="Numpy is missing", icon="ERROR")
        for line in ("Install the package", "python3-numpy, then", "start Blender again"):
            column.label(text=line, icon="BLANK1")


register, unregister = bpy.utils.register_classes_factory((GIS_PT_numpy_missing,))
