"""UNet++ with multi-receptive-field fusion: the generator of `gan.backends.pix2pix_mrff`.

Zhou, Siddiquee, Tajbakhsh and Liang, "UNet++: a nested U-Net architecture for medical image segmentation", DLMIA 2018.
Node (i, j) lies at 1 / 2^i of the resolution. Nodes (i, 0) are the encoder. Node (i, j) reads all earlier nodes of its
row, (i, 0) to (i, j - 1), and node (i + 1, j - 1) brought to its size. So (0, 1) to (0, levels), all at full
resolution, are the outputs of nested U-Nets of rising depth, and see fields of rising size.

Differences from UNet++: 4x4 convolutions with stride 2 in the place of poolings, and one fused output in the place of
the average of several supervised ones; both as in the paper of the backend.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.attention import FieldFusion
from gan.networks.layers import Norm, check_source, initialise, make_norm
from gan.networks.unet import Upsample
from gan.networks.upsampled_conv import UpsampledConv2d

__all__ = ["UNetPlusPlus"]

# As in pix2pix (Isola et al. 2017, section 6.1): slope, widest layer.
_LEAK: Final = 0.2
_WIDEST: Final = 8
# Rows of the decoder, from the deepest, that have dropout: 3 nodes, as many as pix2pix has layers with dropout.
_DROPOUT_ROWS: Final = 2


class UNetPlusPlus(nn.Module):
    """UNet++ from (N, in_channels, H, W) to (N, out_channels, H, W) in [-1, 1].

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the image.
        features: Width of the nodes at full resolution; doubles per row up to eightfold.
        levels: Down-sampling steps; H and W must be multiples of ``2 ** levels``. Also the number of fused fields.
        norm: Normalisation after every convolution of a node.
        upsample: Transposed convolution, or nearest upsampling and convolution.
        dropout: Probability in the decoder nodes of the two deepest rows: the noise z of pix2pix.

    Noise is on in training mode, and in evaluation mode where the attribute ``noise`` is True.
    """

    def __init__(
        self,
        in_channels: int = 7,
        out_channels: int = 1,
        features: int = 64,
        levels: int = 4,
        *,
        norm: Norm = "instance",
        upsample: Upsample = "deconv",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if levels < 1 or features < 1 or in_channels < 1 or out_channels < 1:
            raise ConfigError(f"UNet++ with {levels} levels, {features} features: expected at least 1 of each")
        self.in_channels = in_channels
        self.levels = levels
        self.dropout = dropout
        self.noise = False
        widths = [features * min(2**row, _WIDEST) for row in range(levels + 1)]
        self.widths = tuple(widths)
        self.down = nn.ModuleList(
            nn.Conv2d(width, width, 4, stride=2, padding=1) for width in widths[:-1]
        )  # from row i to row i + 1
        self.nodes = nn.ModuleDict()
        self.up = nn.ModuleDict()
        for row, width in enumerate(widths):
            self.nodes[_name(row, 0)] = _node(in_channels if row == 0 else widths[row - 1], width, norm)
            for column in range(1, levels - row + 1):
                name = _name(row, column)
                self.up[name] = _up(widths[row + 1], width, upsample)
                self.nodes[name] = _node((column + 1) * width, width, norm)
        self.last = nn.Conv2d(features, out_channels, 3, padding=1)
        self.apply(initialise)
        # With weights as small as the others, scores would start at zero and hardly ever learn to differ.
        self.fusion = FieldFusion(features, levels)

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, C, H, W) to (N, K, H, W)."""
        fused = self.fusion(self.fields(source))  # (N, features, H, W)
        return torch.tanh(self.last(fused))

    def fields(self, source: Tensor) -> list[Tensor]:
        """Outputs of the nested U-Nets, each (N, features, H, W), smallest receptive field first."""
        check_source(source, self.in_channels, self.levels)
        noisy = (self.training or self.noise) and self.dropout > 0
        x = self.nodes[_name(0, 0)](source)
        rows = [[x]]
        for row in range(1, self.levels + 1):
            x = self.nodes[_name(row, 0)](self.down[row - 1](x))  # (N, width, H / 2^row, W / 2^row)
            rows.append([x])
        for column in range(1, self.levels + 1):
            for row in range(self.levels - column + 1):
                name = _name(row, column)
                above = self.up[name](rows[row + 1][column - 1])
                x = self.nodes[name](torch.cat((*rows[row], above), dim=1))  # in: (N, (column + 1) * width, ...)
                if noisy and row >= self.levels - _DROPOUT_ROWS:
                    x = functional.dropout(x, self.dropout)
                rows[row].append(x)
        return rows[0][1:]

    def attention_maps(self, source: Tensor) -> Tensor:
        """Share of each receptive field in every pixel, (N, levels, H, W), smallest field first; they sum to 1."""
        return self.fusion.shares(self.fields(source))


def _name(row: int, column: int) -> str:
    return f"x{row}_{column}"


def _node(inputs: int, width: int, norm: Norm) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, width):
        # A bias before a normalisation would be subtracted again.
        layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=norm == "none"))
        layers += [make_norm(norm, width), nn.LeakyReLU(_LEAK)]
    return nn.Sequential(*layers)


def _up(inputs: int, width: int, upsample: Upsample) -> nn.Module:
    if upsample == "deconv":
        return nn.ConvTranspose2d(inputs, width, 4, stride=2, padding=1)
    return nn.Sequential(nn.Identity(), UpsampledConv2d(inputs, width))  # model files name weights by the second place
