"""How many real labels a set is worth, and the report that says so."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.detection import measure as module
from pipelines.detection.config import MeasureConfig
from pipelines.detection.inputs import Inputs
from pipelines.detection.plan import Training
from pipelines.detection.worth import worth_in_labels


def test_between_two_numbers_it_goes_by_the_logarithm() -> None:
    assert worth_in_labels([10, 1000], [20.0, 40.0], 30.0) == pytest.approx(100)
    assert worth_in_labels([1000, 10], [40.0, 20.0], 25.0) == pytest.approx(10**1.5)


def test_the_measured_numbers_themselves() -> None:
    labels, reached = [50, 125, 250, 500], [12.0, 20.0, 27.5, 35.0]
    assert [round(worth_in_labels(labels, reached, value)) for value in reached] == labels


def test_beyond_the_curve_nothing_is_made_up() -> None:
    assert worth_in_labels([10, 20], [5.0, 9.0], 4.9) == 0.0
    assert worth_in_labels([10, 20], [5.0, 9.0], 9.1) == math.inf


def test_a_curve_that_falls_counts_as_level() -> None:
    assert worth_in_labels([10, 100, 1000], [20.0, 15.0, 40.0], 20.0) == pytest.approx(10)
    assert worth_in_labels([10, 100, 1000], [20.0, 15.0, 40.0], 30.0) == pytest.approx(10**2.5)


@pytest.mark.parametrize("labels", [[], [0, 10]])
def test_numbers_that_cannot_be(labels: list[float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        worth_in_labels(labels, [1.0] * len(labels), 1.0)


WriteSet = Callable[[Path, dict[str, dict[str, object]]], str]
ROWS = ("real", "real@50", "real@25", "city", "real@25+city")
RIGHT = {"real": 6, "real@50": 4, "real@25": 1, "city": 4, "real@25+city": 6}
"""Of six frames of each part, in how many the only car is found."""


Run = Callable[[float], tuple[str, dict[str, object]]]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_set: WriteSet) -> Run:
    """Runs a measurement whose detectors find the car in as many frames as `RIGHT` says."""

    def train(config: MeasureConfig, inputs: Inputs, waiting: list[Training], *_: object) -> None:
        for one in waiting:
            images = inputs.tested_by(one)
            right = {image.name for image in inputs.test.images if int(image.name[1:]) % 6 < RIGHT[one.row.text]}
            found = {image.name: [[10.0, 10.0, 40.0, 40.0, 0.9, 0.0]] * (image.name in right) for image in images}
            module.write_json(config.out / "runs" / f"{one.name}.json", {"images": 1, "found": found})

    monkeypatch.setattr(module, "_make_views", lambda *_: None)
    monkeypatch.setattr(module, "_train", train)
    real = write_set(tmp_path / "real", {f"r{k:02d}": {"group": f"s{k // 6}"} for k in range(24)})
    city = write_set(tmp_path / "city", {f"{k:06d}": {} for k in range(5)})

    def run(report_share: float) -> tuple[str, dict[str, object]]:
        config = MeasureConfig(
            train=(real, city), test=real, out=tmp_path / "out", rows=ROWS, classes=("car",), seeds=1, folds=2,
            report_share=report_share,
        )  # fmt: skip
        module.measure_usefulness(config)
        text = (config.out / "report.md").read_text(encoding="utf-8")
        return text, json.loads((config.out / "detection.json").read_text(encoding="utf-8"))

    return run


def test_the_report_says_what_the_made_set_is_worth(measured: Run) -> None:
    text, figures = measured(0.0)
    rows = figures["rows"]
    assert isinstance(rows, list)
    assert [row["objects"]["car"] for row in rows] == [12, 6, 3, 5, 8]  # of the 12 frames that are not tested
    worth = [line.split(" | ") for line in text.split("worth in labels of real")[1].splitlines()[2:] if line]
    assert [(row[0].strip("| "), row[2].strip("| ")) for row in worth] == [("city", "6"), ("real\\@25\\+city", "12")]
    assert figures["choose"] == []


def test_what_is_reported_and_what_one_chooses_by_are_told_apart(tmp_path: Path, measured: Run) -> None:
    text, figures = measured(0.5)
    assert "# To report on: 12 images of 2 sequences" in text
    assert "# To choose by: 12 images of 2 sequences" in text
    for part in ("rows", "choose"):
        rows = figures[part]
        assert isinstance(rows, list)
        assert [row["scores"][0]["car"]["objects"] for row in rows] == [12] * 5
        assert rows[0]["scores"][0]["car"]["ap50"]["all"] == pytest.approx(100)
    sheet = cv2.imread(str(tmp_path / "out" / "finds-real.png"))
    assert sheet.shape[0] < 3.5 * 320 * 64 / 96  # twelve images in rows of four, none of those to report on
    assert np.ptp(sheet) > 0
