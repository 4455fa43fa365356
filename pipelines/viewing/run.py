"""`gis view`: opens a set and serves its page until somebody ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.viewing.charts import Charts
from pipelines.viewing.config import ViewConfig
from pipelines.viewing.index import open_index
from pipelines.viewing.server import ViewServer

__all__ = ["open_view", "serve_view"]


@contextmanager
def open_view(config: ViewConfig) -> Iterator[ViewServer]:
    """A server that is ready to serve.

    Raises:
        PipelineError: there is no set, or the port cannot be had.
        ItemError: half of the images or more cannot be read.
    """
    index = open_index(config.folder)
    places = (config.folder, *([] if config.beside is None else [config.beside]))
    server = ViewServer(index, Charts(places, config.pictures), config.port)
    try:
        yield server
    finally:
        server.server_close()


def serve_view(config: ViewConfig, say: Callable[[str], None]) -> None:
    """Serves until the process is told to end; raises what `open_view` does.

    Args:
        config: names the set.
        say: takes the line that tells where the page is.
    """
    with open_view(config) as server:
        say(f"{server.index.name}: {server.address} (Ctrl-C ends it)")
        if config.open:
            import webbrowser

            webbrowser.open(server.address)
        server.serve_forever()
