"""The options ``day_share`` and ``hours``: how many of the frames are by day, or in each hour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import Conditions, sun_elevation_deg

__all__ = ["hour_by_share", "hour_by_weights"]

STEPS = 24 * 12
"""Times of the day that are tried."""


def hour_by_share(draw: Draw, share: float, drawn: Conditions) -> float:
    """The hour of a frame, so that this share of all frames has the sun up.

    A frame whose hour is on the right side of sunrise and sunset keeps it.

    Args:
        draw: of the frame.
        share: 0 to 1.
        drawn: its conditions without the option.
    """
    decides, chooses = draw.rng(Stream.DAYLIGHT).random(2)
    by_day = bool(decides < share)
    if (drawn.sun_elevation_deg > 0) == by_day:
        return drawn.hour
    hours = [step * 24.0 / STEPS for step in range(STEPS)]
    fitting = [hour for hour in hours if (sun_elevation_deg(drawn.day_of_year, hour) > 0) == by_day]
    return fitting[int(chooses * len(fitting))]


def hour_by_weights(draw: Draw, weights: Mapping[int, float]) -> float:
    """The hour of a frame, 0 to 24: any time within one of the hours, each as often as its weight says.

    Args:
        draw: of the frame.
        weights: by the hour, 0 to 23; one of them above 0.
    """
    chooses, within = draw.rng(Stream.DAYLIGHT).random(2)
    hours = sorted(weights)
    edges = np.cumsum([weights[hour] for hour in hours])
    row = int(np.searchsorted(edges, chooses * edges[-1], side="right"))
    return float(hours[min(row, len(hours) - 1)] + within)
