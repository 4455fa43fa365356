"""``gis backgrounds``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.commands.options import Out, Workers, shows_progress

__all__ = ["backgrounds"]

SHOWN = 40
"""Files that are named one by one; after that only how many more there are."""


def backgrounds(
    folder: Annotated[Path, typer.Argument(help="Folder of thermal files, searched with its subfolders.")],
    out: Out,
    emissivity: Annotated[
        float | None, typer.Option("--emissivity", help="Instead of each file's own, like all of these: above 0 to 1.")
    ] = None,
    reflected_c: Annotated[
        float | None, typer.Option("--reflected-c", help="Reflected apparent temperature, degrees Celsius.")
    ] = None,
    atmospheric_c: Annotated[
        float | None, typer.Option("--atmospheric-c", help="Air temperature, degrees Celsius.")
    ] = None,
    humidity: Annotated[float | None, typer.Option("--humidity", help="Relative humidity, 0 to 1.")] = None,
    distance_m: Annotated[float | None, typer.Option("--distance-m", help="Object distance, metres.")] = None,
    window_c: Annotated[float | None, typer.Option("--window-c", help="Window temperature, degrees Celsius.")] = None,
    window_transmittance: Annotated[
        float | None, typer.Option("--window-transmittance", help="Of an infrared window; 1 is none.")
    ] = None,
    byte_order: Annotated[
        str, typer.Option("--byte-order", help="Of FLIR raw data: auto (the smoother picture), big or little.")
    ] = "auto",
    unit: Annotated[
        str,
        typer.Option(
            "--unit", help="Of 16-bit and float pictures: stated (in the file), kelvin, centikelvin, celsius."
        ),
    ] = "stated",
    size: Annotated[int, typer.Option("--size", help="Side of the square crops, pixels.")] = 512,
    workers: Workers = None,
) -> None:
    """Take in real thermal files: FLIR JPEG and FFF with their degrees, other pictures as display-only."""
    from pipelines.backgrounds.ingest.metadata import Overrides
    from pipelines.backgrounds.ingest.run import IngestConfig, ingest, make_reading

    overrides = Overrides(emissivity, reflected_c, atmospheric_c, humidity, distance_m, window_c, window_transmittance)
    index = ingest(
        IngestConfig(folder, out, make_reading(overrides, byte_order, unit), size, workers), progress=shows_progress()
    )
    told = [entry for entry in index["files"] if entry["reason"] or entry["warnings"]]
    for entry in told[:SHOWN]:
        text = f"skipped, {entry['reason']}" if entry["reason"] else "; ".join(entry["warnings"])
        typer.echo(f"{entry['source']}: {text}", err=True)
    if len(told) > SHOWN:
        typer.echo(f"... and {len(told) - SHOWN} more; index.json has them all", err=True)
    counts = index["counts"]
    typer.echo(
        f"{counts['files']} files: {counts['radiometric']} radiometric, {counts['display-only']} display-only, "
        f"{counts['skipped']} skipped; {counts['frames']} frames in {out}"
    )
