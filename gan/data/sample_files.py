"""Samples in files: loose (``*.safetensors``), or in tar shards (``*.tar``) as WebDataset reads them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gan.data.layout import Sample, decode_sample
from gan.errors import DataError, LayoutError

__all__ = ["StoredSample", "file_stamp", "find_samples", "read_samples", "shard_samples"]

_SUFFIX: Final = ".safetensors"
LARGEST_SAMPLE: Final = 1 << 30
"""Bytes of a sample: one of 8192x8192 pixels has 740 MB."""
_LONG_HEADERS: Final = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
)  # fmt: skip
_LONGEST_HEADER: Final = 1 << 16


@dataclass(frozen=True)
class StoredSample:
    """Where a sample lies; it is read when asked for."""

    path: Path
    """The sample's file, or the shard."""
    member: str = ""
    """Name within the shard."""
    offset: int = 0
    """First byte within the file."""
    size: int = -1
    """Number of bytes; -1 for all."""

    @property
    def name(self) -> str:
        """Name without folders and suffix."""
        return self.member.split("/")[-1].split(".")[0] if self.member else self.path.stem

    @property
    def where(self) -> str:
        """Place, for messages."""
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def stamp(self) -> str:
        """Changes when the file does."""
        return f"{file_stamp(self.path)}@{self.offset}" if self.member else file_stamp(self.path)

    def read(self) -> bytes:
        """The bytes, as `gan.data.layout.encode_sample` made them.

        Raises:
            LayoutError: More than a sample can have.
        """
        with self.path.open("rb") as stream:
            size = self.size if self.size >= 0 else stream.seek(0, 2)
            if size > LARGEST_SAMPLE:
                raise LayoutError(f"{self.where}: holds {size / 1e9:.1f} GB: expected a sample of at most 1 GB")
            stream.seek(self.offset)
            return stream.read(size)

    def load(self) -> Sample:
        """The sample.

        Raises:
            LayoutError: Where it is truncated, or of another layout.
        """
        return decode_sample(self.read(), self.where)


def read_samples(folder: Path | str) -> Iterator[Sample]:
    """The samples of a folder, one by one in the order of their names.

    Args:
        folder: Holds samples or shards itself, in ``tensors/`` or in ``shards/``: what ``gis synthesize --tensors``
            wrote, with or without ``--pack shards``.

    Raises:
        DataError: No samples, or a file that cannot be read.

    Examples:
        >>> import gan
        >>> for sample in gan.read_samples("out/night"):  # doctest: +SKIP
        ...     print(sample.index, sample.source().shape)
        0 (7, 512, 512)
    """
    for place in (Path(folder) / "tensors", Path(folder) / "shards", Path(folder)):
        stored = find_samples(place)
        if stored:
            return (sample.load() for sample in stored)
    raise DataError(f"{folder}: no samples; expected *{_SUFFIX} or *.tar of gis synthesize --tensors")


def find_samples(folder: Path) -> list[StoredSample]:
    """The samples in a folder and in its shards, in the order of their names; none where there are none.

    Raises:
        DataError: A shard cannot be read, or two samples have one name.
    """
    samples = [StoredSample(path) for path in _files(folder, f"*{_SUFFIX}")]
    for shard in _files(folder, "*.tar"):
        samples += shard_samples(shard)
    return _without_doubles(sorted(samples, key=lambda sample: sample.name), folder)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Hidden files are left out, and what is no file: a named pipe would be waited for."""
    return sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))


def shard_samples(shard: Path) -> list[StoredSample]:
    """The samples of one shard, in its order. Nothing is unpacked: names lead nowhere.

    Raises:
        DataError: It cannot be read to its end, or holds a sample that is a link, a device, or in pieces.
    """
    try:
        with tarfile.open(shard, "r:", tarinfo=_Member) as archive:
            members = [member for member in archive if member.name.endswith(_SUFFIX)]
            _check_end(shard, archive.offset)
        length = shard.stat().st_size
    except (tarfile.TarError, OSError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(f"{shard}: not a whole tar shard ({error}); write it again") from error
    for member in members:
        if member.type not in tarfile.REGULAR_TYPES or member.issparse():
            raise DataError(f"{shard}: {member.name[-80:]} is no plain file; expected samples, no links and no devices")
        if member.offset_data + member.size > length:
            raise DataError(f"{shard}: {member.name[-80:]} is longer than the shard; write it again")
    samples = [StoredSample(shard, member.name, member.offset_data, member.size) for member in members]
    return _without_doubles(samples, shard)


class _Member(tarfile.TarInfo):
    """A member whose header is no longer than a name can be; the library would read what it claims."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.size < 0 or (self.type in _LONG_HEADERS and self.size > _LONGEST_HEADER):
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def _check_end(shard: Path, offset: int) -> None:
    """The library takes a damaged header for the end; the end is a block of zeros."""
    with shard.open("rb") as stream:
        stream.seek(offset)
        if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no header and no end at byte {offset}")


def _without_doubles(samples: list[StoredSample], place: Path) -> list[StoredSample]:
    seen: set[str] = set()
    for sample in samples:
        if sample.name in seen or not sample.name:
            raise DataError(f"{place}: two samples are named {sample.name!r}; expected one of each name")
        seen.add(sample.name)
    return samples


def file_stamp(path: Path) -> str:
    """Name, size and time of a file: changes when it does."""
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"
