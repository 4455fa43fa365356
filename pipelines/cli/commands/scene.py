"""``gis scene``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from assets import WORLD_KINDS

from pipelines.cli.console import say_result
from pipelines.errors import ConfigError

__all__ = ["Kind", "scene"]

Kind = StrEnum("Kind", WORLD_KINDS)  # type: ignore[misc]


class Season(StrEnum):
    """Of a scene."""

    summer = "summer"
    winter = "winter"


def scene(
    kind: Annotated[Kind, typer.Option("--kind", help="What is built.", rich_help_panel="Scene")],
    out: Annotated[Path, typer.Option("--out", help="The .blend file to write.", rich_help_panel="Output")],
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="The same seed gives the same scene.", rich_help_panel="Scene")
    ] = 0,
    season: Annotated[
        Season, typer.Option("--season", help="In winter broadleaved trees are bare.", rich_help_panel="Scene")
    ] = Season.summer,
) -> None:
    """Build a scene for gis synthesize --scene: streets with lanes, parking bays and what stands beside them."""
    if out.suffix.lower() != ".blend":
        raise ConfigError(f"{out}: expected a file name that ends in .blend")
    if not out.parent.is_dir():
        raise ConfigError(f"{out.parent}: no such folder: expected the folder of the scene to be written")
    from assets.build.worlds.scene import write_world

    write_world(kind.value, seed, out, bare=season is Season.winter)
    say_result(f"{out}: {out.stat().st_size / 1e6:.1f} MB", out=out, bytes=out.stat().st_size)
