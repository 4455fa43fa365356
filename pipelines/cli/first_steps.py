"""What the process of a command does before it imports the command line, which takes a tenth of a second.

The first worker of `gis synthesize` is started here: it imports what makes frames on another core, while this process
imports typer and reads the options.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence
from typing import Final

from gan.processes import isolated_environment, packages_folder

from pipelines.cli.streams import open_streams
from pipelines.worker_process import start_early

__all__ = ["needs_early_worker", "take_first_steps"]

_OF_WORKERS: Final = ("pipelines.synthesis.dataset_run", "renderer.raster.distorted")
"""What a worker of `gis synthesize` needs in any case; not Blender, which leaves a folder behind where it is ended."""


@functools.cache
def take_first_steps() -> None:
    """Opens the streams, sets the variables for children, and starts the first worker where one is needed; once."""
    open_streams()
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.update(isolated_environment({}, [*path, *packages_folder()]))  # for what libraries start
    if needs_early_worker(sys.argv[1:]):
        start_early(_OF_WORKERS)


def needs_early_worker(words: Sequence[str]) -> bool:
    """Whether these words of a command line ask for frames, and of this machine.

    A worker that is started in vain is ended by the command line; one that is not started here is started later.
    """
    given = iter(words)
    for word in given:
        if word == "--log-format":
            next(given, None)
        elif not word.startswith("-"):
            return word == "synthesize" and not any(one.startswith(("-h", "--help", "--ray")) for one in words)
    return False
