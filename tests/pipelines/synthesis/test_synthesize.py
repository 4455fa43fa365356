from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene

from gan.data.layout import CHANNELS, decode_sample
from pipelines.dataset import shards as tensors
from pipelines.dataset.validation import validate
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.errors import DatasetError, OutputError, WorkerError
from pipelines.io.exr import read_exr
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import LABEL_COLOURS
from renderer.thermal.sensor import from_uint16

COUNT = 10


def config(out: Path, **options: object) -> SynthesizeConfig:
    return SynthesizeConfig(
        **{"out": out, "count": COUNT, "seed": 3, "workers": 1, "tensors": True, "model": "physics", **options}
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(folder: Path, other: Path) -> bool:
    ours, theirs = contents(folder), contents(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    return True


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that nothing disturbed, made by one worker."""
    return synthesize_dataset(config(tmp_path_factory.mktemp("whole") / "out"), session_factory=FakeScene())


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]


def test_folder_has_the_layout_and_is_valid(whole: Path) -> None:
    names = set(contents(whole))
    for place in ("images", "images16", "masks", "zones"):
        assert f"{place}/000009.png" in names
    assert {"depth/000000.exr", "annotations/coco.json", "annotations/kitti/000000.txt"} <= names
    assert {"annotations/yolo/000000.txt", "dataset.json", "README.md", "preview.png"} <= names
    report = validate(whole)
    assert report.problems == []
    assert report.frames == COUNT
    assert report.objects > COUNT / 2


def test_two_workers_write_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    synthesize_dataset(config(tmp_path / "two", workers=2), session_factory=FakeScene())
    assert same(tmp_path / "two", whole)


def test_nothing_in_the_files_says_where_or_when(whole: Path) -> None:
    text = b"".join(data for name, data in contents(whole).items() if name.endswith((".json", ".jsonl", ".md")))
    assert str(whole.parent).encode() not in text
    assert str(Path.home()).encode() + b"/" not in text
    assert b"workers" not in text


def test_masks_boxes_and_codes_by_brute_force(whole: Path) -> None:
    coco = json.loads((whole / "annotations" / "coco.json").read_text())
    found = 0
    for record in records(whole):
        name = f"{record['index']:06d}"
        mask = read_png(whole / "masks" / f"{name}.png")
        annotations = [item for item in coco["annotations"] if item["image_id"] == record["index"]]
        assert {item["instance_id"] for item in annotations} == set(np.unique(mask)) - {0}
        yolo = (whole / "annotations" / "yolo" / f"{name}.txt").read_text().splitlines()
        kitti = (whole / "annotations" / "kitti" / f"{name}.txt").read_text().splitlines()
        assert len(yolo) == len(kitti) == len(annotations)
        for item, row in zip(annotations, yolo, strict=True):
            pixels = [(x, y) for y, x in zip(*np.nonzero(mask == item["instance_id"]), strict=True)]
            left, top = min(x for x, _ in pixels), min(y for _, y in pixels)
            right, bottom = max(x for x, _ in pixels) + 1, max(y for _, y in pixels) + 1
            assert item["bbox"] == [left, top, right - left, bottom - top]
            assert item["area"] == len(pixels)
            assert np.array_equal(decode_rle(item["segmentation"]["counts"], *mask.shape), mask == item["instance_id"])
            cx, cy, w, h = map(float, row.split()[1:])
            assert (cx - w / 2) * mask.shape[1] == pytest.approx(left, abs=1e-3)
            assert (cy + h / 2) * mask.shape[0] == pytest.approx(bottom, abs=1e-3)
            found += 1
        sliver = record["instances"][-1]
        assert not sliver["labelled"]
        assert sliver["id"] not in mask
    assert found > COUNT / 2


def test_images_are_temperatures(whole: Path) -> None:
    """The 16-bit image is kelvin, and the road of the fake street has about the temperature of its air."""
    for record in records(whole):
        name = f"{record['index']:06d}.png"
        kelvin = from_uint16(read_png(whole / "images16" / name), tuple(record["span_K"]))
        grey = read_png(whole / "images" / name)
        assert grey.dtype == np.uint8
        order = np.corrcoef(np.argsort(np.argsort(kelvin.ravel())), np.argsort(np.argsort(grey.ravel())))[0, 1]
        assert order > 0.8
        zone = read_png(whole / "zones" / name)
        air = record["conditions"]["air_temperature_K"]
        assert abs(np.median(kelvin[zone == 32]) - air) < 40


def test_tensors_show_the_same_frame_as_the_files(whole: Path) -> None:
    with tarfile.open(whole / "tensors" / "shard-000000.tar") as shard:
        members = shard.getmembers()
        assert [member.name for member in members] == [f"{index:06d}.safetensors" for index in range(COUNT)]
        assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}
        samples = [decode_sample(shard.extractfile(member).read()) for member in members]
    for record, sample in zip(records(whole), samples, strict=True):
        name = f"{record['index']:06d}"
        mask = read_png(whole / "masks" / f"{name}.png")
        depth = read_exr(whole / "depth" / f"{name}.exr")["Z"]
        assert np.array_equal(sample.instance_id, mask)
        assert np.array_equal(sample.target, read_png(whole / "images16" / f"{name}.png"))
        assert sample.span_K == tuple(record["span_K"])
        for entry in record["instances"]:
            if entry["labelled"]:
                pixels = sample.label_image[mask == entry["id"]]
                assert (pixels == LABEL_COLOURS[entry["category"]]).all()
        assert set(np.unique(sample.segmentation[mask == 0])) <= {0}
        assert (sample.segmentation[mask > 0] > 0).all()
        source = sample.source()
        assert source.shape == (len(CHANNELS), *mask.shape)
        near = 2.0 / np.maximum(depth[mask > 0], 2.0) * 2 - 1
        assert source[6][mask > 0] == pytest.approx(near, abs=1e-4)
        assert (source[6][mask == 0] == -1).all()


def test_a_kill_changes_nothing_in_the_end(whole: Path, tmp_path: Path) -> None:
    """SIGKILL to the parent in the middle, then the same run again."""
    out = tmp_path / "out"
    script = (
        "from fake_renderer import FakeScene; from test_synthesize import config; from pathlib import Path\n"
        "from pipelines.synthesis.dataset_run import synthesize_dataset\n"
        f"synthesize_dataset(config(Path({str(out)!r}), workers=2), session_factory=FakeScene(slow_s=0.3))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
    run = subprocess.Popen([sys.executable, "-c", script], env=environment)
    log = out / "frames.jsonl"
    deadline = time.monotonic() + 60
    while not log.is_file() or log.read_bytes().count(b"\n") < 3:
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert len(records(out)) < COUNT
    for record in records(out):
        assert all((out / name).is_file() for name in record["files"])
    log.write_bytes(log.read_bytes() + b'{"index": 99, "se')
    (out / "images" / ".000007.png.12345.tmp").write_bytes(b"half")
    synthesize_dataset(config(out, workers=2), session_factory=FakeScene())
    assert same(out, whole)


def test_a_killed_worker_ends_the_run_and_it_can_go_on(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="SIGKILL at frame 4"):
        synthesize_dataset(config(tmp_path / "out"), session_factory=FakeScene(kill_at=4))
    assert len(records(tmp_path / "out")) == 4
    synthesize_dataset(config(tmp_path / "out"), session_factory=FakeScene())
    assert same(tmp_path / "out", whole)


def test_a_full_disk_leaves_whole_files_and_it_can_go_on(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="cannot be written"):
        synthesize_dataset(config(out), session_factory=FakeScene(full_at=5))
    assert len(records(out)) == 5
    reference = contents(whole)
    for name, data in contents(out).items():
        if name not in ("dataset.json", "frames.jsonl") and ".parts" not in name:
            assert data == reference[name]
    synthesize_dataset(config(out), session_factory=FakeScene())
    assert same(out, whole)


def test_the_folder_grows_and_what_is_there_stays(whole: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    log.mkdir()
    synthesize_dataset(config(out, count=4), session_factory=FakeScene())
    synthesize_dataset(config(out), session_factory=FakeScene(log=log))
    assert sorted(int(path.name.split(".")[0]) for path in log.iterdir()) == list(range(4, COUNT))
    assert same(out, whole)


def test_shards_grow_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "SHARD_FRAMES", 4)
    synthesize_dataset(config(tmp_path / "at once", count=9), session_factory=FakeScene())
    synthesize_dataset(config(tmp_path / "grown", count=2), session_factory=FakeScene())
    synthesize_dataset(config(tmp_path / "grown", count=6), session_factory=FakeScene())
    synthesize_dataset(config(tmp_path / "grown", count=9), session_factory=FakeScene())
    assert same(tmp_path / "grown", tmp_path / "at once")
    held = [len(list(tensors.read_shard(path))) for path in sorted((tmp_path / "grown" / "tensors").iterdir())]
    assert held == [4, 4, 1]
    assert validate(tmp_path / "grown").problems == []


def test_a_finished_run_is_left_alone_and_a_lost_file_comes_back(whole: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    log.mkdir()
    synthesize_dataset(config(out), session_factory=FakeScene())
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    synthesize_dataset(config(out), session_factory=FakeScene(log=log))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert not list(log.iterdir())
    (out / "depth" / "000002.exr").unlink()
    (out / "tensors" / "shard-000000.tar").unlink()
    synthesize_dataset(config(out), session_factory=FakeScene())
    assert same(out, whole)


def test_a_lost_frame_that_comes_out_differently_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize_dataset(config(out, count=3), session_factory=FakeScene())
    log = out / "frames.jsonl"
    log.write_text(log.read_text().replace('"fx": 90.0', '"fx": 91.0', 2))
    (out / "depth" / "000001.exr").unlink()
    with pytest.raises(DatasetError, match=r"frame 1 came out differently.*camera.fx is 91.0, now 90.0"):
        synthesize_dataset(config(out, count=3), session_factory=FakeScene())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": 4}, "configuration.seed is 3, now 4"),
        ({"profile": "idling"}, 'configuration.profile is null, now "idling"'),
        ({"tensors": False}, "configuration.tensors is true, now false"),
        ({"count": 3}, f"holds {COUNT} frames, more than the 3 asked for"),
    ],
)
def test_another_configuration_is_refused(whole: Path, options: dict[str, object], said: str) -> None:
    before = contents(whole)
    with pytest.raises(DatasetError, match=said):
        synthesize_dataset(config(whole, **options), session_factory=FakeScene())
    assert contents(whole) == before


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(DatasetError, match=r"holds other files \(thesis.tex\)"):
        synthesize_dataset(config(tmp_path), session_factory=FakeScene())


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(DatasetError, match="another run is writing to it"):
            synthesize_dataset(config(tmp_path), session_factory=FakeScene())
    finally:
        os.close(handle)
    assert list(tmp_path.iterdir()) == []


def test_a_scene_that_cannot_be_opened_writes_nothing(tmp_path: Path) -> None:
    from renderer.errors import SceneError

    with pytest.raises(SceneError, match="cannot be read"):
        synthesize_dataset(config(tmp_path / "out"), session_factory=FakeScene(broken=True))
    assert not (tmp_path / "out").exists()


def test_real_backgrounds_stay_as_they_are_around_the_cars(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "backgrounds"
    folder.mkdir()
    for number in range(3):
        picture = cv2.GaussianBlur(rng.integers(0, 255, (100, 160), dtype=np.uint8), (0, 0), 3)
        cv2.imwrite(str(folder / f"{number}.png"), cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX))
    made = config(tmp_path / "out", backgrounds=folder, size="96x64", horizon=45.0)
    synthesize_dataset(made, session_factory=FakeScene())
    assert validate(tmp_path / "out").problems == []
    assert not (tmp_path / "out" / "images16").exists()
    used, checked = set(), 0
    for record in records(tmp_path / "out"):
        about = record["background"]
        used.add(about["name"])
        assert record["span_K"] is None
        assert not about["radiometric"]
        assert about["camera"] == "assumed flir-adas"
        left, top, right, bottom = about["crop_px"]
        assert (right - left, bottom - top) == (150, 100)
        cut = cv2.imread(str(folder / about["name"]), cv2.IMREAD_GRAYSCALE)[top:bottom, left:right]
        wanted = cv2.resize(cut, (96, 64), interpolation=cv2.INTER_AREA)
        image = read_png(tmp_path / "out" / "images" / f"{record['index']:06d}.png")
        mask = read_png(tmp_path / "out" / "masks" / f"{record['index']:06d}.png")
        away = cv2.dilate((mask > 0).astype(np.uint8), np.ones((21, 21))) == 0
        away[:8, :8] = False  # the sliver without a label
        away[29:] = False  # below the horizon cars warm the road
        assert np.array_equal(image[away], wanted[away])
        checked += int(away.sum())
    assert len(used) > 1
    assert checked > 500
    again = synthesize_dataset(replace(made, out=tmp_path / "again", workers=2), session_factory=FakeScene())
    assert same(again, tmp_path / "out")
