"""How far a run is: a bar on a terminal, a line a minute elsewhere, lines of JSON for programs. All on standard error.

A run that takes less than a minute says nothing where nobody watches: logs of many short runs stay readable.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from pipelines.io.escape import for_console

__all__ = ["JSON", "LINES_S", "LOG_FORMATS", "TEXT", "Bar", "follow", "log_as", "log_format", "note_event", "stage"]

T = TypeVar("T")
TEXT, JSON = "text", "json"
LOG_FORMATS: Final = (TEXT, JSON)
LINES_S: Final = 60.0
"""How often a line comes where there is no terminal, seconds."""
_EVENTS_S: Final = 1.0
"""How often an event of progress comes at most, seconds."""
_format: Final = [TEXT]
"""Of this process's standard error, which there is one of."""


def log_as(name: str) -> None:
    """Has progress and notes written as text, or as one JSON object a line."""
    _format[:] = [name]


def log_format() -> str:
    """``text`` or ``json``."""
    return _format[0]


def note_event(event: str, **values: Any) -> None:
    """Writes one JSON object on a line of standard error."""
    line = json.dumps({"event": event, "time": round(time.time(), 3), **values}, ensure_ascii=True)
    print(line, file=sys.stderr, flush=True)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.contextmanager
def stage(text: str, *, progress: bool) -> Iterator[None]:
    """Says what is being done before there is anything to count.

    Args:
        text: what, e.g. ``opening the scene``.
        progress: whether to say anything.
    """
    text = for_console(text)
    if not progress:
        yield
        return
    if log_format() == JSON:
        note_event("stage", stage=text)
        yield
        return
    begun, stop = time.monotonic(), threading.Event()
    every_s = 1.0 if _is_terminal() else LINES_S
    watcher = threading.Thread(target=_say_again, args=(text, begun, every_s, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _say_again(text: str, begun: float, every_s: float, stop: threading.Event) -> None:
    """On a terminal one line that counts seconds and goes away; elsewhere a line now and then."""
    on_terminal, wait_s = _is_terminal(), 0.0 if _is_terminal() else every_s
    while not stop.wait(wait_s):
        line = f"{text} ... {time.monotonic() - begun:.0f} s"
        print(f"\r\x1b[K{line}" if on_terminal else line, end="" if on_terminal else "\n", file=sys.stderr, flush=True)
        wait_s = every_s
    if on_terminal:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class Bar:
    """A count that goes up to a total; a context manager.

    Args:
        total: how many there will be.
        what: what is counted, e.g. ``frame``.
        progress: whether to say anything.
        done: how many there are already.
        before_first: what is being done until the first is there.
    """

    def __init__(
        self, total: int, what: str, *, progress: bool, done: int = 0, before_first: str = "", label: str = ""
    ) -> None:
        self._total, self._what, self._progress = total, what, progress
        self._start, self._done, self._label = done, done, label
        self._begun = self._said = time.monotonic()
        self._bar: Any = None
        self._before_first, self.status = before_first, ""

    def __enter__(self) -> Bar:
        if self._progress and log_format() == JSON:
            self._event()
        elif self._progress and _is_terminal():
            self._open_bar()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _open_bar(self) -> None:
        from tqdm import tqdm

        label = self._label or f"{self._what}s"
        self._bar = tqdm(total=self._total, initial=self._done, unit=self._what, desc=label, smoothing=0.1)
        if self._before_first:
            self._bar.set_postfix_str(self._before_first)

    def update(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        if not self._progress:
            return
        if self._bar is not None:
            self._bar.set_postfix_str(self.status, refresh=False)
            self._bar.update(count)
            return
        now, is_json = time.monotonic(), log_format() == JSON
        if now - self._said >= (_EVENTS_S if is_json else LINES_S) or (is_json and self._done == self._total):
            self._said = now
            self._event() if is_json else print(self._line(), file=sys.stderr, flush=True)

    @property
    def _left_s(self) -> float | None:
        made = self._done - self._start
        return (time.monotonic() - self._begun) / made * (self._total - self._done) if made else None

    def _line(self) -> str:
        left_s = self._left_s
        share = 100 * self._done / max(1, self._total)
        left = f", about {_duration(left_s)} left" if left_s else ""
        status = f"; {self.status}" if self.status else ""
        return f"{self._label or self._what + 's'}: {self._done} of {self._total} ({share:.0f} %){left}{status}"

    def _event(self) -> None:
        left_s = self._left_s
        values: dict[str, Any] = {"done": self._done, "total": self._total, "unit": self._what}
        if self._before_first and self._done == self._start:
            values["stage"] = self._before_first
        if left_s is not None:
            values["left_s"] = round(left_s, 1)
        note_event("progress", **values)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def follow(
    items: Iterable[T],
    total: int,
    what: str,
    *,
    progress: bool,
    label: str = "",
    before_first: str = "",
    status: Callable[[], str] = str,
) -> Iterator[T]:
    """The items as they come, with a count of them on standard error.

    Args:
        items: what is made.
        total: how many there will be.
        what: what each is, e.g. ``frame``.
        progress: whether to say anything.
        label: begins the line; without it the plural of ``what``.
        before_first: what is being done until the first is there.
        status: gives what stands behind the count.
    """
    with Bar(total, what, progress=progress, label=label, before_first=before_first) as bar:
        for item in items:
            bar.status = status() if progress else ""
            bar.update()
            yield item
