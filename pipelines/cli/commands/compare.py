"""``gis compare``."""

from __future__ import annotations

import typer

from pipelines.comparison.plan import CompareConfig

__all__ = ["compare"]


def compare(config: CompareConfig) -> None:
    """Train several translation models alike, measure them on the same images, and write one page about it."""
    from pipelines.comparison.run import run_comparison

    run_comparison(config, log=typer.echo)
    typer.echo(f"report in {config.out / 'report.html'}")
