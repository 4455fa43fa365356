"""``gis measure``."""

from __future__ import annotations

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import results_as_json, say, say_result
from pipelines.detection.config import MeasureConfig

__all__ = ["measure"]


def measure(config: MeasureConfig) -> None:
    """Train a small detector on sets of frames and test it on real ones: average precision, what a set is worth."""
    from pipelines.detection.measure import measure_usefulness

    result = measure_usefulness(config, log=say, progress=shows_progress())
    if results_as_json():
        rows = {row.row: {kind: row.mean(kind, measure="ap") for kind in result.classes} for row in result.rows}
        say_result("", ap=rows, out=config.out)
        return
    for kind in result.classes:
        for row in result.rows:
            say(f"{kind:10} {row.row:32} AP50 {row.mean(kind):5.1f}   AP {row.mean(kind, measure='ap'):5.1f}")
    say(f"tables in {config.out / 'report.md'}")
