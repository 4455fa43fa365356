"""When a background was taken: by the clock of its camera, where `gis backgrounds` found it in the file."""

from __future__ import annotations

from datetime import datetime

from pipelines.backgrounds.images import Background

__all__ = ["capture_time"]

FIRST_YEAR = 2003
"""Earlier years are those of a clock that was never set: no FLIR file is older
(:mod:`pipelines.backgrounds.ingest.metadata`)."""
SEASON_OF_MONTH = ("winter",) * 2 + ("spring",) * 3 + ("summer",) * 3 + ("autumn",) * 3 + ("winter",)
"""Meteorological seasons of the north."""


def capture_time(background: Background) -> tuple[float | None, str | None]:
    """Hour of the day and season of a background; None and None where its file does not say.

    Clocks are off by their zone and daylight saving, at most two hours: night stays night.
    """
    stored = (background.file.sidecar or {}).get("time")
    if not isinstance(stored, str):
        return None, None
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return None, None
    if moment.year < FIRST_YEAR:
        return None, None
    return moment.hour + moment.minute / 60.0, SEASON_OF_MONTH[moment.month - 1]
