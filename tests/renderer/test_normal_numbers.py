"""Normal numbers are numpy's own, to the bit; the loop as plain Python too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import renderer.normal_numbers as normal_numbers
from renderer.normal_numbers import standard_normals
from renderer.optional import found_intrinsic

compiled_only = pytest.mark.skipif(found_intrinsic() is None, reason="numba is not installed")
TAIL = 3.6541529
"""Beyond it lies one number in 3870."""


def numpys(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)


@compiled_only
def test_numpy_draws_as_this_does() -> None:
    assert normal_numbers._draws_as_numpy()
    asked = numpys(5, normal_numbers._ASKED)
    assert (np.abs(asked) > TAIL).sum() >= 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 300_001])
def test_numbers_are_those_of_numpy(count: int) -> None:
    for seed in (0, 7):
        ours = standard_normals(np.random.default_rng(seed), count)
        assert ours.dtype == np.float32
        assert ours.tobytes() == numpys(seed, count).tobytes()


def test_those_of_the_tail_are_numpys_too() -> None:
    ours = normal_numbers._drawn(np.random.default_rng(11), 200_000) if found_intrinsic() else numpys(11, 200_000)
    far = np.abs(ours) > TAIL
    assert far.sum() >= 20
    assert np.array_equal(ours[far], numpys(11, 200_000)[far])


@compiled_only
@pytest.mark.parametrize("spare", [0, 1, 2, 7])
def test_words_that_do_not_suffice_are_added_to(spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normal_numbers, "_BITS_A_NUMBER", 0.3)
    monkeypatch.setattr(normal_numbers, "_SPARE", spare)
    for count in (1, 2, 5, 50, 5000):
        ours = normal_numbers._drawn(np.random.default_rng(3), count)
        assert ours.tobytes() == numpys(3, count).tobytes()


def test_the_loop_as_plain_python_stops_within_its_words() -> None:
    plain: Any = getattr(normal_numbers._fill, "_function", normal_numbers._fill)
    words = normal_numbers._words(np.random.default_rng(11), 6000)
    wanted = numpys(11, 6000)
    for short in (0, 1, 2, 3, 10, 4000):
        out = np.full(6000, np.nan, np.float32)
        done = plain(words[:short], normal_numbers._ziggurat(), out)
        assert done <= short
        np.testing.assert_allclose(out[:done], wanted[:done], rtol=1e-6)


def test_a_numpy_that_draws_otherwise_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normal_numbers, "_STEPS", 2.0**22)
    normal_numbers._ziggurat.cache_clear()
    normal_numbers._draws_as_numpy.cache_clear()
    try:
        assert not normal_numbers._draws_as_numpy()
        assert standard_normals(np.random.default_rng(2), 500).tobytes() == numpys(2, 500).tobytes()
    finally:
        monkeypatch.undo()
        normal_numbers._ziggurat.cache_clear()
        normal_numbers._draws_as_numpy.cache_clear()
