"""Trains the detector on the views of one or several sets, the same number of steps whatever their size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.detection.augmentation import draw_view
from pipelines.detection.config import BATCH
from pipelines.detection.features import TrainingViews, targets_of
from pipelines.detection.labelled_images import LabelledImages
from pipelines.detection.losses import detection_loss
from pipelines.detection.network import DetectionNetwork
from pipelines.detection.targets import Targets

__all__ = ["FreshViews", "KeptViews", "TrainingShare", "train_detector"]

_PRETRAINED_RATE, _NEW_RATE, _LOW_RATE = 3e-4, 1.5e-3, 1e-4
_WARM_UP: Final = 0.15
_WEIGHT_DECAY: Final = 1e-2
_CLIPPED_NORM: Final = 10.0


class TrainingShare(Protocol):
    """What of one set is trained on."""

    @property
    def weight(self) -> float:
        """How much of the batches it fills, beside those of the other sets."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Numbers of what is drawn, each once before any comes again."""

    def draw(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.floating[Any]], Targets]:
        """(C, H, W) that the network is given, and what it should say."""


@dataclass(frozen=True, eq=False)
class KeptViews:
    """Windows of a set whose features are on disk."""

    views: TrainingViews
    rows: NDArray[np.int64]
    weight: float = 1.0

    def draw(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.floating[Any]], Targets]:
        """Features (256, H/8, W/8) of one of them."""
        return self.views.features[row].transpose(2, 0, 1), self.views.targets[row]


@dataclass(frozen=True, eq=False)
class FreshViews:
    """Images of a set, of which a new window is drawn each time."""

    images: LabelledImages
    rows: NDArray[np.int64]
    window_px: tuple[int, int]
    weight: float = 1.0

    def draw(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.floating[Any]], Targets]:
        """A window (1, H, W) of one of them, grey of 0 to 255."""
        image = self.images.images[row].read()
        view = draw_view(image.shape[1], image.shape[0], self.window_px, rng)
        targets = targets_of(self.images, row, image.shape[1], view, self.window_px)
        return view.image(image, self.window_px)[None], targets


def train_detector(
    shares: Sequence[TrainingShare], make_network: Callable[[], DetectionNetwork], *, steps: int, seed: int
) -> DetectionNetwork:
    """Trains a network on the sets.

    Args:
        shares: The sets.
        make_network: Makes the network with ImageNet's weights; called when the seed is set.
        steps: Batches of 4 windows.
        seed: Of the new weights and the order of the windows.
    """
    torch.manual_seed(seed)
    network = make_network().train()
    parts = [
        (network.pretrained(), _PRETRAINED_RATE),
        (network.new(), _NEW_RATE),
        ([*network.low.parameters()], _LOW_RATE),
    ]
    groups = [{"params": parameters, "lr": rate} for parameters, rate in parts if parameters]
    rates = [rate for parameters, rate in parts if parameters]
    optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=_WARM_UP)
    halved = _has_bfloat16()
    for _, batch in zip(range(steps), _batches(shares, np.random.default_rng(seed)), strict=False):
        given, *targets = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=halved):
            predicted = network(given)
        loss = detection_loss((predicted[0].float(), predicted[1].float()), *targets)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), _CLIPPED_NORM)
        optimizer.step()
        schedule.step()
    return network.eval()


def _has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16 by itself: a step then takes 0.57 of its time; else more."""
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked and asked())


def _batches(shares: Sequence[TrainingShare], rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
    """Endless batches; each set's windows come in a new order when all have been seen."""
    decks: list[list[int]] = [[] for _ in shares]
    ends = np.cumsum([share.weight for share in shares])
    are_equal = len({share.weight for share in shares}) == 1  # drawn as ever, so that trainings can be repeated
    while True:
        picked = []
        for _ in range(BATCH):
            drawn = rng.integers(len(shares)) if are_equal else np.searchsorted(ends, rng.random() * ends[-1], "right")
            number = int(drawn)
            if not decks[number]:
                decks[number] = rng.permutation(shares[number].rows).tolist()
            picked.append(shares[number].draw(decks[number].pop(), rng))
        yield _batch(picked)


def _batch(picked: Sequence[tuple[NDArray[np.floating[Any]], Targets]]) -> tuple[Tensor, ...]:
    given = torch.from_numpy(np.stack([one for one, _ in picked])).float()
    arrays = [[one.centres, one.counted, one.edges, one.edge_weight] for _, one in picked]
    stacked = [torch.from_numpy(np.stack(column)) for column in zip(*arrays, strict=True)]
    return given.contiguous(memory_format=torch.channels_last), *stacked
