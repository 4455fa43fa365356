"""What a measurement gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["MeasuredRow", "Measurement"]


@dataclass(frozen=True)
class MeasuredRow:
    """What detectors found that were trained on one row's sets."""

    row: str
    images: int
    """Images that were trained on, in the mean over folds."""
    objects: dict[str, int]
    """Labelled objects of each class among them."""
    scores: list[dict[str, Any]]
    """By seed: `pipelines.detection.scores.Score` of each class, as plain values."""

    def mean(self, kind: str, part: str = "all", measure: str = "ap50") -> float:
        """Mean of a measure over the seeds, percent."""
        return float(np.mean([one[kind][measure][part] for one in self.scores]))

    def spread(self, kind: str, part: str = "all", measure: str = "ap50") -> float:
        """Standard deviation between seeds."""
        values = [one[kind][measure][part] for one in self.scores]
        return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


@dataclass(frozen=True)
class Measurement:
    """The whole table."""

    classes: tuple[str, ...]
    rows: list[MeasuredRow]
    """Scored on all tested images, or on those to report on."""
    choose: list[MeasuredRow] = field(default_factory=list)
    """Scored on the others, by which one may choose; empty without such a split."""
