"""Details of panels: what is drawn has the width it should have, however far away the car is."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from insertion_scenes import parked, region_of

from renderer.insertion import panels
from renderer.insertion.panels import PanelVariation, line_share, panel_details, strip_share, unevenness
from renderer.zones.catalogue import Zone

MEAN_CAR = PanelVariation(*[0.0] * 17)
SIZE = panels._Size(2.2, 0.9, 1.45)
PIXELS_M = (0.03, 0.06, 0.12)


def _across(pixel: float, shift: float, reach_m: float = 3.0) -> np.ndarray:
    """Offsets of the pixels of a line, one of them ``shift`` pixels beside 0."""
    count = int(reach_m / pixel)
    return (np.arange(-count, count + 1) + shift) * pixel


@pytest.mark.parametrize("pixel", PIXELS_M)
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_all_pixels_together_have_one_line(pixel: float, shift: float) -> None:
    assert sum(line_share(x, pixel) for x in _across(pixel, shift)) == pytest.approx(1.0)


@pytest.mark.parametrize("pixel", PIXELS_M)
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("half", [0.01, 0.25])
def test_all_pixels_together_have_the_width_of_a_strip(pixel: float, shift: float, half: float) -> None:
    assert sum(strip_share(x, half, pixel) for x in _across(pixel, shift)) * pixel == pytest.approx(2 * half)


@pytest.mark.parametrize("pixel", PIXELS_M)
def test_gaps_between_doors_take_the_same_away_at_every_distance(pixel: float) -> None:
    """Three gaps of 24 mm, 1.3 deviations deep."""
    row = [panels._side(x, 0.9, pixel, SIZE, MEAN_CAR, False) for x in _across(pixel, 0.2)]
    assert sum(row) * pixel == pytest.approx(-3 * 0.024 * 1.3)


@pytest.mark.parametrize("tone", [(1.0, -1.6), (0.0, 0.4)])
def test_a_plate_has_its_size_at_every_distance(tone: tuple[float, float]) -> None:
    car, (_, level) = MEAN_CAR._replace(plate_tone=tone[0]), tone
    sums = []
    for pixel in PIXELS_M:
        rows, columns = _across(pixel, 0.4, 1.5), _across(pixel, 0.1, 1.5)
        plate = [[panels._plate(y, z + 0.7, pixel, SIZE, car, True) for y in columns] for z in rows]
        sums.append(np.sum(plate) * pixel**2)
    frame_m2, plate_m2 = 0.56 * 0.17, 0.50 * 0.11
    np.testing.assert_allclose(sums, 0.5 * (-2.4 * (frame_m2 - plate_m2) + level * plate_m2), rtol=1e-6)


def _uneven(points: np.ndarray, pixel: float = 0.001) -> np.ndarray:
    return np.array([unevenness(*point, pixel) for point in points])


def test_unevenness_has_mean_0_and_the_variance_of_its_octaves() -> None:
    """Each octave is 0.75 times two sines, whose phases have nothing to do with each other."""
    points = np.random.default_rng(0).uniform(-20.0, 20.0, (40000, 3))
    octave = (0.75 * 0.5) ** 2
    values = _uneven(points)
    assert values.mean() == pytest.approx(0.0, abs=0.015)
    assert values.var() == pytest.approx(4 * octave, rel=0.03)
    for count, pixel in enumerate((0.3, 0.2, 0.1, 0.05)):
        assert _uneven(points, pixel).var() == pytest.approx(count * octave, rel=0.05), "finer than two pixels: none"


def test_unevenness_has_no_period_along_a_car() -> None:
    x, z = np.meshgrid(np.arange(0.0, 9.0, 0.03), np.arange(0.0, 1.5, 0.03))
    side = _uneven(np.stack([x, np.full_like(x, 0.9), z], axis=-1).reshape(-1, 3)).reshape(x.shape)
    near = side[:, :150].ravel()
    again = [np.corrcoef(near, side[:, lag : lag + 150].ravel())[0, 1] for lag in range(20, 150)]
    assert max(again) < 0.5


def test_each_car_has_unevenness_of_its_own() -> None:
    frame = parked(zones=(Zone.UNDERBODY, Zone.UNDERBODY))
    region, inside = region_of(frame)
    one, other = (panel_details(frame, region, inside, MEAN_CAR._replace(dirt_x=x)) for x in (0.0, 1.0))
    assert abs(np.corrcoef(one - one.mean(), other - one.mean())[0, 1]) < 0.98
    assert not np.array_equal(one, other)


def test_low_parts_are_warmer_than_high_ones() -> None:
    """By 0.9 deviations from the roof to the ground: the slope over many cars, whose unevenness averages out."""
    frame = parked(zones=(Zone.UNDERBODY, Zone.UNDERBODY))
    region, inside = region_of(frame)
    rng = np.random.default_rng(0)
    cars = [MEAN_CAR._replace(dirt_x=x, dirt_y=y) for x, y in rng.normal(0.0, 3.0, (120, 2))]
    mean = np.mean([panel_details(frame, region, inside, car) for car in cars], axis=0).reshape(80, 100)
    height_m = -(np.arange(60, 140) + 0.5 - 100.0) / 300.0 * 15.0
    slope = np.polyfit(height_m, mean.mean(axis=1), 1)[0]
    assert slope == pytest.approx(-0.9 / region.item.box_3d.height_m, rel=0.1)


def test_a_seal_stands_between_two_zones_and_nowhere_else() -> None:
    two, one = parked(zones=(Zone.EXHAUST, Zone.UNDERBODY)), parked(zones=(Zone.UNDERBODY, Zone.UNDERBODY))
    region, inside = region_of(two)
    change = (panel_details(two, region, inside, MEAN_CAR) - panel_details(one, region, inside, MEAN_CAR)).reshape(
        80, 100
    )
    pixel_m = 15.0 / 300.0
    np.testing.assert_allclose(change[29, :-1], -0.9 * 0.03 / pixel_m, atol=1e-5)
    assert not change[:29].any()
    assert not change[30:].any()
    bright = MEAN_CAR._replace(seal=-1.0)
    change = panel_details(two, region, inside, bright) - panel_details(one, region, inside, bright)
    assert change.max() == pytest.approx(0.7 * 0.9 * 0.03 / pixel_m, abs=1e-5)


def test_far_away_nothing_is_left_but_the_rise() -> None:
    """Parts of a car that fill no pixel are not seen: at 15 km a pixel is 50 m wide."""
    for x, z in ((0.0, 0.9), (0.5, 0.6)):
        assert abs(panels._side(x, z, 50.0, SIZE, MEAN_CAR, True)) < 0.01
    assert unevenness(1.0, 2.0, 0.5, 50.0) == 0.0


def test_details_follow_the_car_and_not_the_picture() -> None:
    """A car seen twice as large has the same details in every second pixel."""
    frame = parked()
    region, inside = region_of(frame)
    seam = PanelVariation(*np.random.default_rng(2).standard_normal(17).tolist())
    shift = np.eye(4)
    shift[0, 3] = 100.0  # car and camera moved together
    moved = dataclasses.replace(frame, cam_to_world=shift @ frame.cam_to_world)
    item = dataclasses.replace(region.item, object_to_world=shift @ region.item.object_to_world)
    there = panel_details(moved, region._replace(item=item), inside, seam)
    np.testing.assert_allclose(there, panel_details(frame, region, inside, seam), atol=1e-4)
    assert math.isfinite(there.sum())
