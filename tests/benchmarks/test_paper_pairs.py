"""Real pairs laid out for `gis compare`: links, whole sequences held back, boxes of the crops that fit them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.papers.pairs import coco_boxes, prepare
from pipelines.comparison.samples import read_objects

ROWS = {
    "a_1": {"split": "train", "group": 1, "crop_boxes_ok": False, "crop_size": [90, 60], "boxes_crop": []},
    "b_1": {
        "split": "val",
        "group": 2,
        "crop_boxes_ok": True,
        "crop_size": [90, 60],
        "boxes_crop": [{"cls": "car", "xyxy": [15, 10, 45, 40]}, {"cls": "17", "xyxy": [0, 0, 9, 9]}],
    },
}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    for folder, names in (
        ("roadscene/crop_LR_visible", ROWS),
        ("roadscene/cropinfrared", ROWS),
        ("msrs/vi", ["n"]),
        ("msrs/ir", ["n"]),
    ):
        (tmp_path / "shared" / folder).mkdir(parents=True)
        for name in names:
            path = tmp_path / "shared" / folder / f"{name}.png"
            assert cv2.imwrite(str(path), np.zeros((60, 90), dtype=np.uint8))
    (tmp_path / "shared/roadscene/boxes.json").write_text(json.dumps(ROWS), encoding="utf-8")
    return tmp_path / "shared"


def test_what_is_written(shared: Path, tmp_path: Path) -> None:
    for _ in range(2):  # again over what is there
        prepare(shared, tmp_path / "out")
    assert (tmp_path / "out/test.txt").read_text(encoding="utf-8").split() == ["b_1"]
    assert json.loads((tmp_path / "out/sequences.json").read_text(encoding="utf-8")) == {"a_1": "1", "b_1": "2"}
    assert sorted(path.name for path in (tmp_path / "out/roadscene/visible").iterdir()) == ["a_1.png", "b_1.png"]
    assert (tmp_path / "out/msrs/infrared/n.png").resolve() == (shared / "msrs/ir/n.png").resolve()
    # Scaled from the middle 60x60 px to 120: a car at (15 - 15, 10) of 30x30 px becomes one at (0, 20) of 60x60.
    assert read_objects(tmp_path / "out/boxes.json", 120) == {"b_1": [("car", (0.0, 20.0, 60.0, 80.0))]}


def test_images_without_fitting_boxes_are_left_out() -> None:
    assert [image["file_name"] for image in coco_boxes(ROWS)["images"]] == ["b_1.jpg"]
