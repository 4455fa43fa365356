"""Heat and shadow that a car leaves on the ground."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import ASSETS, car, pose, profiles, surface, winter_night

from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.thermal import ground
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
    return (*ground_effects(frame, frame.instances, profiles(), balance, [0.0], plane=zone != Zone.ROAD), points)


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


def test_a_shadow_is_where_the_way_to_the_sun_runs_into_the_car() -> None:
    """Against points along each ray, tested one by one for being inside the box."""
    _, shade, points = effects("sun_loaded", afternoon())
    suns = surface_balance(afternoon(), profiles()).sun_world[:3]
    ground = points[::4, ::4]
    along = np.linspace(0.0, 8.0, 1601)[:, None]
    half = 0.95 * np.array([2.25, 0.9])
    expected = np.zeros(ground.shape[:2])
    for sun in suns:  # the car is symmetric about its axes, and its roof is 1.45 m up
        at = ground[..., None, :] + along * sun
        inside = (np.abs(at[..., :2]) < half).all(axis=-1) & (at[..., 2] > 0.18) & (at[..., 2] < 0.95 * 1.45)
        expected += inside.any(axis=-1) / len(suns)
    assert 0.02 < (expected > 0).mean() < 0.9
    assert np.abs(shade[::4, ::4] - expected).mean() < 2e-3  # rays that graze an edge between two points
    assert shade.max() == pytest.approx(1.0, abs=1e-6)


def test_warming_ends_where_the_air_from_under_the_car_does() -> None:
    heat, _, points = effects("idling", winter_night())
    beside = np.maximum(np.abs(points[..., :2]) - (2.25, 0.9), 0.0)
    reach_m = np.hypot(beside[..., 0], beside[..., 1])
    assert not heat[reach_m > 1.31].any()
    assert (heat[reach_m < 1.29] > 0.0).all()
    # The middle of the side: a logistic of 0.22 m, whose tail falls by e each 0.22 m.
    middle = np.abs(points[..., 0]) < 0.04
    across, there = np.abs(points[middle][:, 1]), heat[middle]
    order = np.argsort(across)
    edge, outside, far = np.interp([0.9, 1.34, 1.78], across[order], there[order])
    assert outside / far == pytest.approx(np.exp(2.0), rel=0.15)
    assert 1.5 < edge / outside < np.exp(2.0) - 0.5
    # The end of the exhaust, on the left at the rear, is warmer than its mirror image; the car looks along -x.
    left, right = (heat[np.hypot(points[..., 0] - 2.0, points[..., 1] - y) < 0.15].mean() for y in (-0.36, 0.36))
    assert left > right + 0.1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_corners_of_footprint_and_shadows_are_those_that_matrices_give(count: int) -> None:
    rng = np.random.default_rng(count)
    model, eye = pose(35.0, 1.5), pose(80.0, 3.0)
    model[:3, 3], suns = rng.uniform(-9, 9, 3), rng.uniform(0.01, 1.0, (count, 3))
    size = ground._Size(2.1, 0.9, 1.5)
    footprint = np.array([[x, y, 0.0, 1.0] for x in (-3.4, 3.4) for y in (-2.2, 2.2)]) @ model.T
    expected = [footprint]
    for east, north, up in suns:
        expected.append(footprint - np.array([east, north, 0.0, 0.0]) * min(8.0, 1.5 / max(up, 0.05)))
    local = np.concatenate(expected) @ np.linalg.inv(eye).T
    found = ground._reached(model, eye, size, suns)
    assert found.shape == (4 * (count + 1), 3)
    np.testing.assert_allclose(sorted(found.tolist()), sorted(local[:, :3].tolist()), atol=1e-9)
