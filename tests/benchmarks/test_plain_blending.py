"""Cars blended plainly into display-only frames: the baseline that harmonisation is measured against."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import ASSETS, profiles, surface, winter_night

from benchmarks.realism.plain_blending import PlainLayer, blend_plainly, estimate_grey_map, plain_layer
from renderer.errors import ThermalError
from renderer.random_streams import Draw
from renderer.thermal.sensor import read_sensors
from renderer.zones.catalogue import Zone

TAU2 = read_sensors(ASSETS / "cameras.toml")["tau2"]


def layer(profile: str = "driving") -> tuple[PlainLayer, np.ndarray]:
    """A body that fills the left half of the view."""
    frame = surface(Zone.BODY, (-1.0, 0.0, 0.0), size=(64, 64), profile=profile)
    frame.instance_id[:, 32:] = 0
    frame.zone[:, 32:] = 0
    frame.depth_m[:, 32:] = np.inf
    return plain_layer(frame, winter_night(), profiles(), Draw(3, 0), TAU2), frame.instance_id > 0


def test_a_layer_covers_its_car_with_a_soft_outline() -> None:
    cars, mask = layer()
    assert cars.alpha[:, :28].min() > 0.999
    assert cars.alpha[:, 36:].max() < 0.001
    assert (np.diff(cars.alpha[32]) <= 1e-6).all()
    assert cars.alpha.mean() == pytest.approx(mask.mean(), abs=0.01)
    # Its colour goes on beyond the mask: no dark seam from averaging with nothing.
    edge = cars.apparent_temperature_K[cars.alpha > 0.02]
    assert edge.min() > 273.0


def test_the_car_is_measured_against_the_road() -> None:
    cars, _ = layer()
    rng = np.random.default_rng(0)
    background = np.clip(rng.normal(120, 25, (64, 64)), 0, 255).astype(np.uint8)
    out, used = blend_plainly(background, cars)
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
        int(np.median(blend_plainly(background, dataclasses.replace(
            cars, apparent_temperature_K=np.full((64, 64), cars.road_K + rise, dtype=np.float32)), mapping)[0][:, :26]))
        for rise in (-30.0, -3.0, 0.0, 3.0, 10.0, 60.0)
    ]  # fmt: skip
    assert levels == sorted(levels)
    assert levels[2] == 110
    assert levels[0] < levels[1] < 110 < levels[3] < levels[4]


def test_sizes_must_agree() -> None:
    cars, _ = layer()
    with pytest.raises(ThermalError, match="size"):
        blend_plainly(np.zeros((10, 10), dtype=np.uint8), cars)
