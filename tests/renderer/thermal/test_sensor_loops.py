"""The compiled passes over a picture against what numpy says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from renderer.random_streams import Draw, Stream
from renderer.thermal import sensor as loops
from renderer.thermal.planck import LWIR, band_radiance
from renderer.thermal.sensor import Sensor, expose, read_sensors, to_uint16

CAMERAS = Path(loops.__file__).parents[2] / "assets" / "cameras.toml"


def kelvin(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(285.0, 12.0, shape).astype(np.float32)


@pytest.mark.parametrize("size", [1, 3, 1023, 1024, 1025, 4100])
def test_a_histogram_counts_every_pixel_and_outer_bins_take_the_rest(size: int) -> None:
    values = np.concatenate([[-1e30, 1e30], kelvin(size)]).astype(np.float32)
    edges = np.linspace(270.0, 300.0, 65)
    expected = np.histogram(np.clip(values, 270.0, 299.999), edges)[0]
    found = loops._histogram(values, 270.0, 300.0, 64)
    assert found.sum() == len(values)
    assert np.abs(np.cumsum(found) - np.cumsum(expected)).max() <= 1  # a value at an edge may be rounded over it


def test_tones_are_interpolated_in_the_curve() -> None:
    picture, curve = kelvin(37, 41), np.sort(np.random.default_rng(5).uniform(0, 255, 65)).astype(np.float32)
    grey = np.empty(picture.shape, np.float32)
    loops._apply_curve(picture, curve, 275.0, 64 / 20.0, grey)
    expected = np.interp(picture, 275.0 + np.arange(65) * (20.0 / 64), curve)
    np.testing.assert_allclose(grey, expected, atol=2e-3)


def test_counts_are_rounded_steps_of_the_span() -> None:
    picture = kelvin(33, 47)
    counts, (low, high) = to_uint16(picture)
    exact = (picture.astype(np.float64) - low) * (65535.0 / (high - low))
    assert np.abs(counts - exact).max() <= 0.52
    assert (counts.min(), counts.max()) == (0, 65535)
    assert to_uint16(picture[:, ::2])[0].shape == (33, 24)


def test_noise_is_added_in_radiance() -> None:
    sensor: Sensor = read_sensors(CAMERAS)["tau2"]
    plain = {"width": 0, "optics_sigma_px": 0.0, "fixed_pattern_K": 0.0, "column_K": 0.0, "vignetting_K": 0.0}
    sensor, draw = replace(sensor, **plain), Draw(4, 9)
    scene = kelvin(24, 32)
    rng = draw.rng(Stream.SENSOR)
    noise_K = rng.standard_normal(scene.shape, dtype=np.float32) * sensor.netd_K
    noise_K = noise_K + rng.standard_normal((24, 1), dtype=np.float32) * sensor.row_K
    per_K = float(band_radiance(300.5, LWIR) - band_radiance(299.5, LWIR))
    wanted = band_radiance(scene, LWIR) + noise_K * per_K
    np.testing.assert_allclose(band_radiance(expose(scene, sensor, draw), LWIR), wanted, rtol=5e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 3), (37, 41)])
@pytest.mark.parametrize(("size", "sigma"), [(3, 0.3), (11, 1.085), (17, 2.2)])
def test_a_blur_is_the_weighted_mean_around_each_pixel_with_the_border_repeated(
    shape: tuple[int, int], size: int, sigma: float
) -> None:
    """As plain Python too, which would fail where the loop leaves its arrays."""
    picture, reach = kelvin(*shape), size // 2
    away = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (away[:, None] ** 2 + away**2) / sigma**2)
    wide = np.pad(picture.astype(np.float64), reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (size, size))
    expected = (windows * weights).sum(axis=(2, 3)) / weights.sum()
    np.testing.assert_allclose(loops._blurred(picture, (size, size), sigma), expected, atol=2e-4)
    half = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    out = np.empty(shape, np.float32)
    plain = getattr(loops._blur, "_function", loops._blur)
    plain(picture, (half / (2.0 * half.sum() - 1.0)).astype(np.float32), out)
    np.testing.assert_allclose(out, expected, atol=2e-4)
