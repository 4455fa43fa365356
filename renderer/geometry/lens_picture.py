"""A picture of the pinhole camera that covers a distorted one, as the lens shows it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .camera import Camera, places_in_covering

__all__ = ["distorted_colours", "distorted_picture"]

_MOST_SAMPLES = 4
"""Along each side of a pixel; so many at least where it covers four of the pinhole camera's or more."""


def distorted_picture(wide: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """The picture (H, W) that a camera with a lens sees.

    A pixel is the mean of a few values that lie evenly in it, each interpolated between the four nearest of the
    pinhole camera's: of one, at its centre, where it covers hardly more than one of these.

    Args:
        wide: (h, w) what :attr:`Camera.covering` sees.
        camera: with its lens.
    """
    total = np.zeros((camera.height, camera.width), np.float64)
    samples = _samples(camera)
    for places in samples:
        total += _bilinear(wide, places)
    return (total / len(samples)).astype(np.float32)


def distorted_colours(wide: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    """The same of a picture in colour: (h, w, 3) to (H, W, 3)."""
    channels = [distorted_picture(wide[..., place].astype(np.float32), camera) for place in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


@lru_cache(maxsize=2)
def _samples(camera: Camera) -> tuple[NDArray[np.float64], ...]:
    """(H, W, 2) places of the first samples of all pixels, of the second ones, and so on."""
    centres = places_in_covering(camera)
    down, right = np.gradient(centres, axis=(0, 1))
    covered = max(float(np.abs(step).max()) for step in (down, right))
    count = min(_MOST_SAMPLES, round(covered + 0.25))
    shares = (np.arange(count) + 0.5) / count - 0.5
    return tuple(centres + y * down + x * right for y in shares for x in shares)


def _bilinear(picture: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at places (H, W, 2) in pixels, whose centres are at halves."""
    height, width = picture.shape
    x = np.clip(places[..., 0] - 0.5, 0.0, width - 1.001)
    y = np.clip(places[..., 1] - 0.5, 0.0, height - 1.001)
    column, row = x.astype(np.int64), y.astype(np.int64)
    across, down = x - column, y - row
    upper = picture[row, column] * (1.0 - across) + picture[row, column + 1] * across
    lower = picture[row + 1, column] * (1.0 - across) + picture[row + 1, column + 1] * across
    return np.asarray(upper * (1.0 - down) + lower * down)
