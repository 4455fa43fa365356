"""Image harmonisation: cars get the levels, the surroundings and the sensor of the real frame that they are put into.

Plain blending gives cars the contrast of assumed weather, smooth paint and a clean sensor, and an eye sees them at
once. Here the frame itself says what they must look like, one effect after the other:

1. *Levels* (:mod:`.levels`). In a display-only frame mean and contrast follow the frame as those of real cars do. In a
   radiometric frame kelvin stay kelvin; road and sky come from the frame.
2. *Mirrors* (:mod:`.mirror`). Paint and glass mirror what is around them.
3. *Seams* (:mod:`.panels`). Gaps between doors, lids and bumpers, plates, badges, handles, rims, and uneven paint.
4. *Ground* (:mod:`.ground_contact`). The warm or shaded road under a car, and the road at its ground contact line.
5. *Air* (:mod:`.haze`). With distance cars fade to the level of the frame's horizon.
6. *Sensor* (:mod:`.outline`, :mod:`.background_sensor`). Edge spread, detail enhancement, noise and columns.

Masks and depth are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..random_streams import Draw, Stream
from ..thermal.conditions import Conditions
from ..zones.categories import PEOPLE_AND_ANIMALS, PUSHED_OR_RIDDEN
from .background_sensor import FrameSensor, sensor_noise
from .foreground import ForegroundLayer
from .ground_contact import REACH, contact_glow, shift_ground
from .haze import Haze, fade
from .levels import (
    HIGHEST_CONTRAST,
    CarVariation,
    FrameLevels,
    car_contrast,
    car_level,
    draw_car,
    draw_frame_levels,
    grey_pattern,
    person_greys,
    road_level,
    standardised,
    two_wheeler_greys,
    zone_pattern,
)
from .mirror import GREY_SHARES, KELVIN_SHARES, Surroundings
from .outline import MIN_ALPHA, PLAIN_SIGMA_PX, enhance_detail, outline_sigma_px, soften
from .panels import panel_details
from .regions import CarRegion, Window, affected_window, car_regions, check_size

__all__ = ["ALL", "Corrections", "harmonise_grey", "harmonise_kelvin"]

Float32 = NDArray[np.float32]

_ROAD_SHARE = 0.5
"""Share of the difference between a radiometric frame's road and the model's that its cars follow: sheet metal follows
the air, which is the frame's already. Doors of the two FLIR E60 cars are 3 K warmer than their road, at its own air."""
_NOISE_SHARE = 0.2
"""Of the frame's noise: the cars have fine texture already, and with all of the noise more than twice the frame's was
read inside them; with this share 1.13 to 1.20 times on validation frames, with half of it 1.29 to 1.34
times; on training frames 0.86 times with a tenth and 0.92 with three tenths (`benchmarks.realism.harmonisation`)."""
_GROUND_PART = 1
"""Of the random stream: what the ground draws leaves the cars as they are."""
_SEEN_GREY = 0.5
"""A smaller change of the ground does not survive rounding."""


@dataclass(frozen=True)
class Corrections:
    """Which effects are applied; all of them, unless pictures compare them."""

    levels: bool = True
    mirror: bool = True
    seams: bool = True
    ground: bool = True
    air: bool = True
    sensor: bool = True


ALL = Corrections()


def harmonise_grey(
    background: NDArray[np.uint8],
    frame: Frame,
    foreground: ForegroundLayer,
    conditions: Conditions,
    sensor: FrameSensor,
    draw: Draw,
    corrections: Corrections = ALL,
) -> NDArray[np.uint8]:
    """Cars in a display-only frame.

    Args:
        background: (H, W) uint8, white hot, at the size of the frame.
        frame: passes, with normals.
        foreground: the cars, of :func:`.foreground.render_foreground`.
        conditions: for the air's transmittance.
        sensor: measured on the background.
        draw: seed of the dataset and number of the frame.
        corrections: effects to apply.

    Returns:
        (H, W) uint8. Far from cars it is the background, byte for byte.

    Raises:
        ThermalError: the sizes differ.
    """
    check_size(background, frame)
    behind = background.astype(np.float32)
    window = affected_window(frame, foreground.ground_change_K, REACH if corrections.ground else 0.0)
    if window is None:
        return background.copy()
    cars = _car_greys(behind, frame, foreground, conditions, draw, corrections)
    sigma_px = outline_sigma_px(sensor, enhanced=True) if corrections.sensor else PLAIN_SIGMA_PX
    soft, alpha = soften(cars[window], frame.instance_id[window], sigma_px)
    ground = behind[window]
    if corrections.ground:
        glow = contact_glow(frame, draw.rng(Stream.HARMONISATION, _GROUND_PART))
        ground = shift_ground(ground, foreground.ground_change_K[window], glow[window])
    if corrections.sensor:
        soft = enhance_detail(soft, alpha, ground)
        soft = soft + _window_noise(sensor, draw, soft.shape, window) * np.float32(_NOISE_SHARE)
    mixed = ground + alpha * (soft - ground)
    out = background.copy()
    changed = (alpha > MIN_ALPHA) | (np.abs(ground - behind[window]) > _SEEN_GREY)
    out[window][changed] = np.clip(np.rint(mixed[changed]), 0, 255).astype(np.uint8)
    return out


def harmonise_kelvin(
    background_K: Float32,
    frame: Frame,
    foreground: ForegroundLayer,
    sensor: FrameSensor,
    draw: Draw,
    corrections: Corrections = ALL,
) -> Float32:
    """Cars in a radiometric frame, kelvin; arguments as for :func:`harmonise_grey`.

    Air and sky of the foreground are the frame's (:func:`.horizon.frame_conditions`); to its road it follows by a
    share. Physics has mirrored its sky and street in it already; what the frame's surroundings add is their detail.

    Returns:
        (H, W) float32.

    Raises:
        ThermalError: the sizes differ.
    """
    check_size(background_K, frame)
    window = affected_window(frame, foreground.ground_change_K)
    if window is None:
        return background_K.copy()
    cars = _car_kelvins(background_K, frame, foreground, corrections)
    soft, alpha = soften(cars[window], frame.instance_id[window], outline_sigma_px(sensor, enhanced=False))
    ground = background_K[window] + (foreground.ground_change_K[window] if corrections.ground else np.float32(0.0))
    if corrections.sensor:
        soft = soft + _window_noise(sensor, draw, soft.shape, window)
    out = background_K.copy()
    out[window] = np.where(alpha > MIN_ALPHA, ground + alpha * (soft - ground), ground)
    return out


def _car_greys(
    behind: Float32,
    frame: Frame,
    foreground: ForegroundLayer,
    conditions: Conditions,
    draw: Draw,
    corrections: Corrections,
) -> Float32:
    """(H, W) greys of the cars, sharp and without noise; 0 elsewhere."""
    rng = draw.rng(Stream.HARMONISATION)
    levels = draw_frame_levels(behind, rng)
    variations = {item.id: draw_car(rng) for item in frame.instances}
    around = Surroundings(behind, frame)
    mirrored = around.mirrored(frame, GREY_SHARES[frame.zone]) if corrections.mirror else np.zeros_like(behind)
    haze = Haze(conditions)
    painter = _Painter(frame, foreground.apparent_temperature_K, mirrored, levels, corrections)
    out = np.zeros_like(behind)
    for region in car_regions(frame):
        inside = frame.instance_id[region.window] == region.item.id
        grey = painter.paint(region, inside, road_level(behind, region.window), variations[region.item.id])
        if corrections.air:
            grey = fade(grey, haze.share(frame.depth_m[region.window][inside]), around.horizon)
        out[region.window][inside] = grey
    return out


@dataclass(frozen=True)
class _Painter:
    """Paints the cars of one frame, each for itself; arrays are (H, W)."""

    frame: Frame
    apparent_temperature_K: Float32
    mirrored: Float32
    levels: FrameLevels
    corrections: Corrections

    def paint(self, region: CarRegion, inside: NDArray[np.bool_], road: float, car: CarVariation) -> Float32:
        """Greys of the pixels of a car, (N,), at the camera.

        Args:
            region: the car and its box.
            inside: (h, w) pixels of the box that show it.
            road: grey of the road below it.
            car: what was drawn for it.
        """
        if region.item.category in (*PEOPLE_AND_ANIMALS, *PUSHED_OR_RIDDEN):
            kelvin, zone = self.apparent_temperature_K[region.window][inside], self.frame.zone[region.window][inside]
            greys = person_greys if region.item.category in PEOPLE_AND_ANIMALS else two_wheeler_greys
            return greys(kelvin, zone, road, self.levels, car)
        contrast, level = car_contrast(self.levels, car), car_level(road, self.levels, car)
        pattern = self._pattern(region, inside, contrast, car)
        if self.corrections.seams:
            pattern = pattern + panel_details(self.frame, region, inside, car.panels)
            contrast = min(contrast, HIGHEST_CONTRAST / max(float(pattern.std()), 1e-3))
        if not self.corrections.levels:
            level, contrast = road, self.levels.contrast
        return grey_pattern(pattern, level, contrast)

    def _pattern(self, region: CarRegion, inside: NDArray[np.bool_], contrast: float, car: CarVariation) -> Float32:
        """What a car's zones and mirrors show, (N,) in deviations."""
        kelvin, zone = self.apparent_temperature_K[region.window][inside], self.frame.zone[region.window][inside]
        return standardised(zone_pattern(kelvin, zone, car) * contrast + self.mirrored[region.window][inside])


def _car_kelvins(background_K: Float32, frame: Frame, foreground: ForegroundLayer, corrections: Corrections) -> Float32:
    """(H, W) apparent temperatures of the cars."""
    cars = foreground.apparent_temperature_K.copy()
    if corrections.levels:
        for region in car_regions(frame):
            inside = frame.instance_id[region.window] == region.item.id
            off_K = road_level(background_K, region.window) - foreground.road_K
            cars[region.window][inside] += np.float32(_ROAD_SHARE * off_K)
    if corrections.mirror:
        around = Surroundings(background_K, frame)
        cars += around.mirrored(frame, KELVIN_SHARES[frame.zone], detail_only=True)
    return cars


def _window_noise(sensor: FrameSensor, draw: Draw, shape: tuple[int, ...], window: Window) -> Float32:
    """Noise of a window of the frame, with the columns that are there."""
    there = replace(sensor, columns=sensor.columns[window[1]])
    return sensor_noise(there, draw, shape)
