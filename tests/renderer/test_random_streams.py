"""Streams of random numbers: the key of each, and that the numbers of a published dataset never change."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from renderer.random_streams import Draw, Stream, dataset_rng

ROOT = Path(__file__).resolve().parents[2]


def test_a_stream_is_keyed_by_seed_number_and_stream() -> None:
    ours = Draw(7, 42).rng(Stream.SENSOR).standard_normal(8)
    assert np.array_equal(ours, np.random.default_rng([7, 42, 3]).standard_normal(8))
    part = Draw(7, 42).rng(Stream.SURFACE, 1).standard_normal(8)
    assert np.array_equal(part, np.random.default_rng([7, 42, 2, 1]).standard_normal(8))
    assert np.array_equal(dataset_rng(7, Stream.SENSOR).random(8), np.random.default_rng([7, 3]).random(8))


@pytest.mark.parametrize("seed", [0, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**70 + 5])
def test_a_seed_of_any_size_is_what_numpy_makes_of_it(seed: int) -> None:
    ours = Draw(seed, 3).rng(Stream.CONDITIONS, 7).random(4)
    assert np.array_equal(ours, np.random.default_rng([seed, 3, 1, 7]).random(4))


def test_an_attempt_is_drawn_as_a_frame_that_no_dataset_has() -> None:
    third = Draw(0, 5, attempt=2).rng(Stream.TRAFFIC).random(4)
    assert np.array_equal(third, np.random.default_rng([0, 2_000_005, 0]).random(4))


def test_the_numbers_are_those_of_the_datasets_made_so_far() -> None:
    assert {stream.name: int(stream) for stream in Stream} == {
        "TRAFFIC": 0,
        "CONDITIONS": 1,
        "SURFACE": 2,
        "SENSOR": 3,
        "BACKGROUND": 4,
        "CAMERA": 5,
        "HARMONISATION": 6,
        "BACKGROUND_NOISE": 7,
        "FIT_WEATHER": 9,
        "SENSOR_VARIETY": 10,
        "FINISH": 15,
        "PEOPLE": 20,
        "PEOPLE_HEAT": 21,
        "TRIPS": 16,
        "WORLD": 40,
        "WEATHER": 70,
        "TRACK": 51,
        "MOTION": 50,
        "DAYLIGHT": 60,
        "OTHER_HEAT": 34,
        "TRAMS": 35,
        "TRAILERS": 37,
        "VISIBLE": 90,
        "APPEARANCE": 61,
        "TWO_WHEELERS": 30,
        "TWO_WHEELER_HEAT": 31,
        "COMPANIONS": 32,
        "SEATED": 33,
        "RIDERS": 36,
    }


def test_no_two_streams_of_some_frames_are_correlated() -> None:
    draws = [Draw(seed, index, attempt) for seed in (0, 1) for index in (0, 1) for attempt in (0, 1)]
    values = [draw.rng(stream).standard_normal(400) for draw in draws for stream in Stream]
    # Six deviations of the correlation of independent samples: one pair in 5e8 lies beyond.
    assert max(abs(float(np.corrcoef(a, b)[0, 1])) for a, b in combinations(values, 2)) < 6.0 / np.sqrt(400)


@pytest.mark.parametrize("numbers", [(-1, 0), (0, -1), (0, 0, -1)])
def test_negative_numbers_are_refused_by_name(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="of 0 or more"):
        Draw(*numbers)


def test_it_runs_with_numpy_alone() -> None:
    code = (
        "import sys\nfor name in ('numba', 'cv2', 'scipy'): sys.modules[name] = None\n"
        "from renderer.random_streams import Draw, Stream; Draw(0, 0).rng(Stream.CAMERA)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
