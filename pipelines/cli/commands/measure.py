"""``gis measure``."""

from __future__ import annotations

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.detection.config import MeasureConfig

__all__ = ["measure"]


def measure(config: MeasureConfig) -> None:
    """Train a small detector on sets of frames and test it on real ones: average precision, what a set is worth."""
    from pipelines.detection.measure import measure_usefulness

    result = measure_usefulness(config, log=typer.echo, progress=shows_progress())
    for kind in result.classes:
        for row in result.rows:
            typer.echo(f"{kind:10} {row.row:32} AP50 {row.mean(kind):5.1f}   AP {row.mean(kind, measure='ap'):5.1f}")
    typer.echo(f"tables in {config.out / 'report.md'}")
