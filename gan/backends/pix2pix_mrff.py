"""pix2pix with multi-receptive-field feature fusion.

Ma, Hua and Zuo, "Infrared image generation by pix2pix based on multi-receptive field feature fusion", ICCAIS 2021: a
UNet++ with stride-2 convolutions in the place of poolings extracts features of several receptive fields over nested
dense skip connections; its equations 3 and 4 fuse them by pixel attention, in pairs from the small field to the large
one, with parameters of their own for every pair; a PatchGAN of 70x70 gives a map of 30x30 for 256x256; L1 has weight
100. Objective and training are those of `gan.backends.pix2pix`.

Its table I has rows that cannot be, and they were mended like this:

- A 4x4 convolution with stride 1 and padding 1 loses a pixel, where the table keeps the size, up to an output of 32x32.
  In the discriminator it stays: only so the map becomes the 30x30 of the text (256, 128, 64, 32, 31, 30). In the
  generator, convolutions that keep the size are 3x3.
- Block DB2 has stride 1 and yet doubles: every step between two rows has stride 2 here.

What is chosen here, and not taken from the paper:

- Five rows of 64, 128, 256, 512 and 512 channels at 256x256, and two convolutions in each node as in UNet++.
- The form of the attention: one score per pixel and map, the two scores of a pair made to sum to 1
  (`gan.networks.attention`). The fused maps are those of the four nested U-Nets at full resolution.
- Instance normalisation with scale and shift (see `gan.networks.unet`), leaky ReLU, dropout as the noise of pix2pix in
  the three deepest decoder nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gan.backends import pix2pix
from gan.errors import ConfigError
from gan.networks.unetpp import UNetPlusPlus

__all__ = ["PAPER", "Config", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Ma et al., Infrared image generation by pix2pix based on multi-receptive field feature fusion, ICCAIS 2021"
)

_MOST_LEVELS: Final = 4
# The deepest maps keep at least this edge: normalised alone, a single pixel would be zero.
_SMALLEST_PX: Final = 2
# Five layers need 24 px to leave a map; below, three do.
_SMALLEST_FOR_PAPER_PX: Final = 32


@dataclass(frozen=True)
class Config(pix2pix.Config):
    """Options of pix2pix with multi-receptive-field fusion; those of pix2pix, with other networks."""

    levels: int = _MOST_LEVELS
    """Down-sampling steps of the generator, and fields that are fused."""
    discriminator_layers: int = 5
    """Convolutions of the discriminator; 5 see 70x70."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels, as many levels as the edges can be halved (at most 4), and layers that leave a map of patches."""
    levels = 0
    while levels < _MOST_LEVELS and all(
        edge % 2 ** (levels + 1) == 0 and edge >> (levels + 1) >= _SMALLEST_PX for edge in (height_px, width_px)
    ):
        levels += 1
    if levels < 2:
        raise ConfigError(f"images of {width_px}x{height_px} px: expected edges that are multiples of 4; give --size")
    layers = 5 if min(height_px, width_px) >= _SMALLEST_FOR_PAPER_PX else 3
    return {"in_channels": in_channels, "out_channels": out_channels, "levels": levels, "discriminator_layers": layers}


def build_translator(config: Config) -> UNetPlusPlus:
    """The generator with fresh weights."""
    return UNetPlusPlus(
        config.in_channels,
        config.out_channels,
        config.ngf,
        config.levels,
        norm=config.norm,
        upsample=config.upsample,
        dropout=config.dropout,
    )


def create(config: Config) -> pix2pix.Pix2Pix:
    """A backend with fresh weights; it trains as pix2pix does."""
    return pix2pix.Pix2Pix(config, build_translator(config))
