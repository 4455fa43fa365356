"""What several commands share. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import say

__all__ = ["Out", "print_note", "shows_progress"]

Out = Annotated[
    Path,
    typer.Option(
        "--out", help="Folder of the output; a run that was cut short goes on in it.", rich_help_panel="Output"
    ),
]


def shows_progress() -> bool:
    """Whether the run says how far it is: a bar, a line a minute, or events, see :mod:`pipelines.io.progress`."""
    return True


def print_note(line: str) -> None:
    """Prints what was taken for what, and what was left out, where progress and errors stand."""
    say(line, err=True)
