"""A packed data set, read: its index in order, and the files of single frames by their place in a shard."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from pipelines.dataset.frame_files import FilesInFolder, FilesInMemory, FrameFiles
from pipelines.dataset.names import FRAMES_FILE, frame_name
from pipelines.dataset.packed.members import Places, read_members
from pipelines.dataset.packed.tables import About, FrameRow, read_about, read_rows
from pipelines.errors import DatasetError
from pipelines.io.files import file_sha256
from pipelines.io.stores import Store, is_remote, open_store

__all__ = [
    "FRAMES",
    "OBJECTS",
    "SHARDS",
    "FilesInShards",
    "PackedSet",
    "files_in_shard",
    "files_of",
    "is_packed",
    "open_packed",
    "shard_name",
]

SHARDS: Final = "shards"
FRAMES: Final = "frames"
OBJECTS: Final = "objects"


def is_packed(folder: Path | str) -> bool:
    """Whether a folder or an address holds a packed data set; what lies in an object store is one."""
    return is_remote(folder) or all(os.path.isdir(Path(folder) / name) for name in (FRAMES, SHARDS))


def open_packed(folder: Path | str) -> PackedSet:
    """The packed data set in a folder or at an address."""
    return PackedSet(open_store(folder))


def shard_name(number: int) -> str:
    """Of a shard, without folder and suffix."""
    return f"shard-{number:06d}"


@dataclass(frozen=True, eq=False)
class PackedSet:
    """Shards and their index."""

    store: Store

    def numbers(self) -> list[int]:
        """Of the shards that are listed, in order; none where there is no index."""
        names = self.store.names(FRAMES)
        stems = (name.removesuffix(".parquet") for name in names if name.startswith("shard-"))
        return sorted(int(stem[6:]) for stem in stems if stem[6:].isascii() and stem[6:].isdigit())

    def about(self, number: int) -> About:
        """What the index says of a shard.

        Raises:
            DatasetError: it cannot be read.
        """
        return read_about(self._index(number), self.where(number))

    def rows(self, number: int) -> list[FrameRow]:
        """The frames of a shard.

        Raises:
            DatasetError: the index cannot be read.
        """
        return read_rows(self._index(number), self.where(number))

    def listed(self, number: int) -> tuple[About, list[FrameRow]]:
        """What the index says of a shard, and its frames; it is read once.

        Raises:
            DatasetError: it cannot be read.
        """
        data, where = self._index(number), self.where(number)
        return read_about(data, where), read_rows(data, where)

    def lines(self, first: int = 0, only: Container[int] | None = None) -> Iterator[tuple[int, str]]:
        """Numbers and lines of all frames from ``first`` on, in order.

        Raises:
            DatasetError: the index cannot be read, or does not go on where it should.
        """
        place = first
        for number in self.numbers():
            for row in self.rows(number):
                if row.index != place:
                    raise DatasetError(f"{self.where(number)}: holds frame {row.index}, expected frame {place}")
                place += 1
                if only is None or row.index in only:
                    yield row.index, row.line

    def shard(self, number: int) -> bytes:
        """The whole of a shard."""
        return self.store.read(f"{SHARDS}/{shard_name(number)}.tar")

    def where(self, number: int) -> str:
        """Name of the index of a shard, for messages."""
        return f"{self.store.where}/{FRAMES}/{shard_name(number)}.parquet"

    def files(self) -> FilesInShards:
        """The files of all frames by their names."""
        return FilesInShards(self)

    def _index(self, number: int) -> bytes:
        return self.store.read(f"{FRAMES}/{shard_name(number)}.parquet")


class FilesInShards:
    """See :class:`pipelines.dataset.frame_files.FrameFiles`; frames that are asked for in order are found at once."""

    def __init__(self, packed: PackedSet) -> None:
        self._packed = packed
        self._size: int | None = None
        self._numbers: frozenset[int] = frozenset()
        self._table = lru_cache(maxsize=4)(self._read_table)
        self._lines = lru_cache(maxsize=4)(self._read_lines)

    def __reduce__(self) -> tuple[type[FilesInShards], tuple[PackedSet]]:
        """Another process finds the files anew."""
        return FilesInShards, (self._packed,)

    @property
    def where(self) -> str:
        """Where the data set is, for messages."""
        return self._packed.store.where

    def shard_sha256(self, name: str) -> str:
        """Hash of the shard that a file is in; empty where it is in none.

        Raises:
            DatasetError: the index cannot be read.
        """
        number = self._number(name)
        return "" if number is None else self._packed.about(number).sha256

    def line(self, index: int) -> str:
        """The line of a frame.

        Raises:
            DatasetError: there is no such frame, or the index cannot be read.
        """
        number = self._number(frame_name(index))
        lines = {} if number is None else self._lines(number)
        if index not in lines:
            raise DatasetError(f"frame {index}: is in no shard of {self.where}")
        return lines[index]

    def has(self, name: str) -> bool:
        """See :class:`FrameFiles`."""
        number = self._number(name)
        return number is not None and name in self._table(number)

    def read(self, name: str) -> bytes:
        """See :class:`FrameFiles`."""
        number = self._number(name)
        places = {} if number is None else self._table(number)
        if number is None or name not in places:
            raise DatasetError(f"{name}: is in no shard of {self._packed.store.where}")
        offset, size = places[name]
        data = self._packed.store.read(f"{SHARDS}/{shard_name(number)}.tar", offset, size)
        if len(data) != size:
            raise DatasetError(f"{SHARDS}/{shard_name(number)}.tar: is cut off: make it anew")
        return data

    def _number(self, name: str) -> int | None:
        """The shard of a file."""
        if self._size is None:
            found = self._packed.numbers()
            self._numbers = frozenset(found)
            self._size = self._packed.about(found[0]).shard_frames if found else 1
        stem = name.rpartition("/")[2].partition(".")[0]
        number = int(stem) // self._size if stem.isascii() and stem.isdigit() else -1
        return number if number in self._numbers else None

    def _read_lines(self, number: int) -> dict[int, str]:
        return {row.index: row.line for row in self._packed.rows(number)}

    def _read_table(self, number: int) -> Places:
        return {name: place for row in self._packed.rows(number) for name, place in row.places.items()}


def files_in_shard(packed: PackedSet, number: int) -> Iterator[tuple[int, str, FilesInMemory]]:
    """Numbers, lines and files of the frames of a shard, which is read once, from its beginning to its end."""
    where = f"{SHARDS}/{shard_name(number)}.tar"
    for index, line, contents in read_members(packed.shard(number), where):
        yield index, line, FilesInMemory(contents)


def lines_sha256(folder: Path) -> str:
    """Hash of the lines of all frames: that of ``frames.jsonl``, also where there is none.

    Raises:
        DatasetError: they cannot be read.
    """
    if not is_packed(folder):
        return file_sha256(folder / FRAMES_FILE)
    digest = hashlib.sha256()
    for _, line in open_packed(folder).lines():
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def files_of(folder: Path) -> FrameFiles:
    """The files of a data set, packed or not, by their names."""
    return open_packed(folder).files() if is_packed(folder) else FilesInFolder(folder)
