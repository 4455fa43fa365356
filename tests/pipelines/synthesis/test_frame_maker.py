"""Frames in memory: what the files hold is what was made, and every draw is what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.dataset.frame import SynthesizedFrame
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.dataset.writer import write_frame
from pipelines.io.exr import read_exr
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.frame_maker import FrameInputs, FrameMaker, open_frame_maker
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.random_streams import Draw
from renderer.thermal.sensor import from_uint16

PLANES = ("image", "image16", "depth_m", "instance_id", "zone")


def config(out: Path) -> SynthesizeConfig:
    return SynthesizeConfig(out=out, count=3, seed=3, workers=1, tensors=True)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrameMaker]:
    options = config(tmp_path_factory.mktemp("nothing") / "out")
    with open_frame_maker(options, FrameInputs(), FakeScene()) as opened:
        yield opened
    assert not options.out.exists()


def same_pixels(one: SynthesizedFrame, other: SynthesizedFrame) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in PLANES)


def test_files_hold_what_was_made(maker: FrameMaker, tmp_path: Path) -> None:
    folder = synthesize_dataset(config(tmp_path / "out"), session_factory=FakeScene())
    for record in read_records(folder, FrameRecord):
        frame = maker.make(record.index)
        name = record.stem
        assert np.array_equal(frame.image, read_png(folder / "images" / f"{name}.png"))
        assert np.array_equal(frame.image16, read_png(folder / "images16" / f"{name}.png"))
        assert np.array_equal(frame.instance_id, read_png(folder / "masks" / f"{name}.png"))
        assert np.array_equal(frame.zone, read_png(folder / "zones" / f"{name}.png"))
        assert np.array_equal(frame.depth_m, read_exr(folder / "depth" / f"{name}.exr")["Z"])
        assert (frame.span_K, frame.conditions, frame.notes) == (record.span_K, record.conditions, record.notes)
        assert frame.label_error == record.label_error
        boxes = [(item.id, item.labelled, item.box_visible_px) for item in frame.instances]
        assert boxes == [(item.id, item.labelled, item.box_visible_px) for item in record.instances]
        assert frame.kelvin is not None
        assert np.array_equal(frame.kelvin, from_uint16(frame.image16, frame.span_K))


def test_an_attempt_is_another_draw_of_the_same_frame(maker: FrameMaker) -> None:
    first, second = maker.make_frame(Draw(3, 1)), maker.make_frame(Draw(3, 1, 1))
    assert (first.index, second.index) == (1, 1)
    assert second.label_error.attempt == 1
    assert second.sample is not None
    assert second.sample.index == 1
    assert not same_pixels(first, second)
    assert same_pixels(second, maker.make_frame(Draw(3, 1, 1)))
    assert same_pixels(first, maker.make_frame(Draw(3, 1)))


def test_a_scene_with_its_own_animation_gets_new_weather_alone(maker: FrameMaker, tmp_path: Path) -> None:
    with open_frame_maker(config(tmp_path), FrameInputs(), FakeScene(has_traffic=False)) as animated:
        first, second = animated.make_frame(Draw(3, 1)), animated.make_frame(Draw(3, 1, 1))
    assert np.array_equal(first.depth_m, second.depth_m)
    assert first.conditions != second.conditions
    assert second.conditions == maker.make_frame(Draw(3, 1, 1)).conditions
    assert same_pixels(first, maker.make_frame(Draw(3, 1)))


def test_a_frame_without_temperatures_has_no_kelvin(maker: FrameMaker, tmp_path: Path) -> None:
    frame = replace(maker.make(0), span_K=None, sample=None)
    assert frame.kelvin is None
    record = write_frame(tmp_path, frame)
    assert not (tmp_path / "images16").exists()
    assert (record.span_K, record.tensor_sha256) == (None, None)


def test_a_written_frame_says_what_its_record_says(maker: FrameMaker, tmp_path: Path) -> None:
    frame = maker.make(2)
    record = write_frame(tmp_path, frame)
    assert set(record.files) == {
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if ".parts" not in str(path)
    }
    assert all(item.rle for item in record.labelled)
    assert {item.rle for item in record.instances if not item.labelled} == {None}
    assert FrameRecord.from_line(json.dumps(record.to_json()), 2, Path("log")).to_json() == record.to_json()


def test_a_data_set_of_this_version_validates(tmp_path: Path) -> None:
    folder = synthesize_dataset(config(tmp_path / "out"), session_factory=FakeScene())
    described = json.loads((folder / "dataset.json").read_text())
    assert described["version"] == 2
    assert {"model", "max_label_error"} <= described["configuration"].keys()
    assert validate(folder).problems == []
