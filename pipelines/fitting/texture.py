"""The thermal texture of a car's surface, learned from the fits themselves (expectation maximisation).

Every pass fits all boxes with the texture of the pass before; the mean level of each bin over these fits is the next
texture. The first pass has none. Levels are standard deviations about the mean of each car, so that gain and offset of
the camera drop out. Day and night have a texture each, drawn towards the common one where they have few cars.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipelines.fitting.shapes import BINS

__all__ = ["car_levels", "learn", "no_texture"]

Array = NDArray[np.float64]

PRIOR_CARS = 8.0
"""The common texture counts as many cars of the time of day."""
MIN_PX = 3


def no_texture() -> dict[str, Array]:
    """What is known before the first pass."""
    return {"": np.zeros(BINS)}


def car_levels(bin_sum: Array, bin_count: Array) -> list[float | None]:
    """(BINS,) level of each bin of one car; None where too little of it is seen."""
    seen = bin_count >= MIN_PX
    if seen.sum() < 3:
        return [None] * BINS
    level = bin_sum[seen] / bin_count[seen]
    weight = bin_count[seen]
    mean = np.average(level, weights=weight)
    std = np.sqrt(np.average((level - mean) ** 2, weights=weight)) + 1e-6
    levels: list[float | None] = [None] * BINS
    for place, value in zip(np.flatnonzero(seen).tolist(), ((level - mean) / std).tolist(), strict=True):
        levels[place] = round(value, 4)
    return levels


def learn(cars: Iterable[tuple[str, list[float | None]]]) -> dict[str, Array]:
    """Texture by time of day, and that of all cars under ``""``.

    Args:
        cars: time of day ("" where unknown) and levels of each car.
    """
    listed = [(time, np.array([np.nan if v is None else v for v in levels])) for time, levels in cars]
    common, _ = _mean([levels for _, levels in listed], np.zeros(BINS), 1.0)
    textures = {"": common}
    for time in sorted({time for time, _ in listed} - {""}):
        textures[time], _ = _mean([levels for own, levels in listed if own == time], common, PRIOR_CARS)
    return textures


def _mean(rows: list[Array], prior: Array, weight: float) -> tuple[Array, Array]:
    table = np.array(rows).reshape(-1, BINS)
    count = np.isfinite(table).sum(axis=0)
    return (np.nansum(table, axis=0) + weight * prior) / (count + weight), count
