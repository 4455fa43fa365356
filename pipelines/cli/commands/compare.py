"""``gis compare``."""

from __future__ import annotations

from pipelines.cli.console import say, say_result
from pipelines.comparison.plan import CompareConfig

__all__ = ["compare"]


def compare(config: CompareConfig) -> None:
    """Train several translation models alike, measure them on the same images, and write one page about it."""
    from pipelines.comparison.run import run_comparison

    run_comparison(config, log=say)
    say_result(f"report in {config.out / 'report.html'}", out=config.out)
