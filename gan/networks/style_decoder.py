"""A decoder whose convolutions are modulated by a code, and whose noise inputs read the maps of an encoder.

Karras, Laine, Aittala, Hellsten, Lehtinen and Aila, "Analyzing and improving the image quality of StyleGAN", CVPR 2020:
a learned constant grows level by level through pairs of 3x3 convolutions, whose weights are scaled by the code and
normalised again (demodulated), with noise after each.

Deviations from the paper:

- Maps are scaled before and after a convolution in the place of its weights; the values are the same.
- The constant has one value for each channel, so that images of any size are made.
- The noise inputs read the encoder's map of their level through a 1x1 convolution; noise itself is added to them in
  training, and in evaluation mode where it is switched on.
- Nearest upsampling without a filter; the image comes from the finest level alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import initialise
from gan.networks.upsampled_conv import UpsampledConv2d

__all__ = ["ModulatedConv2d", "StyleDecoder"]

_LEAK: Final = 0.2
_WIDEST: Final = 8
_TINY: Final = 1e-8


class ModulatedConv2d(nn.Module):
    """3x3 convolution whose weights a code scales, (N, C, H, W) and (N, D) to (N, K, H, W).

    Args:
        inputs: C.
        outputs: K.
        code: D.
        upsample: Nearest upsampling by 2 before it.
    """

    def __init__(self, inputs: int, outputs: int, code: int, *, upsample: bool = False) -> None:
        super().__init__()
        self.convolution: nn.Conv2d = (
            UpsampledConv2d(inputs, outputs, bias=False)
            if upsample
            else nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        )
        self.scale = nn.Linear(code, inputs)
        nn.init.normal_(self.scale.weight, 0.0, code**-0.5)
        nn.init.ones_(self.scale.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Convolves with the weights of the code."""
        scale = self.scale(code)  # (N, C)
        squares = self.convolution.weight.square().sum(dim=(2, 3))  # (K, C)
        norm = torch.rsqrt(scale.square() @ squares.T + _TINY)  # (N, K)
        y: Tensor = self.convolution(x * scale[:, :, None, None])
        return y * norm[:, :, None, None]


class _Level(nn.Module):
    """A convolution, what its noise input reads, and an activation."""

    def __init__(self, inputs: int, outputs: int, code: int, read: int, *, upsample: bool) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, outputs, code, upsample=upsample)
        self.read = nn.Conv2d(read, outputs, 1)
        self.strength = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, code: Tensor, encoded: Tensor, noise: bool) -> Tensor:
        y = self.convolution(x, code) + self.read(encoded)
        if noise:
            y = y + self.strength[:, None, None] * torch.randn_like(y[:, :1])
        return functional.leaky_relu(y, _LEAK)


class StyleDecoder(nn.Module):
    """Code (N, D) and maps of all levels to an image (N, K, H, W), any number.

    Args:
        out_channels: K.
        code: D.
        reads: Channels of the maps, the finest first, which has the size of the image.
        features: Width at the finest level; doubles per level up to eightfold.

    Noise is on in training mode, and in evaluation mode where the attribute ``noise`` is True.
    """

    def __init__(self, out_channels: int, code: int, reads: Sequence[int], features: int) -> None:
        super().__init__()
        if features < 1 or out_channels < 1:
            raise ConfigError(f"decoder of {features} features, {out_channels} channels: expected at least 1")
        self.noise = False
        widths = [features * min(2**level, _WIDEST) for level in range(len(reads))]
        self.constant = nn.Parameter(torch.ones(widths[-1]))
        deepest = len(reads) - 1
        self.grow, self.refine = nn.ModuleList(), nn.ModuleList()
        for level in range(deepest, -1, -1):
            grown = widths[min(level + 1, deepest)]
            self.grow.append(_Level(grown, widths[level], code, reads[level], upsample=level < deepest))
            self.refine.append(_Level(widths[level], widths[level], code, reads[level], upsample=False))
        self.last = nn.Conv2d(widths[0], out_channels, 1)
        self.apply(initialise)

    def forward(self, code: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """The image; ``maps`` the finest first."""
        noise = self.training or self.noise
        x = self.constant[:, None, None] * torch.ones_like(maps[-1][:, :1])
        for grow, refine, encoded in zip(self.grow, self.refine, reversed(maps), strict=True):
            x = refine(grow(x, code, encoded, noise), code, encoded, noise)  # (N, width, H / 2^level, W / 2^level)
        image: Tensor = self.last(x)
        return image
