"""How often which weather is, by season and hour: what ``--weather any`` draws from.

Sources, for Germany, 1991-2020:
    Deutscher Wetterdienst, Thema des Tages of 2021-03-21: the sun shines in about 20 % of the hours in which it is up
    in winter, in 40 to 47 % from May to September.
    mv-wetter.com, 2025-02-12, of the station Greifswald: days with snow on the ground at 7 o'clock, at least 1 cm deep:
    5.0 in December, 8.6 in January, 9.8 in February (1.2 in November and 5.0 in March, which are left out here).
    Fog: 200 to 600 hours a year at Lake Constance (DWD, quoted by dpa 2022); more in winter and at dawn (assumed how
    much), about 300 hours a year here.
    ITU-R P.837 (see :mod:`.draws`): rain in 7 % of the time.
    That it snows in an eighth of the hours with snow on the ground is assumed.
"""

from __future__ import annotations

import math

__all__ = ["climate_shares"]

_SNOW_DAYS = ((1, 31, 8.6 / 31.0), (32, 60, 9.8 / 28.25), (335, 366, 5.0 / 31.0))
"""First and last day of the year, share of days with snow on the ground."""
_FALLING = 0.125
_RAIN = 0.07
_SUN_BEHIND_CLOUDS = 0.65
"""Share of the sun that shines in cloudy weather, as in :mod:`..balance`."""
_CLEAR_OF_SUNNY = 0.55
"""Share of sunshine that comes from a clear sky (assumed)."""


def climate_shares(day_of_year: int, hour: float) -> dict[str, float]:
    """Share of each weather at that time of the year and of the day; together 1."""
    winter = 0.5 + 0.5 * math.cos(2.0 * math.pi * (day_of_year - 10) / 365.0)
    sunny = 0.2 + 0.25 * (1.0 - winter)
    clear, cloudy = _CLEAR_OF_SUNNY * sunny, (1.0 - _CLEAR_OF_SUNNY) * sunny / _SUN_BEHIND_CLOUDS
    fog = (0.01 + 0.05 * winter) * (0.5 + 2.0 * math.exp(-(((hour - 6.0) / 3.5) ** 2)))
    snow = sum(share for first, last, share in _SNOW_DAYS if first <= day_of_year <= last)
    others = {"clear": clear, "cloudy": cloudy, "rain": _RAIN, "fog": fog}
    others["overcast"] = 1.0 - sum(others.values())
    bare = {name: (1.0 - snow) * share for name, share in others.items()}
    return {**bare, "snow": (1.0 - _FALLING) * snow, "snowfall": _FALLING * snow}
