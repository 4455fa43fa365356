"""Windows of images to train on: scaled, shifted, mirrored, with another contrast and brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["INPUT_WIDTH_PX", "WINDOW_PX", "View", "draw_view", "resized"]

WINDOW_PX: Final = (320, 256)
"""Width and height of a training window."""
INPUT_WIDTH_PX: Final = 400
"""Width that a whole image is brought to when objects are looked for; at less, far objects have too few pixels."""
_SCALES: Final = (0.8, 1.6)
"""Of an image whose width is the window's."""
_CONTRASTS: Final = (0.6, 1.5)
_BRIGHTNESS: Final = 30.0
"""Grey levels up or down, of 255."""

Float32 = NDArray[np.float32]


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

    def image(self, image: NDArray[np.uint8], size_px: tuple[int, int] = WINDOW_PX) -> Float32:
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


def draw_view(width_px: int, height_px: int, rng: np.random.Generator) -> View:
    """A view of an image of that size, with the whole window inside of it where the image is large enough."""
    low, high = np.log(_SCALES)
    scale = WINDOW_PX[0] / width_px * float(np.exp(rng.uniform(low, high)))
    room = [window - side * scale for window, side in zip(WINDOW_PX, (width_px, height_px), strict=True)]
    left, top = (float(rng.uniform(min(space, 0.0), max(space, 0.0))) for space in room)
    contrast = float(np.exp(rng.uniform(*np.log(_CONTRASTS))))
    return View(scale, left, top, bool(rng.random() < 0.5), contrast, float(rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)))


def resized(image: NDArray[np.uint8], multiple_px: int) -> tuple[Float32, float]:
    """A whole image as objects are looked for in it.

    Returns:
        (H, W) grey 0 to 255 with sides that are multiples, and the pixels of it for one of the image.
    """
    scale = INPUT_WIDTH_PX / image.shape[1]
    width, height = (-(-round(side * scale) // multiple_px) * multiple_px for side in image.shape[::-1])
    return View(scale, 0.0, 0.0).image(image, (width, height)), scale
