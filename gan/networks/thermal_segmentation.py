"""Thermal segmentations, the networks that make and read them, and their split from what they leave: image = S + R.

A thermal segmentation S gives each pixel the mean temperature of its object; what is left of the image, R, is the
contrast within objects and has mean zero on each. Images and segmentations are (N, 1, H, W) in [-1, 1] over one span of
kelvin, vectors (N, K) in the same numbers, masks of objects (N, 1, H, W) whole numbers.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import Norm, check_source, initialise, make_norm
from gan.networks.unet import UNet, Upsample

__all__ = [
    "Head",
    "SegmentationGenerator",
    "VectorEncoder",
    "entry_means",
    "entry_weights",
    "object_means",
    "paint",
    "planes_of",
]

Head = Literal["mixture", "direct"]
_LEAK: Final = 0.2
_WIDEST: Final = 8


# --- the split --------------------------------------------------------------------------------------------------------


def object_means(image: Tensor, ids: Tensor) -> Tensor:
    """Gives each pixel the mean of its object: the thermal segmentation of an image, (N, 1, H, W).

    Args:
        image: (N, 1, H, W).
        ids: (N, 1, H, W) whole numbers, one an object; 0 is the background, which counts as one.
    """
    means = []
    for picture, numbers in zip(image, ids, strict=True):
        places = torch.unique(numbers, return_inverse=True)[1].flatten()
        means.append(_means(picture.flatten(), places, int(places.max()) + 1)[0][places].view(picture.shape))
    return torch.stack(means)


def entry_means(image: Tensor, entries: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Means of an image over the entries of a vector.

    Args:
        image: (N, 1, H, W).
        entries: (N, 1, H, W) place of each pixel in the vector.
        count: K, length of the vector.

    Returns:
        (N, K) means, 0 where an image shows nothing of an entry, and (N, K) bool whether it shows something.
    """
    rows = [_means(picture.flatten(), places.flatten(), count) for picture, places in zip(image, entries, strict=True)]
    means, sizes = (torch.stack(column) for column in zip(*rows, strict=True))
    return means, sizes > 0


def _means(values: Tensor, places: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Means by place, and numbers of values; sums in float64, so that a mean is exact to float32."""
    member = functional.one_hot(places.long(), count).double()  # (P, K)
    sizes = member.sum(0)
    sums = values.double() @ member
    return (sums / sizes.clamp(min=1)).to(values.dtype), sizes


def entry_weights(entries: Tensor, count: int) -> Tensor:
    """Weights of pixels, (N, 1, H, W), by which each entry that an image shows counts alike; they sum to 1 in each.

    Args:
        entries: (N, 1, H, W) place of each pixel in the vector.
        count: K, length of the vector.
    """
    sizes = torch.stack([torch.bincount(places.flatten(), minlength=count) for places in entries])  # (N, K)
    shown = (sizes > 0).sum(1, keepdim=True)
    return paint(1.0 / (sizes.clamp(min=1) * shown), entries)


def paint(vectors: Tensor, entries: Tensor) -> Tensor:
    """The thermal segmentation that vectors (N, K) ask for, given the entry of each pixel (N, 1, H, W)."""
    count, _, height, width = entries.shape
    return vectors.gather(1, entries.long().flatten(1)).view(count, 1, height, width)


def planes_of(vectors: Tensor, like: Tensor) -> Tensor:
    """(N, K) as (N, K, H, W), each value everywhere, at the size of another tensor."""
    return vectors[:, :, None, None] * torch.ones_like(like[:, :1])


# --- networks ---------------------------------------------------------------------------------------------------------


class SegmentationGenerator(nn.Module):
    """Source (N, C, H, W) and vector (N, K) to a thermal segmentation (N, 1, H, W).

    Args:
        in_channels: C.
        entries: K.
        features: Width of the U-Net's first layer.
        levels: Its down-sampling steps.
        head: ``mixture``: the network says of each pixel which entries it shows, and the segmentation is the mean of
            the vector so weighed, which is exact where the network is certain; ``direct``, and where there is one entry
            only: it gives the temperature itself.
        norm: Normalisation.
        upsample: How the decoder doubles its resolution.
    """

    def __init__(
        self,
        in_channels: int,
        entries: int,
        features: int,
        levels: int,
        *,
        head: Head = "mixture",
        norm: Norm = "batch",
        upsample: Upsample = "deconv",
    ) -> None:
        super().__init__()
        self.in_channels, self.levels = in_channels, levels
        self.mixes = head == "mixture" and entries > 1
        outputs = entries if self.mixes else 1
        # What a pixel shows does not depend on how warm it is to be: only the direct head reads the vector.
        inputs = in_channels if self.mixes else in_channels + entries
        self.unet = UNet(inputs, outputs, features, levels, norm=norm, upsample=upsample, dropout=0.0, bounded=False)

    def forward(self, source: Tensor, vector: Tensor, with_scores: bool = False) -> Tensor | list[Tensor]:
        """The segmentation that the vector asks for; ``with_scores`` also those of the entries, (N, K, H, W)."""
        check_source(source, self.in_channels, self.levels)
        if not self.mixes:
            return torch.tanh(self.unet(torch.cat((source, planes_of(vector, source)), dim=1)))
        y = self.unet(source)  # (N, K, H, W)
        segmentation = (torch.softmax(y, dim=1) * vector[:, :, None, None]).sum(1, keepdim=True)
        return [segmentation, y] if with_scores else segmentation


class VectorEncoder(nn.Module):
    """Thermal image (N, 1, H, W) to the vector that it shows: means and log variances side by side, (N, 2 K).

    4x4 convolutions of stride 2 as in a PatchGAN, global mean, one linear layer.

    Args:
        entries: K.
        features: Width of the first layer; doubles per layer up to eightfold.
        layers: Convolutions.
        norm: Normalisation of all but the first.
    """

    def __init__(self, entries: int, features: int = 64, layers: int = 4, *, norm: Norm = "batch") -> None:
        super().__init__()
        if layers < 1 or features < 1 or entries < 1:
            raise ConfigError(f"encoder of {layers} layers, {features} features, {entries} entries: expected 1 of each")
        widths = [features * min(2**layer, _WIDEST) for layer in range(layers)]
        steps: list[nn.Module] = []
        for layer, (inputs, outputs) in enumerate(zip([1, *widths], widths, strict=False)):
            plain = layer == 0 or norm == "none"
            steps.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=plain))
            if not plain:
                steps.append(make_norm(norm, outputs))
            steps.append(nn.LeakyReLU(_LEAK))
        self.convolutions = nn.Sequential(*steps)
        self.head = nn.Linear(widths[-1], 2 * entries)
        self.apply(initialise)

    def forward(self, image: Tensor) -> Tensor:
        """Means and log variances, (N, 2 K)."""
        y: Tensor = self.head(self.convolutions(image).mean(dim=(2, 3)))
        return y
