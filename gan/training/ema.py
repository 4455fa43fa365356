"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Final

import torch
from torch import nn

__all__ = ["Ema"]

# Averaging costs a pass over all weights, which on a CPU is a tenth of a training step; every few steps is as smooth.
_EVERY: Final = 8


class Ema:
    """Keeps an averaged copy of a network.

    The decay grows with the number of steps, ``min(decay, (1 + step) / (10 + step))``, so that a short run does not
    average in its random start. Every eighth step moves the average by eight steps' worth.

    Args:
        network: Network to follow.
        decay: Share that the average keeps per step; 0 keeps no copy, and the average is the network itself.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._source = network
        self._decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False) if decay else network

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the network's weights after step number ``step`` (from 1) into the average."""
        if not self._decay or step % _EVERY:
            return
        decay = min(self._decay, (1 + step) / (10 + step)) ** _EVERY
        averages, values = tuple(self.network.parameters()), tuple(self._source.parameters())
        torch._foreach_lerp_(averages, values, 1 - decay)
        for average, value in zip(self.network.buffers(), self._source.buffers(), strict=True):
            average.copy_(value)
