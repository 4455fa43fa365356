"""Exponential moving average of a network's weights."""

from __future__ import annotations

from typing import Final

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

__all__ = ["Ema"]

# Averaging costs a pass over all weights, which on a CPU is a tenth of a training step; every few steps is as smooth.
_EVERY: Final = 8


class Ema:
    """Keeps an averaged copy of a network, torch's `AveragedModel` under a decay of its own.

    The decay grows with the number of steps, ``min(decay, (1 + step) / (10 + step))``, so that a short run does not
    average in its random start. Every eighth step moves the average by eight steps' worth. Buffers are copied.

    Args:
        network: Network to follow.
        decay: Share that the average keeps per step; 0 keeps no copy, and the average is the network itself.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._source = network
        self._decay = decay
        self._averaged = AveragedModel(network) if decay else None
        self.network = network
        if self._averaged is not None:
            self._averaged.n_averaged.fill_(1)  # the fresh weights count: else the first update would copy
            self.network = self._averaged.module.eval().requires_grad_(False)

    def update(self, step: int) -> None:
        """Takes the network's weights after step number ``step`` (from 1) into the average."""
        if self._averaged is None or step % _EVERY:
            return
        decay = min(self._decay, (1 + step) / (10 + step)) ** _EVERY
        self._averaged.multi_avg_fn = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._averaged.update_parameters(self._source)
