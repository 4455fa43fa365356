"""Gain control that differs from a camera's own: the usual kinds, with their parameters, and the picture they make.

All kinds are one chain, as in camera cores: a tone curve (linear between percentiles, or plateau equalisation), for
``clahe`` a local equalisation after it, then base and detail apart (for ``detail`` with the base compressed), and black
hot or white hot. It acts on 8 bits alone: temperatures stay what they are.

Sources:
    FLIR, "FLIR Camera Adjustments", 102-PS242-100-01 (2014) and 102-2013-100-01 (2016): linear and plateau modes,
    digital detail enhancement, polarity.
    Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV (1994).
    Branchitta, Diani, Corsini, Porta, "Dynamic-range compression and contrast enhancement in infrared imaging systems",
    Optical Engineering 47 (2008): base and detail by an edge-preserving filter.
    He, Sun, "Fast guided filter", arXiv 1505.00996 (2015): the filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..optional import cv2, kernel
from .sensor import Sensor, map_tones

__all__ = ["GainControl", "Kind", "show"]

Float32 = NDArray[np.float32]
Kind = Literal["linear", "plateau", "clahe", "detail"]

_SHRINK: Final = 4
"""The filter's coefficients are smooth: a quarter of the picture's size shows them (He and Sun)."""
_EDGE_GREY: Final = 14.0
"""Differences within a window that are larger are edges of the base, smaller ones detail; grey levels."""
_MOST_STRETCH: Final = 2.0
"""How much steeper a tone curve may become to use all levels."""
_FULL_DETAIL_GREY: Final = 40.0
"""Detail as strong as this is raised by half of the gain: no halos at strong edges."""


@dataclass(frozen=True)
class GainControl:
    """How a frame's greys are made.

    Raises:
        ThermalError: a number that no gain control has.
    """

    kind: Kind
    plateau: float
    """Most pixels that a histogram bin counts for, as a share of an even distribution's."""
    linear: float
    """Share of a linear ramp in the tone curve, 0-1."""
    tail: float
    """Share of pixels cut off at either end."""
    max_gain_per_K: float
    """Steepest tone curve, grey levels per kelvin."""
    detail: float
    """Gain of detail beside the base; 0 leaves it as it is."""
    detail_sigma_px: float
    """Size of detail, picture pixels."""
    base_contrast: float = 1.0
    """What compression leaves of the base's contrast, 0-1."""
    clip: float = 0.0
    """Limit of the local histogram's slope; 0: no local equalisation."""
    tiles: int = 0
    """Fields of the local equalisation along each side."""

    def __post_init__(self) -> None:
        """Check that the numbers can be used."""
        limits = {
            "plateau": (0.01, 1000.0), "linear": (0.0, 1.0), "tail": (0.0, 0.1), "max_gain_per_K": (0.1, 1000.0),
            "detail": (0.0, 5.0), "detail_sigma_px": (0.5, 64.0), "base_contrast": (0.1, 1.0), "clip": (0.0, 16.0),
            "tiles": (0, 32),
        }  # fmt: skip
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ThermalError(f"gain control: {name} is {getattr(self, name)}, expected {least} to {most}")


def show(signal: Float32, sensor: Sensor, gain: GainControl, *, levels: bool = False) -> NDArray[np.uint8]:
    """Grey levels of a picture, white hot.

    Args:
        signal: (H, W) kelvin; or grey levels of a picture that has been through a gain control already.
        sensor: the camera; its own gain control is replaced.
        gain: what replaces it.
        levels: whether the signal is grey levels.

    Returns:
        (H, W) uint8.
    """
    grey = _filled(map_tones(signal, _tones(sensor, gain, levels)))
    if gain.clip > 0:
        local = cv2.createCLAHE(gain.clip, (gain.tiles, gain.tiles)).apply(_rounded(grey))
        grey = local.astype(np.float32)
    if gain.detail == 0 and gain.base_contrast == 1.0:
        return _rounded(grey)
    slope, offset = _base(grey, gain.detail_sigma_px)
    return _recombined(grey, slope, offset, np.float32(gain.base_contrast), np.float32(gain.detail), grey.mean())


def _tones(sensor: Sensor, gain: GainControl, levels: bool) -> Sensor:
    """The sensor with the tone curve of a gain control."""
    # 256 levels leave seven of eight bins empty; nor is a level a kelvin.
    plateau, steepest = (gain.plateau * 8.0, 4.0) if levels else (gain.plateau, gain.max_gain_per_K)
    return replace(sensor, plateau=plateau, linear=gain.linear, tail=gain.tail, max_gain_per_K=steepest)


def _filled(grey: Float32) -> Float32:
    """What the limit of the tone curve's slope left of the 256 levels is taken, as far as noise allows."""
    low, high = float(grey.min()), float(grey.max())
    stretch = min(255.0 / max(high - low, 1.0), _MOST_STRETCH)
    return grey if stretch <= 1.0 else (grey - np.float32((low + high) / 2)) * np.float32(stretch) + np.float32(127.5)


def _rounded(grey: Float32) -> NDArray[np.uint8]:
    return np.asarray((np.clip(grey, 0.0, 255.0) + np.float32(0.5)).astype(np.uint8))


def _base(grey: Float32, sigma_px: float) -> tuple[Float32, Float32]:
    """Slope and offset (H, W) of the guided filter: the base is ``slope * grey + offset``, edges kept."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(2, width // _SHRINK), max(2, height // _SHRINK)), interpolation=cv2.INTER_AREA)
    sigma = max(sigma_px / _SHRINK, 0.5)
    mean, square = _smooth(small, sigma), _smooth(small * small, sigma)
    spread = np.maximum(square - mean * mean, 0.0)
    slope = spread / (spread + np.float32(_EDGE_GREY**2))
    pair = (_smooth(slope, sigma), _smooth(mean - slope * mean, sigma))
    wide = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in pair]
    return wide[0], wide[1]


def _smooth(plane: Float32, sigma: float) -> Float32:
    size = 2 * max(1, int(np.ceil(3.0 * sigma))) + 1
    return np.asarray(cv2.GaussianBlur(plane, (size, size), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


@kernel
def _recombined(
    grey: Float32, slope: Float32, offset: Float32, contrast: np.float32, gain: np.float32, middle: np.float32
) -> NDArray[np.uint8]:
    """Base compressed about the middle, and detail raised on it."""
    out = np.empty(grey.shape, dtype=np.uint8)
    for r in range(grey.shape[0]):
        for c in range(grey.shape[1]):
            base = slope[r, c] * grey[r, c] + offset[r, c]
            detail = grey[r, c] - base
            raised = gain * detail / (np.float32(1.0) + abs(detail) * np.float32(1.0 / _FULL_DETAIL_GREY))
            level = middle + contrast * (base - middle) + detail + raised + np.float32(0.5)
            out[r, c] = np.uint8(min(max(level, np.float32(0.0)), np.float32(255.0)))
    return out
