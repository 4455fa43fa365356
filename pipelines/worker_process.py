"""A worker process, its start and its life; see :mod:`pipelines.workers`, which takes its results.

The command line starts one before it imports what it needs itself: while it reads the options and the folder, the
worker imports what makes frames, on another core.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from typing import Any, Final

from gan.processes import end_with_parent, isolated_environment

from pipelines.errors import GisError, WorkerError

__all__ = ["KEEP_MEMORY", "early_worker", "end_early", "own_path", "start_early", "start_worker", "work"]

Worker = tuple["subprocess.Popen[bytes]", Connection]
"""A process, and the pipe to it."""

# One process per core is the unit of parallelism; threads inside each would only fight for the same cores.
_THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
KEEP_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "268435456"}
"""For glibc's allocator, bytes. A frame's arrays have one to eight megabytes and come and go; memory that is given back
between them is taken anew page by page, some 2000 pages a frame, 5 % of the time (mallopt(3))."""
_EARLY: Final[list[Worker]] = []
"""The one that waits for its job; of the whole process, like the command that it is for."""


# --- in the process that starts it ------------------------------------------------------------------------------------


def start_worker(imports: Sequence[str] = ()) -> Worker:
    """A new worker, which waits for its job.

    Args:
        imports: modules that it imports meanwhile.

    Raises:
        OSError: the system has no room for it.
    """
    variables = {**KEEP_MEMORY, **os.environ, **dict.fromkeys(_THREAD_LIMITS, "1")}
    here, there = Pipe()
    code = f"from pipelines.worker_process import work; work({there.fileno()}, {os.getpid()}, {tuple(imports)})"
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=isolated_environment(variables, own_path()),
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=2,
        )
    finally:
        there.close()
    return process, here


def start_early(imports: Sequence[str]) -> None:
    """Starts a worker that :func:`early_worker` will be asked for; does nothing where it cannot be started."""
    with suppress(OSError, ValueError):  # a worker that is asked for in vain says why; Windows hands on no pipes
        _EARLY.append(start_worker(imports))


def early_worker() -> Worker | None:
    """The worker that was started early, once; None where there is none, or it has ended."""
    if not _EARLY:
        return None
    process, here = _EARLY.pop()
    if process.poll() is None:
        return process, here
    here.close()
    return None


def end_early() -> None:
    """Ends a worker that nobody asked for; it holds nothing but modules."""
    if worker := early_worker():
        process, here = worker
        process.kill()
        process.wait()
        here.close()


def own_path() -> list[str]:
    """Where this process looks for modules, but for what Blender and Ray added when they were imported."""
    inner = tuple(folder + os.sep for folder in (_folder_above("bpy", 3), _folder_above("ray", 1)) if folder)
    return [one for one in sys.path if not one.startswith(inner)]


def _folder_above(package: str, levels: int) -> str:
    """The folder that lies so far above a package's file; empty where the package is not loaded."""
    place = getattr(sys.modules.get(package), "__file__", None) or ""
    for _ in range(levels):
        place = os.path.dirname(place)
    return place


# --- in the worker ----------------------------------------------------------------------------------------------------


def work(handle: int, parent: int, imports: Sequence[str] = ()) -> None:
    """Makes frames until the parent has no more, or is gone; then ends this process.

    It ends by ``os._exit``, because Blender may hang when Python ends in the ordinary way.

    Args:
        handle: of the pipe to the parent.
        parent: its process number.
        imports: modules that are imported before the job is there.
    """
    end_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal: they are for the parent, which ends its workers
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # until the first frame is made: looking for garbage takes 6 % of that, 15 % of a compilation
    code = 0
    for name in imports:
        with suppress(Exception):  # the job imports it again, and says what is wrong
            import_module(name)
    try:
        _serve(Connection(handle))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        code = 1  # the parent is gone
    finally:
        _remove_blender_folder()
        os._exit(code)


def _remove_blender_folder() -> None:
    """The folder for temporary files that Blender makes when it starts, and removes only where it ends by itself."""
    folder = getattr(getattr(sys.modules.get("bpy"), "app", None), "tempdir", "")
    if os.path.basename(os.path.normpath(folder)).startswith("blender_"):
        shutil.rmtree(folder, ignore_errors=True)


_OPENED: Final[list[AbstractContextManager[Any]]] = []
"""The job, which nobody closes: what it opened (a scene, a model) ends with this process, and closing Blender's scene
takes as long as a frame. Kept here, for a generator that nobody holds would close it."""


def _serve(there: Connection) -> None:
    """Opens the job and makes frames until the parent has no more."""
    index: int | None = None
    parent = _Parent(there)
    try:
        import cv2

        cv2.setNumThreads(0)
        job = pickle.loads(there.recv_bytes())
        opened: AbstractContextManager[Callable[[int], Any]]
        opened = job.open_asking(parent.ask) if hasattr(job, "open_asking") else job.open()
        _OPENED.append(opened)
        make = opened.__enter__()
        there.send(("ready",))
        while (index := parent.next()) is not None:
            there.send(("done", index, make(index)))
            gc.enable()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        there.send(("failed", index, *_portable(error)))


class _Parent:
    """What comes from the parent: numbers of frames, and in between answers to what it is asked."""

    def __init__(self, there: Connection) -> None:
        self._there = there
        self._numbers: deque[int | None] = deque()

    def next(self) -> int | None:
        """Number of the next frame; None where there is no more."""
        number: int | None = self._numbers.popleft() if self._numbers else self._there.recv()
        return number

    def ask(self, *question: Any) -> Any:
        """What the parent answers; it ends this process where it cannot."""
        self._there.send(("ask", question))
        while not isinstance(message := self._there.recv(), tuple):  # a number that was sent before
            self._numbers.append(message)
        return message[0]


def _portable(error: Exception) -> tuple[Exception, bool]:
    """An error that can be sent, and whether it was foreseen: one of ours, or a missing package.

    Of others there is what was wrong and where on one line; of those that only a fault of gis explains, the traceback
    as a note.
    """
    if isinstance(error, GisError):
        return type(error)(str(error)), True
    if isinstance(error, ModuleNotFoundError):
        return ModuleNotFoundError(str(error), name=error.name), True
    if isinstance(error, MemoryError):
        return MemoryError(), False
    place = traceback.extract_tb(error.__traceback__)[-1]
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    told = WorkerError(f"{reason} ({os.path.basename(place.filename)}:{place.lineno})")
    if not isinstance(error, OSError):
        told.add_note("".join(traceback.format_exception(error)))
    return told, False
