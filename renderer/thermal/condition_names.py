"""The words for weathers and seasons, apart from what they mean, so that asking for them loads nothing."""

from __future__ import annotations

__all__ = ["SEASONS", "WEATHERS"]

WEATHERS = ("clear", "cloudy", "overcast", "rain", "fog")
SEASONS = ("winter", "spring", "summer", "autumn")
