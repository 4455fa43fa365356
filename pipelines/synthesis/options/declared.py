"""The options of `gis synthesize` beyond those of `gis render`, each declared on its field (:mod:`gan.options`).

What follows from them is of :class:`pipelines.synthesis.options.synthesize.SynthesizeConfig`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from gan.options import Option

from pipelines.cluster.options import TranslatorBatch, TranslatorDevice, Translators
from pipelines.synthesis.model_choice import AUTO
from pipelines.synthesis.options.choices import (
    layout_names,
    model_names,
    pass_names,
    profile_names,
    rig_names,
    season_names,
    weather_names,
)
from pipelines.synthesis.options.panels import BACKGROUNDS, CAMERA, CONDITIONS, MODEL, OUTPUT, SCENE, VISIBLE
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.sequences import DEFAULT_FPS
from pipelines.synthesis.worlds import DEFAULT_WORLDS

__all__ = ["DEFAULT_SAMPLES", "VARIETY_OF_WORLDS", "SynthesizeOptions"]

MOST_DENSITY = 8.0
"""Where no street has room for more."""
MOST_SEQUENCE_S = 60.0
"""What a street has room for."""
VARIETY_OF_WORLDS = 0.5
"""Of the sensor, where nothing says which camera the frames are for: as good as a preset on cameras that are not known
(docs/explanation/usefulness.md)."""
DEFAULT_SAMPLES = 16
"""Light paths per pixel of a visible twin."""


@dataclass(frozen=True)
class SynthesizeOptions(RenderConfig):
    """What can be said of a labelled thermal data set."""

    worlds: Annotated[
        str | None,
        Option(
            "Kinds of streets of --scene worlds with their weights: residential=2,city=1.",
            SCENE,
            implied=(None,),
            default_text=DEFAULT_WORLDS.replace(",", ", "),
        ),
    ] = None
    sequence: Annotated[
        float | None,
        Option(
            "Seconds of a sequence: --count sequences in which camera and traffic move, in place of single frames.",
            SCENE,
            above=0.0,
            at_most=MOST_SEQUENCE_S,
            unit="seconds",
            implied=(None,),
            default_text="single frames",
        ),
    ] = None
    fps: Annotated[
        float,
        Option(
            "Frames in a second of a --sequence.",
            SCENE,
            at_least=1.0,
            at_most=240.0,
            implied=(DEFAULT_FPS,),
        ),
    ] = DEFAULT_FPS
    passes: Annotated[
        str | None,
        Option(
            "More files for each frame, several with commas between: normals; parts, the parts of objects; amodal, "
            "whole objects though hidden; flow, the optical flow to the next frame of a --sequence; stereo, the "
            "disparity to the other camera of a --rig.",
            OUTPUT,
            implied=(None,),
            suggestions=pass_names,
            default_text="none",
        ),
    ] = None
    visible: Annotated[
        bool,
        Option(
            "Also render each frame in colour, pixel by pixel the same, by Cycles: visible/000000.png.",
            VISIBLE,
            implied=(False,),
        ),
    ] = False
    visible_samples: Annotated[
        int,
        Option(
            "Light paths per pixel of --visible: more of them are slower and less noisy.",
            VISIBLE,
            at_least=1,
            at_most=4096,
            implied=(DEFAULT_SAMPLES,),
        ),
    ] = DEFAULT_SAMPLES
    visible_denoise: Annotated[
        bool, Option("Clean the pictures of --visible by Open Image Denoise.", VISIBLE, implied=(True,))
    ] = True
    visible_device: Annotated[
        Literal["auto", "cpu"],
        Option(
            "What renders --visible; auto: a GPU where Cycles finds one. Pixels differ a little between devices.",
            VISIBLE,
            decides_content=False,
        ),
    ] = "auto"
    density: Annotated[
        float,
        Option(
            "How many cars: 1 is ordinary town traffic, 2 twice as dense (rows and queues), 0 none.",
            SCENE,
            at_least=0.0,
            at_most=MOST_DENSITY,
        ),
    ] = 1.0
    like: Annotated[
        str | None,
        Option(
            "A set, FRAMES=LABELS, or a stats.json of gis stats, whose figures the frames get: stands for --distances, "
            "--density, --vehicles, --objects, --hours or --day-share, --weather, --noise and --contrast, where these "
            "are not given.",
            SCENE,
            implied=(None,),
            default_text="as the options say",
        ),
    ] = None
    distances: Annotated[
        str | None,
        Option(
            "How far away cars stand: NEAR,FAR in metres; or boxes whose sizes they get: a file or folder as for "
            "--boxes, the word boxes for those of --boxes, or a set as for --like.",
            SCENE,
            default_text="as the street or the free road has them",
        ),
    ] = None
    vehicles: Annotated[
        str | None,
        Option(
            "Kinds of cars with their weights: car=8,van=1,truck=1; what is not named does not occur.",
            SCENE,
            implied=(None,),
            default_text="as in KITTI's labels, lorries and buses doubled",
        ),
    ] = None
    backgrounds: Annotated[
        Path | None,
        Option(
            "Folder of real thermal images that cars are put into.",
            BACKGROUNDS,
            default_text="the scene around the cars is rendered",
        ),
    ] = None
    horizon: Annotated[
        float | None,
        Option(
            "Row of the horizon in the backgrounds as they are on disk, pixels.",
            BACKGROUNDS,
            default_text="estimated for each",
        ),
    ] = None
    boxes: Annotated[
        Path | None,
        Option(
            "Cars and people that the backgrounds show already: a COCO or JSON file, or a folder of KITTI or YOLO "
            "labels.",
            BACKGROUNDS,
        ),
    ] = None
    road_mask: Annotated[
        Path | None,
        Option("Mask of the road, or a folder of one per background.", BACKGROUNDS, default_text="estimated for each"),
    ] = None
    camera_height: Annotated[
        float | None,
        Option(
            "Height of the backgrounds' camera above the road, metres.",
            BACKGROUNDS,
            at_least=0.3,
            at_most=20.0,
            unit="metres",
            default_text="estimated for each",
        ),
    ] = None
    road_heading: Annotated[
        float | None,
        Option(
            "Where the road goes, degrees to the left of the camera's axis.",
            BACKGROUNDS,
            at_least=-180.0,
            at_most=180.0,
            unit="degrees, to the left",
            default_text="estimated for each",
        ),
    ] = None
    objects: Annotated[
        str | None,
        Option(
            "Most objects of a kind in a frame: cars=6, people=8, bicycles=1, dogs=1, deer=1 ... with commas between; "
            "cars: the nearest; trams, trailers: none where not named; people=0: none, nor anything but cars that is "
            "not named, as in earlier versions.",
            SCENE,
            implied=("people=0",),
            default_text="as many as real street frames have",
        ),
    ] = None
    label_furniture: Annotated[
        bool,
        Option(
            "Label what stands in the street: traffic lights, traffic signs, hydrants, street lamps; of backgrounds, "
            "those of --boxes.",
            SCENE,
            implied=(False,),
        ),
    ] = False
    model: Annotated[
        str,
        Option(
            "A translation model, or physics alone; auto: physics, and the shipped model over backgrounds.",
            MODEL,
            choices=model_names,
            old_names=("backend",),
        ),
    ] = AUTO
    weights: Annotated[Path | None, Option("Model file of a translation model, as gis train writes it.", MODEL)] = None
    translators: Translators = None
    translator_device: TranslatorDevice = "auto"
    translator_batch: TranslatorBatch = None
    profile: Annotated[
        str | None,
        Option("Thermal profile of all cars.", CONDITIONS, choices=profile_names, default_text="drawn for each car"),
    ] = None
    weather: Annotated[
        str | None,
        Option(
            "Weather of all frames; several with weights, each frame drawing one: snow=2,rain=1; any: all of them by "
            "season and hour.",
            CONDITIONS,
            suggestions=weather_names,
            default_text="drawn for each frame, without snow",
        ),
    ] = None
    hour: Annotated[
        float | None,
        Option(
            "Hour of the day of all frames, 0 to 24.",
            CONDITIONS,
            at_least=0.0,
            below=24.0,
            default_text="drawn for each frame",
        ),
    ] = None
    day_share: Annotated[
        float | None,
        Option(
            "Share of the frames that are by day, 0 to 1: the sun is up.",
            CONDITIONS,
            at_least=0.0,
            at_most=1.0,
            implied=(None,),
            default_text="half of a year's hours are",
        ),
    ] = None
    hours: Annotated[
        str | None,
        Option(
            "Hours of the day with their weights: 8=2,9=3,20=1; each frame is within one of them.",
            CONDITIONS,
            implied=(None,),
            default_text="drawn for each frame",
        ),
    ] = None
    season: Annotated[
        str | None,
        Option("Season of all frames.", CONDITIONS, choices=season_names, default_text="drawn for each frame"),
    ] = None
    rig: Annotated[
        str | None,
        Option(
            "Several cameras that see the same, each with a folder of its own: kitti-stereo, or a .toml or .json file "
            "with a table for each; the first is driven.",
            CAMERA,
            implied=(None,),
            suggestions=rig_names,
            default_text="one camera",
        ),
    ] = None
    rig_camera: Annotated[
        str | None,
        Option(
            "Make the set of this camera of the --rig alone, into --out itself.",
            CAMERA,
            implied=(None,),
            default_text="all of them",
        ),
    ] = None
    band: Annotated[
        Literal["lwir", "mwir"] | None,
        Option(
            "Wavelengths that the detector sees: lwir 8-14 um, mwir 3-5 um with the sunlight that surfaces reflect "
            "there (by --model physics). Two sets that differ in it alone are pairs.",
            CAMERA,
            implied=(None,),
            default_text="the sensor's own",
        ),
    ] = None
    sensor_variety: Annotated[
        float | None,
        Option(
            "How far noise, blur, resolution, flaws, gain control, polarity and mounting of the camera differ from "
            "frame to frame, 0 to 1; 0: all frames by the camera's own sensor.",
            CAMERA,
            at_least=0.0,
            at_most=1.0,
            implied=(0.0,),
            default_text=f"0; {VARIETY_OF_WORLDS} for --scene worlds where no camera, look or pairs are asked for",
        ),
    ] = None
    noise: Annotated[
        str | None,
        Option(
            "Noise of the pictures as gis stats measures it, grey levels: one number, or rising ones with commas "
            "between, the evenly spaced quantiles of what frames get. Not over backgrounds, which have their own.",
            CAMERA,
            implied=(None,),
            default_text="the sensor's own",
        ),
    ] = None
    contrast: Annotated[
        str | None,
        Option(
            "How far objects stand out from what surrounds them, as gis stats measures it, in the same form: 8-bit "
            "pictures are stretched about their mean.",
            CAMERA,
            implied=(None,),
            default_text="as the sensor's gain control shows them",
        ),
    ] = None
    pack: Annotated[
        Literal["files", "shards"],
        Option(
            "Files, or shards: WebDataset tars of about 256 MB with a Parquet index, not some small files a frame; "
            "needed where --out is in an object store (s3://bucket/set).",
            OUTPUT,
            implied=("files",),
        ),
    ] = "files"
    shard_frames: Annotated[
        int | None,
        Option(
            "Frames in a shard of --pack shards.",
            OUTPUT,
            at_least=1,
            at_most=1_000_000,
            implied=(None,),
            default_text="about 256 MB of them",
        ),
    ] = None
    tensors: Annotated[bool, Option("Also store the source tensors, as WebDataset shards.", OUTPUT)] = False
    layout: Annotated[
        str,
        Option(
            "What the source tensors show; physics: the picture of the model physics.", OUTPUT, choices=layout_names
        ),
    ] = "flat"
    max_label_error: Annotated[
        float | None,
        Option(
            "Draw a frame anew whose picture disagrees with its labels by more, above 0 to 1.",
            OUTPUT,
            above=0.0,
            at_most=1.0,
            old_names=("max_drift",),
            default_text="every frame is taken",
        ),
    ] = None
    license: Annotated[
        str | None,
        Option(
            "Licence that you give the data set, as SPDX names it (CC-BY-4.0).",
            OUTPUT,
            implied=(None,),
            default_text="none is stated",
        ),
    ] = None
    min_visible_share: Annotated[
        float,
        Option(
            "Objects that show a smaller share, 0 to 1, are marked as ignored: neither wanted nor wrong; 0: all count, "
            "as in earlier versions.",
            OUTPUT,
            at_least=0.0,
            at_most=1.0,
            implied=(0.0,),
        ),
    ] = 0.3
