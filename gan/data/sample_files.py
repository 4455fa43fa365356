"""Samples in files: loose (``*.safetensors``), or in tar shards (``*.tar``) as WebDataset reads them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gan.data.layout import Sample, decode_sample
from gan.errors import DataError

__all__ = ["StoredSample", "file_stamp", "find_samples", "read_samples", "shard_samples"]

_SUFFIX = ".safetensors"


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
        """The bytes, as `gan.data.layout.encode_sample` made them."""
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.size)

    def load(self) -> Sample:
        """The sample.

        Raises:
            LayoutError: Where it is truncated, or of another layout.
        """
        return decode_sample(self.read(), self.where)


def read_samples(folder: Path | str) -> Iterator[Sample]:
    """The samples of a folder, one by one in the order of their names.

    Args:
        folder: Holds samples or shards itself, or in ``tensors/``: what ``gis synthesize --tensors`` wrote.

    Raises:
        DataError: No samples, or a file that cannot be read.

    Example:
        >>> import gan
        >>> for sample in gan.read_samples("out/night"):  # doctest: +SKIP
        ...     print(sample.index, sample.source().shape)
        0 (7, 512, 512)
    """
    for place in (Path(folder) / "tensors", Path(folder)):
        stored = find_samples(place)
        if stored:
            return (sample.load() for sample in stored)
    raise DataError(f"{folder}: no samples; expected *{_SUFFIX} or *.tar of gis synthesize --tensors")


def find_samples(folder: Path) -> list[StoredSample]:
    """The samples in a folder and in its shards, in the order of their names; none where there are none.

    Raises:
        DataError: A shard cannot be read.
    """
    samples = [StoredSample(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
    for shard in sorted(folder.glob("*.tar")):
        samples += shard_samples(shard)
    return sorted(samples, key=lambda sample: sample.name)


def shard_samples(shard: Path) -> list[StoredSample]:
    """The samples of one shard, in its order.

    Raises:
        DataError: It cannot be read.
    """
    try:
        with tarfile.open(shard, "r:") as archive:
            members = [member for member in archive if member.isfile() and member.name.endswith(_SUFFIX)]
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{shard}: not a whole tar shard ({error}); write it again") from error
    return [StoredSample(shard, member.name, member.offset_data, member.size) for member in members]


def file_stamp(path: Path) -> str:
    """Name, size and time of a file: changes when it does."""
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"
