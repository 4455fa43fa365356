"""`gis stats`: figures of sets, read or computed, and written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.errors import DatasetError
from pipelines.io.files import make_folder, read_json, write_bytes, write_json, write_text
from pipelines.io.images import encode_png
from pipelines.io.typed_json import from_json, to_json
from pipelines.statistics.chart import stats_chart
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.figures import FORMAT, SetFigures, figures_of
from pipelines.statistics.observed import observe
from pipelines.statistics.table import stats_markdown

__all__ = ["STATS_FILE", "is_statistics", "measure_sets", "read_statistics", "run_stats"]

STATS_FILE: Final = "stats.json"


def run_stats(config: StatsConfig, report: Callable[[str], None] = lambda line: None) -> list[SetFigures]:
    """Figures of all sets; writes them where a folder is named.

    Args:
        config: names the sets.
        report: takes lines for the user.

    Raises:
        PipelineError: a set cannot be read, or the folder not be written.
        ItemError: half of a set's images or more cannot be read.
    """
    sets = [one for place in config.sets for one in measure_sets(place, config, report)]
    if config.out is not None:
        make_folder(config.out)
        write_json(config.out / STATS_FILE, {"format": FORMAT, "sets": [to_json(one) for one in sets]})
        write_text(config.out / "stats.md", stats_markdown(sets))
        write_bytes(config.out / "stats.png", encode_png(stats_chart(sets)))
    return sets


def measure_sets(
    place: str, config: StatsConfig, report: Callable[[str], None] = lambda line: None
) -> tuple[SetFigures, ...]:
    """The figures that one argument names: of a set, or all of a ``stats.json``."""
    name, place = _named(place)
    if is_statistics(place):
        sets = read_statistics(Path(place))
    else:
        observed = observe(place, window=config.window_px, placed_only=config.placed_only, report=report)
        sets = (figures_of(observed, config.pictures),)
    return tuple(replace(one, name=name) for one in sets) if name else sets


def _named(text: str) -> tuple[str, str]:
    """Name and place of ``NAME:SET``; a place that is there has no name before it."""
    name, colon, place = text.partition(":")
    address = place.startswith("//")  # s3://bucket/set
    named = colon and name and "/" not in name and "=" not in name and not address and not os.path.exists(text)
    return (name, place) if named else ("", text)


def is_statistics(place: str) -> bool:
    """Whether it is a file of statistics, by its name's end and its first key."""
    path = Path(place)
    if path.suffix.lower() != ".json" or not os.path.isfile(path):
        return False
    with path.open("rb") as stream:
        return FORMAT.encode() in stream.read(200)


def read_statistics(path: Path) -> tuple[SetFigures, ...]:
    """The figures of a ``stats.json``.

    Raises:
        DatasetError: it is none.
    """
    data = read_json(path)
    sets = data.get("sets") if isinstance(data, dict) else None
    if not isinstance(sets, list) or not sets:
        raise DatasetError(f"{path}: no sets in it: expected a stats.json of gis stats")
    return tuple(from_json(SetFigures, one, f"{path}: set {number}") for number, one in enumerate(sets, 1))
