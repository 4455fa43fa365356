"""How many real labels a set is worth: where the curve of real labels alone reaches what the set reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["worth_in_labels"]


def worth_in_labels(labels: Sequence[float], precision: Sequence[float], reached: float) -> float:
    """Number of real labels with which a detector gets as good.

    Between the measured numbers precision is taken to be linear in the logarithm of the number; a number with which it
    is worse than with fewer counts as good as the fewer.

    Args:
        labels: Numbers of real labels, each above 0, in any order.
        precision: What a detector reaches with each.
        reached: What a detector reaches that is to be compared.

    Returns:
        The number; 0 below the smallest number's precision, infinity above the largest one's.

    Raises:
        ValueError: No numbers, or one that is not positive.
    """
    if not len(labels) or min(labels) <= 0:
        raise ValueError(f"labels are {list(labels)}: expected numbers above 0")
    order = np.argsort(labels)
    counts = np.log(np.asarray(labels, np.float64)[order])
    values = np.maximum.accumulate(np.asarray(precision, np.float64)[order])
    if reached < values[0]:
        return 0.0
    if reached > values[-1]:
        return math.inf
    after = int(np.searchsorted(values, reached, side="left"))
    if after == 0:
        return float(np.exp(counts[0]))
    low, high = values[after - 1], values[after]
    part = (reached - low) / (high - low)
    return float(np.exp(counts[after - 1] + part * (counts[after] - counts[after - 1])))
