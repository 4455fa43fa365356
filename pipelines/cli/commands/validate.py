"""``gis validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import say

__all__ = ["validate"]

SHOWN = 40
"""Problems that are printed; after that only how many more there are."""


def validate(folder: Annotated[Path, typer.Argument(help="Folder of gis synthesize, gis render or gis fit.")]) -> None:
    """Check a data set: hashes, sizes, ids, boxes, labels."""
    from pipelines.dataset import validation as pipeline

    report = pipeline.validate(folder, progress=shows_progress())
    for problem in report.problems[:SHOWN]:
        say(problem, err=True)
    if len(report.problems) > SHOWN:
        say(f"... and {len(report.problems) - SHOWN} more", err=True)
    if report.problems:
        say(f"gis validate: {folder}: {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    say(f"{folder}: {report.frames} frames, {report.objects} objects, {report.files} files: no problem found")
