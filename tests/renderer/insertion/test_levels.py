"""Grey levels of cars against the tables that were measured on real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from renderer.insertion.levels import (
    GREY_LEVELS,
    FrameLevels,
    bend_into_scale,
    car_contrast,
    car_level,
    draw_car,
    draw_frame_levels,
    grey_pattern,
    road_level,
    standardised,
    zone_pattern,
)
from renderer.zones.catalogue import Zone

TABLE = Path(__file__).resolve().parents[3] / "benchmarks" / "realism" / "car_levels.json"
CARS = 3000


def test_zones_have_the_levels_that_were_measured_on_real_cars() -> None:
    measured = json.loads(TABLE.read_text(encoding="utf-8"))["zone_level"]
    rng = np.random.default_rng(5)
    zones = np.array([Zone[name] for name in measured], np.uint8)
    alike = np.full(zones.shape, 280.0, np.float32)
    drawn = np.array([zone_pattern(alike, zones, draw_car(rng)) for _ in range(CARS)])
    for name, levels in zip(measured, drawn.T, strict=True):
        median, deviation = measured[name]["median"], measured[name]["deviation"]
        assert np.median(levels) == pytest.approx(median, abs=4 * 1.25 * deviation / np.sqrt(CARS)), name
        assert levels.std() == pytest.approx(deviation, rel=0.07), name


def test_physics_gives_a_share_of_the_differences() -> None:
    car = draw_car(np.random.default_rng(0))
    body = np.full(4, Zone.BODY, np.uint8)
    kelvin = np.float32([270.0, 290.0, 270.0, 290.0])
    change = zone_pattern(kelvin, body, car) - zone_pattern(np.full(4, 280.0, np.float32), body, car)
    # These temperatures are a deviation to either side of their mean.
    np.testing.assert_allclose(change, [-0.3, 0.3, -0.3, 0.3], atol=1e-6)
    hot = zone_pattern(np.float32([280.0] * 99 + [900.0]), np.full(100, Zone.BODY, np.uint8), car)
    assert hot[-1] - hot[0] == pytest.approx(0.3 * (2.5 + 0.1005), abs=1e-3), "what is far off is cut at 2.5"


def test_means_follow_the_road_and_vary_as_between_real_frames_and_cars() -> None:
    rng = np.random.default_rng(7)
    flat = np.full((30, 30), 100.0, np.float32)
    frames = [draw_frame_levels(flat, rng) for _ in range(CARS)]
    cars = [draw_car(rng) for _ in range(CARS)]
    means = {road: np.array([car_level(road, *each) for each in zip(frames, cars, strict=True)]) for road in (40, 200)}
    np.testing.assert_allclose(means[200] - means[40], 0.21 * 160.0)
    assert means[40].mean() == pytest.approx(132.0 + 0.21 * 40.0, abs=2.0)
    assert means[40].std() == pytest.approx(np.hypot(22.0, 25.0), rel=0.05)


def test_contrast_follows_the_lower_two_thirds_of_the_frame() -> None:
    picture = np.full((90, 60), 100.0, np.float32)
    picture[:30] = 255.0  # sky, which does not count
    picture[30:, ::2] = 140.0
    levels = draw_frame_levels(picture, np.random.default_rng(0))
    assert levels.contrast == pytest.approx(24.0 + 0.62 * 20.0)
    rng = np.random.default_rng(1)
    contrasts = np.array([car_contrast(FrameLevels(0.0, 50.0), draw_car(rng)) for _ in range(CARS)])
    assert np.median(contrasts) == pytest.approx(50.0, abs=1.0)
    assert np.percentile(contrasts, [25, 75]) == pytest.approx(50.0 + GREY_LEVELS.contrast_between_cars
                                                               * np.array([-0.674, 0.674]), abs=1.0)  # fmt: skip
    assert (contrasts.min(), contrasts.max()) == (28.0, 76.0)


def test_every_number_of_a_car_is_its_own() -> None:
    rng = np.random.default_rng(3)
    cars = [draw_car(rng) for _ in range(CARS)]
    numbers = np.array([(car.contrast, car.level, *car.zones[:12], *car.panels) for car in cars])
    between = np.corrcoef(numbers.T) - np.eye(numbers.shape[1])
    assert np.abs(between).max() < 0.1
    np.testing.assert_allclose(numbers.std(axis=0), 1.0, atol=0.06)


def test_standardised_values_have_mean_0_and_deviation_1() -> None:
    values = np.random.default_rng(0).normal(80.0, 13.0, 500).astype(np.float32)
    made = standardised(values)
    assert made.mean() == pytest.approx(0.0, abs=1e-5)
    assert made.std() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(made * values.std() + values.mean(), values, rtol=1e-5)
    assert not standardised(np.full(5, 7.0, np.float32)).any()


def test_the_middle_of_the_scale_is_not_bent_and_its_ends_are_never_passed() -> None:
    grey = np.linspace(-400.0, 700.0, 4001).astype(np.float32)
    bent = bend_into_scale(grey)
    middle = np.abs(grey - 128.0) <= 0.6 * 122.0
    np.testing.assert_allclose(bent[middle], grey[middle], atol=1e-4)
    assert bent.min() >= 6.0
    assert bent.max() <= 250.0
    slope = np.diff(bent) / np.diff(grey)
    assert slope.min() > -1e-4
    assert slope.max() < 1.0 + 1e-3
    assert np.abs(np.diff(slope)).max() < 0.02, "no kink"
    np.testing.assert_allclose(bent + bend_into_scale(np.float32(256.0) - grey), 256.0, atol=1e-3)


def test_what_is_not_changed_is_not_bent() -> None:
    before = np.float32([0.0, 255.0, 255.0])
    assert bend_into_scale(before + np.float32([0.0, 0.0, 5.0]), before).tolist()[:2] == [0.0, 255.0]
    assert bend_into_scale(before + np.float32([0.0, 0.0, 5.0]), before)[2] < 250.0


def test_a_pattern_gets_the_mean_and_contrast_it_is_given() -> None:
    pattern = standardised(np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32))
    grey = grey_pattern(pattern, 128.0, 30.0)
    assert grey.mean() == pytest.approx(128.0, abs=0.1)
    assert grey.std() == pytest.approx(30.0, abs=0.1)


def test_the_road_is_read_below_the_car() -> None:
    picture = np.full((100, 100), 50.0, np.float32)
    picture[61:71, 20:60] = 90.0
    assert road_level(picture, (slice(21, 60), slice(20, 60))) == 90.0
    assert road_level(picture, (slice(60, 99), slice(20, 60))) == 50.0
