"""The one ``gis`` command that runs for the panel, and what the panel shows of it.

State, progress and message are no data of the scene: neither undo nor opening another file leaves a scene behind that
takes a dead command for a running one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..translations import say
from . import process

__all__ = ["CHECKING", "RUNNER", "Command", "CommandRunner", "duration", "is_new", "new_folder"]

CHECKING = "CHECKING"
"""State while the program itself is being checked; the others are those of :mod:`process`."""


@dataclass(frozen=True)
class Command:
    """A command to run."""

    arguments: tuple[str, ...]
    """The program first."""
    log: Path
    folder: Path
    """Temporary files that it reads, and where it is started; removed when another command takes its place."""
    out: Path | None = None
    """Folder of the data set; None where the command makes none."""
    count: int = 1
    end_message: Callable[[process.Job], str] = lambda job: job.error
    """Gives the message at the end of a command that was not cancelled."""


class CommandRunner:
    """Runs one command at a time."""

    def __init__(self) -> None:
        self.state = process.IDLE
        self.message = ""
        """What the command does, or how it ended."""
        self.command: Command | None = None
        """The one that runs or ran last."""
        self.job: process.Job | None = None
        self.unfinished: Command | None = None
        """The last command that was to make frames, where it was cut short."""

    @property
    def is_running(self) -> bool:
        """Whether a command runs."""
        return self.job is not None and self.job.is_running

    @property
    def can_continue(self) -> bool:
        """Whether the last data set was cut short with something done, so that its command can go on with it."""
        return not self.is_running and self.unfinished is not None

    @property
    def output(self) -> str:
        """Folder of the command that ran last; empty where it had none."""
        return str(self.command.out) if self.command and self.command.out else ""

    @property
    def log(self) -> str:
        """File with everything that the command wrote; empty where none was started."""
        return str(self.command.log) if self.command and self.job else ""

    @property
    def progress(self) -> float:
        """Share of the frames that are complete, 0 to 1."""
        return self.job.progress if self.job else 0.0

    def fail(self, message: str) -> None:
        """Keep why nothing was started."""
        if not self.is_running:
            self.state, self.message, self.job = process.FAILED, message, None

    def start(self, command: Command | None = None) -> Command:
        """Start a command, or where there is none the one that was cut short; returns it.

        Raises:
            CommandError: it cannot be started, or another one runs.
        """
        if self.is_running:
            raise process.CommandError(say("A command runs already: wait for its end, or cancel it"))
        command = command or self.unfinished
        if command is None:
            raise process.CommandError(say("There is nothing to continue"))
        try:
            job = process.Job(
                command.arguments, log=command.log, out=command.out, count=command.count, cwd=command.folder
            )
        except process.CommandError:
            self._remove_files(command)
            raise
        earlier = self.command, self.unfinished
        self.command, self.job = command, job
        if command.out is not None:
            self.unfinished = command
        for replaced in earlier:
            self._remove_files(replaced)
        self.look()
        return command

    def _remove_files(self, command: Command | None) -> None:
        """Remove the temporary files of a command that neither runs nor can be continued."""
        if command is not None and command is not self.command and command is not self.unfinished:
            shutil.rmtree(command.folder, ignore_errors=True)

    def look(self) -> None:
        """Take over what the command has done since the last look; never waits."""
        job, command = self.job, self.command
        if job is None or command is None:
            return
        was_running, state = job.is_running, job.poll()
        if state == process.RUNNING:
            self.message = say("Checking ...") if command.out is None else _progress_message(job)
        elif state == process.CANCELLING:
            self.message = say("Cancelling ...")
        elif was_running:
            self._end(job, command)
        self.state = CHECKING if job.state == process.RUNNING and command.out is None else job.state

    def _end(self, job: process.Job, command: Command) -> None:
        if job.state == process.CANCELLED:
            self.message = say("Cancelled after {n} of {m} frames", n=job.done, m=command.count)
        else:
            self.message = command.end_message(job)
        if command is self.unfinished and (job.state == process.DONE or command.out is None or is_new(command.out)):
            self.unfinished = None

    def cancel(self) -> None:
        """Ask the command to end."""
        if self.job is not None:
            self.job.cancel()
            self.look()

    def close(self) -> None:
        """End the command at once, and remove all temporary files."""
        if self.job is not None:
            self.job.terminate()
        for command in (self.command, self.unfinished):
            if command is not None:
                shutil.rmtree(command.folder, ignore_errors=True)
        self.state, self.message, self.job, self.command, self.unfinished = process.IDLE, "", None, None, None


RUNNER = CommandRunner()
"""Blender makes operators, panels and timers by their classes and functions, and gives them nothing in common but the
scene, which must not hold what undo takes back: they meet here."""


def is_new(folder: Path) -> bool:
    """Whether a folder is missing or empty."""
    return not folder.is_dir() or not any(folder.iterdir())


def new_folder() -> Path:
    """A new folder for temporary files."""
    return Path(tempfile.mkdtemp(prefix="gis-"))


def _progress_message(job: process.Job) -> str:
    if not job.done:
        return say("Opening the scene ...")
    left_s = job.left_s
    if left_s is None:
        return say("{n} of {m} frames", n=job.done, m=job.count)
    if job.done >= job.count:
        return say("Writing the labels ...")
    return say("{n} of {m} frames, about {t} left", n=job.done, m=job.count, t=duration(left_s))


def duration(seconds: float) -> str:
    """A time in words: seconds, minutes or hours."""
    if seconds < 90:
        return say("{n} s", n=round(seconds))
    return say("{n} min", n=round(seconds / 60)) if seconds < 5400 else say("{n:.1f} h", n=seconds / 3600)
