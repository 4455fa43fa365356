"""The U-Net generator of pix2pix.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017, section
6.1.1; the skip connections are those of Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015.

Deviations from the paper:

- One more level, so that 512x512 also narrows to 1x1 (the paper has 8 levels for 256x256). The dropout stays in the
  three deepest decoder layers, as printed there.
- The paper trains batch normalisation on batches of one image and normalises with that image's own statistics at test
  time too. That is instance normalisation with a learned scale and shift, which is the default here; ``norm="batch"``
  gives batch normalisation with running statistics.
- No normalisation where a feature map is one pixel (it would be zero), nor in the first and last layer, as in the
  authors' code.
- ``residual=True`` makes the network learn what to change in the first source channel, after He et al., "Deep residual
  learning for image recognition", CVPR 2016: a source that is nearly the image already is kept from the first step on.
- ``upsample="resize"`` replaces the transposed convolutions by nearest upsampling and a 3x3 convolution, after Odena,
  Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import Norm, check_source, initialise, make_norm
from gan.networks.small_maps import convolve
from gan.networks.upsampled_conv import UpsampledConv2d

__all__ = ["LEAK", "UNet", "Upsample"]

Upsample = Literal["deconv", "resize"]

# Section 6.1 of the paper: slope 0.2.
LEAK: Final = 0.2
# Section 6.1.1: the widest layers have 512 features where the first has 64, and three decoder layers have dropout.
_WIDEST: Final = 8
_DROPOUT_LAYERS: Final = 3


class UNet(nn.Module):
    """U-Net from (N, in_channels, H, W) to (N, out_channels, H, W) in [-1, 1].

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the image.
        features: Width of the first layer (``ngf``); doubles per level up to eightfold.
        levels: Down-sampling steps; H and W must be multiples of ``2 ** levels``. 9 takes 512x512 to 1x1.
        norm: Normalisation.
        upsample: Transposed convolution, or nearest upsampling and convolution.
        dropout: Probability in the three deepest decoder layers: the noise z of the paper.
        residual: Add the output to the first source channel.
        bounded: End with tanh; else the output is any number.
        bias: Layers of the encoder without normalisation have a bias; published code has none with ``norm="batch"``.
        skips: Levels whose skip connections there are, 1 (half the size of the source) to ``levels - 1``; None for all.

    Noise is on in training mode, and in evaluation mode where the attribute ``noise`` is True.
    """

    def __init__(
        self,
        in_channels: int = 7,
        out_channels: int = 1,
        features: int = 64,
        levels: int = 9,
        *,
        norm: Norm = "instance",
        upsample: Upsample = "deconv",
        dropout: float = 0.5,
        residual: bool = False,
        bounded: bool = True,
        bias: bool = True,
        skips: Collection[int] | None = None,
    ) -> None:
        super().__init__()
        if levels < 2 or features < 1 or in_channels < 1 or out_channels < 1:
            raise ConfigError(
                f"U-Net with {levels} levels, {features} features: expected at least 2 levels and 1 feature"
            )
        self.in_channels = in_channels
        self.levels = levels
        self.dropout = dropout
        self.residual = residual
        self.bounded = bounded
        self.skips = frozenset(range(1, levels) if skips is None else skips)
        self.noise = False
        widths = [features * min(2**level, _WIDEST) for level in range(levels)]
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleList(
            _encoder_layer(inputs[level], widths[level], norm if 0 < level < levels - 1 else "none", bias=bias)
            for level in range(levels)
        )
        # Decoder layer k undoes encoder layer k; all but the deepest read the skip connection beside the layer below.
        outputs = [out_channels, *widths[:-1]]
        self.decoder = nn.ModuleList(
            _decoder_layer(
                widths[level] * (2 if level + 1 in self.skips else 1),
                outputs[level],
                norm if level > 0 else "none",
                upsample,
                bias=level == 0 or norm == "none",
            )
            for level in range(levels)
        )
        self.apply(initialise)

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, C, H, W) to (N, K, H, W)."""
        check_source(source, self.in_channels, self.levels)
        skips: list[Tensor] = []
        x = source
        for layer in self.encoder:
            x = _apply(layer, x if not skips else functional.leaky_relu(x, LEAK))  # (N, width, H / 2^k, W / 2^k)
            skips.append(x)
        x = skips.pop()
        noisy = (self.training or self.noise) and self.dropout > 0
        for level in range(self.levels - 1, -1, -1):
            x = _apply(self.decoder[level], functional.relu(x))  # (N, width, H / 2^level, W / 2^level)
            if noisy and level > 0 and level >= self.levels - _DROPOUT_LAYERS:
                x = functional.dropout(x, self.dropout)
            if level > 0:
                skip = skips.pop()
                if level in self.skips:
                    x = torch.cat((skip, x), dim=1)  # (N, 2 * width, ...)
        if not self.bounded:
            return x
        # The difference of two images lies between -2 and 2.
        return (source[:, :1] + 2 * torch.tanh(x)).clamp(-1, 1) if self.residual else torch.tanh(x)


def _apply(layer: nn.Module, x: Tensor) -> Tensor:
    if not (layer.training and isinstance(layer, nn.Sequential)):
        return convolve(layer, x)
    x = convolve(layer[0], x)
    for position in range(1, len(layer)):
        x = layer[position](x)
    return x


def _encoder_layer(inputs: int, outputs: int, norm: Norm, *, bias: bool) -> nn.Module:
    # A bias before a normalisation would be subtracted again.
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=bias and norm == "none")
    return convolution if norm == "none" else nn.Sequential(convolution, make_norm(norm, outputs))


def _decoder_layer(inputs: int, outputs: int, norm: Norm, upsample: Upsample, *, bias: bool) -> nn.Module:
    layers: list[nn.Module]
    if upsample == "deconv":
        layers = [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)]
    else:
        # Model files name the weights by the second place.
        layers = [nn.Identity(), UpsampledConv2d(inputs, outputs, bias=bias)]
    if norm != "none":
        layers.append(make_norm(norm, outputs))
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
