"""What a frame's horizon tells."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from insertion_scenes import HORIZON, SIZE, parked
from thermal_scenes import pose, winter_night

from renderer.insertion.horizon import clipped_horizon_row, frame_conditions, horizon_level, horizon_row


@pytest.mark.parametrize("down_deg", [-6.0, 0.0, 4.0, 10.0])
def test_the_horizon_rises_as_the_camera_tilts_down(down_deg: float) -> None:
    frame = dataclasses.replace(parked(), cam_to_world=pose(down_deg))
    assert horizon_row(frame) == pytest.approx(HORIZON - 300.0 * math.tan(math.radians(down_deg)))


def test_a_horizon_outside_the_picture_is_moved_into_it() -> None:
    assert clipped_horizon_row(dataclasses.replace(parked(), cam_to_world=pose(40.0))) == 8.0
    assert clipped_horizon_row(dataclasses.replace(parked(), cam_to_world=pose(-40.0))) == SIZE[0] - 9.0


def test_its_level_is_the_median_of_the_rows_beside_it() -> None:
    picture = np.full(SIZE, 200.0, np.float32)
    picture[94:107] = np.arange(94, 107)[:, None]
    assert horizon_level(picture, 100.3) == 100.0


def test_weather_of_a_radiometric_frame() -> None:
    kelvin = np.full((100, 100), 285.0, np.float32)
    kelvin[:40] = 240.0
    kelvin[40:60] = 280.0
    weather = frame_conditions(kelvin, winter_night(), 50.0)
    assert weather.air_temperature_K == pytest.approx(280.0)
    assert weather.sky_temperature_K == pytest.approx(240.0)
    assert weather.hour == winter_night().hour


def test_a_sky_is_never_warmer_than_the_air() -> None:
    kelvin = np.full((100, 100), 260.0, np.float32)
    kelvin[:30] = 300.0
    assert frame_conditions(kelvin, winter_night(), 32.0).sky_temperature_K <= 280.0
