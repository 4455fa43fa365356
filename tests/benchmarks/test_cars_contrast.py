"""Figures of cars in their surroundings, on pictures whose figures are known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.contrast.cars import Crop, crops, look


def picture() -> NDArray[np.float32]:
    """Surroundings of 100, a box of 40x30 px that is half 60 and half 180."""
    image = np.full((120, 160), 100.0, np.float32)
    image[40:55, 50:90], image[55:70, 50:90] = 60.0, 180.0
    return image


def test_levels_are_those_over_the_surroundings() -> None:
    found = look(Crop(picture(), (50, 40, 90, 70)))
    assert (found.darkest, found.brightest) == pytest.approx((-40.0, 80.0))
    assert found.stands_out == pytest.approx(20.0)
    assert found.spread == pytest.approx(60.0)
    assert (found.gradient, found.steepest) == pytest.approx((0.0, 0.5), abs=0.01)


def test_cars_that_are_cut_or_hidden_do_not_count(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    boxes = [("car", [50, 40, 90, 70]), ("car", [0, 40, 20, 60]), ("car", [100, 40, 130, 60]),
             ("person", [105, 42, 125, 80]), ("car", [100, 90, 130, 110])]  # fmt: skip
    frame = {"split": "train", "boxes_full": [{"cls": kind, "xyxy": box} for kind, box in boxes]}
    (tmp_path / "boxes.json").write_text(json.dumps({"a": frame, "b": {**frame, "split": "val"}}))
    found = [crop.box for crop in crops(f"{tmp_path}={tmp_path / 'boxes.json'}", "train")]
    assert found == [(50, 40, 90, 70), (100, 90, 130, 110)]
