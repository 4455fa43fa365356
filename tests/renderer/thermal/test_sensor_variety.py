"""Drawn sensors: their numbers show in the picture as defined, stay within limits, and leave temperatures alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.special import erf
from scipy.stats import spearmanr
from thermal_scenes import ASSETS

from renderer.errors import ThermalError
from renderer.random_streams import Draw
from renderer.thermal.flaws import Flaws, Spot, fixed_pattern, lens_transmittance, spoil_pixels
from renderer.thermal.gain_control import GainControl, show
from renderer.thermal.planck import band_radiance
from renderer.thermal.sensor import agc, expose, read_sensors
from renderer.thermal.sensor_variety import Detector, SensorVariety, draw_sensor_variety, show_varied

SENSORS = read_sensors(ASSETS / "cameras.toml")
TAU2, IDEAL = SENSORS["tau2"], SENSORS["ideal"]
CLEAN = Flaws(0.0, 0.5, 0.5, 0.0, 290.0)
LINEAR = GainControl("linear", 1.0, 1.0, 0.0, 1000.0, 0.0, 2.0)


def street(size: int = 128) -> np.ndarray:
    rng = np.random.default_rng(4)
    rough = rng.standard_normal((size, size)).astype(np.float32)
    return np.asarray(290.0 + 40.0 * cv2.GaussianBlur(rough, (0, 0), 4.0), dtype=np.float32)


def drawn(strength: float, count: int = 300, sensor: str = "tau2") -> list[SensorVariety]:
    return [draw_sensor_variety(SENSORS[sensor], strength, Draw(5, index), 285.0) for index in range(count)]


def test_a_frame_is_drawn_from_its_number_alone() -> None:
    assert drawn(1.0, 5) == drawn(1.0, 5)
    assert len({repr(one) for one in drawn(1.0, 20)}) == 20


def test_strength_goes_from_the_cameras_own_to_the_whole_range() -> None:
    """At 0 the preset; at 1 NETD spans most of what data sheets have; at 0.5 half of it in its logarithm."""
    for one in drawn(0.0, 20):
        assert one.detector is not None
        assert one.detector.of(TAU2) == TAU2
        assert (one.black_hot, one.gain) == (False, None)
        assert one.detector.flaws.spots == ()
        assert one.detector.flaws.shading_K == pytest.approx(TAU2.vignetting_K)
    whole, half = ([np.log(one.detector.netd_K) for one in drawn(v) if one.detector] for v in (1.0, 0.5))
    assert np.exp([min(whole), max(whole)]) == pytest.approx([0.02, 0.15], rel=0.05)
    assert np.ptp(half) == pytest.approx(np.ptp(whole) / 2, rel=0.01)


def test_kinds_are_all_drawn_and_black_hot_is_rare() -> None:
    every = drawn(1.0, 600)
    kinds = [one.gain.kind for one in every if one.gain is not None]
    assert set(kinds) == {"linear", "plateau", "clahe", "detail"}
    assert 0.05 < np.mean([one.black_hot for one in every]) < 0.16
    assert np.mean([one.gain is not None for one in drawn(0.5, 600)]) == pytest.approx(0.5, abs=0.07)
    assert draw_sensor_variety(TAU2, 1.0, Draw(5, 0), None).detector is None


def test_an_ideal_sensor_stays_without_flaws() -> None:
    for one in drawn(1.0, 30, "ideal"):
        assert one.detector is not None
        assert one.detector.of(IDEAL) == IDEAL
        assert one.detector.flaws.bad_pixels == one.detector.flaws.shading_K == 0


def test_noise_and_patterns_are_what_was_drawn() -> None:
    flat = np.full((256, 256), 300.0, dtype=np.float32)
    noisy = replace(IDEAL, netd_K=0.08)
    assert expose(flat, noisy, Draw(1, 2), flaws=CLEAN).std() == pytest.approx(0.08, rel=0.03)
    pattern = fixed_pattern(CLEAN, 0.05, 0.0, Draw(1, 2), (256, 256))
    assert pattern.std() == pytest.approx(0.05, rel=0.02)
    other = fixed_pattern(CLEAN, 0.05, 0.0, Draw(1, 3), (256, 256))
    assert abs(np.corrcoef(pattern.ravel(), other.ravel())[0, 1]) < 0.02
    columns = fixed_pattern(CLEAN, 0.0, 0.05, Draw(1, 2), (256, 2000))
    assert columns.std(axis=0).max() < 1e-6
    assert columns[0].std() == pytest.approx(0.05, rel=0.05)


def test_shading_is_the_corner_against_the_centre() -> None:
    pattern = fixed_pattern(replace(CLEAN, shading_K=0.8), 0.0, 0.0, Draw(1, 2), (101, 201))
    assert pattern[50, 100] == pytest.approx(0.0, abs=1e-6)
    assert pattern[0, 0] == pytest.approx(0.8, abs=1e-5)
    assert pattern[100, 200] == pytest.approx(0.8, abs=1e-5)


def test_blur_of_an_edge_is_an_error_function() -> None:
    edge = np.full((64, 200), 290.0, dtype=np.float32)
    edge[:, 100:] = 291.0
    measured = expose(edge, replace(IDEAL, optics_sigma_px=1.4), Draw(0, 0), flaws=CLEAN)[32]
    x = np.arange(200) + 0.5 - 100.0
    np.testing.assert_allclose(measured, 290.5 + 0.5 * erf(x / (1.4 * np.sqrt(2))), atol=0.01)


def test_a_coarser_detector_loses_what_its_pixels_cannot_hold() -> None:
    """Sampling theorem: half as many columns keep a wave of 8 picture pixels and lose one of 3."""
    fine = Detector(0.0, 0.3, 0.0, 0.0, 0.0, CLEAN)
    coarse = replace(fine, pixel_share=0.5)
    columns = np.arange(TAU2.width)
    for period, kept_fine, kept_coarse in ((8.0, 0.9, 0.7), (3.0, 0.6, 0.1)):
        wave = np.broadcast_to(290.0 + np.sin(2 * np.pi * columns / period), (64, TAU2.width)).astype(np.float32)
        wanted = np.exp(-2j * np.pi * columns / period)
        kept = [
            2 * abs(np.mean((expose(wave, each.of(TAU2), Draw(0, 0), flaws=CLEAN) - 290.0)[32] * wanted))
            for each in (fine, coarse)
        ]
        assert kept[0] > kept_fine
        assert kept[1] > kept_coarse if period > 4 else kept[1] < kept_coarse


def test_some_detectors_are_coarser() -> None:
    """Cores of 256 to 640 columns, the finest most often."""
    for strength, wanted in ((1.0, 0.6), (0.5, 0.3)):
        columns = np.array([one.detector.of(TAU2).width for one in drawn(strength, 600) if one.detector])
        assert np.mean(columns < 640) == pytest.approx(wanted, abs=0.06)
        assert columns.min() == pytest.approx(256, rel=0.05)
    with pytest.raises(ThermalError, match="pixel_share"):
        replace(next(one.detector for one in drawn(1.0, 1) if one.detector), pixel_share=0.0)


def test_a_drop_radiates_as_the_lens_and_keeps_back_the_rest() -> None:
    """In its middle: tau B(scene) + (1 - tau) B(lens), by Planck's law."""
    flaws = replace(CLEAN, lens_K=285.0, spots=(Spot(0.5, 0.5, 0.2, 0.4),))
    measured = expose(np.full((256, 256), 250.0, np.float32), IDEAL, Draw(0, 0), flaws=flaws)
    wanted = 0.6 * band_radiance(250.0) + 0.4 * band_radiance(285.0)
    assert float(band_radiance(float(measured[128, 128]))) == pytest.approx(float(wanted), rel=1e-3)
    assert measured[0, 0] == pytest.approx(250.0, abs=0.5)
    through = lens_transmittance(flaws, 256, 256)
    assert through is not None
    assert through[128, 128 + 51] == pytest.approx(0.8, abs=0.01)  # half of the loss at the radius
    assert lens_transmittance(CLEAN, 256, 256) is None


def test_bad_pixels_are_as_many_as_drawn_and_keep_the_span() -> None:
    scene = street(256)
    spoilt = scene.copy()
    spoil_pixels(spoilt, replace(CLEAN, bad_pixels=0.002), Draw(1, 2))
    changed = np.abs(spoilt - scene) > 1.0
    assert 0.0015 < changed.mean() <= 0.0021
    assert (spoilt.min(), spoilt.max()) == (scene.min(), scene.max())


def test_linear_is_linear_between_percentiles() -> None:
    scene = street()
    grey = show(scene, TAU2, replace(LINEAR, tail=0.01))
    low, high = np.percentile(scene, [1.0, 99.0])
    np.testing.assert_allclose(grey, np.clip((scene - low) / (high - low), 0, 1) * 255, atol=2.0)


def test_full_plateau_equalises_the_histogram() -> None:
    grey = show(street(), TAU2, replace(LINEAR, kind="plateau", plateau=1000.0, linear=0.0))
    counts, _ = np.histogram(grey, bins=8, range=(0, 256))
    assert counts / grey.size == pytest.approx(np.full(8, 1 / 8), abs=0.01)


def test_clahe_is_opencvs_on_the_linear_picture() -> None:
    scene = street()
    wanted = cv2.createCLAHE(2.5, (5, 5)).apply(show(scene, TAU2, LINEAR))
    np.testing.assert_array_equal(show(scene, TAU2, replace(LINEAR, kind="clahe", clip=2.5, tiles=5)), wanted)


def test_detail_is_raised_and_the_base_compressed() -> None:
    """A faint grating on a strong step: the grating gains, the step loses, and no halo stands beside it."""
    x = np.arange(256)
    scene = np.tile(290.0 + 20.0 * (x >= 128) + 0.4 * np.sin(x * 2 * np.pi / 4), (256, 1)).astype(np.float32)
    plain = show(scene, TAU2, LINEAR).astype(float)
    gain = replace(LINEAR, kind="detail", detail=1.5, detail_sigma_px=6.0, base_contrast=0.6)
    raised = show(scene, TAU2, gain).astype(float)
    assert raised[:, 16:96].std() / plain[:, 16:96].std() > 1.8
    steps = [np.median(picture[:, 140:]) - np.median(picture[:, :116]) for picture in (raised, plain)]
    assert steps[0] / steps[1] == pytest.approx(0.6, abs=0.06)
    assert np.ptp(np.median(raised[:, 20:110], axis=0)) < 30


def test_black_hot_is_the_negative() -> None:
    scene = street()
    image = agc(scene, TAU2)
    shown = show_varied(scene, image, TAU2, SensorVariety(True, None, None), levels=False)
    np.testing.assert_array_equal(shown, 255 - image)
    assert show_varied(scene, image, TAU2, SensorVariety(False, None, None), levels=False) is image


@pytest.mark.parametrize("levels", [False, True])
def test_every_drawn_gain_control_keeps_warm_things_bright(levels: bool) -> None:
    scene = street(256)
    image = agc(scene, TAU2)
    signal = image.astype(np.float32) if levels else scene
    for one in drawn(1.0, 40):
        shown = show_varied(signal, image, TAU2, replace(one, black_hot=False), levels=levels)
        assert shown.dtype == np.uint8
        assert shown.std() > 10
        assert spearmanr(shown.ravel()[::17], signal.ravel()[::17]).statistic > 0.6


@pytest.mark.parametrize(
    "make",
    [
        lambda: replace(CLEAN, bad_pixels=0.5),
        lambda: Spot(0.5, 0.5, 0.1, 1.0),
        lambda: replace(LINEAR, tail=0.6),
        lambda: replace(drawn(1.0, 1)[0].detector, netd_K=-0.1),
    ],
)
def test_numbers_of_no_camera_are_refused(make: object) -> None:
    with pytest.raises(ThermalError, match="expected"):
        make()  # type: ignore[operator]
