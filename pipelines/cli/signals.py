"""Signals that ask a command to end: Ctrl-C, a closed terminal, a system that shuts down, a time limit."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Final

__all__ = ["Stopped", "ignore_signals", "stop_by_signals"]

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU")
_GRACE_S: Final = 2.0
"""What a second signal within it asks for is under way: the workers are ended, half-written files removed."""


class Stopped(BaseException):
    """Somebody asked this process to end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """Exit status, as shells have it."""
        return 128 + self.number

    @property
    def by(self) -> str:
        """`` by SIGTERM``; nothing for Ctrl-C, which its user knows of."""
        return "" if self.number == signal.SIGINT else f" by {signal.Signals(self.number).name}"


def stop_by_signals() -> None:
    """Turns the first of these signals into :class:`Stopped`; one that comes much later ends the process at once.

    For the rest of this process: while it cleans up, impatience must not disturb it. A signal that is ignored here
    (``nohup``, a job in the background) stays ignored.
    """
    first: list[float] = []

    def stop(number: int, _frame: Any) -> None:
        if not first:
            first.append(time.monotonic())
            raise Stopped(number)
        if time.monotonic() - first[0] > _GRACE_S:
            os._exit(128 + number)

    for number in _numbers():
        signal.signal(number, stop)


def ignore_signals() -> None:
    """For the last moments of a process that was stopped: Python gives up its own handlers before it ends."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


def _numbers() -> list[signal.Signals]:
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) not in (signal.SIG_IGN, None)]
