"""Apparent temperature of faces without a picture: for overlays, where no camera says from where they are seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE
from .balance import SKY_VIEW, surface_balance, transfer_W_m2K
from .conditions import Conditions
from .planck import LWIR, Band, band_radiance
from .profiles import Profiles

__all__ = ["face_temperatures_K"]


def face_temperatures_K(
    zones: NDArray[np.uint8],
    normals: NDArray[np.float64],
    conditions: Conditions,
    profiles: Profiles,
    profile: str = "driving",
    band: Band = LWIR,
) -> NDArray[np.float64]:
    """Apparent temperature seen straight on, without patterns, shadows and the air in between.

    The terms are those of ``physics``: air, sun and sky on the face, what the profile adds, emission and the reflection
    of sky and surroundings (taken at air temperature).

    Args:
        zones: (F,).
        normals: (F, 3) unit normals, world.
        conditions: weather and hour.
        profiles: materials and car profiles.
        profile: of faces with a car's zone.
        band: of the detector.

    Returns:
        (F,) kelvin.

    Raises:
        ThermalError: unknown profile.
    """
    balance, car = surface_balance(conditions, profiles, band), profiles.car(profile)
    air_K = conditions.air_temperature_K
    mean_K, emissivity = np.zeros(256), np.ones(256)
    for zone, material in profiles.materials.items():
        heat = car.heat.get(zone, material.heat)
        cabin = car.cabin if zone < FIRST_ENVIRONMENT_ZONE else 1.0
        mean_K[zone] = heat.mean_K + cabin * material.indoor * max(0.0, 293.15 - air_K)
        emissivity[zone] = material.emissivity
    flow = transfer_W_m2K(conditions.wind_m_s) / transfer_W_m2K(conditions.wind_m_s + car.airflow_m_s)
    on_car = (zones > 0) & (zones < FIRST_ENVIRONMENT_ZONE)
    sun_gain, sky_gain = np.where(on_car, car.sun * flow, 1.0), np.where(on_car, flow, 1.0)
    open_sky = 0.5 * (1.0 + normals[:, 2])
    direct = (np.maximum(normals @ balance.sun_world.T, 0.0) * balance.sun_K[zones]).sum(axis=1)
    kelvin = air_K + mean_K[zones] + (direct + balance.diffuse_K[zones] * open_sky) * sun_gain
    kelvin -= balance.sky_loss_K[zones] * open_sky * SKY_VIEW * sky_gain
    sky, around = band_radiance([conditions.sky_temperature_K, air_K], band)
    back = around + open_sky * SKY_VIEW * (sky - around)
    seen = emissivity[zones] * band_radiance(kelvin, band) + (1.0 - emissivity[zones]) * back
    table_K = np.linspace(150.0, 700.0, 5501)
    return np.asarray(np.interp(seen, band_radiance(table_K, band), table_K))
