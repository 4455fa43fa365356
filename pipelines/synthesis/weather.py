"""The option ``weather``: a name, a mixture of several, or all by season and hour."""

from __future__ import annotations

from renderer.errors import ThermalError
from renderer.thermal.condition_names import SKIES, parse_weather

from pipelines.errors import ConfigError

__all__ = ["check_weather"]


def check_weather(weather: str | None, season: str | None, *, over_backgrounds: bool) -> None:
    """Refuses what cannot be drawn.

    Raises:
        ConfigError: an unknown weather, one that the season does not have, or one that a real background cannot get.
    """
    if weather is None:
        return
    try:
        parse_weather(weather, season)
    except ThermalError as error:
        raise ConfigError(str(error)) from None
    if over_backgrounds and weather not in SKIES:
        raise ConfigError(
            f"weather {weather} lies on the street too, and --backgrounds show theirs as it was: give one of "
            f"{', '.join(SKIES)}, or leave one of the two out"
        )
