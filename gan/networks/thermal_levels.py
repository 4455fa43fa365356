"""Intensities as thermal levels, and back: regression written as classification.

The range [-1, 1] is cut into ``levels`` bins of equal width. An intensity becomes the number of its bin, and a bin
gives back the middle of its range, so a round trip is off by at most half a bin, ``1 / levels``.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor
from torch.nn import functional

from gan.errors import ConfigError

__all__ = ["FEWEST_LEVELS", "MOST_LEVELS", "Decoding", "decode", "level_values", "levels_loss", "to_levels"]

Decoding = Literal["expectation", "argmax"]

FEWEST_LEVELS: Final = 2
# More levels than an 8-bit image has would be classes that no pixel can have.
MOST_LEVELS: Final = 256


def level_values(levels: int) -> Tensor:
    """Middle of each bin, (levels,) float32, rising within (-1, 1).

    Raises:
        ConfigError: fewer than 2 or more than 256 levels.
    """
    if not FEWEST_LEVELS <= levels <= MOST_LEVELS:
        raise ConfigError(f"{levels} thermal levels: expected {FEWEST_LEVELS} to {MOST_LEVELS}")
    return (2 * torch.arange(levels, dtype=torch.float32) + 1) / levels - 1


def to_levels(image: Tensor, levels: int) -> Tensor:
    """Bin of each pixel: intensities in [-1, 1] of any shape to int64 in [0, levels); values beyond are clipped."""
    return ((image.float() + 1) * (levels / 2)).floor().long().clamp(0, levels - 1)


def decode(logits: Tensor, values: Tensor, how: Decoding) -> Tensor:
    """Intensity of each pixel from the logits of its levels.

    Args:
        logits: (N, K * L, H, W), the L levels of the first image channel first.
        values: (L,) what each level stands for; see `level_values`.
        how: ``expectation`` is the mean of the levels, weighted by their probability: it falls between levels, and
            where the network doubts it gives the middle. ``argmax`` is the likeliest level.

    Returns:
        (N, K, H, W) within the range of ``values``.
    """
    levels = values.shape[0]
    channels = []
    for channel in torch.split(logits.float(), levels, dim=1):  # (N, L, H, W)
        if how == "argmax":
            channels.append(values.float()[channel.argmax(dim=1, keepdim=True)])
        else:
            weighted = channel.softmax(dim=1) * values.float().view(1, levels, 1, 1)
            channels.append(weighted.sum(dim=1, keepdim=True))
    return channels[0] if len(channels) == 1 else torch.cat(channels, dim=1)


def levels_loss(logits: Tensor, target: Tensor, levels: int) -> Tensor:
    """Multinomial cross-entropy in nats per pixel, of logits (N, K * L, H, W) against an image (N, K, H, W)."""
    count, channels, height, width = target.shape
    logits = logits.float().reshape(count * channels, levels, height, width)
    return functional.cross_entropy(logits, to_levels(target, levels).reshape(count * channels, height, width))
