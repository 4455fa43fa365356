"""From luminance to the picture of a colour camera: air between, exposure, tone curve, sRGB.

Sources:
    Koschmieder 1924: contrast falls as exp(-extinction * distance), to 5 % at the meteorological range (extinction
    3.0 / range, WMO No. 8).
    Narkowicz, "ACES filmic tone mapping curve", 2015; IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["exposed", "through_air"]

_AT_RANGE = 3.0
"""-ln 0.05."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_KEY_DAY, _KEY_NIGHT = 0.20, 0.075
"""Mid grey of the picture, linear, by day and by night: what is dark shall look so."""
_BRIGHT = 0.8
"""What a tenth of the picture may exceed: a camera spares its lights."""
_LEAST_KCD, _MOST_KCD = 4e-4, 60.0
"""Mean luminances between which a camera can set itself, kcd/m2: below, its pictures stay dark."""


def through_air(
    luminance: NDArray[np.float32], distance_m: NDArray[np.float32], visibility_m: float, airlight: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What is left of a picture behind air that scatters light.

    Args:
        luminance: (H, W, 3).
        distance_m: (H, W) along the ray; ``inf`` is the sky, which is as it is.
        visibility_m: meteorological range.
        airlight: (3,) luminance of the air at the horizon.
    """
    known = np.isfinite(distance_m)
    passed = np.exp(-_AT_RANGE / visibility_m * np.where(known, distance_m, 0.0)).astype(np.float32)[..., None]
    return np.asarray(luminance * passed + (1.0 - passed) * airlight.astype(np.float32))


def exposed(luminance: NDArray[np.float32], darkness: float) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB of luminances (H, W, 3) in kcd/m2.

    Exposure follows from the picture's mean logarithm, as a camera's does.

    Args:
        luminance: linear RGB.
        darkness: 0 by day to 1 at night.
    """
    grey = np.maximum(luminance @ _LUMINANCE, 0.0)
    mean = float(np.exp(np.log(np.clip(grey, 1e-6, 1e3), dtype=np.float64).mean()))
    key = _KEY_DAY + (_KEY_NIGHT - _KEY_DAY) * darkness
    gain = min(key / float(np.clip(mean, _LEAST_KCD, _MOST_KCD)), _BRIGHT / max(float(np.quantile(grey, 0.9)), 1e-9))
    linear = np.maximum(luminance, 0.0) * np.float32(gain)
    return np.asarray(np.rint(_srgb(_filmic(linear)) * 255.0), dtype=np.uint8)


def _filmic(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    x = linear * 0.8
    return np.asarray(np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0))


def _srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
