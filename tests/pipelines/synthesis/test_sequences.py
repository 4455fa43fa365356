"""`gis synthesize --sequence`: numbers, records, labels; which frame is made where changes nothing."""

from __future__ import annotations

import filecmp
import json
from collections import Counter
from pathlib import Path

import pytest
from fake_renderer import FakeScene

from pipelines.dataset.merge import merge
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError, PipelineError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig


def _made(out: Path, scene: FakeScene | None = None, **options: object) -> Path:
    config = SynthesizeConfig(
        out=out, **{"count": 3, "sequence": 0.4, "fps": 10.0, "seed": 5, "workers": 1, "model": "physics", **options}
    )  # type: ignore[arg-type]
    return synthesize_dataset(config, session_factory=scene or FakeScene())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("moving") / "set")


def _lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]


def _differing(one: Path, other: Path) -> list[str]:
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert len(files) == sum(path.is_file() for path in other.rglob("*"))
    return [str(path) for path in files if not filecmp.cmp(one / path, other / path, shallow=False)]


def test_frames_of_sequences_follow_each_other(made: Path) -> None:
    lines = _lines(made)
    places = [(line["sequence"]["number"], line["sequence"]["frame"], line["sequence"]["time_s"]) for line in lines]
    assert places == [(number, frame, frame / 10.0) for number in range(3) for frame in range(4)]
    weather = [json.dumps(line["conditions"], sort_keys=True) for line in lines]
    assert [len(set(weather[k : k + 4])) for k in (0, 4, 8)] == [1, 1, 1]
    assert len(set(weather)) == 3


def test_an_object_keeps_its_track(made: Path) -> None:
    tracks = Counter((item["track_id"], item["model"]) for line in _lines(made) for item in line["instances"])
    assert len({track for track, _ in tracks}) == len(tracks)
    assert max(tracks.values()) == 4
    coco = json.loads((made / "annotations/coco.json").read_text())
    assert [video["id"] for video in coco["videos"]] == [0, 1, 2]
    assert [(image["video_id"], image["frame_index"]) for image in coco["images"]] == [
        (number, frame) for number in range(3) for frame in range(4)
    ]
    of_image = {image["id"]: image["video_id"] for image in coco["images"]}
    listed = {track["id"]: track for track in coco["tracks"]}
    for one in coco["annotations"]:
        assert one["video_id"] == of_image[one["image_id"]] == listed[one["track_id"]]["video_id"]
        assert one["category_id"] == listed[one["track_id"]]["category_id"]


def test_a_set_of_sequences_is_valid(made: Path) -> None:
    assert validate(made).problems == []


def test_a_changed_track_is_found(made: Path, tmp_path: Path) -> None:
    other = _made(tmp_path / "set")
    text = (other / "annotations/coco.json").read_text()
    track = json.loads(text)["annotations"][0]["track_id"]
    (other / "annotations/coco.json").write_text(text.replace(f'"track_id": {track},', f'"track_id": {track + 1},', 1))
    assert any("track_id" in problem for problem in validate(other).problems)


def test_workers_and_parts_change_no_byte(made: Path, tmp_path: Path) -> None:
    assert _differing(made, _made(tmp_path / "three", workers=3)) == []
    parts = [_made(tmp_path / name, frames=name.replace("-", ":")) for name in ("0-3", "3-9", "9-12")]
    assert _differing(made, merge(parts, tmp_path / "merged")) == []


def test_killed_and_resumed_is_the_same(made: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError):
        _made(tmp_path, FakeScene(kill_at=6))
    assert 0 < len(_lines(tmp_path)) < 12
    assert _differing(made, _made(tmp_path)) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence": 0.1, "fps": 10.0}, "fewer than two frames"),
        ({"sequence": None, "fps": 25.0}, "give --sequence"),
        ({"max_label_error": 0.3}, "max-label-error is of single frames"),
        ({"sequence": 0.0}, "sequence"),
    ],
)
def test_what_sequences_cannot_be(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        SynthesizeConfig(out=tmp_path, **{"sequence": 1.0, **options})
