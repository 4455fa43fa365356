"""Worker processes that make frames, and the parent that takes their results in order.

A worker does a whole frame and sends back its record; the parent hands out frame numbers and gives the records on
strictly in the order of the numbers, so that what it writes does not depend on how many workers there are. One worker
takes the same path: Blender's memory and its way of hanging at exit stay in a process that can be ended.

A worker is a fresh interpreter, never a fork (Blender and numba do not survive one). It is started by hand rather
than by :mod:`multiprocessing`, which would import the caller's main module again: so a run can be started from a
notebook, from a script without a guard, or from Blender. It looks for modules where this process does, but never in
the current folder, and the system ends it with this process (:mod:`gan.processes`).

A worker that gives no sign of life is ended: see ``timeout_s`` of :class:`FrameWorkers`.
"""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

from gan.options import Option
from gan.processes import isolated_environment

from pipelines.errors import WorkerError, WorkerLost
from pipelines.worker_process import early_worker, own_path, start_worker

__all__ = [
    "WORKER_TIMEOUT_S",
    "AskingFrameJob",
    "FrameJob",
    "FrameWorkers",
    "WorkerCount",
    "WorkerTimeout",
    "default_workers",
]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_AHEAD = 2
"""Frames that a worker holds at a time: the one it makes and the next, so that it never waits for the parent."""
_WINDOW = 8
"""Frames per worker that may be finished before an earlier one is; bounds what the parent has to keep."""
_PATIENCE_S = 10.0
"""How long a worker may take to close its scene before it is ended."""
MOST_WORKERS: Final = 1024
"""More processes than any machine has cores for."""
WORKER_TIMEOUT_S: Final = 600.0
"""Silence, seconds, after which a worker counts as stuck unless the user says otherwise."""
_RUN: Final = "Run"
WorkerCount = Annotated[
    int | None,
    Option(
        "Processes; changes no file.",
        _RUN,
        at_least=1,
        at_most=MOST_WORKERS,
        default_text="one per core",
        decides_content=False,
    ),
]
"""The option of every command that has workers; so is the next."""
WorkerTimeout = Annotated[
    float,
    Option(
        "End a process that is silent for so long, or ten times its longest frame or file, seconds; 0: never.",
        _RUN,
        at_least=0.0,
        unit="seconds",
        decides_content=False,
    ),
]
_LONGEST_FRAMES, _OPENINGS = 10, 3
"""A worker may also be silent for so many times the longest frame so far; and so many times longer while it opens its
scene, when it may read gigabytes or convert a model."""
_LOOK_S = 1.0
"""How often the parent looks at the clock. Longer gaps were no waiting: this process itself was stopped, or asleep."""
_CRASHES = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"}


class FrameJob(Protocol[R_co]):
    """What a worker does: picklable, and opened once in each worker."""

    def open(self) -> AbstractContextManager[Callable[[int], R_co]]:
        """Gets ready (opens the scene) and gives the function that makes one frame.

        Nobody leaves the context: what it holds ends with the worker. A frame is whole when its function returns.
        """


class AskingFrameJob(Protocol[R_co]):
    """A job that asks the parent while it works; it is opened by this method where it has it."""

    def open_asking(self, ask: Callable[..., Any]) -> AbstractContextManager[Callable[[int], R_co]]:
        """As :meth:`FrameJob.open`; ``ask`` gives what the parent answers."""


def _python_path() -> str:
    """Where a worker finds packages: as this process, but for what Blender and Ray added when they were imported here.

    Blender's own folders hold a half of ``bpy`` that works only inside of it, and would hide the whole; Ray's hold its
    own copies of other packages.
    """
    return isolated_environment({}, own_path())["PYTHONPATH"]


def default_workers() -> int:
    """One worker per core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _frame(index: int) -> str:
    return f"frame {index}"


class FrameWorkers(Generic[R]):
    """A context manager around worker processes; leaving it ends them.

    Args:
        job: what each worker does; or the same pickled.
        workers: how many, at least 1.
        one_first: start the others when the first is ready, so that it alone fills a cache that all use.
        timeout_s: silence after which a worker is ended, seconds; 0 waits for ever. The longest frame so far makes it
            longer, and so does the opening of a scene. Time in which this process itself stood still does not count.
        item: what messages call the thing of a number.
        answer: answers what a worker asks while it works, one question at a time; see :class:`AskingFrameJob`.
    """

    def __init__(
        self,
        job: FrameJob[R] | bytes,
        workers: int,
        *,
        one_first: bool = False,
        timeout_s: float = WORKER_TIMEOUT_S,
        item: Callable[[int], str] = _frame,
        answer: Callable[..., Any] | None = None,
    ) -> None:
        self._job = job if isinstance(job, bytes) else pickle.dumps(job)
        self._count = workers
        self._one_first = one_first
        self._timeout_s, self._longest_s, self._looked = timeout_s, 0.0, time.monotonic()
        self._item, self._answer = item, answer
        self._workers: dict[Connection, subprocess.Popen[bytes]] = {}
        self._held: dict[Connection, list[int]] = {}
        self._silent_s: dict[Connection, float] = {}
        self._opening: set[Connection] = set()

    def __enter__(self) -> FrameWorkers[R]:
        try:
            for _ in range(1 if self._one_first else self._count):
                self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        try:
            process, here = early_worker() or start_worker()
        except OSError as error:
            raise WorkerError(self._cannot_start(error)) from error
        self._workers[here], self._held[here], self._silent_s[here] = process, [], 0.0
        self._opening.add(here)
        with suppress(OSError):  # a worker that died at once shows when it is read from
            here.send_bytes(self._job)

    def _cannot_start(self, error: OSError) -> str:
        why = error.strerror or str(error)
        if error.errno == errno.EMFILE:
            import resource  # not on Windows, where Blender imports this module

            why = f"{why}: a process may have {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} here, see ulimit -n"
        return f"worker {len(self._workers) + 1} of {self._count} cannot be started ({why}): give fewer --workers"

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.stop()
        for here in self._workers:
            with suppress(OSError):
                here.send(None)
        self._join()

    def stop(self) -> None:
        """Ends the workers at once, whatever they do; a stopped one too, which no other signal would reach."""
        for process in self._workers.values():
            process.kill()
        self._join()

    def _join(self) -> None:
        while self._workers:
            here, process = self._workers.popitem()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                with suppress(subprocess.TimeoutExpired):  # the system holds it: it ends when its driver answers
                    process.wait(_PATIENCE_S)
            here.close()

    def wait_ready(self) -> None:
        """Returns when the first worker has opened its scene.

        Raises:
            WorkerLost: a worker died, or is stuck.
            Exception: the worker's own error, where it could not get ready.
        """
        while len(self._opening) == len(self._workers):
            for here in self._wait()[:1]:
                self._receive(here)
        while len(self._workers) < self._count:
            self._start()

    def run(self, indices: Iterable[int]) -> Iterator[tuple[int, R]]:
        """Frame numbers and their records, in the order of ``indices``.

        Raises:
            WorkerLost: a worker died, or is stuck.
            WorkerError: a worker failed; or the worker's own error.
        """
        waiting = iter(indices)
        order: list[int] = []
        done: dict[int, R] = {}
        while True:
            self._hand_out(waiting, order)
            while order and order[0] in done:
                index = order.pop(0)
                yield index, done.pop(index)
                self._hand_out(waiting, order)
            if not order:
                return
            for ready in self._wait():
                message = self._receive(ready)
                if message is not None:
                    done[message[0]] = message[1]

    def _hand_out(self, waiting: Iterator[int], order: list[int]) -> None:
        """Gives each worker the next numbers, the idlest first, as long as the window allows."""
        for depth in range(_AHEAD):
            for here, held in self._held.items():
                if len(held) > depth or len(order) >= _WINDOW * self._count:
                    continue
                index = next(waiting, None)
                if index is None:
                    return
                order.append(index)
                held.append(index)
                with suppress(OSError):  # a dead worker shows when it is read from
                    here.send(index)

    def _wait(self) -> list[Connection]:
        """Workers that have something to say; none where all are silent for a moment.

        Raises:
            WorkerLost: one of them has been silent for too long.
        """
        ready = [_connection(one) for one in connection.wait(list(self._workers), _LOOK_S)]
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 2 * _LOOK_S), now
        for here in self._workers:
            busy = here in self._opening or self._held[here]
            self._silent_s[here] = self._silent_s[here] + passed if busy else 0.0
            if self._timeout_s and here not in ready and self._silent_s[here] > self._limit_s(here):
                raise WorkerLost(self._stuck(here))
        return ready

    def _limit_s(self, here: Connection) -> float:
        limit = max(self._timeout_s, _LONGEST_FRAMES * self._longest_s)
        return limit * _OPENINGS if here in self._opening else limit

    def _stuck(self, here: Connection) -> str:
        state = "it was stopped" if _is_stopped(self._workers[here].pid) else "stuck, or much slower than before"
        return (
            f"a worker process gave no sign of life for {self._silent_s[here]:.0f} s {self._where(here)} ({state}) and "
            "was ended: give the same command again; it goes on where it stopped, and --worker-timeout gives more time"
        )

    def _receive(self, here: Connection) -> tuple[int, R] | None:
        """One message of a worker: None when it is ready, else a frame's number and record."""
        try:
            kind, *content = here.recv()
        except (EOFError, OSError):
            raise WorkerLost(self._obituary(here)) from None
        if kind == "failed":
            raise self._failure(*content)
        silent_s, self._silent_s[here] = self._silent_s[here], 0.0
        if kind == "ready":
            self._opening.discard(here)
            return None
        if kind == "ask":
            assert self._answer is not None
            answer = self._answer(*content[0])
            with suppress(OSError):  # a dead worker shows when it is read from
                here.send((answer,))
            return None
        self._longest_s = max(self._longest_s, silent_s)
        index, record = content
        self._held[here].remove(index)
        return index, record

    def _failure(self, index: int | None, error: Exception, foreseen: bool) -> Exception:
        """The worker's error, with the frame where the worker did not foresee it."""
        if foreseen:
            return error
        at = "while getting ready" if index is None else f"at {self._item(index)}"
        if isinstance(error, MemoryError):
            return WorkerError(
                f"a worker had not enough memory {at}: give fewer --workers, or a smaller --size; what was done before "
                "is kept"
            )
        told = WorkerError(f"a worker failed {at}: {error}")
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        return told

    def _where(self, here: Connection) -> str:
        if here in self._opening or not self._held[here]:
            return "before its first frame"
        return f"at {self._item(self._held[here][0])}"

    def _obituary(self, here: Connection) -> str:
        """What a dead worker died of, where, and what to do: not always the same again."""
        process = self._workers[here]
        code = process.wait(_PATIENCE_S)
        where, name = self._where(here), _signal_name(-code)
        kept = "what was done before is kept"
        if name in _CRASHES:
            return (
                f"a worker process crashed {where} ({name}, in Blender or another library): "
                f"the same command would crash there again; {kept}. Leave out what it was working on, or try another "
                "--engine, and please report it"
            )
        if name == "SIGKILL":
            return (
                f"a worker process was ended by SIGKILL {where}, most often by the system for lack of memory: give the "
                f"same command again with fewer --workers, or a smaller --size; {kept}"
            )
        how = f"was ended by {name}" if code < 0 else f"ended with code {code}"
        return f"a worker process {how} {where}: give the same command again; it goes on where it stopped"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # of the real-time signals only the first and the last have a name
        return f"signal {number}"


def _is_stopped(process: int) -> bool:
    """Whether a process was stopped by a signal; False where the system does not tell."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return False


def _connection(ready: Any) -> Connection:
    assert isinstance(ready, Connection)
    return ready
