"""Heat and shadow that a car leaves on the ground."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import ASSETS, car, pose, profiles, surface, winter_night

from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.thermal.balance import surface_balance
from renderer.thermal.conditions import Conditions
from renderer.thermal.ground import ground_effects
from renderer.thermal.sensor import read_sensors
from renderer.zones.catalogue import Zone

TAU2 = read_sensors(ASSETS / "cameras.toml")["tau2"]
SIZE = (200, 300)
HEIGHT_M = 20.0


def from_above(profile: str, zone: Zone = Zone.ROAD) -> tuple[Frame, np.ndarray]:
    """A car on the road 20 m below a camera that looks straight down, and the ground point of each pixel."""
    camera = Camera("above", SIZE[1], SIZE[0], 300.0, 300.0, 150.0, 100.0)
    to_world = pose(90.0, HEIGHT_M)
    rays = camera.rays() @ to_world[:3, :3].T
    points = to_world[:3, 3] + rays * HEIGHT_M
    frame = dataclasses.replace(
        surface(zone, (0.0, 0.0, 1.0), size=SIZE),
        camera=camera,
        cam_to_world=to_world,
        depth_m=np.full(SIZE, HEIGHT_M if zone == Zone.ROAD else np.inf, dtype=np.float32),
        instances=(car(np.zeros(3), (0.0, 0.0, 0.0), profile),),
    )
    return frame, points


def effects(profile: str, conditions: Conditions, zone: Zone = Zone.ROAD) -> tuple[np.ndarray, ...]:
    frame, points = from_above(profile, zone)
    balance = surface_balance(conditions, profiles())
    return (*ground_effects(frame, profiles(), balance, [0.0], plane=zone != Zone.ROAD), points)


def afternoon() -> Conditions:
    """Sun at 45 degrees in the world's +x."""
    return winter_night(
        hour=15.0, day_of_year=172, air_temperature_K=295.0, sky_temperature_K=255.0, relative_humidity=0.5,
        sun_elevation_deg=45.0, sun_azimuth_deg=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("zone", [Zone.ROAD, Zone.BACKGROUND])
def test_a_running_car_warms_the_road_under_it_only(zone: Zone) -> None:
    heat, shade, points = effects("idling", winter_night(), zone)
    inside = (np.abs(points[..., 0]) < 1.8) & (np.abs(points[..., 1]) < 0.5)
    outside = (np.abs(points[..., 0]) > 3.4) | (np.abs(points[..., 1]) > 2.0)
    assert heat[inside].min() > 2.0
    assert np.abs(heat[outside]).max() < 0.05
    assert not shade.any()
    # The engine is in front; the car looks along -x.
    front, rear = (
        heat[(np.abs(points[..., 0] - x) < 0.3) & (np.abs(points[..., 1]) < 0.4)].mean() for x in (-1.2, 0.6)
    )
    assert front > rear + 0.5


def test_a_parked_car_throws_a_shadow_away_from_the_sun() -> None:
    _, shade, points = effects("sun_loaded", afternoon())
    middle = np.abs(points[..., 1]) < 0.4
    behind = middle & (points[..., 0] < -2.4) & (points[..., 0] > -3.0)
    sunny = middle & (points[..., 0] > 2.7)
    assert shade[behind].min() > 0.6
    assert shade[sunny].max() == 0.0
    assert not effects("driving", afternoon())[1].any()


def test_a_parked_car_keeps_the_night_sky_from_the_ground() -> None:
    heat, _, points = effects("cold_soaked", winter_night())
    cover = (np.abs(points[..., 0]) < 1.5) & (np.abs(points[..., 1]) < 0.4)
    overcast = winter_night(weather="overcast", sky_temperature_K=274.5)
    assert heat[cover].mean() > effects("cold_soaked", overcast)[0][cover].mean() + 0.3
