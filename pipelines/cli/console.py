"""What a command says: lines on the terminal, whatever the names in them hold."""

from __future__ import annotations

import json
from typing import Any, Final

import typer

from pipelines.io.escape import for_console
from pipelines.io.progress import JSON, log_format, note_event

__all__ = ["count_of", "results_as_json", "say", "say_result"]

_wants_json: Final = [False]
"""Whether the result goes to standard output as JSON, and nothing else does."""


def results_as_json(wanted: bool | None = None) -> bool:
    """Whether ``--json`` was given; sets it first where ``wanted`` says so."""
    if wanted is not None:
        _wants_json[:] = [wanted]
    return _wants_json[0]


def say(text: str, *, err: bool = False, event: str = "message") -> None:
    """One line; what cannot be seen in it is written out.

    Args:
        text: the line.
        err: for standard error.
        event: what the line is, where standard error is JSON: ``message`` or ``error``.
    """
    err = err or _wants_json[0]
    if err and log_format() == JSON:
        note_event(event, text=text)
    else:
        typer.echo(for_console(text), err=err)


def say_result(text: str, **values: Any) -> None:
    """What came of a command: a line, or with ``--json`` the values as one JSON object on standard output."""
    if not _wants_json[0]:
        say(text)
        return
    typer.echo(json.dumps(values, ensure_ascii=True, default=str))


def count_of(number: int, thing: str) -> str:
    """A number of things in words: ``1 frame``, ``2 frames``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
