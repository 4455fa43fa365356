"""The bands of a source's channels: what a model file says of the camera that its sources are of.

Source and target may be of any band, visible or near, short-wave, mid-wave or long-wave infrared, in any number of
channels. The networks are the same; which bands a model was trained on stands in its file, by name and wavelengths.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from gan.errors import ConfigError

__all__ = ["SourceBand", "bands_from_json", "parse_bands"]

_KNOWN_UM: Final = {
    "blue": (0.45, 0.50),
    "green": (0.50, 0.57),
    "red": (0.62, 0.75),
    "visible": (0.38, 0.75),
    "nir": (0.75, 1.0),
    "swir": (1.0, 2.5),
    "mwir": (3.0, 5.0),
    "lwir": (8.0, 14.0),
}
"""Colours after CIE's ranges of hue; infrared as the makers of detectors divide it."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LONGEST_UM: Final = 1000.0


@dataclass(frozen=True)
class SourceBand:
    """One channel of a source.

    Raises:
        ValueError: no name, or wavelengths that do not rise.
    """

    name: str
    low_um: float
    high_um: float

    def __post_init__(self) -> None:
        """Check name and wavelengths."""
        rising = math.isfinite(self.high_um) and 0 < self.low_um < self.high_um <= _LONGEST_UM
        if not _NAME.fullmatch(self.name) or not rising:
            raise ValueError(f"band {self.name[:32]!r} of {self.low_um} to {self.high_um} um")

    def to_json(self) -> list[Any]:
        """Name and wavelengths."""
        return [self.name, self.low_um, self.high_um]


def parse_bands(text: str) -> tuple[SourceBand, ...]:
    """Bands as an option names them, one a channel: ``mwir``, ``red,green,blue`` or ``nir:0.8-0.95``.

    Raises:
        ConfigError: something else stands there.
    """
    return tuple(map(_band, text.split(",")))


def _band(text: str) -> SourceBand:
    name, _, range_um = text.strip().partition(":")
    try:
        low, high = map(float, range_um.split("-")) if range_um else _KNOWN_UM[name]
        return SourceBand(name, low, high)
    except (ValueError, KeyError):
        raise ConfigError(
            f"source-bands: {text.strip()[:40]!r}: expected one of {', '.join(_KNOWN_UM)}, or NAME:LOW-HIGH in um"
        ) from None


def bands_from_json(stored: Any) -> tuple[SourceBand, ...]:
    """What `SourceBand.to_json` gave of each channel.

    Raises:
        ValueError, TypeError: it is something else.
    """
    return tuple(SourceBand(str(name), float(low), float(high)) for name, low, high in stored)
