"""`gis merge`: parts of a data set, made anywhere with ``--frames``, to the folder of one whole run, byte for byte.

A part is described by ``part.json``: what it is a part of, and its first frame. A whole data set counts as a part that
begins at 0. Lines and files are taken over as they are; what describes all frames together is written here. Parts and
the whole may be packed or not, and lie in an object store.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipelines.dataset import shards
from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.packed.reader import files_in_shard, open_packed
from pipelines.dataset.packed.writer import PackedStore
from pipelines.dataset.record import FrameRecord, Record, parse_line
from pipelines.dataset.rig import is_rig, read_rig, write_rig
from pipelines.dataset.store import FRAMES_FILE, PART_FILE, FrameStore, first_difference
from pipelines.dataset.summary import is_finished, write_summary
from pipelines.dataset.validation.folder import KINDS
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import file_sha256, path_inside, read_lines, sha256, write_through
from pipelines.io.progress import Bar
from pipelines.io.stores import is_remote, local_path, open_store

__all__ = ["Form", "How", "merge"]

How = Literal["copy", "link", "move"]
Form = Literal["same", "files", "shards"]
T = TypeVar("T")
_FORM = ("pack", "shard_frames")
"""Options that say how frames are packed."""
_MERGED = ("gis-dataset", "gis-passes")
_NO_HEADER = ("first", "frames", "complete", "generator", "counts", "shards")
"""Entries of a description that tell of its own frames; all others must be equal in all parts."""


@dataclass(frozen=True)
class Part:
    """A folder with some of the frames."""

    folder: Path
    header: dict[str, Any]
    """Without its form, which the whole may have another of."""
    frames: range
    made_by: str
    form: Mapping[str, Any]
    """Of the configuration, what says how the frames are packed; empty where they are not."""

    def lines(self, frames: range) -> Iterator[str]:
        """Lines of those of its frames."""
        if self.form:
            yield from (line for _, line in open_packed(self.folder).lines(self.frames.start, frames))
            return
        begin = frames.start - self.frames.start
        yield from islice(read_lines(self.folder / FRAMES_FILE), begin, begin + len(frames))

    def contents(self, frames: range, *, tensors: bool) -> Iterator[tuple[int, str, Mapping[str, bytes]]]:
        """Numbers, lines and files of those of its frames; those of a shard are read together."""
        if self.form:
            packed = open_packed(self.folder)
            for number in packed.numbers():
                if set(packed.about(number).numbers) & set(frames):
                    held = files_in_shard(packed, number)
                    yield from ((index, line, files.contents) for index, line, files in held if index in frames)
            return
        for index, line in zip(frames, self.lines(frames), strict=True):
            data = parse_line(line, index, self.folder / FRAMES_FILE)
            read = {name: self._read(name) for name in data["files"]}
            yield index, line, read | (shards.stored_part(self.folder, index) if tensors else {})

    def _read(self, name: str) -> bytes:
        path = path_inside(self.folder, name, self.folder)
        try:
            return path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{path}: is missing: make {self.folder} anew") from error


def merge(parts: Sequence[Path], out: Path, *, how: How = "copy", pack: Form = "same", progress: bool = False) -> Path:
    """Puts parts of a data set together; a merge that was cut short goes on.

    Args:
        parts: folders of `gis synthesize --frames` or `gis render --frames`, in any order. Frames may lie in several of
            them where they are the same.
        out: folder of the whole.
        how: ``copy`` checks each file against the hash in its line; ``link`` makes hard links; ``move`` empties the
            parts. Where shards are involved frames are always copied.
        pack: whether the whole is packed: as the first part is, in single ``files``, or in ``shards``.
        progress: show a bar on stderr.

    Returns:
        the folder.

    Raises:
        ConfigError: no part, or ``out`` is one of them.
        DatasetError: a folder that is no part or is not finished; parts of different data sets or versions; frames
            that are missing or differ.
        OutputError: a file cannot be written.
    """
    out, parts = local_path(out), [*parts]
    if parts and is_rig(local_path(Path(parts[0]))):
        return _merge_rig(parts, out, how, pack, progress)
    found = sorted((_read_part(local_path(Path(folder)), out) for folder in parts), key=lambda part: part.frames.start)
    if not found:
        raise ConfigError("no parts: expected folders of gis synthesize --frames, or of gis render --frames")
    _check_kin(found)
    taken = _taken(found)
    store = _open(found[0], out, pack, how)
    count, tensors = taken[-1][1].stop, bool(found[0].header["configuration"].get("tensors"))
    store.check_frames(range(count))
    with store.open_run() as complete:
        if isinstance(store, PackedStore):
            begin = next(iter(store.missing(range(count))), count)
            packed = _packed_frames(taken, begin, tensors=tensors)
            store.append_frames(_watched(packed, count, begin, progress), begin)
        else:
            put = _Transfer(out, how, tensors=tensors)
            single = _frames(store, taken, complete, put)
            store.append_frames(_watched(single, count, complete, progress), complete, put.after)
    store.check_files(count - complete)
    _finish(store, count, tensors=tensors)
    return out


def _merge_rig(parts: Sequence[Path | str], out: Path, how: How, pack: Form, progress: bool) -> Path:
    """The sets of a rig's cameras, each put together."""
    rigs = [read_rig(local_path(Path(folder))) for folder in parts]
    for rig in rigs:
        write_rig(out, rig)
    for one in rigs[0].cameras:
        merge(
            [local_path(Path(folder)) / one.name for folder in parts],
            out / one.name,
            how=how,
            pack=pack,
            progress=progress,
        )
    return out


def _open(one: Part, out: Path, pack: Form, how: How) -> FrameStore[Any] | PackedStore:
    """The whole, in the form that is wanted."""
    kind, form = KINDS[one.header["schema"]], one.form
    if pack != "same":
        form = {} if pack == "files" else {"pack": "shards", **{k: v for k, v in one.form.items() if k != "pack"}}
    if not form and is_remote(out):
        raise ConfigError(f"{out}: an object store takes packed data sets alone: give --pack shards too")
    if form and kind.record is not FrameRecord:
        raise ConfigError("pack shards: is for data sets of gis synthesize: leave it out")
    if (form or one.form) and how != "copy":
        raise ConfigError(f"how {how}: frames go into shards or come out of them: leave it out, they are copied")
    header = {**one.header, "configuration": _in_order({**one.header["configuration"], **form})}
    if not form:
        return FrameStore(out, kind.description, header, kind.record)
    tensors = bool(header["configuration"].get("tensors"))
    return PackedStore(out, kind.description, header, shard_frames=form.get("shard_frames"), tensors=tensors)


def _in_order(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The form where a whole run has it: before the source tensors."""
    rest = {key: value for key, value in configuration.items() if key not in _FORM}
    keys = list(rest)
    place = keys.index("tensors") if "tensors" in keys else len(keys)
    order = [*keys[:place], *(key for key in _FORM if key in configuration), *keys[place:]]
    return {key: configuration[key] for key in order}


def _read_part(folder: Path, out: Path) -> Part:
    if folder.resolve() == out.resolve():
        raise ConfigError(f"{folder} is a part and the output: give another --out")
    store = open_store(folder)
    for name in (PART_FILE, *dict.fromkeys(KINDS[schema].description for schema in _MERGED)):
        if store.has(name):
            return _described(folder, store.read_object(name), folder / name)
    raise DatasetError(
        f"{folder}: holds no {PART_FILE}: expected a folder of gis synthesize --frames FIRST:END, or of gis render"
    )


def _described(folder: Path, about: dict[str, Any], path: Path) -> Part:
    first, frames = about.get("first", 0), about.get("frames")
    whole = all(isinstance(value, int) and value >= 0 for value in (first, frames))
    if about.get("schema") not in _MERGED or not isinstance(about.get("configuration"), dict) or not whole:
        raise DatasetError(f"{path}: describes no part of a data set: expected one of gis synthesize or gis render")
    form = {key: about["configuration"][key] for key in _FORM if key in about["configuration"]}
    if form:
        packed = open_packed(folder)
        lines = sum(packed.about(number).frames for number in packed.numbers())
    else:
        lines = sum(1 for _ in read_lines(folder / FRAMES_FILE))
    if not about.get("complete") or lines != frames:
        raise DatasetError(
            f"{folder}: is not finished ({lines} frames have a line): give the command again that made it"
        )
    header = {key: value for key, value in about.items() if key not in _NO_HEADER}
    header["configuration"] = {key: value for key, value in about["configuration"].items() if key not in _FORM}
    return Part(folder, header, range(first, first + frames), str(about.get("generator")), form)


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


def _watched(frames: Iterable[T], count: int, complete: int, progress: bool) -> Iterator[T]:
    """The frames, and a bar that shows how far the merge is."""
    with Bar(count, "frame", label="merge", done=complete, progress=progress) as bar:
        for frame in frames:
            bar.update()
            yield frame


def _todo(taken: Sequence[tuple[Part, range]], complete: int) -> Iterator[tuple[Part, range]]:
    """The frames that are not there yet, by the part that they come from."""
    for part, frames in taken:
        if todo := range(max(frames.start, complete), frames.stop):
            yield part, todo


def _packed_frames(
    taken: Sequence[tuple[Part, range]], complete: int, *, tensors: bool
) -> Iterator[tuple[int, MadeFrame[FrameRecord]]]:
    """The frames that are not packed yet, each with its files."""
    for part, frames in _todo(taken, complete):
        for index, line, contents in part.contents(frames, tensors=tensors):
            yield index, _made(part, index, line, contents)


def _made(part: Part, index: int, line: str, contents: Mapping[str, bytes]) -> MadeFrame[FrameRecord]:
    """A frame, its files checked against their hashes."""
    record = FrameRecord.from_line(line, index, part.folder / FRAMES_FILE)
    wanted = dict(record.files)
    if record.tensor_sha256 is not None:
        wanted[shards.part_name(index)] = record.tensor_sha256
    if wanted != {name: sha256(data) for name, data in contents.items()}:
        raise DatasetError(f"{part.folder}: the files of frame {index} are not those that were written: make it anew")
    return MadeFrame(record, contents)


def _frames(
    store: FrameStore[Any], taken: Sequence[tuple[Part, range]], complete: int, put: _Transfer
) -> Iterator[tuple[int, Record]]:
    """The records of the frames that have no line yet, each when its files are there."""
    for part, todo in _todo(taken, complete):
        if part.form:
            for index, line, contents in part.contents(todo, tensors=put.tensors):
                yield index, _made(part, index, line, contents).write(store.folder)
            continue
        for index, line in zip(todo, part.lines(todo), strict=True):
            log = part.folder / FRAMES_FILE
            data = parse_line(line, index, log)
            put.frame(part.folder, data["files"])
            if put.tensors:
                shards.take_sample(part.folder, store.folder, index, str(data.get("tensor_sha256")))
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


def _finish(store: FrameStore[Any] | PackedStore, count: int, *, tensors: bool) -> None:
    if store.record is not FrameRecord:
        store.finish(count)
    elif not is_finished(store.folder, count):
        write_summary(store, count, tensors=tensors)
