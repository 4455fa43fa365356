"""The networks of `gan.backends.disentangled`: encoders of two codes, a decoder that puts two codes together.

Wang et al., "Cross-modality paired-images generation for RGB-infrared person re-identification", AAAI 2020, whose
generation module is that of Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV
2018, but for one encoder of what both spectra share. Widths follow ``features``; the published ones have 64 for the
shared code and 32 for the own one.

- `Stem` and `SharedEncoder`: image to shared code, (N, 4 * features, H / 4, W / 4).
- `SpecificEncoder`: image to own code, (N, size): five convolutions without normalisation, which would take away how
  bright an image is, and the mean over the image.
- `Decoder`: both codes to an image. The own code scales and shifts the channels of residual blocks (adaptive instance
  normalisation, Huang and Belongie, ICCV 2017), by a perceptron of three layers.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.networks.layers import check_source
from gan.networks.patchgan import PatchGAN
from gan.networks.resnet import ResidualBlock, make_resnet_norm

__all__ = ["HALVINGS", "Decoder", "ScaledPatchGAN", "SharedEncoder", "SpecificEncoder", "Stem"]

HALVINGS: Final = 2
"""How often a shared code is smaller than its image."""
_SPECIFIC_HALVINGS: Final = 4
_PERCEPTRON: Final = 256
_MOMENTUM: Final = 0.01


class Stem(nn.Module):
    """First layer of the shared encoder, (N, channels, H, W) to (N, features, H, W); H and W multiples of 4.

    Args:
        channels: Of the images.
        features: Width.
        grey: Take a colour image by its luma (ITU-R BT.601), so that the shared code knows no colours.
    """

    luma: Tensor

    def __init__(self, channels: int, features: int, *, grey: bool) -> None:
        super().__init__()
        self.channels = channels
        self.grey = grey and channels == 3
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1), persistent=False)
        self.pad = nn.ReflectionPad2d(3)
        self.convolution = nn.Conv2d(channels, features, 7, bias=False)
        self.norm = make_resnet_norm("instance", features)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) in [-1, 1] to (N, features, H, W)."""
        check_source(image, self.channels, HALVINGS)
        if self.grey:
            image = (image * self.luma).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        features: Tensor = self.norm(self.convolution(self.pad(image)))
        return functional.relu(features)


class SharedEncoder(nn.Module):
    """What a `Stem` gives, (N, features, H, W), to the shared code, (N, 4 * features, H / 4, W / 4)."""

    def __init__(self, features: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = features
        for _ in range(HALVINGS):
            layers += [nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)]
            width *= 2
            layers += [make_resnet_norm("instance", width), nn.ReLU()]
        layers += [ResidualBlock(width, "instance", "relu") for _ in range(blocks)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features, H, W) to (N, 4 * features, H / 4, W / 4)."""
        code: Tensor = self.layers(x)
        return code


class SpecificEncoder(nn.Module):
    """An image (N, channels, H, W) to the code of what its spectrum alone shows, (N, size)."""

    def __init__(self, channels: int, features: int, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, features, 7), nn.ReLU()]
        width = features
        for halving in range(_SPECIFIC_HALVINGS):
            wider = width * 2 if halving < 2 else width
            layers += [nn.Conv2d(width, wider, 4, stride=2, padding=1), nn.ReLU()]
            width = wider
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(width, size)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, size)."""
        code: Tensor = self.last(self.layers(image).mean(dim=(2, 3)))
        return code


class _AdaptiveBlock(nn.Module):
    """A residual block (N, C, H, W) whose two normalisations are scaled and shifted by a code."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.convolutions = nn.ModuleList(nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(make_resnet_norm("instance", channels) for _ in range(2))

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """``modulation`` (N, 4, C): scale and shift of the first normalisation, then of the second."""
        scale, shift, second_scale, second_shift = modulation[..., None, None].unbind(dim=1)  # each (N, C, 1, 1)
        y = self.norms[0](self.convolutions[0](self.pad(x))) * (1 + scale) + shift
        y = self.norms[1](self.convolutions[1](self.pad(functional.relu(y)))) * (1 + second_scale) + second_shift
        out: Tensor = x + y
        return out


class Decoder(nn.Module):
    """Shared code (N, 4 * features, H / 4, W / 4) and own code (N, size) to an image (N, channels, H, W) in [-1, 1].

    It keeps the mean of the own codes that it has met in training, ``typical``: with that it decodes where there is no
    image of its spectrum to take a code from.
    """

    typical: Tensor

    def __init__(self, channels: int, features: int, size: int, blocks: int) -> None:
        super().__init__()
        width = features * 2**HALVINGS
        self.blocks = nn.ModuleList(_AdaptiveBlock(width) for _ in range(blocks))
        self.perceptron = nn.Sequential(
            nn.Linear(size, _PERCEPTRON),
            nn.ReLU(),
            nn.Linear(_PERCEPTRON, _PERCEPTRON),
            nn.ReLU(),
            nn.Linear(_PERCEPTRON, blocks * 4 * width),
        )
        layers: list[nn.Module] = []
        for _ in range(HALVINGS):
            layers += [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(2), nn.Conv2d(width, width // 2, 5, bias=False)]
            width //= 2
            # One group: the mean and spread of a whole image, so that the code's differences between channels stay.
            layers += [nn.GroupNorm(1, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh())
        self.register_buffer("typical", torch.zeros(1, size))

    @torch.no_grad()
    def remember(self, code: Tensor) -> None:
        """Moves ``typical`` by a hundredth towards the mean of some codes (N, size)."""
        self.typical.lerp_(code.mean(dim=0, keepdim=True).to(self.typical.dtype), _MOMENTUM)

    def forward(self, shared: Tensor, code: Tensor | None = None) -> Tensor:
        """An image (N, channels, H, W); without a code of its own by the typical one."""
        code = self.typical if code is None else code
        modulation = self.perceptron(code).view(code.shape[0], len(self.blocks), 4, -1)
        x = shared
        for number, block in enumerate(self.blocks):
            x = block(x, modulation[:, number])
        image: Tensor = self.layers(x)
        return image


class ScaledPatchGAN(nn.Module):
    """Unconditional PatchGANs without normalisation, each of which sees the image at half the scale of the one before.

    Args:
        channels: Of the image.
        features: Width of the first layers (``ndf``).
        layers: Convolutions of each.
        scales: How many there are.
    """

    def __init__(self, channels: int, features: int, layers: int, scales: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchGAN(0, channels, features, layers, norm="none") for _ in range(scales))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Logits (N, 1, h, w) at each scale of an image (N, channels, H, W)."""
        logits = []
        for scale, judge in enumerate(self.scales):
            if scale:
                image = functional.avg_pool2d(image, 2)
            logits.append(judge(None, image))
        return logits
