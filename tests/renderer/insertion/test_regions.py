"""Where the cars of a frame are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from insertion_scenes import COLUMNS, ROWS, SIZE, parked

from renderer.errors import ThermalError
from renderer.insertion.regions import affected_window, car_regions, check_size

NOTHING = np.zeros(SIZE, np.float32)


def test_a_visible_car_has_its_tight_box_and_a_hidden_one_none() -> None:
    frame = parked()
    assert [region.window for region in car_regions(frame)] == [(ROWS, COLUMNS)]
    hidden = dataclasses.replace(frame.instances[0], box_visible_px=None, visible_px=0)
    assert car_regions(dataclasses.replace(frame, instances=(hidden,))) == []


def test_the_window_holds_cars_their_ground_and_room_for_the_blur() -> None:
    frame, warm = parked(), NOTHING.copy()
    assert affected_window(frame, NOTHING) == (slice(52, 148), slice(92, 208))
    assert affected_window(frame, NOTHING, below=0.25) == (slice(52, 168), slice(92, 208))
    warm[150, 20] = -0.5
    assert affected_window(frame, warm) == (slice(52, 159), slice(12, 208))


def test_a_frame_without_cars_has_no_window() -> None:
    frame = dataclasses.replace(parked(), instance_id=np.zeros(SIZE, np.uint16), instances=())
    assert affected_window(frame, NOTHING) is None


def test_sizes_must_agree() -> None:
    with pytest.raises(ThermalError, match=r"background is \(8, 8\): expected the frame's \(200, 300\)"):
        check_size(np.zeros((8, 8), np.uint8), parked())
