"""Plain images of any kind as display pictures: grey, 8 bits.

Counts of 16 bits or floats are stretched to 8 bits over their middle 99 %; no temperature is read into any of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gan.data.decoding import decode_image
from gan.data.picture_formats import PictureError
from numpy.typing import NDArray

from pipelines.backgrounds.ingest.classify import to_grey
from pipelines.errors import BackgroundError

__all__ = ["decode_grey"]

UInt8 = NDArray[np.uint8]

MIN_SIZE_PX = 32
"""Fewer pixels show no street."""
STRETCH_PERCENT = (0.5, 99.5)


def decode_grey(data: bytes, path: Path) -> UInt8:
    """Grey 8-bit pixels of an image of any kind.

    Raises:
        BackgroundError: naming the file and what is wrong with it.
    """
    try:
        pixels = decode_image(data)
    except PictureError as error:
        raise BackgroundError(f"{path}: {error}") from None
    grey = _grey(pixels)
    if grey is None:
        raise BackgroundError(f"{path}: has shape {pixels.shape}: expected one grey or colour image")
    rows, columns = grey.shape
    if min(rows, columns) < MIN_SIZE_PX:
        raise BackgroundError(f"{path}: is {columns}x{rows} pixels: expected {MIN_SIZE_PX} or more on each side")
    if grey.dtype.kind == "f" and not np.isfinite(grey).all():
        bad = int((~np.isfinite(grey)).sum())
        raise BackgroundError(f"{path}: holds {bad} pixels that are no number (NaN or inf): expected finite values")
    return grey if grey.dtype == np.uint8 else _stretch(grey, path)


def _grey(pixels: NDArray[Any]) -> NDArray[Any] | None:
    """(H, W) of grey, grey with alpha, or colour; None for anything else."""
    if pixels.dtype.kind not in "uif" or pixels.dtype.itemsize > 8:
        return None
    if pixels.ndim == 2:
        return pixels
    if pixels.ndim != 3 or pixels.shape[2] > 4:
        return None
    if pixels.shape[2] < 3:
        return np.asarray(pixels[..., 0])
    # Grey images saved as colour are the rule; of real colour ones (palettes) the brightness is all that can be used.
    return to_grey(pixels)


def _stretch(counts: NDArray[Any], path: Path) -> UInt8:
    """Counts or floats to 8 bits over their middle 99 %."""
    values = counts.astype(np.float64)
    low, high = np.percentile(values, STRETCH_PERCENT)
    if high <= low:
        raise BackgroundError(f"{path}: all pixels have the value {low:g}: expected an image with contrast")
    return np.asarray(np.rint(np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0), dtype=np.uint8)
