"""Figures for the page's charts, computed once, in the background, when somebody first asks for them."""

from __future__ import annotations

import threading
from typing import Any

from renderer.errors import GisError

from pipelines.statistics.config import StatsConfig

__all__ = ["Charts"]


class Charts:
    """The figures of a set and of the one beside it.

    Args:
        places: the sets.
        pictures: how many pictures of each are looked at.
    """

    def __init__(self, places: tuple[str, ...], pictures: int) -> None:
        self._config = StatsConfig(places, pictures=pictures)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._answer: dict[str, Any] = {"ready": False}

    def answer(self) -> dict[str, Any]:
        """``ready`` and, then, ``sets`` or ``error``; the first call begins the work."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._compute, daemon=True)
                self._thread.start()
        return self._answer

    def _compute(self) -> None:
        from pipelines.io.typed_json import to_json
        from pipelines.statistics.figures import HEIGHTS_PX
        from pipelines.statistics.run import measure_sets

        try:
            sets = [to_json(one) for place in self._config.sets for one in measure_sets(place, self._config)]
            self._answer = {"ready": True, "sets": sets, "heights_px": list(HEIGHTS_PX)}
        except GisError as error:
            self._answer = {"ready": True, "error": str(error)}
