"""The command line: ``gis COMMAND``."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Entry point of the script ``gis``, and of ``python -m pipelines.cli``."""
    _leave_current_folder()
    from pipelines.cli.first_steps import take_first_steps

    take_first_steps()
    from pipelines.cli.main import main as run

    run()


def _leave_current_folder() -> None:
    """``python -m`` looks for modules in the current folder first: it may hold anybody's ``json.py``.

    It stays where gis itself lies there. As :func:`gan.processes.trusted_path`, but before anything is imported.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it was removed
        here = ""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    if here != ours:
        sys.path[:] = [one for one in sys.path if one and (one in named or not here or os.path.realpath(one) != here)]
