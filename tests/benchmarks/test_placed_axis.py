"""The angle at which placed cars are seen, against angles that are known."""

from __future__ import annotations

import math

import pytest

from benchmarks.placement import off_axis_deg
from renderer.scene.cars import Placement


@pytest.mark.parametrize(
    ("x_m", "y_m", "yaw_deg", "expected_deg"),
    [
        (20.0, 0.0, 0.0, 0.0),
        (20.0, 0.0, 180.0, 0.0),
        (20.0, 0.0, -90.0, 90.0),
        (20.0, 20.0, 45.0, 0.0),
        (20.0, 20.0, -135.0, 0.0),
        (20.0, -20.0, 0.0, 45.0),
        (10.0, 10.0, 370.0, 35.0),
    ],
)
def test_it_is_the_angle_between_the_long_axis_and_the_line_of_sight(
    x_m: float, y_m: float, yaw_deg: float, expected_deg: float
) -> None:
    car = Placement("saloon", x_m, y_m, 0.0, math.radians(yaw_deg), "driving")
    assert off_axis_deg(car) == pytest.approx(expected_deg, abs=1e-6)
