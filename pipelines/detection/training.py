"""Trains the detector on the views of one or several sets, the same number of steps whatever their size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.detection.config import BATCH
from pipelines.detection.features import TrainingViews
from pipelines.detection.losses import detection_loss
from pipelines.detection.network import DetectionNetwork

__all__ = ["TrainingShare", "train_detector"]

_PRETRAINED_RATE, _NEW_RATE = 3e-4, 1.5e-3
_WARM_UP: Final = 0.15
_WEIGHT_DECAY: Final = 1e-2
_CLIPPED_NORM: Final = 10.0


@dataclass(frozen=True, eq=False)
class TrainingShare:
    """Rows of one set that are trained on; every set fills an equal part of the batches."""

    views: TrainingViews
    rows: NDArray[np.int64]


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
    groups = [
        {"params": network.pretrained(), "lr": _PRETRAINED_RATE},
        {"params": network.new(), "lr": _NEW_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [_PRETRAINED_RATE, _NEW_RATE], total_steps=steps, pct_start=_WARM_UP
    )
    halved = _has_bfloat16()
    for _, batch in zip(range(steps), _batches(shares, np.random.default_rng(seed)), strict=False):
        features, *targets = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=halved):
            predicted = network(features)
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
    while True:
        picked = []
        for _ in range(BATCH):
            number = int(rng.integers(len(shares)))
            if not decks[number]:
                decks[number] = rng.permutation(shares[number].rows).tolist()
            picked.append((shares[number].views, decks[number].pop()))
        yield _batch(picked)


def _batch(picked: Sequence[tuple[TrainingViews, int]]) -> tuple[Tensor, ...]:
    features = np.stack([views.features[row] for views, row in picked])
    targets = [views.targets[row] for views, row in picked]
    arrays = [[one.centres, one.counted, one.edges, one.edge_weight] for one in targets]
    stacked = [torch.from_numpy(np.stack(column)) for column in zip(*arrays, strict=True)]
    return torch.from_numpy(features).float().permute(0, 3, 1, 2), *stacked
