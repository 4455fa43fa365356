"""`gis merge`: parts of a data set, made anywhere with ``--frames``, to the folder of one whole run, byte for byte.

A part is described by ``part.json``: what it is a part of, and its first frame. A whole data set counts as a part that
begins at 0. Lines and files are taken over as they are; what describes all frames together is written here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pipelines.dataset import shards
from pipelines.dataset.record import FrameRecord, Record, parse_line
from pipelines.dataset.store import FRAMES_FILE, PART_FILE, FrameStore, first_difference
from pipelines.dataset.summary import is_finished, write_summary
from pipelines.dataset.validation.folder import KINDS
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import file_sha256, path_inside, read_lines, read_object, write_through
from pipelines.io.progress import Bar

__all__ = ["How", "merge"]

How = Literal["copy", "link", "move"]
_MERGED = ("gis-dataset", "gis-passes")
_NO_HEADER = ("first", "frames", "complete", "generator", "counts", "shards")
"""Entries of a description that tell of its own frames; all others must be equal in all parts."""


@dataclass(frozen=True)
class Part:
    """A folder with some of the frames."""

    folder: Path
    header: dict[str, Any]
    frames: range
    made_by: str

    def lines(self, frames: range) -> Iterator[str]:
        """Lines of those of its frames."""
        begin = frames.start - self.frames.start
        yield from islice(read_lines(self.folder / FRAMES_FILE), begin, begin + len(frames))


def merge(parts: Sequence[Path], out: Path, *, how: How = "copy", progress: bool = False) -> Path:
    """Puts parts of a data set together; a merge that was cut short goes on.

    Args:
        parts: folders of `gis synthesize --frames` or `gis render --frames`, in any order. Frames may lie in several of
            them where they are the same.
        out: folder of the whole.
        how: ``copy`` checks each file against the hash in its line; ``link`` makes hard links; ``move`` empties the
            parts.
        progress: show a bar on stderr.

    Returns:
        the folder.

    Raises:
        ConfigError: no part, or ``out`` is one of them.
        DatasetError: a folder that is no part or is not finished; parts of different data sets or versions; frames
            that are missing or differ.
        OutputError: a file cannot be written.
    """
    found = sorted((_read_part(Path(folder), out) for folder in parts), key=lambda part: part.frames.start)
    if not found:
        raise ConfigError("no parts: expected folders of gis synthesize --frames, or of gis render --frames")
    _check_kin(found)
    taken = _taken(found)
    kind = KINDS[found[0].header["schema"]]
    store: FrameStore[Any] = FrameStore(out, kind.description, found[0].header, kind.record)
    count = taken[-1][1].stop
    store.check_frames(range(count))
    with store.open_run() as complete:
        put = _Transfer(out, how, tensors=bool(found[0].header["configuration"].get("tensors")))
        store.append_frames(_frames(store, taken, complete, put, progress), complete, put.after)
    store.check_files(count - complete)
    _finish(store, count, tensors=put.tensors)
    return out


def _read_part(folder: Path, out: Path) -> Part:
    if folder.resolve() == out.resolve():
        raise ConfigError(f"{folder} is a part and the output: give another --out")
    for name in (PART_FILE, *dict.fromkeys(KINDS[schema].description for schema in _MERGED)):
        if (folder / name).is_file():
            return _described(folder, read_object(folder / name), folder / name)
    raise DatasetError(
        f"{folder}: holds no {PART_FILE}: expected a folder of gis synthesize --frames FIRST:END, or of gis render"
    )


def _described(folder: Path, about: dict[str, Any], path: Path) -> Part:
    first, frames = about.get("first", 0), about.get("frames")
    whole = all(isinstance(value, int) and value >= 0 for value in (first, frames))
    if about.get("schema") not in _MERGED or not isinstance(about.get("configuration"), dict) or not whole:
        raise DatasetError(f"{path}: describes no part of a data set: expected one of gis synthesize or gis render")
    lines = sum(1 for _ in read_lines(folder / FRAMES_FILE))
    if not about.get("complete") or lines != frames:
        raise DatasetError(
            f"{folder}: is not finished ({lines} frames have a line): give the command again that made it"
        )
    header = {key: value for key, value in about.items() if key not in _NO_HEADER}
    return Part(folder, header, range(first, first + frames), str(about.get("generator")))


def _check_kin(parts: Sequence[Part]) -> None:
    """All parts of one data set, made by one version."""
    one = parts[0]
    for other in parts[1:]:
        if different := first_difference(one.header, other.header):
            raise DatasetError(
                f"{one.folder} and {other.folder} are no parts of one data set: {different}; make the second with the "
                "options of the first"
            )
        if other.made_by != one.made_by:
            raise DatasetError(
                f"{one.folder} was made by {one.made_by}, {other.folder} by {other.made_by}: make all parts with one "
                "version"
            )


def _taken(parts: Sequence[Part]) -> list[tuple[Part, range]]:
    """Which frames are taken from which part: all from 0 on, each once.

    Raises:
        DatasetError: some are in no part, or in two that differ.
    """
    taken: list[tuple[Part, range]] = []
    end = 0
    for part in parts:
        if part.frames.start > end:
            raise DatasetError(
                f"frames {end} to {part.frames.start - 1} are in no part: make them with --frames "
                f"{end}:{part.frames.start}"
            )
        for earlier, frames in taken:
            _check_equal(earlier, part, range(max(frames.start, part.frames.start), min(frames.stop, part.frames.stop)))
        if part.frames.stop > end:
            taken.append((part, range(end, part.frames.stop)))
            end = part.frames.stop
    if not taken:
        raise DatasetError(f"{parts[0].folder}: holds no frame: expected parts with frames")
    return taken


def _check_equal(one: Part, other: Part, frames: range) -> None:
    for index, first, second in zip(frames, one.lines(frames), other.lines(frames), strict=False):
        if first != second:
            raise DatasetError(
                f"frame {index} is another one in {one.folder} than in {other.folder}: expected equal frames where "
                "parts overlap; leave one of the two out, or make it anew"
            )


def _frames(
    store: FrameStore[Any],
    taken: Sequence[tuple[Part, range]],
    complete: int,
    put: _Transfer,
    progress: bool,
) -> Iterator[tuple[int, Record]]:
    """The records of the frames that have no line yet, each when its files are there."""
    with Bar(taken[-1][1].stop, "frame", label="merge", done=complete, progress=progress) as bar:
        for part, frames in taken:
            todo = range(max(frames.start, complete), frames.stop)
            for index, line in zip(todo, part.lines(todo) if todo else (), strict=True):
                log = part.folder / FRAMES_FILE
                data = parse_line(line, index, log)
                put.frame(part.folder, data["files"])
                if put.tensors:
                    shards.take_sample(part.folder, store.folder, index, str(data.get("tensor_sha256")))
                bar.update()
                yield index, store.record.from_line(line, index, log)


class _Transfer:
    """Brings the files of frames to the output."""

    def __init__(self, out: Path, how: How, *, tensors: bool) -> None:
        self._out, self._how, self.tensors = out, how, tensors

    def frame(self, folder: Path, files: dict[str, str]) -> None:
        """The files of a frame, by name with their hashes; those that a killed merge has moved already stay."""
        for name, digest in files.items():
            source, place = path_inside(folder, name, folder), self._out / name
            if self._how == "move" and not source.exists() and place.is_file():
                continue
            if not source.is_file():
                raise DatasetError(f"{source}: is missing: make {folder} anew")
            write_through(place, self._by(source, digest), root=self._out)
            if self._how == "move":
                source.unlink()

    def _by(self, source: Path, digest: str) -> Callable[[Path], None]:
        def copy(place: Path) -> None:
            shutil.copyfile(source, place)
            if file_sha256(place) != digest:
                raise DatasetError(f"{source}: is not the file that was written (its SHA-256 differs): make it anew")

        def link(place: Path) -> None:
            place.unlink(missing_ok=True)
            os.link(source, place)

        return copy if self._how == "copy" else link

    def after(self, index: int) -> None:
        """Packs the shard that is complete with a frame."""
        if self.tensors:
            shards.pack_if_full(self._out, index)


def _finish(store: FrameStore[Any], count: int, *, tensors: bool) -> None:
    if store.record is not FrameRecord:
        store.finish(count)
    elif not is_finished(store.folder, count):
        write_summary(store, count, tensors=tensors)
