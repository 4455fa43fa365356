"""The contrast of people on a picture whose levels are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.people.contrast import contrasts, measure, real_people


def picture() -> np.ndarray:
    """Two people of 200 and 240 beside each other on 90, above ground of 120."""
    grey = np.full((300, 300), 90, np.uint8)
    grey[200:] = 120
    grey[100:200, 100:140] = 200
    grey[100:200, 142:182] = 240
    return grey


def test_a_person_is_compared_with_what_surrounds_it_and_not_with_the_next() -> None:
    one, next_to_it = (100.0, 100.0, 140.0, 200.0), (142.0, 100.0, 182.0, 200.0)
    alone = measure(picture(), one, [next_to_it], "a", "night")
    assert alone is not None
    assert (alone.body, alone.around, alone.ground, alone.contrast) == (200.0, 90.0, 120.0, 110.0)


@pytest.mark.parametrize("box", [(1.0, 100.0, 40.0, 200.0), (100.0, 100.0, 190.0, 200.0), (100.0, 100.0, 110.0, 130.0)])
def test_cut_wide_and_small_boxes_are_left_out(box: tuple[float, ...]) -> None:
    assert measure(picture(), box, [], "a", "day") is None


def test_somebody_between_others_has_no_surroundings() -> None:
    others = [(60.0, 90.0, 100.0, 210.0), (140.0, 90.0, 182.0, 210.0)]
    assert measure(picture(), (100.0, 100.0, 140.0, 200.0), others, "a", "day") is None


def test_intervals_hold_the_median() -> None:
    people = [measure(picture(), (100.0, 100.0, 140.0, 200.0), [], f"{k}", "day") for k in range(4)]
    found = contrasts([one for one in people if one is not None], np.random.default_rng(1))
    assert found["median_interval"] == [found["median"]] * 2
    assert found["spread"] == 0.0


def test_real_people_count_as_far_as_made_frames_show_them(tmp_path: Path) -> None:
    """A frame of 640x512 with one person in its middle and one at its side, which a square window leaves out."""
    grey = np.full((512, 640), 90, np.uint8)
    grey[200:300, 300:340], grey[200:300, 20:60] = 200, 240
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    people = [{"cls": "person", "xyxy": [300, 200, 340, 300]}, {"cls": "person", "xyxy": [20, 200, 60, 300]}]
    boxes = {"a": {"split": "train", "time": "day", "boxes_full": people}}
    whole, wide, square, half = (
        [(one.contrast, one.height_px) for one in real_people(tmp_path, boxes, "train", size_px=size)]
        for size in (None, (640, 512), (512, 512), (256, 256))
    )
    assert whole == wide == [(110.0, 100.0), (150.0, 100.0)]
    assert square == [(110.0, 100.0)]
    assert half == [(110.0, 50.0)]
