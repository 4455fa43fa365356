"""Confidence intervals of a mean by the percentile bootstrap (Efron 1979), seeded.

The interval takes images as independent. Neighbouring frames of one drive are not: then it is too narrow; resample
means per sequence instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["Interval", "bootstrap_mean"]

_DRAWS: Final = 2000  # percentiles of 2.5 % then rest on 50 draws each side


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds it."""

    mean: float
    low: float
    """Lower end; equals the mean for a single value."""
    high: float
    """Upper end."""
    count: int
    """How many values it rests on."""


def bootstrap_mean(
    values: Sequence[float], *, seed: int = 0, confidence: float = 0.95, draws: int = _DRAWS
) -> Interval:
    """Mean of `values` with its percentile interval.

    Infinite values (the PSNR of equal images) make an infinite mean, and no interval.

    Raises:
        ValueError: no values, or a confidence outside (0, 1).
    """
    if not values or not 0.0 < confidence < 1.0:
        raise ValueError(
            f"{len(values)} values at confidence {confidence}: expected at least one, and 0 < confidence < 1"
        )
    array = np.asarray(values, dtype=np.float64)
    mean = math.fsum(array) / len(array) if np.isfinite(array).all() else float(array.sum())
    if not math.isfinite(mean) or len(array) == 1:
        return Interval(mean, mean, mean, len(array))
    rng = np.random.default_rng(seed)
    means = np.array([array[rng.integers(0, len(array), len(array))].mean() for _ in range(draws)])
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    # Rounding may put a constant's resampled mean one bit beside the mean itself.
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(array))
