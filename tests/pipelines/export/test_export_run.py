"""One export, whatever the format: whole files, going on, messages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from export_sets import OF_FRAMES
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import ConfigError, DatasetError
from pipelines.export.classes import class_map
from pipelines.export.config import ExportConfig
from pipelines.export.formats import FORMATS
from pipelines.export.run import export_dataset

TAKING_SETS = OF_FRAMES


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", TAKING_SETS)
def test_an_export_that_was_cut_short_ends_with_the_same_bytes(name: str, real_set: Path, tmp_path: Path) -> None:
    options = {"split": (0.5, 0.25, 0.25), "seed": 4} | ({} if name == "bop" else {"classes": "kitti"})
    done = export_dataset(real_set, tmp_path / "whole", name, **options)
    wanted = contents(tmp_path / "whole")
    assert sum(done.images.values()) == 12
    shutil.copytree(tmp_path / "whole", tmp_path / "part")
    for number, path in enumerate(sorted((tmp_path / "part").rglob("*"))):
        if path.is_file() and number % 2 and path.name != "export.json":
            path.unlink()
    (tmp_path / "part" / ".000001.png.7.tmp").write_bytes(b"half")
    export_dataset(real_set, tmp_path / "part", name, **options)
    assert contents(tmp_path / "part") == wanted
    with pytest.raises(DatasetError, match=r"another configuration: configuration\.seed is 4, now 5"):
        export_dataset(real_set, tmp_path / "part", name, **{**options, "seed": 5})


def test_the_call_of_before_still_writes_kelvin(scene_set: Path, tmp_path: Path) -> None:
    for number, more in enumerate(([], ["--format", "tiff"], ["--format", "kelvin-tiff"])):
        result = CliRunner().invoke(app, ["export", str(scene_set), "--out", str(tmp_path / str(number)), *more])
        assert result.exit_code == 0, result.output
        assert "kelvin = value * 0.01" in result.output
    first = contents(tmp_path / "0")
    assert set(first) == {"export.json", *(f"{index:06d}.tiff" for index in range(4))}
    assert first == contents(tmp_path / "1") == contents(tmp_path / "2")


def test_the_command_says_what_it_made(real_set: Path, tmp_path: Path) -> None:
    arguments = [
        "export",
        str(real_set),
        "--out",
        str(tmp_path / "out"),
        "--format",
        "yolo",
        "--split",
        "0.5,0.25,0.25",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "12 images in" in result.output
    assert json.loads((tmp_path / "out/export.json").read_text())["complete"]


def test_messages(real_set: Path, scene_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "trams.json").write_text('{"tram": "tram"}')
    cases = [
        ({"format": "png"}, "unknown format 'png'"),
        ({"format": "kelvin-tiff", "split": (0.5, 0.5)}, "split means nothing to the format kelvin-tiff"),
        ({"format": "yolo", "ignored": "mark"}, "yolo has no mark for what is ignored"),
        (
            {"format": "yolo", "classes": "imagenet"},
            "flir-adas, coco, kitti, kaist, m3fd, llvip, or a file",
        ),
        ({"format": "yolo", "classes": str(tmp_path / "trams.json")}, "none of car, van, truck, .* is among them"),
    ]
    for options, message in cases:
        with pytest.raises(ConfigError, match=message):
            export_dataset(scene_set, out, **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected a new folder outside of the data set"):
        export_dataset(scene_set, scene_set / "yolo", "yolo")
    with pytest.raises(DatasetError, match=r"holds no dataset\.json of ours"):
        export_dataset(tmp_path, out, "yolo")
    assert not out.exists()


def test_a_set_that_is_not_whole_or_damaged_is_refused(scene_set: Path, tmp_path: Path) -> None:
    shutil.copytree(scene_set, tmp_path / "set")
    image = tmp_path / "set/images/000002.png"
    image.write_bytes((tmp_path / "set/images/000001.png").read_bytes())
    with pytest.raises(DatasetError, match=r"000002\.png: is not the image that frames\.jsonl speaks of"):
        export_dataset(tmp_path / "set", tmp_path / "out", "yolo")
    image.unlink()
    for link in (False, True):
        with pytest.raises(DatasetError, match=r"000002\.png"):
            export_dataset(tmp_path / "set", tmp_path / f"out{link}", "yolo", link=link)
    about = json.loads((tmp_path / "set/dataset.json").read_text())
    (tmp_path / "set/dataset.json").write_text(json.dumps({**about, "complete": False}))
    with pytest.raises(DatasetError, match="is not complete"):
        export_dataset(tmp_path / "set", tmp_path / "more", "yolo")


def test_frames_that_do_not_show_their_labels_are_left_out(scene_set: Path, tmp_path: Path) -> None:
    shutil.copytree(scene_set, tmp_path / "set")
    lines = [json.loads(line) for line in (scene_set / "frames.jsonl").read_text().splitlines()]
    lines[1]["label_error"]["rejected"] = True
    (tmp_path / "set/frames.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = export_dataset(tmp_path / "set", tmp_path / "out", "yolo")
    assert done.images == {"train": 3}
    assert list(done.left_out.values()) == [1]
    assert not (tmp_path / "out/images/train/000001.png").exists()


def test_classes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('car = "vehicle"\nvan = "vehicle"\nbus = "big"\n')
    (tmp_path / "mine.json").write_text('{"car": "vehicle", "van": "vehicle", "bus": "big", "truck": null}')
    for name in ("mine.toml", "mine.json"):
        found = class_map(str(tmp_path / name), ("car", "van", "truck", "bus"))
        assert found.names == ("vehicle", "big")
        assert [found.number(ours) for ours in ("car", "van", "truck", "bus")] == [0, 0, None, 1]
    (tmp_path / "bad.json").write_text('{"car": 7}')
    with pytest.raises(ConfigError, match="car becomes 7: expected the name of a class"):
        class_map(str(tmp_path / "bad.json"), ("car",))


def test_every_option_of_the_configuration_is_known_to_some_format() -> None:
    from gan.options import declarations

    known = frozenset().union(*(row.takes for row in FORMATS.values())) | {"folder", "out", "format"}
    assert {one.field for one in declarations(ExportConfig)} == known
