"""Data sets of any size: what a run that goes on reads and looks at, and numbers above 999 999."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from fake_renderer import FakeScene

import pipelines
from pipelines.dataset import store as stores
from pipelines.errors import DatasetError
from pipelines.io import files
from pipelines.io.files import drop_half_line, last_lines, remove_temporaries
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.random_streams import Draw, Stream


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lines of 0 to 40 bytes, read in blocks of 64."""
    monkeypatch.setattr(files, "_CHUNK", 64)
    rng = np.random.default_rng(2)
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"x" * int(rng.integers(0, 41)) + b"\n" for _ in range(60)))
    return path


@pytest.mark.parametrize("most", [1, 2, 7, 59, 60, 61, 1000])
def test_the_last_lines_begin_where_the_others_end(log: Path, most: int) -> None:
    data = log.read_bytes()
    assert data[last_lines(log, most) :] == b"".join(data.splitlines(keepends=True)[-most:])


@pytest.mark.parametrize("half", [b"", b"y", b"y" * 63, b"y" * 64, b"y" * 500])
@pytest.mark.parametrize("empty", [False, True])
def test_half_a_line_is_dropped(log: Path, half: bytes, empty: bool) -> None:
    whole = b"" if empty else log.read_bytes()
    log.write_bytes(whole + half)
    drop_half_line(log)
    assert log.read_bytes() == whole


def test_temporary_files_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a/b/.x.png.12.tmp", ".y.tmp", "a/x.tmp", "a/.hidden", "a/b/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/link").symlink_to(tmp_path / "a")
    remove_temporaries(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a/x.tmp", "a/.hidden", "a/b/c.png"}
    remove_temporaries(tmp_path / "none")


def make(out: Path, count: int = 24, **more: object) -> Path:
    told = SynthesizeConfig(out, count=count, model="physics", size="64", workers=1, **more)  # type: ignore[arg-type]
    return synthesize_dataset(told, session_factory=FakeScene())


def test_a_run_that_goes_on_looks_at_the_newest_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make(tmp_path / "whole", tensors=True)
    part = make(tmp_path / "part", 20, tensors=True)
    monkeypatch.setattr(stores, "NEWEST", 5)
    old, new = part / "annotations/kitti/000003.txt", part / "images/000017.png"
    for path in (old, new):
        path.unlink()
    looked: list[Path] = []
    stat = os.stat

    def watch(path: object, **more: object) -> os.stat_result:
        if isinstance(path, (str, os.PathLike)):
            looked.append(Path(path))
        return stat(path, **more)  # type: ignore[arg-type, call-overload, no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", watch)
        make(part, tensors=True)
    assert new in looked
    assert old not in looked
    assert not old.exists()
    assert new.read_bytes() == (whole / "images/000017.png").read_bytes()
    assert (part / "frames.jsonl").read_bytes() == (whole / "frames.jsonl").read_bytes()
    assert [one for one in pipelines.validate(part).problems if "missing" in one] == [
        "annotations/kitti/000003.txt: is missing"
    ]  # the check of all finds it


def test_a_line_of_another_frame_among_the_newest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(tmp_path / "out")
    monkeypatch.setattr(stores, "NEWEST", 5)
    lines = (out / "frames.jsonl").read_bytes().splitlines(keepends=True)
    (out / "frames.jsonl").write_bytes(b"".join([*lines[:21], *lines[22:]]))
    with pytest.raises(DatasetError, match=r"expected the record of frame 2[12]"):
        make(out, 30)


def test_names_grow_beyond_six_digits(tmp_path: Path) -> None:
    out = make(tmp_path / "out", frames="999998:1000001", tensors=True)
    names = ["1000000", "999998", "999999"]
    assert sorted(path.stem for path in (out / "images").iterdir()) == names
    assert sorted(path.stem for path in (out / "tensors/.parts").iterdir()) == names
    before = {path: os.stat(path).st_mtime_ns for path in out.rglob("*") if path.is_file() and path.suffix != ".json"}
    longer = make(out, frames="999998:1000002", tensors=True)
    assert (longer / "images/1000001.png").is_file()
    assert all(os.stat(path).st_mtime_ns == at for path, at in before.items() if path.name != "frames.jsonl")


def test_no_attempt_at_a_frame_is_another_frame() -> None:
    indices = (0, 1, 2, 999_999, 1_000_000, 1_000_001, 2_000_000, 2_000_001, 1 << 31, 1 << 32, (1 << 32) + 1)
    draws = [Draw(3, index, attempt) for index, attempt in product(indices, range(4))]
    keys = {
        draw.rng(stream, part).bytes(16)
        for draw in draws
        for stream in (Stream.TRAFFIC, Stream.CONDITIONS)
        for part in (None, 1, 2)
    }
    assert len(keys) == len(draws) * 2 * 3
