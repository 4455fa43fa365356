"""``gis fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.commands.options import Cars, Out, Workers

__all__ = ["fit"]


def fit(
    frames: Annotated[Path, typer.Option("--frames", help="Folder of real thermal frames.")],
    boxes: Annotated[Path, typer.Option("--boxes", help="COCO or JSON file, or folder of KITTI or YOLO labels.")],
    camera: Annotated[str, typer.Option("--camera", help="A preset of assets/cameras.toml, or a .json/.toml file.")],
    out: Out,
    cars: Cars = None,
    passes: Annotated[int, typer.Option("--passes", help="Passes of fitting and learning the texture.")] = 3,
    min_px: Annotated[float, typer.Option("--min-px", help="Shorter side of the smallest box to fit.")] = 24.0,
    layout: Annotated[str, typer.Option("--layout", help="What the source tensor shows: flat or physics.")] = "flat",
    variants: Annotated[
        int, typer.Option("--variants", help="Samples of each frame, with other draws of the physics.")
    ] = 1,
    review: Annotated[
        Path | None, typer.Option("--review", help="Decisions of another run on the same boxes; OUT/review.txt wins.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Fit car models to the cars of real frames: aligned pairs of source tensor and real image, to train from."""
    from assets import CARS

    from pipelines.cameras import named_camera
    from pipelines.errors import ConfigError
    from pipelines.fitting.run import FitConfig
    from pipelines.fitting.run import fit as run

    seen_by = named_camera(camera, None, crop=False)
    if seen_by is None:
        raise ConfigError("--camera is empty: name the camera that took the frames")
    about = run(FitConfig(frames, boxes, seen_by, out, cars or CARS, passes, min_px, workers, layout, review, variants))
    typer.echo(
        f"{about['cars']} of {about['fitted']} fitted cars in {about['frames']} frames in {out}; "
        f"look at {out / 'review.html'}"
    )
