"""Packed sets with passes on request, of frames, sequences and rigs, against the same frames in single files."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_sets import over_frames
from fake_renderer import FakeScene

from pipelines.dataset.merge import merge
from pipelines.dataset.packed.members import file_of, member_of
from pipelines.dataset.validation import validate
from pipelines.errors import PipelineError
from pipelines.export.run import export_dataset
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

pytest.importorskip("pyarrow", reason="gis-thermal[store] is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the tools of others
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KINDS: dict[str, dict[str, Any]] = {
    "frames": {"count": 7, "passes": "normals,parts,amodal"},
    "sequences": {"count": 2, "sequence": 0.4, "fps": 10.0, "passes": "normals,parts,amodal,flow"},
    "rig": {"count": 5, "rig": "kitti-stereo", "size": "96x48", "passes": "normals,parts,amodal,stereo"},
    "moving rig": {
        "count": 1, "sequence": 0.5, "rig": "kitti-stereo", "size": "96x48",
        "passes": "normals,parts,amodal,stereo,flow",
    },
}  # fmt: skip
OF_PASSES = {
    "frames": {"normals.png", "normals.exr", "parts.png", "parts.json"},
    "sequences": {"normals.png", "normals.exr", "parts.png", "parts.json", "flow.png", "flow.exr"},
    "rig": {"normals.png", "normals.exr", "parts.png", "parts.json", "disparity.png", "disparity.exr"},
}
OF_PASSES["moving rig"] = OF_PASSES["rig"] | OF_PASSES["sequences"]


def make(out: Path, kind: str, scene: FakeScene | None = None, **options: Any) -> Path:
    shards = {} if options.get("pack") == "files" else {"pack": "shards", "shard_frames": 3}
    options = {"size": "64", "workers": 1, **shards, **KINDS[kind], **options}
    config = SynthesizeConfig(out, seed=3, model="physics", **options)
    return synthesize_dataset(config, session_factory=scene or FakeScene())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _problems(folder: Path) -> list[str]:
    """What is wrong, but for the camera: the fake scene has one for all of a rig."""
    return [line for line in validate(folder).problems if "camera is {" not in line]


def sets(folder: Path) -> list[Path]:
    """The folder, or those of a rig's cameras."""
    return [folder / name for name in ("left", "right")] if (folder / "rig.json").is_file() else [folder]


@pytest.fixture(scope="module", params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Kind, packed and in single files."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, make(folder / "packed", request.param), make(folder / "single", request.param, pack="files")


def test_shards_hold_the_files_of_all_passes(both: tuple[str, Path, Path]) -> None:
    kind, packed, single = both
    for shards, files in zip(sets(packed), sets(single), strict=True):
        found = set()
        for path in sorted((shards / "shards").iterdir()):
            with tarfile.open(path) as archive:
                for item in archive:
                    _, _, rest = item.name.partition(".")
                    if rest != "json":
                        stream = archive.extractfile(item)
                        assert stream is not None
                        assert stream.read() == (files / file_of(item.name)).read_bytes()
                        found.add(rest)
        assert found > OF_PASSES[kind]
        lines = [json.loads(line) for line in (files / "frames.jsonl").read_text().splitlines()]
        for line in lines:
            assert all(file_of(member_of(name)) == name for name in line["files"])
            for one in line["instances"]:
                assert ("rle_amodal" in one) == ("rle" in one)
        assert (shards / "annotations/coco.json").read_bytes() == (files / "annotations/coco.json").read_bytes()


def test_it_is_valid_and_damage_is_found(both: tuple[str, Path, Path], tmp_path: Path) -> None:
    kind, packed, _ = both
    assert _problems(packed) == []
    broken = make(tmp_path / "broken", kind)
    path = next((sets(broken)[0] / "shards").iterdir())
    data = bytearray(path.read_bytes())
    at = data.index(b"normals.png") + 600  # within the picture behind its header
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert _problems(broken)


def test_webdataset_streams_all_passes(both: tuple[str, Path, Path]) -> None:
    webdataset = pytest.importorskip("webdataset")
    kind, packed, single = both
    for shards, files in zip(sets(packed), sets(single), strict=True):
        paths = [str(path) for path in sorted((shards / "shards").iterdir())]
        samples = list(webdataset.WebDataset(paths, shardshuffle=False))
        names = [path.stem for path in sorted((files / "images").iterdir())]
        assert [sample["__key__"] for sample in samples] == names
        for sample in samples:
            for rest in OF_PASSES[kind]:
                place, suffix = rest.split(".")
                path = files / f"{place}/{sample['__key__']}.{suffix}"
                assert sample.get(rest) == (path.read_bytes() if path.is_file() else None)
        first = next(iter(webdataset.WebDataset(paths[:1], shardshuffle=False).decode("pil")))
        assert np.asarray(first["parts.png"]).max() == max(row["id"] for row in first["parts.json"]["parts"])


def test_unpacked_packed_and_merged_are_the_same(both: tuple[str, Path, Path], tmp_path: Path) -> None:
    kind, packed, single = both
    for number, (shards, files) in enumerate(zip(sets(packed), sets(single), strict=True)):
        merge([shards], tmp_path / f"{number}/single", pack="files")
        assert contents(tmp_path / f"{number}/single") == contents(files)
    total = len((sets(single)[0] / "frames.jsonl").read_text().splitlines())
    ranges = (f"4:{total}", "0:2", "2:4")
    parts = [make(tmp_path / text.replace(":", "-"), kind, frames=text) for text in ranges]
    merge(parts, tmp_path / "packed")
    assert contents(tmp_path / "packed") == contents(packed)


def test_over_real_frames_it_is_the_same(tmp_path: Path) -> None:
    over_frames(tmp_path, count=1)  # makes the backgrounds and their boxes

    def over(name: str, **options: Any) -> Path:
        config = SynthesizeConfig(
            tmp_path / name, count=4, backgrounds=tmp_path / "frames", boxes=tmp_path / "boxes.json", size="96x64",
            horizon=30.0, model="physics", workers=1, passes="normals,parts,amodal", **options,
        )  # fmt: skip
        return synthesize_dataset(config, session_factory=FakeScene())

    single, packed = over("single"), over("packed", pack="shards", shard_frames=3)
    assert validate(packed).problems == []
    merge([packed], tmp_path / "unpacked", pack="files")
    assert contents(tmp_path / "unpacked") == contents(single)


@pytest.mark.parametrize("form", ["coco", "kitti"])
def test_exports_are_those_of_single_files(both: tuple[str, Path, Path], form: str, tmp_path: Path) -> None:
    kind, packed, single = both
    whole = kind == "rig" and form == "kitti"
    pairs = [(packed, single)] if whole else list(zip(sets(packed), sets(single), strict=True))
    for number, (shards, files) in enumerate(pairs):
        for folder, name in ((shards, "packed"), (files, "single")):
            export_dataset(folder, tmp_path / f"{number}/{name}", form)
        assert contents(tmp_path / f"{number}/packed") == contents(tmp_path / f"{number}/single")


def test_workers_and_a_kill_change_no_byte(both: tuple[str, Path, Path], tmp_path: Path) -> None:
    kind, packed, _ = both
    assert contents(make(tmp_path / "three", kind, workers=3)) == contents(packed)
    with pytest.raises(PipelineError):
        make(tmp_path / "killed", kind, FakeScene(kill_at=4))
    make(tmp_path / "killed", kind)
    assert contents(tmp_path / "killed") == contents(packed)
