"""Windows, their boxes and what the network is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.detection.augmentation import View, draw_view, resized, window_px
from pipelines.detection.config import BATCH, MeasureConfig
from pipelines.detection.labelled_images import NOT_COUNTED
from pipelines.detection.network import STRIDE_PX
from pipelines.detection.targets import make_targets

WINDOW_PX = (320, 256)


def test_windows_are_as_large_against_the_image_at_any_width() -> None:
    assert window_px(400) == WINDOW_PX
    assert window_px(640) == (512, 416)  # 0.64 of the width, in 32s
    shares = [draw_view(640, 512, window_px(width), np.random.default_rng(4)).scale / width for width in (400, 640)]
    assert shares[0] == pytest.approx(shares[1])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_boxes_move_as_the_pixels_do(seed: int) -> None:
    """A bright rectangle lies in the window where its box says, to half a pixel of its threshold."""
    rng = np.random.default_rng(seed)
    image = np.full((512, 640), 20, np.uint8)
    left, top = int(rng.integers(150, 300)), int(rng.integers(120, 250))
    right, bottom = left + int(rng.integers(60, 150)), top + int(rng.integers(60, 150))
    image[top:bottom, left:right] = 220
    drawn = draw_view(640, 512, WINDOW_PX, rng)
    view = View(drawn.scale, drawn.left_px, drawn.top_px, drawn.mirrored)
    window = view.image(image, WINDOW_PX)
    (box,) = view.boxes(np.array([[left, top, right, bottom]], np.float32), 640)
    rows, columns = np.nonzero(window > 120)
    inside = (box[0] > 1, box[1] > 1, box[2] < WINDOW_PX[0] - 1, box[3] < WINDOW_PX[1] - 1)
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else (0, 0, 0, 0)
    for within, wanted, got in zip(inside, box, seen, strict=True):
        assert not (all(inside) and within) or abs(wanted - got) <= 0.6


def test_a_whole_image_keeps_its_place() -> None:
    image = np.zeros((512, 640), np.uint8)
    image[256:, 320:] = 200
    window, scale = resized(image, 400)
    assert window.shape == (320, 416)
    assert scale == pytest.approx(0.625)
    assert window[159, 199] < 100 < window[161, 201]


def test_targets_say_where_the_box_is() -> None:
    """At each centre the edges give back the box itself."""
    boxes = np.array([[40, 40, 120, 100], [200, 80, 240, 140]], np.float32)
    targets = make_targets(boxes, np.array([0, 1]), WINDOW_PX, np.array([True, True]))
    for box, kind in zip(boxes, (0, 1), strict=True):
        row, column = np.argwhere(targets.centres[kind] == 1.0)[0]
        x, y = (column + 0.5) * STRIDE_PX, (row + 0.5) * STRIDE_PX
        left, top, right, bottom = targets.edges[:, row, column]
        assert (x - left, y - top, x + right, y + bottom) == pytest.approx(tuple(box), abs=1e-4)
        assert targets.edge_weight[row, column] > 0
    assert (targets.centres == 1.0).sum() == 2


def test_what_is_not_labelled_or_not_counted_teaches_nothing() -> None:
    boxes = np.array([[40, 40, 120, 100], [200, 80, 240, 140]], np.float32)
    targets = make_targets(boxes, np.array([0, NOT_COUNTED]), WINDOW_PX, np.array([True, False]))
    assert targets.counted[1].max() == 0
    assert targets.counted[0, 110 // STRIDE_PX, 220 // STRIDE_PX] == 0
    assert targets.counted[0, 0, 0] == 1
    assert (targets.centres == 1.0).sum() == 1


def test_an_object_mostly_cut_away_is_not_counted() -> None:
    targets = make_targets(np.array([[-200, 40, 20, 100]], np.float32), np.array([0]), WINDOW_PX, np.array([True]))
    assert targets.centres.max() == 0
    assert targets.counted[0, 70 // STRIDE_PX, 0] == 0


@pytest.mark.parametrize("steps", [1, 600, 1800, 3600])
def test_no_window_is_seen_more_often_than_three_times(steps: int) -> None:
    """Real frames and made ones alike are learned by heart when a long training sees the same few windows."""
    config = MeasureConfig(train=("a",), test="a", out=Path("out"), steps=steps)
    assert config.windows >= max(1200, steps * BATCH / 3)
    assert replace(config, views=50).windows == 50
