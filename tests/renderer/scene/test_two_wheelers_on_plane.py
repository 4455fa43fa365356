"""Two-wheelers on the plane before a camera: on free ground, apart from cars, on the right side of the road."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.insertion.levels import draw_car, draw_frame_levels, two_wheeler_greys
from renderer.random_streams import Draw
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.road_users import two_wheelers
from renderer.scene.road_users.on_plane import two_wheelers_on_plane
from renderer.thermal.conditions import sample_conditions
from renderer.zones.catalogue import Zone

CAMERA = Camera("plain", 640, 512, 772.0, 772.0, 320.0, 256.0)
SIZES = [
    ModelSize("bicycle_01", "bicycle", 1.7, 0.6, 1.0),
    ModelSize("bicycle_01.rider_01", "person", 0.8, 0.7, 1.8, "bicycle_01"),
    ModelSize("motorcycle_01", "motorcycle", 2.0, 0.8, 1.1),
    ModelSize("motorcycle_01.rider_01", "person", 0.8, 0.8, 1.7, "motorcycle_01"),
]
CARS = {"box": ModelSize("box", "car", 4.2, 1.8, 1.5)}
SETUP = FrameSetup(0, (Placement("box", 14.0, 0.5, 0.0, 0.1, "driving"),), camera_pose(0.0, 0.0, 1.5, 0.0, 0.0))
MOST = {"bicycles": 4, "motorcycles": 2}


@pytest.fixture(autouse=True)
def many_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    often = {name: kind._replace(mean=3.0, ridden=0.5) for name, kind in two_wheelers.KINDS.items()}
    monkeypatch.setattr(two_wheelers, "KINDS", often)


def free_mask() -> np.ndarray:
    """Free ground 5 m to either side of the camera."""
    rows, columns = np.indices((512, 640)) + 0.5
    depth = 1.5 * 772.0 / np.maximum(rows - 256.0, 1e-6)
    return (rows > 256.5) & (np.abs((columns - 320.0) / 772.0 * depth) < 5.0)


def placed(index: int, **options: object) -> tuple[Placement, ...]:
    mix = two_wheelers.TwoWheelerMix(SIZES)
    return two_wheelers_on_plane(SETUP, CARS, mix, CAMERA, Draw(1, index), MOST, free_mask=free_mask(), **options)


def test_they_stand_on_free_ground_and_keep_to_the_right() -> None:
    ridden = parked = 0
    for index in range(40):
        found = placed(index)
        assert found == placed(index)
        for number, one in enumerate(found):
            assert abs(one.y_m) < 5.0
            assert math.hypot(one.x_m - 14.0, one.y_m - 0.5) > 1.1
            if one.rides:
                vehicle = found[number - one.rides]
                assert one.model.startswith(vehicle.model)
                assert (one.x_m, one.y_m, one.yaw_rad) == (vehicle.x_m, vehicle.y_m, vehicle.yaw_rad)
                if vehicle.model == "bicycle_01":
                    assert (vehicle.y_m < 0) == (math.cos(vehicle.yaw_rad) > 0)
                ridden += 1
            elif one.profile.endswith("parked"):
                assert abs(one.y_m) > 1.5
                parked += 1
    assert ridden > 15
    assert parked > 15


def test_without_riders_all_are_parked_and_without_ground_there_is_none() -> None:
    assert all(one.profile.endswith("parked") for k in range(20) for one in placed(k, riders=False))
    nothing = np.zeros((512, 640), np.bool_)
    mix = two_wheelers.TwoWheelerMix(SIZES)
    assert two_wheelers_on_plane(SETUP, CARS, mix, CAMERA, Draw(1, 3), MOST, free_mask=nothing) == ()


def test_cold_bicycles_are_darker_than_the_road_and_engines_that_run_are_light() -> None:
    """Lower halves of RoadScene's bicycles: 13 to 27 grey levels below the road."""
    rng = np.random.default_rng(5)
    frame = draw_frame_levels(np.full((100, 100), 140.0, np.float32), rng)
    zone = np.repeat(np.array([Zone.TYRE, Zone.FRAME, Zone.SEAT], np.uint8), 30)
    kelvin = (280.0 + rng.standard_normal(90)).astype(np.float32)
    cold = [two_wheeler_greys(kelvin, zone, 140.0, frame, draw_car(rng)).mean() - 140.0 for _ in range(200)]
    assert -27.0 < np.mean(cold) < -8.0
    with_engine = np.concatenate([zone, np.full(30, Zone.ENGINE, np.uint8)])
    hot = np.concatenate([kelvin, np.full(30, 330.0, np.float32)])
    greys = two_wheeler_greys(hot, with_engine, 140.0, frame, draw_car(rng))
    assert greys[90:].mean() > greys[:90].mean() + 40.0


def test_riders_dress_for_the_weather_and_nothing_else_changes() -> None:
    """In frost those in shorts stay at home; which vehicles there are and where does not depend on it."""
    light, warm = (replace(SIZES[1], name=f"bicycle_01.rider_{n}", clo=clo) for n, clo in (("02", 0.4), ("03", 1.5)))
    mix = two_wheelers.TwoWheelerMix([SIZES[0], light, warm])
    weather = sample_conditions(np.random.default_rng(0), weather="clear", hour=13.0, season="spring")
    ridden: dict[float, list[str]] = {}
    where: dict[float, list[tuple[float, float]]] = {}
    for air_K in (268.15, 303.15):
        for index in range(30):
            out = mix.dressed_for(replace(weather, air_temperature_K=air_K), Draw(1, index))
            found = two_wheelers_on_plane(SETUP, CARS, out, CAMERA, Draw(1, index), MOST, free_mask=free_mask())
            ridden.setdefault(air_K, []).extend(one.model for one in found if one.rides)
            where.setdefault(air_K, []).extend((one.x_m, one.y_m) for one in found)
    assert where[268.15] == where[303.15]
    assert len(ridden[268.15]) > 10
    assert ridden[268.15].count(warm.name) > 0.9 * len(ridden[268.15])
    assert ridden[303.15].count(light.name) > 0.9 * len(ridden[303.15])
