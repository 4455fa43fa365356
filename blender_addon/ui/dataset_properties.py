"""Settings of the data set, stored in the scene as ``scene.gis_dataset``."""

from pathlib import Path

import bpy

from ..jobs.dataset_job import RUNNER
from . import dataset_watch, thumbnails
from .properties import RELATIVE

__all__ = ["GIS_PG_dataset", "register", "unregister"]

_BACKGROUNDS_SHOWN = 4
TRANSLATION_MODELS = (
    "cyclegan",
    "disentangled",
    "layered",
    "layered_style",
    "pix2pix",
    "pix2pix_mrff",
    "pix2pix_sparse",
    "thermalgan",
    "thermalnet",
)
"""Those of `gis models`; Blender's Python has not the package that knows them."""
_MODELS = [
    ("DEFAULT", "Default", "As the command chooses: physics, and the shipped model over backgrounds"),
    ("PHYSICS", "Physics", "Radiometry alone, without a translation model"),
    *((name, name, f"The translation model {name}") for name in TRANSLATION_MODELS),
    ("NAMED", "Other", "Another translation model by its name: gis models lists them"),
]
_WEATHERS = [
    ("AUTO", "Automatic", "One for all frames of an animation, else drawn for each frame"),
    ("PANEL", "As Above", "Weather, hour and season of the panel above in all frames"),
    ("DRAWN", "Drawn", "Weather, hour and season drawn for each frame, also over an animation"),
]


def _show_backgrounds(self: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    folder = Path(bpy.path.abspath(self.backgrounds)) if self.backgrounds else None
    thumbnails.show("backgrounds", thumbnails.pictures_of(folder, _BACKGROUNDS_SHOWN) if folder else [])


class GIS_PG_dataset(bpy.types.PropertyGroup):
    """Settings of a scene's data set; and the command's state, the same in all scenes."""

    count: bpy.props.IntProperty(name="Count", description="How many frames", min=1, max=999999, default=16)
    seed: bpy.props.IntProperty(name="Seed", description="Seed of everything random", min=0, default=0)
    out: bpy.props.StringProperty(
        name="Output", description="Folder of the data set: an empty or a new one", subtype="DIR_PATH", options=RELATIVE
    )
    backgrounds: bpy.props.StringProperty(
        name="Backgrounds",
        description="Folder of real thermal images that the cars are put into; empty: the scene itself",
        subtype="DIR_PATH",
        options=RELATIVE,
        update=_show_backgrounds,
    )
    model: bpy.props.EnumProperty(name="Model", description="What makes the thermal image", items=_MODELS)
    model_name: bpy.props.StringProperty(name="Name", description="Name of a translation model, e.g. pix2pix")
    weights: bpy.props.StringProperty(
        name="Weights",
        description="Model file of that model; the shipped model needs none",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    conditions: bpy.props.EnumProperty(
        name="Weather", description="Weather, hour and season of the frames", items=_WEATHERS
    )
    state: bpy.props.StringProperty(
        name="State",
        description="IDLE, CHECKING, RUNNING, CANCELLING, DONE, FAILED or CANCELLED",
        get=lambda _self: RUNNER.state,
    )
    progress: bpy.props.FloatProperty(
        name="Progress",
        description="Share of the frames that are complete",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        get=lambda _self: RUNNER.progress,
    )
    message: bpy.props.StringProperty(
        name="Message", description="What the command does, or why it failed", get=lambda _self: RUNNER.message
    )
    log: bpy.props.StringProperty(
        name="Log", description="File with everything that the command wrote", get=lambda _self: RUNNER.log
    )


_KEPT: dict[str, dict[str, object]] = {}
"""Settings of each scene just before an undo, by their names."""


def _names() -> list[str]:
    """Names of what the user sets."""
    properties = GIS_PG_dataset.bl_rna.properties
    return [one.identifier for one in properties if not one.is_readonly and one.identifier != "name"]


@bpy.app.handlers.persistent
def _keep(*_args: object) -> None:
    """Undo is for the scene: what was typed into the panel long after the edit that is undone stays."""
    _KEPT.clear()
    for scene in bpy.data.scenes:
        _KEPT[scene.name] = {name: getattr(scene.gis_dataset, name) for name in _names()}


@bpy.app.handlers.persistent
def _give_back(*_args: object) -> None:
    for scene in bpy.data.scenes:
        for name, value in _KEPT.get(scene.name, {}).items():
            if getattr(scene.gis_dataset, name) != value:
                setattr(scene.gis_dataset, name, value)


def _handlers() -> list[tuple[list[object], object]]:
    own = bpy.app.handlers
    before, after = (own.undo_pre, own.redo_pre), (own.undo_post, own.redo_post)
    return [*((handlers, _keep) for handlers in before), *((handlers, _give_back) for handlers in after)]


def register() -> None:
    """Give scenes their settings."""
    bpy.utils.register_class(GIS_PG_dataset)
    for handlers, function in _handlers():
        handlers.append(function)
    bpy.types.Scene.gis_dataset = bpy.props.PointerProperty(
        type=GIS_PG_dataset, name="GIS Dataset", description="Data set of the add-on GIS Thermal"
    )


def unregister() -> None:
    """Take them away again, and end what runs."""
    dataset_watch.stop()
    for handlers, function in _handlers():
        handlers.remove(function)
    del bpy.types.Scene.gis_dataset
    bpy.utils.unregister_class(GIS_PG_dataset)
