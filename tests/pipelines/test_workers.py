from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.errors import WorkerError
from pipelines.workers import FrameWorkers, _is_stopped, _python_path
from renderer.errors import SceneError


@dataclass(frozen=True)
class Job:
    """Gives back the number, its process and the thread limits; even numbers take longer."""

    die_at: int = -1
    fail_at: int = -1
    refuse: bool = False
    slow_s: float = 0.01
    stop_at: int = -1
    die_by: int = signal.SIGKILL
    eat_at: int = -1

    @contextmanager
    def open(self) -> Iterator[Callable[[int], tuple[int, int, str]]]:
        if self.refuse:
            raise SceneError("x.blend: no such file")
        yield self._make

    def _make(self, index: int) -> tuple[int, int, str]:
        if index == self.die_at:
            os.kill(os.getpid(), self.die_by)
        if index == self.stop_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        if index == self.eat_at:
            raise MemoryError
        if index == self.fail_at:
            raise ValueError("two\nlines")
        time.sleep(self.slow_s if index % 2 == 0 else 0)
        return index * 10, os.getpid(), os.environ["NUMBA_NUM_THREADS"] + os.environ["OMP_NUM_THREADS"]


def run(job: Job, numbers: list[int], workers: int) -> list[tuple[int, tuple[int, int, str]]]:
    with FrameWorkers(job, workers) as pool:
        pool.wait_ready()
        return list(pool.run(numbers))


def test_order_is_kept_and_all_workers_work() -> None:
    numbers = [*range(0, 60, 2), *range(1, 60, 2)]
    results = run(Job(), numbers, 2)
    assert [index for index, _ in results] == numbers
    assert [record[0] for _, record in results] == [index * 10 for index in numbers]
    assert len({record[1] for _, record in results}) == 2
    assert {record[2] for _, record in results} == {"11"}


def test_one_worker_starts_the_others_when_it_is_ready() -> None:
    with FrameWorkers(Job(), 2, one_first=True) as pool:
        assert len(pool._workers) == 1
        pool.wait_ready()
        assert len(pool._workers) == 2
        assert [index for index, _ in pool.run(range(9))] == list(range(9))


def test_a_killed_worker_is_said_in_one_line() -> None:
    with pytest.raises(WorkerError, match=r"SIGKILL at frame 5.*same command again with fewer --workers") as caught:
        run(Job(die_at=5), list(range(20)), 2)
    assert "\n" not in str(caught.value)


def test_a_crash_is_not_to_be_tried_again() -> None:
    with pytest.raises(WorkerError, match=r"crashed at frame 5 \(SIGSEGV.*would crash there again") as caught:
        run(Job(die_at=5, die_by=signal.SIGSEGV), list(range(20)), 2)
    assert "\n" not in str(caught.value)


def test_a_lack_of_memory_says_what_helps() -> None:
    with pytest.raises(WorkerError, match=r"not enough memory at frame 3: give fewer --workers"):
        run(Job(eat_at=3), list(range(20)), 1)


def test_a_stopped_worker_is_noticed_and_ended() -> None:
    begun = time.monotonic()
    with FrameWorkers(Job(stop_at=7), 2, timeout_s=2) as pool:
        pool.wait_ready()
        with pytest.raises(
            WorkerError, match=r"no sign of life for \d s at frame 7 \(it was stopped.*--worker-timeout"
        ):
            list(pool.run(range(20)))
        pool.stop()
    assert time.monotonic() - begun < 30
    assert pool._workers == {}


def test_a_slow_worker_is_given_time_by_the_longest_frame() -> None:
    """Frames of 0.9 s are ten times the time that is allowed without one, and none is ended."""
    with FrameWorkers(Job(slow_s=0.9), 1, timeout_s=0) as pool:
        pool.wait_ready()
        assert len(list(pool.run([0, 2]))) == 2
        pool._timeout_s = 0.09
        assert len(list(pool.run([0, 2]))) == 2


def test_too_few_file_handles_are_one_line() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "from test_workers import Job, FrameWorkers\n"
        "try:\n    with FrameWorkers(Job(), 64): pass\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("WorkerError worker ")
    assert "of 64 cannot be started (Too many open files: a process may have 40 here" in done.stdout


def test_an_unforeseen_error_names_its_frame_and_place() -> None:
    with pytest.raises(WorkerError, match=r"at frame 3: ValueError: two lines \(test_workers.py:\d+\)"):
        run(Job(fail_at=3), list(range(20)), 2)


def test_our_errors_come_through_as_they_are() -> None:
    with pytest.raises(SceneError, match=r"^x\.blend: no such file$"):
        run(Job(refuse=True), [0], 2)


def test_results_wait_for_their_turn_but_not_without_limit() -> None:
    """While frame 0 takes its time, the other worker may not run ahead for ever."""
    with FrameWorkers(Job(slow_s=0.5), 2) as pool:
        pool.wait_ready()
        results = pool.run([0, *range(1, 400, 2)])
        first, record = next(results)
        assert (first, record[0]) == (0, 0)
        assert sum(len(held) for held in pool._held.values()) <= 4
        assert len(list(results)) == 200


def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "from test_workers import Job, FrameWorkers\n"
        "with FrameWorkers(Job(slow_s=0.2), 2) as pool:\n"
        "    for index, record in pool.run(range(0, 2000, 2)):\n"
        f"        open({str(tmp_path)!r} + '/' + str(record[1]), 'w')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], env=_environment(), start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    deadline = time.monotonic() + 10
    while any(_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker goes on without its parent"
        time.sleep(0.05)


def test_a_worker_that_is_stopped_in_a_frame_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "from test_workers import Job, FrameWorkers\n"
        "with FrameWorkers(Job(stop_at=1), 1) as pool:\n"
        "    pool.wait_ready()\n"
        f"    open({str(tmp_path)!r} + '/' + str(next(iter(pool._workers.values())).pid), 'w')\n"
        "    list(pool.run(range(9)))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], env=_environment(), start_new_session=True)
    deadline = time.monotonic() + 30
    while not (found := list(tmp_path.iterdir())) or not _is_stopped(int(found[0].name)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 2
    while _alive(int(found[0].name)):
        assert time.monotonic() < deadline, "a stopped worker outlives its parent"
        time.sleep(0.05)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}


def _alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_workers_find_bpy_though_this_process_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blender puts its own modules on the path, among them half of a bpy that works only inside of it."""
    bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    monkeypatch.setenv("PYTHONPATH", _python_path())
    command = [sys.executable, "-c", "import bpy; print('AT', bpy.app.version_string)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"AT {bpy.app.version_string}" in done.stdout, done.stderr
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert "_bpy" in subprocess.run(command, capture_output=True, text=True, check=False).stderr, "what it is for"
