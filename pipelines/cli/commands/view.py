"""``gis view``."""

from __future__ import annotations

import sys

from pipelines.cli.console import say
from pipelines.viewing.config import ViewConfig

__all__ = ["view"]


def view(config: ViewConfig) -> None:
    """Look at a set of any size in a browser on this machine: frames by category, size, weather, with all labels."""
    from pipelines.viewing.run import serve_view

    def tell(line: str) -> None:
        say(line)
        sys.stdout.flush()

    serve_view(config, tell)
