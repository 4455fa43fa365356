"""Which class each pixel shows: as the data say it, or as a network does; and images put together by it.

Entries are (N, 1, H, W) whole numbers, the place of a pixel's class among K; every pixel has exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.networks.layers import Norm
from gan.networks.unet import UNet, Upsample

__all__ = ["Conditions", "class_edges", "class_masks", "put_together"]


def class_masks(entries: Tensor, count: int) -> Tensor:
    """(N, K, H, W) float32: 1 where a pixel shows the class, else -1; of a single class no mask, (N, 0, H, W)."""
    if count == 1:
        return entries.float()[:, :0]
    places = torch.arange(count, device=entries.device).view(1, count, 1, 1)
    return (entries == places).float() * 2 - 1


def class_edges(entries: Tensor) -> Tensor:
    """(N, 1, H, W) float32: 1 where the 3x3 pixels around show several classes, else -1."""
    values = entries.float()
    highest, lowest = (sign * functional.max_pool2d(sign * values, 3, stride=1, padding=1) for sign in (1, -1))
    return (highest != lowest).float() * 2 - 1


def put_together(layers: Sequence[Tensor], entries: Tensor) -> Tensor:
    """The image whose pixels are those of the layer of their class, bit by bit.

    Args:
        layers: K images (N, C, H, W).
        entries: Class of each pixel.
    """
    image = layers[0]
    for place, layer in enumerate(layers[1:], 1):
        image = torch.where(entries == place, layer, image)
    return image


class Conditions(nn.Module):
    """What a translator is told beside the source, or takes where it is not told.

    Args:
        in_channels: C of the source.
        usual: (K,) vector of temperatures where none is given, in numbers of images.
        features: Width of the first layer of the network that says what a pixel shows.
        levels: Its down-sampling steps.
        norm: Its normalisation.
        upsample: How its decoder doubles its resolution.
    """

    usual: Tensor

    def __init__(
        self, in_channels: int, usual: Sequence[float], features: int, levels: int, *, norm: Norm, upsample: Upsample
    ) -> None:
        super().__init__()
        self.register_buffer("usual", torch.tensor(usual, dtype=torch.float32), persistent=False)
        self.segmenter: UNet | None = None
        if len(usual) > 1:
            self.segmenter = UNet(
                in_channels, len(usual), features, levels, norm=norm, upsample=upsample, dropout=0.0, bounded=False
            )

    def forward(self, source: Tensor, vector: Tensor | None, entries: Tensor | None) -> tuple[Tensor, Tensor]:
        """Vector (N, K) and entries (N, 1, H, W) of a source (N, C, H, W)."""
        told = self.usual.to(source.dtype).expand(source.shape[0], -1) if vector is None else vector
        if entries is None and self.segmenter is not None:
            entries = self.segmenter(source).argmax(dim=1, keepdim=True)
        return told, torch.zeros_like(source[:, :1]) if entries is None else entries
