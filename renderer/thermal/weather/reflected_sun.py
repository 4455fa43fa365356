"""Sunlight that surfaces reflect in a band: nothing to speak of in 8-14 um, kelvins in 3-5 um.

A diffuse reflection of the direct sun, L = tau (1 - e) E cos(i) / pi, added to what a surface emits. ``E`` is the sun
as a black body, weakened by the air.

Sources:
    IAU 2015 Resolution B3: nominal effective temperature of the sun, 5772 K, and its radius; with the astronomical unit
    they give the solid angle. The irradiance above the air in 3-5 um is then 21 W/m2.

Assumed: that a vertical path lets 0.55 of it through in 3-5 um (carbon dioxide takes all of 4.2-4.4 um, water vapour
the end of the band), and that surfaces have the emissivity of 8-14 um. No glints: what paint and glass mirror of the
sun's disc is left out, as are shadows of houses and trees; cars do shade the ground.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..atmosphere import air_mass, path_transmittance
from ..balance import DIRECT_SHARE
from ..conditions import Conditions
from ..kernels import Passes, Scene
from ..planck import Band, band_radiance, band_table

__all__ = ["add_reflected_sun", "reflects_sun", "solar_irradiance_W_m2"]

_SUN_K = 5772.0
_SUN_SR = math.pi * (6.957e8 / 1.495978707e11) ** 2
_ZENITH_TRANSMITTANCE = 0.55
_LONGEST_UM = 7.0
"""Bands that begin beyond see less than a ten thousandth of what surfaces emit (the sun at 8 um against 300 K)."""


def reflects_sun(band: Band) -> bool:
    """Whether reflected sunlight counts in a band."""
    return band.low_um < _LONGEST_UM


def solar_irradiance_W_m2(conditions: Conditions, band: Band) -> float:
    """Direct sun at the ground in a band, on a surface that faces it; 0 below the horizon and under closed clouds."""
    elevation = math.radians(conditions.sun_elevation_deg)
    if elevation <= 0:
        return 0.0
    above = float(band_radiance(_SUN_K, band)) * _SUN_SR
    through = _ZENITH_TRANSMITTANCE ** float(air_mass(elevation))
    return float(above * through * DIRECT_SHARE[conditions.sky])


def _towards_sun(conditions: Conditions) -> NDArray[np.float32]:
    """(3,) unit vector, world axes."""
    up, around = math.radians(conditions.sun_elevation_deg), math.radians(conditions.sun_azimuth_deg)
    flat = math.cos(up)
    return np.array([flat * math.cos(around), flat * math.sin(around), math.sin(up)], dtype=np.float32)


def add_reflected_sun(
    apparent_K: NDArray[np.float32],
    passes: Passes,
    shade: NDArray[np.float32],
    scene: Scene,
    conditions: Conditions,
    band: Band,
    *,
    covered: NDArray[np.float32] | None = None,
    cars_only: bool = False,
) -> None:
    """Adds what surfaces reflect of the sun to a picture.

    Args:
        apparent_K: (H, W) what they emit and reflect of sky and street; changed in place.
        passes: of the frame.
        shade: (H, W) share of the sun that cars keep from the ground, 0-1.
        scene: what the kernels were given.
        conditions: weather and hour.
        band: of the detector.
        covered: (H, W) share of the sun that bridges hide, 0-1; None: none.
        cars_only: leave all pixels without an instance as they are.
    """
    irradiance = solar_irradiance_W_m2(conditions, band)
    if irradiance == 0.0:
        return
    facing = np.maximum(passes.normal @ _towards_sun(conditions), 0.0)
    height, width = apparent_K.shape
    view = scene.camera
    across = (np.arange(width) + 0.5 - view.cx) / view.fx
    down = (np.arange(height) + 0.5 - view.cy) / view.fy
    distance_m = passes.depth_m * np.sqrt(1.0 + across[None, :] ** 2 + down[:, None] ** 2)
    through = path_transmittance(
        distance_m,
        conditions.air_temperature_K,
        conditions.relative_humidity,
        conditions.visibility_m,
        None if conditions.effects is None else conditions.effects.extinction_per_m,
    )
    reflectance = 1.0 - scene.surfaces.emissivity[passes.zone]
    lit = np.where(passes.instance_id > 0, 1.0, 0.0 if cars_only else 1.0 - shade)
    if covered is not None:
        lit = lit * (1.0 - covered)
    added = through * reflectance * lit * facing * (irradiance / math.pi)
    table = band_table(band)
    apparent_K[...] = table.temperature((table.radiance(apparent_K) + added).astype(np.float32))
