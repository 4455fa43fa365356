"""The conditional PatchGAN discriminator of pix2pix.

Isola, Zhu, Zhou and Efros, CVPR 2017, section 6.1.2: 4x4 convolutions, leaky ReLU 0.2, no normalisation in the first
layer; the last two layers have stride 1. Five layers see patches of 70x70; the default here has six and sees 142x142,
with a 30x30 map at 512x512.

Deviation: the map holds logits; the sigmoid of the paper is part of the vanilla loss (`gan.losses.terms`).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import Norm, initialise, make_norm

__all__ = ["PatchGAN"]

_LEAK: Final = 0.2
_WIDEST: Final = 8


class PatchGAN(nn.Module):
    """Source and image to a map of logits, positive where a patch looks real.

    Args:
        source_channels: Channels of the source; 0 makes an unconditional discriminator.
        image_channels: Channels of the image.
        features: Width of the first layer (``ndf``); doubles per layer up to eightfold.
        layers: Number of convolutions, at least 3; all but the last two have stride 2.
        norm: Normalisation of the middle layers.
    """

    def __init__(
        self,
        source_channels: int = 7,
        image_channels: int = 1,
        features: int = 64,
        layers: int = 6,
        *,
        norm: Norm = "instance",
    ) -> None:
        super().__init__()
        if layers < 3 or features < 1:
            raise ConfigError(
                f"PatchGAN with {layers} layers, {features} features: expected at least 3 layers, 1 feature"
            )
        widths = [features * min(2**layer, _WIDEST) for layer in range(layers - 1)]
        inputs = [source_channels + image_channels, *widths]
        outputs = [*widths, 1]
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        for layer in range(layers):
            middle = 0 < layer < layers - 1
            stride = 2 if layer < layers - 2 else 1
            bias = not middle or norm == "none"
            self.convolutions.append(nn.Conv2d(inputs[layer], outputs[layer], 4, stride=stride, padding=1, bias=bias))
            self.norms.append(make_norm(norm, outputs[layer]) if middle else nn.Identity())
        self.apply(initialise)

    def forward(self, source: Tensor | None, image: Tensor) -> Tensor:
        """Logits (N, 1, h, w) of an image (N, K, H, W), given its source (N, C, H, W)."""
        x = image if source is None else torch.cat((source, image), dim=1)
        last = len(self.convolutions) - 1
        for layer, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(x))
            if layer < last:
                x = functional.leaky_relu(x, _LEAK)
        return x
