"""Options that several commands share, declared once. Imports nothing heavy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CameraName", "Cars", "Count", "Engine", "Out", "Scene", "Seed", "Size", "Workers", "shows_progress",
]  # fmt: skip

Out = Annotated[Path, typer.Option("--out", help="Folder of the output; a run that was cut short goes on in it.")]
Count = Annotated[int, typer.Option("--count", help="How many frames.")]
Scene = Annotated[Path, typer.Option("--scene", help="A .blend file; city.blend is the shipped street.")]
Engine = Annotated[str, typer.Option("--engine", help="What draws the passes: raster or cycles.")]
CameraName = Annotated[
    str | None,
    typer.Option("--camera", help="A preset of assets/cameras.toml, or a .json/.toml file; default: the scene's own."),
]
Size = Annotated[str | None, typer.Option("--size", help="512, or WIDTHxHEIGHT: the largest centred window, resized.")]
Cars = Annotated[
    Path | None,
    typer.Option("--cars", help="File or folder of car models (.blend .glb .obj .fbx .usd) to use instead."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Processes; default: one per core. Changes no file.")]


def shows_progress() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()
