"""Tables of a comparison: further folders are measured by hand-made differences, the sheet shows what it should."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.papers.rows import class_errors, sheet, table

NAMES = ("a", "b", "c")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report of one model whose images are 51 grey levels too bright inside a box, and right elsewhere."""
    for name in NAMES:
        image = np.full((40, 40), 100, dtype=np.uint8)
        for kind in ("source", "real"):
            _write(tmp_path / "sets/test" / kind / f"{name}.png", image)
        image[10:30, 10:30] += 51
        _write(tmp_path / "runs/m-x-1/images/test" / f"{name}.png", image)
    return tmp_path


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def test_errors_of_classes(report: Path) -> None:
    boxes = {
        "images": [{"id": k, "file_name": f"{name}.png", "width": 80, "height": 80} for k, name in enumerate(NAMES)],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [20, 20, 40, 40]}],
        "categories": [{"id": 1, "name": "car"}],
    }
    (report / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    errors = class_errors(report / "sets/test/real", report / "runs/m-x-1/images/test", report / "boxes.json")
    assert errors["car"] == pytest.approx(0.2)
    # Of the background 2 x 400 of 3 x 1600 - 400 pixels are off.
    assert errors["background"] == pytest.approx(0.2 * (800 / 4400) ** 0.5)


def test_a_table_has_means_and_intervals() -> None:
    value = {"mean": 0.25, "low": 0.2, "high": 0.3}
    row = {"name": "m:x=1", "means": {"test": {"ssim": value}}, "cost": {"epochs": 1}}
    lines = table([row, {"name": "other", "means": {}, "cost": {}}], "test")
    assert lines[2:] == ["| `m:x=1` | - | - | - | - | - | 0.250 (0.200, 0.300) |"]


def test_the_sheet_shows_each_model(report: Path) -> None:
    rows = [{"name": "grey copy", "cost": {}}, {"name": "m:x=1", "cost": {"epochs": 1}}]
    sheet(report, rows, NAMES, report / "sheet.jpg")
    picture = cv2.imread(str(report / "sheet.jpg"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (18 + 3 * 40, 3 * 40)  # source, real, one model
    centres = [int(picture[18 + 20, 40 * column + 20]) for column in range(3)]
    assert centres == pytest.approx([100, 100, 151], abs=4)
