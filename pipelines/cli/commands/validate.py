"""``gis validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import say
from pipelines.io.stores import local_path

__all__ = ["validate"]

SHOWN = 40
"""Problems that are printed; after that only how many more there are."""


def validate(
    folder: Annotated[
        Path, typer.Argument(help="Folder of gis synthesize, gis render or gis fit; or an address, s3://bucket/set.")
    ],
    sample: Annotated[
        str | None,
        typer.Option(help="1%, or a number: look at so many frames alone, evenly spread.", show_default="all frames"),
    ] = None,
) -> None:
    """Check a data set: hashes, sizes, ids, boxes, labels."""
    from pipelines.dataset import validation as pipeline

    report = pipeline.validate(local_path(folder), progress=shows_progress(), sample=sample)
    for problem in report.problems[:SHOWN]:
        say(problem, err=True)
    if len(report.problems) > SHOWN:
        say(f"... and {len(report.problems) - SHOWN} more", err=True)
    if report.problems:
        say(f"gis validate: {folder}: {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    if sample is not None:
        say(
            f"{folder}: {report.checked} of {report.frames} frames, {report.objects} objects: no problem found in these"
        )
        return
    say(f"{folder}: {report.frames} frames, {report.objects} objects, {report.files} files: no problem found")
