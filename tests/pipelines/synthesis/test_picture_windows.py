"""Windows around what a model paints."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipelines.synthesis.windows import PictureWindow, box_around, grown, picture_windows, place_of, within

SIZE = (300, 512)


def _painted(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W) with these boxes (top, left, bottom, right) painted."""
    painted = np.zeros(SIZE, np.bool_)
    for top, left, bottom, right in boxes:
        painted[top:bottom, left:right] = True
    return painted


def _boxes(windows: list[PictureWindow]) -> list[tuple[int, int, int, int]]:
    return [(one.rows.start, one.columns.start, one.rows.stop, one.columns.stop) for one in windows]


def _area(window: PictureWindow) -> int:
    return (window.rows.stop - window.rows.start) * (window.columns.stop - window.columns.start)


def test_a_window_lies_on_the_grid_and_shows_the_margin() -> None:
    windows = picture_windows(_painted((100, 200, 140, 260)), margin_px=32, step_px=32)
    assert _boxes(windows) == [(64, 160, 192, 320)]


def test_a_window_ends_with_the_picture() -> None:
    assert _boxes(picture_windows(_painted((280, 0, 300, 10)), margin_px=32, step_px=32)) == [(224, 0, 300, 64)]


def test_nothing_painted_needs_no_window() -> None:
    assert picture_windows(_painted(), margin_px=32, step_px=32) == []


def test_a_model_that_needs_the_whole_picture_gets_it() -> None:
    painted = _painted((10, 10, 20, 20), (250, 480, 260, 490))
    assert _boxes(picture_windows(painted, margin_px=32, step_px=512)) == [(0, 0, *SIZE)]


def test_far_patches_have_windows_of_their_own_and_near_ones_share() -> None:
    far = picture_windows(_painted((100, 20, 110, 30), (100, 480, 110, 490)), margin_px=32, step_px=32)
    assert len(far) == 2
    near = picture_windows(_painted((100, 20, 110, 30), (100, 40, 110, 50)), margin_px=32, step_px=32)
    assert len(near) == 1
    assert near[0].painted.sum() == 200


@pytest.mark.parametrize("seed", range(20))
def test_every_painted_pixel_is_in_one_window_with_its_margin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = [(int(rng.integers(0, SIZE[0] - 60)), int(rng.integers(0, SIZE[1] - 80))) for _ in range(6)]
    painted = _painted(*((y, x, y + int(rng.integers(1, 60)), x + int(rng.integers(1, 80))) for y, x in corners))
    windows = picture_windows(painted, margin_px=16, step_px=32)
    times = np.zeros(SIZE, np.int64)
    for window in windows:
        times[place_of(window.box)] += window.painted
        inside = np.zeros(SIZE, np.bool_)
        inside[place_of(window.box)] = window.painted
        rows, columns = np.nonzero(inside[window.rows, window.columns])
        high, wide = inside[window.rows, window.columns].shape
        assert len(rows) == window.painted.sum()
        assert window.rows.start == 0 or rows.min() >= 16
        assert window.columns.start == 0 or columns.min() >= 16
        assert window.rows.stop == SIZE[0] or rows.max() < high - 16
        assert window.columns.stop == SIZE[1] or columns.max() < wide - 16
    np.testing.assert_array_equal(times, painted)
    count, label = cv2.connectedComponents(painted.astype(np.uint8), connectivity=8)
    alone = [picture_windows(label == number, margin_px=16, step_px=32) for number in range(1, count)]
    assert sum(map(_area, windows)) <= sum(_area(one) for (one,) in alone), "sharing is no loss"


@pytest.mark.parametrize("seed", range(4))
def test_a_part_of_a_picture_has_the_windows_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = [(int(rng.integers(70, 200)), int(rng.integers(50, 350))) for _ in range(4)]
    painted = _painted(*((y, x, y + int(rng.integers(1, 30)), x + int(rng.integers(1, 50))) for y, x in corners))
    around = box_around(painted)
    assert around is not None
    box = grown(around, 5, SIZE)
    assert within(around, box) == (5, 5, around[2] - box[0], around[3] - box[1])
    whole = picture_windows(painted, margin_px=16, step_px=32)
    part = picture_windows(painted[place_of(box)], margin_px=16, step_px=32, corner=box[:2], size=SIZE)
    assert [(one.rows, one.columns, one.box) for one in part] == [(one.rows, one.columns, one.box) for one in whole]
    for one, other in zip(part, whole, strict=True):
        np.testing.assert_array_equal(one.painted, other.painted)


def test_nothing_has_no_box() -> None:
    assert box_around(_painted()) is None
    assert box_around(_painted((3, 4, 7, 9), (20, 30, 21, 31))) == (3, 4, 21, 31)
