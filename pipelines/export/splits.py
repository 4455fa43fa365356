"""Which frames train, validate and test: whole groups of frames that show the same place.

Over real backgrounds frames are of one group that have the same image, images of the same source file (a recording), or
of one sequence, where a table says so. In a rendered scene it is those whose cameras stand close together and look the
same way, and whatever is linked by others in between: all frames of an animation are one group. Of sequences it is all
frames of one, and all sequences in one generated street; a scene file is the same in all of them.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from pipelines.dataset.record import FrameRecord
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import read_object, short

__all__ = ["NEAR_DEG", "NEAR_M", "Split", "group_frames", "read_sequences", "split_groups"]

NEAR_M: Final = 5.0
"""Cameras of a rendered scene that are nearer see the same place ..."""
NEAR_DEG: Final = 15.0
"""... where they also look the same way."""


@dataclass(frozen=True)
class Split:
    """The split of each frame."""

    of: Mapping[int, str]
    """Name of the split by the frame's number."""
    groups: Mapping[str, tuple[int, ...]]
    """Frames of each group, by the name of its first."""

    def frames(self, name: str) -> list[int]:
        """Numbers of the frames of a split."""
        return [index for index, split in self.of.items() if split == name]


class _Groups:
    """Sets that are joined by what their members have in common (union-find)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def find(self, key: Hashable) -> Hashable:
        self._above.setdefault(key, key)
        while (above := self._above[key]) != key:
            self._above[key] = self._above[above]
            key = above
        return key

    def join(self, keys: Iterable[Hashable]) -> None:
        first, *rest = map(self.find, keys)
        for key in rest:
            self._above[self.find(key)] = first


def group_frames(records: Iterable[FrameRecord], sequences: Mapping[str, str] | None = None) -> dict[str, list[int]]:
    """Frames that must stay together, by the name of the first of them.

    Args:
        records: of the frames, gone through once.
        sequences: sequence of each background, by its name without folder and suffix.

    Raises:
        ConfigError: a background of which the table says nothing.
    """
    groups, cells = _Groups(), dict[tuple[Any, ...], int]()
    keys: dict[int, Hashable] = {}
    for record in records:
        keys[record.index] = (record.index,)
        groups.join([(record.index,), *_keys(record, sequences, cells)])
    for cell in cells:
        groups.join([cell, *(near for near in _neighbours(cell) if near in cells)])
    found: dict[Hashable, list[int]] = {}
    for index, key in keys.items():
        found.setdefault(groups.find(key), []).append(index)
    return {f"{members[0]:06d}": members for members in found.values()}


def _keys(
    record: FrameRecord, sequences: Mapping[str, str] | None, cells: dict[tuple[Any, ...], int]
) -> Iterator[Hashable]:
    """What a frame has in common with others of its group."""
    background = record.background
    if record.sequence is not None:
        yield ("sequence", record.sequence.number)
        if not record.scene.endswith(".blend"):
            yield ("street", record.scene)
        return
    if background.kind == "scene":
        cell = (record.scene, *_cell(record))
        cells[cell] = record.index
        yield cell
        return
    yield ("image", background.sha256 or background.name)
    if background.source is not None:
        yield ("source", background.source.sha256)
    if sequences is not None:
        name = PurePosixPath(background.name or "").stem
        if name not in sequences:
            raise ConfigError(f"sequences: nothing is said of {name!r}: expected a sequence for every background")
        yield ("sequence", sequences[name])


def _cell(record: FrameRecord) -> tuple[int, ...]:
    """Where the camera stands and looks, in steps of the distances that count as near."""
    pose = record.cam_to_world
    heading = math.degrees(math.atan2(pose[1, 2], pose[0, 2])) % 360.0
    return (*(int(value) for value in np.floor(pose[:3, 3] / NEAR_M)), int(heading // NEAR_DEG))


def _neighbours(cell: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    scene, x, y, z, heading = cell
    turns = round(360 / NEAR_DEG)
    for dx, dy, dz, dh in itertools.product((-1, 0, 1), repeat=4):
        yield (scene, x + dx, y + dy, z + dz, (heading + dh) % turns)


def split_groups(groups: Mapping[str, Sequence[int]], shares: Mapping[str, float], seed: int) -> Split:
    """Deals groups out, in an order that follows from the seed, each to the split that lacks most frames.

    Args:
        groups: frames of each, by name.
        shares: wanted share of each split, above 0.
        seed: of the order.

    Raises:
        DatasetError: fewer groups than splits.
    """
    if len(groups) < len(shares):
        raise DatasetError(
            f"{len(groups)} places for {len(shares)} splits: frames of one background, recording or place of a scene "
            "stay together; expected at least as many places: give fewer shares, or make frames of more places"
        )
    total = sum(map(len, groups.values()))
    lacking = {name: share * total for name, share in shares.items()}
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    of: dict[int, str] = {}
    empty = list(shares)
    for place, name in enumerate(order):
        open_to = empty if len(order) - place <= len(empty) else list(shares)
        chosen = max(open_to, key=lambda split: lacking[split])
        lacking[chosen] -= len(groups[name])
        of.update(dict.fromkeys(groups[name], chosen))
        empty = [split for split in empty if split != chosen]
    return Split(dict(sorted(of.items())), {name: tuple(members) for name, members in groups.items()})


def read_sequences(path: Path) -> dict[str, str]:
    """Sequence of each background by its name without suffix, of a JSON file.

    Raises:
        ConfigError: no such file, or no table of sequences.
    """
    try:
        table = read_object(path)
    except DatasetError as error:
        raise ConfigError(str(error)) from None
    return {PurePosixPath(name).stem: _sequence(value, name, path) for name, value in table.items()}


def _sequence(value: Any, name: str, path: Path) -> str:
    if isinstance(value, Mapping):
        value = value.get("sequence", value.get("group"))
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(f"{path}: sequence of {name} is {short(value)}: expected a name or a number")
    return str(value)
