"""``gis export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.commands.options import Out, print_note, shows_progress
from pipelines.cli.console import say

__all__ = ["export"]


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of gis synthesize or gis backgrounds.")],
    out: Out,
    file_format: Annotated[
        str, typer.Option("--format", help="tiff: 16-bit, 10 mK per count.", rich_help_panel="Output")
    ] = "tiff",
) -> None:
    """Write radiometric images as TIFF in kelvin, for ImageJ, QGIS and other tools."""
    from gan.data.skipped import skipped_lines

    from pipelines.export import tiff as pipeline

    about = pipeline.export_tiff(folder, out, file_format, progress=shows_progress())
    skipped = list(about.get("skipped", {}).items())
    for line in skipped_lines(skipped, len(about["frames"]) + len(skipped), "frames"):
        print_note(line)
    left = f", {about['left_out']} display-only ones left out" if about["left_out"] else ""
    say(f"{len(about['frames'])} frames in {out}{left}: {about['convention']}")
