"""The files of frames by their names below the folder, wherever they lie: beside each other, in a shard, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gan.data.images import read_bytes
from gan.data.picture_formats import PictureError

from pipelines.errors import DatasetError

__all__ = ["FilesInFolder", "FilesInMemory", "FrameFiles"]


class FrameFiles(Protocol):
    """Files by their names: ``images/000012.png``."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def read(self, name: str) -> bytes:
        """The whole of a file.

        Raises:
            DatasetError: it is not there, or cannot be read.
        """


@dataclass(frozen=True)
class FilesInFolder:
    """Files that lie in a folder of this machine."""

    folder: Path

    def has(self, name: str) -> bool:
        """See :class:`FrameFiles`."""
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """See :class:`FrameFiles`."""
        try:
            return read_bytes(self.folder / name)
        except PictureError as error:
            raise DatasetError(f"{name}: cannot be read: {error}; expected a file that gis wrote") from error


@dataclass(frozen=True)
class FilesInMemory:
    """Files that have been read."""

    contents: Mapping[str, bytes]

    def has(self, name: str) -> bool:
        """See :class:`FrameFiles`."""
        return name in self.contents

    def read(self, name: str) -> bytes:
        """See :class:`FrameFiles`."""
        try:
            return self.contents[name]
        except KeyError:
            raise DatasetError(f"{name}: is not there; make the frame anew") from None
