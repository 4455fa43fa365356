"""What the backends share that are told temperatures: options of the span and the vector, and reading both of a batch.

An image and a vector of temperatures are numbers of one span of kelvin; the vector has an entry for the background and
one for each category of the data (`gan.data.kelvin`). Images without temperatures have one entry, all that they show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from gan.backends.base import BackendConfig
from gan.data.batch import Batch
from gan.data.kelvin.vector import Temperatures
from gan.errors import ConfigError
from gan.networks.thermal_segmentation import entry_means

if TYPE_CHECKING:
    from gan.data.kelvin.vector import Measured

__all__ = ["KelvinConfig", "batch_entries", "batch_ids", "batch_vectors", "suggest_temperatures"]

_FULL: Final = 2.0
"""Images span [-1, 1]."""


@dataclass(frozen=True)
class KelvinConfig(BackendConfig):
    """Options that say what an image is in kelvin and what it shows."""

    contrast_K: float = 10.0
    """Largest relative contrast, kelvin; follows from the data."""
    lowest_K: float = 0.0
    """Temperature of black; follows from the data. 0: the images have none."""
    highest_K: float = 0.0
    """Temperature of white; follows from the data."""
    entries: str = ""
    """Entries of the vector and what they were in training, NAME=LOWEST:MEAN:HIGHEST kelvin; follows from the data."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.entries and not 0 < self.lowest_K < self.highest_K:
            raise ConfigError(f"lowest_K is {self.lowest_K:g}, highest_K {self.highest_K:g}: expected a span of kelvin")
        if not self.contrast_K > 0:
            raise ConfigError(f"contrast_K is {self.contrast_K:g}: expected more than 0")
        if self.entries and self.out_channels != 1:
            raise ConfigError(f"out_channels is {self.out_channels}: expected 1, a temperature")
        if self.entries:
            Temperatures.from_text(self.entries)

    @property
    def needs_temperatures(self) -> bool:
        """It learns from kelvin, masks and categories."""
        return True

    @property
    def temperatures(self) -> Temperatures | None:
        """The entries of the vector; None of images without temperatures."""
        return Temperatures.from_text(self.entries) if self.entries else None

    @property
    def usual(self) -> list[float]:
        """The vector of the mean of the training, in numbers of images; one 0 of images without temperatures."""
        known = self.temperatures
        return [0.0] if known is None else [self.to_unit(entry.mean_K) for entry in known.entries]

    @property
    def contrast_scale(self) -> float:
        """What contrast in [-1, 1] is multiplied by to be added to a temperature: one constant on both ways."""
        return _FULL * self.contrast_K / (self.highest_K - self.lowest_K) if self.entries else _FULL

    def to_unit(self, kelvin: float) -> float:
        """Kelvin to the numbers of images, [-1, 1] over the span."""
        return _FULL * (kelvin - self.lowest_K) / (self.highest_K - self.lowest_K) - 1

    def to_kelvin(self, value: float) -> float:
        """Numbers of images to kelvin."""
        return self.lowest_K + (value + 1) / _FULL * (self.highest_K - self.lowest_K)


def suggest_temperatures(measured: Measured) -> dict[str, Any]:
    """Span, entries and contrast of the data."""
    span = measured.span
    return {
        "lowest_K": span.lowest_K,
        "highest_K": span.highest_K,
        "entries": measured.temperatures.to_text(),
        "contrast_K": measured.contrast_K,
    }


def batch_entries(batch: Batch) -> Tensor:
    """(N, 1, H, W) int32 place of each pixel in the vector; without masks all is background."""
    if batch.objects is None:
        return torch.zeros_like(batch.target[:, :1], dtype=torch.int32)
    return batch.objects[:, :1]


def batch_ids(batch: Batch) -> Tensor:
    """(N, 1, H, W) int32 number of each pixel's object."""
    if batch.objects is None:
        return torch.zeros_like(batch.target[:, :1], dtype=torch.int32)
    return batch.objects[:, 1:]


def batch_vectors(batch: Batch, usual: Tensor) -> Tensor:
    """(N, K) mean of each entry in its image; ``usual`` (K,) where the image shows nothing of it."""
    vectors, shown = entry_means(batch.target, batch_entries(batch), len(usual))
    return torch.where(shown, vectors, usual.expand_as(vectors))
