"""JSON and TOML that anybody may have written: values, or one line with the file's name, in every reader."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assets import CAMERAS, THERMAL_PROFILES
from gan.options import make_options
from gan.training.options import TrainOptions
from pipelines.backgrounds.images import scan_backgrounds
from pipelines.cli.config_files import read_config_file
from pipelines.cli.declared_options import resolved_values
from pipelines.dataset.description import read_shards
from pipelines.dataset.record import FrameRecord
from pipelines.errors import BackgroundError, ConfigError, DatasetError, GisError
from pipelines.export.tiff import export_tiff as export
from pipelines.fitting.stored_fits import read_fits
from pipelines.io.files import is_inside, path_inside, read_json, read_object, sha256
from pipelines.synthesis.model_choice import model_of_file
from renderer.geometry.camera import read_camera_file, read_cameras
from renderer.text_files import parse_json, parse_toml
from renderer.thermal.profiles import read_profiles
from renderer.thermal.sensor import read_sensors

BAD_JSON = {
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "400 digits": b'{"a": ' + b"9" * 400 + b"}",
    "more digits than Python takes": b'{"a": ' + b"9" * 5000 + b"}",
    "minus 400 digits": b'{"a": -' + b"9" * 400 + b"}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "two keys": b'{"a": 1, "b": {"c": 1, "c": 2}}',
    "no UTF-8": b'{"a": "\xff"}',
    "half a character": '{"a": "ä"}'.encode()[:-3],
    "cut": b'{"a": ',
    "empty": b"",
    "NUL": b'{"a": "\x00"}',
}


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_bad_json_is_one_line_with_the_files_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)
    for read in (read_json, read_object):
        with pytest.raises(DatasetError, match=r"bad\.json") as error:
            read(path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400


def test_good_json_is_what_the_library_reads() -> None:
    text = '{"a": [1, -2.5e3, true, null, "\\u00e4\\ud83d\\ude97", {"b": {}}], "n": 18446744073709551615}'
    for form in (text, text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), "\ufeff" + text):
        assert parse_json(form) == json.loads(text)
    assert parse_json('{"a": Infinity}', allow_nan=True) == {"a": float("inf")}


@pytest.mark.parametrize("data", [b"[1]", b"3", b'"a"', b"null"])
def test_what_is_no_object_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.json: holds .*: expected a JSON object"):
        read_object(tmp_path / "a.json")


def test_folders_and_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    for name in ("pipe", "folder", "none"):
        with pytest.raises(DatasetError, match=rf"{name}\.json"):
            read_json(tmp_path / f"{name}.json")


# --- TOML -------------------------------------------------------------------------------------------------------------

BAD_TOML = {
    "deep": b"a = " + b"[" * 5000,
    "deep tables": b"a = " + b"{a = " * 5000,
    "400 digits": b"a = " + b"9" * 400,
    "more digits than Python takes": b"a = " + b"9" * 5000,
    "digits in a table": b"[a.b]\nc = [1, " + b"9" * 40 + b"]",
    "no UTF-8": b'a = "\xff"',
    "UTF-16": 'a = "b"'.encode("utf-16"),
    "two keys": b"a = 1\na = 2",
    "cut": b"a = [",
    "no date": b"a = 2001-99-99",
    "NUL": b'a = "\x00"',
}


@pytest.mark.parametrize("data", BAD_TOML.values(), ids=BAD_TOML.keys())
def test_bad_toml_is_one_line_in_every_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"."):
        parse_toml(data)
    for read in (read_config_file, read_cameras, read_camera_file, read_profiles, read_sensors):
        with pytest.raises(GisError, match=r"bad\.toml") as error:
            read(path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 600


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    for source, read in ((CAMERAS, read_cameras), (THERMAL_PROFILES, read_profiles), (CAMERAS, read_sensors)):
        path = tmp_path / source.name
        path.write_bytes(b"\xef\xbb\xbf" + source.read_bytes().replace(b"\n", b"\r\n"))
        assert read(path) == read(source)  # type: ignore[operator]


CAMERA = {"width": 640, "height": 512, "hfov_deg": 45.0, "vfov_deg": 37.0}
WRONG_CAMERAS: dict[str, Any] = {
    "a text": {"width": "x"}, "a list": {"width": [640]}, "huge": {"width": 10**18}, "negative": {"height": -1},
    "angle a text": {"hfov_deg": "wide"}, "angle 0": {"hfov_deg": 0.0}, "angle 180": {"vfov_deg": 180.0},
    "height a text": {"height_m": "x"}, "height infinite": {"height_m": 1e999}, "sensor a number": {"sensor": 3},
    "pitch a list": {"pitch_deg": []}, "height a table": {"height_m": {}},
}  # fmt: skip


@pytest.mark.parametrize("change", WRONG_CAMERAS.values(), ids=WRONG_CAMERAS.keys())
def test_fields_of_a_camera_of_another_kind_are_one_line(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(CAMERA | change).replace("Infinity", "1e999"))
    with pytest.raises(GisError, match=r"own\.json|camera 'own'") as error:
        read_camera_file(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [
    "camera = 3", "sensor = 3", "[camera]\na = 3", "[sensor]\na = 3", "material = 3", "profile = 3",
    "[material]\ntyre = 3", "[profile]\na = 3", "[profile.a]\nzone = 3", 
    "[profile.a.zone]\ntyre = 3", "[material.nothing]\nx = 1", "",
])  # fmt: skip
def test_tables_that_are_none_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    for read in (read_cameras, read_profiles, read_sensors):
        with pytest.raises(GisError) as error:
            read(path)
        assert "\n" not in str(error.value)


# --- files of options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), [
    ("threads = -1", "threads is -1"),
    ("threads = 99999999", "expected 0 to 1024"),
    ("threads = 1.5", "threads is 1.5"),
    ("threads = '4'", "threads is '4'"),
    ("threads = true", "threads is True"),
    ("epochs = 9999999999999999999", "epochs is"),
    ("ema = nan", "ema is nan"),
    ("ema = inf", "ema is inf"),
    ("checkpoint_minutes = 18446744073709551615", ""),
    ("seed = -1", "seed is -1"),
    ("nothing = 1", "unknown option 'nothing'"),
    ("precision = []", "precision"),
    ("set = 3", "set is 3"),
])  # fmt: skip
def test_options_of_a_file_are_values_or_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    if not message:
        make_options(TrainOptions, read_config_file(tmp_path / "own.toml"))
        return
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")) as error:
        make_options(TrainOptions, resolved_values(TrainOptions, {}, tmp_path / "own.toml"))
    assert "\n" not in str(error.value)


# --- names of files ---------------------------------------------------------------------------------------------------

OUTSIDE = [
    "/etc/passwd", "../x", "a/../../x", "..", "", "a\0b", 3, None, ["a"], "C:\\x", "c:/x", "\\\\server\\x", "..\\x",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: Any) -> None:
    assert not is_inside(name)
    with pytest.raises(DatasetError, match=r"about\.json: names a file"):
        path_inside(tmp_path, name, tmp_path / "about.json")
    assert path_inside(tmp_path, "a/b..c/d.png", "x") == tmp_path / "a/b..c/d.png"


def ingested(folder: Path, sidecar: dict[str, Any], frames: Any = None) -> Path:
    (folder / "frames").mkdir(parents=True)
    index = {"schema": "gis-backgrounds", "version": 1, "complete": True, "configuration": {},
             "frames": ["frames/a.json"] if frames is None else frames}  # fmt: skip
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "frames/a.json").write_text(json.dumps(sidecar))
    return folder


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside.png", 3])
def test_a_sidecar_that_names_a_file_outside_is_refused(tmp_path: Path, name: Any) -> None:
    (tmp_path / "outside.png").write_bytes(b"secret")
    about = {"frame": {"file": name, "sha256": sha256(b"secret")}, "size_px": [8, 8], "span_K": [280, 300]}
    folder = ingested(tmp_path / "in", about)
    with pytest.raises((BackgroundError, DatasetError), match=r"a\.json: names a file"):
        scan_backgrounds(folder)
    with pytest.raises(DatasetError, match=r"a\.json: names a file"):
        export(folder, tmp_path / "out")


@pytest.mark.parametrize("frames", [["../x.json"], ["/x.json"], [3], 3, {"a": 1}])
def test_an_index_that_lists_a_file_outside_is_refused(tmp_path: Path, frames: Any) -> None:
    folder = ingested(tmp_path / "in", {}, frames)
    for read in (scan_backgrounds, lambda folder: export(folder, tmp_path / "out")):
        with pytest.raises((BackgroundError, DatasetError), match=r"index\.json") as error:
            read(folder)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("about", [
    {}, [], 3, {"frame": 3, "size_px": [1, 1]}, {"frame": {"file": "a", "sha256": 3}, "size_px": [1, 1]},
    {"frame": {"file": "a", "sha256": "x"}, "size_px": ["1", 1]}, {"frame": {"file": "a", "sha256": "x"}, "size_px": 3},
    {"frame": {"file": "a", "sha256": "x"}, "size_px": [10**17, -1]},
])  # fmt: skip
def test_a_sidecar_of_another_form_is_one_line(tmp_path: Path, about: Any) -> None:
    folder = ingested(tmp_path / "in", about)
    with pytest.raises((BackgroundError, DatasetError), match=r"a\.json") as error:
        scan_backgrounds(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x"])
def test_a_line_that_names_a_file_outside_is_refused(tmp_path: Path, name: str) -> None:
    line = json.dumps({"index": 0, "files": {name: "0"}})
    with pytest.raises(DatasetError, match=r"frames\.jsonl: line 1: names a file"):
        FrameRecord.from_line(line, 0, tmp_path / "frames.jsonl")


@pytest.mark.parametrize(
    "data", [BAD_JSON[key].decode("utf-8", "replace") for key in ("deep", "400 digits", "NaN", "two keys")]
)
def test_a_line_of_bad_json_is_one_line(tmp_path: Path, data: str) -> None:
    with pytest.raises(DatasetError, match=r"frames\.jsonl: line 3 is no JSON") as error:
        FrameRecord.from_line(data, 2, tmp_path / "frames.jsonl")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shards", [
    3, {}, [3], [{}], [{"name": "/x", "sha256": "", "first": 0, "frames": 1}],
    [{"name": "a", "sha256": "", "first": -1, "frames": 1}],
    [{"name": "a", "sha256": "", "first": 0, "frames": 10**18}],
    [{"name": "a", "sha256": 3, "first": 0, "frames": 1}], [{"name": "a", "sha256": "", "first": True, "frames": 1}],
])  # fmt: skip
def test_shards_of_a_description_of_another_form_are_one_line(shards: Any) -> None:
    with pytest.raises(DatasetError, match=r"dataset\.json: shard"):
        read_shards({"shards": shards}, "dataset.json")


# --- runs that go on --------------------------------------------------------------------------------------------------


class _Frame:
    name = "one"


def fitted() -> dict[str, Any]:
    one = {"model": "saloon", "angle_deg": 10.0, "box_iou": 0.9, "score": 1.0,
           "pose": {"x_m": 0.0, "y_m": 1.5, "z_m": 10.0, "yaw_rad": 0.0, "length_scale": 1.0, "height_scale": 1.0,
                    "box_px": [1.0, 2.0, 3.0, 4.0]}}  # fmt: skip
    from pipelines.fitting.shapes import BINS

    car = {"key": "one#0", "box": [1.0, 2.0, 3.0, 4.0], "time": "", "hidden": 0.0, **one, "confidence": 0.5,
           "silhouette": 0.5, "levels": [None] * BINS, "flipped": None}  # fmt: skip
    return {"index": 0, "name": "one", "cars": [car]}


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(line: dict[str, Any]) -> None:
        inner: Any = line
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]

    return change


@pytest.mark.parametrize("change", [
    *(drop(key) for key in fitted()), *(drop("cars", 0, key) for key in fitted()["cars"][0]),
    *(drop("cars", 0, "pose", key) for key in fitted()["cars"][0]["pose"]), drop("cars", 0, "levels", 0),
    lambda line: line.update(index=1), lambda line: line.update(name="two"), lambda line: line.update(cars=3),
    lambda line: line["cars"][0].update(flipped=3), lambda line: line["cars"][0].update(score="x"),
])  # fmt: skip
def test_a_record_of_a_fit_that_lacks_something_is_one_line(tmp_path: Path, change: Callable[[Any], None]) -> None:
    log, frames = tmp_path / "fits-0.jsonl", [_Frame()]
    log.write_text(json.dumps(fitted()) + "\n")
    assert list(read_fits(log, frames)) == [fitted()]  # type: ignore[arg-type]
    line = fitted()
    change(line)
    log.write_text(json.dumps(line) + "\n")
    with pytest.raises(DatasetError, match=r"fits-0\.jsonl: line 1") as error:
        list(read_fits(log, frames))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_model_file_is_named_or_refused_without_torch(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "deep").write_bytes((200_000).to_bytes(8, "little") + b"[" * 200_000)
    (tmp_path / "empty").write_bytes(b"")
    for name in ("pipe", "deep", "empty", "none"):
        with pytest.raises(ConfigError, match=name) as error:
            model_of_file(tmp_path / name)
        assert "\n" not in str(error.value)
