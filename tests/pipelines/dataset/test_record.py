"""Records of frames: to JSON and back, lines of version 1, and errors by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.dataset.record import FrameRecord, LabelError, PairRecord, PassesRecord, Record
from pipelines.errors import DatasetError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
LOG = Path("frames.jsonl")


def lines(name: str) -> list[str]:
    return (FIXTURES / name / "frames.jsonl").read_text().splitlines()


def frame() -> dict[str, Any]:
    return json.loads(lines("dataset_v1")[0])


@pytest.mark.parametrize(("name", "kind"), [("dataset_v1", FrameRecord), ("passes_v1", PassesRecord)])
def test_version_1_is_read_and_nothing_is_lost(name: str, kind: type[Record]) -> None:
    for index, line in enumerate(lines(name)):
        old, new = json.loads(line), json.loads(json.dumps(kind.from_line(line, index, LOG).to_json()))
        for before, after in (("backend", "model"), ("drift", "label_error")):
            if before in old:
                old[after] = old.pop(before)
        assert new == old


@pytest.mark.parametrize(("name", "kind"), [("dataset_v1", FrameRecord), ("passes_v1", PassesRecord)])
def test_to_json_and_back(name: str, kind: type[Record]) -> None:
    for index, line in enumerate(lines(name)):
        written = json.dumps(kind.from_line(line, index, LOG).to_json(), allow_nan=False)
        assert json.dumps(kind.from_line(written, index, LOG).to_json()) == written


def test_values_have_their_types() -> None:
    data, record = frame(), FrameRecord.from_json(frame())
    assert record.camera.K.tolist() == data["camera"]["K"]
    assert record.cam_to_world.tolist() == data["camera"]["cam_to_world"]
    assert record.conditions.weather == data["conditions"]["weather"]
    assert record.span_K == tuple(data["span_K"])
    assert record.label_error is not None
    assert record.label_error.score == data["drift"]["score"]
    assert record.stem == "000000"
    assert [item.id for item in record.labelled] == [item["id"] for item in data["instances"] if item["labelled"]]
    first = record.instances[0]
    assert first.object_to_world.dtype == np.float64
    assert first.box_3d.centre_m == tuple(data["instances"][0]["box_3d"]["centre_m"])


def test_names_of_version_1_within_parts() -> None:
    data = frame()
    data["backend"] = {"name": "pix2pix", "weights_sha256": "0", "route": "torch fp32 on cpu", "layout": "flat"}
    data["background"] = {
        "kind": "image", "name": "a.png", "radiometric": False,
        "geometry": {
            "horizon_px": 1.5, "horizon_std_px": 1.0, "horizon_from": "given", "horizon_sure": 0.25,
            "camera_height_m": 1.2, "roll_deg": 0.0, "road_from": "given", "road_sure": 0.75, "road_share": 0.5,
            "road_yaw_deg": None, "obstacles": 0, "obstacles_from": "given boxes", "placement": "on the free road",
        },
    }  # fmt: skip
    record = FrameRecord.from_json(data)
    assert record.model.inference == "torch fp32 on cpu"
    ground = record.background.geometry
    assert ground is not None
    assert (ground.horizon_confidence, ground.road_confidence) == (0.25, 0.75)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.pop("conditions"), "conditions is missing"),
        (lambda d: d["camera"].update(fx="wide"), "camera.fx is 'wide': expected a number"),
        (lambda d: d["camera"].pop("cam_to_world"), "cam_to_world is missing"),
        (lambda d: d["camera"].update(cam_to_world=[[1, 2], [3]]), "cam_to_world is .*: expected rows of numbers"),
        (lambda d: d["camera"].update(width=0), "camera cannot be: .*width is 0"),
        (lambda d: d["conditions"].update(weather="hail"), "conditions cannot be: unknown weather 'hail'"),
        (lambda d: d["instances"][1].update(visible_px=1.5), r"instances\[1\].visible_px is 1.5: expected a whole"),
        (lambda d: d["instances"][0].update(box_amodal_px=[1, 2, 3]), r"instances\[0\].box_amodal_px .* a list of 4"),
        (lambda d: d["instances"][0]["box_3d"].pop("yaw_rad"), r"instances\[0\].box_3d.yaw_rad is missing"),
        (lambda d: d["drift"].update(rejected=1), "label_error.rejected is 1: expected true or false"),
        (lambda d: d.update(span_K=[1.0]), "span_K is .*: expected a list of 2"),
        (lambda d: d.update(files=[]), "files is .*: expected an object"),
        (lambda d: d["files"].update(x=1), "files.x is 1: expected a text"),
        (lambda d: d["background"].update(kind="video"), "background.kind is 'video': expected one of scene, image"),
    ],
)
def test_what_cannot_be_is_named(edit: Callable[[dict[str, Any]], Any], message: str) -> None:
    data = frame()
    edit(data)
    with pytest.raises(DatasetError, match=f"^frames.jsonl: line 1: {message}"):
        FrameRecord.from_json(data, "frames.jsonl: line 1")


@pytest.mark.parametrize("line", ["{", "[]", '{"index": 1, "files": {}}', '{"index": 0}'])
def test_a_line_that_is_no_record(line: str) -> None:
    with pytest.raises(DatasetError, match=r"line 1.*expected the record of"):
        PairRecord.from_line(line, 0, LOG)


def test_objects_without_a_label_can_be_left_out() -> None:
    data = frame()
    labelled = [item["id"] for item in data["instances"] if item["labelled"]]
    assert labelled
    hidden = {**data["instances"][0], "id": 999, "labelled": False}
    data["instances"].insert(0, hidden)
    read = FrameRecord.from_line(json.dumps(data), 0, LOG, labelled_only=True)
    assert [item.id for item in read.instances] == labelled
    assert read.labelled[0].rle == next(item["rle"] for item in data["instances"] if item["labelled"])
    whole = FrameRecord.from_line(json.dumps(data), 0, LOG)
    assert [item.id for item in whole.labelled] == labelled
    # What is wrong is told by its place in the line, not among those that were read.
    place = next(place for place, item in enumerate(data["instances"]) if item["labelled"])
    data["instances"][place]["visible_px"] = "many"
    with pytest.raises(DatasetError, match=rf"instances\[{place}\].visible_px is 'many': expected a whole number"):
        FrameRecord.from_line(json.dumps(data), 0, LOG, labelled_only=True)


def test_a_label_error_exceeds_a_limit_by_its_rounded_score() -> None:
    error = LabelError(0.30004, None)
    assert error.exceeds(0.3)
    assert not error.rounded().exceeds(0.3)
    assert not error.exceeds(None)
    assert not LabelError(None, None).exceeds(0.3)
