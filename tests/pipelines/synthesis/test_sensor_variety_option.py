"""`--sensor-variety`: in the files of a data set, over a scene and over real backgrounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.dataset.record import FrameRecord, line_sha256
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.io.images import encode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.worlds import WORLDS


def make(out: Path, **options: object) -> Path:
    values = {"out": out, "count": 12, "seed": 3, "model": "physics", "workers": 1, "sensor_variety": 1.0, **options}
    return synthesize_dataset(SynthesizeConfig(**values), session_factory=FakeScene())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("variety") / "out")


def records(folder: Path) -> list[FrameRecord]:
    return list(read_records(folder, FrameRecord))


def pixels(folder: Path, place: str, index: int) -> np.ndarray:
    return read_png(folder / place / f"{index:06d}.png")


def test_the_data_set_is_valid_and_says_what_was_drawn(folder: Path) -> None:
    assert validate(folder).problems == []
    drawn = [record.sensor_variety for record in records(folder)]
    assert all(one is not None and one.detector is not None and one.gain is not None for one in drawn)
    assert len({one.detector.netd_K for one in drawn if one and one.detector}) == len(drawn)
    assert "sensor_variety | 1.0" in (folder / "README.md").read_text()


def test_any_number_of_workers_makes_the_same(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "two", workers=2)
    assert (other / "frames.jsonl").read_bytes() == (folder / "frames.jsonl").read_bytes()


def test_zero_is_as_ever_and_labels_never_change(folder: Path, tmp_path: Path) -> None:
    plain = make(tmp_path / "plain", sensor_variety=0)
    assert "sensor_variety" not in (plain / "frames.jsonl").read_text()
    assert "sensor_variety" not in (plain / "dataset.json").read_text()
    for one, other in zip(records(folder), records(plain), strict=True):
        for name in one.files:
            assert (one.files[name] == other.files[name]) == (not name.startswith("images"))


def test_sixteen_bits_are_the_temperatures_of_the_scene(folder: Path, tmp_path: Path) -> None:
    """With the drawn noise they differ from those of the preset by tenths of a kelvin, whatever the greys do."""
    plain = make(tmp_path / "plain", sensor_variety=0)
    for one, other in zip(records(folder), records(plain), strict=True):
        assert one.span_K is not None
        assert other.span_K is not None
        assert one.sensor_variety is not None
        assert one.sensor_variety.detector is not None
        if one.sensor_variety.detector.flaws.spots:
            continue
        kelvin = [
            record.span_K[0] + pixels(root, "images16", record.index) / 65535 * (record.span_K[1] - record.span_K[0])
            for root, record in ((folder, one), (tmp_path / "plain", other))
            if record.span_K
        ]
        assert np.median(np.abs(kelvin[0] - kelvin[1])) < 1.0
    assert plain


def test_display_backgrounds_keep_their_detector(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    (tmp_path / "frames").mkdir()
    for name in ("first", "second"):
        grey = np.linspace(60, 160, 96 * 64).reshape(64, 96) + rng.normal(0, 3, (64, 96))
        (tmp_path / "frames" / f"{name}.png").write_bytes(encode_png(grey.astype(np.uint8)))
    options = {"backgrounds": tmp_path / "frames", "size": "96x64", "horizon": 30.0, "tensors": True}
    out, plain = make(tmp_path / "out", **options), make(tmp_path / "plain", sensor_variety=0, **options)
    assert validate(out).problems == []
    differ = 0
    for record, other in zip(records(out), records(plain), strict=True):
        assert record.sensor_variety is not None
        assert record.sensor_variety.detector is None
        assert (
            record.label_error == other.label_error
        )  # measured against the background, before the second gain control
        assert record.tensor_sha256 == other.tensor_sha256
        image, before = pixels(out, "images", record.index), pixels(plain, "images", record.index)
        sign = np.corrcoef(image.ravel().astype(float), before.ravel().astype(float))[0, 1]
        assert (sign < 0) == record.sensor_variety.black_hot
        differ += not np.array_equal(image, before)
    assert differ == 12


@pytest.mark.parametrize(
    ("options", "strength"),
    [
        ({"scene": WORLDS}, 0.5),
        ({"scene": WORLDS, "size": "640x512", "hour": 22.0}, 0.5),
        ({"scene": WORLDS, "sensor_variety": 0.0}, 0.0),
        ({"scene": WORLDS, "camera": "flir-adas"}, 0.0),
        ({"scene": WORLDS, "noise": "2"}, 0.0),
        ({"scene": WORLDS, "visible": True}, 0.0),
        ({"scene": WORLDS, "tensors": True}, 0.0),
        ({"scene": WORLDS, "band": "lwir"}, 0.0),
        ({"scene": WORLDS, "sequence": 2.0}, 0.0),
        ({}, 0.0),
    ],
)
def test_worlds_vary_where_nothing_says_which_camera_is_meant(
    tmp_path: Path, options: dict[str, Any], strength: float
) -> None:
    config = SynthesizeConfig(**{"out": tmp_path / "out", "model": "physics", **options})
    assert config.sensor_variety == strength
    assert config.to_json().get("sensor_variety", 0.0) == strength


def test_frames_of_versions_whose_detectors_all_had_their_pixels_are_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "out", count=1)
    log = folder / "frames.jsonl"
    record = json.loads(log.read_text())
    del record["sensor_variety"]["detector"]["pixel_share"]
    record["record_sha256"] = line_sha256(record)
    log.write_text(json.dumps(record) + "\n")
    drawn = records(folder)[0].sensor_variety
    assert drawn is not None
    assert drawn.detector is not None
    assert drawn.detector.pixel_share == 1.0


CHANGES: dict[str, Any] = {
    "variety lost": lambda record: record.pop("sensor_variety"),
    "polarity": lambda record: record["sensor_variety"].update(black_hot=not record["sensor_variety"]["black_hot"]),
    "detector lost": lambda record: record["sensor_variety"].update(detector=None),
    "noise of no camera": lambda record: record["sensor_variety"]["detector"].update(netd_K=7.0),
    "kind": lambda record: record["sensor_variety"]["gain"].update(kind="magic"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_wrong_value_is_found(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "out", count=1)
    log = folder / "frames.jsonl"
    record = json.loads(log.read_text())
    CHANGES[name](record)
    record["record_sha256"] = line_sha256(record)
    log.write_text(json.dumps(record) + "\n")
    assert validate(folder).problems
