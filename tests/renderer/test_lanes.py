"""The steps of the z-buffer in vectors against their plain forms, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.optional import kernel
from renderer.raster import lanes

pytestmark = pytest.mark.skipif(lanes.intrinsic is None, reason="numba is not installed")
PIXELS, TIMES = 40, 400


@kernel
def draw(depth: Any, hit: Any, i: int, n: int, c: int, q: float, gx: float, low: float, high: float, face: int) -> None:
    """Compiled."""
    lanes.draw_lanes(depth, hit, i, n, c, q, gx, low, high, face)


@kernel
def rows(first: Any, end: Any, q: Any, row: int, v: Any, width: int) -> None:
    """Compiled."""
    lanes.row_lanes(first, end, q, 3, row, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], width)


@kernel
def looks(depth: Any, stamp: Any, i: int, n: int, closest: float, instance: int) -> tuple[bool, bool, int]:
    """Compiled."""
    seen = lanes.is_seen(depth, i, n, closest)
    new = lanes.is_new_or_seen(depth, stamp, i, n, closest, instance)
    return seen, new, lanes.stamp_lanes(stamp, i, n, instance)


def _depths(rng: np.random.Generator) -> NDArray[np.float64]:
    """Of few values, so that equal ones meet."""
    return rng.integers(1, 5, PIXELS + lanes.LANES) / 8.0


def test_drawing_keeps_the_nearest_and_of_equals_the_lower_number() -> None:
    rng = np.random.default_rng(1)
    for _ in range(TIMES):
        depth, hit = _depths(rng), rng.integers(0, 9, PIXELS + lanes.LANES)
        i, n, column, face = (int(rng.integers(*bounds)) for bounds in ((0, 32), (1, 12), (0, 500), (0, 9)))
        q, gx = float(rng.integers(0, 5)) / 8.0, float(rng.choice([0.0, 0.125, -0.0625, rng.normal()]))
        arguments = i, n, column, q - gx * column, gx, 0.1, 0.55, face
        expected = depth.copy(), hit.copy()
        lanes._draw_lanes(*expected, *arguments)
        draw(depth, hit, *arguments)
        np.testing.assert_array_equal(depth, expected[0])
        np.testing.assert_array_equal(hit, expected[1])


def test_rows_of_a_triangle() -> None:
    rng = np.random.default_rng(2)
    for _ in range(TIMES):
        values = rng.normal(size=10) * rng.choice([1.0, 30.0, 1e4])
        row, length = int(rng.integers(0, 60)), 3 + lanes.LANES
        sets = [(np.zeros(length, np.int32), np.zeros(length, np.int32), np.zeros(length)) for _ in range(2)]
        lanes._row_lanes(*sets[0], 3, row, *values.tolist(), 64)
        rows(*sets[1], row, values, 64)
        for expected, found in zip(*sets, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_what_is_hidden_and_what_is_counted() -> None:
    rng = np.random.default_rng(3)
    for _ in range(TIMES):
        depth, stamp = _depths(rng), rng.integers(1, 3, PIXELS + lanes.LANES).astype(np.uint16)
        i, n, closest = int(rng.integers(0, 32)), int(rng.integers(1, 12)), float(rng.integers(0, 5)) / 8.0
        plain = stamp.copy()
        expected = (
            lanes._is_seen(depth, i, n, closest),
            lanes._is_new_or_seen(depth, plain, i, n, closest, 2),
            lanes._stamp_lanes(plain, i, n, 2),
        )
        assert looks(depth, stamp, i, n, closest, 2) == expected
        np.testing.assert_array_equal(stamp, plain)


@kernel
def filled(out: Any, i: int, value: int) -> None:
    """Compiled."""
    lanes.fill_lanes(out, i, value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_number_is_put_beside_itself(dtype: Any) -> None:
    out = np.zeros(30, dtype)
    filled(out, 5, 211)
    assert (out[5 : 5 + lanes.LANES] == 211).all()
    assert out.sum(dtype=int) == 211 * lanes.LANES


@kernel
def normals(setups: Any, slot: int, sums: Any, i: int, step: int, y: float, out: Any, at: int) -> None:
    """Compiled."""
    lanes.blend_lanes(setups, slot, sums, i, step, y)
    lanes.unit_lanes(sums, i, step, out, at)


def test_normals_are_blended_to_unit_vectors() -> None:
    rng = np.random.default_rng(4)
    for k in range(TIMES):
        setups, step = rng.normal(size=60) * rng.choice([0.0, 1.0], 60, p=[0.1, 0.9]), 24
        slot, i, y, at = int(rng.integers(0, 42)), int(rng.integers(0, 16)), float(rng.integers(0, 500)) + 0.5, 5
        setups[slot + 9 : slot + 18] *= k % 7 > 0  # no normals: no direction
        sets = [(np.full(4 * step + lanes.LANES, 7.0), np.full(60, 7.0, np.float32)) for _ in range(2)]
        lanes._blend_lanes(setups, slot, sets[0][0], i, step, y)
        lanes._unit_lanes(sets[0][0], i, step, sets[0][1], at)
        normals(setups, slot, sets[1][0], i, step, y, sets[1][1], at)
        for expected, found in zip(*sets, strict=True):
            np.testing.assert_array_equal(found, expected)
        vectors = sets[1][1][at : at + 3 * lanes.LANES].reshape(-1, 3).astype(np.float64)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), float(k % 7 > 0), atol=1e-6)
