"""Measures between a real and a generated image, pixel by pixel.

All take float arrays in [0, 1] of shape (H, W) or (H, W, C); colour is averaged over its channels. A *region* is a
boolean (H, W) array: maps of windows (SSIM, UQI) count a window when its centre pixel lies in the region.

Papers: SSIM is Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
similarity", IEEE TIP 13(4), 2004 (Gaussian window 11x11, sigma 1.5, K1 0.01, K2 0.03; only windows that lie inside the
image; some libraries also count windows over a mirrored border, which gives other figures in the second decimal).
UQI is Wang and Bovik, "A universal image quality index", IEEE SPL 9(3), 2002 (uniform window 8x8).
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from gan.errors import MetricError

__all__ = [
    "Array",
    "Mask",
    "gradient_error",
    "gradient_magnitude",
    "mean_absolute_error",
    "mean_squared_error",
    "psnr_dB",
    "root_mean_squared_error",
    "ssim",
    "uqi",
]

Array = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

# Wang et al. 2004, section III-B.
_SSIM_WINDOW_PX: Final = 11
_SSIM_SIGMA_PX: Final = 1.5
_SSIM_K1: Final = 0.01
_SSIM_K2: Final = 0.03
# Wang and Bovik 2002, section III.
_UQI_WINDOW_PX: Final = 8


def _checked(real: Array, fake: Array, region: Mask | None) -> tuple[Array, Array]:
    """The two images as float64 (H, W, C), or MetricError when they cannot be compared."""
    if real.shape != fake.shape:
        raise MetricError(
            f"images of different size: real {real.shape}, fake {fake.shape}; expected the same (H, W[, C])"
        )
    if real.ndim not in (2, 3):
        raise MetricError(f"image of shape {real.shape}: expected (H, W) or (H, W, C)")
    if region is not None and region.shape != real.shape[:2]:
        raise MetricError(f"region of shape {region.shape} does not fit an image of {real.shape[:2]}")
    if region is not None and not region.any():
        raise MetricError("the region is empty: no pixel to compare")
    planes = [np.asarray(image, dtype=np.float64).reshape(*image.shape[:2], -1) for image in (real, fake)]
    if not all(np.isfinite(plane).all() for plane in planes):
        raise MetricError("image with NaN or infinite pixels: expected finite values in [0, 1]")
    return planes[0], planes[1]


def _mean(values: Array, region: Mask | None) -> float:
    return float(values.mean() if region is None else values[region].mean())


def mean_absolute_error(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Mean absolute difference (L1), as a fraction of full range."""
    a, b = _checked(real, fake, region)
    return _mean(np.abs(a - b), region)


def mean_squared_error(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Mean squared difference, as a fraction of full range squared.

    Examples:
        >>> mean_squared_error(np.zeros((4, 4)), np.full((4, 4), 0.5))
        0.25
    """
    a, b = _checked(real, fake, region)
    return _mean(np.square(a - b), region)


def root_mean_squared_error(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Root of the mean squared difference, as a fraction of full range."""
    return math.sqrt(mean_squared_error(real, fake, region))


def psnr_dB(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Peak signal to noise ratio in decibels for a peak of 1; infinite when the images are equal."""
    error = mean_squared_error(real, fake, region)
    return math.inf if error == 0.0 else -10.0 * math.log10(error)


def _window_mean(image: Array, row: Array, column: Array) -> Array:
    """Weighted mean over every window that fits: (H, W, C) -> (H - h + 1, W - w + 1, C)."""
    height, width = len(column), len(row)
    full = cv2.sepFilter2D(image, cv2.CV_64F, row, column, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    full = full.reshape(image.shape)  # cv2 drops a last axis of 1
    return np.asarray(full[: image.shape[0] - height + 1, : image.shape[1] - width + 1])


def _moments(a: Array, b: Array, kernel: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Window means, variances and covariance (population) of both images."""
    if min(a.shape[:2]) < len(kernel):
        raise MetricError(f"image of {a.shape[1]}x{a.shape[0]} px is smaller than the window of {len(kernel)} px")
    # Variances are differences of squares; centring first keeps them exact where the image is nearly flat.
    offset = float(a.mean())
    a, b = a - offset, b - offset
    mean_a, mean_b = _window_mean(a, kernel, kernel), _window_mean(b, kernel, kernel)
    var_a = np.maximum(_window_mean(a * a, kernel, kernel) - mean_a**2, 0.0)
    var_b = np.maximum(_window_mean(b * b, kernel, kernel) - mean_b**2, 0.0)
    covariance = _window_mean(a * b, kernel, kernel) - mean_a * mean_b
    return mean_a + offset, mean_b + offset, var_a, var_b, covariance


def _centres(region: Mask | None, window_px: int, shape: tuple[int, ...]) -> Mask | None:
    """The part of the region where a window's centre can lie, or MetricError when none can."""
    if region is None:
        return None
    first = (window_px - 1) // 2
    centres = region[first : first + shape[0], first : first + shape[1]]
    if not centres.any():
        raise MetricError(
            f"the region lies within {first} px of the border: no window of {window_px} px fits around it"
        )
    return np.asarray(centres)


def ssim(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Structural similarity (Wang et al. 2004), 1 for equal images; dynamic range 1."""
    a, b = _checked(real, fake, region)
    x = np.arange(_SSIM_WINDOW_PX) - _SSIM_WINDOW_PX // 2
    kernel = np.exp(-0.5 * np.square(x / _SSIM_SIGMA_PX))
    mean_a, mean_b, var_a, var_b, covariance = _moments(a, b, kernel / kernel.sum())
    c1, c2 = _SSIM_K1**2, _SSIM_K2**2
    similarity = (2.0 * mean_a * mean_b + c1) * (2.0 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return _mean(similarity, _centres(region, _SSIM_WINDOW_PX, similarity.shape))


def uqi(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Universal image quality index (Wang and Bovik 2002), 1 for equal images.

    Where both windows are flat the structure term is 0/0: as in the authors' program only luminance counts there, and
    two windows that are black as well are equal (1).
    """
    a, b = _checked(real, fake, region)
    kernel = np.full(_UQI_WINDOW_PX, 1.0 / _UQI_WINDOW_PX)
    mean_a, mean_b, var_a, var_b, covariance = _moments(a, b, kernel)
    energy, contrast = mean_a**2 + mean_b**2, var_a + var_b
    # Rounding leaves about 1e-16 of a flat window; one 16-bit step in one pixel of 64 makes 3.6e-12.
    flat, black = contrast < 1e-13, energy < 1e-13
    luminance = np.divide(2.0 * mean_a * mean_b, energy, out=np.ones_like(energy), where=~black)
    structure = np.divide(2.0 * covariance, contrast, out=np.ones_like(contrast), where=~flat)
    return _mean(luminance * structure, _centres(region, _UQI_WINDOW_PX, luminance.shape))


def gradient_magnitude(image: Array) -> Array:
    """Length of the Scharr gradient, in range units per pixel: (H, W, C) -> (H, W, C)."""
    # Scharr's 3x3 kernel (3, 10, 3) sums to 16 on each side of a difference over two pixels.
    scale = 1.0 / 32.0
    x, y = (
        cv2.Scharr(image, cv2.CV_64F, dx, dy, scale=scale, borderType=cv2.BORDER_REPLICATE).reshape(image.shape)
        for dx, dy in ((1, 0), (0, 1))
    )
    return np.asarray(np.hypot(x, y))


def gradient_error(real: Array, fake: Array, region: Mask | None = None) -> float:
    """Mean absolute difference of gradient length, in fractions of full range per pixel: lost or invented edges."""
    a, b = _checked(real, fake, region)
    return _mean(np.abs(gradient_magnitude(a) - gradient_magnitude(b)), region)
