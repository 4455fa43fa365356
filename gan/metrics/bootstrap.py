"""Confidence intervals of a mean by the percentile bootstrap (Efron 1979), seeded.

The interval takes images as independent. Neighbouring frames of one drive are not, and then it is too narrow: with
``groups`` whole sequences are drawn (the cluster bootstrap; Davison and Hinkley, "Bootstrap methods and their
application", 1997, section 3.8), which takes only sequences as independent.
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
    values: Sequence[float],
    *,
    seed: int = 0,
    confidence: float = 0.95,
    draws: int = _DRAWS,
    groups: Sequence[str] | None = None,
) -> Interval:
    """Mean of `values` with its percentile interval.

    Infinite values (the PSNR of equal images) make an infinite mean, and no interval.

    Args:
        values: One for each image.
        seed: Of the draws.
        confidence: Of the interval.
        draws: How many.
        groups: The sequence of each value: whole sequences are drawn, and a draw's mean is that of all their values.

    Raises:
        ValueError: no values, a confidence outside (0, 1), or groups of another number.
    """
    if groups is not None and len(groups) != len(values):
        raise ValueError(f"{len(groups)} groups for {len(values)} values: expected one for each")
    if not values or not 0.0 < confidence < 1.0:
        raise ValueError(
            f"{len(values)} values at confidence {confidence}: expected at least one, and 0 < confidence < 1"
        )
    array = np.asarray(values, dtype=np.float64)
    mean = math.fsum(array) / len(array) if np.isfinite(array).all() else float(array.sum())
    if not math.isfinite(mean) or len(array) == 1:
        return Interval(mean, mean, mean, len(array))
    rng = np.random.default_rng(seed)
    if groups is None:
        means = np.array([array[rng.integers(0, len(array), len(array))].mean() for _ in range(draws)])
    else:
        names = np.unique(np.asarray(groups), return_inverse=True)[1]
        sums, counts = np.bincount(names, array), np.bincount(names)
        drawn = rng.integers(0, len(counts), (draws, len(counts)))
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    # Rounding may put a constant's resampled mean one bit beside the mean itself.
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(array))
