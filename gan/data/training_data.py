"""Training data: found, decoded once, and split."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.data.bands import SourceBand, parse_bands
from gan.data.batch import Pairing
from gan.data.decoded_images import DecodedImages, decode
from gan.data.kelvin.sets import find_temperature_set
from gan.data.kelvin.vector import Measured, measure_temperatures
from gan.data.layout import SourceLayout
from gan.data.options import DataOptions
from gan.data.planes import place_planes, planes_to_batch, take_rows, to_unit
from gan.data.sources import Item, Meaning, SourceFinder, Sources, find_sources
from gan.data.splits import Split, groups_from_names, read_list, read_sequences, split_by_groups, split_by_lists
from gan.data.windows import WindowCutter
from gan.errors import ConfigError, DataError

__all__ = ["TrainingData", "calibration_sources", "calibration_targets", "open_data", "validation_targets"]


@dataclass(frozen=True)
class TrainingData:
    """DecodedImages and split data."""

    kind: str
    """tensors, paired or unpaired."""
    samples: DecodedImages
    """Samples, or the sources of unpaired data."""
    split: Split
    """Of ``samples``."""
    targets: DecodedImages | None = None
    """Targets of unpaired data."""
    target_split: Split | None = None
    """Of ``targets``."""
    pairing: Pairing = "paired"
    """Whether training draws each target by itself, also where pairs are known; validation keeps to known pairs."""
    meaning: Meaning | None = None
    """What the numbers of source tensors mean; None for images."""
    crop: int = 0
    """Edge of the windows that are handed out, pixels; 0 for whole images."""
    unpaired_objects: DecodedImages | None = None
    """Sources without targets that are handed out beside the samples."""
    measured: Measured | None = None
    """Temperatures of the samples that train, where they were asked for and are known."""
    bands: tuple[SourceBand, ...] = ()
    """Of the channels of source images, where they were named."""

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Name of each image or sample that could not be used, and why."""
        sets = (self.samples, self.targets, self.unpaired_objects)
        return tuple(entry for one in sets if one is not None for entry in one.skipped)

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
            return SourceLayout.of(self.in_channels, bands=self.bands)
        return SourceLayout.of(self.in_channels, self.meaning.layout, display=self.meaning.display)

    def describe(self) -> dict[str, Any]:
        """JSON description for logs and model files: kind, counts, size, hash of the content; no paths."""
        height, width = self.samples.size
        more: dict[str, Any] = {"pairing": self.pairing} if self.pairing == "unpaired" else {}
        if self.skipped:
            more["skipped"] = len(self.skipped)
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
    find: SourceFinder = find_sources,
    temperatures: bool = False,
) -> TrainingData:
    """Finds, decodes and splits the data of a folder.

    Args:
        folder: Folder of tensors, or parent of the image folders.
        options: How to read and split.
        cache: Folder for decoded arrays.
        pairing: Whether training draws sources and targets together or independently.
        seed: Seed of the split.
        progress: Wraps the items while they are read.
        find: Looks what a folder holds.
        temperatures: Read kelvin, masks and categories of a set of `gis synthesize`, where the folder is one.

    Raises:
        DataError: Where the data cannot be used.
    """
    sources = find_temperature_set(folder, options.source_dir) if temperatures else None
    if sources is None:
        sources = find(
            folder,
            source_dir=options.source_dir,
            target_dir=options.target_dir,
            pairing=pairing,
            pair_by_name=options.pair_by_name,
            target_range=options.target_range,
        )
    size = None if options.size is None else (options.size, options.size)
    extra = [
        item
        for number, more in enumerate(options.extra_data, 1)
        for item in _extra_items(find(Path(more)), Path(more), number, sources)
    ]
    samples = decode((*sources.items, *extra), cache, size, progress)
    _check_kind(sources, options, folder)
    if not sources.targets:
        of_folder = {item.name for item in sources.items}
        first = sum(name in of_folder for name in samples.names)
        split = _split_with_extra(samples, first, options, seed)
        measured = None if sources.span is None else measure_temperatures(samples, split.train, sources.span)
        data = TrainingData(
            sources.kind,
            samples,
            split,
            pairing=pairing,
            meaning=sources.meaning,
            crop=options.crop,
            measured=measured,
            bands=_bands(options, sources, samples),
        )
        if options.unpaired_objects is None:
            return data
        return replace(data, unpaired_objects=_open_unpaired_objects(data, options, cache, progress, find))
    targets = decode(sources.targets, cache, size, progress)
    if targets.size != samples.size:
        raise DataError(f"{folder}: sources are {samples.size}, targets {targets.size} (H, W); give --size")
    split = _split(samples, options, seed, targets.names)
    target_split = _split(targets, options, seed, samples.names)
    bands = _bands(options, sources, samples)
    return TrainingData(sources.kind, samples, split, targets, target_split, pairing, bands=bands)


def _bands(options: DataOptions, sources: Sources, samples: DecodedImages) -> tuple[SourceBand, ...]:
    """Bands of the channels, as they were named."""
    if options.source_bands is None:
        return ()
    bands = parse_bands(options.source_bands)
    channels = None if sources.kind == "tensors" else samples.planes["source"].shape[1]
    if channels != len(bands):
        what = "source tensors have channels of their own" if channels is None else f"sources have {channels} channels"
        raise ConfigError(f"source-bands names {len(bands)}: {what}; expected a band for each channel of an image")
    return bands


def _check_kind(sources: Sources, options: DataOptions, folder: Path) -> None:
    """Refuses options that only source tensors have a use for, and those that would change temperatures."""
    if sources.span is not None and (options.tone or options.extra_data):
        name = "tone" if options.tone else "extra_data"
        raise ConfigError(f"{name}: {folder} has temperatures, which it would change or lack; leave it out")
    if options.crop and sources.kind != "tensors":
        raise ConfigError(f"crop is {options.crop}: windows around objects need source tensors, {folder} holds images")
    layout = None if sources.meaning is None else sources.meaning.layout
    if options.match_levels and layout != "physics":
        raise ConfigError(f"match_levels is {options.match_levels}: {folder} has no sources of layout physics")


def _open_unpaired_objects(
    data: TrainingData,
    options: DataOptions,
    cache: Path,
    progress: Callable[[Sequence[Item]], Sequence[Item]],
    find: SourceFinder,
) -> DecodedImages:
    """Source tensors without targets, of the same layout as the others."""
    folder = Path(options.unpaired_objects or "")
    if not data.crop:
        raise ConfigError(f"unpaired-objects is {folder}: objects without targets are seen in windows; give crop too")
    others = find(folder)
    if others.kind != "tensors" or others.meaning is None or data.meaning is None:
        raise DataError(f"{folder}: holds images; expected source tensors, as the pairs are")
    if others.meaning.layout != data.meaning.layout:
        raise DataError(
            f"{folder}: source tensors of layout {others.meaning.layout!r}; expected that of the pairs, "
            f"{data.meaning.layout!r}"
        )
    return decode(others.items, cache, None if options.size is None else (options.size, options.size), progress)


def _extra_items(others: Sources, folder: Path, number: int, sources: Sources) -> list[Item]:
    """Samples of another folder, under names that tell it from the first."""
    if sources.meaning is None or others.meaning is None:
        raise DataError(f"{folder}: only source tensors can be trained on beside source tensors; images cannot")
    if others.meaning != sources.meaning:
        raise DataError(f"{folder}: holds {others.meaning}; expected {sources.meaning} as in the first folder")
    return [replace(item, name=f"{number}/{item.name}") for item in others.items]


def _split_with_extra(samples: DecodedImages, first: int, options: DataOptions, seed: int) -> Split:
    """Splits the first samples; all others train.

    Raises:
        DataError: one of the others is a copy of a sample that validates.
    """
    if first == len(samples.names):
        return _split(samples, options, seed)
    first_samples = replace(
        samples, names=samples.names[:first], groups=samples.groups[:first], digests=samples.digests[:first]
    )
    split = _split(first_samples, options, seed)
    validated = {samples.digests[row]: samples.names[row] for row in split.validation}
    for name, digest in zip(samples.names[first:], samples.digests[first:], strict=True):
        if digest in validated:
            raise DataError(
                f"sample {name} of --extra-data is {validated[digest]}, which validates: leave one of them out"
            )
    return replace(split, train=(*split.train, *range(first, len(samples.names))))


def calibration_sources(data: TrainingData, count: int = 6) -> Tensor:
    """Training sources evenly spaced over the set, (N, C, H, W) in [-1, 1]: what quantisation is calibrated on."""
    rows = data.split.train
    chosen = sorted({rows[round(place)] for place in np.linspace(0, len(rows) - 1, count)})
    if data.crop:
        cutter = WindowCutter(data.samples, data.split.train, data.crop)
        places = sorted({round(place) for place in np.linspace(0, len(cutter) - 1, count)})
        return planes_to_batch(cutter.cut(places)).source
    planes = {name: take_rows(plane, chosen) for name, plane in place_planes(data.samples, None).items()}
    planes.setdefault("target", torch.zeros(len(chosen), 1, 1, 1, dtype=torch.uint8))  # unpaired sources have none
    return planes_to_batch(planes).source


def calibration_targets(data: TrainingData, count: int = 6) -> Tensor:
    """Training targets evenly spaced over the set, (N, K, H, W) in [-1, 1]: what a reverse model is calibrated on."""
    decoded, split = data.targets or data.samples, data.target_split or data.split
    rows = split.train
    chosen = sorted({rows[round(place)] for place in np.linspace(0, len(rows) - 1, count)})
    return to_unit(take_rows(place_planes(decoded, None)["target"], chosen))


def validation_targets(data: TrainingData) -> Iterator[Tensor]:
    """The targets that validate, one by one, (1, K, H, W) in [-1, 1] on the CPU."""
    decoded, split = data.targets or data.samples, data.target_split or data.split
    plane = place_planes(decoded, None)["target"]
    for row in split.validation:
        yield to_unit(take_rows(plane, [row]))


def _groups(samples: DecodedImages, options: DataOptions) -> list[str]:
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


def _split(samples: DecodedImages, options: DataOptions, seed: int, others: Sequence[str] = ()) -> Split:
    """Splits all samples, or one side of unpaired data; ``others``: names of the other side, which lists may hold."""
    if options.validation_list is None:
        if options.train_list is not None:
            raise ConfigError("a training list without a validation list: give both, or the validation list alone")
        return split_by_groups(_groups(samples, options), options.validation, seed)
    known = samples.groups if options.sequences is None else read_sequences(Path(options.sequences), samples.names)
    elsewhere = {*others, *(name for name, _ in samples.skipped)} - set(samples.names)
    validation, train = (
        None if path is None else [name for name in read_list(Path(path)) if name not in elsewhere]
        for path in (options.validation_list, options.train_list)
    )
    return split_by_lists(samples.names, known, validation or [], train)
