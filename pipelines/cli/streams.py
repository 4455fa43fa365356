"""The streams of a command, wherever the terminal has gone.

A reader that goes away (``gis models | head -1``) is no error, and a closed standard output or error ends no run: what
nobody can read is dropped. A disk that is full for what is said is told at the end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Final, TextIO, cast

__all__ = ["open_streams", "unsaid"]

_IN, _OUT, _ERR = range(3)
_lost: Final[list[OSError]] = []
"""Why standard output could not be written; the first of them is told."""


class _Forgiving(io.FileIO):
    """A stream of this process that drops what nobody takes."""

    def write(self, data: Any) -> int:
        """All of the data, or into nowhere once the stream cannot be written to."""
        try:
            return super().write(data) or 0
        except OSError as error:
            if self.fileno() == _OUT and not isinstance(error, BrokenPipeError):
                _lost.append(error)
            _lead_nowhere(self.fileno())
            return len(data)


def open_streams() -> None:
    """Makes standard input, output and error ready for a command; errors go to the output where they have no place.

    A closed one would be taken by the next file that is opened, and messages of libraries would end up in that.
    """
    closed = [number for number in (_IN, _OUT, _ERR) if not _is_open(number)]
    for number in closed:
        _lead_nowhere(number)
    sys.stdout = _stream(_OUT)
    sys.stderr = _stream(_ERR)
    if _ERR in closed and _OUT not in closed:
        sys.stderr = cast(TextIO, _Untouchable(sys.stdout.buffer, sys.stdout.encoding, "backslashreplace"))


def unsaid() -> str:
    """Why something that was said on standard output did not arrive; empty where all did, or nobody wanted it."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return (_lost[0].strerror or str(_lost[0])) if _lost else ""


class _Untouchable(io.TextIOWrapper):
    """A second writer into a stream, which is no terminal for bars."""

    def isatty(self) -> bool:
        """Never."""
        return False

    def write(self, text: str) -> int:
        """At once, between what the stream's own writer says."""
        written = super().write(text)
        self.flush()
        return written


def _stream(number: int) -> TextIO:
    old = sys.stdout if number == _OUT else sys.stderr
    encoding = getattr(old, "encoding", None) or "utf-8"
    buffer = io.BufferedWriter(_Forgiving(number, "w", closefd=False))
    lines = number == _ERR or os.isatty(number)
    return io.TextIOWrapper(buffer, encoding, "backslashreplace", line_buffering=lines)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _lead_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
