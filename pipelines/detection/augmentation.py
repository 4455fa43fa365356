"""Windows of images to train on: scaled, shifted, mirrored, with another contrast and brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["View", "draw_view", "resized", "window_px"]

_MULTIPLE_PX: Final = 32
"""Sides of windows and of whole images are multiples of it."""
_WINDOW: Final = (0.8, 0.64)
"""Width and height of a training window as shares of the width of a whole image."""
_SCALES: Final = (0.8, 1.6)
"""Of an image whose width is the window's."""
_CONTRASTS: Final = (0.6, 1.5)
_BRIGHTNESS: Final = 30.0
"""Grey levels up or down, of 255."""

Float32 = NDArray[np.float32]


def window_px(input_width_px: int) -> tuple[int, int]:
    """Width and height of a training window, where whole images are brought to a width."""
    width, height = (_multiple(share * input_width_px) for share in _WINDOW)
    return width, height


def _multiple(length_px: float) -> int:
    return -(-round(length_px) // _MULTIPLE_PX) * _MULTIPLE_PX


@dataclass(frozen=True)
class View:
    """How a window lies in an image."""

    scale: float
    """Pixels of the window for one of the image."""
    left_px: float
    """Where the image's left edge (its right one, if mirrored) lies in the window."""
    top_px: float
    mirrored: bool = False
    contrast: float = 1.0
    brightness: float = 0.0

    def image(self, image: NDArray[np.uint8], size_px: tuple[int, int]) -> Float32:
        """(H, W) window of an (h, w) grey image, 0 to 255; what lies outside has the image's mean."""
        across = -self.scale if self.mirrored else self.scale
        matrix = np.array([[across, 0.0, self._origin_px(image.shape[1])], [0.0, self.scale, self.top_px]])
        matrix[:, 2] += 0.5 * np.array([across, self.scale]) - 0.5  # positions are of pixels' middles
        mean = float(image.mean())
        window = cv2.warpAffine(image, matrix, size_px, borderMode=cv2.BORDER_CONSTANT, borderValue=mean).astype(
            np.float32
        )
        level = float(window.mean())
        changed = (window - level) * self.contrast + level + self.brightness
        return np.asarray(np.clip(changed, 0.0, 255.0), dtype=np.float32)

    def boxes(self, boxes_px: Float32, image_width_px: int) -> Float32:
        """(N, 4) boxes of the image in the window's pixels."""
        moved = boxes_px * self.scale
        if self.mirrored:
            moved = moved[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
        x, y = self._origin_px(image_width_px), self.top_px
        return np.asarray(moved + np.array([x, y, x, y]), dtype=np.float32)

    def _origin_px(self, image_width_px: int) -> float:
        """Where column 0 of the image comes to lie."""
        return self.left_px + image_width_px * self.scale if self.mirrored else self.left_px


def draw_view(width_px: int, height_px: int, window: tuple[int, int], rng: np.random.Generator) -> View:
    """A view of an image of that size, with the whole window inside of it where the image is large enough.

    Args:
        width_px: of the image.
        height_px: of the image.
        window: width and height, pixels.
        rng: draws the view.
    """
    low, high = np.log(_SCALES)
    scale = window[0] / width_px * float(np.exp(rng.uniform(low, high)))
    room = [seen - side * scale for seen, side in zip(window, (width_px, height_px), strict=True)]
    left, top = (float(rng.uniform(min(space, 0.0), max(space, 0.0))) for space in room)
    contrast = float(np.exp(rng.uniform(*np.log(_CONTRASTS))))
    return View(scale, left, top, bool(rng.random() < 0.5), contrast, float(rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)))


def resized(image: NDArray[np.uint8], input_width_px: int) -> tuple[Float32, float]:
    """A whole image as objects are looked for in it.

    Returns:
        (H, W) grey 0 to 255 with sides that are multiples, and the pixels of it for one of the image.
    """
    scale = input_width_px / image.shape[1]
    width, height = (_multiple(side * scale) for side in image.shape[::-1])
    return View(scale, 0.0, 0.0).image(image, (width, height)), scale
