"""Pixels in step against single points in float64, numpy, and each other in pictures of odd sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from thermal_scenes import every_zone, profiles, winter_night

from renderer.geometry.frame import Frame
from renderer.optional import fast_kernel, found_intrinsic
from renderer.random_streams import Draw
from renderer.thermal.kernels import Passes
from renderer.thermal.lanes.in_step import (
    LANES,
    angle_of,
    anywhere,
    bare,
    choose,
    cosine,
    exponential,
    lanes_at,
    looked_up,
    pair,
    put,
    whole,
)
from renderer.thermal.physics import render_thermal
from renderer.thermal.pixels.order import FIRST_OBJECT, ROW_SHIFT, in_order
from renderer.thermal.planck import band_radiance, radiance_in_step, temperature_in_step
from renderer.thermal.planck import band_table as table_of_band
from renderer.thermal.surface import lattice, noise2, road_pattern, wrapped
from renderer.zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone

Array = NDArray[Any]
compiled_only = pytest.mark.skipif(found_intrinsic() is None, reason="numba is not installed")
COUNT = 40 * LANES


@fast_kernel
def noises(values: Array, xs: Array, ys: Array, numbers: Array, out: Array) -> None:
    """Of places that are looked up by number."""
    for i in range(0, numbers.size, LANES):
        at = lanes_at(numbers, i)
        put(out, at, noise2(values, looked_up(xs, at), looked_up(ys, at)))


@fast_kernel
def one_noise(values: Array, x: float, y: float) -> float:
    return noise2(values, x, y)


@fast_kernel
def roads(values: Array, along: Array, across: Array, fine: Array, numbers: Array, heat: Array, iron: Array) -> None:
    for i in range(0, numbers.size, LANES):
        size = lanes_at(fine, i)
        warmth, covers = road_pattern(values, lanes_at(along, i), lanes_at(across, i), size, 4.0 * size)
        put(heat, lanes_at(numbers, i), warmth)
        put(iron, lanes_at(numbers, i), covers)


@fast_kernel
def turns(x: Array, y: Array, numbers: Array, cosines: Array, angles: Array, both: Array) -> None:
    for i in range(0, numbers.size, LANES):
        at, a, b = lanes_at(numbers, i), lanes_at(x, i), lanes_at(y, i)
        put(cosines, at, cosine(a))
        put(angles, at, angle_of(b, a))
        low, high = pair(x, choose(at < numbers.size - 1, at, 0))
        rising = choose((low < high) & (b > 0.0), whole(b), -1)
        put(both, at, rising if anywhere(b > 0.0) else 0 * rising - 1)


@fast_kernel
def powers(x: Array, numbers: Array, out: Array) -> None:
    for i in range(0, numbers.size, LANES):
        put(out, lanes_at(numbers, i), exponential(lanes_at(x, i)))


@fast_kernel
def bands(kelvin: Array, forward: Array, inverse: Array, numbers: Array, radiance: Array, back: Array) -> None:
    for i in range(0, numbers.size, LANES):
        at, seen = lanes_at(numbers, i), radiance_in_step(lanes_at(kelvin, i), forward)
        put(radiance, at, seen)
        put(back, at, temperature_in_step(seen, inverse))


def numbers() -> NDArray[np.int32]:
    return np.arange(COUNT, dtype=np.int32)


@compiled_only
def test_noise_in_step_is_that_of_single_points_for_places_in_any_order() -> None:
    rng, values = np.random.default_rng(1), lattice(7)
    x, y = rng.uniform(-600.0, 600.0, (2, COUNT)).astype(np.float32)
    x[:20], y[:20] = np.arange(-10, 10), 255.5
    order = rng.permutation(COUNT).astype(np.int32)
    order[-5:] = order[-6]  # a group that is filled up
    got = np.full(COUNT, 9.0, np.float32)
    noises(wrapped(values), x, y, order, got)
    seen = np.unique(order)
    expected = [one_noise(values, float(x[k]), float(y[k])) for k in seen]
    np.testing.assert_allclose(got[seen], expected, rtol=0, atol=1e-6)
    assert (np.delete(got, seen) == 9.0).all()


@compiled_only
def test_asphalt_in_step_is_that_of_single_points_whichever_ways_neighbours_go() -> None:
    rng, values = np.random.default_rng(2), lattice(7)
    along, across = rng.uniform((-90.0, -9.0), (90.0, 9.0), (COUNT, 2)).astype(np.float32).T.copy()
    fine = np.exp(rng.uniform(np.log(0.002), np.log(0.9), COUNT)).astype(np.float32)
    heat, iron = np.empty((2, COUNT), np.float32)
    roads(wrapped(values), along, across, fine, numbers(), heat, iron)
    places = zip(along.tolist(), across.tolist(), fine.tolist(), strict=True)
    expected = np.array([road_pattern(values, a, b, size, 4.0 * size) for a, b, size in places])
    np.testing.assert_allclose(heat, expected[:, 0], rtol=0, atol=3e-4)
    np.testing.assert_allclose(iron, expected[:, 1], rtol=0, atol=3e-4)
    assert heat.std() > 0.2


@compiled_only
def test_turns_choices_and_neighbours_are_those_of_numpy() -> None:
    x, y = np.random.default_rng(3).uniform(-300.0, 300.0, (2, COUNT)).astype(np.float32)
    x[:8], y[:8] = (0, 0, 1, -1, 1, -1, 0, 2), (1, -1, 0, 0, 1, -1, 0, -3)
    cosines, angles, both = np.empty((3, COUNT), np.float32)
    turns(x, y, numbers(), cosines, angles, both)
    np.testing.assert_allclose(cosines, np.cos(x.astype(np.float64)), rtol=0, atol=4e-5)  # 300 in float32: 1.5e-5
    np.testing.assert_allclose(angles, np.arctan2(y.astype(np.float64), x), rtol=0, atol=1e-6)
    rises = np.append(x[:-1] < x[1:], x[0] < x[1])
    expected = np.where(rises & (y > 0), np.trunc(y), -1)
    assert np.array_equal(both, expected)


@compiled_only
@compiled_only
def test_an_array_with_gaps_is_no_row_of_numbers() -> None:
    """Its numbers lie elsewhere than a bare table's would: the compiler must say so, not read what lies between."""
    from numba.core.errors import TypingError

    @fast_kernel
    def first(table: NDArray[np.float64]) -> int:
        return int(bare(table).size)

    assert first(np.zeros((3, 4))) == 12
    for gaps in (np.zeros((3, 4)).T, np.zeros(8)[::2]):
        with pytest.raises(TypingError):
            first(gaps)


def test_powers_of_e_are_those_of_numpy_and_stay_where_they_would_leave_float32() -> None:
    x = np.random.default_rng(6).uniform(-80.0, 80.0, COUNT).astype(np.float32)
    x[:6] = 0.0, 1.0, -80.0, 80.0, -1e9, 1e9
    out = np.empty(COUNT, np.float32)
    powers(x, numbers(), out)
    expected = np.exp(np.clip(x.astype(np.float64), -80.0, 80.0))
    np.testing.assert_allclose(out, expected, rtol=3e-7)


@compiled_only
def test_the_band_in_step_is_the_integral_of_planck_and_leads_back() -> None:
    kelvin = np.random.default_rng(4).uniform(200.0, 900.0, COUNT).astype(np.float32)
    radiance, back = np.empty((2, COUNT), np.float32)
    table = table_of_band()
    bands(kelvin, table.forward, table.inverse, numbers(), radiance, back)
    np.testing.assert_allclose(radiance, band_radiance(kelvin), rtol=1e-5)
    np.testing.assert_allclose(back, kelvin, rtol=0, atol=2e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 3), (13, 21)])
@pytest.mark.parametrize("objects_only", [False, True])
def test_every_pixel_is_in_the_group_of_what_it_shows(size: tuple[int, int], objects_only: bool) -> None:
    rng = np.random.default_rng(5)
    zone = rng.choice([0, 1, 3, 32, 33, 35], size).astype(np.uint8)
    ids = rng.choice([0, 4, 9], size).astype(np.uint16)
    depth = rng.choice([3.0, np.inf], size).astype(np.float32)
    passes = Passes(depth, zone, ids, np.zeros(size, np.uint16), np.zeros((*size, 3), np.float32))
    row_of_id = np.zeros(65536, np.int32)
    row_of_id[[4, 9]] = 2, 1
    order = in_order(passes, row_of_id, 3, objects_only)
    is_object = (zone < FIRST_ENVIRONMENT_ZONE) & (ids > 0)
    expected = np.where(is_object, FIRST_OBJECT + 32 * row_of_id[ids] + zone.astype(np.int32), zone)
    expected = np.where((zone == Zone.SKY) | np.isinf(depth), int(Zone.SKY), expected)
    got = np.full(size, -1)
    for kind, start, end in zip(order.kinds, order.starts, order.ends, strict=True):
        places = order.places[start:end]
        assert len(places) % LANES == 0
        assert len(set(places.tolist())) > len(places) - LANES
        got[places >> ROW_SHIFT, places & 0xFFFF] = kind
        if kind >= FIRST_OBJECT:
            rows, columns = np.divmod(order.numbers[start:end], size[1])
            assert np.array_equal((rows << ROW_SHIFT) + columns, places)
    assert np.array_equal(got, np.where((ids == 0) & objects_only, -1, expected))


def test_neighbours_are_told_apart_to_the_last_bit_and_rows_from_each_other() -> None:
    """As plain Python too, which would fail where the loop leaves its arrays."""
    zone = np.array([[3, 3, 255], [255, 255, 3], [3, 3, 3]], np.uint8)
    ids = np.array([[65535, 65535, 65535], [65535, 65534, 0], [0, 1, 1]], np.uint16)
    depth = np.array([[1.0, 1.0, 1.0], [1.0, np.nan, 1.0], [1.0, 1e7, 9.9e6]], np.float32)
    passes = Passes(depth, zone, ids, np.zeros((3, 3), np.uint16), np.zeros((3, 3, 3), np.float32))
    row_of_id = np.zeros(65536, np.int32)
    row_of_id[[65535, 1]] = 1, 2
    sky = int(Zone.SKY)
    expected = {(0, 0): 291, (0, 1): 291, (0, 2): 255, (1, 0): 255, (1, 1): sky, (1, 2): 3, (2, 0): 3, (2, 1): sky}
    expected[2, 2] = FIRST_OBJECT + 2 * 32 + 3
    for function in (in_order, getattr(in_order, "_function", in_order)):
        order = function(passes, row_of_id, 3, False)
        got = {
            (place >> ROW_SHIFT, place & 0xFFFF): kind
            for kind, start, end in zip(order.kinds.tolist(), order.starts, order.ends, strict=True)
            for place in order.places[start:end].tolist()
        }
        assert got == expected


def cut(frame: Frame, top: int, left: int, height: int, width: int) -> Frame:
    """A part of a picture, seen by the same camera."""
    lens = frame.camera
    camera = dataclasses.replace(lens, width=width, height=height, cx=lens.cx - left, cy=lens.cy - top)
    passes = ("depth_m", "zone", "instance_id", "part", "normal")
    return dataclasses.replace(
        frame,
        camera=camera,
        **{name: getattr(frame, name)[top : top + height, left : left + width] for name in passes},
    )


@pytest.mark.parametrize("part", [(0, 0, 1, 1), (2, 3, 3, 7), (1, 5, 2, 9), (0, 0, 6, 33)])
def test_a_pixel_is_the_same_to_the_bit_whichever_go_in_step_with_it(part: tuple[int, int, int, int]) -> None:
    frame = every_zone()
    conditions = winter_night(hour=12.0, sun_elevation_deg=30.0, sun_azimuth_deg=170.0)
    whole_K = render_thermal(frame, conditions, profiles(), Draw(3, 0)).apparent_temperature_K
    top, left, height, width = part
    kelvin = render_thermal(cut(frame, *part), conditions, profiles(), Draw(3, 0)).apparent_temperature_K
    assert kelvin.shape == (height, width)
    assert np.array_equal(kelvin, whole_K[top : top + height, left : left + width])
