"""How often which weather is, by season and hour: what ``--weather any`` draws from."""

from __future__ import annotations

import math

__all__ = ["climate_shares"]


def climate_shares(day_of_year: int, hour: float) -> dict[str, float]:
    """Share of each weather at that time of the year and of the day; they need not sum to 1."""
    winter = 0.5 + 0.5 * math.cos(2.0 * math.pi * (day_of_year - 20) / 365.0)
    snow = 0.3 if day_of_year >= 335 or day_of_year <= 60 else 0.0
    morning = math.exp(-(((hour - 6.0) / 3.5) ** 2))
    return {
        "clear": 0.4 - 0.15 * winter,
        "cloudy": 0.26,
        "overcast": 0.17 + 0.15 * winter,
        "rain": 0.09,
        "fog": (0.01 + 0.05 * winter) * (0.5 + 2.0 * morning),
        "snow": snow,
        "snowfall": 0.15 * snow,
    }
