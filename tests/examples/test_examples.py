"""The examples that need no tool of others do what they say."""

from __future__ import annotations

import json
import runpy
import shutil
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


def test_rgbt_pairs(
    scene_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a set with visible twins, and of two folders whose images have equal names."""
    folder = tmp_path / "twins"
    shutil.copytree(scene_set, folder)
    (folder / "visible").mkdir()
    rng, colours = np.random.default_rng(0), {}
    for path in sorted((folder / "images").iterdir()):
        height, width = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape
        colours[path.stem] = rng.integers(0, 255, (height, width, 3), np.uint8)
        cv2.imwrite(str(folder / "visible" / path.name), colours[path.stem][..., ::-1])
    counted = sum(
        not one["iscrowd"] for one in json.loads((folder / "annotations/coco.json").read_text())["annotations"]
    )
    run(monkeypatch, "rgbt_pairs.py", folder, "--out", tmp_path / "four")
    assert capsys.readouterr().out == f"4 pairs, {counted} objects\n"
    read = {path.stem: np.load(path) for path in (tmp_path / "four").iterdir()}
    assert sum(len(one["boxes"]) for one in read.values()) == counted
    for name, one in read.items():
        assert np.array_equal(one["image"][..., :3], colours[name])
        infrared = cv2.imread(str(folder / f"images/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(one["image"][..., 3], infrared)
    run(monkeypatch, "rgbt_pairs.py", folder / "visible", folder / "images")
    assert capsys.readouterr().out == "4 pairs, 0 objects\n"
    cv2.imwrite(str(folder / "visible/000002.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SystemExit, match=r"000002: .* expected one size"):
        run(monkeypatch, "rgbt_pairs.py", folder)


def test_rgbt_pairs_of_roadscene(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shared_data / "roadscene"
    run(monkeypatch, "rgbt_pairs.py", root / "crop_LR_visible", root / "cropinfrared")
    both = {path.stem for path in (root / "crop_LR_visible").iterdir()} & {
        path.stem for path in (root / "cropinfrared").iterdir()
    }
    assert capsys.readouterr().out == f"{len(both)} pairs, 0 objects\n"


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
