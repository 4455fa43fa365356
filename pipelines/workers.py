"""Worker processes that make frames, and the parent that takes their results in order.

A worker does a whole frame and sends back its record; the parent hands out frame numbers and gives the records on
strictly in the order of the numbers, so that what it writes does not depend on how many workers there are. One worker
takes the same path: Blender's memory and its way of hanging at exit stay in a process that can be ended.

A worker is a fresh interpreter, never a fork (Blender and numba do not survive one). It is started by hand rather
than by :mod:`multiprocessing`, which would import the caller's main module again: so a run can be started from a
notebook, from a script without a guard, or from Blender.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

from pipelines.errors import GisError, WorkerError

__all__ = ["FrameJob", "FrameWorkers", "default_workers", "work"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

# One process per core is the unit of parallelism; threads inside each would only fight for the same cores.
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "268435456"}
"""For glibc's allocator, bytes. A frame's arrays have one to eight megabytes and come and go; memory that is given back
between them is taken anew page by page, some 2000 pages a frame, 5 % of the time (mallopt(3))."""
_AHEAD = 2
"""Frames that a worker holds at a time: the one it makes and the next, so that it never waits for the parent."""
_WINDOW = 8
"""Frames per worker that may be finished before an earlier one is; bounds what the parent has to keep."""
_PATIENCE_S = 10.0
"""How long a worker may take to close its scene before it is ended."""


class FrameJob(Protocol[R_co]):
    """What a worker does: picklable, and opened once in each worker."""

    def open(self) -> AbstractContextManager[Callable[[int], R_co]]:
        """Gets ready (opens the scene) and gives the function that makes one frame."""


def _python_path() -> str:
    """Where a worker finds packages: as this process, but for what Blender added when it was imported here.

    Blender's own folders hold a half of ``bpy`` that works only inside of it, and would hide the whole.
    """
    blender = getattr(sys.modules.get("bpy"), "__file__", None)
    inner = os.path.dirname(os.path.dirname(os.path.dirname(blender))) + os.sep if blender else None
    return os.pathsep.join(one for one in sys.path if one and not (inner and one.startswith(inner)))


def default_workers() -> int:
    """One worker per core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class FrameWorkers(Generic[R]):
    """A context manager around worker processes; leaving it ends them.

    Args:
        job: what each worker does.
        workers: how many, at least 1.
        one_first: start the others when the first is ready, so that it alone fills a cache that all use.
    """

    def __init__(self, job: FrameJob[R], workers: int, *, one_first: bool = False) -> None:
        self._job = pickle.dumps(job)
        self._count = workers
        self._one_first = one_first
        self._workers: dict[Connection, subprocess.Popen[bytes]] = {}
        self._held: dict[Connection, list[int]] = {}

    def __enter__(self) -> FrameWorkers[R]:
        for _ in range(1 if self._one_first else self._count):
            self._start()
        return self

    def _start(self) -> None:
        limits = {**_KEEP_MEMORY, **os.environ, **dict.fromkeys(_THREAD_LIMITS, "1"), "PYTHONPATH": _python_path()}
        here, there = connection.Pipe()
        command = [sys.executable, "-c", f"from pipelines.workers import work; work({there.fileno()})"]
        process = subprocess.Popen(command, env=limits, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=2)
        there.close()
        self._workers[here], self._held[here] = process, []
        with suppress(OSError):  # a worker that died at once shows when it is read from
            here.send_bytes(self._job)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.stop()
        for here in self._workers:
            with suppress(OSError):
                here.send(None)
        self._join()

    def stop(self) -> None:
        """Ends the workers at once, whatever they do."""
        for process in self._workers.values():
            process.terminate()
        self._join()

    def _join(self) -> None:
        while self._workers:
            here, process = self._workers.popitem()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            here.close()

    def wait_ready(self) -> None:
        """Returns when the first worker has opened its scene.

        Raises:
            WorkerError: a worker died; or the worker's own error, where it could not get ready.
        """
        ready = connection.wait(list(self._workers))
        self._receive(_connection(ready[0]))
        while len(self._workers) < self._count:
            self._start()

    def run(self, indices: Iterable[int]) -> Iterator[tuple[int, R]]:
        """Frame numbers and their records, in the order of ``indices``.

        Raises:
            WorkerError: a worker died or failed; or the worker's own error.
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
            for ready in connection.wait(list(self._workers)):
                message = self._receive(_connection(ready))
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

    def _receive(self, here: Connection) -> tuple[int, R] | None:
        """One message of a worker: None when it is ready, else a frame's number and record."""
        try:
            kind, *content = here.recv()
        except (EOFError, OSError):
            raise WorkerError(self._obituary(here)) from None
        if kind == "failed":
            raise content[0]
        if kind == "ready":
            return None
        index, record = content
        self._held[here].remove(index)
        return index, record

    def _obituary(self, here: Connection) -> str:
        process = self._workers[here]
        code = process.wait(_PATIENCE_S)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        at = f"at frame {self._held[here][0]}" if self._held[here] else "before its first frame"
        hint = " (often for lack of memory: fewer --workers need less)" if code == -signal.SIGKILL else ""
        return f"a worker process {how} {at}{hint}: give the same command again; it goes on where it stopped"


def _connection(ready: Any) -> Connection:
    assert isinstance(ready, Connection)
    return ready


# --- in the worker ----------------------------------------------------------------------------------------------------


def work(handle: int) -> None:
    """Life of a worker process; ``handle`` is the pipe to the parent.

    It ends by ``os._exit``, because Blender may hang when Python ends in the ordinary way.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    code = 0
    try:
        _serve(Connection(handle))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        code = 1  # the parent is gone
    finally:
        os._exit(code)


def _serve(there: Connection) -> None:
    """Opens the job and makes frames until the parent has no more."""
    index: int | None = None
    try:
        import cv2

        cv2.setNumThreads(0)
        opened: AbstractContextManager[Callable[[int], Any]] = pickle.loads(there.recv_bytes()).open()
        with opened as make:
            there.send(("ready",))
            while (index := there.recv()) is not None:
                there.send(("done", index, make(index)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        there.send(("failed", _portable(error, index)))


def _portable(error: Exception, index: int | None) -> Exception:
    """The error itself where it is one of ours, else a WorkerError that says where it came from, on one line.

    A missing package stays one too: the command line knows what brings it.
    """
    if isinstance(error, GisError):
        return type(error)(str(error))
    if isinstance(error, ModuleNotFoundError):
        return ModuleNotFoundError(str(error), name=error.name)
    place = traceback.extract_tb(error.__traceback__)[-1]
    at = "while getting ready" if index is None else f"at frame {index}"
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return WorkerError(f"a worker failed {at}: {reason} ({os.path.basename(place.filename)}:{place.lineno})")
