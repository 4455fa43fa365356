"""The examples that need no tool of others do what they say."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from export_sets import of_scene, over_frames

from pipelines.export.run import export_dataset

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.fixture(scope="module")
def scene_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_scene(tmp_path_factory.mktemp("scene") / "set", 4)


def test_the_index_names_every_program() -> None:
    text = (EXAMPLES / "README.md").read_text()
    programs = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert [name for name in programs if f"]({name})" not in text] == []


def test_grey_input(
    scene_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "grey_input.py", scene_set, "--out", tmp_path / "three", "--span", -30, 70)
    assert capsys.readouterr().out.count("°C") == 4
    record = json.loads((scene_set / "frames.jsonl").read_text().splitlines()[1])
    counts = cv2.imread(str(scene_set / "images16/000001.png"), cv2.IMREAD_UNCHANGED)
    low, high = record["span_K"]
    celsius = low + counts / 65535.0 * (high - low) - 273.15
    three = cv2.imread(str(tmp_path / "three/000001.png"))
    assert np.array_equal(three[..., 0], cv2.imread(str(scene_set / "images/000001.png"), cv2.IMREAD_UNCHANGED))
    assert np.abs(three[..., 1] / 255.0 * 100 - 30 - np.clip(celsius, -30, 70)).max() < 0.21  # half a grey level


def test_grey_input_over_display_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "grey_input.py", over_frames(tmp_path, count=2))
    assert capsys.readouterr().out.count("no temperatures") == 2


def test_mix_real_and_made(scene_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_dataset(over_frames(tmp_path, count=6), tmp_path / "real", "yolo", split=(0.5, 0.5))
    export_dataset(scene_set, tmp_path / "made", "yolo")
    run(
        monkeypatch,
        "mix_real_and_made.py",
        tmp_path / "real",
        tmp_path / "made",
        "--made",
        1,
        "--out",
        tmp_path / "mix",
    )
    listed = (tmp_path / "mix/train.txt").read_text().split()
    made = [path for path in listed if "/made/" in path]
    assert len(set(listed)) == 2 * len(made) > 0
    for path in listed:  # where Ultralytics looks for labels
        assert Path(path).is_file()
        assert Path(path.replace("/images/", "/labels/")).with_suffix(".txt").is_file()
    about = yaml.safe_load((tmp_path / "mix/data.yaml").read_text())
    assert all("/real/images/val/" in path for path in (tmp_path / "mix" / about["val"]).read_text().split())
    with pytest.raises(SystemExit, match="made frames are wanted"):
        run(
            monkeypatch,
            "mix_real_and_made.py",
            tmp_path / "real",
            tmp_path / "made",
            "--made",
            9,
            "--out",
            tmp_path / "x",
        )
