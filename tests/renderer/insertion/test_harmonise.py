"""Cars that belong into a frame: labels untouched, background untouched, levels and sensor of the frame."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from thermal_scenes import car, pose, profiles, surface, winter_night

from renderer.errors import ThermalError
from renderer.geometry.boxes import Box2D
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.insertion.background_sensor import FrameSensor, measure_sensor
from renderer.insertion.foreground import render_foreground
from renderer.insertion.harmonise import Corrections, frame_conditions, harmonise_grey, harmonise_kelvin
from renderer.random_streams import Draw
from renderer.zones.catalogue import Zone

SIZE = (200, 300)
BOX: Box2D = (100.0, 60.0, 200.0, 140.0)


def parked() -> Frame:
    """A flat car of two zones that faces the camera, nothing else."""
    frame = surface(Zone.BODY, (0.0, -1.0, 0.2), size=SIZE)
    inside = np.zeros(SIZE, bool)
    inside[60:140, 100:200] = True
    zone = np.where(inside, np.uint8(Zone.BODY), np.uint8(0))
    zone[60:90, 100:200] = Zone.GLASS
    item = dataclasses.replace(car(np.zeros(3), (0.0, 0.0, 0.0), "driving"), box_visible_px=BOX, visible_px=8000)
    return dataclasses.replace(
        frame,
        camera=Camera("street", SIZE[1], SIZE[0], 300.0, 300.0, 150.0, 100.0),
        cam_to_world=pose(0.0, 1.5),
        zone=zone,
        depth_m=np.where(inside, np.float32(15.0), np.float32(np.inf)),
        instance_id=np.where(inside, np.uint16(item.id), np.uint16(0)),
        instances=(item,),
    )


def street(road: float = 150.0, noise: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(3)
    picture = np.full(SIZE, road)
    picture[:90] = 30.0
    for left in range(0, 300, 40):
        picture[50:90, left : left + 22] = 120.0
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + rng.normal(0.0, noise, SIZE)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def made(background: np.ndarray, parts: Corrections | None = None, seed: int = 1) -> tuple[np.ndarray, Frame]:
    frame, weather = parked(), winter_night()
    foreground = render_foreground(frame, weather, profiles(), Draw(seed, 0))
    sensor = measure_sensor(background.astype(np.float32))
    return harmonise_grey(background, frame, foreground, weather, sensor, Draw(seed, 0), parts or Corrections()), frame


def test_passes_and_far_background_stay() -> None:
    background = street()
    image, frame = made(background)
    assert np.array_equal(frame.instance_id, parked().instance_id)
    assert np.array_equal(frame.depth_m, parked().depth_m)
    assert np.array_equal(image[:40], background[:40])
    assert np.array_equal(image[:, :60], background[:, :60])
    assert not np.array_equal(image[60:140, 100:200], background[60:140, 100:200])


def test_the_outline_mixes_within_the_edge_spread() -> None:
    background = street()
    plain = np.zeros(SIZE, bool)
    plain[60:140, 100:200] = True
    image, _ = made(background, Corrections(ground=False))
    near = cv2.dilate(plain.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.array_equal(image[~near], background[~near])


def test_cars_stay_in_the_range_of_real_ones_on_every_road() -> None:
    for road in (20.0, 90.0, 150.0, 240.0):
        for seed in range(6):
            image, _ = made(street(road), seed=seed)
            inside = image[66:134, 106:194]
            assert 50 < inside.mean() < 225
            assert 12 < inside.std() < 80


def test_each_correction_changes_the_picture() -> None:
    background = street()
    whole, _ = made(background)
    for name in ("levels", "mirror", "seams", "air", "sensor"):
        without, _ = made(background, dataclasses.replace(Corrections(), **{name: False}))
        assert not np.array_equal(whole, without), name


def test_the_road_changes_at_a_cars_foot_and_nowhere_else() -> None:
    background = street()
    changes = []
    for seed in range(12):
        with_ground, _ = made(background, seed=seed)
        without, _ = made(background, Corrections(ground=False), seed=seed)
        change = with_ground.astype(np.float32) - without
        reach = 140 + 0.3 * 80 + 8
        assert np.abs(change[int(reach) :]).max() <= 25
        assert np.abs(change[:60]).max() == 0
        changes.append(float(change[142:146, 130:170].mean()))
    # Real roads are lighter there by 26 greys in the mean, and darker under every fourth car.
    assert 5 < np.mean(changes) < 50
    assert min(changes) < 10 < max(changes)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, _ = made(street())
    second, _ = made(street())
    assert np.array_equal(first, second)


def test_kelvin_stays_kelvin() -> None:
    behind = (street().astype(np.float32) - 150.0) * np.float32(0.1) + np.float32(275.0)
    frame, weather = parked(), winter_night()
    sensor = measure_sensor(behind)
    foreground = render_foreground(frame, weather, profiles(), Draw(1, 0))
    image = harmonise_kelvin(behind, frame, foreground, sensor, Draw(1, 0))
    warm = image[66:134, 106:194]
    # A car is as warm as physics says, and follows its road by half; the span of the picture does not matter.
    expected = foreground.apparent_temperature_K[66:134, 106:194].mean() + 0.5 * (275.0 - foreground.road_K)
    assert warm.mean() == pytest.approx(expected, abs=1.0)
    assert np.array_equal(image[:40], behind[:40])


def test_weather_of_a_radiometric_frame() -> None:
    kelvin = np.full((100, 100), 285.0, np.float32)
    kelvin[:40] = 240.0
    kelvin[40:60] = 280.0
    weather = frame_conditions(kelvin, winter_night(), 50.0)
    assert weather.air_temperature_K == pytest.approx(280.0)
    assert weather.sky_temperature_K == pytest.approx(240.0)


def test_sizes_must_agree() -> None:
    frame, weather = parked(), winter_night()
    foreground = render_foreground(frame, weather, profiles(), Draw(1, 0))
    sensor = FrameSensor(0.7, 1.0, 0.5, np.zeros(8, np.float32))
    with pytest.raises(ThermalError, match="expected the frame's"):
        harmonise_grey(np.zeros((8, 8), np.uint8), frame, foreground, weather, sensor, Draw(1, 0))
