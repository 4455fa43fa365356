"""Nearest upsampling and a 3x3 convolution as one layer.

After the upsampling each value stands in a 2x2 block, so the nine weights meet only four different values: the pair is
the transposed convolution whose 4x4 kernel is the 3x3 one spread over that block. Computed so it takes 4/9 of the
arithmetic, and its values are the same up to rounding.

For very few channels transposed convolutions are slow in the libraries. There it is computed as what it also is: a 2x2
convolution for each of the four pixels of a block (Shi et al., "Real-time single image and video super-resolution using
an efficient sub-pixel convolutional neural network", CVPR 2016).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["UpsampledConv2d"]

# Measured with OpenVINO on Sapphire Rapids: 5.3 ms against 1.6 for one channel, 5.3 against 7.0 for 24.
_FEW_CHANNELS: Final = 4


class UpsampledConv2d(nn.Conv2d):
    """(N, C, H, W) to (N, K, 2H, 2W): nearest upsampling by 2, then a 3x3 convolution with zeros around it.

    Its weights are those of the 3x3 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Upsamples and convolves."""
        # A transposed convolution turns its kernel round, and so do the four pixels of a block.
        spread = _spread(_spread(self.weight, 2), 3).flip(2, 3)  # (K, C, 4, 4)
        if self.out_channels > _FEW_CHANNELS:
            return functional.conv_transpose2d(x, spread.transpose(0, 1), self.bias, stride=2, padding=1)
        return _by_pixels(x, spread, self.bias)


def _spread(weight: Tensor, axis: int) -> Tensor:
    """Three weights along an axis to four: each added to two neighbours."""
    first, middle, last = weight.unbind(axis)
    return torch.stack((first, first + middle, middle + last, last), axis)


def _by_pixels(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """The transposed convolution with this 4x4 kernel, stride 2 and padding 1, pixel by pixel of each 2x2 block."""
    blocks = [kernel[:, :, row::2, column::2].flip(2, 3) for row in (0, 1) for column in (0, 1)]
    weight = torch.stack(blocks, dim=1).flatten(0, 1)  # (K * 4, C, 2, 2)
    y = functional.conv2d(x, weight, None if bias is None else bias.repeat_interleave(4), padding=1)
    return functional.pixel_shuffle(y, 2)[:, :, 1:-1, 1:-1]  # blocks that begin one pixel outside
