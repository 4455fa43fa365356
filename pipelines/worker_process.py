"""Life of a worker process; see :mod:`pipelines.workers`, which starts it and takes its results."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

from gan.processes import end_with_parent

from pipelines.errors import GisError, WorkerError

__all__ = ["work"]


def work(handle: int, parent: int) -> None:
    """Makes frames until the parent has no more, or is gone; then ends this process.

    It ends by ``os._exit``, because Blender may hang when Python ends in the ordinary way.

    Args:
        handle: of the pipe to the parent.
        parent: its process number.
    """
    end_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal: they are for the parent, which ends its workers
        signal.signal(number, signal.SIG_IGN)
    code = 0
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
        with opened as make:
            there.send(("ready",))
            while (index := parent.next()) is not None:
                there.send(("done", index, make(index)))
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
