"""Edge blur against the Gaussian's integral, detail enhancement against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.insertion.background_sensor import FrameSensor
from renderer.insertion.outline import INNER_PX, enhance_detail, outline_sigma_px, soften

SIZE = (64, 96)
EDGE = 48
"""The car fills the columns from there on."""


def half() -> np.ndarray:
    ids = np.zeros(SIZE, np.uint16)
    ids[:, EDGE:] = 7
    return ids


@pytest.mark.parametrize("sigma", [0.8, 1.0, 1.6])
def test_an_outline_is_an_error_function(sigma: float) -> None:
    _, alpha = soften(np.full(SIZE, 90.0, np.float32), half(), sigma)
    offset = np.arange(SIZE[1]) + 0.5 - EDGE
    expected = [0.5 * (1.0 + math.erf(x / (sigma * math.sqrt(2.0)))) for x in offset]
    np.testing.assert_allclose(alpha[32], expected, atol=0.017)


def test_a_car_covers_as_much_as_before() -> None:
    ids = np.zeros(SIZE, np.uint16)
    ids[20:40, 30:70] = 1
    _, alpha = soften(np.full(SIZE, 90.0, np.float32), ids, 1.2)
    assert alpha.sum() == pytest.approx(20 * 40, rel=1e-4)


def test_an_ideal_camera_leaves_the_mask() -> None:
    _, alpha = soften(np.full(SIZE, 90.0, np.float32), half(), 0.1)
    assert np.array_equal(alpha, (half() > 0).astype(np.float32))


def test_a_car_of_one_level_keeps_it_beyond_its_outline() -> None:
    cars = np.where(half() > 0, np.float32(90.0), np.float32(0.0))
    soft, alpha = soften(cars, half(), 1.0)
    np.testing.assert_allclose(soft[alpha > 0.005], 90.0, rtol=1e-3)


@pytest.mark.parametrize("sigma", [0.7, 1.4])
def test_borders_inside_a_car_are_softer_than_its_outline(sigma: float) -> None:
    cars = np.zeros(SIZE, np.float32)
    cars[:, EDGE:] = 100.0
    soft, _ = soften(cars, np.ones(SIZE, np.uint16), sigma)
    rise = np.diff(soft[32].astype(np.float64)) / 100.0
    at = np.arange(rise.size) - (EDGE - 1)
    spread = math.sqrt((rise * at**2).sum())
    assert rise.sum() == pytest.approx(1.0, abs=1e-4)
    assert spread == pytest.approx(math.hypot(sigma, INNER_PX), rel=0.03)


def test_what_is_even_has_no_detail() -> None:
    even = np.full(SIZE, 90.0, np.float32)
    np.testing.assert_allclose(enhance_detail(even, np.full(SIZE, 0.4, np.float32), even), 90.0, atol=1e-3)


def test_little_detail_is_raised_by_its_gain_and_much_detail_less() -> None:
    raised = []
    for step in (0.1, 100.0):
        cars, alpha = np.full(SIZE, 90.0, np.float32), np.ones(SIZE, np.float32)
        cars[32, 48] += step
        raised.append((enhance_detail(cars, alpha, cars)[32, 48] - cars[32, 48]) / step)
    # A Gaussian of 2.5 pixels leaves 1 / (2 pi 2.5^2) of a single pixel in its place.
    detail = 1.0 - 1.0 / (2.0 * math.pi * 2.5**2)
    assert raised[0] == pytest.approx(0.6 * detail, rel=0.01)
    assert raised[1] == pytest.approx(0.6 * detail / (1.0 + detail * 100.0 / 40.0), rel=0.01)


def test_softer_frames_get_softer_outlines() -> None:
    sensors = [FrameSensor(edge, 1.0, 0.5, np.zeros(4, np.float32)) for edge in (0.7, 0.9, 1.2, 1.5)]
    sigmas = [outline_sigma_px(sensor, enhanced=False) for sensor in sensors]
    assert sigmas == sorted(set(sigmas))
    narrowed = [outline_sigma_px(sensor, enhanced=True) for sensor in sensors]
    assert all(wide >= narrow for wide, narrow in zip(narrowed, sigmas, strict=True)), "enhancement narrows edges"
