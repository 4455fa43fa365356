"""What the networks share: normalisation layers, first weights, and the check of what they are given."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.small_maps import normalise_each

__all__ = ["InstanceNorm", "Norm", "check_source", "count_parameters", "initialise", "make_norm", "with_channels"]

Norm = Literal["instance", "batch", "none"]

# Isola et al., CVPR 2017, section 6.1; Zhu et al., ICCV 2017, section 7.1: a Gaussian with standard deviation 0.02.
_WEIGHT_STD: Final = 0.02


class InstanceNorm(nn.Module):
    """Instance normalisation with scale and shift.

    Written as group normalisation with one group per channel: unlike `torch.nn.InstanceNorm2d` that needs no copy of a
    channels-last tensor, neither eagerly nor compiled.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels  # a plain number: exporters cannot take it from the shape of x
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (N, C, H, W) over H and W."""
        by_hand = self.training and x.device.type == "cpu" and not torch.compiler.is_compiling()
        if by_hand and x.is_contiguous(memory_format=torch.channels_last):
            return normalise_each(x, self.weight, self.bias)
        return functional.group_norm(x, self.channels, self.weight, self.bias)


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """The normalisation layer of this kind for (N, channels, H, W)."""
    if kind == "instance":
        return InstanceNorm(channels)
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.Identity()


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """First weights as pix2pix and CycleGAN have them, for `torch.nn.Module.apply`.

    Weights of convolutions are drawn around 0 and scales of normalisations around 1, biases are 0.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, _WEIGHT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, (InstanceNorm, nn.BatchNorm2d)):
        nn.init.normal_(module.weight, 1.0, _WEIGHT_STD)


def check_source(source: Tensor, channels: int, levels: int) -> None:
    """Checks a source (N, C, H, W) for a network that halves it ``levels`` times.

    Raises:
        ConfigError: It has other channels, or edges that cannot be halved so often.
    """
    if torch._C._get_tracing_state():
        return  # a tracer would take the comparison for part of the network
    step = 2**levels
    if source.shape[1] != channels or source.shape[2] % step or source.shape[3] % step:
        raise ConfigError(
            f"source is {tuple(source.shape[1:])} (C, H, W): "
            f"expected {channels} channels and edges in multiples of {step} px"
        )


def count_parameters(network: nn.Module) -> int:
    """Number of trained values in a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def with_channels(image: Tensor, channels: int) -> Tensor | None:
    """An image (N, K, H, W) for a network that takes ``channels``: as it is, or grey repeated to 3, else None."""
    if image.shape[1] == channels:
        return image
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 and channels == 3 else None
