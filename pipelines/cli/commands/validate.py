"""``gis validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import count_of, results_as_json, say, say_result
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
    values: dict[str, Any] = {
        "folder": folder,
        "frames": report.frames,
        "objects": report.objects,
        "files": report.files,
    }
    if report.problems:
        if results_as_json():
            say_result("", **values, problems=report.problems)
        say(f"gis validate: {folder}: {count_of(len(report.problems), 'problem')}", err=True)
        raise typer.Exit(1)
    if sample is not None:
        text = f"{report.checked} of {report.frames} frames, {report.objects} objects: no problem found in these"
        say_result(f"{folder}: {text}", **values, checked=report.checked, problems=[])
        return
    parts = ", ".join(count_of(values[f"{thing}s"], thing) for thing in ("frame", "object", "file"))
    say_result(f"{folder}: {parts}: no problem found", **values, problems=[])
