"""The residual generator of CycleGAN.

Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV
2017, appendix 7.2, after Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and
super-resolution", ECCV 2016: c7s1-64, d128, d256, residual blocks of 256, u128, u64, c7s1-K. Six blocks for 128x128,
nine from 256x256 on.

Deviations from the paper:

- Instance normalisation has a learned scale and shift, and the convolutions before it have no bias (which it would
  cancel): 11.38 million parameters from 3 to 3 channels, as with biases.
- ``activation="leaky_relu"`` puts leaky ReLU (0.2) in the place of every ReLU.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import InstanceNorm, Norm, check_source, initialise, make_norm

__all__ = ["Activation", "ResNetGenerator", "ResidualBlock", "make_resnet_norm"]

Activation = Literal["relu", "leaky_relu"]

_LEAK: Final = 0.2
_HALVINGS: Final = 2


class _Norm(InstanceNorm):
    """Instance normalisation that exporters see as such.

    OpenVINO 2026.4 crashes where it compiles group normalisation in a residual block with reflected borders.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (N, C, H, W) over H and W."""
        if torch._C._get_tracing_state():
            return functional.instance_norm(x, weight=self.weight, bias=self.bias)
        return super().forward(x)


def make_resnet_norm(kind: Norm, channels: int) -> nn.Module:
    """The normalisation layer of this kind for (N, channels, H, W), in a form that exporters can read."""
    return _Norm(channels) if kind == "instance" else make_norm(kind, channels)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a short cut, (N, C, H, W) to the same; no activation after the sum."""

    def __init__(self, channels: int, norm: Norm, activation: Activation) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=norm == "none"),
            make_resnet_norm(norm, channels),
            _activation(activation),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=norm == "none"),
            make_resnet_norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W)."""
        y: Tensor = x + self.body(x)
        return y


class ResNetGenerator(nn.Module):
    """Residual generator from (N, in_channels, H, W) to (N, out_channels, H, W) in [-1, 1]; H and W multiples of 4.

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the image.
        features: Width of the first layer (``ngf``).
        blocks: Residual blocks.
        norm: Normalisation.
        activation: After every normalisation but the second of a block.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        features: int = 64,
        blocks: int = 9,
        *,
        norm: Norm = "instance",
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels, features) < 1 or blocks < 0:
            raise ConfigError(
                f"ResNet with {blocks} blocks, {features} features: expected 0 or more blocks and at least 1 feature"
            )
        self.in_channels = in_channels
        self.levels = _HALVINGS
        bias = norm == "none"
        width = features
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7, bias=bias)]
        layers += [make_resnet_norm(norm, width), _activation(activation)]
        for _ in range(_HALVINGS):  # H, W to H / 4, W / 4
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias)]
            width *= 2
            layers += [make_resnet_norm(norm, width), _activation(activation)]
        layers += [ResidualBlock(width, norm, activation) for _ in range(blocks)]
        for _ in range(_HALVINGS):  # and back
            layers += [nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)]
            width //= 2
            layers += [make_resnet_norm(norm, width), _activation(activation)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, in_channels, H, W) to (N, out_channels, H, W)."""
        check_source(source, self.in_channels, self.levels)
        image: Tensor = self.layers(source)
        return image


def _activation(kind: Activation) -> nn.Module:
    return nn.ReLU() if kind == "relu" else nn.LeakyReLU(_LEAK)
