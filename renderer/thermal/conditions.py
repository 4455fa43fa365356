"""Weather and hour of one frame: drawn together, so that they can occur together."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..errors import ThermalError
from .atmosphere import zenith_sky_temperature_K
from .condition_names import SEASONS, SKIES, WEATHERS
from .weather.effects import WeatherEffects

__all__ = ["SEASONS", "SKIES", "WEATHERS", "Conditions", "sample_conditions", "sun_elevation_deg"]

_LATITUDE_DEG = 48.0
"""Assumed: central Europe, where the street's cars and traffic rules are from."""


@dataclass(frozen=True)
class Conditions:
    """Everything outside the scene that decides how warm it looks.

    Raises:
        ThermalError: an unknown weather, or numbers that no weather has.
    """

    hour: float
    """Local solar time, 0-24."""
    day_of_year: int
    """1-366."""
    weather: str
    """One of :data:`WEATHERS`."""
    air_temperature_K: float
    sky_temperature_K: float
    """Apparent temperature of the zenith in 8-14 um, clouds included."""
    relative_humidity: float
    """0-1."""
    wind_m_s: float
    visibility_m: float
    """Meteorological range."""
    sun_elevation_deg: float
    sun_azimuth_deg: float
    """Counter-clockwise from the world's +x to the sun."""
    effects: WeatherEffects | None = field(default=None, metadata={"omitted_if_none": True})
    """What the weather does beyond all that; None: nothing, as of the simple weathers."""

    @property
    def sky(self) -> str:
        """The simple weather whose clouds and sunlight these are, one of :data:`SKIES`."""
        return self.weather if self.effects is None else self.effects.sky

    def __post_init__(self) -> None:
        """Check that such weather exists."""
        if self.weather not in WEATHERS:
            raise ThermalError(f"unknown weather {self.weather!r}: expected one of {', '.join(WEATHERS)}")
        if self.sky not in SKIES:
            raise ThermalError(f"weather {self.weather!r} has the sky {self.sky!r}: expected {', '.join(SKIES)}")
        for label, low, high in (
            ("hour", 0.0, 24.0),
            ("day_of_year", 1, 366),
            ("air_temperature_K", 210.0, 335.0),
            ("sky_temperature_K", 150.0, 335.0),
            ("relative_humidity", 0.0, 1.0),
            ("wind_m_s", 0.0, 100.0),
            ("visibility_m", 1.0, 1e6),
            ("sun_elevation_deg", -90.0, 90.0),
            ("sun_azimuth_deg", -720.0, 720.0),
        ):
            value = getattr(self, label)
            if not low <= value <= high:  # NaN fails too
                raise ThermalError(f"conditions: {label} is {value}, expected {low} to {high}")

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary that :meth:`from_json` reads back."""
        data = asdict(self)
        effects = data.pop("effects")
        return data if effects is None else {**data, "effects": {k: v for k, v in effects.items() if v is not None}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Conditions:
        """Inverse of :meth:`to_json`."""
        effects = data.get("effects")
        return cls(**{**data, "effects": None if effects is None else WeatherEffects(**effects)})


@dataclass(frozen=True)
class _Climate:
    """What one kind of weather brings along; pairs are (low, high) or (mean, deviation) as named."""

    share: float
    cover: tuple[float, float]
    """Cloud cover, low to high."""
    cloud_base_m: tuple[float, float]
    warmer_K: tuple[float, float]
    """Daily mean air temperature against the season's, in summer and in winter: clear winter days are cold."""
    swing_K: float
    """Half the daily range of air temperature."""
    humidity: tuple[float, float]
    """Daily mean, low to high."""
    visibility_m: tuple[float, float]


# Shares, ranges and swings are assumed, after everyday experience of a temperate climate; visibilities follow the
# international visibility code (fog below 1 km, haze below 10 km), cloud bases the WMO cloud atlas (low below 2 km).
_CLIMATES = {
    "clear": _Climate(0.40, (0.0, 0.08), (4000.0, 8000.0), (2.0, -3.0), 5.5, (0.45, 0.75), (15e3, 60e3)),
    "cloudy": _Climate(0.26, (0.25, 0.7), (1000.0, 2500.0), (0.0, 0.0), 3.5, (0.55, 0.8), (15e3, 45e3)),
    "overcast": _Climate(0.20, (0.95, 1.0), (400.0, 1500.0), (-2.0, 1.5), 1.5, (0.65, 0.9), (10e3, 30e3)),
    "rain": _Climate(0.09, (1.0, 1.0), (300.0, 900.0), (-3.0, 2.0), 1.0, (0.88, 0.99), (3e3, 12e3)),
    "fog": _Climate(0.05, (1.0, 1.0), (20.0, 100.0), (-4.0, -1.0), 1.0, (0.97, 1.0), (150.0, 900.0)),
}

_MEAN_K, _SEASON_K, _WARMEST_DAY = 283.6, 9.2, 201
"""Means of central Europe: 1.3 degC in mid January, 19.7 degC in late July (climate normals 1991-2020, rounded)."""
_DAY_TO_DAY_K = 3.5
"""Deviation of daily means from the season's (assumed)."""
_WARMEST_HOUR = 15.0


def sun_elevation_deg(day_of_year: int, hour: float, latitude_deg: float = _LATITUDE_DEG) -> float:
    """Height of the sun over the horizon at a solar hour, degrees (declination by Cooper's formula)."""
    elevation, _ = _sun(day_of_year, hour, latitude_deg)
    return math.degrees(elevation)


def _sun(day_of_year: int, hour: float, latitude_deg: float) -> tuple[float, float]:
    """Elevation, and azimuth counter-clockwise from south, radians."""
    declination = math.radians(23.45) * math.sin(2.0 * math.pi * (284 + day_of_year) / 365.0)
    latitude, hour_angle = math.radians(latitude_deg), math.radians(15.0 * (hour - 12.0))
    equatorial, polar = math.cos(declination) * math.cos(hour_angle), math.sin(declination)
    east = -math.cos(declination) * math.sin(hour_angle)
    south = equatorial * math.sin(latitude) - polar * math.cos(latitude)
    up = equatorial * math.cos(latitude) + polar * math.sin(latitude)
    return math.asin(max(-1.0, min(1.0, up))), math.atan2(east, south)


def sample_conditions(
    rng: np.random.Generator, *, weather: str | None = None, hour: float | None = None, season: str | None = None
) -> Conditions:
    """Draw hour, season and weather, then what goes with them.

    What is given replaces a draw and shifts no other, so that a seed keeps its air and sun.

    Args:
        rng: 12 numbers are drawn from it, always.
        weather: one of :data:`SKIES`.
        hour: solar time, 0-24.
        season: one of :data:`SEASONS`.

    Raises:
        ThermalError: unknown weather or season, or an hour outside 0-24.
    """
    draws, normal = rng.random(10), rng.standard_normal(2)
    weather = _drawn_weather(float(draws[0])) if weather is None else weather
    if weather not in SKIES:
        raise ThermalError(f"unknown weather {weather!r}: expected one of {', '.join(SKIES)}")
    climate = _CLIMATES[weather]
    day = _drawn_day(float(draws[1]), season)
    at = float(draws[2]) * 24.0 if hour is None else float(hour)
    elevation, from_south = _sun(day, at, _LATITUDE_DEG)

    summer = 0.5 + 0.5 * math.cos(2.0 * math.pi * (day - _WARMEST_DAY) / 365.0)
    mean_K = _MEAN_K + _SEASON_K * (2.0 * summer - 1.0)
    mean_K += climate.warmer_K[1] + (climate.warmer_K[0] - climate.warmer_K[1]) * summer
    mean_K += _DAY_TO_DAY_K * float(np.clip(normal[0], -2.5, 2.5))
    daily = math.cos(2.0 * math.pi * (at - _WARMEST_HOUR) / 24.0)
    swing_K = climate.swing_K * (0.6 + 0.4 * summer)
    air_K = mean_K + swing_K * daily
    humidity = _between(climate.humidity, float(draws[3])) - 0.03 * swing_K * daily
    humidity = float(np.clip(humidity, 0.2, 1.0))
    cover, base_m = _between(climate.cover, float(draws[4])), _between(climate.cloud_base_m, float(draws[5]))
    low_m, high_m = climate.visibility_m
    return Conditions(
        hour=at,
        day_of_year=day,
        weather=weather,
        air_temperature_K=air_K,
        sky_temperature_K=zenith_sky_temperature_K(air_K, humidity, cover, base_m),
        relative_humidity=humidity,
        # Weibull with shape 2, mean 2 m/s: winds between houses (assumed).
        wind_m_s=float(2.26 * math.sqrt(-math.log1p(-float(draws[6])))),
        visibility_m=float(low_m * (high_m / low_m) ** float(draws[7])),
        sun_elevation_deg=math.degrees(elevation),
        # The street may run in any direction: where south is in the world is drawn.
        sun_azimuth_deg=math.degrees(from_south) + 360.0 * float(draws[8]) - 180.0,
    )


def _between(span: tuple[float, float], share: float) -> float:
    return span[0] + (span[1] - span[0]) * share


def _drawn_weather(share: float) -> str:
    """Weather whose share of the time holds that number."""
    edges = np.cumsum([climate.share for climate in _CLIMATES.values()])
    return SKIES[min(int(np.searchsorted(edges, share, side="right")), len(SKIES) - 1)]


def _drawn_day(share: float, season: str | None) -> int:
    """Day of the year, within a meteorological season if one is named (winter begins on 1 December, day 335)."""
    if season is None:
        return 1 + min(364, int(share * 365.0))
    if season not in SEASONS:
        raise ThermalError(f"unknown season {season!r}: expected one of {', '.join(SEASONS)}")
    start = 335 + SEASONS.index(season) * 91
    return 1 + (start - 1 + min(90, int(share * 91.0))) % 365
