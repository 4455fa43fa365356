"""The examples that need the tools of others, run as a user runs them."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from export_sets import of_scene, records

from pipelines.export.run import export_dataset

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs an example in a folder of its own; gives what it printed."""

    def run(name: str, *arguments: object) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_train_ultralytics(exported: Callable[..., Path], run: Callable[..., str]) -> None:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    data = exported("yolo") / "data.yaml"
    options = ("--model", "yolo11n.yaml", "--epochs", 1, "--size", 64, "--batch", 4, "--device", "cpu")
    assert re.search(r"AP 0\.\d{3}, AP50 0\.\d{3}", run("train_ultralytics.py", data, *options))


def test_a_mixed_set_is_one_for_ultralytics(
    exported: Callable[..., Path], scene_set: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    utils = pytest.importorskip("ultralytics.data.utils", reason="ultralytics is not installed")
    export_dataset(scene_set, tmp_path / "made", "yolo")
    run("mix_real_and_made.py", exported("yolo"), tmp_path / "made", "--made", 0.5, "--out", tmp_path / "mix")
    about = utils.check_det_dataset(str(tmp_path / "mix/data.yaml"))
    assert Path(about["train"]).read_text().count("/made/images/train/") > 0


def test_train_torchvision(exported: Callable[..., Path], run: Callable[..., str]) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    printed = run("train_torchvision.py", exported("coco"), "--epochs", 1, "--batch", 2)
    assert "epoch 1: loss" in printed
    assert "Average Precision" in printed


def test_open_in_fiftyone(exported: Callable[..., Path], real_set: Path, run: Callable[..., str]) -> None:
    fiftyone = pytest.importorskip("fiftyone", reason="fiftyone is not installed")
    try:
        fiftyone.list_datasets()
    except Exception as error:
        pytest.skip(f"FiftyOne's database does not run here: {error}")
    printed = run("open_in_fiftyone.py", exported("fiftyone"), "--no-app")
    assert re.search(rf"Num samples:\s+{len(records(real_set))}", printed)


def test_read_shards_here_and_in_an_object_store(tmp_path: Path, run: Callable[..., str]) -> None:
    pytest.importorskip("webdataset", reason="webdataset is not installed")
    import fsspec

    of_scene(tmp_path / "packed", 5, pack="shards", shard_frames=2)
    of_scene(tmp_path / "loose", 5)
    wanted = sum(len(record.counted) for record in records(tmp_path / "loose"))
    fsspec.filesystem("memory").put(str(tmp_path / "packed"), "/bucket/packed", recursive=True)
    for place in (tmp_path / "packed", "memory://bucket/packed"):
        assert run("read_shards.py", place) == f"5 frames, {wanted} objects\n"
