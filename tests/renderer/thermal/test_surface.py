"""Surface patterns against what noise, lines and bells are by definition, and the shapes that they draw.

A lattice of zeros switches all noise off; on a lattice of one constant all noise is that constant. Shapes then stand
alone, and can be compared with numbers that follow from their sizes in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from renderer.thermal import surface as module
from renderer.zones.catalogue import Zone

Array = np.ndarray[Any, Any]
ZERO = np.zeros((256, 256), np.float32)
RANDOM = module.lattice(7)


def constant(value: float) -> Array:
    return np.full((256, 256), value, np.float32)


# --- one helper per kernel: broadcasts its arguments ------------------------------------------------------------------


def over(kernel: Callable[..., Any], *arguments: Any) -> Array:
    """The kernel at each element of the broadcast arguments, float64."""
    arrays = np.broadcast_arrays(*[np.asarray(a, np.float64) for a in arguments])
    results = [kernel(*map(float, point)) for point in zip(*(a.ravel() for a in arrays), strict=True)]
    return np.asarray(results, np.float64).reshape(arrays[0].shape + np.shape(results[0]))


def noise(values: Array, x: Any, y: Any) -> Array:
    return over(lambda *a: module.noise2(values, *a), x, y)


def bump(distance: Any, width: Any) -> Array:
    return over(module._bump, distance, width)


def line(distance: Any, width: Any, fine: Any) -> Array:
    return over(module._line, distance, width, fine)


def fade(size: Any, fine: Any) -> Array:
    return over(module._fade, size, fine)


def step(low: Any, high: Any, x: Any) -> Array:
    return over(module._step, low, high, x)


def cell_number(values: Array, i: Any, j: Any) -> Array:
    return over(lambda *a: module._hash01(values, *a), i, j)


def wheel(
    values: Array, x: Any, z: Any, y: Any = 0.0, *, radius: float = 0.3, shift: float = 0.0, fine: float = 1e-4
) -> Array:
    return over(lambda *a: module.wheel_pattern(values, *a, radius, shift, fine), x, y, z)


def on_car(values: Array, zone: Zone, u: Any, v: Any, w: Any, *, fine: float = 1e-4, shift: float = 0.0) -> Array:
    """At shares of half length, half width and height of a car of 4 x 2 x 1.5 m."""
    x, y, z = 2.0 * np.asarray(u), np.asarray(v), 1.5 * np.asarray(w)
    return over(lambda *a: module.car_pattern(values, int(zone), *a, 2.0, 1.0, 1.5, shift, fine), x, y, z)


def road(values: Array, along: Any, across: Any, *, fine: float = 1e-4, coarse: float = 1e-4) -> tuple[Array, Array]:
    both = over(lambda *a: module.road_pattern(values, *a, fine, coarse), along, across)
    return both[..., 0], both[..., 1]


def pavement(values: Array, along: Any, across: Any, *, coarse: float = 1e-6) -> Array:
    return over(lambda *a: module.pavement_pattern(values, *a, coarse), along, across)


def building(values: Array, across: Any, z: Any, *, part: int = 1, fine: float = 1e-4) -> Array:
    return over(lambda *a: module.building_pattern(values, *a, part, fine), across, z)


def leaves(values: Array, x: Any, y: Any, z: Any = 2.0, *, fine: float = 1e-4) -> tuple[Array, Array]:
    both = over(lambda *a: module.vegetation_pattern(values, *a, fine), x, y, z)
    return both[..., 0], both[..., 1]


def dapple(values: Array, x: Any, y: Any) -> Array:
    return over(lambda *a: module.sun_dapple(values, *a), x, y)


def person(values: Array, height: Any, x: Any = 0.0, y: Any = 0.0) -> Array:
    return over(lambda *a: module.person_warmth(values, *a), x, y, height, height)


def window(values: Array, across: Any, z: Any, *, part: int = 0) -> Array:
    return over(lambda *a: module.window_pattern(values, *a, part), across, z)


def integral(values: Array, at: Array) -> float:
    return float(((values[1:] + values[:-1]) / 2 * np.diff(at)).sum())


# --- lattice and noise ------------------------------------------------------------------------------------------------


def test_the_lattice_is_uniform_white_and_follows_the_seed() -> None:
    assert RANDOM.shape == (256, 256)
    assert RANDOM.dtype == np.float32
    assert np.abs(RANDOM).max() <= 1.0
    assert RANDOM.mean() == pytest.approx(0.0, abs=0.01)
    assert RANDOM.var() == pytest.approx(1 / 3, rel=0.02)
    quarter = [np.quantile(RANDOM, q) for q in (0.25, 0.5, 0.75)]
    assert quarter == pytest.approx([-0.5, 0.0, 0.5], abs=0.02)
    # The autocorrelation of white noise: nothing but the peak at 0 (5 standard errors of 1/256 each).
    power = np.abs(np.fft.fft2(RANDOM - RANDOM.mean())) ** 2
    correlation = np.fft.ifft2(power).real / (RANDOM.var() * RANDOM.size)
    assert np.abs(correlation.ravel()[1:]).max() < 5.5 / 256
    assert np.array_equal(module.lattice(7), RANDOM)
    assert abs(np.corrcoef(module.lattice(8).ravel(), RANDOM.ravel())[0, 1]) < 0.02


def test_noise_goes_through_the_lattice_x_along_columns() -> None:
    x, y = np.meshgrid([0, 3, 200, 255], [0, 5, 131])
    assert np.array_equal(noise(RANDOM, x, y), RANDOM[y, x].astype(np.float64))


def test_noise_is_hermite_interpolation_with_no_slope_at_the_lattice() -> None:
    """The cubic Hermite polynomial with zero slopes, from scipy, along each axis in turn."""
    from scipy.interpolate import CubicHermiteSpline

    points = np.arange(9)
    x, y = np.random.default_rng(0).uniform(0.0, 8.0, (2, 300))
    rows = CubicHermiteSpline(points, RANDOM[:9, :9].astype(np.float64), np.zeros((9, 9)), axis=1)(x)  # (9, 300)
    expected = [float(CubicHermiteSpline(points, rows[:, k], np.zeros(9))(y[k])) for k in range(300)]
    np.testing.assert_allclose(noise(RANDOM, x, y), expected, atol=1e-6)


def test_noise_is_continuous_across_cells_also_below_zero_and_repeats_after_256() -> None:
    at = np.random.default_rng(1).uniform(-9.0, 9.0, 60)
    for edge in (-3.0, 0.0, 255.0, 256.0):
        np.testing.assert_allclose(noise(RANDOM, edge - 1e-7, at), noise(RANDOM, edge + 1e-7, at), atol=1e-5)
        np.testing.assert_allclose(noise(RANDOM, at, edge - 1e-7), noise(RANDOM, at, edge + 1e-7), atol=1e-5)
    here = noise(RANDOM, at, at[::-1])
    np.testing.assert_allclose(noise(RANDOM, at + 256.0, at[::-1] - 512.0), here, atol=1e-5)
    for shorter in (64.0, 128.0):
        assert abs(np.corrcoef(noise(RANDOM, at + shorter, at[::-1]), here)[0, 1]) < 0.5


def test_noise_keeps_a_constant_and_has_the_variance_of_its_weights() -> None:
    x, y = np.random.default_rng(2).uniform(0.0, 256.0, (2, 20_000))
    np.testing.assert_allclose(noise(constant(0.625), x[:50], y[:50]), 0.625, atol=1e-12)
    # Uniform numbers have variance 1/3; the weights t and 1 - t of an axis keep 2 * integral of (3 t^2 - 2 t^3)^2.
    assert noise(RANDOM, x, y).var() == pytest.approx((26 / 35) ** 2 / 3, rel=0.03)


# --- bells, lines, steps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [0.04, 1.0])
def test_a_bump_is_a_bell(width: float) -> None:
    distance = np.linspace(-3.0 * width, 3.0 * width, 6001)
    bell = bump(distance, width)
    assert bell.max() == bell[3000] == 1.0
    np.testing.assert_allclose(bell, bell[::-1], atol=1e-12)
    assert not bell[np.abs(distance) >= 2.0 * width].any()
    assert np.ptp(distance[bell >= 0.5]) / 2 == pytest.approx(width * 2.0 * np.sqrt(1.0 - np.sqrt(0.5)), rel=2e-3)
    assert integral(bell, distance) == pytest.approx(2.0 * width * 16 / 15, rel=1e-5)


@pytest.mark.parametrize("fine", [0.0, 0.02, 0.1, 0.7])
def test_a_line_covers_the_same_area_however_large_the_pixels_are(fine: float) -> None:
    distance = np.linspace(-1.0, 1.0, 20_001)
    coverage = line(distance, 0.05, fine)
    assert coverage.min() >= 0.0
    assert coverage.max() == pytest.approx(min(1.0, 0.05 / fine) if fine else 1.0)
    assert integral(coverage, distance) == pytest.approx(0.05, rel=1e-4)
    assert not coverage[np.abs(distance) > max(0.05, fine) + 1e-9].any()


def test_detail_fades_between_a_quarter_and_five_quarters_of_its_size() -> None:
    assert fade(0.4, np.array([0.0, 0.1, 0.3, 0.5, 9.0])) == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])


def test_a_step_is_smooth_symmetric_and_may_go_down() -> None:
    x = np.linspace(-1.0, 4.0, 501)
    up = step(1.0, 3.0, x)
    assert not up[x <= 1.0].any()
    assert (up[x >= 3.0] == 1.0).all()
    np.testing.assert_allclose(up + step(1.0, 3.0, 4.0 - x), 1.0, atol=1e-12)
    np.testing.assert_allclose(step(3.0, 1.0, x), 1.0 - up, atol=1e-12)
    slope = (step(1.0, 3.0, np.array([1.0, 2.0, 3.0]) + 1e-5) - step(1.0, 3.0, np.array([1.0, 2.0, 3.0]) - 1e-5)) / 2e-5
    assert slope == pytest.approx([0.0, 1.5 / 2.0, 0.0], abs=1e-4)


def test_numbers_of_cells_are_uniform_and_unlike_their_neighbours() -> None:
    i, j = np.meshgrid(np.arange(-40, 88), np.arange(-30, 66))
    number = cell_number(RANDOM, i, j)
    assert number.min() >= 0.0
    assert number.max() <= 1.0
    assert number.mean() == pytest.approx(0.5, abs=0.02)
    assert number.var() == pytest.approx(1 / 12, rel=0.06)
    for neighbour in (number[:, 1:] - number[:, :-1], number[1:] - number[:-1], number[1:, 1:] - number[:-1, :-1]):
        assert neighbour.var() == pytest.approx(2 / 12, rel=0.06)  # of two independent numbers
    row = cell_number(RANDOM, np.arange(256), 5.0)
    assert len(np.unique(row)) > 250


# --- wheel ------------------------------------------------------------------------------------------------------------


def ring(share: float, values: Array = ZERO, *, radius: float = 0.3, shift: float = 0.0, fine: float = 1e-4) -> Array:
    """The upper half of a circle at that share of the wheel's radius, every degree: (181,)."""
    angle = np.radians(np.arange(181))
    x, z = share * radius * np.cos(angle), share * radius * np.sin(angle)
    return wheel(values, x, z, radius=radius, shift=shift, fine=fine)


def test_rings_of_a_wheel_from_tread_to_hub() -> None:
    assert ring(0.97) == pytest.approx(0.75 + 0.45)  # in the middle groove
    assert ring(0.97, fine=0.05) == pytest.approx(0.75)
    assert ring(0.9) == pytest.approx(0.25 + 0.35, abs=1e-6)
    assert ring(0.68) == pytest.approx(0.25)
    # Halfway up the wall its step is a half, and the groove, a hundredth away, has (1 - (1/8)^2)^2 of its depth.
    assert ring(0.81) == pytest.approx(0.25 + 0.35 / 2 - 0.25 * (63 / 64) ** 2)
    assert ring(0.0) == pytest.approx(-1.9 + 0.7)
    assert ring(0.4).max() == pytest.approx(-1.9 + 2.0)  # the brake through an opening
    assert ring(0.4).min() == pytest.approx(-1.9)  # a spoke
    assert ring(0.62).max() == pytest.approx(-1.9 - 0.4, abs=0.01)


def test_a_wheel_has_five_spokes_that_turn_with_its_shift() -> None:
    spokes = ring(0.4)
    np.testing.assert_allclose(spokes[:109], spokes[72:], atol=1e-9)
    assert np.abs(spokes[:145] - spokes[36:]).max() > 1.9
    turned = ring(0.4, shift=np.radians(5 * 10))
    np.testing.assert_allclose(turned[:171], spokes[10:], atol=1e-9)


def test_a_wheel_scales_with_its_radius_and_is_warm_at_the_road() -> None:
    np.testing.assert_allclose(ring(0.5, radius=0.6), ring(0.5), atol=1e-9)
    height = np.array([0.3, -0.3])
    top, bottom = wheel(ZERO, 0.0, height)
    assert bottom - top == pytest.approx(0.45)
    level = wheel(ZERO, 0.29, 1e-9)
    assert level == pytest.approx(wheel(ZERO, 0.29, -1e-9))


def test_noise_of_a_wheel_lies_on_the_tread_more_than_on_the_wall() -> None:
    assert ring(0.97, constant(1.0)) - ring(0.97) == pytest.approx(0.25 + 0.2)
    assert ring(0.7, constant(1.0)) - ring(0.7) == pytest.approx(0.2)
    y = np.linspace(-0.1, 0.1, 400)  # tread blocks across the tyre, some centimetres wide
    across = wheel(RANDOM, 0.0, 0.3, y)
    assert across.std() > 0.05
    assert np.abs(np.diff(across)).max() < 0.05


# --- car --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "amplitude"),
    [(Zone.BODY, 0.45 + 0.5 + 0.3), (Zone.ROOF, 0.5), (Zone.GLASS, 0.45 + 0.9), (Zone.BONNET, 0.3), (Zone.GRILLE, 0.3),
     (Zone.LAMP, 0.08), (Zone.UNDERBODY, 0.4), (Zone.TYRE, 0.5), (Zone.EXHAUST, 0.9)],
)  # fmt: skip
def test_noise_of_a_zone_has_its_amplitude_and_the_shape_below_it_is_the_same_on_both_sides(
    zone: Zone, amplitude: float
) -> None:
    u, v, w = np.random.default_rng(3).uniform((-0.95, 0.0, 0.05), (0.95, 1.0, 1.0), (200, 3)).T
    shape = on_car(ZERO, zone, u, v, w)
    np.testing.assert_allclose(on_car(constant(1.0), zone, u, v, w) - shape, amplitude, atol=1e-6)
    np.testing.assert_allclose(on_car(constant(-0.5), zone, u, v, w) - shape, -0.5 * amplitude, atol=1e-6)
    if zone != Zone.UNDERBODY:  # its exhaust line lies on one side
        np.testing.assert_allclose(on_car(ZERO, zone, u, -v, w), shape, atol=1e-9)
    noisy = on_car(RANDOM, zone, u, v, w) - shape
    assert noisy.std() > 0.15 * amplitude
    assert np.abs(noisy).max() <= amplitude + 1e-9
    other = on_car(RANDOM, zone, u, v, w, shift=61.7) - shape  # another car
    assert abs(np.corrcoef(noisy, other)[0, 1]) < 0.75


def test_panels_cool_upwards_and_warm_at_engine_and_arches() -> None:
    door = on_car(ZERO, Zone.BODY, 0.15, 0.5, np.array([0.5, 0.7, 0.9]))
    assert np.diff(door) == pytest.approx([-0.22, -0.22])
    assert on_car(ZERO, Zone.BODY, 0.15, 0.5, 0.42) == pytest.approx(0.0, abs=1e-12)
    wing, rear_wing = on_car(ZERO, Zone.BODY, np.array([0.72, -0.72]), 0.5, 0.4) - 1.1 * 0.02
    assert wing > rear_wing + 0.5  # the engine is in front
    arches = on_car(ZERO, Zone.BODY, np.array([0.62, -0.6]), 0.5, 0.2) - on_car(ZERO, Zone.BODY, 0.15, 0.5, 0.2)
    assert arches[1] == pytest.approx(0.8, abs=1e-6)
    assert arches[0] > 0.8


def test_gaps_handles_and_sill_are_cool_lines_on_the_side_only() -> None:
    for u in (0.3, -0.05, -0.38):
        on, beside = on_car(ZERO, Zone.BODY, np.array([u, u - 0.012]), 0.9, 0.45)
        assert on - beside == pytest.approx(-1.1, abs=0.02)
        assert np.ptp(on_car(ZERO, Zone.BODY, np.array([u, u - 0.012]), 0.5, 0.45)) < 0.1
    for u in (0.02, -0.31):
        assert on_car(ZERO, Zone.BODY, u, 0.9, 0.58) - 1.1 * (0.42 - 0.58) == pytest.approx(-0.9, abs=1e-6)
        assert on_car(ZERO, Zone.BODY, u, 0.9, 0.58, fine=0.1) - 1.1 * (0.42 - 0.58) > -0.1  # too small to be seen
    sill, above = on_car(ZERO, Zone.BODY, 0.15, 0.9, np.array([0.17, 0.19]))
    assert sill - above == pytest.approx(-0.5 + 1.1 * 0.02, abs=1e-6)


def test_the_exhaust_warms_the_bumper_above_it() -> None:
    there, other, high = on_car(ZERO, Zone.BODY, -0.97, np.array([0.6, -0.6, 0.6]), np.array([0.15, 0.15, 0.5]))
    assert there - other == pytest.approx(1.1)
    assert np.ptp(on_car(ZERO, Zone.BODY, 0.97, np.array([0.6, -0.6]), 0.15)) < 1e-9, "none in front"
    assert high == pytest.approx(on_car(ZERO, Zone.BODY, -0.97, -0.6, 0.5))


def period_m(values: Array, step_m: float) -> float:
    """Wavelength of the strongest harmonic, metres."""
    power = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(len(values))))
    return float(len(values) * step_m / np.argmax(power))


def test_bows_slats_and_heating_wires_are_regular_and_vanish_from_afar() -> None:
    x, z = np.arange(0.0, 11.0, 0.01), np.arange(0.0, 1.6, 0.001)
    bows = on_car(ZERO, Zone.ROOF, x / 2.0, 0.0, 1.0)
    assert period_m(bows, 0.01) == pytest.approx(0.55, rel=0.02)
    assert np.ptp(bows) == pytest.approx(0.7, abs=1e-3)
    slats = on_car(ZERO, Zone.GRILLE, 0.95, 0.0, z / 1.5)
    assert period_m(slats, 0.001) == pytest.approx(0.05, rel=0.03)
    assert np.ptp(slats) == pytest.approx(1.1, abs=1e-2)
    slope = on_car(ZERO, Zone.GLASS, 0.0, 0.0, z / 1.5)  # windscreen: no wires
    wires = on_car(ZERO, Zone.GLASS, -0.5, 0.0, z / 1.5) - slope
    assert period_m(wires, 0.001) == pytest.approx(0.035, rel=0.03)
    assert np.ptp(wires) == pytest.approx(0.2, abs=1e-2)
    assert np.ptp(on_car(ZERO, Zone.ROOF, x / 2.0, 0.0, 1.0, fine=0.4)) == 0.0
    assert np.ptp(on_car(ZERO, Zone.GRILLE, 0.95, 0.0, z / 1.5, fine=0.05)) == 0.0


def test_glass_is_warmest_along_its_lower_edge_and_in_the_middle() -> None:
    assert on_car(ZERO, Zone.GLASS, 0.4, 0.0, np.array([0.52, 0.76, 1.0])) == pytest.approx([0.75, -0.35, -1.45])
    middle, half, side = on_car(ZERO, Zone.GLASS, 0.4, np.array([0.0, 0.5, 1.0]), 0.8)
    assert (middle - half, middle - side) == pytest.approx((0.05, 0.2))


def test_the_engine_shows_through_bonnet_grille_and_underbody() -> None:
    assert on_car(ZERO, Zone.BONNET, np.array([0.68, 0.2]), 0.0, 0.6) == pytest.approx([0.75, -0.75])
    u = np.linspace(0.0, 1.0, 201)
    assert u[np.argmax(on_car(ZERO, Zone.BONNET, u, 0.0, 0.6))] == pytest.approx(0.68, abs=0.006)
    ribs = on_car(ZERO, Zone.BONNET, 0.2, np.array([0.55, -0.55, 0.6]), 0.6)
    assert ribs - ribs[2] == pytest.approx([-0.25, -0.25, 0.0])
    middle, side = on_car(ZERO, Zone.GRILLE, 1.0, np.array([0.0, 1.0]), 0.3)
    assert middle - side == pytest.approx(0.7)
    front, rear = on_car(ZERO, Zone.UNDERBODY, np.array([0.6, -0.8]), 0.8, 0.1)
    assert front - rear == pytest.approx(1.1, abs=1e-6)
    left, right = on_car(ZERO, Zone.UNDERBODY, -0.5, np.array([0.15, -0.4]), 0.1)
    assert left - right == pytest.approx(0.5)
    assert on_car(ZERO, Zone.UNDERBODY, -1.1, 0.15, 0.1) == pytest.approx(-0.5)  # the tail pipe ends


def test_lamps_and_fixed_tyres() -> None:
    bulb, diode = (on_car(ZERO, Zone.LAMP, 0.95, 0.7, 0.0, fine=0.2, shift=shift) for shift in (7.3, 7.8))
    assert (bulb, diode) == pytest.approx((4.1, 1.1))
    assert on_car(ZERO, Zone.LAMP, 0.95, 0.5, 0.0, fine=0.2) == pytest.approx(0.0)  # the cover beside the bulb
    assert on_car(ZERO, Zone.LAMP, -0.95, 0.8, 0.0, fine=0.2, shift=7.3) == pytest.approx(0.9)
    assert on_car(ZERO, Zone.TYRE, 0.6, 0.9, np.array([0.0, 0.07, 0.14, 0.3])) == pytest.approx([0.6, 0.3, 0.0, 0.0])


# --- street -----------------------------------------------------------------------------------------------------------


def test_wheel_tracks_repeat_with_the_lane_and_seams_lie_between() -> None:
    across = np.linspace(-1.649, 1.649, 1100)
    heat, iron = road(ZERO, 3.0, across, coarse=0.3)
    assert not iron.any()
    for lane in (-2, 1, 3):
        np.testing.assert_allclose(road(ZERO, 3.0, across + 3.3 * lane, coarse=0.3)[0], heat, atol=1e-6)
    np.testing.assert_allclose(heat, heat[::-1], atol=1e-9)
    base = road(ZERO, 3.0, 1.4, coarse=0.3)[0]
    assert road(ZERO, 3.0, np.array([0.78, -0.78]), coarse=0.3)[0] - base == pytest.approx([0.4, 0.4], abs=1e-6)
    assert road(ZERO, 3.0, 0.0, coarse=0.3)[0] - base == pytest.approx(-0.25, abs=1e-6)
    assert road(ZERO, 3.0, 1.62, coarse=0.3)[0] - base == pytest.approx(0.25, abs=1e-6)
    assert np.ptp(road(ZERO, np.arange(0.0, 40.0, 0.1), 0.5)[0]) == 0.0


def test_manhole_covers_are_discs_of_two_feet_in_every_cell_that_has_one() -> None:
    values = constant(-1.0)  # all cells draw 0: a cover 4 m into each 17 m, 2 m to the right
    along, across = np.meshgrid(np.arange(3.4, 4.6, 0.02), np.arange(-2.6, -1.4, 0.02))
    for cell in (0, 2, -1):
        _, iron = road(values, along + 17.0 * cell, across)
        assert iron.max() == 1.0
        assert iron.sum() * 4e-4 == pytest.approx(np.pi * 0.33**2, rel=0.01)
        assert (iron * along).sum() / iron.sum() == pytest.approx(4.0, abs=0.01)
        assert (iron * across).sum() / iron.sum() == pytest.approx(-2.0, abs=0.01)
    assert road(values, 4.0, -2.0, coarse=0.375)[1] == pytest.approx(0.5)
    assert road(values, 4.0, -2.0, coarse=1.3)[1] == 0.0
    at = np.array([4.38, 6.0])  # the frame around the lid is warm
    rim = road(values, at, -2.0)[0]
    assert rim[0] - rim[1] == pytest.approx(1.2)


def test_repairs_are_rectangles_with_a_sealed_edge() -> None:
    values = constant(1.0)  # all cells draw 1: a patch 12 m into each cell, 4 x 0.9 m, 2.5 m to the left
    base = road(values, 2.0, 2.5)[0]
    assert road(values, np.array([10.1, 12.0, 13.9, 29.0]), 2.5)[0] - base == pytest.approx([0.64] * 4)
    assert road(values, np.array([9.9, 14.1]), 2.5)[0] - base == pytest.approx([0.0, 0.0], abs=1e-6)
    edge = road(values, np.array([10.0, 14.0]), 2.5)[0]
    assert edge - base == pytest.approx([0.32 + 0.5] * 2)
    for across, inside in ((2.1, True), (2.9, True), (1.9, False), (3.1, False)):
        heat = road(values, 12.0, across)[0] - road(values, 2.0, across)[0]
        assert heat == pytest.approx(0.64 if inside else 0.0, abs=1e-6)


def test_four_cells_of_ten_have_a_cover_and_no_cell_two() -> None:
    along, across = np.meshgrid(np.arange(0.0, 17.0, 0.5), np.arange(-2.75, 2.76, 0.25))
    cells = [road(RANDOM, along + 17.0 * cell, across)[1] for cell in range(100)]
    assert sum(bool(iron.any()) for iron in cells) / 100 == pytest.approx(0.4, abs=0.15)  # 3 standard errors
    assert max((iron > 0).sum() for iron in cells) * 0.5 * 0.25 < 2.5 * np.pi * 0.36**2


def test_detail_of_a_road_comes_in_without_a_jump() -> None:
    along, across = np.random.default_rng(5).uniform(-50.0, 50.0, (2, 60))
    for threshold in (0.25, 0.1):
        below, above = (road(RANDOM, along, across, coarse=threshold + e)[0] for e in (-1e-6, 1e-6))
        np.testing.assert_allclose(below, above, atol=1e-4)
    scan = np.stack([road(RANDOM, along[:20], across[:20], coarse=c)[0] for c in np.arange(0.08, 0.3, 0.0005)])
    assert np.abs(np.diff(scan, axis=0)).max() < 0.01
    fine, far = (road(RANDOM, along, across, coarse=c)[0] for c in (0.005, 0.24))
    assert np.abs(fine - far).max() > 0.05
    for kernel, thresholds in ((leaves, (0.5, 0.14)),):
        for threshold in thresholds:
            below, above = (kernel(RANDOM, along, across, fine=threshold + e)[0] for e in (-1e-6, 1e-6))
            np.testing.assert_allclose(below, above, atol=1e-4)


def test_slabs_of_half_a_metre_have_cool_joints_of_the_right_area() -> None:
    at = (np.arange(200) + 0.5) / 400
    along, across = np.meshgrid(at, at)
    slab = pavement(ZERO, along, across)
    # A joint falls from 1 to 0 in 0.03 of a slab from each of four edges: 4 * integral of (1 - d / 0.03) (1 - 2 d).
    assert slab.mean() == pytest.approx(-0.6 * 4 * (0.03 / 2 - 2 * 0.03**2 / 6), rel=0.01)
    assert slab.min() > -0.6
    assert pavement(ZERO, np.array([0.0, 0.5, 0.1]), np.array([0.3, 0.2, 1.0])) == pytest.approx([-0.6] * 3)
    assert pavement(ZERO, 0.25, 0.25) == 0.0
    np.testing.assert_allclose(pavement(ZERO, along[::20] + 1.5, across[::20] - 7.0), slab[::20], atol=1e-6)
    wide = pavement(ZERO, along, across, coarse=0.1)  # pixels of 0.2 slabs smear a joint and keep its area
    assert wide.mean() == pytest.approx(-0.6 * 4 * 0.15 * (0.2 / 2 - 2 * 0.2**2 / 6), rel=0.01)
    assert not pavement(ZERO, along[::20], across[::20], coarse=0.7).any()


def test_slabs_differ_from_each_other_and_not_within() -> None:
    i, j = np.meshgrid(np.arange(40), np.arange(40))
    detail = pavement(RANDOM, 0.5 * i + 0.25, 0.5 * j + 0.25) - pavement(
        RANDOM, 0.5 * i + 0.25, 0.5 * j + 0.25, coarse=9.0
    )
    assert detail.std() == pytest.approx(0.35 / np.sqrt(3), rel=0.1)
    assert detail.mean() == pytest.approx(0.0, abs=0.03)
    corner = pavement(RANDOM, 0.5 * i + 0.4, 0.5 * j + 0.1) - pavement(RANDOM, 0.5 * i + 0.4, 0.5 * j + 0.1, coarse=9.0)
    np.testing.assert_allclose(corner, detail, atol=1e-5)
    assert pavement(constant(1.0), 0.25, 0.25) == pytest.approx(0.7 + 0.35 + 0.35)


def test_a_wall_leads_heat_out_at_its_floors_and_is_damp_at_its_foot() -> None:
    z = np.arange(3.0, 12.0, 0.01)
    wall = building(ZERO, 0.0, z)
    np.testing.assert_allclose(wall[:600], wall[300:], atol=1e-9)
    assert z[np.argmax(wall[:250] + 0) + 0] == pytest.approx(3.0)
    assert wall.max() - wall.min() == pytest.approx(0.55, abs=1e-4)
    assert wall.mean() == pytest.approx(-0.25 + 0.55 * (2 * 0.16 * 16 / 15) / 3.0, abs=1e-3)
    assert building(ZERO, 0.0, np.array([0.6, 1.5])) == pytest.approx([0.5 * 0.8 - 0.25, 0.5 * 0.5 - 0.25])
    assert building(ZERO, 0.0, 6.0, fine=0.6) == pytest.approx(-0.25)
    assert building(constant(1.0), 0.3, 4.5) - building(ZERO, 0.3, 4.5) == pytest.approx(0.9 + 0.7 + 0.4 + 0.3)


def test_no_two_houses_are_alike() -> None:
    across, z = np.meshgrid(np.arange(0.0, 12.0, 0.8), np.arange(3.5, 12.0, 0.7))
    houses = np.stack([building(RANDOM, across, z, part=part, fine=0.2).ravel() for part in range(24)])
    means = houses.mean(axis=1)
    assert means.std() > 0.35
    apart = houses - means[:, None]
    assert np.abs(np.corrcoef(apart)[np.triu_indices(24, 1)]).max() < 0.9


def test_crowns_have_no_streaks() -> None:
    rng = np.random.default_rng(8)
    points, aside = rng.uniform(-40.0, 40.0, (3, 1500)), rng.normal(size=(600, 3))

    def finest(places: Array) -> Array:
        return leaves(RANDOM, *places)[0] - leaves(RANDOM, *places, fine=0.14)[0]

    here = finest(points)
    for direction in aside / np.linalg.norm(aside, axis=1, keepdims=True):
        assert np.corrcoef(here, finest(points + 0.4 * direction[:, None]))[0, 1] < 0.7


def test_leaves_catch_the_sun_as_their_pattern_says() -> None:
    x, y = np.random.default_rng(6).uniform(-40.0, 40.0, (2, 400))
    for fine, amplitude in ((1.0, 0.55), (0.16, 0.55 + 0.91 * (1.25 - 0.16 / 0.35)), (1e-3, 0.55 + 0.91 + 0.98)):
        heat, sun = leaves(RANDOM, x, y, fine=fine)
        assert leaves(constant(1.0), 1.0, 2.0, fine=fine)[0] == pytest.approx(amplitude, abs=1e-6)
        np.testing.assert_allclose(sun, np.interp(heat, [-1.0, 1.0], [0.0, 1.0]), atol=1e-9)
        assert heat.mean() == pytest.approx(0.0, abs=0.1)
    assert sun.min() == 0.0 or sun.max() == 1.0  # the finest pattern reaches the ends


def test_dapple_is_a_share_with_soft_edges() -> None:
    level = np.array([-1.0, 0.0, 0.05, 0.25, 0.45, 1.0]) / 1.55  # noises of 1, 0.35 and 0.2 add up
    shares = [float(dapple(constant(value), 3.3, 8.8)) for value in level]
    assert shares == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0, 1.0], abs=1e-6)
    x, y = np.random.default_rng(7).uniform(0.0, 900.0, (2, 4000))
    share = dapple(RANDOM, x, y)
    assert 0.2 < share.mean() < 0.45
    assert share.min() == 0.0
    assert share.max() == 1.0
    near = [float(np.abs(dapple(RANDOM, x[:800] + d, y[:800]) - share[:800]).mean()) for d in (0.01, 1.0, 40.0)]
    assert near[0] < 0.02 < near[1] < near[2]  # crowns of some metres


def test_a_person_is_bare_from_the_neck_up_and_coolest_at_the_legs() -> None:
    assert person(ZERO, np.array([0.1, 0.3, 0.6, 0.9, 1.42, 1.46, 1.5, 1.8])) == pytest.approx(
        [0.25, 0.25, 0.29, 0.33, 0.33, 0.625, 0.92, 0.92]
    )
    assert person(constant(1.0), np.array([1.2, 1.6])) == pytest.approx([0.45, 0.92])
    x = np.random.default_rng(8).uniform(-0.3, 0.3, 200)
    folds = person(RANDOM, 1.2, x, x[::-1])
    assert folds.min() >= 0.33 - 0.12
    assert folds.max() <= 0.33 + 0.12
    assert folds.std() > 0.01


def test_each_window_is_a_room_of_its_own() -> None:
    assert window(constant(0.5), 0.7, 1.5) == pytest.approx(0.65)
    i, j = np.meshgrid(np.arange(48), np.arange(24))
    rng = np.random.default_rng(9)
    spots = [(i + a) * 1.4 for a in rng.uniform(0.02, 0.98, 6)], [(j + b) * 3.0 for b in rng.uniform(0.02, 0.98, 6)]
    seen = np.stack([window(RANDOM, a, b) for a, b in zip(*spots, strict=True)])
    assert (np.ptp(seen, axis=0) <= 0.6 + 1e-9).all()  # curtains: 0.3 to either side
    rooms = seen.mean(axis=0)
    assert rooms.std() == pytest.approx(1 / np.sqrt(3), rel=0.1)
    assert abs(np.corrcoef(rooms[:, 1:].ravel(), rooms[:, :-1].ravel())[0, 1]) < 0.12
    assert abs(np.corrcoef(rooms[1:].ravel(), rooms[:-1].ravel())[0, 1]) < 0.12
    other = window(RANDOM, spots[0][0], spots[1][0], part=5)
    assert abs(np.corrcoef(other.ravel(), seen[0].ravel())[0, 1]) < 0.25
