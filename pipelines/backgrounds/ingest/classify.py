"""What a picture without raw data shows: grey values, the colours of a palette, or a photograph.

None of them has temperatures. The kinds differ in what their brightness is worth as a background.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kind", "kind_of_colours", "to_grey"]

Kind = Literal["grey", "palette", "photo"]
UInt8 = NDArray[np.uint8]

_SAMPLES = 40_000
# Set between measured values: of 10 palette previews of FLIR cameras (mean chroma 92 to 166, spread 0.20 to 0.69),
# 215 street photographs of RoadScene and MSRS (mean 3 to 65, spread 0.3 to 1.3) and 257 grey frames (0).
_GREY_CHROMA = 16
_PALETTE_CHROMA = 70.0
_PALETTE_SPREAD = 0.42
_GREY_SHARE = 95.0
"""Per cent of the pixels that must be grey: cameras draw coloured marks into grey pictures."""
_LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601."""
_LEVELS = 32


def kind_of_colours(rgb: UInt8) -> Kind:
    """Kind of an (H, W, 3) uint8 RGB picture.

    A palette is a line through the space of colours: pixels of one brightness have nearly one colour, and most are
    vivid. In a photograph colours scatter at each brightness.
    """
    step = max(1, int((rgb.shape[0] * rgb.shape[1] / _SAMPLES) ** 0.5))
    pixels = rgb[::step, ::step].reshape(-1, 3).astype(np.float64)
    chroma = pixels.max(axis=1) - pixels.min(axis=1)
    if np.percentile(chroma, _GREY_SHARE) <= _GREY_CHROMA:
        return "grey"
    if chroma.mean() > _PALETTE_CHROMA or _spread(pixels) < _PALETTE_SPREAD:
        return "palette"
    return "photo"


def _spread(pixels: NDArray[np.float64]) -> float:
    """Scatter of the colours of one brightness, as a share of their distance from grey."""
    luma = pixels @ _LUMA
    level = np.minimum((luma * (_LEVELS / 256)).astype(np.int64), _LEVELS - 1)
    count = np.maximum(np.bincount(level, minlength=_LEVELS), 1)
    scatter = 0.0
    for channel in pixels.T:
        mean = np.bincount(level, channel, minlength=_LEVELS) / count
        scatter += float(((channel - mean[level]) ** 2).sum())
    colour = float(((pixels - luma[:, None]) ** 2).sum())
    return float(np.sqrt(scatter / max(colour, 1e-9)))


def to_grey(pixels: NDArray[Any]) -> NDArray[Any]:
    """Mean of the colours, (H, W) of the same type; grey pictures saved in colour come out as they were."""
    mean = pixels[..., 0].astype(np.float64)  # summed up in place: of all colours at once it takes four times the room
    mean += pixels[..., 1]
    mean += pixels[..., 2]
    mean /= 3.0
    return np.asarray(np.rint(mean) if pixels.dtype.kind in "ui" else mean).astype(pixels.dtype)
