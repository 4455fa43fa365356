"""What the training steps of all backends share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["frozen", "load_optimiser", "translate"]


@contextlib.contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """No gradients for the weights of a network inside the block; they still flow through it."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def translate(network: nn.Module, source: Tensor, seed: int | None = None) -> Tensor:
    """Runs a translator in evaluation mode, without gradients.

    Args:
        network: Translator; an attribute ``noise`` of it switches its noise on in evaluation mode.
        source: (N, C, H, W) float32 in [-1, 1].
        seed: Seed of the noise; None switches it off. The caller's random state is left alone.

    Returns:
        (N, K, H, W) float32 in [-1, 1].
    """
    training = network.training
    network.eval()
    devices = [source.device] if source.device.type == "cuda" else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices, enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
                network.noise = True  # type: ignore[assignment]
            image: Tensor = network(source)
            return image.float()
    finally:
        network.noise = False  # type: ignore[assignment]
        network.train(training)


def load_optimiser(optimiser: Any, state: dict[str, Any]) -> None:
    """Loads an optimiser's state as stored in a checkpoint.

    JSON knows no tuples, and stored moments have lost the memory order of their parameters, which fused optimisers
    rely on.
    """
    groups = [
        {key: tuple(v) if isinstance(v, list) and key == "betas" else v for key, v in group.items()}
        for group in state["param_groups"]
    ]
    optimiser.load_state_dict({**state, "param_groups": groups})
    inner = getattr(optimiser, "optimizer", optimiser)
    for parameter, moments in inner.state.items():
        for name, moment in moments.items():
            if isinstance(moment, Tensor) and moment.shape == parameter.shape and moment.dim() > 0:
                moments[name] = torch.empty_like(parameter, requires_grad=False).copy_(moment)
