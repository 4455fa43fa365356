"""``gis synthesize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from pipelines.cli.commands.options import (
    CameraName,
    Cars,
    Count,
    Engine,
    Out,
    Scene,
    Seed,
    Size,
    Workers,
    shows_progress,
)

__all__ = ["synthesize"]


_Backgrounds = Annotated[
    Path | None, typer.Option("--backgrounds", help="Folder of real thermal images to put the cars into.")
]
_Horizon = Annotated[
    float | None, typer.Option("--horizon", help="Row of the horizon in the backgrounds as they are on disk.")
]
_Boxes = Annotated[
    Path | None, typer.Option("--boxes", help="Cars and people in the backgrounds: COCO, KITTI, YOLO or JSON.")
]
_RoadMask = Annotated[
    Path | None, typer.Option("--road-mask", help="Mask of the road, or a folder of one per background.")
]
_CameraHeight = Annotated[
    float | None, typer.Option("--camera-height", help="Height of the backgrounds' camera above the road, m.")
]
_RoadHeading = Annotated[
    float | None, typer.Option("--road-heading", help="Where the road goes, degrees to the left of the view.")
]
_Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="A translation model, or physics alone; default: the shipped model where it can run.",
    ),
]
_Weights = Annotated[Path | None, typer.Option("--weights", help="Model file of a translation model.")]
_Profile = Annotated[
    str | None, typer.Option("--profile", help="Thermal profile of all cars, e.g. driving; default: one per car.")
]
_Weather = Annotated[str | None, typer.Option("--weather", help="clear, cloudy, overcast, rain or fog.")]
_Hour = Annotated[float | None, typer.Option("--hour", help="Hour of the day, 0 to 24.")]
_Season = Annotated[str | None, typer.Option("--season", help="winter, spring, summer or autumn.")]
_Tensors = Annotated[bool, typer.Option("--tensors", help="Also store the source tensors, as WebDataset shards.")]
_Layout = Annotated[str, typer.Option("--layout", help="What the source tensors show: flat or physics.")]
_MaxDrift = Annotated[
    float | None,
    typer.Option("--max-drift", help="Draw a frame anew whose picture drifts from its labels by more, 0 to 1."),
]


def synthesize(
    out: Out,
    count: Count = 16,
    scene: Scene = Path("city.blend"),
    backgrounds: _Backgrounds = None,
    horizon: _Horizon = None,
    boxes: _Boxes = None,
    road_mask: _RoadMask = None,
    camera_height: _CameraHeight = None,
    road_heading: _RoadHeading = None,
    backend: _Backend = None,
    weights: _Weights = None,
    camera: CameraName = None,
    size: Size = None,
    profile: _Profile = None,
    weather: _Weather = None,
    hour: _Hour = None,
    season: _Season = None,
    tensors: _Tensors = False,
    layout: _Layout = "flat",
    max_drift: _MaxDrift = None,
    engine: Engine = "raster",
    cars: Cars = None,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """Make a labelled thermal data set: images, masks, zones, depth, COCO, KITTI and YOLO labels."""
    from pipelines.synthesis.config import Engine as EngineName
    from pipelines.synthesis.config import SynthesizeConfig, resolve_scene
    from pipelines.synthesis.dataset_run import synthesize_dataset
    from pipelines.synthesis.model_choice import choose_model

    backend, weights, why = choose_model(backend, weights)
    if why:
        typer.echo(why, err=True)
    config = SynthesizeConfig(
        out=out, count=count, scene=resolve_scene(scene), engine=cast(EngineName, engine), camera=camera, size=size,
        cars=cars, seed=seed, workers=workers, backgrounds=backgrounds, horizon=horizon,
        boxes=boxes, road_mask=road_mask, camera_height=camera_height, road_heading=road_heading, backend=backend,
        weights=weights, profile=profile, weather=weather, hour=hour, season=season, tensors=tensors,
        layout=layout, max_drift=max_drift,
    )  # fmt: skip
    synthesize_dataset(config, progress=shows_progress())
    typer.echo(f"{count} frames in {out}")
