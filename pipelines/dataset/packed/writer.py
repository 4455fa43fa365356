"""A data set that is written in shards: what :class:`pipelines.dataset.store.FrameStore` is for single files.

A shard grows in a file of this machine and is put into its place when it is full, or when the run ends; then its index
is written, which lists it. A run that was killed makes the frames of the shard anew that was not yet there; a last
shard that is not full is read and written again with the frames that follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pipelines.dataset.description import ShardEntry
from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.names import FRAMES_FILE
from pipelines.dataset.packed.members import Places, ShardFile
from pipelines.dataset.packed.reader import FRAMES, OBJECTS, SHARDS, PackedSet, files_in_shard, shard_name
from pipelines.dataset.packed.tables import About, frames_table, objects_table
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import FramesFolder
from pipelines.errors import OutputError, PipelineError
from pipelines.io.stores import Store

__all__ = ["PackedStore", "full_shard"]

SHARD_BYTES = 256e6
"""About what WebDataset advises."""
_BYTES_PER_PIXEL, _WITH_TENSORS = 5.0, 15.0
"""Of a frame of a street at 512x512."""


def full_shard(pixels: int, *, tensors: bool) -> int:
    """Frames of a shard of about 256 MB: a round number, 1, 2 or 5 with noughts."""
    frames = SHARD_BYTES / (pixels * (_WITH_TENSORS if tensors else _BYTES_PER_PIXEL))
    rounds = [digit * 10**power for power in range(9) for digit in (1, 2, 5)]
    return int(min(rounds, key=lambda one: abs(math.log(one / frames))))


@dataclass
class _Shard:
    """A shard that grows."""

    store: Store
    number: int
    shard_frames: int
    file: ShardFile
    frames: list[tuple[FrameRecord, str, Places]] = field(default_factory=list)

    @classmethod
    def begin(cls, store: Store, number: int, shard_frames: int) -> _Shard:
        name = f"{SHARDS}/{shard_name(number)}.tar"
        return cls(store, number, shard_frames, ShardFile(store.spool(name)))

    def add(self, made: MadeFrame[FrameRecord]) -> None:
        line = made.record.to_line()
        with _out_of_room(self.store.where):
            places = self.file.add(made.record.index, line, made.contents)
        self.frames.append((made.record, line, places))

    @property
    def is_full(self) -> bool:
        return (self.frames[-1][0].index + 1) % self.shard_frames == 0

    def put(self) -> None:
        """Puts the shard into its place and lists it, its frames last."""
        name = shard_name(self.number)
        with _out_of_room(self.store.where):
            digest, size = self.file.finish()
        self.store.put(self.file.path, f"{SHARDS}/{name}.tar")
        first = self.frames[0][0].index
        about = About(f"{SHARDS}/{name}.tar", digest, size, first, len(self.frames), self.shard_frames)
        self.store.write(f"{OBJECTS}/{name}.parquet", objects_table([record for record, _, _ in self.frames]))
        self.store.write(f"{FRAMES}/{name}.parquet", frames_table(about, self.frames))


@contextmanager
def _out_of_room(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{where}: a shard cannot be written ({error.strerror or error}): make room (a shard that is on its way to "
            "a store waits in the folder for temporary files, TMPDIR), then give the same command again"
        ) from error


@dataclass(frozen=True)
class PackedStore(FramesFolder[FrameRecord]):
    """A folder, or a place in an object store, that gets shards and their index.

    Args:
        shard_frames: frames of a full shard; None for about 256 MB of them.
        tensors: whether frames have source tensors.
    """

    record: type[FrameRecord] = FrameRecord
    shard_frames: int | None = None
    tensors: bool = False

    def __post_init__(self) -> None:
        """Asks for the package that writes the index before a frame is made."""
        import pyarrow  # noqa: F401

    @property
    def packed(self) -> PackedSet:
        """The same, to read."""
        return PackedSet(self.store)

    def complete(self) -> int:
        """Frames of the shards that are there and listed."""
        last, gone = self._listed()
        return 0 if last is None else last.numbers.stop - self.first - len(gone)

    def _listed(self) -> tuple[About | None, list[int]]:
        """The last shard that is there and listed, and the frames before it that are in none."""
        there = set(self.store.names(SHARDS))
        numbers = [number for number in self.packed.numbers() if f"{shard_name(number)}.tar" in there]
        if not numbers:
            return None, []
        last = self.packed.about(numbers[-1])
        size = last.shard_frames
        lost = sorted(set(range(self.first // size, numbers[-1])).difference(numbers))
        return last, [index for number in lost for index in range(max(number * size, self.first), (number + 1) * size)]

    def missing(self, frames: range) -> Sequence[int]:
        """Those of ``frames`` that are in no shard."""
        last, gone = self._listed()
        return frames if last is None else [*gone, *frames[last.numbers.stop - self.first :]]

    def append_frames(
        self,
        frames: Iterable[tuple[int, MadeFrame[FrameRecord]]],
        complete: int,
        after: Callable[[int], None] | None = None,
    ) -> None:
        """Packs new frames.

        Args:
            frames: numbers and frames, in order.
            complete: frames that are there, as :meth:`open_run` says.
            after: called with each number once the frame is packed, which may be before its shard is listed.

        Raises:
            OutputError: a shard cannot be written.
        """
        shard: _Shard | None = None
        try:
            for index, made in frames:
                shard = shard or self._begin(made.record)
                shard.add(made)
                if shard.is_full:
                    full, shard = shard, None
                    full.put()
                if after:
                    after(index)
        except PipelineError as error:
            self._rescue(shard, error)
            raise
        except BaseException:
            self._rescue(shard)
            raise
        if shard is not None:
            shard.put()

    def _rescue(self, shard: _Shard | None, error: Exception | None = None) -> None:
        """Keeps the frames of a run that ends early, where it was not the writing that failed."""
        if shard is None:
            return
        if shard.frames and not isinstance(error, OutputError):
            with suppress(PipelineError):
                shard.put()
        shard.file.discard()

    def _begin(self, record: FrameRecord) -> _Shard:
        """The shard of a frame, with the frames before it that are there already."""
        last, _ = self._listed()
        frames = self.shard_frames or (last.shard_frames if last else self._full(record))
        number = record.index // frames
        shard = _Shard.begin(self.store, number, frames)
        if last is not None and record.index - 1 in last.numbers and record.index % frames:  # its beginning is there
            listed = (one for one in files_in_shard(self.packed, number) if one[0] in range(last.first, record.index))
            for index, line, files in listed:
                before = self.record.from_line(line, index, self.folder / FRAMES_FILE)
                shard.add(MadeFrame(before, files.contents))
        return shard

    def _full(self, record: FrameRecord) -> int:
        return full_shard(record.camera.width * record.camera.height, tensors=self.tensors)

    def shards(self) -> list[ShardEntry]:
        """What ``dataset.json`` says of each shard."""
        told = [self.packed.about(number) for number in self.packed.numbers()]
        return [ShardEntry(one.shard, one.sha256, one.first, one.frames) for one in told]

    def check_files(self, made: int) -> None:
        """Sees to it that the shards are there.

        Args:
            made: frames, of no matter here: to ask for all costs one question.

        Raises:
            OutputError: a shard is missing.
        """
        there = set(self.store.names(SHARDS))
        gone = [name for number in self.packed.numbers() if (name := f"{shard_name(number)}.tar") not in there]
        if gone:
            raise OutputError(
                f"{self.store.where}/{SHARDS}/{gone[0]}: is not there any more: something removed it while gis was at "
                "work: give the same command again"
            )
