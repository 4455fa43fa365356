"""Levels of street, horizon and sky on a picture whose levels are known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.contrast.streets import levels, pictures


def picture() -> NDArray[np.float32]:
    """A sky of 20, a horizon of 150, a street of 90."""
    image = np.full((200, 160), 90.0, np.float32)
    image[:50], image[50:110] = 20.0, 150.0
    return image


def test_levels_are_those_of_the_parts() -> None:
    found = levels(picture())
    assert found["horizon - street"] == pytest.approx(60.0)
    assert found["horizon - top"] == pytest.approx(130.0)
    assert found["street"] == pytest.approx(90.0)
    assert found["deviation"] == pytest.approx(float(np.std([20.0] * 50 + [150.0] * 60 + [90.0] * 90)))


def test_real_frames_are_taken_by_split_and_hour(tmp_path: Path) -> None:
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture())
    frames = {"a": {"split": "train", "time": "day"}, "b": {"split": "val", "time": "day"},
              "c": {"split": "train", "time": "night"}}  # fmt: skip
    (tmp_path / "boxes.json").write_text(json.dumps(frames))
    place = f"{tmp_path}={tmp_path / 'boxes.json'}"
    assert [time for time, _ in pictures(place, "train")] == ["day", "night"]
    assert [time for time, _ in pictures(place, None)] == ["day", "day", "night"]
