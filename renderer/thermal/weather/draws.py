"""Which weather a frame has, and what of it: the draws behind `--weather`.

A simple weather that is named by itself is drawn as ever, by :func:`..conditions.sample_conditions` alone. In a mixture
(``snow=2,rain=1`` or ``any``) each weather brings its effects along, as ``snow`` and its like always do.

Sources:
    ITU-R P.837-1 (1994), rain zone H (of central Europe): 2, 10 and 32 mm/h are exceeded in 1, 0.1 and 0.01 % of the
    time; where it rains in 7 % of it, rates are lognormal about 0.42 mm/h with a deviation of 1.45 in the logarithm.
    Shettle, Fenn 1979 (see :mod:`.extinction`): droplets of radiation and of advection fog.
    Federal Meteorological Handbook 1 (2019): visibility in heavy snow below 0.4 km, in light snow above 0.8 km.
    What has no source here is assumed, and docs/how-to/weather.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...random_streams import Draw, Stream
from ..atmosphere import clear_sky_emissivity
from ..balance import cloud_closure, sky_loss_W_m2, transfer_W_m2K
from ..condition_names import ANY, ONLY_IN_WINTER, SKIES, WEATHERS, parse_weather
from ..conditions import Conditions, sample_conditions
from ..planck import LWIR, band_radiance, band_table
from .climate import climate_shares
from .deposit import deposit_of
from .effects import WeatherEffects
from .extinction import fog_extinction_per_m, rain_extinction_per_m, snowfall_extinction_per_m

__all__ = ["draw_conditions"]

_SNOW_SKIES = {"clear": 0.25, "cloudy": 0.25, "overcast": 0.5}
"""Of hours with snow on the ground (assumed: winters are cloudy)."""
_WARMEST_ON_SNOW_K = 275.15
"""Air above lying snow is seldom warmer for long (assumed)."""
_COLDEST_K = 255.0
_NIGHT_HUMIDITY = 0.4
"""Share of what is missing to saturation that a night near the ground has gained (assumed: where the simple weathers
have 0.75 at dawn, stations of central Europe have 0.85)."""
_CLEAN_M = 20e3
"""Visibility between drops."""
_RAIN_MM_H, _RAIN_LOG, _HEAVIEST_MM_H = 0.42, 1.45, 60.0
_RADIATION_FOG, _SMALL_UM, _LARGE_UM = 0.7, (2.5, 7.0), (10.0, 20.0)
"""Share of fogs that cooling ground has made (assumed), and effective radii of both kinds."""
_FOG_M, _SNOWFALL_M = (60.0, 1000.0), (300.0, 3000.0)
"""Visibilities, drawn evenly in their logarithm."""


def draw_conditions(
    draw: Draw, *, weather: str | None = None, hour: float | None = None, season: str | None = None
) -> Conditions:
    """Weather and hour of a frame.

    Args:
        draw: of the frame.
        weather: None draws a simple weather; one of :data:`..condition_names.WEATHERS`; ``any``, all of them by season
            and hour; or a mixture, as :func:`parse_weather` reads it.
        hour: solar time, 0-24; None draws it.
        season: None draws it.

    Raises:
        ThermalError: an unknown weather or season, an hour outside 0-24, or snow in another season than winter.
    """
    if weather is None or weather in SKIES:
        return sample_conditions(draw.rng(Stream.CONDITIONS), weather=weather, hour=hour, season=season)
    name = weather if weather in WEATHERS else _drawn_name(draw, weather, hour, season)
    if name in ONLY_IN_WINTER:
        parse_weather(name, season)
        return _snow(draw, name, hour)
    base = sample_conditions(draw.rng(Stream.CONDITIONS), weather=name, hour=hour, season=season)
    return _detailed(base, draw)


def _drawn_name(draw: Draw, weather: str, hour: float | None, season: str | None) -> str:
    """One of a mixture's weathers."""
    weights: Mapping[str, float] = parse_weather(weather, season)
    if weather == ANY:
        base = sample_conditions(draw.rng(Stream.CONDITIONS), hour=hour, season=season)
        shares = climate_shares(base.day_of_year, base.hour)
        weights = {name: shares[name] for name in weights}
    return _by_share(weights, float(draw.rng(Stream.WEATHER).random()))


def _detailed(base: Conditions, draw: Draw) -> Conditions:
    """A simple weather with the effects that it has in a mixture."""
    rng = draw.rng(Stream.WEATHER, 1)
    if base.weather == "fog":
        return _fog(base, rng)
    if base.weather == "rain":
        rate = min(_HEAVIEST_MM_H, max(0.1, _RAIN_MM_H * float(np.exp(_RAIN_LOG * rng.standard_normal()))))
        film = min(1.0, 0.45 + 0.18 * float(np.log1p(4.0 * rate)))
        extinction = rain_extinction_per_m(rate)
        effects = WeatherEffects("rain", extinction, rain_mm_h=rate, water_film=film)
        # Rain itself, and the little haze that is left between the drops.
        return replace(base, visibility_m=3.912 / (extinction + 3.912 / _CLEAN_M), effects=effects)
    if base.sun_elevation_deg < 0.0:
        humidity = base.relative_humidity + _NIGHT_HUMIDITY * (1.0 - base.relative_humidity)
        base = _with_air(base, base.air_temperature_K, humidity)
    return replace(base, effects=WeatherEffects(base.weather, deposit=_deposit(base)))


def _deposit(base: Conditions) -> str | None:
    """Dew or frost on a black panel with nothing below it."""
    return deposit_of(base, sky_loss_W_m2(base) / transfer_W_m2K(base.wind_m_s))


def _fog(base: Conditions, rng: np.random.Generator) -> Conditions:
    """Fog of small droplets, which this band sees through in part, or of large ones."""
    of_radiation, place, thickness = rng.random(3)
    low, high = _SMALL_UM if of_radiation < _RADIATION_FOG else _LARGE_UM
    radius_um, visibility_m = float(low + (high - low) * place), _logarithmic(_FOG_M, float(thickness))
    extinction = fog_extinction_per_m(visibility_m, radius_um)
    effects = WeatherEffects("fog", extinction, droplet_radius_um=radius_um)
    return replace(base, visibility_m=visibility_m, effects=effects)


def _snow(draw: Draw, name: str, hour: float | None) -> Conditions:
    """Snow that lies, and falls or not."""
    rng = draw.rng(Stream.WEATHER, 2)
    falls = name == "snowfall"
    draws, normal = rng.random(6), float(rng.standard_normal())
    sky = "overcast" if falls else _by_share(_SNOW_SKIES, float(draws[0]))
    base = sample_conditions(draw.rng(Stream.CONDITIONS), weather=sky, hour=hour, season="winter")
    air_K = _reflected(base.air_temperature_K)
    humidity = 0.88 + 0.12 * float(draws[1]) if falls else base.relative_humidity
    age = 0.0 if falls else -3.0 * float(np.log1p(-draws[2]))
    on_road, on_trees = float(draws[3]), float(draws[4])
    visibility_m = _logarithmic(_SNOWFALL_M, float(draws[5])) if falls else base.visibility_m
    effects = WeatherEffects(
        sky,
        snowfall_extinction_per_m(visibility_m) if falls else None,
        snow_depth_m=float(np.clip(0.08 * np.exp(0.7 * normal), 0.01, 0.6)),
        snow_on_road=1.0 - 0.8 * on_road**2 if falls else on_road**2,
        snow_on_trees=0.3 + 0.6 * on_trees if falls else max(0.0, 0.6 * on_trees - 0.3 * age),
        snow_age_days=age,
    )
    return replace(_with_air(base, air_K, humidity), weather=name, visibility_m=visibility_m, effects=effects)


def _reflected(air_K: float) -> float:
    """Air as cold as lying snow needs it: as far below its limit as the draw was above."""
    return float(np.clip(min(air_K, 2.0 * _WARMEST_ON_SNOW_K - air_K), _COLDEST_K, None))


def _with_air(conditions: Conditions, air_K: float, humidity: float) -> Conditions:
    """Other air below the same clouds."""
    closure = cloud_closure(conditions)
    clear = clear_sky_emissivity(air_K, humidity)
    radiance = (clear + (1.0 - clear) * closure) * float(band_radiance(air_K, LWIR))
    sky_K = float(band_table(LWIR).temperature(np.array([radiance], dtype=np.float32))[0])
    return replace(conditions, air_temperature_K=air_K, relative_humidity=humidity, sky_temperature_K=sky_K)


def _by_share(shares: Mapping[str, float], draw: float) -> str:
    edges = np.cumsum(list(shares.values()))
    return list(shares)[min(int(np.searchsorted(edges, draw * edges[-1], side="right")), len(shares) - 1)]


def _logarithmic(span: tuple[float, float], share: float) -> float:
    return float(span[0] * (span[1] / span[0]) ** share)
