"""Frames as members of a tar that WebDataset reads: ``000012.images.png``, ``000012.depth.exr``, ``000012.json`` ...

WebDataset takes for one sample what has the same name up to the first dot. Headers hold nothing but names and sizes, so
the bytes of a shard follow from its frames.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from pipelines.dataset.names import frame_name
from pipelines.errors import DatasetError

__all__ = ["Places", "ShardFile", "file_of", "member_of", "read_members"]

RECORD: Final = "json"
"""Suffix of the frame's line."""
Places = dict[str, tuple[int, int]]
"""First byte and number of bytes of each file of a frame in its shard, by the file's name."""
_SAMPLES: Final = "tensors/.parts"


def member_of(file: str) -> str:
    """Name in a shard of a frame's file: ``000012.kitti.txt`` for ``annotations/kitti/000012.txt``."""
    folder, _, name = file.rpartition("/")
    stem, _, suffix = name.partition(".")
    if folder == _SAMPLES:  # as in a shard of source tensors alone
        return name
    return f"{stem}.{folder.rpartition('/')[2]}.{suffix}"


def file_of(member: str) -> str:
    """Inverse of :func:`member_of`.

    Raises:
        DatasetError: no member that gis writes.
    """
    parts = member.split(".")
    if len(parts) == 2 and parts[1] == "safetensors":
        return f"{_SAMPLES}/{member}"
    if len(parts) != 3 or not all(parts) or "/" in member:
        raise DatasetError(f"{member!r}: is no file of a frame: expected names as 000012.images.png")
    stem, folder, suffix = parts
    return f"{'annotations/' if folder in ('kitti', 'yolo') else ''}{folder}/{stem}.{suffix}"


class ShardFile:
    """A tar that grows by whole frames.

    Args:
        path: that is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = _HashedFile(open(path, "wb"))  # noqa: SIM115 - it is closed when the shard is
        self._archive = tarfile.TarFile(fileobj=self._stream, mode="w", format=tarfile.USTAR_FORMAT)  # type: ignore[arg-type]

    def add(self, index: int, line: str, contents: Mapping[str, bytes]) -> Places:
        """Adds the files of a frame and its line; says where they lie."""
        places = {name: self._member(member_of(name), data) for name, data in sorted(contents.items())}
        self._member(f"{frame_name(index)}.{RECORD}", line.encode())
        return places

    def _member(self, name: str, data: bytes) -> tuple[int, int]:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        place = self._archive.offset + tarfile.BLOCKSIZE
        self._archive.addfile(member, io.BytesIO(data))
        return place, len(data)

    def finish(self) -> tuple[str, int]:
        """Ends the tar; returns its hash and its size."""
        self._archive.close()
        self._stream.close()
        return self._stream.digest.hexdigest(), self._stream.tell()

    def discard(self) -> None:
        """Leaves nothing behind."""
        self._stream.close()
        self.path.unlink(missing_ok=True)


class _HashedFile:
    """A file that is written from its beginning to its end, and hashed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._place = stream, 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self._place += len(data)
        return self._stream.write(data)

    def tell(self) -> int:
        return self._place

    def close(self) -> None:
        self._stream.close()


def read_members(data: bytes, where: str) -> Iterator[tuple[int, str, dict[str, bytes]]]:
    """Numbers, lines and files of the frames of a shard, in order. Nothing is unpacked: names lead nowhere.

    Raises:
        DatasetError: no whole shard of ours.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            contents: dict[str, bytes] = {}
            for member in archive:
                stream = archive.extractfile(member)
                if member.type not in tarfile.REGULAR_TYPES or stream is None:
                    raise DatasetError(f"{where}: {member.name[-80:]} is no plain file: make the shard anew")
                stem, _, suffix = member.name.partition(".")
                if suffix != RECORD:
                    contents[file_of(member.name)] = stream.read()
                    continue
                yield _number(stem, where), stream.read().decode(), contents
                contents = {}
    except (tarfile.TarError, UnicodeDecodeError, EOFError) as error:
        raise DatasetError(f"{where}: is no whole shard ({error}): make it anew") from error
    if contents:
        raise DatasetError(f"{where}: ends with a frame that has no record: make the shard anew")


def _number(stem: str, where: str) -> int:
    if not stem.isascii() or not stem.isdigit():
        raise DatasetError(f"{where}: holds {stem[-80:]!r}: expected numbers of frames")
    return int(stem)
