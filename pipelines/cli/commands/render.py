"""``gis render``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

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

__all__ = ["render"]


def render(
    out: Out,
    count: Count = 16,
    scene: Scene = Path("city.blend"),
    engine: Engine = "raster",
    camera: CameraName = None,
    size: Size = None,
    cars: Cars = None,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """Render depth, instance and zone passes of a scene: one EXR a frame, and frames.jsonl."""
    from pipelines.synthesis import passes as pipeline
    from pipelines.synthesis.config import Engine as EngineName
    from pipelines.synthesis.config import RenderConfig, resolve_scene

    config = RenderConfig(
        out=out, count=count, scene=resolve_scene(scene), engine=cast(EngineName, engine), camera=camera, size=size,
        cars=cars, seed=seed, workers=workers,
    )  # fmt: skip
    pipeline.render(config, progress=shows_progress())
    typer.echo(f"{count} frames in {out}")
