"""What a camera in use adds to its data sheet: dirt and drops on the lens, drifting non-uniformity, bad pixels.

All of it is in kelvin or in shares of radiance, so it stands in the measured temperatures as it does in those of a real
camera: what the sensor reads, not what the scene has.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..optional import cv2
from ..random_streams import Draw, Stream, dataset_rng

__all__ = ["Flaws", "Spot", "fixed_pattern", "lens_transmittance", "spoil_pixels"]

Float32 = NDArray[np.float32]

_PATTERN, _PIXELS = 1, 2
"""Parts of the random stream; what is drawn for the frame's record is the stream itself."""
_SHRINK: Final = 8
"""What is on the lens is far out of focus: a picture of an eighth of the size shows it."""
_OFFSET_K: Final = (2.0, 12.0)
"""How far a bad pixel is off; what is off by more the camera's own replacement finds. Assumed."""


@dataclass(frozen=True)
class Spot:
    """A drop or a speck of dirt on the lens, out of focus; water is opaque in this band.

    Raises:
        ThermalError: a number that no spot has.
    """

    x: float
    """Centre, as a share of the picture's width."""
    y: float
    """Centre, as a share of the picture's height."""
    radius: float
    """Where half of its effect is left, as a share of the width."""
    loss: float
    """Share of radiance that it keeps back in its middle, 0-1."""

    def __post_init__(self) -> None:
        """Check that it is one."""
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1 and 0 < self.radius <= 1 and 0 <= self.loss < 1):
            raise ThermalError(f"spot on the lens: {self}: expected shares of the picture, and a loss below 1")


@dataclass(frozen=True)
class Flaws:
    """Of one frame's camera.

    Raises:
        ThermalError: a number that no camera has.
    """

    shading_K: float
    """The corners against the centre: warmed by the barrel, or colder (negative) after a drift; narcissus is a cold
    centre."""
    shading_x: float
    """Where the centre of the shading is, as a share of the width."""
    shading_y: float
    """The same of the height."""
    bad_pixels: float
    """Share of detector pixels that read another temperature, and are not replaced by the camera."""
    lens_K: float
    """Temperature of the lens and what is on it."""
    spots: tuple[Spot, ...] = ()
    """Drops and dirt on the lens."""

    def __post_init__(self) -> None:
        """Check that the numbers describe a camera."""
        centre = 0 <= self.shading_x <= 1 and 0 <= self.shading_y <= 1
        if not (centre and abs(self.shading_K) <= 10 and 0 <= self.bad_pixels <= 0.1 and 150 < self.lens_K < 400):
            raise ThermalError(
                f"flaws of a camera: shading {self.shading_K} K, bad pixels {self.bad_pixels}, lens {self.lens_K} K: "
                "expected at most 10 K about a centre in the picture, 0 to 0.1, and 150 to 400 K"
            )


def lens_transmittance(flaws: Flaws, height: int, width: int) -> Float32 | None:
    """(H, W) share of radiance that comes through the lens, 0-1; None where it is clean."""
    if not flaws.spots:
        return None
    rows, columns = max(2, height // _SHRINK), max(2, width // _SHRINK)
    y, x = (np.arange(rows)[:, None] + 0.5) / rows * (height / width), (np.arange(columns) + 0.5) / columns
    through = np.ones((rows, columns), dtype=np.float32)
    for spot in flaws.spots:
        away = np.hypot(x - spot.x, y - spot.y * (height / width)) / spot.radius
        through *= 1.0 - spot.loss / (1.0 + away**4)
    return np.asarray(cv2.resize(through, (width, height), interpolation=cv2.INTER_LINEAR))


def fixed_pattern(flaws: Flaws, pixel_K: float, column_K: float, draw: Draw, shape: tuple[int, int]) -> Float32:
    """Non-uniformity of a frame's camera, (H, W) kelvin at 300 K: each frame is taken by another one.

    Args:
        flaws: the shading.
        pixel_K: standard deviation per pixel.
        column_K: standard deviation per column.
        draw: of the frame.
        shape: of the detector.
    """
    rng = draw.rng(Stream.SENSOR_VARIETY, _PATTERN)
    shift = rng.integers(0, shape)
    pattern = np.roll(
        _unit_pattern(draw.seed, draw.camera, shape), (int(shift[0]), int(shift[1])), (0, 1)
    ) * np.float32(pixel_K)
    y, x = (np.linspace(0, 1, count) - centre for count, centre in zip(shape, _centre(flaws), strict=True))
    columns = rng.standard_normal(shape[1]) * column_K + (2 * flaws.shading_K) * x * x
    pattern += columns.astype(np.float32)
    pattern += ((2 * flaws.shading_K) * y * y).astype(np.float32)[:, None]
    return pattern


def _centre(flaws: Flaws) -> tuple[float, float]:
    return flaws.shading_y, flaws.shading_x


@functools.lru_cache(maxsize=2)
def _unit_pattern(seed: int, camera: int | None, shape: tuple[int, int]) -> Float32:
    return dataset_rng(seed, Stream.SENSOR_VARIETY, camera).standard_normal(shape, dtype=np.float32)


def spoil_pixels(measured_K: Float32, flaws: Flaws, draw: Draw) -> None:
    """Bad pixels in a picture of the detector, in place; they stay within what the picture spans."""
    count = round(flaws.bad_pixels * measured_K.size)
    if count == 0:
        return
    rng = draw.rng(Stream.SENSOR_VARIETY, _PIXELS)
    flat = measured_K.reshape(-1)
    low, high = flat.min(), flat.max()
    where = rng.integers(0, flat.size, count)
    off = rng.uniform(*_OFFSET_K, count) * rng.choice((-1.0, 1.0), count)
    flat[where] = np.clip(flat[where] + off.astype(np.float32), low, high)
