"""A sensor drawn anew for each frame, within what cameras of this kind have: against a detector that knows one look.

With strength 1 every number is drawn from its whole range; below, the logarithm lies so much nearer to the camera's own
value, and the drawn gain control, polarity and what is on the lens are so much rarer. A sensor without a flaw of some
kind (``ideal``) keeps being without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..random_streams import Draw, Stream
from .flaws import Flaws, Spot
from .gain_control import GainControl, Kind, show
from .sensor import Sensor

__all__ = ["Detector", "SensorVariety", "draw_sensor_variety", "show_varied"]

Rng = np.random.Generator
Range = tuple[float, float]

_NETD_K: Final = (0.02, 0.15)
"""Boson and Tau 2 data sheets state below 20 to 60 mK at f/1.0, FLIR ONE Pro 70 mK; at f/1.6 it is 2.6 times that."""
_OPTICS_SIGMA_PX: Final = (0.45, 1.6)
"""From diffraction and aperture alone (0.43 px at f/1.25 and 17 um) to a lens out of focus or a moving car."""
_FIXED_PATTERN_K: Final = (0.01, 0.10)
_COLUMN_K: Final = (0.005, 0.08)
_ROW_K: Final = (0.005, 0.05)
"""These three: below NETD right after a flat-field correction, about it some minutes later. Assumed."""
_SHADING_K: Final = (-0.5, 1.5)
"""Corners against the centre between two corrections. Assumed."""
_BAD_PIXELS: Final = (1e-5, 1e-3)
"""What replacement leaves of the up to 1 % that data sheets allow. Assumed."""
_PIXEL_SHARE: Final = (0.4, 1.0)
"""Columns of a coarser detector, as a share of the camera's own: cores of 384, 336, 320 and 256 columns and of 640."""
_BAD_SHARE, _SPOT_SHARE, _BLACK_HOT_SHARE, _COARSE_SHARE = 0.4, 0.25, 0.1, 0.6
"""Shares of frames, at full strength, with bad pixels, with something on the lens, black hot, and of fewer pixels."""
_MOST_SPOTS: Final = 6
_SPOT_RADIUS, _SPOT_LOSS = (0.02, 0.15), (0.05, 0.5)
"""A drop of 0.5 to 3 mm before an entrance pupil of 10 mm, out of focus. Assumed."""
_LENS_WARMTH_K: Final = (0.0, 8.0)
"""A camera's lens above the air, by its electronics. Assumed."""
_KINDS: Final[tuple[Kind, ...]] = ("linear", "plateau", "clahe", "detail")
_KIND_SHARES: Final = (0.3, 0.3, 0.2, 0.2)


@dataclass(frozen=True)
class Detector:
    """Optics and detector of one frame; the numbers of :class:`.sensor.Sensor` that are not the camera's own.

    Raises:
        ThermalError: a number that is none of a camera.
    """

    netd_K: float
    optics_sigma_px: float
    fixed_pattern_K: float
    column_K: float
    row_K: float
    flaws: Flaws
    pixel_share: float = 1.0
    """Columns and rows of the detector, as a share of the camera's own; above 0 to 1."""

    def __post_init__(self) -> None:
        """Check that a camera can have the numbers."""
        for name, most in (("netd_K", 1.0), ("optics_sigma_px", 8.0), ("fixed_pattern_K", 1.0), ("column_K", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise ThermalError(f"drawn sensor: {name} is {getattr(self, name)}, expected 0 to {most}")
        if not 0 < self.pixel_share <= 1:
            raise ThermalError(f"drawn sensor: pixel_share is {self.pixel_share}, expected above 0 to 1")

    def of(self, sensor: Sensor) -> Sensor:
        """The sensor with these numbers."""
        return replace(
            sensor,
            netd_K=self.netd_K,
            optics_sigma_px=self.optics_sigma_px,
            fixed_pattern_K=self.fixed_pattern_K,
            column_K=self.column_K,
            row_K=self.row_K,
            width=round(sensor.width * self.pixel_share),
            height=round(sensor.height * self.pixel_share),
            focal_px=sensor.focal_px * self.pixel_share,
        )


@dataclass(frozen=True)
class SensorVariety:
    """What was drawn for a frame."""

    black_hot: bool
    """Whether the 8-bit image shows warm things dark."""
    gain: GainControl | None
    """Of the 8-bit image; None: the sensor's own."""
    detector: Detector | None
    """None over a real background, which has its own."""


def draw_sensor_variety(sensor: Sensor, strength: float, draw: Draw, air_K: float | None) -> SensorVariety:
    """The sensor of a frame.

    Args:
        sensor: the camera's own.
        strength: 0-1.
        draw: of the frame.
        air_K: temperature of the air; None over a real background, whose detector is not drawn.
    """
    rng = draw.rng(Stream.SENSOR_VARIETY)
    black_hot = bool(rng.random() < _BLACK_HOT_SHARE * strength)
    own_gain = bool(rng.random() < strength)
    gain = _draw_gain(rng)
    detector = None if air_K is None else _draw_detector(rng, sensor, strength, air_K)
    return SensorVariety(black_hot, gain if own_gain else None, detector)


def show_varied(
    signal: NDArray[np.float32], image: NDArray[np.uint8], sensor: Sensor, variety: SensorVariety, *, levels: bool
) -> NDArray[np.uint8]:
    """The 8-bit image of a frame, (H, W).

    Args:
        signal: (H, W) kelvin, or grey levels.
        image: (H, W) by the sensor's own gain control, white hot.
        sensor: the camera's own.
        variety: what was drawn.
        levels: whether the signal is grey levels.
    """
    shown = image if variety.gain is None else show(signal, sensor, variety.gain, levels=levels)
    return np.asarray(255 - shown if variety.black_hot else shown)


def _draw_gain(rng: Rng) -> GainControl:
    """One of the kinds, each with its own ranges."""
    kind = _KINDS[int(rng.choice(len(_KINDS), p=_KIND_SHARES))]
    plateau, linear = _log(rng, (1.0, 40.0)), float(rng.uniform(0.05, 0.6))
    tail, steepest = float(rng.uniform(0.0, 0.01)), _log(rng, (20.0, 100.0))
    sharpened, detail, sigma_px = bool(rng.random() < 0.6), float(rng.uniform(0.1, 0.8)), _log(rng, (1.0, 6.0))
    base, strong, clip = float(rng.uniform(0.7, 1.0)), float(rng.uniform(0.5, 2.0)), _log(rng, (1.0, 4.0))
    tiles = int(rng.integers(3, 9))
    gain = GainControl(kind, plateau, linear, tail, steepest, detail if sharpened else 0.0, sigma_px)
    if kind == "linear":
        return replace(gain, linear=1.0)
    if kind == "clahe":
        return replace(gain, linear=1.0, clip=clip, tiles=tiles)
    if kind == "detail":
        return replace(gain, detail=strong, detail_sigma_px=2.0 * sigma_px, base_contrast=base)
    return gain


def _draw_detector(rng: Rng, sensor: Sensor, strength: float, air_K: float) -> Detector:
    return Detector(
        _near(rng, _NETD_K, sensor.netd_K, strength),
        _near(rng, _OPTICS_SIGMA_PX, sensor.optics_sigma_px, strength),
        _near(rng, _FIXED_PATTERN_K, sensor.fixed_pattern_K, strength),
        _near(rng, _COLUMN_K, sensor.column_K, strength),
        _near(rng, _ROW_K, sensor.row_K, strength),
        _draw_flaws(rng, sensor, strength, air_K),
        _draw_pixels(rng, strength),
    )


def _draw_pixels(rng: Rng, strength: float) -> float:
    coarse, share = bool(rng.random() < _COARSE_SHARE * strength), _log(rng, _PIXEL_SHARE)
    return share if coarse else 1.0


def _draw_flaws(rng: Rng, sensor: Sensor, strength: float, air_K: float) -> Flaws:
    shading_K = float(rng.uniform(*_SHADING_K))
    x, y = (0.5 + strength * float(rng.uniform(-0.25, 0.25)) for _ in range(2))
    bad, share = bool(rng.random() < _BAD_SHARE * strength), _log(rng, _BAD_PIXELS)
    lens_K = air_K + float(rng.uniform(*_LENS_WARMTH_K))
    dirty, count = bool(rng.random() < _SPOT_SHARE * strength), int(rng.integers(1, _MOST_SPOTS + 1))
    spots = tuple(_draw_spot(rng) for _ in range(count))
    own_K = sensor.vignetting_K
    return Flaws(
        own_K + strength * (shading_K - own_K) if own_K > 0 else 0.0,
        x,
        y,
        share if bad and sensor.fixed_pattern_K > 0 else 0.0,
        lens_K,
        spots if dirty else (),
    )


def _draw_spot(rng: Rng) -> Spot:
    return Spot(float(rng.random()), float(rng.random()), _log(rng, _SPOT_RADIUS), float(rng.uniform(*_SPOT_LOSS)))


def _near(rng: Rng, limits: Range, own: float, strength: float) -> float:
    """A number drawn from its range, brought so much nearer to the camera's own as strength is below 1."""
    drawn = _log(rng, limits)
    return float(own ** (1.0 - strength) * drawn**strength) if own > 0 else 0.0


def _log(rng: Rng, limits: Range) -> float:
    """Evenly distributed in its logarithm."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))
