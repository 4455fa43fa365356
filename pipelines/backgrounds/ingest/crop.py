"""The window of an image that a data set sees, and its pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Window", "centred_window", "resize_window"]

Window = tuple[int, int, int, int]
"""left, top, right, bottom in whole pixels; right and bottom are the first outside."""


def centred_window(shape: tuple[int, ...], width: int, height: int) -> Window:
    """Largest centred window of an image of ``shape`` that has the proportions ``width : height``."""
    rows, columns = shape[:2]
    scale = min(columns / width, rows / height)
    across, down = max(1, int(width * scale + 1e-9)), max(1, int(height * scale + 1e-9))
    left, top = (columns - across) // 2, (rows - down) // 2
    return left, top, left + across, top + down


def resize_window(image: NDArray[Any], window: Window, width: int, height: int) -> NDArray[Any]:
    """The window of an image, (H, W) of any type, with ``width x height`` pixels.

    Cubic interpolation overshoots at edges. Of other than display images what leaves the range of the window is cut
    off, so that no temperature comes out that is beyond all of its pixels'.
    """
    left, top, right, bottom = window
    cut = image[top:bottom, left:right]
    if cut.shape == (height, width):
        return np.ascontiguousarray(cut)
    how = cv2.INTER_AREA if cut.shape[0] > height else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(cut), (width, height), interpolation=how)
    return np.asarray(resized if cut.dtype == np.uint8 else np.clip(resized, cut.min(), cut.max()), dtype=cut.dtype)
