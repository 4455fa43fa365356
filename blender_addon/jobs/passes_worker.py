"""The script of the other Blender, which changes nothing in the user's and can be killed.

Run as ``blender -b -P passes_worker.py -- REQUEST.json`` or, with Blender as a module, by plain Python. The file holds
a :class:`.view_request.ViewRequest`. The worker ends when its standard input does: with whoever started it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import traceback
from pathlib import Path

__all__ = ["ERROR", "main"]

ERROR = "gis: "
"""Begins the line that says why there is no result."""
ADDON = Path(__file__).resolve().parents[1]


def _end_with_the_caller() -> None:
    """End this process at once when its standard input is closed: then the caller is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _render(request: str) -> None:
    """Find the add-on, which is not enabled in this Blender, by its folder's name; have it do what is asked for."""
    folders = filter(os.path.isabs, json.loads(request)["path"])  # an empty one is the current folder
    sys.path[:] = [str(ADDON.parent), *sys.path, *(folder for folder in folders if folder not in sys.path)]
    module = importlib.import_module(f"{ADDON.name}.jobs.view_request")
    module.ViewRequest.from_json(request).render()


def main(request_file: Path) -> int:
    """Do what a file asks for; returns the exit status."""
    _end_with_the_caller()
    try:
        _render(request_file.read_text(encoding="utf-8"))
    except Exception as error:  # whatever it is, the panel must show it
        traceback.print_exc()
        print(f"{ERROR}{error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main(Path(sys.argv[sys.argv.index("--") + 1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender hangs at exit now and then, and gives no status of its own
