"""Data sets whose frames have visible twins: their files, and who knows of them."""

from __future__ import annotations

import filecmp
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from fake_renderer import FakeScene

from gan.data.sources import find_sources
from pipelines.dataset.merge import merge
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.io.images import encode_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

cv2 = pytest.importorskip("cv2")


def _made(out: Path, **options: object) -> Path:
    told = {"count": 3, "seed": 5, "workers": 1, "model": "physics", "visible": True, **options}
    config = SynthesizeConfig(out=out, **told)  # type: ignore[arg-type]
    return synthesize_dataset(config, session_factory=FakeScene())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("twins") / "set")


def test_each_frame_has_a_colour_picture_of_its_size(made: Path) -> None:
    for k in range(3):
        infrared = cv2.imread(str(made / f"images/{k:06d}.png"), cv2.IMREAD_UNCHANGED)
        visible = cv2.imread(str(made / f"visible/{k:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert visible.shape == (*infrared.shape, 3)
        ids = cv2.imread(str(made / f"masks/{k:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert (visible[..., 0] == 90).all()  # the fake renderer's blue: channels are in their order
        assert all(len(np.unique(visible[ids == number])) <= 3 for number in np.unique(ids)[1:])


def test_all_else_is_as_without_twins(made: Path, tmp_path: Path) -> None:
    plain = _made(tmp_path / "plain", visible=False)
    for folder in ("images", "images16", "masks", "zones", "depth", "annotations/kitti", "annotations/yolo"):
        for path in (plain / folder).iterdir():
            assert filecmp.cmp(path, made / folder / path.name, shallow=False)
    assert not (plain / "visible").exists()
    told = json.loads((plain / "dataset.json").read_text())["configuration"]
    assert not [key for key in told if key.startswith("visible")]
    assert "visible_file_name" not in (plain / "annotations/coco.json").read_text()


def test_records_labels_card_and_croissant_know_of_them(made: Path) -> None:
    lines = [json.loads(line) for line in (made / "frames.jsonl").read_text().splitlines()]
    assert all(f"visible/{line['index']:06d}.png" in line["files"] for line in lines)
    coco = json.loads((made / "annotations/coco.json").read_text())
    assert [image["visible_file_name"] for image in coco["images"]] == [f"visible/{k:06d}.png" for k in range(3)]
    assert all((made / image["visible_file_name"]).is_file() for image in coco["images"])
    assert "`visible/`" in (made / "README.md").read_text()
    assert "visible/*.png" in (made / "croissant.json").read_text()
    assert validate(made).problems == []


def test_validation_finds_a_twin_that_is_missing_changed_or_grey(tmp_path: Path) -> None:
    folder = _made(tmp_path / "set")
    (folder / "visible/000000.png").unlink()
    (folder / "visible/000001.png").write_bytes(encode_png(np.zeros((64, 96), np.uint8)))
    problems = "\n".join(validate(folder).problems)
    assert "visible/000000.png" in problems
    assert "visible/000001.png" in problems
    assert "expected uint8 (64, 96, 3)" in problems


def test_a_packed_set_has_them_too(made: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="packed sets need the extra cluster")
    packed = _made(tmp_path / "packed", pack="shards", shard_frames=2)
    assert validate(packed).problems == []
    with tarfile.open(next((packed / "shards").glob("*.tar"))) as shard:
        stored = shard.extractfile("000001.visible.png")
        assert stored is not None
        assert stored.read() == (made / "visible/000001.png").read_bytes()


def test_merged_parts_have_them_too(made: Path, tmp_path: Path) -> None:
    parts = [_made(tmp_path / f"part{k}", frames=f"{k}:{k + 1}") for k in range(3)]
    merge(parts, tmp_path / "whole")
    for k in range(3):
        twin = f"visible/{k:06d}.png"
        assert filecmp.cmp(made / twin, tmp_path / "whole" / twin, shallow=False)
    assert validate(tmp_path / "whole").problems == []


def test_training_takes_the_pairs_as_they_lie(made: Path) -> None:
    sources = find_sources(made)
    assert sources.kind == "paired"
    planes, _ = sources.items[1].read()
    assert planes["source"].shape == (3, 64, 96)
    infrared = cv2.imread(str(made / "images/000001.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(planes["target"][0], infrared)
    np.testing.assert_array_equal(planes["source"][2], 90)


def test_twins_over_real_backgrounds_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"visible: a real infrared background has no geometry"):
        SynthesizeConfig(out=tmp_path, visible=True, backgrounds=tmp_path, model="physics")


@pytest.mark.parametrize("option", [{"visible_samples": 4}, {"visible_denoise": False}, {"visible_device": "cpu"}])
def test_options_of_twins_need_twins(option: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="those of --visible"):
        SynthesizeConfig(out=tmp_path, model="physics", **option)  # type: ignore[arg-type]


def test_samples_decide_the_content_and_the_device_does_not(tmp_path: Path) -> None:
    def told(**options: object) -> dict[str, object]:
        return SynthesizeConfig(out=tmp_path, model="physics", visible=True, **options).to_json()  # type: ignore[arg-type]

    assert told(visible_samples=4) != told()
    assert told(visible_device="cpu") == told()
