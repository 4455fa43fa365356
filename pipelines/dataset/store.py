"""The folder of a run: what is in it, which frames are complete, and that it is one run's and no other's.

A frame counts once its line stands in ``frames.jsonl``. Lines are appended in the order of the frames, so the file is
always a beginning of what the finished run writes. :class:`FrameStore` keeps that promise for ``gis render`` and
``gis synthesize``; a :class:`RunFolder` has no frames, or other ones.
"""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from renderer.text_files import parse_json

from pipelines.dataset.names import FRAMES_FILE
from pipelines.dataset.record import FrameLine, Record, file_names, parse_line
from pipelines.errors import DatasetError, OutputError
from pipelines.io.files import (
    append_line,
    check_present,
    drop_half_line,
    last_lines,
    read_lines,
)
from pipelines.io.stores import Store, open_store

__all__ = [
    "DATASET_FILE",
    "FRAMES_FILE",
    "PART_FILE",
    "FrameStore",
    "FramesFolder",
    "RunFolder",
    "first_difference",
    "generator",
    "read_records",
]

R = TypeVar("R", bound=Record)
F = TypeVar("F", bound="FramesFolder[Any]")
NEWEST = 10_000
"""Frames that a run looks at which goes on: all of most data sets, and of larger ones those that a power cut may have
hurt. `gis validate` looks at all."""
DATASET_FILE = "dataset.json"
PART_FILE = "part.json"
"""Description of a folder that holds some frames of a data set, for `gis merge`."""


def generator() -> str:
    """Name and version of this program, as files state it."""
    from importlib.metadata import PackageNotFoundError, version  # 30 ms, and no worker needs it

    try:
        return f"gis {version('gis-thermal')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "gis"


def read_records(
    folder: Path, kind: type[R], only: Container[int] | None = None, *, first: int = 0, labelled_only: bool = False
) -> Iterator[R]:
    """Records of the complete frames of a folder, in order; none where it has no ``frames.jsonl``.

    Args:
        folder: of the data set, packed or not; or its address in an object store.
        kind: of record.
        only: numbers of the frames that are wanted; None for all.
        first: number of the frame of the first line, where the folder is a part of a data set.
        labelled_only: leave out the objects that have no label, which is faster.

    Raises:
        DatasetError: a line that is none of ours.
    """
    from pipelines.dataset.packed.reader import is_packed, open_packed  # not where Blender runs this by itself

    log = folder / FRAMES_FILE
    if is_packed(folder):
        for index, line in open_packed(folder).lines(first, only):
            yield kind.from_line(line, index, log, labelled_only=labelled_only)
        return
    for index, line in enumerate(read_lines(log), first):
        if only is None or index in only:
            yield kind.from_line(line, index, log, labelled_only=labelled_only)


class WatchedLog:
    """``frames.jsonl`` while a run writes it: another one in its place would begin in the middle.

    It is looked at before each line, and to be looked at after the last.

    Args:
        path: of the log, in a folder that is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder, self._file, self._size = self._seen()

    def append(self, line: str) -> None:
        """Adds a line, which makes its frame count.

        Raises:
            OutputError: it cannot be written, or the log is not what it was.
        """
        self.check()
        self._size += append_line(self._path, line)
        if self._file is None:  # the first line makes the log
            self._file = self._seen()[1]
            self.check()

    def check(self) -> None:
        """Sees to it that folder and log are those of before.

        Raises:
            OutputError: somebody has removed, renamed, replaced or changed them.
        """
        folder, file, size = self._seen()
        if folder != self._folder:
            raise OutputError(
                f"{self._path.parent} was removed, renamed or replaced while gis was writing to it: give the name "
                "that it has now as --out, or a new one"
            )
        if (file, size) != (self._file, self._size):
            raise OutputError(
                f"{self._path} was removed or changed while gis was writing to it: expected nobody else at work in the "
                "folder; bring it back and give the same command again, or another --out"
            )

    def _seen(self) -> tuple[object, object, int]:
        """What tells the folder and the log from others, and the log's size; None for what is not there."""
        folder, file = (_status(path) for path in (self._path.parent, self._path))
        return folder and folder[:2], file and file[:2], file[2] if file else 0


def _status(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size


@dataclass(frozen=True)
class RunFolder:
    """A folder with one description.

    Args:
        folder: of the run.
        description: name of the JSON file that holds the configuration.
        header: first entries of that file: ``schema``, ``version``, ``configuration`` ...; what another run may not
            differ in.
    """

    folder: Path
    description: str
    header: Mapping[str, Any]

    def check(self) -> None:
        """Refuses a folder that this run may not go on in; changes nothing.

        Raises:
            DatasetError: other files, or another configuration.
        """
        if not self.store.has(self.description):
            if others := self.store.names():
                raise DatasetError(
                    f"{self.store.where} holds other files ({others[0]}): expected an empty or new folder; "
                    "give another --out"
                )
            return
        different = first_difference(self._stored_header(), dict(self.header))
        if different:
            raise DatasetError(
                f"{self.store.where} holds another configuration: {different}; give the same options, or another --out"
            )

    @cached_property
    def store(self) -> Store:
        """Where the folder lies: on this machine, or in an object store."""
        return open_store(self.folder)

    def _stored_header(self) -> dict[str, Any]:
        stored = self.store.read_object(self.description)
        return {key: stored.get(key) for key in self.header}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other runs out of the folder as long as this process lives; makes the folder where it is missing.

        Raises:
            DatasetError: another run is at work in it.
            OutputError: the folder cannot be made.
        """
        with self.store.locked():
            yield

    def describe(self, more: Mapping[str, Any]) -> None:
        """Writes the description: the header and ``more``."""
        self.store.write_json(self.description, {**self.header, **more})


@dataclass(frozen=True)
class FramesFolder(RunFolder, Generic[R]):
    """A folder of frames with one description, of whatever files.

    Args:
        record: what is known of each frame.
        first: number of the first frame; another than 0 in a part of a data set.
    """

    record: type[R]
    first: int = 0

    def part(self: F, first: int) -> F:
        """The same folder as that of a part, which begins with the frame ``first``."""
        return replace(self, description=PART_FILE, header={**self.header, "first": first}, first=first)

    def check_frames(self, frames: range) -> None:
        """Refuses a folder that this run may not go on in; changes nothing.

        Raises:
            DatasetError: other files, another configuration, or frames that were not asked for.
        """
        self.check()
        complete = self.complete() if self.store.has(self.description) else 0
        if complete > len(frames):
            raise DatasetError(
                f"{self.store.where} holds {complete} frames, more than the {len(frames)} asked for: give "
                f"{self._options(complete)} or more, or another --out"
            )

    def _options(self, complete: int) -> str:
        if self.description == PART_FILE:
            return f"--frames {self.first}:{self.first + complete}"
        return f"--count {complete}"

    @abstractmethod
    def complete(self) -> int:
        """Frames that count."""

    def clear(self) -> None:
        """Removes what a killed run has left half-done."""
        self.store.clear_temporaries()

    @contextmanager
    def open_run(self) -> Iterator[int]:
        """Makes the place this run's: locks it, writes the description, clears what a killed run left half-done.

        Yields:
            the number of frames that count.

        Raises:
            DatasetError: another run is at work in it.
            OutputError: it cannot be written to.
        """
        with self.locked():
            self.clear()
            complete = self.complete()
            self.describe({"frames": complete, "complete": False})
            yield complete

    def records(self, *, labelled_only: bool = False) -> Iterator[R]:
        """Records of the complete frames, in order.

        Args:
            labelled_only: leave out the objects that have no label, which is faster.

        Raises:
            DatasetError: a line that is none of ours.
        """
        return read_records(self.folder, self.record, first=self.first, labelled_only=labelled_only)

    def finish(self, count: int, by: str | None = None) -> None:
        """Writes that all ``count`` frames are there.

        Args:
            count: frames.
            by: name and version of the program, where it is not this package.
        """
        self.describe({"frames": count, "complete": True, "generator": by or generator()})

    def is_finished(self, count: int) -> bool:
        """Whether the description says that ``count`` frames are there."""
        described = self.store.read_object(self.description)
        return bool(described.get("complete")) and described.get("frames") == count


@dataclass(frozen=True)
class FrameStore(FramesFolder[R]):
    """A folder of frames with one description and one log, and the files of each frame beside them."""

    @property
    def log(self) -> Path:
        """Path of ``frames.jsonl``."""
        return self.folder / FRAMES_FILE

    def complete(self) -> int:
        """Frames that have a line, as the number of the last one tells."""
        numbers = [index for index, _ in self._last_lines(1)]
        return numbers[-1] + 1 - self.first if numbers else 0

    def clear(self) -> None:
        """See :class:`FramesFolder`; half a line is no line."""
        super().clear()
        drop_half_line(self.log)

    @property
    def newest(self) -> range:
        """The frames that have a line, or the last of them: those that a run looks at which goes on.

        Raises:
            DatasetError: a line that is none of ours.
        """
        stop = self.first + self.complete()
        return range(max(self.first, stop - NEWEST), stop)

    def _last_lines(self, most: int) -> Iterator[tuple[int, str]]:
        """Numbers and lines of the last frames; the number of the first of them alone is looked up."""
        start = last_lines(self.log, most)
        lines = read_lines(self.log, start)
        if (line := next(lines, None)) is None:
            return
        yield from enumerate(chain([line], lines), _number(line, self.log) if start else self.first)

    def missing(self, frames: range) -> Sequence[int]:
        """Those of ``frames`` that have no line yet, or, of the newest, whose files are gone."""
        complete, gone = 0, []
        for index, line in self._last_lines(NEWEST):  # earlier ones were looked at when they were the last
            complete = index + 1 - self.first
            names = parse_line(line, index, self.log)["files"]
            if not all(os.path.isfile(os.path.join(self.folder, name)) for name in names):
                gone.append(index)
        return [*gone, *frames[complete:]] if gone else frames[complete:]

    def append_frames(
        self, frames: Iterable[tuple[int, R | FrameLine]], complete: int, after: Callable[[int], None] | None = None
    ) -> None:
        """Appends the lines of new frames, and verifies those of frames that had one.

        Args:
            frames: numbers and records, or their lines, in order.
            complete: frames that have a line, as :meth:`open_run` says.
            after: called with each number once the frame's line stands.

        Raises:
            DatasetError: a frame came out differently.
            OutputError: a line cannot be written, or the folder or the log is not what it was.
        """
        log = WatchedLog(self.log)
        stored = iter(enumerate(read_lines(self.log), self.first))
        for index, record in frames:
            if index < self.first + complete:
                self._verify(record, next(line for number, line in stored if number == index))
            else:
                log.append(record.to_line())
            if after:
                after(index)
        log.check()

    def check_files(self, made: int) -> None:
        """Sees to it that the files of the frames that a run has made are there.

        Args:
            made: frames; those of the newest are looked at in any case.

        Raises:
            OutputError: a file is missing.
        """
        numbered = self._last_lines(max(made, NEWEST))
        names = (name for index, line in numbered for name in file_names(line, index, self.log))
        check_present(self.folder, names, "files of frames")

    def _verify(self, record: R | FrameLine, stored: str) -> None:
        """Checks that a frame that was made again came out as its line says.

        Raises:
            DatasetError: it came out differently.
        """
        different = first_difference(json.loads(stored), json.loads(record.to_line()))
        if different:
            raise DatasetError(
                f"{self.log}: frame {record.index} came out differently than its line says ({different}): "
                "make the data set anew with this version, in another --out"
            )


def _number(line: str, log: Path) -> int:
    """Number of the frame of a line."""
    try:
        data = parse_json(line)
    except ValueError as error:
        raise DatasetError(f"{log}: holds a line that is no JSON ({error}): expected the record of a frame") from error
    number = data.get("index") if isinstance(data, dict) else None
    if not isinstance(number, int) or number < 0:
        raise DatasetError(f"{log}: holds a line without the number of a frame: expected the record of a frame")
    return number


def first_difference(stored: Any, new: Any, where: str = "") -> str:
    """The first value that differs between two JSON trees, as ``name is 1, now 2``; empty where there is none."""
    if isinstance(stored, Mapping) and isinstance(new, Mapping):
        for key in {**stored, **new}:
            inner = first_difference(stored.get(key), new.get(key), f"{where}.{key}" if where else str(key))
            if inner:
                return inner
        return ""
    before, after = json.dumps(stored), json.dumps(new)
    return "" if before == after else f"{where or 'content'} is {_short(before)}, now {_short(after)}"


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
