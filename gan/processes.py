"""Child processes: where they look for modules, and that they end with the process that started them.

Python puts the current folder on the path of modules (``python -c``, ``python -m``, an empty entry of ``PYTHONPATH``).
That is the folder of a user's data, and a ``json.py`` or ``numpy.py`` in it would be executed. The module needs the
standard library alone, so that it works inside of Blender.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

__all__ = ["end_with_parent", "isolated_environment", "packages_folder", "trusted_path"]

_PACKAGES: Final = str(Path(__file__).resolve().parents[1])
"""The folder that our packages lie in: a checkout, or Python's own folder of packages."""
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LOOK_S: Final = 0.5


def trusted_path(entries: Iterable[str]) -> list[str]:
    """The entries of a path of modules without those that mean the current folder.

    The current folder stays where our packages lie in it (a checkout), and where ``PYTHONPATH`` spells it out.
    """
    named, here = os.environ.get("PYTHONPATH", "").split(os.pathsep), _current_folder()
    return [
        one
        for one in entries
        if os.path.isabs(one) and (os.path.realpath(one) != here or one in named or here == _PACKAGES)
    ]


def packages_folder() -> list[str]:
    """The folder of our packages where only the current folder leads to it: in a checkout."""
    return [_PACKAGES] if _current_folder() == _PACKAGES else []


def _current_folder() -> str:
    try:
        return os.path.realpath(os.curdir)
    except OSError:  # it was removed
        return ""


def isolated_environment(environment: Mapping[str, str], path: Iterable[str]) -> dict[str, str]:
    """Variables for a child that finds modules on ``path`` and never in the current folder."""
    safe = trusted_path(dict.fromkeys(path))
    return {**environment, "PYTHONPATH": os.pathsep.join(safe), "PYTHONSAFEPATH": "1"}


def end_with_parent(parent: int) -> None:
    """Has this process ended as soon as the process ``parent``, which started it, is gone, whatever it does then.

    Linux does it by itself, even while this process is stopped; elsewhere a thread looks now and then.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it was gone before
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
