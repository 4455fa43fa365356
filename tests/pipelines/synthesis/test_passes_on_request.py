"""`--passes normals,parts,amodal`: files as others read them, against masks, zones, depth and each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from export_sets import over_frames
from fake_renderer import LOOKING_ALONG_Y, FakeScene

from pipelines.dataset.merge import merge
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.export.run import export_dataset
from pipelines.io.exr import read_exr, write_exr
from pipelines.io.files import file_sha256
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

ALL = "normals,parts,amodal"


def _made(out: Path, **options: object) -> Path:
    config = SynthesizeConfig(
        **{"out": out, "count": 4, "seed": 3, "workers": 1, "model": "physics", "passes": ALL, **options}  # type: ignore[arg-type]
    )
    return synthesize_dataset(config, session_factory=FakeScene())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("passes") / "set")


def _lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]


def test_normals_are_unit_vectors_of_the_camera(made: Path) -> None:
    """OpenCV reads the picture; the fake's road lies level, its objects face the camera, which looks along y."""
    for line in _lines(made):
        name = f"{line['index']:06d}"
        coded = cv2.imread(str(made / f"normals/{name}.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        depth = read_exr(made / f"depth/{name}.exr")["Z"]
        mask = cv2.imread(str(made / f"masks/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert coded.dtype == np.uint16
        assert not coded[~np.isfinite(depth)].any()
        normal = coded / 65535 * 2 - 1
        zones = cv2.imread(str(made / f"zones/{name}.png"), cv2.IMREAD_UNCHANGED)
        road = np.isfinite(depth) & (mask == 0) & (zones[..., 2] == zones[-1, 0, 2])
        up, towards = LOOKING_ALONG_Y[:3, :3].T @ (0, 0, 1), LOOKING_ALONG_Y[:3, :3].T @ (0, -1, 0)
        assert np.abs(normal[mask > 0] - towards).max() < 2e-5
        assert np.median(np.abs(normal[road] - up).max(axis=1)) < 2e-5
        assert up.tolist() == [0, -1, 0]
        assert towards.tolist() == [0, 0, -1]


def test_parts_cover_the_mask_and_nothing_else(made: Path) -> None:
    for line in _lines(made):
        name = f"{line['index']:06d}"
        number, mask = (
            cv2.imread(str(made / f"{place}/{name}.png"), cv2.IMREAD_UNCHANGED) for place in ("parts", "masks")
        )
        table = {row["id"]: row for row in json.loads((made / f"parts/{name}.json").read_text())["parts"]}
        assert np.array_equal(number > 0, mask > 0)
        assert set(np.unique(number)) - {0} == set(table)
        for one, row in table.items():
            assert set(np.unique(mask[number == one])) == {row["instance_id"]}
            assert row["pixels"] == np.count_nonzero(number == one)
            assert row["part"] == f"car.{row['instance_id']}"
        assert {row["zone"] for row in table.values()} == {"body", "tyre"}


def test_pycocotools_reads_whole_objects(made: Path) -> None:
    masks = pytest.importorskip("pycocotools.mask")
    coco = json.loads((made / "annotations/coco.json").read_text())
    hidden = 0
    for one in coco["annotations"]:
        whole, seen = (masks.decode(one[key]).astype(bool) for key in ("segmentation_amodal", "segmentation"))
        left, top, wide, high = one["bbox_amodal"]
        drawn = np.zeros_like(whole)
        drawn[max(0, int(top)) : max(0, int(top + high)), max(0, int(left)) : max(0, int(left + wide))] = True
        assert np.array_equal(whole, drawn)  # the fake's objects are rectangles
        assert not (seen & ~whole).any()
        assert one["area_amodal"] == whole.sum()
        hidden += whole.sum() > seen.sum()
    assert hidden >= 2


def test_the_set_is_valid_merged_and_over_real_frames(made: Path, tmp_path: Path) -> None:
    assert validate(made).problems == []
    parts = [_made(tmp_path / name, frames=frames) for name, frames in (("a", "0:3"), ("b", "3:4"))]
    merged = merge(parts, tmp_path / "merged")
    for place in ("normals", "parts"):
        for path in (made / place).iterdir():
            assert (merged / place / path.name).read_bytes() == path.read_bytes()
    assert (merged / "frames.jsonl").read_bytes() == (made / "frames.jsonl").read_bytes()
    real = over_frames(tmp_path / "real", count=4, passes=ALL)
    assert validate(real).problems == []
    assert (real / "parts/000000.json").is_file()


def test_a_packed_set_is_valid(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra data is not installed")
    assert validate(_made(tmp_path / "packed", pack="shards")).problems == []


def test_a_larger_request_changes_no_other_file(made: Path, tmp_path: Path) -> None:
    plain = _made(tmp_path / "plain", passes=None)
    for place in ("images", "masks", "depth", "zones", "annotations/kitti"):
        for path in (plain / place).iterdir():
            assert (made / place / path.name).read_bytes() == path.read_bytes()
    assert not (plain / "normals").exists()
    assert "amodal_" not in (plain / "frames.jsonl").read_text().replace("amodal_px", "")


def test_export_to_coco_keeps_whole_objects(made: Path, tmp_path: Path) -> None:
    export_dataset(made, tmp_path / "coco", "coco")
    found = [path for path in (tmp_path / "coco/annotations").glob("*.json")]
    entries = [one for path in found for one in json.loads(path.read_text())["annotations"]]
    source = json.loads((made / "annotations/coco.json").read_text())["annotations"]
    assert sorted(one["segmentation_amodal"]["counts"] for one in entries) == sorted(
        one["segmentation_amodal"]["counts"] for one in source
    )


def _rewrite(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    log = folder / "frames.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        line.pop("record_sha256")
        if name in line["files"]:
            line["files"][name] = file_sha256(folder / name)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _turn_a_normal(folder: Path) -> None:
    channels = read_exr(folder / "normals/000001.exr")
    channels["X"] = np.where(channels["Y"] != 0, 0.5, channels["X"]).astype(np.float32)
    write_exr(folder / "copy.exr", channels)
    data = (folder / "copy.exr").read_bytes()
    (folder / "copy.exr").unlink()
    _rewrite(folder, "normals/000001.exr", data)


def _move_a_part(folder: Path) -> None:
    number = cv2.imread(str(folder / "parts/000001.png"), cv2.IMREAD_UNCHANGED)
    _rewrite(folder, "parts/000001.png", cv2.imencode(".png", np.roll(number, 1, axis=1))[1].tobytes())


def _lose_the_table(folder: Path) -> None:
    _rewrite(folder, "parts/000001.json", b'{"parts": []}')


def _cut_a_whole_object(folder: Path) -> None:
    log = folder / "frames.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = ((line, one) for line in lines for one in line["instances"] if "rle_amodal" in one)
    line, item = next((line, one) for line, one in found if one["rle_amodal"] != one["rle"])
    item["rle_amodal"] = item["rle"]
    line.pop("record_sha256")
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_turn_a_normal, "normals: one is"),
        (_move_a_part, "parts: they do not agree with the mask"),
        (_lose_the_table, "parts: the picture holds number"),
        (_cut_a_whole_object, "its amodal mask has"),
    ],
)
def test_validation_finds_damage(made: Path, tmp_path: Path, damage: Callable[[Path], None], named: str) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    damage(copy)
    assert any(named in problem for problem in validate(copy).problems)


@pytest.mark.parametrize("passes", ["normal", "flow", "normals,flow"])
def test_unknown_passes_and_flow_of_single_frames_are_refused(tmp_path: Path, passes: str) -> None:
    with pytest.raises(ConfigError, match="passes"):
        SynthesizeConfig(out=tmp_path / "out", passes=passes)
