"""What an evaluation takes and gives: options, measures, results."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from gan.metrics.bootstrap import Interval

__all__ = ["METRICS", "EvaluateConfig", "Evaluation", "Metric", "config_values"]

Backbone = Literal["alex", "vgg"]


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


@dataclass(frozen=True)
class EvaluateConfig:
    """What to compare, and how."""

    real: Path
    """Folder of real images (or a dataset with an ``images`` folder)."""
    fake: Path
    """Folder of generated images of the same names."""
    lpips: tuple[Backbone, ...] = ("alex",)
    """Backbones for LPIPS; empty leaves it out."""
    features: tuple[Backbone, ...] = ("alex",)
    """Backbones for the distances between distributions; empty leaves them out."""
    inception: Path | None = None
    """Weights of the published Inception: with them FID is computed as well."""
    weights_dir: Path | None = None
    """Folder with backbone weights; else ``GIS_WEIGHTS``, else a download."""
    masks: Path | None = None
    """Folder of masks of the same names; only non-zero pixels count."""
    boxes: Path | None = None
    """JSON file of boxes; only pixels within them count."""
    unpaired: bool = False
    """The folders show different scenes: only distances between distributions."""
    seed: int = 0
    """Seed of the bootstrap."""
    device: str = "cpu"
    """Torch device of the backbones."""


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


def config_values(config: EvaluateConfig) -> dict[str, Any]:
    """The configuration as JSON values; folders by their last name only, so that reports do not depend on the place."""
    values = dataclasses.asdict(config)
    return {key: value.name if isinstance(value, Path) else value for key, value in values.items()}
