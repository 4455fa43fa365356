"""Source tensors of a packed set in an object store, to train from: each is one range of its shard, and is read alone.

What is not trained on, images and masks, stays where it is. The next samples are on their way while one is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gan.data.sample_files import LARGEST_SAMPLE, StoredSample
from gan.data.sources import Sources, find_sources, tensor_sources
from gan.errors import DataError, LayoutError

from pipelines.dataset.packed.reader import PackedSet, open_packed
from pipelines.errors import DatasetError
from pipelines.io.stores import Store, is_remote

__all__ = ["find_sources_anywhere"]

_AHEAD: Final = 8
"""Samples that are on their way: of 512x512 pixels about 2.6 MB each."""
_THREADS: Final = 4
_SUFFIX: Final = ".safetensors"


@dataclass(frozen=True)
class _Place:
    """Where a sample lies in a store."""

    shard: str
    offset: int
    size: int


class _Stream:
    """Samples in their order, the next ones being fetched meanwhile."""

    def __init__(self, store: Store, places: Sequence[_Place]) -> None:
        self._store, self._places = store, places
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="samples")
        self._coming: dict[int, Future[bytes]] = {}

    def read(self, number: int) -> bytes:
        """The bytes of a sample."""
        wanted = range(number, min(number + _AHEAD, len(self._places)))
        self._coming = {k: self._coming.get(k) or self._pool.submit(self._fetch, k) for k in wanted}
        return self._coming.pop(number).result()

    def _fetch(self, number: int) -> bytes:
        place = self._places[number]
        data = self._store.read(place.shard, place.offset, place.size)
        if len(data) != place.size:
            raise DatasetError(f"{self._store.where}/{place.shard}: is cut off: make it anew")
        return data


@dataclass(frozen=True)
class _SampleInStore(StoredSample):
    """A sample that is read from a store."""

    stream: _Stream | None = None
    number: int = 0
    place: str = ""
    """Address of the shard, for messages."""
    digest: str = ""
    """Of the shard."""

    @property
    def where(self) -> str:
        """Place, for messages."""
        return f"{self.place}:{self.member}"

    @property
    def stamp(self) -> str:
        """Changes when the shard does."""
        return f"{self.digest}@{self.offset}"

    def read(self) -> bytes:
        """The bytes, as `gan.data.layout.encode_sample` made them."""
        if self.size > LARGEST_SAMPLE:
            raise LayoutError(f"{self.where}: holds {self.size / 1e9:.1f} GB: expected a sample of at most 1 GB")
        assert self.stream is not None
        return self.stream.read(self.number)


def find_sources_anywhere(folder: Path, **options: Any) -> Sources:
    """Training data of a folder, as :func:`gan.data.sources.find_sources` finds it, or of a packed set in a store.

    Raises:
        DataError: no training data, or data that cannot be used.
        DatasetError: the store, or its index, cannot be read.
    """
    return _in_store(open_packed(folder)) if is_remote(folder) else find_sources(folder, **options)


def _in_store(packed: PackedSet) -> Sources:
    """The samples of all shards, which their index lists."""
    where = packed.store.where
    shards = [packed.listed(number) for number in packed.numbers()]
    found = [
        (about, name, _Place(about.shard, *place))
        for about, rows in shards
        for row in rows
        for name, place in row.places.items()
        if name.endswith(_SUFFIX)
    ]
    if not found:
        raise DataError(f"{where}: no training data; expected what gis synthesize --tensors --pack shards wrote")
    stream = _Stream(packed.store, [place for _, _, place in found])
    samples = [
        _SampleInStore(
            Path(place.shard),
            name.rpartition("/")[2],
            place.offset,
            place.size,
            stream,
            number,
            f"{where}/{place.shard}",
            about.sha256,
        )
        for number, (about, name, place) in enumerate(found)
    ]
    return tensor_sources(samples, where)
