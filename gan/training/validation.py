"""What a validation measures: by pairs where they are known, else between the two sets of images.

With pairs it is the mean LPIPS, or L1 where LPIPS cannot be had. Without, a distance from a generated image to any one
real image says nothing; the kernel distance (`gan.metrics.distribution`) between all generated and all real validation
images is taken, on features of AlexNet. It is unbiased, so it also serves few images, and may fall below 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gan.data.training_data import TrainingData, validation_targets
from gan.errors import MetricError

__all__ = [
    "BetweenSets",
    "ByPairs",
    "Measure",
    "Metric",
    "Unmeasured",
    "choose_measure",
    "choose_metric",
    "choose_set_measure",
]

Metric = Callable[[Tensor, Tensor], Tensor]
"""Distance of fake and real images (N, K, H, W) in [-1, 1], one value per image."""

Features = npt.NDArray[np.float32]

# AlexNet pools a smaller image away.
_SMALLEST_PX: Final = 32
# A distance between distributions needs as many on each side.
_FEWEST: Final = 2


class Measure(Protocol):
    """Collects the images of one validation after the other."""

    name: str
    """Of the value that decides which epoch was best, lower is better; "" where nothing does."""

    def add(self, fake: Tensor, real: Tensor) -> None:
        """Takes one batch of generated images, and of real ones beside them."""

    def values(self) -> dict[str, float]:
        """Values by name over all batches; forgets these."""


class ByPairs:
    """Mean of a metric over pairs, and L1 beside it."""

    def __init__(self, name: str, metric: Metric) -> None:
        self.name = name
        self._metric = metric
        self._rows: list[tuple[Tensor, Tensor]] = []

    def add(self, fake: Tensor, real: Tensor) -> None:
        """Measures one batch of pairs."""
        self._rows.append((self._metric(fake, real), _l1(fake, real)))

    def values(self) -> dict[str, float]:
        """Means by name."""
        distances, errors = (torch.cat(column) for column in zip(*self._rows, strict=True))
        self._rows = []
        return {self.name: float(distances.mean()), "l1": float(errors.mean())}


class BetweenSets:
    """Kernel distance between all generated and all real images.

    Args:
        features: Name of the features.
        extract: (N, K, H, W) images in [-1, 1] to (N, D).
        real: The real images, in batches.
    """

    def __init__(self, features: str, extract: Callable[[Tensor], Features], real: Iterable[Tensor]) -> None:
        self.name = f"kernel_distance_{features}"
        self._extract = extract
        self._real = np.concatenate([extract(batch) for batch in real])
        self._fake: list[Features] = []

    def add(self, fake: Tensor, real: Tensor) -> None:
        """Takes one batch of generated images."""
        self._fake.append(self._extract(fake))

    def values(self) -> dict[str, float]:
        """The distance by its name."""
        from gan.metrics.distribution import kernel_distance

        fake, self._fake = np.concatenate(self._fake), []
        return {self.name: kernel_distance(self._real, fake)}


class Unmeasured:
    """No value at all; the last epoch counts as the best."""

    name = ""

    def add(self, fake: Tensor, real: Tensor) -> None:
        """Takes nothing."""

    def values(self) -> dict[str, float]:
        """None."""
        return {}


def choose_measure(
    data: TrainingData,
    weights_dir: str,
    device: torch.device,
    metric: tuple[str, Metric] | None,
    report: Callable[[str], None],
) -> Measure:
    """What a run validates by, given its data.

    Args:
        data: The training data, of which some validate.
        weights_dir: Folder with backbone weights; "" looks where `gan.metrics` looks.
        device: Where it is computed.
        metric: Name and function of the metric of pairs; None takes LPIPS, else L1.
        report: Takes a line where something else than usual is taken, and why.
    """
    if data.targets is None or data.target_split is None:
        name, function, reason = (*metric, "") if metric else choose_metric(weights_dir, device, data.size)
        if reason:
            report(f"validating by L1, because LPIPS cannot be had: {reason}")
        return ByPairs(name, function)
    counts = len(data.split.validation), len(data.target_split.validation)
    measure, reason = choose_set_measure(weights_dir, device, data.samples.size, validation_targets(data), counts)
    if reason:
        report(f"validating by eye alone, the last weights become the model: {reason}")
    return measure


def choose_metric(weights_dir: str, device: torch.device, size: tuple[int, int]) -> tuple[str, Metric, str]:
    """Name and function of the metric of pairs, and why it is not LPIPS ("" where it is)."""
    if min(size) < _SMALLEST_PX:
        return "l1", _l1, f"images below {_SMALLEST_PX} px"
    try:
        from gan.metrics.lpips import Lpips

        module = Lpips("alex", Path(weights_dir) if weights_dir else None, device=str(device)).module
    except (MetricError, ImportError) as error:
        return "l1", _l1, str(error)

    def lpips(fake: Tensor, real: Tensor) -> Tensor:
        distance: Tensor = module(fake.expand(-1, 3, -1, -1), real.expand(-1, 3, -1, -1))
        return distance.flatten()

    return "lpips", lpips, ""


def choose_set_measure(
    weights_dir: str, device: torch.device, size: tuple[int, int], real: Iterable[Tensor], counts: tuple[int, int]
) -> tuple[Measure, str]:
    """What measures unpaired images, and why nothing does ("" where something does).

    Args:
        weights_dir: Folder with the backbone's weights; "" looks where `gan.metrics` looks.
        device: Where the features are computed.
        size: Height and width of the images.
        real: The real validation images, (N, K, H, W) in [-1, 1].
        counts: Number of sources and of real images that validate.
    """
    if min(size) < _SMALLEST_PX:
        return Unmeasured(), f"images are below {_SMALLEST_PX} px"
    if min(counts) < _FEWEST:
        return Unmeasured(), f"{counts[0]} sources and {counts[1]} targets validate, it takes {_FEWEST} of each"
    try:
        from gan.metrics.features import feature_extractor

        extractor = feature_extractor("alex", Path(weights_dir) if weights_dir else None, device=str(device))
    except (MetricError, ImportError) as error:
        return Unmeasured(), str(error)

    def extract(images: Tensor) -> Features:
        plain = (images.float().clamp(-1, 1) + 1) / 2
        return extractor(plain.expand(-1, 3, -1, -1).cpu().numpy())

    return BetweenSets(extractor.name, extract, real), ""


def _l1(fake: Tensor, real: Tensor) -> Tensor:
    return functional.l1_loss(fake, real, reduction="none").mean(dim=(1, 2, 3))
