"""Somebody removes, renames or changes the folder of a run while it is written to: said, and never reported as made."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_renderer import FakeScene, FakeSession

from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError, DatasetError, OutputError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.passes import render

COUNT = 24


@dataclass(frozen=True)
class SlowScene(FakeScene):
    """Takes its time once a few frames are there."""

    def __call__(self, config: RenderConfig) -> FakeSession:
        return FakeSession(self, config)


def run(command: str, out: Path, slow_s: float = 0.0) -> Path:
    scene = SlowScene(slow_s=slow_s)
    if command == "render":
        return render(RenderConfig(out=out, count=COUNT, seed=3, workers=2), session_factory=scene)
    config = SynthesizeConfig(out=out, count=COUNT, seed=3, workers=2, model="physics", tensors=True)
    return synthesize_dataset(config, session_factory=scene)


def disturb(out: Path, how: Callable[[Path], object]) -> threading.Thread:
    """Does ``how`` once four frames stand in the log."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while not (out / "frames.jsonl").is_file() or (out / "frames.jsonl").read_bytes().count(b"\n") < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        how(out)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def remove(out: Path) -> None:
    """As `rm -r` does: what is written anew meanwhile is removed too."""
    while out.exists():
        shutil.rmtree(out, ignore_errors=True)


def replace_folder(out: Path) -> None:
    out.rename(out.with_name("moved"))
    out.mkdir()


DISTURBANCES = {
    "removed": (remove, "was removed|its folder was removed"),
    "renamed": (lambda out: out.rename(out.with_name("moved")), "was removed|its folder was removed"),
    "replaced": (replace_folder, "was removed, renamed or replaced"),
    "log removed": (lambda out: (out / "frames.jsonl").unlink(), "frames.jsonl was removed or changed"),
    "log cut": (lambda out: os.truncate(out / "frames.jsonl", 10), "frames.jsonl was removed or changed"),
}


ALIKE = [(kind, "render") for kind in ("renamed", "replaced", "log removed", "log cut")]
"""Both commands write through the same store: one of the disturbances is tried with each in the default run."""


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        pytest.param(kind, command, marks=[pytest.mark.slow] if (kind, command) in ALIKE else [])
        for kind in DISTURBANCES
        for command in ("render", "synthesize")
    ],
)
def test_a_disturbed_folder_is_an_error(kind: str, command: str, tmp_path: Path) -> None:
    how, said = DISTURBANCES[kind]
    thread = disturb(tmp_path / "out", how)
    with pytest.raises(OutputError, match=said) as caught:
        run(command, tmp_path / "out", slow_s=0.1)
    thread.join()
    assert "\n" not in str(caught.value)
    if kind == "removed":
        assert not (tmp_path / "out").exists(), "made anew"
        run(command, tmp_path / "out")
        assert validate(tmp_path / "out").problems == []
    elif kind == "renamed":
        run(command, tmp_path / "moved")
        assert validate(tmp_path / "moved").problems == []


def test_frames_that_are_gone_are_not_reported_as_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    thread = disturb(out, lambda folder: (folder / "passes" / "000002.exr").unlink())
    with pytest.raises(OutputError, match=r"1 files of frames are not there any more.*passes/000002\.exr"):
        run("render", out, slow_s=0.05)
    thread.join()
    run("render", out)
    assert validate(out).problems == []


def _translate(out: Path) -> None:
    from pipelines.translation.translate import translate

    translate(out / "none", out.parent, out)


def _train(out: Path) -> None:
    from gan.training.by_keywords import train

    train(out.parent / "none", out)


def _align(out: Path) -> None:
    from pipelines.registration.align import align_cameras

    align_cameras(out.parent, out.parent, out)


def _render(out: Path) -> None:
    run("render", out)


def _synthesize(out: Path) -> None:
    run("synthesize", out)


@pytest.mark.parametrize("command", [_translate, _train, _align, _render, _synthesize])
def test_a_folder_of_another_run_is_refused(command: Callable[[Path], None], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    handle = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises((DatasetError, ConfigError), match="another run is writing to it") as caught:
            command(out)
        assert "\n" not in str(caught.value)
        assert list(out.iterdir()) == []
    finally:
        os.close(handle)


def test_a_run_that_makes_nothing_leaves_no_folder(tmp_path: Path) -> None:
    for command in (_train, _align):
        with pytest.raises(Exception, match=r"none|no "):
            command(tmp_path / "out")
        assert not (tmp_path / "out").exists()
