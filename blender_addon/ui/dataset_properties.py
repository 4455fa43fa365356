"""Settings of the data set, stored in the scene as ``scene.gis_dataset``."""

from pathlib import Path

import bpy

from ..jobs.dataset_job import RUNNER
from . import dataset_watch, thumbnails
from .properties import RELATIVE

__all__ = ["GIS_PG_dataset", "register", "unregister"]

_BACKGROUNDS_SHOWN = 4
_MODELS = [
    ("DEFAULT", "Default", "As the command chooses: physics, and the shipped model over backgrounds"),
    ("PHYSICS", "Physics", "Radiometry alone, without a translation model"),
    ("NAMED", "By Name", "A translation model by its name: gis models lists them"),
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
    vary: bpy.props.BoolProperty(
        name="Vary Weather and Hour",
        description="Draw weather, hour and season for each frame; off: those of the panel above in all frames",
        default=True,
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


def register() -> None:
    """Give scenes their settings."""
    bpy.utils.register_class(GIS_PG_dataset)
    bpy.types.Scene.gis_dataset = bpy.props.PointerProperty(
        type=GIS_PG_dataset, name="GIS Dataset", description="Data set of the add-on GIS Thermal"
    )


def unregister() -> None:
    """Take them away again, and end what runs."""
    dataset_watch.stop()
    del bpy.types.Scene.gis_dataset
    bpy.utils.unregister_class(GIS_PG_dataset)
