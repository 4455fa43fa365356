"""The ``gis`` command of another Python, run beside Blender: found, started, watched, ended. Knows nothing of Blender.

A :class:`Job` never blocks: whoever holds it calls :meth:`Job.poll` now and then and reads its attributes. Progress is
the number of lines in the output's ``frames.jsonl``: ``gis`` appends one when a frame is complete.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

__all__ = [
    "CANCELLED",
    "CANCELLING",
    "DONE",
    "FAILED",
    "IDLE",
    "RUNNING",
    "CommandError",
    "Job",
    "command_of",
    "doctor_report",
    "find_gis",
    "is_whole",
    "last_error",
    "why_not_writable",
]

IDLE, RUNNING, CANCELLING, DONE, FAILED, CANCELLED = "IDLE", "RUNNING", "CANCELLING", "DONE", "FAILED", "CANCELLED"
FRAMES_FILE = "frames.jsonl"
GRACE_S = 6.0
"""How long the processes may take to end after each of SIGINT and SIGTERM; ``gis`` removes half-written files."""
_WINDOWS = sys.platform == "win32"
_TAIL_BYTES = 16384
_SCRIPT, _PYTHON = ("Scripts/gis.exe", "Scripts/python.exe") if _WINDOWS else ("bin/gis", "bin/python")


class CommandError(Exception):
    """A command that cannot be started: one line for the user."""


# --- which program ----------------------------------------------------------------------------------------------------


def command_of(program: str) -> list[str]:
    """The beginning of a command line: a ``gis`` program itself, or a Python with the module.

    Args:
        program: whole path of a program, or of the folder of a virtual environment.

    Raises:
        CommandError: no such program, or a relative path: a downloaded scene may bring a program along.
    """
    if not is_whole(program):
        raise CommandError(f"{program}: relative to the open file or folder: name the gis program by its whole path")
    path = Path(program).expanduser()
    if path.is_dir():
        inside = [path / name for name in (_SCRIPT, _PYTHON) if (path / name).is_file()]
        if not inside:
            raise CommandError(f"{path} is a folder without {_SCRIPT}: name the gis program, or its Python")
        path = inside[0]
    if not path.is_file():
        raise CommandError(f"{path}: no such program: name the gis program, or the Python that has it")
    is_python = path.name.lower().startswith(("python", "pypy"))
    return [str(path), "-m", "pipelines.cli"] if is_python else [str(path)]


def find_gis(environment: Mapping[str, str], prefix: Path | None = None) -> str:
    """Path of a ``gis`` program or of the Python that has it; empty where none is found.

    Looks at ``$GIS_PYTHON``, ``gis`` on the ``PATH`` and in ``~/.local/bin``, then in ``prefix``. Never beside the open
    file, nor in the current folder, which a file manager sets to that file's: a downloaded scene may bring a program
    of that name along.

    Args:
        environment: variables.
        prefix: virtual environment that this Blender itself runs in, where it is a Python module.
    """
    named = environment.get("GIS_PYTHON", "")
    if named and is_whole(named) and Path(named).expanduser().is_file():
        return named
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or os.sep)
    folders = [Path(entry) for entry in environment.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    programs = [folder / Path(_SCRIPT).name for folder in (*folders, home / ".local" / "bin")]
    if prefix is not None:
        programs.append(prefix / _SCRIPT)
    return next((str(path) for path in programs if path.is_file() and os.access(path, os.X_OK)), "")


def is_whole(program: str) -> bool:
    """Whether a path says by itself where it is, and not relative to the open file or the current folder."""
    return not program.startswith("//") and Path(program).expanduser().is_absolute()


def doctor_report(code: int | None, text: str) -> tuple[bool, str]:
    """What ``gis doctor`` found, as one line.

    Args:
        code: its exit status.
        text: everything it wrote.

    Returns:
        whether ``gis`` can work there, and the line.
    """
    rows = [line.split(None, 1) for line in text.splitlines() if line and not line[0].isspace()]
    first = {row[0]: row[1] for row in reversed(rows) if len(row) == 2}
    if "missing" in first:
        return False, f"gis lacks {first['missing']}"
    bpy = next((row[1] for row in rows if len(row) == 2 and row[1].startswith("bpy:")), "")
    if code == 0 and bpy:
        return True, f"gis is ready: {bpy.split(':', 1)[1].strip()}"
    return False, last_error(text) or "this program is not gis: name another one"


def why_not_writable(folder: Path) -> str:
    """Why nothing can be written into a folder, which may not exist yet; empty where it can. Leaves nothing behind."""
    place = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    if not place.is_dir():
        return f"{place} is a file: choose a folder for the output"
    try:
        with tempfile.TemporaryDirectory(prefix=".gis-", dir=place):
            return ""
    except OSError as error:
        return f"{place} cannot be written to ({error.strerror or error}): choose another output folder"


# --- the running command ----------------------------------------------------------------------------------------------


def last_error(text: str) -> str:
    """The line of an output that says what went wrong, without the command's name before it; empty where none does."""
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    if any("No module named 'pipelines'" in line or "No module named pipelines" in line for line in lines):
        return "this Python has no gis: install it there, or name another Python"
    ours = [line for line in lines if line.startswith("gis ") and ": " in line]
    if ours:
        return ours[-1].split(": ", 1)[1]
    errors = [line for line in lines if line.startswith("Error: ")]
    return (errors or lines or [""])[-1]


@contextlib.contextmanager
def _heeding_interrupts() -> Iterator[None]:
    """Programs that were started in the background ignore interrupts and hand that on: not to what is begun here."""
    here = threading.current_thread() is threading.main_thread()
    ignored = here and signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _environment() -> dict[str, str]:
    """This process's variables without those that tie a Python or a Blender to this program's files.

    ``gis`` is started in the folder of the .blend file; no module is to be taken from there.
    """
    dropped = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if key not in dropped and not key.startswith("BLENDER_")}
    return {**kept, "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1"}


class Job:
    """A command in a process group of its own.

    Args:
        command: program and arguments.
        log: file for everything that it writes; made anew, and kept.
        out: folder whose ``frames.jsonl`` tells the progress; None where there is none.
        count: lines that it has at the end.
        cwd: folder to start it in.

    Raises:
        CommandError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, out: Path | None = None, count: int = 1, cwd: Path
    ) -> None:
        self.command, self.log, self.out, self.count = list(command), log, out, max(count, 1)
        self.state = RUNNING
        """``RUNNING``, ``CANCELLING``, and at the end ``DONE``, ``FAILED`` or ``CANCELLED``."""
        self.done = 0
        """Complete frames."""
        self.error = ""
        """Why it failed, one line."""
        self._read_bytes = 0
        self._signals: list[tuple[float, signal.Signals]] = []
        # By name: what one system has, the types of another do not know.
        group = (
            {"creationflags": vars(subprocess)["CREATE_NEW_PROCESS_GROUP"]} if _WINDOWS else {"start_new_session": True}
        )
        try:
            with log.open("wb") as sink, _heeding_interrupts():
                self.process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=_environment(),
                    **group,
                )
        except (OSError, ValueError) as error:
            raise CommandError(
                f"{self.command[0]} cannot be started: {getattr(error, 'strerror', '') or error}"
            ) from None
        self._first_new: tuple[float, int] | None = None
        """When the first new frame was seen, and how many there were then."""
        self._count_frames()
        self._done_before = self.done

    @property
    def progress(self) -> float:
        """Share of the frames that are complete, 0 to 1."""
        return min(self.done / self.count, 1.0)

    @property
    def is_running(self) -> bool:
        """Whether the end is still to come."""
        return self.state in (RUNNING, CANCELLING)

    @property
    def left_s(self) -> float | None:
        """Estimated seconds to the end, by the frames since the first new one; None until there are two."""
        if self._first_new is None or self.done <= self._first_new[1]:
            return None
        return (time.monotonic() - self._first_new[0]) / (self.done - self._first_new[1]) * (self.count - self.done)

    def text(self) -> str:
        """The end of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                return file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def poll(self) -> str:
        """Look at the process and its output; returns the state. Never waits."""
        if not self.is_running:
            return self.state
        code = self.process.poll()
        self._count_frames()
        if self._first_new is None and self.done > self._done_before:
            self._first_new = time.monotonic(), self.done
        if code is None:
            self._send_due_signals()
        else:
            self._end(code)
        return self.state

    def cancel(self) -> None:
        """Ask the whole group to end: an interrupt now, and harder at later polls if it does not."""
        if self.state != RUNNING:
            return
        self.state, now = CANCELLING, time.monotonic()
        if _WINDOWS:
            self._signals = [(now, signal.Signals["CTRL_BREAK_EVENT"]), (now + GRACE_S, signal.SIGTERM)]
        else:
            numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
            self._signals = [(now + step * GRACE_S, number) for step, number in enumerate(numbers)]
        self._send_due_signals()

    def terminate(self) -> None:
        """End the group at once, e.g. because Blender quits; the folder can be gone on with."""
        if self.is_running:
            self._signal(signal.SIGTERM if _WINDOWS else signal.SIGKILL)
            self.process.wait()
            self.state = CANCELLED

    def _count_frames(self) -> None:
        """Count the lines that were added since the last look."""
        if self.out is None:
            return
        with contextlib.suppress(OSError), (self.out / FRAMES_FILE).open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._read_bytes:
                self._read_bytes = self.done = 0
            file.seek(self._read_bytes)
            added = file.read()
            self._read_bytes += len(added)
            self.done += added.count(b"\n")

    def _send_due_signals(self) -> None:
        """Send the signals of a cancellation whose time has come."""
        while self._signals and self._signals[0][0] <= time.monotonic():
            self._signal(self._signals.pop(0)[1])

    def _signal(self, number: signal.Signals) -> None:
        """A signal to every process of the group; nothing where they are gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _WINDOWS:
                self.process.send_signal(number)
            else:
                os.killpg(self.process.pid, number)

    def _end(self, code: int) -> None:
        """Set the last state from an exit status, and end what is left of the group."""
        if not _WINDOWS:
            self._signal(signal.SIGKILL)
        if self.state == CANCELLING:
            self.state = CANCELLED
        elif code == 0:
            self.state = DONE
        else:
            self.state, self.error = FAILED, self._reason(code)

    def _reason(self, code: int) -> str:
        if code >= 0:
            return last_error(self.text()) or f"gis ended with code {code} and said nothing"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"gis was ended by {name} (often for lack of memory): start it again, it goes on where it stopped"
