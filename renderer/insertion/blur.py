"""Gaussian blur with a named border."""

from __future__ import annotations

import enum
import math

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Border", "gaussian_blur"]


class Border(enum.IntEnum):
    """What is taken to lie beyond the edge of a picture."""

    REPLICATE = cv2.BORDER_REPLICATE
    """The outermost pixel goes on: a picture to be looked at gets no halo at its edge."""
    REFLECT = cv2.BORDER_REFLECT_101
    """The picture is mirrored about its outermost pixel: noise keeps its deviation up to the edge."""


def gaussian_blur(
    image: NDArray[np.float32], sigma_px: float, border: Border = Border.REPLICATE, *, reach: float = 3.0
) -> NDArray[np.float32]:
    """A picture blurred by a Gaussian.

    Args:
        image: (H, W) float32, any unit.
        sigma_px: standard deviation, above 0.
        border: what lies beyond the edge.
        reach: half width of the filter, in standard deviations; at least a pixel.

    Returns:
        (H, W) float32.
    """
    size = 2 * max(1, math.ceil(reach * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma_px, borderType=int(border)), dtype=np.float32)
