"""The option ``day_share``: how many of the frames are by day."""

from __future__ import annotations

from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import Conditions, sun_elevation_deg

__all__ = ["hour_by_share"]

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
