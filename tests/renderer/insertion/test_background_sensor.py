"""Edge spread, noise and columns of a frame, against pictures whose blur and noise are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from renderer.insertion import background_sensor
from renderer.insertion.background_sensor import (
    FrameSensor,
    blur_for_px,
    edge_spread_px,
    measure_sensor,
    noise_bands,
    sensor_noise,
)
from renderer.random_streams import Draw


def rectangles(sigma: float, noise: float = 1.5) -> np.ndarray:
    """Turned rectangles, sampled once a pixel, blurred, with noise."""
    rng = np.random.default_rng(5)
    fine = np.full((2048, 2048), 60.0, np.float32)
    for _ in range(50):
        corner, size = rng.integers(0, 1900, 2), rng.integers(150, 900, 2)
        cv2.rectangle(fine, corner.tolist(), (corner + size).tolist(), float(rng.uniform(60, 160)), -1)
    turned = cv2.warpAffine(fine, cv2.getRotationMatrix2D((1024, 1024), 13, 1.3), (2048, 2048))
    picture = cv2.resize(turned, (512, 512), interpolation=cv2.INTER_NEAREST)
    picture = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture
    return (picture + rng.normal(0.0, noise, picture.shape)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.5, 0.7, 1.0, 1.4])
def test_the_blur_that_was_given_is_found_again(sigma: float) -> None:
    assert blur_for_px(edge_spread_px(rectangles(sigma)), enhanced=False) == pytest.approx(sigma, rel=0.2)


def test_sharper_frames_have_narrower_edges() -> None:
    spreads = [edge_spread_px(rectangles(sigma)) for sigma in (0.0, 0.5, 1.0, 1.5)]
    assert spreads == sorted(spreads)


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_noise_is_read_beside_edges(noise: float) -> None:
    fine, _ = noise_bands(rectangles(0.7, noise))
    # White noise less a Gaussian of 1 pixel: 1 - 2 g(0) + g*g = 0.761 of the variance.
    assert fine == pytest.approx(noise * np.sqrt(0.761), rel=0.1)


def test_made_noise_has_the_bands_that_were_measured() -> None:
    columns = np.zeros(512, np.float32)
    for fine, coarse in ((2.0, 0.9), (1.0, 0.3), (1.5, 1.2)):
        noise = sensor_noise(FrameSensor(0.7, fine, coarse, columns), Draw(1, 2), (512, 512))
        assert noise_bands(noise) == pytest.approx((fine, coarse), rel=0.2)


def test_columns_are_found() -> None:
    pattern = np.random.default_rng(1).normal(0.0, 1.5, 512)
    found = measure_sensor(rectangles(0.7) + pattern[None].astype(np.float32)).columns
    assert np.corrcoef(found, pattern)[0, 1] > 0.8


def test_same_seed_same_noise() -> None:
    sensor = FrameSensor(0.7, 2.0, 0.9, np.zeros(64, np.float32))
    assert np.array_equal(sensor_noise(sensor, Draw(1, 2), (64, 64)), sensor_noise(sensor, Draw(1, 2), (64, 64)))
    assert not np.array_equal(sensor_noise(sensor, Draw(1, 2), (64, 64)), sensor_noise(sensor, Draw(1, 3), (64, 64)))


def test_a_frame_without_edges_gives_a_usable_sensor() -> None:
    sensor = measure_sensor(np.full((64, 64), 280.0, np.float32))
    assert sensor.fine == 0.0
    assert 0.3 < sensor.edge_px < 3.0


def test_the_edges_of_a_frame_do_not_depend_on_where_it_lies_in_memory() -> None:
    """Whole grey levels make many gradients equal, and their last bit would decide which are the strongest."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 255, (60, 84)).astype(np.uint8), (5, 5), 1).astype(np.float32)
    held, found = [], set()
    for size in rng.integers(1, 4000, 200):
        held.append(np.empty(size, np.uint8))
        found.add(background_sensor._gradient(image).tobytes())
    assert len(found) == 1
