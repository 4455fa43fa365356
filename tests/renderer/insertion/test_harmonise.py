"""All effects together: labels and the rest of the picture stay, each effect does what its own tests say."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from insertion_scenes import BOX, COLUMNS, ROWS, SIZE, parked, street
from thermal_scenes import profiles, winter_night

from renderer.errors import ThermalError
from renderer.geometry.frame import Frame
from renderer.insertion.background_sensor import FrameSensor, measure_sensor, noise_bands
from renderer.insertion.foreground import ForegroundLayer, render_foreground
from renderer.insertion.harmonise import ALL, Corrections, harmonise_grey, harmonise_kelvin
from renderer.insertion.haze import Haze
from renderer.insertion.horizon import horizon_level
from renderer.insertion.levels import car_level, draw_car, draw_frame_levels
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import Conditions
from renderer.zones.catalogue import Zone

NONE = Corrections(**dict.fromkeys((field.name for field in dataclasses.fields(Corrections)), False))
INNER = (slice(66, 134), slice(106, 194))
"""The car without its outline."""
ONE_ZONE = (Zone.TYRE, Zone.TYRE)
"""A car that neither mirrors nor differs within itself."""


def alike() -> ForegroundLayer:
    """Cars of one temperature that do nothing to the road."""
    return ForegroundLayer(np.full(SIZE, 280.0, np.float32), np.zeros(SIZE, np.float32), 275.0)


def harmonised(
    background: np.ndarray,
    corrections: Corrections = ALL,
    *,
    seed: int = 1,
    frame: Frame | None = None,
    foreground: ForegroundLayer | None = None,
    weather: Conditions | None = None,
    sensor: FrameSensor | None = None,
) -> np.ndarray:
    frame, weather, draw = frame or parked(), weather or winter_night(), Draw(seed, 0)
    layer = foreground or render_foreground(frame, weather, profiles(), draw)
    measured = sensor or measure_sensor(background.astype(np.float32))
    return harmonise_grey(background, frame, layer, weather, measured, draw, corrections)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one.astype(np.float32) - other.astype(np.float32)


def test_passes_and_far_background_stay() -> None:
    background, frame = street(), parked()
    image = harmonised(background, frame=frame)
    assert np.array_equal(frame.instance_id, parked().instance_id)
    assert np.array_equal(frame.depth_m, parked().depth_m)
    assert np.array_equal(image[:40], background[:40])
    assert np.array_equal(image[:, :60], background[:, :60])
    assert np.abs(difference(image, background)[INNER]).mean() > 5


def test_the_outline_mixes_within_the_edge_spread() -> None:
    background = street()
    plain = np.zeros(SIZE, np.uint8)
    plain[ROWS, COLUMNS] = 1
    image = harmonised(background, Corrections(ground=False))
    near = cv2.dilate(plain, np.ones((9, 9), np.uint8)) > 0
    assert np.array_equal(image[~near], background[~near])


def test_without_corrections_a_car_is_as_grey_as_its_road() -> None:
    for road in (80.0, 150.0):
        image = harmonised(street(road, noise=0.0), NONE, frame=parked(zones=ONE_ZONE), foreground=alike())
        np.testing.assert_allclose(image[INNER], road, atol=0.5)


def test_levels_are_those_that_are_drawn_for_the_frame_and_the_car() -> None:
    """The mean of the picture against the level that the streams give."""
    background, corrections = street(150.0, noise=0.0), dataclasses.replace(NONE, levels=True)
    for seed in range(12):
        rng = Draw(seed, 0).rng(Stream.HARMONISATION)
        shared = draw_frame_levels(background.astype(np.float32), rng)
        level = np.clip(car_level(150.0, shared, draw_car(rng)), 60.0, 200.0)
        image = harmonised(background, corrections, seed=seed, frame=parked(zones=ONE_ZONE), foreground=alike())
        assert image[INNER].std() == 0.0
        # A car without any contrast: rounding of its mean is taken for a pattern, which is a grey at most.
        assert image[INNER].mean() == pytest.approx(level, abs=1.5) or level > 195, seed


def test_means_of_cars_follow_their_road() -> None:
    """By 0.21 greys per grey: two roads, one frame's draws."""
    slopes = []
    for seed in range(12):
        dark, light = (
            harmonised(street(road, noise=0.0), seed=seed, frame=parked(zones=ONE_ZONE), foreground=alike(),
                       corrections=dataclasses.replace(NONE, levels=True))[INNER].mean()
            for road in (80.0, 180.0)
        )  # fmt: skip
        slopes.append((light - dark) / 100.0)
    # Where a mean is cut at 60 or bent at the end of the scale it follows less.
    assert np.median(slopes) == pytest.approx(0.21, abs=0.01)
    assert max(slopes) < 0.23


def test_air_takes_cars_to_the_horizon_by_its_share() -> None:
    fog, frame, background = winter_night(visibility_m=60.0), parked(depth_m=32.0), street(noise=0.0)
    corrections = dataclasses.replace(NONE, levels=True, seams=True)
    near = harmonised(background, corrections, frame=frame, weather=fog)
    far = harmonised(background, dataclasses.replace(corrections, air=True), frame=frame, weather=fog)
    share = float(Haze(fog).share(np.float32([32.0]))[0])
    assert 0.5 < share < 0.95
    horizon = horizon_level(background.astype(np.float32), 100.0)
    expected = near + share * (horizon - near.astype(np.float32))
    np.testing.assert_allclose(far[INNER], expected[INNER], atol=1.1)


def test_in_surroundings_of_one_colour_mirrors_change_nothing() -> None:
    flat = np.full(SIZE, 140, np.uint8)
    without = dataclasses.replace(ALL, mirror=False)
    assert np.array_equal(harmonised(flat, ALL), harmonised(flat, without))
    change = difference(harmonised(street(), ALL), harmonised(street(), without))
    assert np.abs(change[INNER]).mean() > 3
    outside = np.ones(SIZE, bool)
    outside[52:148, 92:208] = False
    assert not change[outside].any(), "mirrors change cars, not the street"


def test_seams_are_all_that_a_car_of_one_zone_shows() -> None:
    frame, background = parked(zones=ONE_ZONE), street(noise=0.0)
    plain = harmonised(background, dataclasses.replace(NONE, levels=True), frame=frame, foreground=alike())
    seams = harmonised(background, dataclasses.replace(NONE, levels=True, seams=True), frame=frame, foreground=alike())
    assert plain[INNER].std() == 0.0
    assert seams[INNER].std() > 5.0


@pytest.mark.parametrize("noise", [10.0, 20.0])
def test_cars_get_a_fifth_of_the_frames_noise(noise: float) -> None:
    columns, background = np.zeros(SIZE[1], np.float32), street(noise=0.0)
    corrections = dataclasses.replace(NONE, sensor=True)
    clean, noisy = (
        harmonised(background, corrections, frame=parked(zones=ONE_ZONE), foreground=alike(),
                   sensor=FrameSensor(0.8, level, 0.4 * level, columns))
        for level in (0.0, noise)
    )  # fmt: skip
    fine, _ = noise_bands(difference(noisy, clean)[64:136, 104:196])
    # Rounding to whole greys adds a twelfth to the variance, less its coarse part.
    assert fine == pytest.approx(np.hypot(0.2 * noise, np.sqrt(0.761 / 6.0)), rel=0.15)


def test_the_columns_of_the_frame_go_on_in_the_car() -> None:
    columns = np.random.default_rng(0).normal(0.0, 15.0, SIZE[1]).astype(np.float32)
    corrections = dataclasses.replace(NONE, sensor=True)
    image = harmonised(street(noise=0.0), corrections, frame=parked(zones=ONE_ZONE), foreground=alike(),
                       sensor=FrameSensor(0.8, 0.0, 0.0, columns))  # fmt: skip
    seen = image[INNER].mean(axis=0)
    np.testing.assert_allclose(seen - seen.mean(), 0.2 * (columns[106:194] - columns[106:194].mean()), atol=0.6)


def test_the_road_changes_at_the_ground_contact_line_and_nowhere_else() -> None:
    background = street()
    changes = []
    for seed in range(12):
        whole, without = (harmonised(background, Corrections(ground=on), seed=seed) for on in (True, False))
        change = difference(whole, without)
        reach = BOX[3] + 0.3 * (BOX[3] - BOX[1]) + 8
        assert np.abs(change[int(reach) :]).max() <= 25
        assert np.abs(change[:60]).max() == 0
        changes.append(float(change[142:146, 130:170].mean()))
    # Real roads are lighter there by 26 greys in the mean, and darker under every fourth car.
    assert 5 < np.mean(changes) < 50
    assert min(changes) < 10 < max(changes)


def test_a_draw_gives_the_same_bytes_and_another_one_others() -> None:
    assert np.array_equal(harmonised(street()), harmonised(street()))
    assert not np.array_equal(harmonised(street()), harmonised(street(), seed=2))


def test_a_frame_without_cars_is_its_background() -> None:
    frame = dataclasses.replace(parked(), instance_id=np.zeros(SIZE, np.uint16), instances=())
    image = harmonised(street(), frame=frame, foreground=alike())
    assert np.array_equal(image, street())
    assert not np.shares_memory(image, street())


def kelvin_street() -> np.ndarray:
    return (street().astype(np.float32) - 150.0) * np.float32(0.1) + np.float32(275.0)


def test_kelvin_stays_kelvin() -> None:
    behind, frame, draw = kelvin_street(), parked(), Draw(1, 0)
    foreground = render_foreground(frame, winter_night(), profiles(), draw)
    image = harmonise_kelvin(behind, frame, foreground, measure_sensor(behind), draw)
    # A car is as warm as physics says, and follows its road by half; the span of the picture does not matter.
    expected = foreground.apparent_temperature_K[INNER].mean() + 0.5 * (275.0 - foreground.road_K)
    assert image[INNER].mean() == pytest.approx(expected, abs=1.0)
    assert np.array_equal(image[:40], behind[:40])


def test_a_warmer_radiometric_road_warms_its_cars_by_half() -> None:
    behind, frame, draw = kelvin_street(), parked(), Draw(1, 0)
    sensor = FrameSensor(0.8, 0.0, 0.0, np.zeros(SIZE[1], np.float32))
    images = [harmonise_kelvin(behind + np.float32(rise), frame, alike(), sensor, draw) for rise in (0.0, 8.0)]
    np.testing.assert_allclose((images[1] - images[0])[INNER], 4.0, atol=1e-3)


def test_the_road_of_a_radiometric_frame_warms_as_physics_says() -> None:
    behind, frame = kelvin_street(), parked()
    warm = dataclasses.replace(alike(), ground_change_K=np.full(SIZE, 1.5, np.float32))
    sensor = FrameSensor(0.8, 0.0, 0.0, np.zeros(SIZE[1], np.float32))
    image = harmonise_kelvin(behind, frame, warm, sensor, Draw(1, 0))
    np.testing.assert_allclose((image - behind)[150:], 1.5, atol=1e-4)
    cold = harmonise_kelvin(behind, frame, warm, sensor, Draw(1, 0), dataclasses.replace(ALL, ground=False))
    assert np.array_equal(cold[150:], behind[150:])


def test_sizes_must_agree() -> None:
    sensor = FrameSensor(0.7, 1.0, 0.5, np.zeros(8, np.float32))
    with pytest.raises(ThermalError, match="expected the frame's"):
        harmonise_grey(np.zeros((8, 8), np.uint8), parked(), alike(), winter_night(), sensor, Draw(1, 0))
    with pytest.raises(ThermalError, match="expected the frame's"):
        harmonise_kelvin(np.zeros((8, 8), np.float32), parked(), alike(), sensor, Draw(1, 0))
