"""The words for weathers and seasons, apart from what they mean, so that asking for them loads nothing."""

from __future__ import annotations

from ..errors import ThermalError

__all__ = ["ANY", "ONLY_IN_WINTER", "SEASONS", "SKIES", "WEATHERS", "parse_weather"]

SKIES = ("clear", "cloudy", "overcast", "rain", "fog")
"""The simple weathers: clouds, sun, air and visibility. One of them is drawn for a frame where nothing is asked for."""
WEATHERS = (*SKIES, "snow", "snowfall")
"""All that a frame can have; those beyond the simple ones have effects of their own (docs/how-to/weather.md)."""
SEASONS = ("winter", "spring", "summer", "autumn")
ANY = "any"
"""All weathers, by season and hour."""
ONLY_IN_WINTER = ("snow", "snowfall")


def parse_weather(text: str, season: str | None = None) -> dict[str, float]:
    """Weights of weathers by name: ``snow=2,rain=1``; those that the season has, all alike for ``any``.

    Raises:
        ThermalError: an unknown weather, a weight that is none, or nothing that the season has.
    """
    weights = dict.fromkeys(WEATHERS, 1.0) if text == ANY else {}
    for entry in text.replace(" ", "").split(",") if text != ANY else ():
        name, _, number = entry.partition("=")
        weight = _weight(number) if "=" in entry else 1.0 if entry == text else None
        if name not in WEATHERS or name in weights or weight is None:
            what = "weather" if name in WEATHERS else "unknown weather"
            raise ThermalError(
                f"{what} {entry!r}: expected {', '.join(WEATHERS)} or {ANY}, or several with a weight of 0 or more "
                "each, e.g. snow=2,rain=1"
            )
        weights[name] = weight
    cold = season in (None, "winter")
    possible = {name: weight for name, weight in weights.items() if weight and (cold or name not in ONLY_IN_WINTER)}
    if not possible:
        why = "expected a weight above 0" if cold else f"snow is drawn in winter alone, not in {season}"
        raise ThermalError(f"weather {text!r}: {why}")
    return possible


def _weight(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0.0 <= number < 1e6 else None
