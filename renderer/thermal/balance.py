"""How warm a surface gets between air, sun and sky, before anything that heats it from inside.

A first-order balance: what the sun brings and what the open sky takes, divided by the surface's heat transfer, and
remembered for a time that its mass decides. It is linear, so that a pixel needs a few products only: the sun of the
past hours as a handful of directions, each with its gain per zone.

Sources:
    Incropera et al., "Fundamentals of Heat and Mass Transfer": balance of a surface; radiative part about 5 W/m2K.
    McAdams, "Heat Transmission" 1954: convection 5.7 + 3.8 v W/m2K for winds up to 5 m/s.
    Meinel, "Applied Solar Energy" 1976: direct sunlight 1353 x 0.7^(air mass^0.678) W/m2.
    Idso 1981 (see ``atmosphere``): emissivity of the clear sky over the whole thermal spectrum.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..zones.catalogue import ZONES, Zone
from .atmosphere import air_mass, clear_sky_emissivity, vapour_pressure_hPa
from .conditions import Conditions, sun_elevation_deg
from .planck import LWIR, Band, band_radiance
from .profiles import Profiles

__all__ = ["DIRECT_SHARE", "SKY_VIEW", "Balance", "cloud_closure", "sky_loss_W_m2", "surface_balance", "transfer_W_m2K"]

SKY_VIEW = 0.65
"""Share of the sky that is open above a street (assumed: houses as high as half the street is wide)."""

_PAST_H = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 5.5, 8.0])
"""Hours ago at which the sun is looked up: close where its heat still is, wide where little of it is left."""

_SUN_W_M2 = 1353.0
_STEFAN_BOLTZMANN = 5.670374e-8
# Share of direct sun that a weather lets through, and of the clear sky's light that comes as diffuse (assumed, after
# Kasten and Czeplak, Solar Energy 24 (1980): global radiation falls to a quarter under a closed cover).
DIRECT_SHARE = {"clear": 1.0, "cloudy": 0.65, "overcast": 0.0, "rain": 0.0, "fog": 0.05}
_DIFFUSE = {"clear": 0.12, "cloudy": 0.25, "overcast": 0.25, "rain": 0.15, "fog": 0.3}
_TABLE = 256
_ZONES = [info.zone for info in ZONES]


class Balance(NamedTuple):
    """Gains and losses per zone number; arrays are float64 and contiguous, so that one compiled kernel takes all."""

    sun_world: NDArray[np.float64]
    """(K, 3) unit vectors towards the sun, now and in past hours, world axes."""
    sun_K: NDArray[np.float64]
    """(256, K) warming by each of those suns at normal incidence."""
    diffuse_K: NDArray[np.float64]
    """(256,) warming by the light of the whole sky."""
    sky_loss_K: NDArray[np.float64]
    """(256,) cooling of a surface that sees nothing but sky."""
    ground_K: NDArray[np.float64]
    """(256,) warming of a surface that sees nothing but the road: by its heat, and by the light that it throws back."""


def transfer_W_m2K(wind_m_s: float) -> float:
    """Heat transfer of an outdoor surface: convection and radiation."""
    return 5.0 + 5.7 + 3.8 * min(wind_m_s, 12.0)


def cloud_closure(conditions: Conditions, band: Band = LWIR) -> float:
    """How far clouds close the clear sky's window, 0-1, from the zenith's apparent temperature."""
    air_K = conditions.air_temperature_K
    air, sky = band_radiance([air_K, conditions.sky_temperature_K], band)
    clear = clear_sky_emissivity(air_K, conditions.relative_humidity)
    return float(np.clip((sky / air - clear) / max(1.0 - clear, 1e-3), 0.0, 1.0))


def surface_balance(conditions: Conditions, profiles: Profiles, band: Band = LWIR) -> Balance:
    """Balance of all zones; profiles of cars scale it (see ``physics``)."""
    transfer = transfer_W_m2K(conditions.wind_m_s)
    directions, beam, diffuse = _past_suns(conditions)
    loss = sky_loss_W_m2(conditions, band)
    light = SKY_VIEW * beam * np.maximum(directions[:, 2], 0.0) + diffuse
    warmer_K = _road_above_air_K(light, loss, transfer, profiles)
    from_road = 4.0 * _STEFAN_BOLTZMANN * conditions.air_temperature_K**3 * warmer_K
    thrown_back = (1.0 - profiles.materials[Zone.ROAD].absorptance) * light
    sun_K = np.zeros((_TABLE, len(beam)))
    diffuse_K, sky_loss_K, ground_K = np.zeros((3, _TABLE))
    materials = [profiles.materials[zone] for zone in _ZONES]
    memory = np.array([_memory(material.lag_h) for material in materials])
    absorbs = np.array([material.absorptance * material.exposure / transfer for material in materials])
    emits = np.array([material.emissivity * material.exposure / transfer for material in materials])
    sun_K[_ZONES] = absorbs[:, None] * memory * beam
    diffuse_K[_ZONES] = absorbs * (memory * diffuse).sum(axis=1)
    sky_loss_K[_ZONES] = emits * loss
    ground_K[_ZONES] = emits * from_road + absorbs * (memory * thrown_back).sum(axis=1)
    shining = beam > 1.0
    return Balance(directions[shining], np.ascontiguousarray(sun_K[:, shining]), diffuse_K, sky_loss_K, ground_K)


def _road_above_air_K(light: NDArray[np.float64], loss: float, transfer: float, profiles: Profiles) -> float:
    """How much warmer than the air the road is, where houses and cars shade it as they hide the sky."""
    road = profiles.materials[Zone.ROAD]
    sun = road.absorptance * float(_memory(road.lag_h) @ light)
    lost = SKY_VIEW * road.emissivity * loss
    return road.heat.mean_K + road.exposure * (sun - lost) / transfer


def _past_suns(conditions: Conditions) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Directions (K, 3), direct irradiance (K,) and diffuse irradiance (K,) W/m2 of the past hours."""
    direct, diffuse = DIRECT_SHARE[conditions.sky], _DIFFUSE[conditions.sky]
    # The conditions' own sun may be another place's: past elevations follow from it by their difference.
    now = sun_elevation_deg(conditions.day_of_year, conditions.hour)
    past = [sun_elevation_deg(conditions.day_of_year, conditions.hour - h) for h in _PAST_H]
    elevation = np.radians(np.clip(conditions.sun_elevation_deg + np.array(past) - now, -90.0, 90.0))
    # The sun moves clockwise seen from above, about 15 degrees an hour.
    azimuth = np.radians(conditions.sun_azimuth_deg + 15.0 * _PAST_H)
    up = np.sin(elevation)
    beam = np.where(up > 0.01, _SUN_W_M2 * 0.7 ** (air_mass(np.maximum(elevation, 0.0)) ** 0.678), 0.0)
    flat = np.cos(elevation)
    directions = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), up], axis=1)
    return directions, direct * beam, diffuse * beam * np.maximum(up, 0.0) + diffuse * 0.1 * beam


@functools.lru_cache(maxsize=256)
def _memory(lag_h: float) -> NDArray[np.float64]:
    """Weight of each past hour in a first-order memory: the exponential integrated over the hour's surroundings."""
    edges = np.concatenate([[0.0], (_PAST_H[1:] + _PAST_H[:-1]) / 2, [10.0]])
    left = np.exp(-edges / lag_h)
    weights = np.asarray(left[:-1] - left[1:])
    weights.flags.writeable = False  # all who ask get the same array
    return weights


def sky_loss_W_m2(conditions: Conditions, band: Band = LWIR) -> float:
    """Net thermal loss of a black surface at air temperature that sees nothing but sky."""
    air_K = conditions.air_temperature_K
    vapour = vapour_pressure_hPa(air_K, conditions.relative_humidity)
    clear = min(1.0, 0.70 + 5.95e-5 * vapour * math.exp(1500.0 / air_K))
    emissivity = clear + (1.0 - clear) * cloud_closure(conditions, band)
    return (1.0 - emissivity) * _STEFAN_BOLTZMANN * air_K**4
