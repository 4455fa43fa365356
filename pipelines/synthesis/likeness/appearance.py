"""The options ``noise`` and ``contrast``: how noisy pictures are, and how objects stand out in them, in grey levels.

Each frame draws what its picture shall have. Noise: the numbers of the sensor's noise are multiplied, so that it is in
the temperatures too. Contrast: the 8-bit picture is stretched about its mean, as a camera's gain control does it;
temperatures stay what they are. Both are measured as `gis stats` measures any set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw, Stream
from renderer.thermal.sensor import Sensor, agc, expose

from pipelines.dataset.labels import is_ignored, labelled
from pipelines.statistics.figures import quantile
from pipelines.statistics.pictures import mean_contrast, noise_levels

__all__ = ["Appearance", "Exposure", "stretched"]

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
MOST_NOISE: Final = 6.0
"""A sensor's own noise times this is that of none any more."""
GAINS: Final = (0.4, 2.5)
"""Limits of the stretch: beyond, a picture is of a few levels, or all of it black and white."""


@dataclass(frozen=True)
class Exposure:
    """What a sensor made of a frame."""

    measured_K: Float32
    """(H, W) what it measured."""
    gain: float = 1.0
    """By how much the 8-bit picture is stretched about its mean."""


@dataclass(frozen=True)
class Appearance:
    """What the pictures of a set shall have, as evenly spaced quantiles; None: as the sensor makes it."""

    noise: tuple[float, ...] | None
    contrast: tuple[float, ...] | None
    min_visible_share: float
    """Objects that show less do not count."""

    def expose(self, apparent_K: Float32, sensor: Sensor, frame: Frame, draw: Draw) -> Exposure:
        """The exposure of a frame with what is drawn for it.

        Args:
            apparent_K: (H, W) at the aperture.
            sensor: the camera's own.
            frame: whose objects are to stand out.
            draw: of the frame.
        """
        noise_share, contrast_share = draw.rng(Stream.APPEARANCE).random(2)
        stand_out = None if self.contrast is None else quantile(self.contrast, contrast_share)
        measured = expose(apparent_K, sensor, draw, frame.camera)
        picture = agc(measured, sensor)
        gain = self._gain(picture, frame, stand_out)
        if self.noise is None:
            return Exposure(measured, gain)
        wanted = quantile(self.noise, noise_share) / gain
        measured = _with_noise(apparent_K, picture, sensor, frame.camera, draw, wanted)
        return Exposure(measured, self._gain(agc(measured, sensor), frame, stand_out))

    def _gain(self, picture: UInt8, frame: Frame, wanted: float | None) -> float:
        if wanted is None:
            return 1.0
        counted = (item for item in labelled(frame.instances) if not is_ignored(item, self.min_visible_share))
        own = mean_contrast(picture, [item.box_visible_px for item in counted if item.box_visible_px is not None])
        return 1.0 if not own else min(max(wanted / own, GAINS[0]), GAINS[1])


def _with_noise(
    apparent_K: Float32, picture: UInt8, sensor: Sensor, camera: Camera, draw: Draw, wanted: float
) -> Float32:
    """(H, W) what the sensor measures with its noise so much stronger or weaker that its picture has what is wanted."""
    silent = expose(apparent_K, _noise_times(sensor, 0.0), draw, camera)
    texture, own = noise_levels(agc(silent, sensor)), noise_levels(picture)
    room, strength = wanted**2 - texture**2, own**2 - texture**2
    factor = float(np.sqrt(max(room, 0.0) / strength)) if strength > 0 else 1.0
    return expose(apparent_K, _noise_times(sensor, min(factor, MOST_NOISE)), draw, camera)


def _noise_times(sensor: Sensor, factor: float) -> Sensor:
    return replace(
        sensor,
        netd_K=sensor.netd_K * factor,
        fixed_pattern_K=sensor.fixed_pattern_K * factor,
        column_K=sensor.column_K * factor,
        row_K=sensor.row_K * factor,
    )


def stretched(picture: UInt8, gain: float) -> UInt8:
    """(H, W) the picture stretched about its mean."""
    middle = np.float32(picture.mean())
    return np.rint(np.clip((picture - middle) * np.float32(gain) + middle, 0.0, 255.0)).astype(np.uint8)
