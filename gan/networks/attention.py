"""Fusion of feature maps that see fields of different size, by pixel attention.

Two maps of one shape, one from a smaller and one from a larger receptive field, are mixed pixel by pixel: each gets a
score from a small network of its own, and the two scores make two weights that sum to 1. Several maps are fused in
pairs from the smallest field to the largest: the result of one pair is the smaller partner of the next. No pair shares
parameters with another. Where this comes from stands in `gan.backends.pix2pix_mrff`.

The score of a pixel is that of the pixel attention of Qin et al., "FFA-Net", AAAI 2020: two 1x1 convolutions with a
ReLU between, the first to an eighth of the channels, the second to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from gan.errors import ConfigError

__all__ = ["FieldFusion", "PairFusion", "PixelScore"]

# FFA-Net, section 3.1.
_SQUEEZE: Final = 8


class PixelScore(nn.Module):
    """One number per pixel, from the channels of that pixel alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // _SQUEEZE, 1)
        self.layers = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, 1, H, W), any value."""
        score: Tensor = self.layers(x)
        return score


class PairFusion(nn.Module):
    """Mixes a map of a smaller and one of a larger receptive field."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.small = PixelScore(channels)
        self.large = PixelScore(channels)

    def weight(self, small: Tensor, large: Tensor) -> Tensor:
        """Weight of the larger field, (N, 1, H, W) in (0, 1); the smaller one has the rest."""
        # The softmax of two scores is the logistic function of their difference.
        return torch.sigmoid(self.large(large) - self.small(small))

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        """Both maps (N, channels, H, W) to one of that shape."""
        return small + self.weight(small, large) * (large - small)


class FieldFusion(nn.Module):
    """Fuses maps in pairs, from the smallest receptive field to the largest.

    Args:
        channels: Channels of every map.
        fields: Number of maps, at least 1.
    """

    def __init__(self, channels: int, fields: int) -> None:
        super().__init__()
        if channels < 1 or fields < 1:
            raise ConfigError(f"fusion of {fields} maps of {channels} channels: expected at least one of each")
        self.pairs = nn.ModuleList(PairFusion(channels) for _ in range(fields - 1))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (N, channels, H, W), smallest field first, to one of that shape."""
        fused = maps[0]
        for pair, larger in zip(self.pairs, maps[1:], strict=True):
            fused = pair(fused, larger)
        return fused

    def shares(self, maps: Sequence[Tensor]) -> Tensor:
        """How much each field has in the result, (N, fields, H, W) in [0, 1]; they sum to 1 in every pixel."""
        fused, shares = maps[0], torch.ones_like(maps[0][:, :1])
        for pair, larger in zip(self.pairs, maps[1:], strict=True):
            assert isinstance(pair, PairFusion)
            weight = pair.weight(fused, larger)
            shares = torch.cat((shares * (1 - weight), weight), dim=1)  # (N, fields so far, H, W)
            fused = fused + weight * (larger - fused)
        return shares
