"""A worker that is started before its job is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import worker_process
from pipelines.cli.first_steps import needs_early_worker
from pipelines.worker_process import early_worker, end_early, start_early
from pipelines.workers import FrameWorkers


@dataclass(frozen=True)
class Job:
    """Gives the number of the worker's process, and whether it had a module before."""

    @contextmanager
    def open(self) -> Iterator[Callable[[int], tuple[int, bool, str]]]:
        had = "colorsys" in sys.modules
        yield lambda index: (os.getpid(), had, os.environ["NUMBA_NUM_THREADS"])


def run() -> tuple[int, bool, str]:
    with FrameWorkers(Job(), 1) as pool:
        pool.wait_ready()
        return next(iter(pool.run([0])))[1]


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    end_early()


def test_it_does_the_first_job_and_the_next_one_is_another() -> None:
    start_early(["colorsys", "a_module_that_is_not_there"])
    process = worker_process._EARLY[0][0].pid
    assert run() == (process, True, "1")
    other, had, _ = run()
    assert other != process
    assert not had


def test_one_that_died_is_not_asked() -> None:
    start_early([])
    process, _ = worker_process._EARLY[0]
    process.kill()
    process.wait()
    assert run()[0] != process.pid


def test_one_that_nobody_asked_for_is_ended() -> None:
    start_early([])
    process, pipe = worker_process._EARLY[0]
    end_early()
    assert process.returncode is not None
    assert pipe.closed
    assert early_worker() is None
    end_early()


def test_nothing_is_said_where_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    start_early([])
    assert early_worker() is None


def test_a_worker_imports_nothing_that_only_the_end_of_a_run_needs() -> None:
    code = "import json, sys, pipelines.synthesis.dataset_run; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert "pipelines.synthesis.frame_maker" in loaded
    needless = ("summary", "packed.writer", "statistics.run", "statistics.chart", "cluster.shared_model")
    assert not [
        name for name in loaded for end in needless if name == f"pipelines.{end}" or name == f"pipelines.dataset.{end}"
    ]
    assert not {"importlib.metadata", "bpy", "torch"}.intersection(loaded)


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("synthesize --count 1", True),
        ("--log-format json --json synthesize", True),
        ("synthesize --help", False),
        ("synthesize --ray auto", False),
        ("scene --out synthesize", False),
        ("--version", False),
        ("", False),
    ],
)
def test_frames_of_this_machine_alone_need_one(words: str, needed: bool) -> None:
    assert needs_early_worker(words.split()) is needed


def test_it_is_started_before_the_command_line_is_imported() -> None:
    code = (
        "import json, sys, pipelines.worker_process as early\n"
        "early.start_early = lambda imports: print(json.dumps(sorted(sys.modules)))\n"
        "sys.argv = ['gis', 'synthesize', '--count', 'none']\n"
        "from pipelines.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert not {"typer", "numpy"}.intersection(json.loads(done.stdout))


@dataclass(frozen=True)
class Opened:
    """Tells when it is closed, and whether rubbish is collected."""

    told: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], bool]]:
        import gc

        self.told.write_text(f"opened with {gc.isenabled()}")
        try:
            yield lambda index: gc.isenabled()
        finally:
            self.told.write_text("closed")


def test_what_a_job_opened_ends_with_the_worker(tmp_path: Path) -> None:
    with FrameWorkers(Opened(tmp_path / "told"), 1) as pool:
        assert [collects for _, collects in pool.run([0, 1])] == [False, True]
    assert (tmp_path / "told").read_text() == "opened with False"
