"""Training data: found, decoded, split, and handed out as batches on the device.

The order of the samples and their augmentation depend on seed, epoch and sample alone, so a resumed run sees what an
uninterrupted one sees, however many readers there are.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gan.data.augmentation import Augmentation, augment, change_tone, match_levels
from gan.data.batch import Batch, Pairing
from gan.data.decoded_cache import Decoded, decode
from gan.data.layout import SourceLayout
from gan.data.options import DataOptions
from gan.data.sources import Item, Meaning, Sources, find_sources
from gan.data.splits import Split, groups_from_names, read_list, read_sequences, split_by_groups, split_by_lists
from gan.data.windows import Window, WindowCutter
from gan.errors import ConfigError, DataError

__all__ = [
    "Loader",
    "TrainingData",
    "calibration_sources",
    "calibration_targets",
    "open_data",
    "planes_to_batch",
    "validation_targets",
]

_ORDER, _AUGMENTATION, _TARGET_ORDER, _WINDOW, _TONE, _LEVELS, _UNPAIRED = 0, 1, 2, 3, 4, 5, 6
# Batches that wait decoded while one is trained on.
_AHEAD: Final = 2

Plane = npt.NDArray[Any] | Tensor


@dataclass(frozen=True)
class TrainingData:
    """Decoded and split data."""

    kind: str
    """tensors, paired or unpaired."""
    samples: Decoded
    """Samples, or the sources of unpaired data."""
    split: Split
    """Of ``samples``."""
    targets: Decoded | None = None
    """Targets of unpaired data."""
    target_split: Split | None = None
    """Of ``targets``."""
    pairing: Pairing = "paired"
    """Whether training draws each target by itself, also where pairs are known; validation keeps to known pairs."""
    meaning: Meaning | None = None
    """What the numbers of source tensors mean; None for images."""
    crop: int = 0
    """Edge of the windows that are handed out, pixels; 0 for whole images."""
    unpaired_objects: Decoded | None = None
    """Sources without targets that are handed out beside the samples."""

    @property
    def in_channels(self) -> int:
        """Channels of the source."""
        return 7 if self.kind == "tensors" else int(self.samples.planes["source"].shape[1])

    @property
    def out_channels(self) -> int:
        """Channels of the target."""
        return int((self.targets or self.samples).planes["target"].shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what is handed out, pixels."""
        return (self.crop, self.crop) if self.crop else self.samples.size

    @property
    def layout(self) -> SourceLayout:
        """What the source means, as a model file says it."""
        if self.meaning is None:
            return SourceLayout.of(self.in_channels)
        return SourceLayout.of(self.in_channels, self.meaning.layout, display=self.meaning.display)

    def describe(self) -> dict[str, Any]:
        """JSON description for logs and model files: kind, counts, size, hash of the content; no paths."""
        height, width = self.samples.size
        more: dict[str, Any] = {"pairing": self.pairing} if self.pairing == "unpaired" else {}
        if self.unpaired_objects is not None:
            more["unpaired_objects_sha256"] = self.unpaired_objects.fingerprint
        return {
            "kind": self.kind,
            "train": len(self.split.train),
            "validation": len(self.split.validation),
            "split": self.split.how,
            "height_px": height,
            "width_px": width,
            "source_channels": self.in_channels,
            "target_bits": 8 * (self.targets or self.samples).planes["target"].dtype.itemsize,
            "sha256": self.samples.fingerprint,
        } | (more | {"targets_sha256": self.targets.fingerprint} if self.targets else more)


def open_data(
    folder: Path,
    options: DataOptions,
    cache: Path,
    *,
    pairing: Pairing = "paired",
    seed: int = 0,
    progress: Callable[[Sequence[Item]], Sequence[Item]] = lambda items: items,
) -> TrainingData:
    """Finds, decodes and splits the data of a folder.

    Args:
        folder: Folder of tensors, or parent of the image folders.
        options: How to read and split.
        cache: Folder for decoded arrays.
        pairing: Whether training draws sources and targets together or independently.
        seed: Seed of the split.
        progress: Wraps the items while they are read.

    Raises:
        DataError: Where the data cannot be used.
    """
    sources = find_sources(
        folder,
        source_dir=options.source_dir,
        target_dir=options.target_dir,
        pairing=pairing,
        matched=options.matched,
        target_range=options.target_range,
    )
    size = None if options.size is None else (options.size, options.size)
    more = [item for number, one in enumerate(options.also, 1) for item in _find_more(Path(one), number, sources)]
    samples = decode((*sources.items, *more), cache, size, progress)
    if options.crop and sources.kind != "tensors":
        raise ConfigError(f"crop is {options.crop}: windows around objects need source tensors, {folder} holds images")
    layout = None if sources.meaning is None else sources.meaning.layout
    if options.match_levels and layout != "physics":
        raise ConfigError(f"match_levels is {options.match_levels}: {folder} has no sources of layout physics")
    if not sources.targets:
        split = _split_with_more(samples, len(sources.items), options, seed)
        data = TrainingData(sources.kind, samples, split, pairing=pairing, meaning=sources.meaning, crop=options.crop)
        if options.unpaired_objects is None:
            return data
        return replace(data, unpaired_objects=_open_unpaired_objects(data, options, cache, progress))
    targets = decode(sources.targets, cache, size, progress)
    if targets.size != samples.size:
        raise DataError(f"{folder}: sources are {samples.size}, targets {targets.size} (H, W); give --size")
    split = _split(samples, options, seed, targets.names)
    target_split = _split(targets, options, seed, samples.names)
    return TrainingData(sources.kind, samples, split, targets, target_split, pairing)


def _open_unpaired_objects(
    data: TrainingData, options: DataOptions, cache: Path, progress: Callable[[Sequence[Item]], Sequence[Item]]
) -> Decoded:
    """Source tensors without targets, of the same layout as the others."""
    folder = Path(options.unpaired_objects or "")
    if not data.crop:
        raise ConfigError(f"unpaired-objects is {folder}: objects without targets are seen in windows; give crop too")
    found = find_sources(folder)
    if found.kind != "tensors" or found.meaning is None or data.meaning is None:
        raise DataError(f"{folder}: holds images; expected source tensors, as the pairs are")
    if found.meaning.layout != data.meaning.layout:
        raise DataError(
            f"{folder}: source tensors of layout {found.meaning.layout!r}; expected that of the pairs, "
            f"{data.meaning.layout!r}"
        )
    return decode(found.items, cache, None if options.size is None else (options.size, options.size), progress)


def _find_more(folder: Path, number: int, sources: Sources) -> list[Item]:
    """Samples of another folder, under names that tell it from the first."""
    found = find_sources(folder)
    if sources.meaning is None or found.meaning is None:
        raise DataError(f"{folder}: only source tensors can be trained on beside source tensors; images cannot")
    if found.meaning != sources.meaning:
        raise DataError(f"{folder}: holds {found.meaning}; expected {sources.meaning} as in the first folder")
    return [replace(item, name=f"{number}/{item.name}") for item in found.items]


def _split_with_more(samples: Decoded, first: int, options: DataOptions, seed: int) -> Split:
    """Splits the first samples; all others train.

    Raises:
        DataError: one of the others is a copy of a sample that validates.
    """
    if first == len(samples.names):
        return _split(samples, options, seed)
    head = replace(samples, names=samples.names[:first], groups=samples.groups[:first], digests=samples.digests[:first])
    split = _split(head, options, seed)
    held = {samples.digests[row]: samples.names[row] for row in split.validation}
    for name, digest in zip(samples.names[first:], samples.digests[first:], strict=True):
        if digest in held:
            raise DataError(f"sample {name} of --also is {held[digest]}, which validates: leave one of them out")
    return replace(split, train=(*split.train, *range(first, len(samples.names))))


def calibration_sources(data: TrainingData, count: int = 6) -> Tensor:
    """Training sources evenly spaced over the set, (N, C, H, W) in [-1, 1]: what quantisation is calibrated on."""
    rows = data.split.train
    chosen = sorted({rows[round(place)] for place in np.linspace(0, len(rows) - 1, count)})
    if data.crop:
        cutter = WindowCutter(data.samples, data.split.train, data.crop)
        places = sorted({round(place) for place in np.linspace(0, len(cutter) - 1, count)})
        return planes_to_batch(cutter.cut(places)).source
    planes = {name: _take(plane, chosen) for name, plane in _place(data.samples, None).items()}
    planes.setdefault("target", torch.zeros(len(chosen), 1, 1, 1, dtype=torch.uint8))  # unpaired sources have none
    return planes_to_batch(planes).source


def calibration_targets(data: TrainingData, count: int = 6) -> Tensor:
    """Training targets evenly spaced over the set, (N, K, H, W) in [-1, 1]: what a reverse model is calibrated on."""
    decoded, split = data.targets or data.samples, data.target_split or data.split
    rows = split.train
    chosen = sorted({rows[round(place)] for place in np.linspace(0, len(rows) - 1, count)})
    return _to_unit(_take(_place(decoded, None)["target"], chosen))


def validation_targets(data: TrainingData) -> Iterator[Tensor]:
    """The targets that validate, one by one, (1, K, H, W) in [-1, 1] on the CPU."""
    decoded, split = data.targets or data.samples, data.target_split or data.split
    plane = _place(decoded, None)["target"]
    for row in split.validation:
        yield _to_unit(_take(plane, [row]))


def planes_to_batch(planes: dict[str, Tensor]) -> Batch:
    """Stored planes, (N, C, H, W) uint8 or the bits of uint16 as int16, to a batch in [-1, 1] on their device."""
    target = _to_unit(planes["target"])
    if "source" in planes:
        return Batch(_to_unit(planes["source"]), target)
    segmentation = planes["segmentation"]
    heat = [(segmentation == level).float() * 2 - 1 for level in (1, 2, 3)]
    source = torch.cat((_to_unit(planes["label_image"]), *heat, _to_unit(planes["inverse_depth"])), dim=1)
    return Batch(source, target)


class Loader:
    """Hands out the batches of an epoch.

    Args:
        data: Decoded data.
        batch: Samples per batch and process.
        seed: Seed of order and augmentation.
        options: Augmentation and residence.
        device: Where the batches go.
        rank: Number of this process.
        world: Number of processes; each takes every world-th sample of the order.
        validate: Hand out the validation samples, in name order, without augmentation.
    """

    def __init__(
        self,
        data: TrainingData,
        batch: int,
        seed: int,
        options: DataOptions,
        device: torch.device,
        *,
        rank: int = 0,
        world: int = 1,
        validate: bool = False,
    ) -> None:
        if batch < 1:
            raise ConfigError(f"batch of {batch}: expected at least 1")
        self._batch, self._seed, self._options = batch, seed, options
        self._device, self._rank, self._world, self._validate = device, rank, world, validate
        self._layout = data.layout.name
        self._indices = data.split.validation if validate else data.split.train
        self._cutter = WindowCutter(data.samples, self._indices, data.crop) if data.crop else None
        if self._cutter is not None:
            if options.resident:
                raise ConfigError("crop and resident: windows are cut on the CPU; leave one of them out")
            self._indices = tuple(range(len(self._cutter)))
        unpaired = None if validate else data.unpaired_objects
        self._unpaired = None if unpaired is None else WindowCutter(unpaired, range(len(unpaired.names)), data.crop)
        self._planes = _place(data.samples, device if options.resident else None)
        self._planes.pop("instance_id", None)  # only windows need it
        self._target_planes: dict[str, Plane] | None = None
        self._target_indices: tuple[int, ...] = ()
        if data.targets is not None and data.target_split is not None:
            self._target_planes = _place(data.targets, device if options.resident else None)
            self._target_indices = data.target_split.validation if validate else data.target_split.train
        elif data.pairing == "unpaired" and not validate:
            self._target_planes, self._target_indices = self._planes, data.split.train

    @property
    def steps(self) -> int:
        """Batches per epoch and process; the last is filled up from the start of the order."""
        return -(-len(self._indices) // (self._batch * self._world))

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """The batches of epoch ``number`` from batch ``first`` on."""
        order = self._order(number)
        rows = [order[step * self._batch : (step + 1) * self._batch] for step in range(first, self.steps)]
        with ThreadPoolExecutor(1) as reader:
            waiting: collections.deque[Future[tuple[dict[str, Tensor], dict[str, Tensor]]]] = collections.deque()
            for step in range(len(rows) + _AHEAD):
                if step < len(rows):
                    waiting.append(reader.submit(self._read, rows[step], number))
                if step >= _AHEAD:
                    yield self._finish(*waiting.popleft().result(), rows[step - _AHEAD], number)

    def _order(self, number: int) -> list[int]:
        count = self.steps * self._batch * self._world
        order = list(self._indices)
        if not self._validate:
            shuffled = np.random.default_rng([self._seed, _ORDER, number]).permutation(len(order))
            order = [order[position] for position in shuffled]
        return [order[position % len(order)] for position in range(count)][self._rank :: self._world]

    def _read(self, rows: list[int], number: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Planes of the samples, and of what is handed out beside them."""
        planes = self._cut(rows, number) or {name: _take(plane, rows) for name, plane in self._planes.items()}
        if self._target_planes is not None:
            # A target for each source, drawn anew in every epoch.
            drawn = [
                int(np.random.default_rng([self._seed, _TARGET_ORDER, number, row]).choice(self._target_indices))
                for row in rows
            ]
            planes["target"] = _take(self._target_planes["target"], drawn)
        unpaired = self._cut_unpaired(rows, number)
        if self._device.type == "cuda" and not self._options.resident:
            planes, unpaired = ({name: plane.pin_memory() for name, plane in one.items()} for one in (planes, unpaired))
        return planes, unpaired

    def _cut_unpaired(self, rows: list[int], number: int) -> dict[str, Tensor]:
        """A window around an unpaired object for each sample; empty where there are none."""
        if self._unpaired is None:
            return {}
        draws = [np.random.default_rng([self._seed, _UNPAIRED, number, row]) for row in rows]
        places = [int(rng.integers(len(self._unpaired))) for rng in draws]
        return self._unpaired.cut(places, [Window.draw(rng, self._options.crop_zoom) for rng in draws])

    def _cut(self, rows: list[int], number: int) -> dict[str, Tensor]:
        """Windows around objects; empty where whole images are handed out."""
        if self._cutter is None:
            return {}
        if self._validate:
            return self._cutter.cut(rows)
        draws = [np.random.default_rng([self._seed, _WINDOW, number, row]) for row in rows]
        return self._cutter.cut(rows, [Window.draw(rng, self._options.crop_zoom) for rng in draws])

    def _finish(self, planes: dict[str, Tensor], unpaired: dict[str, Tensor], rows: list[int], number: int) -> Batch:
        batch = self._moved(planes)
        if self._validate:
            return batch
        batch = self._changed(batch, rows, number)
        return replace(batch, unpaired=self._moved(unpaired).source) if unpaired else batch

    def _moved(self, planes: dict[str, Tensor]) -> Batch:
        return planes_to_batch({name: plane.to(self._device, non_blocking=True) for name, plane in planes.items()})

    def _changed(self, batch: Batch, rows: list[int], number: int) -> Batch:
        """Tone curves, levels, mirrors and zooms of a training batch."""
        if self._options.tone > 0:
            draws = [np.random.default_rng([self._seed, _TONE, number, row]).uniform(-1, 1, 3) for row in rows]
            batch = change_tone(batch, np.stack(draws) * self._options.tone, self._layout)
        if self._options.match_levels > 0:
            shares = [np.random.default_rng([self._seed, _LEVELS, number, row]).random() for row in rows]
            batch = match_levels(batch, [share < self._options.match_levels for share in shares])
        if not (self._options.flip or self._options.jitter > 1):
            return batch
        return augment(batch, [self._draw(row, number) for row in rows])

    def _draw(self, row: int, number: int) -> Augmentation:
        rng = np.random.default_rng([self._seed, _AUGMENTATION, number, row])
        flip = bool(rng.random() < 0.5) and self._options.flip
        zoom, shift_x, shift_y = rng.uniform((1, -1, -1), (max(self._options.jitter, 1), 1, 1))
        return Augmentation(flip, float(zoom), float(shift_x), float(shift_y))


def _groups(samples: Decoded, options: DataOptions) -> list[str]:
    groups = list(samples.groups)
    if options.sequences is not None:
        groups = read_sequences(Path(options.sequences), samples.names)
    elif "label_image" not in samples.planes:  # samples know their group themselves
        groups = groups_from_names(samples.names)
    # Equal images under two names would leak as a sequence does.
    first: dict[str, str] = {}
    copies = collections.Counter(samples.digests)
    for position, digest in enumerate(samples.digests):
        if copies[digest] > 1:
            groups[position] = first.setdefault(digest, groups[position] or f"\0equal {digest}")
    return groups


def _split(samples: Decoded, options: DataOptions, seed: int, others: Sequence[str] = ()) -> Split:
    """Splits all samples, or one side of unpaired data; ``others``: names of the other side, which lists may hold."""
    if options.validation_list is None:
        if options.train_list is not None:
            raise ConfigError("a training list without a validation list: give both, or the validation list alone")
        return split_by_groups(_groups(samples, options), options.validation, seed)
    known = samples.groups if options.sequences is None else read_sequences(Path(options.sequences), samples.names)
    elsewhere = set(others) - set(samples.names)
    validation, train = (
        None if path is None else [name for name in read_list(Path(path)) if name not in elsewhere]
        for path in (options.validation_list, options.train_list)
    )
    return split_by_lists(samples.names, known, validation or [], train)


def _place(decoded: Decoded, device: torch.device | None) -> dict[str, Plane]:
    """The planes as they are mapped from disk, or in a device's memory."""
    if device is None:
        return {name: _bits(plane) for name, plane in decoded.planes.items()}
    return {name: torch.from_numpy(np.array(_bits(plane))).to(device) for name, plane in decoded.planes.items()}


def _bits(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # torch can do little with uint16; its bits travel as int16.
    return plane.view(np.int16) if plane.dtype == np.uint16 else plane


def _take(plane: Plane, rows: list[int]) -> Tensor:
    if isinstance(plane, Tensor):
        return plane[torch.tensor(rows, device=plane.device)]
    return torch.from_numpy(np.asarray(plane[rows]))


def _to_unit(plane: Tensor) -> Tensor:
    if plane.dtype == torch.uint8:
        return (plane.float() * (2 / 255) - 1).clamp_(-1, 1)
    return ((plane.int() & 0xFFFF).float() * (2 / 65535) - 1).clamp_(-1, 1)
