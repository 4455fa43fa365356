"""ResNet-18 as an encoder: the maps of all its levels, and a code of the whole image.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, table 1: 7x7 convolution of stride 2,
3x3 pooling of stride 2, four stages of two blocks whose widths double; the last three halve.

Deviations from the paper:

- One linear layer in the place of the classifier gives the code.
- ``levels`` below 5, for small images: the last stages keep their resolution.
- First weights as in all networks here (`gan.networks.layers.initialise`); none of ImageNet's, whose images have three
  channels.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import Norm, initialise, make_norm

__all__ = ["LEAST_LEVELS", "MOST_LEVELS", "ResNet18"]

LEAST_LEVELS, MOST_LEVELS = 2, 5
"""Halvings: of the first convolution and the pooling, and of three stages."""
_STAGES: Final = 4
_BLOCKS: Final = 2


class _Block(nn.Module):
    """Two 3x3 convolutions beside a short cut, (N, C, H, W) to (N, K, H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm) -> None:
        super().__init__()
        bias = norm == "none"
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.norms = nn.ModuleList(make_norm(norm, outputs) for _ in range(2))
        self.short_cut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.short_cut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), make_norm(norm, outputs))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norms[0](self.first(x)))
        # A 1x1 convolution of stride 2 reads every second pixel. Taken apart: oneDNN 3.12's for AVX2 writes past its
        # memory in training where there are fewer than 8 channels, channels last (issue 6035 there).
        read = x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride]
        return functional.relu(self.norms[1](self.second(y)) + self.short_cut(read))


class ResNet18(nn.Module):
    """Planes (N, P, H, W) and a vector (N, V) to a code (N, D) and the maps of each level.

    Args:
        in_channels: P.
        told: V; the vector stands beside the mean of the last maps. 0: there is none.
        code: D.
        features: Width of the first layer; 64 in the paper.
        levels: Halvings, 2 to 5; H and W must be multiples of ``2 ** levels``.
        norm: Normalisation.
    """

    def __init__(
        self, in_channels: int, told: int, code: int, features: int = 64, levels: int = MOST_LEVELS, *,
        norm: Norm = "batch",
    ) -> None:  # fmt: skip
        super().__init__()
        if not LEAST_LEVELS <= levels <= MOST_LEVELS or features < 1:
            raise ConfigError(
                f"ResNet-18 of {levels} levels, {features} features: expected {LEAST_LEVELS} to {MOST_LEVELS} levels "
                "and at least 1 feature"
            )
        self.told = told
        self.first = nn.Sequential(
            nn.Conv2d(in_channels, features, 7, stride=2, padding=3, bias=norm == "none"), make_norm(norm, features)
        )
        widths = [features * 2**stage for stage in range(_STAGES)]
        strides = [1, *(2 if stage + LEAST_LEVELS <= levels else 1 for stage in range(1, _STAGES))]
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(_Block(inputs if block == 0 else outputs, outputs, stride if block == 0 else 1, norm)
                  for block in range(_BLOCKS))
            )
            for inputs, outputs, stride in zip([features, *widths], widths, strides, strict=False)
        )  # fmt: skip
        self.head = nn.Linear(widths[-1] + told, code)
        self.widths = [features, *widths[: levels - LEAST_LEVELS], widths[-1]]
        """Of the maps of the levels, from half the size on."""
        self.levels = levels
        self.apply(initialise)

    def forward(self, planes: Tensor, vector: Tensor) -> list[Tensor]:
        """The code, then the maps (N, C, H / 2^k, W / 2^k) of the levels k from 1 on."""
        x = functional.relu(self.first(planes))
        maps = [x]
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for place, stage in enumerate(self.stages):
            x = stage(x)
            if place + LEAST_LEVELS < self.levels or place == _STAGES - 1:
                maps.append(x)  # stages that keep the resolution share a level: the last one stands for it
        mean = x.mean(dim=(2, 3))
        return [self.head(torch.cat((mean, vector), dim=1) if self.told else mean), *maps]
