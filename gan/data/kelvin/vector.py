"""Temperatures of things, and the image that they are given to: the vector of a model that is told how warm they are.

A set of `gis synthesize` holds kelvin, masks and categories, so the vector follows from it: an entry for the background
and one for each category, the mean apparent temperature of its pixels in a frame.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gan.data.decoded_images import DecodedImages
from gan.data.sources import Span
from gan.errors import ConfigError

__all__ = [
    "BACKGROUND",
    "Entry",
    "Measured",
    "Temperatures",
    "measure_temperatures",
]

Float64 = npt.NDArray[np.float64]

BACKGROUND: Final = "background"
"""Name of the first entry: all that is no object."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_ENTRIES: Final = 64
_HOTTEST_K: Final = 10_000.0
_CONTRAST_SHARE: Final = 0.999
"""Of the pixels of a frame that are no farther from the mean of their object than the contrast that is stored."""


@dataclass(frozen=True)
class Entry:
    """One entry of the vector, and what it was in training."""

    name: str
    lowest_K: float
    mean_K: float
    highest_K: float


@dataclass(frozen=True)
class Temperatures:
    """The entries of a vector of temperatures, the background first."""

    entries: tuple[Entry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the entries."""
        return tuple(entry.name for entry in self.entries)

    def to_text(self) -> str:
        """``background=262.1:281.4:301.2,car=...``: lowest, mean and highest in training, kelvin."""
        return ",".join(
            f"{entry.name}={entry.lowest_K:.3f}:{entry.mean_K:.3f}:{entry.highest_K:.3f}" for entry in self.entries
        )

    @classmethod
    def from_text(cls, text: str) -> Temperatures:
        """Reads what `to_text` gave.

        Raises:
            ConfigError: it is something else.
        """
        parts = text.split(",")
        if len(parts) > _MOST_ENTRIES:
            raise ConfigError(f"entries has {len(parts)} entries: expected at most {_MOST_ENTRIES}")
        entries = tuple(map(_entry, parts))
        names = [entry.name for entry in entries]
        if names[0] != BACKGROUND or len(set(names)) < len(names):
            raise ConfigError(f"entries is {text[:80]!r}: expected {BACKGROUND} first, and no name twice")
        return cls(entries)

    def vector(self, wanted_K: Mapping[str, float]) -> Float64:
        """(K,) kelvin of all entries: as wanted, and the mean of the training where nothing is.

        Raises:
            ConfigError: an entry that there is not, or no temperature.
        """
        for name, value in wanted_K.items():
            if name not in self.names:
                raise ConfigError(f"temperature of {name!r}: expected one of {', '.join(self.names)}")
            if not 0 < value < _HOTTEST_K:
                raise ConfigError(f"temperature of {name} is {value:g}: expected kelvin")
        return np.array([wanted_K.get(entry.name, entry.mean_K) for entry in self.entries])

    def beyond(self, wanted_K: Mapping[str, float]) -> list[str]:
        """A line for each temperature that the training did not have."""
        known = {entry.name: entry for entry in self.entries}
        return [
            f"{name}={value:g} K is outside of what the model was trained on, "
            f"{known[name].lowest_K:.1f} to {known[name].highest_K:.1f} K: what it makes of it is a guess"
            for name, value in wanted_K.items()
            if name in known and not known[name].lowest_K <= value <= known[name].highest_K
        ]


def _entry(text: str) -> Entry:
    name, _, values = text.partition("=")
    try:
        lowest, mean, highest = map(float, values.split(":"))
    except ValueError:
        raise ConfigError(f"entry {text[:60]!r}: expected NAME=LOWEST:MEAN:HIGHEST in kelvin") from None
    if not _NAME.fullmatch(name) or not 0 < lowest <= mean <= highest < _HOTTEST_K:
        raise ConfigError(f"entry {text[:60]!r}: expected a name and three rising temperatures in kelvin")
    return Entry(name, lowest, mean, highest)


@dataclass(frozen=True)
class Measured:
    """What the frames of a set that train have in temperatures."""

    span: Span
    temperatures: Temperatures
    """Of the entries."""
    contrast_K: float
    """How far pixels lie from the mean of their object: 99.9 % of a frame's lie within, in each frame."""


def measure_temperatures(samples: DecodedImages, rows: Sequence[int], span: Span) -> Measured:
    """Measures the entries of the frames that train.

    Args:
        samples: with the planes ``target``, ``entry`` and ``instance_id``.
        rows: Frames that train.
        span: What the planes mean.
    """
    scale = (span.highest_K - span.lowest_K) / np.iinfo(np.uint16).max
    found: dict[int, list[float]] = {place: [] for place in range(len(span.names))}
    contrast = 0.0
    for row in rows:
        kelvin = span.lowest_K + samples.planes["target"][row, 0].astype(np.float64) * scale
        entry, ids = samples.planes["entry"][row, 0], samples.planes["instance_id"][row, 0]
        for place in map(int, np.unique(entry)):
            found[place].append(float(kelvin[entry == place].mean()))
        _, inverse = np.unique(ids, return_inverse=True)
        inverse = inverse.ravel()
        means = np.bincount(inverse, kelvin.ravel()) / np.bincount(inverse)
        contrast = max(contrast, float(np.quantile(np.abs(kelvin.ravel() - means[inverse]), _CONTRAST_SHARE)))
    entries = [_measured_entry(span.names[place], found[place], span) for place in found]
    return Measured(span, Temperatures(tuple(entries)), float(math.ceil(max(contrast, 1.0))))


def _measured_entry(name: str, means_K: Sequence[float], span: Span) -> Entry:
    """An entry of its means in the frames that train; one that none of them shows may be anything."""
    if not means_K:
        return Entry(name, span.lowest_K, span.lowest_K, span.highest_K)
    return Entry(name, round(min(means_K), 3), round(float(np.mean(means_K)), 3), round(max(means_K), 3))
