"""Weather and hour of one frame."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["Conditions", "sample_conditions"]


@dataclass(frozen=True)
class Conditions:
    """Everything outside the scene that decides how warm it looks."""

    hour: float
    day_of_year: int
    weather: str
    air_temperature_K: float
    sky_temperature_K: float
    relative_humidity: float
    wind_m_s: float
    visibility_m: float
    sun_elevation_deg: float
    sun_azimuth_deg: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary that :meth:`from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Conditions:
        """Inverse of :meth:`to_json`."""
        return cls(**data)


def sample_conditions(
    rng: np.random.Generator, *, weather: str | None = None, hour: float | None = None, season: str | None = None
) -> Conditions:
    """Draw weather and hour."""
    drawn = str(rng.choice(["clear", "cloudy", "overcast", "rain", "fog"], p=[0.4, 0.25, 0.2, 0.1, 0.05]))
    at = float(rng.uniform(0.0, 24.0))
    at = at if hour is None else hour
    elevation = 45.0 * float(np.sin((at - 6.0) / 12.0 * np.pi))
    return Conditions(at, 120, weather or drawn, 283.15, 263.15, 0.6, 2.0, 20000.0, elevation, 0.0)
