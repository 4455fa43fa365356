"""The server of `gis view`: this machine's browsers alone, and of the set nothing but pictures and numbers.

Requests name frames by number and planes by a word, so that no path is ever made of what a browser sends. The Host
header must be this machine's: a page of another site cannot reach the server under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import json
import math
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import parse_qs, urlsplit

from renderer.errors import GisError

from pipelines.errors import PipelineError
from pipelines.viewing.charts import Charts
from pipelines.viewing.index import Filter, Order, SetIndex
from pipelines.viewing.pictures import picture, thumbnail

__all__ = ["ViewServer"]

HOST: Final = "127.0.0.1"
STATIC: Final = Path(__file__).parent / "static"
PAGES: Final = {
    "/": ("view.html", "text/html; charset=utf-8"),
    "/view.js": ("view.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/view.css": ("view.css", "text/css; charset=utf-8"),
}
MOST_TILES: Final = 500
"""In one answer."""
MOST_THUMBNAILS: Final = 2000
"""That are kept in memory, some 10 kB each."""
_LONGEST: Final = 200
"""Characters of a value in a question."""
_SECURITY: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Refused(Exception):
    """A request that is answered with a status and one line."""

    def __init__(self, status: HTTPStatus, line: str) -> None:
        super().__init__(line)
        self.status = status


class ViewServer(ThreadingHTTPServer):
    """Serves one set.

    Args:
        index: of the set.
        charts: its figures.
        port: 0 takes one that is free.

    Raises:
        PipelineError: the port cannot be had.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, index: SetIndex, charts: Charts, port: int = 0) -> None:
        self.index, self.charts = index, charts
        self._thumbnails: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise PipelineError(f"port {port}: {error.strerror or error}: expected a free one, or 0 for any") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a page that went away while it was answered; all else is a fault and told as one."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def thumbnail(self, number: int) -> bytes:
        """Small picture of a frame; those that were asked for last are kept."""
        with self._lock:
            if number in self._thumbnails:
                self._thumbnails.move_to_end(number)
                return self._thumbnails[number]
        made = thumbnail(self.index, number)
        with self._lock:
            self._thumbnails[number] = made
            while len(self._thumbnails) > MOST_THUMBNAILS:
                self._thumbnails.popitem(last=False)
        return made

    def about(self) -> dict[str, Any]:
        """What the page asks first, and again until all frames are known."""
        index = self.index
        return {
            "name": index.name,
            "frames": len(index),
            "complete": index.complete,
            "error": index.error,
            "categories": list(index.categories.names),
            "weathers": list(index.weathers.names),
            "worlds": list(index.worlds.names),
            "made": not index.observed,
            "orders": list(get_args(Order)),
        }

    def labels(self) -> dict[str, Any]:
        """Colours and names of what is labelled, which the page asks for once the first pictures are there."""
        from renderer.zones.catalogue import ZONES

        from pipelines.dataset.contact_sheet import CATEGORY_COLOURS
        from pipelines.dataset.labels.coco import SKELETON

        return {
            "colours": {name: "#{:02x}{:02x}{:02x}".format(*rgb) for name, rgb in CATEGORY_COLOURS.items()},
            "zones": {info.zone.value: [info.name, *info.rgb] for info in ZONES},
            "skeleton": [list(pair) for pair in SKELETON],
        }

    def tiles(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A part of the frames that are wanted."""
        rows = self.index.select(_filter(query), _order(query))
        first, count = _whole(query, "first", 0), min(_whole(query, "count", 100), MOST_TILES)
        chosen = rows[first : first + count].tolist()
        return {"total": len(rows), "first": first, "tiles": [self.index.tile(number) for number in chosen]}


class _Handler(BaseHTTPRequestHandler):
    """Answers one browser's questions."""

    server: ViewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "gis", ""

    def do_GET(self) -> None:
        """Answers a question."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """The same without the content."""
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is the user's."""

    def _answer(self, *, body: bool) -> None:
        try:
            self._check_host()
            kind, data, more = self._content()
            self._send(HTTPStatus.OK, kind, data, more, body=body)
        except _Refused as refused:
            self._send_error(refused.status, str(refused), body=body)
        except GisError as error:
            self._send_error(HTTPStatus.NOT_FOUND, str(error), body=body)
        except (BrokenPipeError, ConnectionResetError):  # a page that scrolled on
            self.close_connection = True

    def _check_host(self) -> None:
        port = self.server.server_address[1]
        if self.headers.get("Host", "") not in (f"{HOST}:{port}", f"localhost:{port}"):
            raise _Refused(HTTPStatus.FORBIDDEN, "asked under another name than 127.0.0.1")

    def _content(self) -> tuple[str, bytes, Mapping[str, str]]:
        parts = urlsplit(self.path)
        if parts.path in PAGES:
            name, kind = PAGES[parts.path]
            return kind, (STATIC / name).read_bytes(), {}
        query = {key: values[-1][:_LONGEST] for key, values in parse_qs(parts.query).items()}
        tables: dict[str, Callable[[], dict[str, Any]]] = {
            "/api/set": self.server.about,
            "/api/labels": self.server.labels,
            "/api/frames": lambda: self.server.tiles(query),
            "/api/charts": self.server.charts.answer,
        }
        if parts.path in tables:
            return _json(tables[parts.path]())
        return self._of_frame(parts.path)

    def _of_frame(self, path: str) -> tuple[str, bytes, Mapping[str, str]]:
        found = re.fullmatch(r"/(api/frame|thumb|image|plane/[a-z]+)/([0-9]{1,12})", path)
        if found is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "no such page")
        what, number = found[1], int(found[2])
        if number >= len(self.server.index):
            raise _Refused(HTTPStatus.NOT_FOUND, f"no frame {number}")
        if what == "api/frame":
            from pipelines.viewing.frames import describe

            return _json(describe(self.server.index, number))
        if what == "thumb":
            return "image/jpeg", self.server.thumbnail(number), {}
        if what == "image":
            return "image/png", picture(self.server.index, number), {}
        return self._plane(what.removeprefix("plane/"), number)

    def _plane(self, name: str, number: int) -> tuple[str, bytes, Mapping[str, str]]:
        from pipelines.viewing.frames import PLANES, plane

        if name not in PLANES:
            raise _Refused(HTTPStatus.NOT_FOUND, "no such plane")
        found = plane(self.server.index, number, name)
        values = found.values
        about = {"size_px": [values.shape[1], values.shape[0]], "type": values.dtype.name, "span": found.span}
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        return "application/octet-stream", little.tobytes(), {"X-Plane": json.dumps(about)}

    def _send_error(self, status: HTTPStatus, line: str, *, body: bool) -> None:
        self._send(status, "application/json", json.dumps({"error": line}).encode(), {}, body=body)

    def _send(self, status: HTTPStatus, kind: str, data: bytes, more: Mapping[str, str], *, body: bool) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), "Cache-Control": "no-store"}
        for name, value in {**headers, **_SECURITY, **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


def _json(data: Any) -> tuple[str, bytes, Mapping[str, str]]:
    return "application/json", json.dumps(data, allow_nan=False).encode(), {}


def _filter(query: Mapping[str, str]) -> Filter:
    every = Filter()
    return Filter(
        category=query.get("category", ""),
        height_from=_number(query, "height_from", every.height_from),
        height_to=_number(query, "height_to", every.height_to),
        occlusion=_whole(query, "occlusion", 0) if "occlusion" in query else None,
        weather=query.get("weather", ""),
        world=query.get("world", ""),
        hour_from=_number(query, "hour_from", every.hour_from),
        hour_to=_number(query, "hour_to", every.hour_to),
        score_from=_number(query, "score_from", every.score_from),
    )


def _order(query: Mapping[str, str]) -> Order:
    known = {str(one): one for one in get_args(Order)}
    wanted = query.get("order", "number")
    if wanted not in known:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"order {wanted!r}: expected one of {', '.join(known)}")
    order: Order = known[wanted]
    return order


def _number(query: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(query.get(name, default))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"{name} is {query[name]!r}: expected a number")
    return value


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"{name} is {text!r}: expected a whole number")
    return int(text)
