"""Heat and shadow that a car leaves on the ground, and cars over real backgrounds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import ASSETS, car, pose, profiles, surface, winter_night

from renderer.errors import ThermalError
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.insertion.foreground import CarLayer, estimate_grey_map, over_grey, over_kelvin, render_cars
from renderer.random_streams import Draw
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


def layer(profile: str = "driving") -> tuple[CarLayer, np.ndarray]:
    """A body that fills the left half of the view."""
    frame = surface(Zone.BODY, (-1.0, 0.0, 0.0), size=(64, 64), profile=profile)
    frame.instance_id[:, 32:] = 0
    frame.zone[:, 32:] = 0
    frame.depth_m[:, 32:] = np.inf
    return render_cars(frame, winter_night(), profiles(), Draw(3, 0), TAU2), frame.instance_id > 0


def test_a_layer_covers_its_car_with_a_soft_outline() -> None:
    cars, mask = layer()
    assert cars.alpha[:, :28].min() > 0.999
    assert cars.alpha[:, 36:].max() < 0.001
    assert (np.diff(cars.alpha[32]) <= 1e-6).all()
    assert cars.alpha.mean() == pytest.approx(mask.mean(), abs=0.01)
    # Its colour goes on beyond the mask: no dark seam from averaging with nothing.
    edge = cars.apparent_temperature_K[cars.alpha > 0.02]
    assert edge.min() > 273.0


def test_over_a_radiometric_background_both_keep_their_kelvin() -> None:
    cars, _ = layer()
    background = np.full((64, 64), 280.0, dtype=np.float32)
    out = over_kelvin(background, cars)
    np.testing.assert_allclose(out[:, :26], cars.apparent_temperature_K[:, :26], atol=2e-3)
    far = (cars.alpha == 0) & (np.abs(cars.ground_change_K) < 1e-6)
    np.testing.assert_allclose(out[far], 280.0, atol=2e-3)


def test_over_a_display_background_the_car_is_measured_against_the_road() -> None:
    cars, _ = layer()
    rng = np.random.default_rng(0)
    background = np.clip(rng.normal(120, 25, (64, 64)), 0, 255).astype(np.uint8)
    out, used = over_grey(background, cars)
    assert out.dtype == np.uint8
    untouched = (cars.alpha == 0) & (cars.ground_change_K == 0)
    assert np.array_equal(out[untouched], background[untouched])
    assert used.level == pytest.approx(np.median(background[43:]), abs=1.0)
    warmer = np.median(cars.apparent_temperature_K[:, :26]) > cars.road_K
    assert (np.median(out[:, :26]) > used.level) == warmer
    assert "assuming" in used.note


def test_warmer_cars_are_brighter() -> None:
    cars, _ = layer()
    background = np.full((64, 64), 110, dtype=np.uint8)
    mapping = estimate_grey_map(background, cars)
    levels = [
        int(np.median(over_grey(background, dataclasses.replace(
            cars, apparent_temperature_K=np.full((64, 64), cars.road_K + rise, dtype=np.float32)), mapping)[0][:, :26]))
        for rise in (-30.0, -3.0, 0.0, 3.0, 10.0, 60.0)
    ]  # fmt: skip
    assert levels == sorted(levels)
    assert levels[2] == 110
    assert levels[0] < levels[1] < 110 < levels[3] < levels[4]


def test_sizes_must_agree() -> None:
    cars, _ = layer()
    with pytest.raises(ThermalError, match="size"):
        over_grey(np.zeros((10, 10), dtype=np.uint8), cars)
