"""Settings of the panel, stored in the scene as ``scene.gis_thermal``."""

import functools
from collections.abc import Callable

import bpy
from renderer.zones.catalogue import ZONES
from renderer.zones.categories import CATEGORY_TABLE

from .. import adapter
from ..jobs.view_job import VIEW
from ..translations import say
from . import overlay

__all__ = ["RELATIVE", "GIS_PG_thermal", "GIS_PG_zone_row", "register", "unregister"]

RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
"""Options of a path that may start with ``//``; Blender before 4.5 does not ask for it."""
Rows = list[tuple[str, str, str]]


def _title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


# Blender does not keep the strings of an enumeration that is made at run time: each call must give the same ones.


@functools.cache
def _zones() -> Rows:
    return [(row.name, _title(row.name), say("Thermal zone {name}", name=row.name)) for row in ZONES[1:]]


@functools.cache
def _cameras() -> Rows:
    cameras = adapter.cameras().items()
    return [(name, name.upper(), f"{c.width} x {c.height} px, fx {c.fx:.1f} px") for name, c in cameras]


@functools.cache
def _profiles() -> Rows:
    own = ("EACH", say("Each car's own"), say("The profile that each car carries, else driving"))
    names = adapter.profiles().cars
    return [own, *((name, _title(name), say("All cars: {name}", name=_title(name))) for name in names)]


@functools.cache
def _sensors() -> Rows:
    camera = ("CAMERA", say("The camera's"), say("The sensor that belongs to the camera preset"))
    return [camera, *((name, name, say("Infrared sensor {name}", name=name)) for name in adapter.sensors())]


def _items(rows: Callable[[], Rows]) -> Callable[..., Rows]:
    """Rows as Blender asks for them: with the group and the context."""
    return lambda _self, _context: rows()


def _repaint(_self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """A temperature overlay follows the panel's conditions."""
    if context.scene.gis_thermal.overlay == "TEMPERATURE":
        overlay.refresh(context.scene)


_WEATHERS = [
    ("clear", "Clear", "Hardly a cloud"),
    ("cloudy", "Cloudy", "Clouds with gaps"),
    ("overcast", "Overcast", "Closed clouds"),
    ("rain", "Rain", "Rain, wet road"),
    ("fog", "Fog", "Visibility below 1 km"),
]
_SEASONS = [
    ("winter", "Winter", "December to February"),
    ("spring", "Spring", "March to May"),
    ("summer", "Summer", "June to August"),
    ("autumn", "Autumn", "September to November"),
]
_CATEGORIES = [(one.name, _title(one.name), one.text) for one in CATEGORY_TABLE]
_ENGINES = [
    ("AUTO", "Automatic", "The fast engine where numba is installed, else Cycles"),
    ("raster", "Fast", "Z-buffer on the processor; needs the Python package numba"),
    ("cycles", "Cycles", "One sample a pixel; also draws hair, volumes and displacement"),
]


class GIS_PG_zone_row(bpy.types.PropertyGroup):
    """One row of the list of zones; its name is the zone's."""

    zone: bpy.props.IntProperty(name="Zone", description="Number of the zone, 0 where none is assigned")
    faces: bpy.props.IntProperty(name="Faces", description="Faces with that zone")
    color: bpy.props.FloatVectorProperty(
        name="Color", description="Color in the overlay", subtype="COLOR_GAMMA", size=3, min=0.0, max=1.0
    )


class GIS_PG_thermal(bpy.types.PropertyGroup):
    """Settings of one scene."""

    zone: bpy.props.EnumProperty(name="Zone", description="Thermal zone to assign", items=_items(_zones))
    category: bpy.props.EnumProperty(name="Category", description="Detector class of the object", items=_CATEGORIES)
    car_file: bpy.props.StringProperty(
        name="Car File",
        description="Model to import: .blend, .glb, .gltf, .obj, .fbx, .ply, .stl or .usd",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    camera: bpy.props.EnumProperty(name="Camera", description="Camera rig to add", items=_items(_cameras))
    seed: bpy.props.IntProperty(name="Seed", description="Seed of traffic, weather and noise", min=0, default=0)
    index: bpy.props.IntProperty(name="Frame", description="Number of the frame of that seed", min=0, default=0)
    engine: bpy.props.EnumProperty(name="Engine", description="What renders the passes", items=_ENGINES)
    profile: bpy.props.EnumProperty(
        name="Profile", description="What the cars have been doing", items=_items(_profiles), update=_repaint
    )
    hour: bpy.props.FloatProperty(
        name="Hour", description="Local solar time, hours", min=0.0, max=24.0, default=20.0, step=50, update=_repaint
    )
    weather: bpy.props.EnumProperty(
        name="Weather", description="Weather of the thermal image", items=_WEATHERS, update=_repaint
    )
    season: bpy.props.EnumProperty(
        name="Season", description="Season of the thermal image", items=_SEASONS, update=_repaint
    )
    sensor: bpy.props.EnumProperty(name="Sensor", description="Infrared camera core", items=_items(_sensors))
    zone_rows: bpy.props.CollectionProperty(type=GIS_PG_zone_row, name="Zones", description="Faces of each zone")
    zone_row: bpy.props.IntProperty(name="Row", description="Selected row of the list of zones")
    zone_rows_of: bpy.props.StringProperty(name="Counted", description="What the list of zones counts")
    overlay: bpy.props.StringProperty(name="Overlay", description="Overlay that is shown, empty for none")
    overlay_zones: bpy.props.StringProperty(name="Zones Shown", description="Numbers of the zones in the overlay")
    overlay_low_C: bpy.props.FloatProperty(name="Coldest", description="Dark end of the overlay, degrees Celsius")
    overlay_high_C: bpy.props.FloatProperty(name="Warmest", description="Bright end of the overlay, degrees Celsius")
    message: bpy.props.StringProperty(name="Message", description="What the last button said")
    is_refusal: bpy.props.BoolProperty(name="Refused", description="The message says why nothing was done")
    progress: bpy.props.FloatProperty(
        name="Progress",
        description="Share of the rendering that is done",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        get=lambda _self: VIEW.progress,
    )
    is_rendering: bpy.props.BoolProperty(
        name="Rendering", description="A rendering runs", get=lambda _self: VIEW.is_running
    )


CLASSES = (GIS_PG_zone_row, GIS_PG_thermal)


def register() -> None:
    """Give scenes their settings."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.gis_thermal = bpy.props.PointerProperty(
        type=GIS_PG_thermal, name="GIS Thermal", description="Settings of the add-on GIS Thermal"
    )


def unregister() -> None:
    """Take them away again; values stay in the file."""
    del bpy.types.Scene.gis_thermal
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    for rows in (_zones, _cameras, _profiles, _sensors):
        rows.cache_clear()
