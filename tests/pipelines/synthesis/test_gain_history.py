"""Gain control of a sequence: the curve of Tau 2's filter, and greys that follow the scene with a delay."""

from __future__ import annotations

import numpy as np
import pytest

from assets import CAMERAS
from pipelines.synthesis.gain_history import COEFFICIENT, VIDEO_HZ, GainHistory, earlier_weights
from pipelines.synthesis.infrared import Infrared
from renderer.random_streams import Draw, Moment
from renderer.thermal.sensor import agc, from_uint16, read_sensors, to_uint16


def test_weights_are_those_of_the_filter() -> None:
    """A jump of the scene three video frames ago: the filter, frame by frame, and the weights."""
    share = COEFFICIENT / 256
    filtered = 0.0
    for _ in range(round(0.1 * VIDEO_HZ)):
        filtered = share * 1.0 + (1 - share) * filtered
    weights = earlier_weights(0.1)
    assert 1.0 - sum(weights) == pytest.approx(filtered)
    assert 1.0 - sum(weights[1:]) == pytest.approx(1.0 - (1 - share) ** 6)


def _picture(hot: bool) -> np.ndarray:
    rng = np.random.default_rng(3)
    kelvin = 285.0 + 6.0 * rng.random((96, 128))
    if hot:
        kelvin[30:70, 20:80] = 320.0
    return kelvin.astype(np.float32)


def _infrared(kelvin: np.ndarray) -> Infrared:
    image16, span = to_uint16(kelvin)
    sensor = read_sensors(CAMERAS)["tau2"]
    return Infrared(agc(kelvin, sensor), image16, span, (image16 >> 8).astype(np.uint8), "tau2")


def _shown(frame: int, hot_from: int) -> Infrared:
    """Frame of a sequence in which something hot is there from one frame on."""
    history = GainHistory(lambda draw: _picture(draw.moment is not None and draw.moment.frame >= hot_from))
    return history.shown(_infrared(_picture(frame >= hot_from)), Draw(0, frame, 0, Moment(0, frame, 40, 10.0)))


def test_greys_follow_the_scene_with_a_delay() -> None:
    steady_cold, steady_hot = _shown(19, 99), _shown(19, 0)
    cool = _picture(False) < 290.0
    cool[30:70, 20:80] = False
    levels = [float(_shown(20, 20 - since).image[cool].mean()) for since in range(5)]
    ends = [float(one.image[cool].mean()) for one in (steady_cold, steady_hot)]
    assert abs(ends[0] - ends[1]) > 10
    away = np.abs(np.array(levels) - ends[1])
    assert (np.diff(away[:4]) < 0).all()
    assert away[0] > 0.25 * abs(ends[0] - ends[1])
    assert away[4] < 1.5


def test_a_scene_that_does_not_change_looks_as_it_is() -> None:
    kelvin = _picture(True)
    alone = _infrared(kelvin)
    difference = alone.image.astype(int) - _shown(19, 0).image
    assert np.abs(difference).max() <= 2
    assert np.array_equal(_shown(0, 0).image, alone.image)


def test_temperatures_stay() -> None:
    shown = _shown(20, 20)
    assert shown.span_K is not None
    assert np.abs(from_uint16(shown.image16, shown.span_K) - _picture(True)).max() < 0.01
