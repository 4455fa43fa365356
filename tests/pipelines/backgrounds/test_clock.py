"""Time of a background by its camera's clock."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.backgrounds.capture_time import time_of
from pipelines.backgrounds.images import Background
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
    camera = Camera("any", 64, 48, 80.0, 80.0, 32.0, 24.0)
    background = Background(np.zeros((48, 64), dtype=np.uint8), camera, None, {"time": stored})
    assert time_of(background) == expected
