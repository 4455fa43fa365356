"""The option ``like``: which options make a set whose figures come near to those of another, such as a real one.

It stands for the options that it is resolved to, which take it up from there: the same frames come of giving these by
hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from renderer.thermal.condition_names import WEATHERS

from pipelines.errors import ConfigError
from pipelines.statistics.figures import SetFigures, figures_of, quantile
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
PICTURES: Final = 200
"""That are looked at of a set, evenly spaced."""
QUANTILES: Final = 9
"""Of noise and contrast, in the text of an option."""
CAR_PER_VAN: Final = 0.80 / 0.09
"""Where all vans are called cars; of `renderer.scene.cars.CATEGORY_SHARE`."""


def options_like(place: str, *, street: bool, fixed_hour: bool, own_look: bool) -> dict[str, Any]:
    """Values of options, by their names; what the set does not tell is not among them.

    Args:
        place: A set, or the ``stats.json`` of one; see `pipelines.statistics.observed.observe`.
        street: Whether frames are rendered whole; backgrounds bring a crowd of their own, to which a few are added.
        fixed_hour: Whether the options say already when the frames are.
        own_look: Whether the options leave noise and contrast of the pictures open.

    Raises:
        PipelineError: it cannot be read.
        ConfigError: a ``stats.json`` of several sets.
    """
    figures = figures_like(place, PICTURES if own_look else 0)
    return {
        **_objects_like(figures, place, street=street),
        **({} if fixed_hour else _hours_like(figures)),
        **_weather_like(figures),
        **(_look_like(figures) if own_look else {}),
    }


def _objects_like(figures: SetFigures, place: str, *, street: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    vehicles, people = figures.kinds.get("vehicle"), figures.kinds.get("person")
    if vehicles is not None and street:
        options["density"] = round(_inverse(VEHICLES, vehicles.per_frame), 2)
    if vehicles is not None and vehicles.count >= LEAST_BOXES:
        options["distances"] = place
    if people is not None and street and people.per_frame < PEOPLE[-1][1]:
        options["objects"] = f"people={max(1, round(_inverse(PEOPLE, people.per_frame)))}"
    if shares := _vehicles_like(figures.categories):
        options["vehicles"] = shares
    return options


def _vehicles_like(counts: Mapping[str, int]) -> str:
    """Weights of the kinds of vehicles; empty where the set tells fewer than two of them apart."""
    known = {kind: counts[kind] for kind in ("car", "van", "truck", "bus") if counts.get(kind)}
    if len(known) < 2 or sum(known.values()) < LEAST_BOXES:
        return ""
    if "van" not in known and "car" in known:
        known["van"] = round(known["car"] / (CAR_PER_VAN + 1))
        known["car"] -= known["van"]
    return ",".join(f"{kind}={count}" for kind, count in known.items() if count)


def _hours_like(figures: SetFigures) -> dict[str, Any]:
    """By the hours of all frames where they are known, else by day and night."""
    if figures.hours is not None and sum(figures.hours) == figures.frames:
        return {"hours": ",".join(f"{hour}={count}" for hour, count in enumerate(figures.hours) if count)}
    return {} if figures.day_share is None else {"day_share": round(figures.day_share, 2)}


def _weather_like(figures: SetFigures) -> dict[str, Any]:
    """Where the weather of all frames is known: the one that they have, or all with their weights."""
    counts = figures.weather
    if not counts or sum(counts.values()) != figures.frames or not set(counts) <= set(WEATHERS):
        return {}
    return {"weather": next(iter(counts)) if len(counts) == 1 else ",".join(f"{k}={n}" for k, n in counts.items())}


def _look_like(figures: SetFigures) -> dict[str, Any]:
    found = {"noise": figures.noise, "contrast": figures.contrast}
    return {name: _levels(values) for name, values in found.items() if values}


def _levels(quantiles: Sequence[float]) -> str:
    """The text of an option, by fewer quantiles."""
    shares = np.linspace(0.0, 1.0, QUANTILES)
    return ",".join(f"{quantile(tuple(quantiles), float(share)):.2f}" for share in shares)


def figures_like(place: str, pictures: int = 0, report: Callable[[str], None] = lambda line: None) -> SetFigures:
    """The figures that a place names, of one set.

    Args:
        place: As for `options_like`.
        pictures: How many pictures are looked at, where it is no file of figures.
        report: Takes lines for the user.

    Raises:
        PipelineError: it cannot be read.
        ConfigError: a ``stats.json`` of several sets.
    """
    if not is_statistics(place):
        return figures_of(observe(place, report=report), pictures)
    sets = read_statistics(Path(place))
    if len(sets) > 1:
        names = ", ".join(one.name for one in sets)
        raise ConfigError(f"{place}: figures of {len(sets)} sets ({names}): expected those of one, to make one like it")
    return sets[0]


def _inverse(table: Table, wanted: float) -> float:
    """The option's value at which the table has that count; at most its last."""
    values, counts = zip(*table, strict=True)
    return float(np.interp(wanted, counts, values))
