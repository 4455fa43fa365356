"""Noise, blur, sampling, counts and gain control against what they are defined to be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf
from thermal_scenes import ASSETS

from renderer.errors import ThermalError
from renderer.geometry.camera import read_cameras
from renderer.random_streams import Draw
from renderer.thermal.planck import band_radiance
from renderer.thermal.sensor import Sensor, agc, expose, from_uint16, read_sensors, to_uint16

SENSORS = read_sensors(ASSETS / "cameras.toml")
IDEAL = SENSORS["ideal"]


def flat(kelvin: float = 300.0, size: int = 512) -> np.ndarray:
    return np.full((size, size), kelvin, dtype=np.float32)


def sensor(**changes: float) -> Sensor:
    return dataclasses.replace(IDEAL, **changes)


def test_the_shipped_sensors() -> None:
    assert {"tau2", "flir-one-pro", "ideal"} <= set(SENSORS)
    assert {camera.sensor for camera in read_cameras(ASSETS / "cameras.toml").values()} <= set(SENSORS)


def test_an_ideal_sensor_changes_nothing() -> None:
    scene = np.linspace(230.0, 340.0, 64 * 64, dtype=np.float32).reshape(64, 64)
    np.testing.assert_allclose(expose(scene, IDEAL, Draw(1, 2)), scene, atol=2e-3)


@pytest.mark.parametrize("netd_K", [0.03, 0.05, 0.2])
def test_noise_of_a_flat_field_is_the_netd(netd_K: float) -> None:
    measured = expose(flat(), sensor(netd_K=netd_K), Draw(1, 2))
    assert measured.std() == pytest.approx(netd_K, rel=0.03)
    assert measured.mean() == pytest.approx(300.0, abs=5e-3)


def test_a_cold_sky_is_noisier_than_a_warm_road() -> None:
    # The noise is one of radiance: in kelvin it goes with the inverse slope of Planck's curve.
    noisy = sensor(netd_K=0.1)
    slope = [float(band_radiance(t + 0.5) - band_radiance(t - 0.5)) for t in (240.0, 300.0)]
    ratio = expose(flat(240.0), noisy, Draw(1, 2)).std() / expose(flat(300.0), noisy, Draw(1, 2)).std()
    assert ratio == pytest.approx(slope[1] / slope[0], rel=0.03)


def test_fixed_pattern_stays_and_noise_changes() -> None:
    both = sensor(netd_K=0.05, fixed_pattern_K=0.08)
    frames = np.stack([expose(flat(size=128), both, Draw(1, index)) for index in range(40)])
    assert frames.mean(axis=0).std() == pytest.approx(0.08, rel=0.06)
    assert frames.std(axis=0).mean() == pytest.approx(0.05, rel=0.06)
    other = expose(flat(size=128), sensor(fixed_pattern_K=0.08), Draw(2, 0))
    assert abs(np.corrcoef(other.ravel(), frames.mean(axis=0).ravel())[0, 1]) < 0.05


def test_column_noise_is_one_number_per_column() -> None:
    measured = expose(flat(), sensor(column_K=0.1), Draw(3, 0)).astype(np.float64)
    assert measured.std(axis=0).max() < 2e-3
    assert measured.mean(axis=0).std() == pytest.approx(0.1, rel=0.1)
    rows = expose(flat(), sensor(row_K=0.1), Draw(3, 0)).astype(np.float64)
    assert rows.std(axis=1).max() < 2e-3
    assert rows.mean(axis=1).std() == pytest.approx(0.1, rel=0.1)


def test_vignetting_warms_the_corners() -> None:
    measured = expose(flat(size=101), sensor(vignetting_K=0.5), Draw(0, 0))
    assert measured[0, 0] - measured[50, 50] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("sigma", [0.6, 1.5])
def test_a_blurred_edge_is_an_error_function(sigma: float) -> None:
    edge = flat(size=64)
    edge[:, 32:] = 301.0
    profile = expose(edge, sensor(optics_sigma_px=sigma, width=64, height=64), Draw(0, 0))[32] - 300.0
    # Sampled Gaussians are not integrals of one: compare with the sum of its samples.
    offset = np.arange(64)[:, None] - np.arange(32, 64)[None, :]
    weights = np.exp(-0.5 * (np.arange(-8, 9) / sigma) ** 2)
    sampled = np.exp(-0.5 * (offset / sigma) ** 2).sum(axis=1) / weights.sum()
    np.testing.assert_allclose(profile[8:48], sampled[8:48], atol=0.01)
    # Half a pixel to the left of column 32 is the edge.
    analytic = 0.5 * (1.0 + erf((np.arange(64) - 31.5) / (sigma * np.sqrt(2.0))))
    np.testing.assert_allclose(profile[8:48], analytic[8:48], atol=0.04 if sigma < 1.0 else 0.01)


def test_a_coarse_detector_cannot_see_fine_stripes() -> None:
    camera = read_cameras(ASSETS / "cameras.toml")["flir-one-pro"].square(512)
    quiet = dataclasses.replace(
        SENSORS["flir-one-pro"], netd_K=0.0, fixed_pattern_K=0.0, column_K=0.0, row_K=0.0, vignetting_K=0.0
    )

    def contrast(period: int) -> float:
        stripes = flat()
        stripes[:, (np.arange(512) // (period // 2)) % 2 == 1] = 310.0
        seen = expose(stripes, quiet, Draw(0, 0), camera)[256, 100:400]
        return float(seen.max() - seen.min())

    assert contrast(4) < 0.5  # finer than a detector pixel of 4.27
    assert contrast(64) > 9.0


def test_same_seed_and_index_same_picture() -> None:
    tau2 = SENSORS["tau2"]
    first, again, other = (expose(flat(size=96), tau2, Draw(5, index)) for index in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_counts_keep_kelvin_to_half_a_count() -> None:
    rng = np.random.default_rng(0)
    kelvin = rng.uniform(250.0, 320.0, (200, 200)).astype(np.float32)
    counts, span_K = to_uint16(kelvin)
    assert counts.dtype == np.uint16
    assert span_K == (float(kelvin.min()), float(kelvin.max()))
    half_count = (span_K[1] - span_K[0]) / 65535 / 2
    assert np.abs(from_uint16(counts, span_K).astype(np.float64) - kelvin).max() <= half_count + 4e-5  # float32 steps


def test_counts_of_a_flat_picture_and_of_none() -> None:
    counts, span_K = to_uint16(flat(size=8))
    np.testing.assert_allclose(from_uint16(counts, span_K), 300.0, atol=1e-3)
    broken = flat(size=8)
    broken[3, 3] = np.nan
    with pytest.raises(ThermalError, match="finite"):
        to_uint16(broken)


def street(size: int = 256) -> np.ndarray:
    """Cold sky, a wide road with a little structure, a few hot spots."""
    rng = np.random.default_rng(4)
    scene = rng.normal(285.0, 0.6, (size, size))
    scene[: size // 3] = rng.normal(255.0, 0.5, (size // 3, size))
    scene[-40:-30, 40:60] = 310.0
    return scene.astype(np.float32)


@pytest.mark.parametrize("name", sorted(SENSORS))
def test_warmer_is_never_darker(name: str) -> None:
    scene = street()
    grey = agc(scene, dataclasses.replace(SENSORS[name], detail=0.0))
    order = np.argsort(scene.ravel())
    assert (np.diff(grey.ravel()[order].astype(int)) >= 0).all()


def test_gain_control_spends_greys_on_the_road_and_keeps_the_rest_apart() -> None:
    scene, tau2 = street(), SENSORS["tau2"]
    grey = agc(scene, tau2).astype(float)
    linear = agc(scene, IDEAL).astype(float)
    assert grey[100:200].std() > 2.0 * linear[100:200].std()
    assert grey[:80].mean() + 30 < grey[100:200].mean() < grey[-38:-32, 42:58].mean() - 30


def test_a_flat_scene_is_not_blown_up() -> None:
    tau2 = SENSORS["tau2"]
    grey = agc(expose(flat(), tau2, Draw(0, 0)), tau2)
    assert 100 < grey.mean() < 156
    assert grey.std() < 12.0


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_temperature_is_refused(odd: float) -> None:
    scene = street()
    scene[7, 9] = odd
    for sensor in (SENSORS["tau2"], IDEAL):
        with pytest.raises(ThermalError, match=r"gain control: .*not finite"):
            agc(scene, sensor)
    with pytest.raises(ThermalError, match=r"counts: .*not finite"):
        to_uint16(scene)


def test_detail_enhancement_raises_edges() -> None:
    scene, tau2 = street(), SENSORS["tau2"]
    soft, crisp = (agc(scene, dataclasses.replace(tau2, detail=d)).astype(float) for d in (0.0, 1.0))
    assert np.abs(np.diff(crisp[100:200])).mean() > 1.1 * np.abs(np.diff(soft[100:200])).mean()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[camera.x]\n", "sensor"),
        ("[sensor.x]\nwidth = 3\n", "missing or unknown"),
        ("[sensor.x", "sensor"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sensors.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ThermalError, match=message):
        read_sensors(path)


@pytest.mark.parametrize(
    "wrong", [{"netd_K": -1.0}, {"plateau": 0.0}, {"tail": 0.7}, {"optics_sigma_px": float("nan")}]
)
def test_impossible_sensors_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ThermalError, match="expected"):
        sensor(**wrong)
