"""`gis synthesize --format`: exports beside the data set, the same as those of `gis export`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from export_sets import of_scene
from fake_renderer import FakeScene

from pipelines.errors import ConfigError
from pipelines.export.run import export_dataset
from pipelines.export.with_set import SetAndExportsConfig, make_exports
from pipelines.synthesis.dataset_run import synthesize_dataset


def config(out: Path, **options: Any) -> SetAndExportsConfig:
    options = {"count": 2, "seed": 3, "workers": 1, "model": "physics", "format": ("yolo", "coco"), **options}
    return SetAndExportsConfig(out=out, **options)


def make(out: Path, **options: Any) -> dict[Path, int]:
    told = config(out, **options)
    synthesize_dataset(told, session_factory=FakeScene())
    return make_exports(told)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_set_and_exports_are_those_of_two_commands(tmp_path: Path) -> None:
    done = make(tmp_path / "set", segments=True, classes="coco")
    assert done == {tmp_path / "set-yolo": 2, tmp_path / "set-coco": 2}
    by_hand = of_scene(tmp_path / "by_hand", 2)
    assert contents(by_hand) == contents(tmp_path / "set")
    for name in ("yolo", "coco"):
        export_dataset(by_hand, tmp_path / name, name, segments=True, classes="coco")
        assert contents(tmp_path / name) == contents(tmp_path / f"set-{name}")
    before = contents(tmp_path / "set-coco")
    for name in ("train/000001.png", "annotations/instances_train.json"):
        (tmp_path / "set-coco" / name).unlink()
    make(tmp_path / "set", segments=True, classes="coco")  # goes on
    assert contents(tmp_path / "set-coco") == before

    # What would fail after the frames is refused before them.
    with pytest.raises(ConfigError, match=r"set-yolo is an export with other options: remove it"):
        config(tmp_path / "set", segments=True)
    with pytest.raises(ConfigError, match=r"set-yolo is an export of 2 frames: remove it"):
        config(tmp_path / "set", segments=True, classes="coco", count=3)
    shutil.rmtree(tmp_path / "set-yolo")
    (tmp_path / "set-yolo").mkdir()
    (tmp_path / "set-yolo/mine.txt").write_text("")
    with pytest.raises(ConfigError, match=r"set-yolo is there and no export"):
        config(tmp_path / "set", segments=True, classes="coco")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": ("yolo", "webp")}, "format 'webp': expected one or several of yolo, coco"),
        ({"format": ("kitti",), "segments": True}, "segments = True is for exports"),
        ({"format": (), "split": (0.5, 0.5)}, "is for exports: give a --format"),
        ({"split": (0.5, 0.6)}, "expected up to three shares that add up to 1"),
        ({"frames": "0:2"}, "format is of whole data sets"),
    ],
)
def test_messages(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(tmp_path / "set", **options)


def test_an_option_goes_to_the_formats_that_know_it(tmp_path: Path) -> None:
    told = config(tmp_path / "set", format=("yolo", "bop"), segments=True, link=True, split=(0.5, 0.5))
    assert [(one.format, one.segments, one.link, one.split) for one in told.exports()] == [
        ("yolo", True, True, (0.5, 0.5)),
        ("bop", False, False, (0.5, 0.5)),
    ]
    assert told.to_json() == config(tmp_path / "set", format=()).to_json()
