"""Convolutions on small maps as one matrix product, for training on a CPU.

Where a map has a few pixels and a layer has millions of weights, a convolution library spends its time on bringing
weights and their gradients into its own order and back: five to eight times longer than the arithmetic takes. Written
as a product with the weights as they lie in memory (NHWC), nothing is reordered. The values are those of the
convolution up to rounding.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["convolve", "normalise_each"]

# Measured on Sapphire Rapids at 512 and 1024 channels, forward and backward, by pixels on the small side. Convolutions:
# 3 to 4 times faster up to 4x4, twice at 8x8, even at 16x16. Transposed ones: 7 times at 2x2, still a seventh at 16x16.
_MOST_PX: Final = 64
_MOST_PX_TRANSPOSED: Final = 256


def convolve(layer: nn.Module, x: Tensor) -> Tensor:
    """Applies a 4x4 convolution with stride 2, or its transpose, by the fastest way.

    Args:
        layer: Convolution or transposed convolution with kernel 4, stride 2, padding 1; others are called as they are.
        x: (N, C, H, W).
    """
    y: Tensor
    if not (layer.training and x.device.type == "cpu" and isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))):
        y = layer(x)
        return y
    shape = (layer.kernel_size, layer.stride, layer.padding)
    transposed = isinstance(layer, nn.ConvTranspose2d)
    small_px = x.shape[2] * x.shape[3] // (1 if transposed else 4)
    if shape != ((4, 4), (2, 2), (1, 1)) or small_px > (_MOST_PX_TRANSPOSED if transposed else _MOST_PX):
        y = layer(x)
        return y
    return _transposed(layer, x) if isinstance(layer, nn.ConvTranspose2d) else _direct(layer, x)


def normalise_each(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Instance normalisation of (N, C, H, W) as batch normalisation of each image, which is fast on NHWC maps."""
    each = [functional.batch_norm(image, None, None, weight, bias, training=True) for image in torch.split(x, 1)]
    y = each[0] if len(each) == 1 else torch.cat(each)
    if y.requires_grad:
        # Behind a skip connection the gradient is a slice of a wider map, which the normalisation reads far slower.
        y.register_hook(_in_nhwc)  # type: ignore[no-untyped-call]
    return y


def _in_nhwc(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


def _direct(layer: nn.Conv2d, x: Tensor) -> Tensor:
    count, channels, height, width = x.shape
    patches = functional.unfold(x, 4, padding=1, stride=2)  # (N, C * 16, L)
    patches = patches.view(count, channels, 16, -1).permute(0, 3, 2, 1).reshape(-1, 16 * channels)  # (N * L, 16 * C)
    weight = layer.weight.permute(0, 2, 3, 1).reshape(layer.out_channels, -1)  # (K, 16 * C), a view in NHWC
    y = functional.linear(patches, weight, layer.bias)
    return y.view(count, height // 2, width // 2, -1).permute(0, 3, 1, 2)  # (N, K, H / 2, W / 2)


def _transposed(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    count, channels, height, width = x.shape
    weight = layer.weight.permute(0, 2, 3, 1).reshape(channels, -1)  # (C, 16 * K), a view in NHWC
    y = x.permute(0, 2, 3, 1).reshape(-1, channels) @ weight  # (N * L, 16 * K)
    y = y.view(count, height * width, 16, layer.out_channels).permute(0, 3, 2, 1)  # (N, K, 16, L)
    y = functional.fold(y.reshape(count, -1, height * width), (2 * height, 2 * width), 4, padding=1, stride=2)
    y = y.contiguous(memory_format=torch.channels_last)
    return y if layer.bias is None else y + layer.bias[:, None, None]
