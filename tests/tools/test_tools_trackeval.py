"""MOTChallenge and KITTI tracking, as TrackEval reads them: perfect against themselves, worse where ids are swapped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.export.run import export_dataset
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]

Rows = list[list[str]]


@pytest.fixture(scope="session")
def moving_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sequences of ten frames."""
    config = SynthesizeConfig(
        out=tmp_path_factory.mktemp("moving") / "set", count=3, sequence=1.0, fps=10.0, seed=3, workers=1,
        model="physics", size="384x256",
    )  # fmt: skip
    return synthesize_dataset(config, session_factory=FakeScene())


def _swapped(rows: Rows, frame: int, track: int) -> Rows:
    """The two tracks with most rows change their ids halfway; one that is alone gets another."""
    tracks = [row[track] for row in rows if row[track] != "-1"]
    one, other = [*sorted(set(tracks), key=lambda name: (-tracks.count(name), name)), "999"][:2]
    half = np.median([int(row[frame]) for row in rows])
    other_of = {one: other, other: one}
    late = [other_of.get(row[track], row[track]) if int(row[frame]) > half else row[track] for row in rows]
    return [[*row[:track], name, *row[track + 1 :]] for row, name in zip(rows, late, strict=True)]


def _scores(dataset: Any, tracker: str, kind: str) -> tuple[float, float, int]:
    """HOTA, IDF1, and switches of ids, of all sequences together."""
    trackeval = pytest.importorskip("trackeval")
    quiet = {"PRINT_CONFIG": False, "PRINT_RESULTS": False, "TIME_PROGRESS": False, "PLOT_CURVES": False}
    quiet |= {"OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False}
    evaluator = trackeval.Evaluator({**quiet, "BREAK_ON_ERROR": True})
    metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(), trackeval.metrics.Identity()]
    results, _ = evaluator.evaluate([dataset], metrics)
    found = results[dataset.get_name()][tracker]["COMBINED_SEQ"][kind]
    assert found["CLEAR"]["CLR_Frames"] == 30
    assert found["CLEAR"]["CLR_TP"] > 0
    return float(found["HOTA"]["HOTA"].mean()), float(found["Identity"]["IDF1"]), int(found["CLEAR"]["IDSW"])


def _check(score: Callable[[str], tuple[float, float, int]]) -> None:
    assert score("same") == (pytest.approx(1.0), pytest.approx(1.0), 0)
    hota, identity, switches = score("swapped")
    assert hota < 0.99
    assert identity < 0.99
    assert switches >= 2


def test_kitti_tracking(moving_set: Path, tmp_path: Path) -> None:
    trackeval = pytest.importorskip("trackeval", reason="trackeval is not installed")
    export_dataset(moving_set, tmp_path / "set", "kitti-tracking")
    labels = tmp_path / "set/training/label_02"
    for path in labels.iterdir():
        rows = [line.split() for line in path.read_text().splitlines()]
        for name, some in (("same", rows), ("swapped", _swapped([row for row in rows if row[2] == "Car"], 0, 1))):
            (tmp_path / f"trackers/{name}/data").mkdir(parents=True, exist_ok=True)
            text = "".join(" ".join([*row, "1.0"]) + "\n" for row in some if row[1] != "-1")
            (tmp_path / f"trackers/{name}/data/{path.name}").write_text(text)

    def score(tracker: str) -> tuple[float, float, int]:
        dataset = trackeval.datasets.Kitti2DBox({
            "GT_FOLDER": str(tmp_path / "set/training"), "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "TRACKERS_TO_EVAL": [tracker], "CLASSES_TO_EVAL": ["car"], "PRINT_CONFIG": False,
        })  # fmt: skip
        return _scores(dataset, tracker, "car")

    _check(score)


def test_mot(moving_set: Path, tmp_path: Path) -> None:
    trackeval = pytest.importorskip("trackeval", reason="trackeval is not installed")
    export_dataset(moving_set, tmp_path / "set", "mot")
    for folder in (tmp_path / "set/gis-train").iterdir():
        path = folder / "gt/gt.txt"
        # TrackEval measures pedestrians alone: cars are called so here.
        rows = [line.split(",") for line in path.read_text().splitlines()]
        assert {row[7] for row in rows} == {"3"}
        rows = [[*row[:7], "1", row[8]] for row in rows if row[6] == "1"]
        path.write_text("".join(",".join(row) + "\n" for row in rows))
        for name, some in (("same", rows), ("swapped", _swapped(rows, 0, 1))):
            place = tmp_path / f"trackers/gis-train/{name}/data"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{folder.name}.txt").write_text("".join(",".join([*row[:7], "-1,-1,-1"]) + "\n" for row in some))

    def score(tracker: str) -> tuple[float, float, int]:
        dataset = trackeval.datasets.MotChallenge2DBox({
            "GT_FOLDER": str(tmp_path / "set"), "TRACKERS_FOLDER": str(tmp_path / "trackers"), "BENCHMARK": "gis",
            "TRACKERS_TO_EVAL": [tracker], "PRINT_CONFIG": False,
        })  # fmt: skip
        return _scores(dataset, tracker, "pedestrian")

    _check(score)
    shutil.rmtree(tmp_path / "trackers")
