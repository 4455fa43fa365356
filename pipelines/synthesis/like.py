"""The option ``like``: which options make a set whose figures come near to those of another, such as a real one.

It stands for the options that it is resolved to, which take it up from there: the same frames come of giving these by
hand. Distributions that no option sets, such as contrast, are not taken.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipelines.errors import ConfigError
from pipelines.statistics.figures import SetFigures, figures_of
from pipelines.statistics.observed import observe
from pipelines.statistics.run import is_statistics, read_statistics

__all__ = ["figures_like", "options_like"]

Table = tuple[tuple[float, float], ...]

# Mean labelled vehicles of a frame by density, and people by the most of them that are allowed: 24 frames of the
# shipped city, camera flir-adas at 512x512, sizes as in RoadScene.
VEHICLES: Final[Table] = ((0.0, 0.0), (0.15, 2.42), (0.3, 3.12), (1.0, 5.96), (2.0, 7.29))
PEOPLE: Final[Table] = ((0.0, 0.0), (2.0, 0.83), (5.0, 1.58), (12.0, 1.88))
LEAST_BOXES: Final = 20
"""Fewer vehicles tell no distribution of sizes."""


def options_like(place: str, *, street: bool, fixed_hour: bool) -> dict[str, Any]:
    """Values of options, by their names; what the set does not tell is not among them.

    Args:
        place: A set, or the ``stats.json`` of one; see `pipelines.statistics.observed.observe`.
        street: Whether frames are rendered whole; backgrounds bring a crowd of their own, to which a few are added.
        fixed_hour: Whether the hour of all frames is given.

    Raises:
        PipelineError: it cannot be read.
        ConfigError: a ``stats.json`` of several sets.
    """
    figures = figures_like(place)
    options: dict[str, Any] = {}
    vehicles, people = figures.kinds.get("vehicle"), figures.kinds.get("person")
    if vehicles is not None and street:
        options["density"] = round(_inverse(VEHICLES, vehicles.per_frame), 2)
    if vehicles is not None and vehicles.count >= LEAST_BOXES:
        options["distances"] = place
    if people is not None and street and people.per_frame < PEOPLE[-1][1]:
        options["objects"] = f"people={max(1, round(_inverse(PEOPLE, people.per_frame)))}"
    if figures.day_share is not None and not fixed_hour:
        options["day_share"] = round(figures.day_share, 2)
    if len(figures.weather) == 1 and sum(figures.weather.values()) == figures.frames:
        options["weather"] = next(iter(figures.weather))
    return options


def figures_like(place: str, report: Callable[[str], None] = lambda line: None) -> SetFigures:
    """The figures of labels that a place names, of one set.

    Raises:
        PipelineError: it cannot be read.
        ConfigError: a ``stats.json`` of several sets.
    """
    if not is_statistics(place):
        return figures_of(observe(place, report=report))
    sets = read_statistics(Path(place))
    if len(sets) > 1:
        names = ", ".join(one.name for one in sets)
        raise ConfigError(f"{place}: figures of {len(sets)} sets ({names}): expected those of one, to make one like it")
    return sets[0]


def _inverse(table: Table, wanted: float) -> float:
    """The option's value at which the table has that count; at most its last."""
    values, counts = zip(*table, strict=True)
    return float(np.interp(wanted, counts, values))
