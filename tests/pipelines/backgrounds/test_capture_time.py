"""Capture time of a background, by the clock of its camera."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.backgrounds.capture_time import capture_time
from pipelines.backgrounds.images import Background, BackgroundFile
from renderer.geometry.camera import Camera


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2013-03-06T22:30:19.796+00:00", (22.5, "spring")),
        ("2012-12-01T06:00:00+01:00", (6.0, "winter")),
        ("1999-12-31T23:00:00+00:00", (None, None)),
        ("yesterday", (None, None)),
        (None, (None, None)),
    ],
)
def test_hour_and_season_of_the_file(stored: str | None, expected: tuple[float | None, str | None]) -> None:
    file = BackgroundFile("a.png", "0", 64, 48, {"time": stored})
    camera = Camera("any", 64, 48, 80.0, 80.0, 32.0, 24.0)
    background = Background(np.zeros((48, 64), dtype=np.uint8), camera, None, file, (0, 0, 64, 48), "", "")
    assert capture_time(background) == expected
