"""Settings of the panel, stored in the scene as ``scene.gis_thermal``."""

import bpy

__all__ = ["GIS_PG_thermal", "register", "unregister"]


class GIS_PG_thermal(bpy.types.PropertyGroup):
    """Settings of one scene."""


def register() -> None:
    """Give scenes their settings."""
    bpy.utils.register_class(GIS_PG_thermal)
    bpy.types.Scene.gis_thermal = bpy.props.PointerProperty(type=GIS_PG_thermal, name="GIS Thermal")


def unregister() -> None:
    """Take them away again; values stay in the file."""
    del bpy.types.Scene.gis_thermal
    bpy.utils.unregister_class(GIS_PG_thermal)
