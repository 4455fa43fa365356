"""Haze: nothing at the camera, all of it far away."""

from __future__ import annotations

import numpy as np
import pytest
from thermal_scenes import winter_night

from renderer.insertion.haze import FARTHEST_M, Haze, fade
from renderer.thermal.atmosphere import path_transmittance


def share(distance_m: object, **weather: object) -> np.ndarray:
    return Haze(winter_night(**weather)).share(np.asarray(distance_m, dtype=np.float32))


@pytest.mark.parametrize("visibility_m", [20000.0, 300.0])
def test_at_distance_0_it_is_nothing(visibility_m: float) -> None:
    assert 0.0 <= share(0.0, visibility_m=visibility_m) < 0.02


def test_far_away_in_fog_it_is_the_horizon() -> None:
    thick = share([FARTHEST_M, 10 * FARTHEST_M], visibility_m=10.0)
    assert thick == pytest.approx(1.0, abs=1e-3)
    assert fade(np.float32([30.0, 220.0]), thick, 120.0) == pytest.approx(120.0, abs=0.1)


def test_without_air_levels_stay() -> None:
    levels = np.float32([30.0, 220.0])
    assert np.array_equal(fade(levels, np.zeros(2, np.float32), 120.0), levels)


@pytest.mark.parametrize("visibility_m", [20000.0, 300.0])
def test_it_is_what_the_air_takes_away(visibility_m: float) -> None:
    distance_m = np.linspace(1.0, FARTHEST_M, 300)
    weather = winter_night(visibility_m=visibility_m)
    through = path_transmittance(distance_m, weather.air_temperature_K, weather.relative_humidity, visibility_m)
    made = share(distance_m, visibility_m=visibility_m)
    assert (np.diff(made) >= 0).all()
    # The table has steps of 3.2 m, in which the fog of 300 m takes away at most 4 %.
    np.testing.assert_allclose(made, 1.0 - through, atol=0.045)
