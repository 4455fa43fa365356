"""Source tensors in WebDataset shards: ``tensors/shard-000000.tar`` holds the samples of frames 0 to 63, and so on.

Workers write each sample to a file of its own below ``tensors/.parts``; the parent packs a shard when its frames are
complete. Tar headers hold nothing but names and sizes, so that the bytes of a shard follow from its samples.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from gan.data.layout import Sample, encode_sample
from gan.data.sample_files import StoredSample, shard_samples
from gan.errors import DataError

from pipelines.dataset.description import ShardEntry
from pipelines.dataset.record import frame_name
from pipelines.errors import DatasetError
from pipelines.io.files import file_sha256, sha256, write_bytes, write_through

__all__ = [
    "SHARD_FRAMES",
    "finish_shards",
    "missing_samples",
    "pack_if_full",
    "part_contents",
    "part_name",
    "read_shard",
    "stored_part",
    "take_sample",
    "write_part",
]

SHARD_FRAMES = 64
"""Frames in a shard: at 512x512 about 170 MB, in the range that WebDataset advises (100 MB to 1 GB)."""
FOLDER, PARTS = "tensors", ".parts"


def write_part(folder: Path, sample: Sample) -> str:
    """Writes one sample to wait for its shard; returns its hash."""
    data = encode_sample(sample)
    write_bytes(_part(folder, sample.index), data, root=folder)
    return sha256(data)


def part_contents(sample: Sample) -> dict[str, bytes]:
    """The file of a sample that waits for its shard, by its name below the folder."""
    return {part_name(sample.index): encode_sample(sample)}


def pack_if_full(folder: Path, index: int) -> None:
    """Packs the shard of frame ``index`` if that is its last frame."""
    if (index + 1) % SHARD_FRAMES == 0:
        _pack(folder, index // SHARD_FRAMES, index + 1)


def finish_shards(folder: Path, count: int) -> list[ShardEntry]:
    """Packs what is left and describes all shards."""
    entries: list[ShardEntry] = []
    for number in range((count + SHARD_FRAMES - 1) // SHARD_FRAMES):
        first, end = number * SHARD_FRAMES, min(count, (number + 1) * SHARD_FRAMES)
        path = _shard(folder, number)
        if not path.is_file() or any(_part(folder, index).is_file() for index in range(first, end)):
            _pack(folder, number, count)
        entries.append(ShardEntry(f"{FOLDER}/{path.name}", file_sha256(path), first, end - first))
    parts = folder / FOLDER / PARTS
    if parts.is_dir() and not any(parts.iterdir()):
        parts.rmdir()
    return entries


def missing_samples(folder: Path, frames: range) -> list[int]:
    """Those of ``frames`` whose sample is neither in a shard nor waiting for one."""
    stored: set[int] = set()
    for number in range(frames.start // SHARD_FRAMES, (frames.stop + SHARD_FRAMES - 1) // SHARD_FRAMES):
        shard = _shard(folder, number)
        stored |= _samples(shard).keys() if shard.is_file() else set()
    return [index for index in frames if index not in stored and not _part(folder, index).is_file()]


def take_sample(source: Path, folder: Path, index: int, digest: str) -> None:
    """Takes a sample over from another folder, to wait for its shard; one that is here already stays.

    Args:
        source: folder where it is packed, or waits.
        folder: that it shall be in.
        index: of the frame.
        digest: SHA-256 of the sample.

    Raises:
        DatasetError: it is not there, or another one.
        OutputError: it cannot be written.
    """
    if not missing_samples(folder, range(index, index + 1)):
        return
    data = stored_part(source, index)[part_name(index)]
    if sha256(data) != digest:
        raise DatasetError(f"{source}: the sample of frame {index} is not there, or not the one that was written")
    write_bytes(_part(folder, index), data, root=folder)


def stored_part(folder: Path, index: int) -> dict[str, bytes]:
    """The sample of a frame, packed or waiting, by the name that it waits under; empty bytes where it is not there."""
    part, shard = _part(folder, index), _shard(folder, index // SHARD_FRAMES)
    if part.is_file():
        return {part_name(index): part.read_bytes()}
    stored = _samples(shard) if shard.is_file() else {}
    return {part_name(index): stored[index].read() if index in stored else b""}


def read_shard(path: Path) -> Iterator[tuple[int, bytes]]:
    """Frame numbers and samples of a shard, in order.

    Raises:
        DatasetError: the shard cannot be read.
    """
    for index, stored in _samples(path).items():
        yield index, stored.read()


def _shard(folder: Path, number: int) -> Path:
    return folder / FOLDER / f"shard-{number:06d}.tar"


def _part(folder: Path, index: int) -> Path:
    return folder / part_name(index)


def part_name(index: int) -> str:
    """Name below the folder of a sample that waits for its shard."""
    return f"{FOLDER}/{PARTS}/{frame_name(index)}.safetensors"


def _samples(path: Path) -> dict[int, StoredSample]:
    """The samples of a shard by frame number, in its order."""
    try:
        return {int(stored.name): stored for stored in shard_samples(path)}
    except (DataError, ValueError) as error:
        raise DatasetError(f"{path}: is no whole shard ({error}): delete it and give the same command again") from error


def _pack(folder: Path, number: int, count: int) -> None:
    """Writes a shard of its frames below ``count`` from the waiting parts and what the shard held before."""
    path = _shard(folder, number)
    frames = range(number * SHARD_FRAMES, min(count, (number + 1) * SHARD_FRAMES))
    write_through(path, lambda temporary: _write_shard(temporary, folder, path, frames), root=folder)
    for index in frames:
        _part(folder, index).unlink(missing_ok=True)


def _write_shard(temporary: Path, folder: Path, old: Path, frames: range) -> None:
    before = _samples(old) if old.is_file() else {}
    with tarfile.open(temporary, "w:", format=tarfile.USTAR_FORMAT) as archive:
        for index in frames:
            part = _part(folder, index)
            if part.is_file():
                data = part.read_bytes()
            elif index in before:
                data = before[index].read()
            else:
                raise DatasetError(f"{part}: the sample of frame {index} is gone: give the same command again")
            member = tarfile.TarInfo(f"{frame_name(index)}.safetensors")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
