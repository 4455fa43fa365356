"""Sun and sky of visible twins, against published daylight and geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import Conditions
from renderer.visible.daylight import daylight, directions, sky_picture


def conditions(elevation_deg: float, weather: str = "clear", azimuth_deg: float = 0.0) -> Conditions:
    return Conditions(12.0, 172, weather, 290.0, 270.0, 0.5, 2.0, 20e3, elevation_deg, azimuth_deg)


def horizontal_klx(picture: np.ndarray) -> float:
    """Illuminance of level ground by a picture of the sphere, summed pixel by pixel."""
    rows = len(picture)
    polar = (np.arange(rows) + 0.5) / rows * np.pi
    solid = np.sin(polar) * (np.pi / rows) ** 2
    upper = polar < np.pi / 2
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722])
    return float((luminance * (np.cos(polar) * solid * upper)[:, None]).sum())


@pytest.mark.parametrize(
    ("weather", "elevation_deg", "low_klx", "high_klx"),
    [
        ("clear", 60.0, 95.0, 125.0),  # full daylight: 100 klx and some
        ("overcast", 30.0, 7.0, 15.0),  # an overcast day: about 10 klx
        ("clear", -6.0, 2e-3, 5e-3),  # the end of civil twilight: 3.4 lux
        ("clear", -40.0, 1e-6, 1e-3),  # night: below a lux
    ],
)
def test_level_ground_is_as_bright_as_tables_of_daylight_say(
    weather: str, elevation_deg: float, low_klx: float, high_klx: float
) -> None:
    light = daylight(conditions(elevation_deg, weather))
    level_klx = light.sky_klx + light.sun_klx * max(0.0, math.sin(math.radians(elevation_deg)))
    assert low_klx < level_klx < high_klx


@pytest.mark.parametrize("weather", ["clear", "cloudy", "overcast", "fog"])
def test_the_picture_of_the_sky_lights_the_ground_as_its_illuminance_says(weather: str) -> None:
    light = daylight(conditions(35.0, weather))
    picture = sky_picture(conditions(35.0, weather), light, Draw(0, 0).rng(Stream.VISIBLE), rows=128)
    assert horizontal_klx(picture) == pytest.approx(light.sky_klx, rel=0.01)
    assert (picture >= 0).all()


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 200.0])
def test_the_clear_sky_is_brightest_about_the_sun(azimuth_deg: float) -> None:
    weather = conditions(30.0, azimuth_deg=azimuth_deg)
    light = daylight(weather)
    picture = sky_picture(weather, light, Draw(0, 0).rng(Stream.VISIBLE), rows=128)
    brightest = np.unravel_index(picture.sum(axis=-1).argmax(), picture.shape[:2])
    assert directions(128)[brightest] @ light.towards_sun > math.cos(math.radians(12.0))
    assert math.degrees(math.atan2(light.towards_sun[1], light.towards_sun[0])) % 360 == pytest.approx(azimuth_deg)


def test_lamps_are_needed_at_night_and_not_by_day() -> None:
    dark = [daylight(conditions(elevation)).is_dark for elevation in (40.0, 2.0, -4.0, -15.0)]
    assert dark[0] == dark[1] == 0.0
    assert dark[3] == 1.0
    assert dark == sorted(dark)
