"""Average precision against values that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.detection.inference import Detections
from pipelines.detection.labelled_images import NOT_COUNTED, LabelledImage
from pipelines.detection.scores import Score, score

CARS = [[0, 0, 40, 40], [100, 0, 140, 40]]


def image(boxes: list[list[float]], classes: list[int] | None = None, name: str = "a", **more: str) -> LabelledImage:
    numbers = np.array(classes if classes is not None else [0] * len(boxes), np.int64)
    return LabelledImage(name, Path(name), np.array(boxes, np.float32).reshape(-1, 4), numbers, **more)


def finds(*rows: tuple[list[float], float], kind: int = 0) -> Detections:
    boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([value for _, value in rows], np.float32)
    return Detections(boxes, scores, np.full(len(rows), kind, np.int64))


def of(labelled: LabelledImage, found: Detections) -> Score:
    return score([labelled], [found], ["car"], draws=0)["car"]


def test_all_found_is_100_and_nothing_found_is_0() -> None:
    whole = of(image(CARS), finds((CARS[0], 0.9), (CARS[1], 0.8)))
    assert whole.ap50["all"] == pytest.approx(100)
    assert whole.ap["all"] == pytest.approx(100)
    assert whole.objects == 2
    assert of(image(CARS), finds()).ap["all"] == 0


def test_half_of_the_objects_gives_precision_1_at_51_of_101_recalls() -> None:
    assert of(image(CARS), finds((CARS[0], 0.9))).ap50["all"] == pytest.approx(100 * 51 / 101)


def test_a_surer_false_find_costs_a_third() -> None:
    found = finds(([300, 0, 340, 40], 0.95), (CARS[0], 0.9), (CARS[1], 0.8))
    assert of(image(CARS), found).ap50["all"] == pytest.approx(100 * 2 / 3)


def test_an_overlap_of_three_quarters_is_right_at_six_of_ten_thresholds() -> None:
    """At 0.5 to 0.75 both are right; above, one false find before the right one: precision 1/2 up to recall 0.5."""
    found = finds(([0, 0, 40, 30], 0.9), (CARS[1], 0.8))
    scored = of(image(CARS), found)
    assert scored.ap50["all"] == pytest.approx(100)
    assert scored.ap["all"] == pytest.approx((6 * 100 + 4 * 100 * 0.5 * 51 / 101) / 10)


def test_a_double_find_is_a_false_one() -> None:
    found = finds((CARS[0], 0.9), (CARS[0], 0.85), (CARS[1], 0.8))
    assert of(image(CARS), found).ap50["all"] == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)


def test_small_objects_and_finds_do_not_count() -> None:
    small = [200, 0, 210, 10]
    assert of(image(CARS), finds((CARS[0], 0.9), (CARS[1], 0.8), (small, 0.99))).ap["all"] == pytest.approx(100)
    assert of(image([*CARS, small]), finds((CARS[0], 0.9), (CARS[1], 0.8))).ap["all"] == pytest.approx(100)


def test_a_find_in_a_region_that_is_not_counted_is_no_mistake() -> None:
    labelled = image([*CARS, [200, 0, 300, 50]], [0, 0, NOT_COUNTED])
    found = finds((CARS[0], 0.9), (CARS[1], 0.8), ([210, 5, 250, 45], 0.99))
    assert of(labelled, found).ap["all"] == pytest.approx(100)


def test_heights_are_told_apart() -> None:
    near, far = [0, 0, 100, 100], [200, 0, 230, 24]
    scored = of(image([near, far]), finds((near, 0.9)))
    assert scored.ap50["64-"] == pytest.approx(100)
    assert scored.ap50["20-32"] == 0
    assert np.isnan(scored.ap50["32-64"])


def test_classes_are_scored_apart() -> None:
    labelled = image(CARS, [0, 1])
    scores = score([labelled], [finds((CARS[0], 0.9))], ["car", "person"], draws=0)
    assert scores["car"].ap50["all"] == pytest.approx(100)
    assert scores["person"].ap50["all"] == 0


def test_times_of_day_are_told_apart() -> None:
    images = [image(CARS, time="day"), image(CARS, name="b", time="night")]
    scored = score(images, [finds((CARS[0], 0.9), (CARS[1], 0.9)), finds()], ["car"], draws=0)["car"]
    assert scored.ap50["day"] == pytest.approx(100)
    assert scored.ap50["night"] == 0


def test_interval_resamples_whole_sequences() -> None:
    """One of two sequences is found: a draw has none, one or both of it, so the interval reaches from 0 to 100."""
    images = [image(CARS, name=name, sequence=name[0]) for name in ("a1", "a2", "b1", "b2")]
    right, nothing = finds((CARS[0], 0.9), (CARS[1], 0.8)), finds()
    scored = score(images, [right, right, nothing, nothing], ["car"], draws=200)["car"]
    assert scored.ap50_interval == (0.0, pytest.approx(100))
    assert 0 < scored.ap50["all"] < 100
    same = score(images, [right] * 4, ["car"], draws=50)["car"]
    assert same.ap50_interval == (pytest.approx(100), pytest.approx(100))
