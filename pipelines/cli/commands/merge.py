"""``gis merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.commands.options import Out, shows_progress
from pipelines.cli.console import count_of, say_result

__all__ = ["merge"]


def merge(
    parts: Annotated[list[Path], typer.Argument(help="Folders of gis synthesize --frames or gis render --frames.")],
    out: Out,
    how: Annotated[
        Literal["copy", "link", "move"],
        typer.Option(
            help="copy: checked against their hashes; link: hard links; move: the parts are empty afterwards.",
            rich_help_panel="Output",
        ),
    ] = "copy",
    pack: Annotated[
        Literal["same", "files", "shards"],
        typer.Option(help="Whether the whole is packed; same: as the parts are.", rich_help_panel="Output"),
    ] = "same",
) -> None:
    """Put the parts of a data set together, made with --frames on any machines."""
    from pipelines.dataset import merge as pipeline

    pipeline.merge(parts, out, how=how, pack=pack, progress=shows_progress())
    say_result(f"{count_of(len(parts), 'part')} in {out}", parts=len(parts), out=out)
