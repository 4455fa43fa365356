"""A discriminator of objects: whether a car, cut out of an image at one size, looks like cars of real frames do.

It needs no partner for an image, so it also judges objects that were put where none was. With a hundred real cars a
discriminator that learns its own features soon knows them by heart; this one judges features of a frozen ImageNet
network, as Sauer, Chitta, Müller and Geiger, "Projected GANs converge faster", NeurIPS 2021, do (section 3.2; here
without their random mixing of scales), and sees every crop shifted, mirrored and under another gain, real or not (Zhao
et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020). The network is SqueezeNet 1.1: a
twentieth of the work of VGG-16, and no relative of the one that images are measured by (`gan.metrics.lpips`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from gan.networks.squeezenet import DenseSqueezeNet, load_imagenet

__all__ = ["CROP_PX", "ObjectDiscriminator", "imagenet_features", "object_crops", "vary"]

Features = Callable[[Tensor], list[Tensor]]

CROP_PX: Final = 96
"""Edge of the crops that are judged."""
_AROUND: Final = 1.3
"""A crop holds this multiple of the object's longer side."""
_FINER: Final = 2
"""Crops are sampled this much finer and averaged, so that large objects are not aliased."""
_SMALLEST_PX: Final = 10
_HEAT: Final = slice(3, 6)
"""Channels of the source that mark objects by their heat, in every layout."""
# Index in SqueezeNet's features, and channels: the last map before each pooling, and the last of all.
_TAPS: Final = {4: 128, 7: 256, 12: 512}
_SCALE: Final = 0.1
"""Brings features, which Caffe's input makes about 10, near 1."""
_WIDTH: Final = 64
_LEAK: Final = 0.2
_SHIFT_PX, _GAIN, _OFFSET = 6, 0.15, 0.1


class ObjectDiscriminator(nn.Module):
    """Maps of logits, one per scale of features, positive where a crop looks real."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Conv2d(channels, _WIDTH, 1)),
                nn.LeakyReLU(_LEAK),
                spectral_norm(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)),
                nn.LeakyReLU(_LEAK),
                spectral_norm(nn.Conv2d(_WIDTH, 1, 1)),
            )
            for channels in _TAPS.values()
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Logits (N, 1, h, w) of each of the maps that :func:`imagenet_features` gives."""
        return [head(level) for head, level in zip(self.heads, features, strict=True)]


def imagenet_features(weights_dir: str, device: torch.device) -> Features:
    """Function from images (N, 1 or 3, H, W) in [-1, 1] to maps of SqueezeNet's features, of frozen weights.

    Args:
        weights_dir: Folder with ``squeezenet1_1_caffe.safetensors``; "" takes the folder in ``GIS_WEIGHTS``.
        device: Where the images are.

    Raises:
        ConfigError: no such weights.
    """
    network = DenseSqueezeNet(3, 2, caffe_input=True)
    load_imagenet(network, weights_dir)
    network.eval().requires_grad_(False).to(device)

    def features(images: Tensor) -> list[Tensor]:
        x, maps = network.prepare(images.expand(-1, 3, -1, -1)), []
        for index, layer in enumerate(network.features):
            x = layer(x)
            if index in _TAPS:
                maps.append(x * _SCALE)
        return maps

    return features


def object_crops(images: Tensor, sources: Tensor) -> Tensor:
    """The part of each image around the objects of its source tensor, (N, K, CROP_PX, CROP_PX).

    Args:
        images: (N, K, H, W).
        sources: (N, 7, H, W) source tensors; one without objects gives the whole image.
    """
    height, width = sources.shape[-2:]
    inside = (sources[:, _HEAT] > 0).any(dim=1)
    theta = [_place(mask, height, width) for mask in inside]
    size = [len(images), images.shape[1], CROP_PX * _FINER, CROP_PX * _FINER]
    grid = functional.affine_grid(torch.tensor(theta, device=images.device), size, align_corners=False)
    fine = functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return functional.avg_pool2d(fine, _FINER)


def _place(mask: Tensor, height: int, width: int) -> list[list[float]]:
    """Affine map of a square around the mask, in the units of `torch.nn.functional.affine_grid`."""
    rows, columns = (torch.nonzero(mask.any(dim=axis)).flatten().tolist() for axis in (1, 0))
    if max(len(rows), len(columns)) < _SMALLEST_PX:
        rows, columns = [0, height - 1], [0, width - 1]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = _AROUND * max(bottom - top, right - left)
    return [[side / width, 0.0, (left + right) / width - 1], [0.0, side / height, (top + bottom) / height - 1]]


def vary(crops: Tensor) -> Tensor:
    """Crops shifted, mirrored and under another gain at random, by torch's generator; gradients flow through it."""
    count, device = len(crops), crops.device
    gain, offset, side = torch.rand(3, count, 1, 1, 1).to(device).mul(2).sub(1)
    crops = crops * (1 + _GAIN * gain) + _OFFSET * offset
    crops = torch.where(side < 0, crops.flip(-1), crops)
    down, across = torch.randint(0, 2 * _SHIFT_PX + 1, (2,)).tolist()
    padded = functional.pad(crops, (_SHIFT_PX,) * 4, mode="replicate")
    return padded[..., down : down + crops.shape[-2], across : across + crops.shape[-1]]
