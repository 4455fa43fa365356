"""What nobody foresaw: one line for the user, the traceback in a file for whoever mends it."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Final

from pipelines.cli.console import say

__all__ = ["FAULT", "report_fault", "report_system", "traceback_file"]

FAULT: Final = 70
"""Exit status of a fault of gis itself: EX_SOFTWARE of sysexits.h."""
TRACEBACK: Final = "GIS_TRACEBACK"
"""Variable that has the traceback of a fault printed."""


def report_fault(command: str, error: BaseException) -> None:
    """Says that ``error`` is a fault of gis, and where its traceback is."""
    told = "".join(traceback.format_exception(error))
    if os.environ.get(TRACEBACK):
        print(told, file=sys.stderr)
    place = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{Path(place.filename).name}:{place.lineno}"
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    say(f"{command}: a fault of gis itself: {reason} ({at}); please report it with {traceback_file(told)}", err=True)


def report_system(command: str, error: OSError) -> None:
    """Says what the system refused: a full disk, a forbidden folder, a name that is too long."""
    what = f"{error.filename}: " if error.filename is not None else ""
    say(f"{command}: {what}{error.strerror or error}", err=True)


def traceback_file(text: str) -> str:
    """Path of a new file with a traceback; where none can be written the traceback is printed."""
    try:
        handle, name = tempfile.mkstemp(".txt", "gis-fault-")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError:
        print(text, file=sys.stderr)
        return "the traceback above"
    return name
