"""What the pictures of a set look like: how objects stand out from what surrounds them, and noise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D

__all__ = ["contrasts", "mean_contrast", "noise_levels"]

UInt8 = NDArray[np.uint8]
INNER: Final = 0.15
"""Share of a box that is cut off on each side: an object fills the middle of its box and not the corners."""
AROUND: Final = 0.25
"""Share of a box by which its surroundings reach beyond it on each side."""
LEAST_RIM_PX, LEAST_PIXELS = 2, 8
# Difference of two Laplacians, which passes neither planes nor straight edges along the axes; the root of the sum of
# its squares is 6: Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996.
_MASK: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_MASK_NORM: Final = 6.0
_MEDIAN_OF_NORMAL: Final = 0.6745
"""Of the absolute values of a normal distribution with deviation 1."""


def noise_levels(image: UInt8) -> float:
    """Standard deviation of an image's noise, grey levels of 0 to 255.

    The median in place of the mean of the method's source: texture and edges cover less than half of a street frame.

    Args:
        image: (H, W), both 3 or more.
    """
    response = cv2.filter2D(image.astype(np.float32), cv2.CV_32F, _MASK)[1:-1, 1:-1]
    flat = (image[1:-1, 1:-1] > 0) & (image[1:-1, 1:-1] < 255)  # what the gain control cut off has no noise
    values = np.abs(response[flat])
    return float(np.median(values)) / (_MASK_NORM * _MEDIAN_OF_NORMAL) if values.size else 0.0


def contrasts(image: UInt8, boxes_px: Iterable[Box2D]) -> list[float | None]:
    """By how much each object is brighter than its surroundings, grey levels of 0 to 255.

    Means of the middle of its box, and of a rim around the box in which no other object is. Boxes alone are used, also
    where masks are known, so that all sets are measured alike.

    Returns:
        None where too little is left of either.
    """
    boxes = [tuple(round(edge) for edge in box) for box in boxes_px]
    free = np.ones(image.shape, np.bool_)
    for left, top, right, bottom in boxes:
        free[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
    return [_contrast(image, free, box) for box in boxes]


def mean_contrast(image: UInt8, boxes_px: Iterable[Box2D]) -> float | None:
    """How far the objects of a picture stand out, grey levels: the mean of their contrasts without the sign.

    Returns:
        None where the picture has no object that can be measured.
    """
    known = [abs(value) for value in contrasts(image, boxes_px) if value is not None]
    return float(np.mean(known)) if known else None


def _contrast(image: UInt8, free: NDArray[np.bool_], box: tuple[int, ...]) -> float | None:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    x, y = round(width * INNER), round(height * INNER)
    inside = image[max(top + y, 0) : max(bottom - y, 0), max(left + x, 0) : max(right - x, 0)]
    x, y = (max(LEAST_RIM_PX, round(side * AROUND)) for side in (width, height))
    around = slice(max(top - y, 0), bottom + y), slice(max(left - x, 0), right + x)
    rim = image[around][free[around]]
    if inside.size < LEAST_PIXELS or rim.size < LEAST_PIXELS:
        return None
    return float(inside.mean() - rim.mean())
