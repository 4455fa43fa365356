"""What an evaluation gives: measures and results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from gan.metrics.bootstrap import Interval

__all__ = ["METRICS", "Evaluation", "Metric"]


@dataclass(frozen=True)
class Metric:
    """How a measure is read."""

    name: str
    title: str
    unit: str
    lower_is_better: bool


METRICS: Final = tuple(
    Metric(*row)
    for row in (
        ("lpips_alex", "LPIPS (AlexNet)", "", True),
        ("lpips_vgg", "LPIPS (VGG16)", "", True),
        ("ssim", "SSIM", "", False),
        ("psnr_dB", "PSNR", "dB", False),
        ("mae", "MAE (L1)", "of full range", True),
        ("mse", "MSE", "of full range squared", True),
        ("rmse", "RMSE", "of full range", True),
        ("uqi", "UQI", "", False),
        ("gradient_error", "Gradient error", "of full range per px", True),
    )
)


@dataclass
class Evaluation:
    """Everything that was measured."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """One per pair: ``name`` and the value of each measure (None where its region is empty)."""
    means: dict[str, Interval] = field(default_factory=dict)
    """Mean of each measure over the pairs that have it."""
    distributions: list[dict[str, Any]] = field(default_factory=list)
    """Distances between the two sets, each with the features it was taken on."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the figures has to know."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why an image or pair that could not be read was left out, by its name."""
