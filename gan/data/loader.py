"""Batches of training data on the device, epoch by epoch.

The order of the samples and their augmentation depend on seed, epoch and sample alone, so a resumed run sees what an
uninterrupted one sees, however many readers there are.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gan.data.augmentation import Augmentation, augment, change_tone, match_levels
from gan.data.batch import Batch
from gan.data.options import DataOptions
from gan.data.planes import Plane, place_planes, planes_to_batch, take_rows
from gan.data.training_data import TrainingData
from gan.data.windows import WindowCutter, WindowPlacement
from gan.errors import ConfigError

__all__ = ["Loader"]

_ORDER, _AUGMENTATION, _TARGET_ORDER, _WINDOW, _TONE, _LEVELS, _UNPAIRED = 0, 1, 2, 3, 4, 5, 6
# Batches that wait decoded while one is trained on.
_AHEAD: Final = 2


class Loader:
    """Hands out the batches of an epoch.

    Args:
        data: Training data, decoded and split.
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
        self._planes = place_planes(data.samples, device if options.resident else None)
        if "entry" not in self._planes:
            self._planes.pop("instance_id", None)  # only windows need it
        self._target_planes: dict[str, Plane] | None = None
        self._target_indices: tuple[int, ...] = ()
        if data.targets is not None and data.target_split is not None:
            self._target_planes = place_planes(data.targets, device if options.resident else None)
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
        planes = self._cut(rows, number) or {name: take_rows(plane, rows) for name, plane in self._planes.items()}
        if self._target_planes is not None:
            # A target for each source, drawn anew in every epoch.
            targets = [
                int(np.random.default_rng([self._seed, _TARGET_ORDER, number, row]).choice(self._target_indices))
                for row in rows
            ]
            planes["target"] = take_rows(self._target_planes["target"], targets)
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
        return self._unpaired.cut(places, [WindowPlacement.draw(rng, self._options.crop_zoom) for rng in draws])

    def _cut(self, rows: list[int], number: int) -> dict[str, Tensor]:
        """Windows around objects; empty where whole images are handed out."""
        if self._cutter is None:
            return {}
        if self._validate:
            return self._cutter.cut(rows)
        draws = [np.random.default_rng([self._seed, _WINDOW, number, row]) for row in rows]
        return self._cutter.cut(rows, [WindowPlacement.draw(rng, self._options.crop_zoom) for rng in draws])

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
