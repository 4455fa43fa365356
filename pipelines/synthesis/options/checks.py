"""Which options of `gis synthesize` cannot go together, and which need another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.io.stores import is_remote
from pipelines.synthesis.distances import check_distances
from pipelines.synthesis.likeness.option_texts import parse_levels
from pipelines.synthesis.model_choice import PHYSICS
from pipelines.synthesis.options.choices import WHERE_NAMED, parse_hours, parse_objects, parse_vehicles
from pipelines.synthesis.options.declared import DEFAULT_SAMPLES, SynthesizeOptions
from pipelines.synthesis.sequences import check_sequence, parse_passes
from pipelines.synthesis.weather import check_weather
from pipelines.synthesis.worlds import parse_worlds

if TYPE_CHECKING:
    from pipelines.dataset.rig import Rig

__all__ = ["check_frames", "check_model", "check_rig", "check_surroundings"]


def check_frames(options: SynthesizeOptions) -> None:
    """Refuses what the frames cannot show together: hours, looks, cars, weather, streets, moving or in colour.

    Raises:
        ConfigError: options of which one has to go, or that need another, or a text that cannot be read.
    """
    _check_hours(options)
    _check_look(options)
    parse_vehicles(options.vehicles)
    _check_form(options)
    check_weather(options.weather, options.season, over_backgrounds=options.backgrounds is not None)
    _check_worlds(options)
    _check_visible(options)
    names = ("backgrounds", "max_label_error", "distances", "noise", "contrast")
    single = {name: getattr(options, name) for name in names}
    single["objects: cars=N"] = parse_objects(options.objects).get("cars")
    check_sequence(options.sequence, options.fps, options.passes, single)


def _check_hours(options: SynthesizeOptions) -> None:
    parse_hours(options.hours)
    given = [name for name in ("hour", "hours", "day_share") if getattr(options, name) is not None]
    if len(given) > 1:
        both = " and ".join(name.replace("_", "-") for name in given)
        raise ConfigError(f"{both} all say when the frames are: give one of them")


def _check_look(options: SynthesizeOptions) -> None:
    for name in ("noise", "contrast"):
        asked = parse_levels(getattr(options, name), name) is not None
        if asked and options.backgrounds is not None:
            raise ConfigError(f"{name}: objects take that of the backgrounds: leave it out, or --backgrounds")
        if asked and options.sensor_variety:
            raise ConfigError(f"{name}: --sensor-variety draws that of its own: give one of them")


def _check_form(options: SynthesizeOptions) -> None:
    """Files or shards."""
    if is_remote(options.out) and options.pack != "shards":
        raise ConfigError(f"{options.out}: an object store takes packed data sets alone: give --pack shards too")
    if options.shard_frames is not None and options.pack != "shards":
        raise ConfigError("shard-frames is that of --pack shards: give that too, or leave it out")


def _check_worlds(options: SynthesizeOptions) -> None:
    if options.label_furniture and options.engine != "raster":
        raise ConfigError("label-furniture is drawn by --engine raster alone: leave one of them out")
    if options.worlds is not None:
        parse_worlds(options.worlds)
        if not options.draws_worlds:
            raise ConfigError("worlds names the streets of --scene worlds: give that too, or leave it out")
    if options.draws_worlds and options.backgrounds is not None:
        raise ConfigError("scene worlds: objects over --backgrounds need no street: leave one of them out")
    if options.draws_worlds and options.engine != "raster":
        raise ConfigError("scene worlds is drawn by --engine raster alone: write scenes by gis scene for cycles")


def _check_visible(options: SynthesizeOptions) -> None:
    if options.visible and options.backgrounds is not None:
        raise ConfigError("visible: a real infrared background has no geometry to render: leave one of them out")
    changed = (
        options.visible_samples != DEFAULT_SAMPLES or not options.visible_denoise or options.visible_device != "auto"
    )
    if changed and not options.visible:
        raise ConfigError("visible-samples, -denoise and -device are those of --visible: give that too")


def check_rig(options: SynthesizeOptions, rig: Rig | None) -> None:
    """Refuses what a rig cannot have, and what needs one.

    Args:
        options: of the data set.
        rig: the cameras that the option of that name stands for; None: it is not given.

    Raises:
        ConfigError: options of which one has to go, or that need another.
    """
    passes = parse_passes(options.passes)
    if rig is None:
        if options.rig_camera is not None:
            raise ConfigError("rig-camera is one of a --rig: give that too, or leave it out")
        if "stereo" in passes:
            raise ConfigError("passes stereo needs a second camera: give --rig kitti-stereo, or a rig of your own")
        return
    names = [one.name for one in rig.cameras]
    if options.rig_camera is not None and options.rig_camera not in names:
        raise ConfigError(f"rig-camera {options.rig_camera!r}: expected one of {', '.join(names)}")
    for name in ("backgrounds", "max_label_error"):
        if getattr(options, name) is not None:
            why = "an image is one camera's" if name == "backgrounds" else "it draws frames anew for one camera"
            raise ConfigError(f"rig: cannot be with {name.replace('_', '-')}, since {why}: leave one of them out")
    if any(one.camera.lens is not None for one in rig.cameras) and options.engine == "cycles":
        raise ConfigError("engine cycles draws no lens that distorts: take --engine raster")
    for one in rig.cameras:
        _ = one.camera.covering
    if "stereo" in passes and not any(rig.partner(name) for name in names):
        raise ConfigError(
            f"passes stereo: no two cameras of rig {options.rig} are rectified: expected the same intrinsics, no lens "
            "that distorts, the same direction, one beside the other"
        )


def check_surroundings(options: SynthesizeOptions) -> None:
    """Refuses objects and ground that the surroundings of the cars, a street or real backgrounds, do not have.

    Raises:
        ConfigError: options of which one has to go, or that need another, or a file that is not there.
    """
    _check_objects(options)
    _check_ground(options)
    _check_distorted_backgrounds(options)
    check_distances(options.distances, options.boxes)
    if options.backgrounds is not None and not options.backgrounds.is_dir():
        raise ConfigError(f"{options.backgrounds}: no such folder: expected a folder of thermal images")


def _check_objects(options: SynthesizeOptions) -> None:
    counts = parse_objects(options.objects)
    asked = [kind for kind in WHERE_NAMED if counts.get(kind)]
    if asked and (options.backgrounds is not None or options.sequence is not None):
        other = "backgrounds" if options.backgrounds is not None else "sequence"
        kind = asked[0]
        raise ConfigError(f"objects: {kind} are put into single frames of streets: leave --{other} or {kind} out")


def _check_ground(options: SynthesizeOptions) -> None:
    for name in ("horizon", "boxes", "road_mask", "camera_height", "road_heading"):
        if getattr(options, name) is not None and options.backgrounds is None:
            flag = name.replace("_", "-")
            raise ConfigError(f"{flag} is that of the backgrounds: give --backgrounds too, or leave it out")
    for path, what in ((options.boxes, "boxes"), (options.road_mask, "road masks")):
        if path is not None and not path.exists():
            raise ConfigError(f"{path}: no such file or folder: expected {what} of the backgrounds")


def _check_distorted_backgrounds(options: SynthesizeOptions) -> None:
    if options.backgrounds is None or (options.camera is None and options.lens is None):
        return
    camera = options.named_camera()
    if options.lens is not None or (camera is not None and camera.lens is not None):
        raise ConfigError(
            "backgrounds: a lens that distorts is drawn in scenes alone: undistort the images first "
            "(cv2.undistort), and leave the distortion of the camera out"
        )


def check_model(options: SynthesizeOptions) -> None:
    """Refuses what the model, which is chosen by now, cannot do.

    Raises:
        ConfigError: options of which one has to go, or that need another, or a file that is not there.
    """
    from gan.data.layout import LAYOUT_NAME

    model, weights = options.model, options.weights
    if model == PHYSICS and weights is not None:
        raise ConfigError("model physics has no weights: name the file's model, or leave --weights out")
    if model != PHYSICS and weights is None:
        raise ConfigError(f"model {model} needs --weights: expected a model file of `gis train`")
    if model == PHYSICS and options.translators:
        raise ConfigError("translators: physics translates nothing: give a --model, or leave it out")
    if weights is not None and not weights.is_file():
        raise ConfigError(f"{weights}: no such file: expected a model file of `gis train`")
    if options.band == "mwir" and (model != PHYSICS or options.backgrounds is not None):
        raise ConfigError("band mwir is rendered by --model physics alone, in scenes: leave model or backgrounds out")
    if options.layout != LAYOUT_NAME and (model != PHYSICS or not options.tensors):
        raise ConfigError(f"layout {options.layout} shows the picture of physics: give --tensors --model physics")
