"""Plain blending, the baseline of harmonisation: cars over a display-only frame with the contrast of assumed weather.

A display-only frame (8 bit, after some camera's gain control) has lost its temperatures, and none are made up for it:
the cars' differences from the road are turned into differences from the grey of the frame's road instead, with a
contrast that is estimated from the frame and an assumption that :attr:`GreyMap.note` states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.errors import ThermalError
from renderer.geometry.frame import Frame
from renderer.insertion.blur import gaussian_blur
from renderer.insertion.foreground import render_foreground
from renderer.random_streams import Draw
from renderer.thermal.conditions import Conditions
from renderer.thermal.planck import LWIR, Band, band_table
from renderer.thermal.profiles import Profiles
from renderer.thermal.sensor import Sensor, detector_pitch, temporal_noise

__all__ = ["GreyMap", "PlainLayer", "blend_plainly", "estimate_grey_map", "plain_layer"]

STREET_SPAN_K = {"clear": 9.0, "cloudy": 6.5, "overcast": 4.5, "rain": 4.5, "fog": 5.0}
"""What the middle 90 % of a street below the horizon span in each weather: medians of 72 renderings of ``city.blend``
(9.2, 5.9, 3.8, 3.9 and 5.3 K), the low ones rounded up, since real streets are more varied."""
_DETAIL, _DETAIL_SIGMA_PX = 0.45, 2.2
"""Detail enhancement of the cars, as of the sensor ``tau2``: the background has had some."""
_LOWEST, _HIGHEST = 4.0, 252.0
"""Greys that street images after gain control rarely leave."""
_REACH = 3.5
"""Half width of a blur, in standard deviations."""
_FEATHER_PX = 0.55
"""Least blur of an outline, standard deviation: a real edge is never sharper than a pixel and its optics."""


@dataclass(frozen=True)
class PlainLayer:
    """Cars alone, ready to be blended."""

    apparent_temperature_K: NDArray[np.float32]
    """(H, W): the cars as the sensor sees them; continued beyond their outline as far as ``alpha`` reaches."""
    alpha: NDArray[np.float32]
    """(H, W): share of the pixel that a car covers, 0-1."""
    ground_change_K: NDArray[np.float32]
    """(H, W): warming (or, in a shadow, cooling) of the road around the cars."""
    road_K: float
    """Temperature of the open road under the layer's conditions."""
    street_span_K: float
    """What the middle 90 % of a street span under these conditions (:data:`STREET_SPAN_K`)."""


@dataclass(frozen=True)
class GreyMap:
    """How temperature differences become grey levels of one display-only background."""

    level: float
    """Grey of its open road, 0-255."""
    grey_per_K: float
    """Contrast at that grey."""
    note: str
    """What was estimated and what was assumed."""


def plain_layer(
    frame: Frame,
    conditions: Conditions,
    profiles: Profiles,
    draw: Draw,
    sensor: Sensor,
    band: Band = LWIR,
) -> PlainLayer:
    """Render a frame's cars, ready to be blended.

    Args:
        frame: passes in which only cars were hit.
        conditions: weather and hour; for a display-only background any that suits it.
        profiles: materials and car profiles.
        draw: seed of the dataset and number of the frame.
        sensor: its optics and noise make the cars as soft and as noisy as the background.
        band: of the detector.

    Raises:
        ThermalError: an instance has a profile that the file lacks.
    """
    mask = (frame.instance_id > 0).astype(np.float32)
    pitch = detector_pitch(sensor, frame.camera.width, frame.camera)
    sigma = max(_FEATHER_PX, sensor.optics_sigma_px * pitch)
    foreground = render_foreground(frame, conditions, profiles, draw, band, sigma)
    table = band_table(band)
    radiance = gaussian_blur(table.radiance(foreground.apparent_temperature_K) * mask, sigma, reach=_REACH)
    alpha = gaussian_blur(mask, sigma, reach=_REACH)
    kelvin = table.temperature(radiance / np.maximum(alpha, 1e-3))
    kelvin += temporal_noise(sensor, draw, mask.shape)
    kelvin[alpha < 1e-3] = conditions.air_temperature_K
    return PlainLayer(kelvin, alpha, foreground.ground_change_K, foreground.road_K, STREET_SPAN_K[conditions.sky])


def estimate_grey_map(background: NDArray[np.uint8], layer: PlainLayer) -> GreyMap:
    """Grey of the background's road, and its contrast.

    The road is taken to be the median of the lowest third, the contrast that of the lower two thirds (no sky), where
    the middle 90 % of greys are assumed to span what a street spans in the layer's weather: the background's camera
    has stretched the contrast of its day, whatever that was, and the cars are given a day to match.
    """
    _check_size(background.shape, layer)
    rows = background.shape[0]
    level = float(np.median(background[rows - max(1, rows // 3) :]))
    low, high = np.percentile(background[rows // 3 :], [5.0, 95.0])
    contrast = max(float(high - low), 40.0) / layer.street_span_K
    note = (
        f"road grey {level:.0f} (median of the lowest third); {contrast:.1f} grey levels per kelvin, "
        f"assuming that 90 % of the street span {layer.street_span_K:g} K"
    )
    return GreyMap(level, contrast, note)


def blend_plainly(
    background: NDArray[np.uint8], layer: PlainLayer, grey_map: GreyMap | None = None
) -> tuple[NDArray[np.uint8], GreyMap]:
    """Blend cars into a display-only background.

    Near the ends of the grey scale contrast falls off smoothly, as after gain control: warmer is never darker, apart
    from the cars' detail, which is enhanced.

    Args:
        background: (H, W) uint8, white hot.
        layer: of the same size.
        grey_map: None estimates one from the background.

    Returns:
        (H, W) uint8, and the map that was used.

    Raises:
        ThermalError: the sizes differ.
    """
    _check_size(background.shape, layer)
    used = grey_map or estimate_grey_map(background, layer)
    behind = background.astype(np.float32)
    changed = layer.ground_change_K != 0
    behind[changed] = _shifted(behind[changed], layer.ground_change_K[changed] * np.float32(used.grey_per_K))
    rise = (layer.apparent_temperature_K - np.float32(layer.road_K)) * np.float32(used.grey_per_K)
    cars = _shifted(np.full(rise.shape, used.level, dtype=np.float32), rise)
    grey = behind + layer.alpha * (cars - behind)
    grey += np.float32(_DETAIL) * layer.alpha * (grey - gaussian_blur(grey, _DETAIL_SIGMA_PX, reach=_REACH))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8), used


def _shifted(grey: NDArray[np.float32], rise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey levels raised or lowered by ``rise``, with what room there is left towards white or black.

    The slope is 1 for small changes. Of a background darker or brighter than the limits nothing is changed.
    """
    room = np.where(rise > 0, np.maximum(_HIGHEST - grey, 1.0), np.maximum(grey - _LOWEST, 1.0))
    return np.asarray(grey + np.sign(rise) * room * -np.expm1(-np.abs(rise) / room), dtype=np.float32)


def _check_size(shape: tuple[int, ...], layer: PlainLayer) -> None:
    if shape != layer.alpha.shape:
        raise ThermalError(f"background is {shape}: expected the size of the rendered cars, {layer.alpha.shape}")
