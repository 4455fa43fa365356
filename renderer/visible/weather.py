"""What the weather of a frame does to what surfaces look like: water, snow."""

from __future__ import annotations

from ..thermal.conditions import Conditions
from ..zones.categories import VEHICLES

__all__ = ["snow_on_object", "surface_weather"]

_KEPT_CLEAR = 0.05
_COVERED = 0.9
"""Of the upper sides of what has stood in the snow (assumed)."""


def surface_weather(conditions: Conditions) -> dict[str, float]:
    """Shares, 0-1: how ``wet`` surfaces are, and the snow on road, ground and trees."""
    effects = conditions.effects
    wet = 1.0 if conditions.weather == "rain" else 0.0
    if effects is None or not effects.snow_depth_m:
        film = None if effects is None else effects.water_film
        return {"wet": wet if film is None else max(wet, 0.4 + 0.6 * film)}
    return {
        "wet": 0.8,
        "snow road": effects.snow_on_road or 0.0,
        "snow ground": 1.0,
        "snow trees": effects.snow_on_trees or 0.0,
    }


def snow_on_object(conditions: Conditions, *, driven: bool, category: str) -> float:
    """Share of an object's upper sides that is white: of vehicles that stand; people shake it off."""
    effects = conditions.effects
    if effects is None or not effects.snow_depth_m or category not in VEHICLES:
        return 0.0
    return _KEPT_CLEAR if driven else _COVERED
