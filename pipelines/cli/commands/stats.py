"""``gis stats``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note
from pipelines.cli.console import results_as_json, say, say_result
from pipelines.statistics.config import StatsConfig

__all__ = ["stats"]


def stats(config: StatsConfig) -> None:
    """Tell what is in sets of frames, real or made: sizes, distances, positions, contrast, hours, side by side."""
    from pipelines.statistics.run import run_stats
    from pipelines.statistics.table import rows_of

    sets = run_stats(config, report=print_note)
    if results_as_json():
        figures = {name: dict(zip((one.name for one in sets), values, strict=True)) for name, values in rows_of(sets)}
        say_result("", figures=figures, out=config.out)
        return
    rows = [("", tuple(one.name for one in sets)), *rows_of(sets)]
    width = max(len(name) for name, _ in rows)
    columns = [max(len(values[k]) for _, values in rows) for k in range(len(sets))]
    for name, values in rows:
        cells = (f"{text:>{wide}}" for text, wide in zip(values, columns, strict=True))
        say(f"{name:{width}}  {'  '.join(cells)}")
    if config.out is not None:
        say(f"figures and picture in {config.out}")
