"""Edge blur and detail enhancement of cars, as the optics and the electronics of a frame's camera do them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .background_sensor import DETAIL, DETAIL_PX, FrameSensor, blur_for_px
from .blur import gaussian_blur

__all__ = ["INNER_PX", "MIN_ALPHA", "PLAIN_SIGMA_PX", "enhance_detail", "outline_sigma_px", "soften"]

Float32 = NDArray[np.float32]

MIN_ALPHA = 1e-3
"""Share of a pixel below which a car is not in it."""
PLAIN_SIGMA_PX = 0.55
"""Blur of an outline where the frame's own is not asked for: no real edge is sharper than a pixel and its optics."""
_MOTION_PX = 0.08
"""Cars move while a frame is taken: added to the measured edge spread, well inside a fifth of it (assumed; brings crops
nearer to real ones)."""
_LEAST_SIGMA_PX = 0.2
_LEAST_INNER_PX = 0.3
INNER_PX = 1.2
"""Blur inside a car beyond the sensor's: 0.9 to 1.4 pixels bring crops nearer to real ones than none, and hardly differ
(``benchmarks/realism/harmonisation.py``)."""
_DETAIL_LIMIT = 40.0
"""As in the sensor model: detail of so many grey levels is raised half as much as little detail."""


def outline_sigma_px(sensor: FrameSensor, *, enhanced: bool) -> float:
    """Blur that gives a car's outline the edge spread of the frame, standard deviation in pixels.

    Args:
        sensor: measured on the frame.
        enhanced: whether :func:`enhance_detail` follows, which narrows edges.
    """
    return blur_for_px(sensor.edge_px + _MOTION_PX, enhanced=enhanced)


def soften(cars: Float32, ids: NDArray[np.uint16], sigma_px: float) -> tuple[Float32, Float32]:
    """Cars and the share of each pixel that they cover, blurred as the optics do.

    Inside a car borders are softer than its outline: heat spreads in sheet metal, and panels are rounded.

    Args:
        cars: (H, W) levels of the cars.
        ids: (H, W) instances; 0 where there is no car.
        sigma_px: of the outline.

    Returns:
        (H, W) levels, going on beyond the outline; (H, W) shares, 0-1.
    """
    mask = (ids > 0).astype(np.float32)
    alpha = mask if sigma_px < _LEAST_SIGMA_PX else gaussian_blur(mask, sigma_px)
    inner = math.hypot(max(sigma_px, _LEAST_INNER_PX), INNER_PX)
    share = np.maximum(gaussian_blur(mask, inner), MIN_ALPHA)
    return np.asarray(gaussian_blur(cars * mask, inner) / share, dtype=np.float32), alpha


def enhance_detail(cars: Float32, alpha: Float32, ground: Float32) -> Float32:
    """Detail enhancement as the frame has had it, of the cars in their surroundings: halos at their outlines too.

    Args:
        cars: (H, W) grey levels of :func:`soften`.
        alpha: (H, W) shares of :func:`soften`.
        ground: (H, W) grey levels behind them.
    """
    mixed = ground + alpha * (cars - ground)
    detail = mixed - gaussian_blur(mixed, DETAIL_PX)
    raised = np.float32(DETAIL) * detail / (np.float32(1.0) + np.abs(detail) * np.float32(1.0 / _DETAIL_LIMIT))
    return np.asarray(cars + raised, dtype=np.float32)
