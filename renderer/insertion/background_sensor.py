"""The sensor of a real background, measured on the picture itself: edge spread, noise, columns.

Everything is in the frame's own unit, grey levels or kelvin, so that the same code serves both. What is measured here
is given to the cars that are put into the frame.

Sources:
    Zhuo, Sim, "Defocus map estimation from a single image", Pattern Recognition 44 (2011): the width of an edge
    from the ratio of its gradient before and after a known blur.
    Donoho, Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81 (1994): deviation of noise as
    the median of absolute values over 0.6745.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..random_streams import Draw, Stream
from .blur import Border, gaussian_blur

__all__ = ["FrameSensor", "blur_for_px", "edge_spread_px", "measure_sensor", "noise_bands", "sensor_noise"]

Float32 = NDArray[np.float32]

REBLUR_PX = 1.0
"""The known blur of Zhuo and Sim; theirs as well."""
MIN_EDGE_PX, MAX_EDGE_PX = 0.35, 3.0
"""A pixel's own aperture has 0.29; edges wider than 3 pixels are not the sensor's."""
_DEFAULT_EDGE_PX = 0.7
"""For a frame without edges: that of an uncooled camera at f/1 (docs/explanation/thermal.md)."""
_MIN_EDGES = 40
_BLOCK_PX = 8
"""Noise is read in squares of that size, small enough to lie between edges."""
_FLAT_PERCENT = 20.0
"""Share of squares that are taken to be flat: road and sky are more than that of every street frame."""
_GRAIN_PX = 1.0
"""Border between fine and coarse noise: standard deviation of a Gaussian."""
_MAD_TO_SIGMA = 1.0 / 0.6745
_BLURS_PX = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.4, 2.0)
_SPREADS_PLAIN_PX = (0.70, 0.73, 0.80, 0.87, 0.95, 1.02, 1.15, 1.39, 1.61)
_SPREADS_DETAIL_PX = (0.63, 0.66, 0.72, 0.79, 0.86, 0.92, 1.05, 1.31, 1.59)
"""What :func:`edge_spread_px` reads off edges that were sampled once a pixel and blurred by ``_BLURS_PX``, as they are
and after the detail enhancement of :data:`DETAIL`: measured on 60 turned rectangles. The gradient's filter has a width
of its own, and enhancement narrows edges."""
DETAIL, DETAIL_PX = 0.6, 2.5
"""Gain and size of the detail enhancement of display-only frames: with it edges blurred by half a pixel read as those
of RoadScene do (0.59 to 0.95, median 0.71)."""


@dataclass(frozen=True)
class FrameSensor:
    """Blur and noise of one frame; levels are in the frame's unit."""

    edge_px: float
    """Standard deviation of the edge spread, pixels."""
    fine: float
    """Deviation of what a Gaussian of 1 pixel takes away: noise from pixel to pixel."""
    coarse: float
    """Deviation between Gaussians of 1 and 2 pixels: grains."""
    columns: Float32
    """(W,) pattern of the columns, mean 0."""


def measure_sensor(image: Float32) -> FrameSensor:
    """Measure a frame.

    Args:
        image: (H, W) grey levels or kelvin, at least 32 pixels each way.

    Returns:
        Blur, noise and columns, in the image's unit.
    """
    # The lower half is road, which is flat, and what cars stand on.
    fine, coarse = noise_bands(image[image.shape[0] // 2 :])
    return FrameSensor(edge_spread_px(image), fine, coarse, _columns(image))


def edge_spread_px(image: Float32, where: NDArray[np.bool_] | None = None) -> float:
    """Standard deviation of the edge spread, pixels: the median of the strong edges.

    Args:
        image: (H, W), any unit.
        where: (H, W) pixels whose edges count; None: all.
    """
    smooth = gaussian_blur(image, REBLUR_PX, Border.REFLECT)
    before, after = _gradient(image), _gradient(smooth)
    ridge = (before >= cv2.dilate(before, np.ones((3, 3), np.uint8)) - 1e-12) & (before > 0)
    if where is not None:
        ridge &= where
    heights = before[ridge]
    if heights.size < 2:
        return _DEFAULT_EDGE_PX
    # The strongest edges of a frame: noise, which is as sharp as can be, has none of them.
    chosen = ridge & (before >= np.percentile(heights, 97.0 if where is None else 60.0))
    ratio = before[chosen] / np.maximum(after[chosen], 1e-12)
    ratio = ratio[ratio > 1.02]
    if ratio.size < (_MIN_EDGES if where is None else 8):
        return _DEFAULT_EDGE_PX
    spread = REBLUR_PX / np.sqrt(ratio * ratio - 1.0)
    return float(np.clip(np.median(spread), MIN_EDGE_PX, MAX_EDGE_PX))


def blur_for_px(edge_px: float, *, enhanced: bool) -> float:
    """Blur of a picture sampled once a pixel that gives an edge spread as measured, standard deviation in pixels.

    Args:
        edge_px: of :func:`edge_spread_px`.
        enhanced: whether detail enhancement by :data:`DETAIL` follows.
    """
    return float(np.interp(edge_px, _SPREADS_DETAIL_PX if enhanced else _SPREADS_PLAIN_PX, _BLURS_PX))


def noise_bands(image: Float32, where: NDArray[np.bool_] | None = None) -> tuple[float, float]:
    """Deviation of fine and of coarse noise, in the image's unit, read where the image is flat.

    Args:
        image: (H, W).
        where: (H, W) pixels that count; None: all. Squares that are not wholly inside are left out.
    """
    once = gaussian_blur(image, _GRAIN_PX, Border.REFLECT)
    twice = gaussian_blur(image, 2.0 * _GRAIN_PX, Border.REFLECT)
    inside = np.ones(image.shape, np.float32) if where is None else where.astype(np.float32)
    whole = _blocks(inside).min(axis=1) > 0
    # Squares whose content has little structure, and which the ends of the scale do not cut off.
    structure = _blocks(twice).std(axis=1)
    values = _blocks(image)
    whole &= (values.std(axis=1) > 0) & (_blocks(image - once).std(axis=1) > 0)
    if not whole.any():
        return 0.0, 0.0
    flat = whole & (structure <= np.percentile(structure[whole], _FLAT_PERCENT if where is None else 50.0))
    return _deviation(_blocks(image - once)[flat]), _deviation(_blocks(once - twice)[flat])


def sensor_noise(sensor: FrameSensor, draw: Draw, shape: tuple[int, ...]) -> Float32:
    """Noise with the fine and the coarse share of a frame's, and its columns; (H, W) in the frame's unit."""
    rng = draw.rng(Stream.BACKGROUND_NOISE)
    white = rng.standard_normal(shape, dtype=np.float32)
    grain = gaussian_blur(rng.standard_normal(shape, dtype=np.float32), _GRAIN_PX, Border.REFLECT)
    a, b = _mixture(sensor)
    white *= np.float32(a)
    grain *= np.float32(b)
    white += grain
    white += sensor.columns[None, : shape[1]]
    return white


def _mixture(sensor: FrameSensor) -> tuple[float, float]:
    """Factors of white and of blurred noise that give the two bands' deviations.

    With variances per unit factor ``F``, ``C`` of white and ``f``, ``c`` of blurred noise in the fine and the coarse
    band, ``a^2 F + b^2 f = fine^2`` and ``a^2 C + b^2 c = coarse^2``.
    """
    (white_fine, grain_fine), (white_coarse, grain_coarse) = _UNIT
    fine, coarse = sensor.fine**2, sensor.coarse**2
    det = white_fine * grain_coarse - grain_fine * white_coarse
    a2 = (fine * grain_coarse - coarse * grain_fine) / det
    b2 = (coarse * white_fine - fine * white_coarse) / det
    if a2 < 0:
        return 0.0, math.sqrt(max(fine, 0.0) / grain_fine)
    if b2 < 0:
        return math.sqrt(max(fine, 0.0) / white_fine), 0.0
    return math.sqrt(a2), math.sqrt(b2)


def _unit_variances() -> tuple[tuple[float, float], tuple[float, float]]:
    """Variance of unit white noise and of the same blurred, in the fine and the coarse band, from the filters."""
    size = 33
    delta = np.zeros((size, size), np.float32)
    delta[size // 2, size // 2] = 1.0
    rows = []
    for image in (delta, gaussian_blur(delta, _GRAIN_PX, Border.REFLECT)):
        once = gaussian_blur(image, _GRAIN_PX, Border.REFLECT)
        twice = gaussian_blur(image, 2.0 * _GRAIN_PX, Border.REFLECT)
        rows.append((float(((image - once) ** 2).sum()), float(((once - twice) ** 2).sum())))
    return (rows[0][0], rows[1][0]), (rows[0][1], rows[1][1])


def _columns(image: Float32) -> Float32:
    """(W,) what each column is above its neighbours, as the median over the rows: the read-out's pattern."""
    ahead = image - gaussian_blur(image, 2.0, Border.REFLECT)
    pattern = np.median(ahead[::4], axis=0)
    return np.asarray(pattern - pattern.mean(), dtype=np.float32)


def _gradient(image: Float32) -> Float32:
    across, down = cv2.Scharr(image, cv2.CV_32F, 1, 0), cv2.Scharr(image, cv2.CV_32F, 0, 1)
    # Not cv2.magnitude: its last bit depends on where the arrays lie in memory, and with it which edges are strongest.
    return np.asarray(np.sqrt(across * across + down * down))


def _blocks(image: Float32) -> Float32:
    """(N, 64) squares of the image."""
    rows, columns = image.shape[0] // _BLOCK_PX, image.shape[1] // _BLOCK_PX
    cut = image[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    return cut.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).swapaxes(1, 2).reshape(-1, _BLOCK_PX * _BLOCK_PX)


def _deviation(values: Float32) -> float:
    return float(np.median(np.abs(values))) * _MAD_TO_SIGMA if values.size else 0.0


_UNIT = _unit_variances()
