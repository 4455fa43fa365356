"""pix2pix whose U-Net keeps only some of its skip connections, with a loss of intensity and gradient.

Qian, Zhang and Zhang, "Sparse GANs for thermal infrared image generation from optical image", IEEE Access 8, 2020: of
the skip connections of pix2pix's U-Net those of low and of high level stay and those between go, so that the generator
has fewer parameters; beside the adversarial loss there are terms of intensity and of gradient. Objective and training
are otherwise those of `gan.backends.pix2pix`.

What is chosen here, and not taken from the paper, whose text does not say it:

- Which levels stay: the two finest and the two deepest (``skips``). Any other choice is an option.
- The intensity term is L1 and the gradient term the mean absolute difference of forward differences
  (`gan.losses.terms.gradient_loss`); both have pix2pix's weight of 100.
- Where a skip connection goes its layer of the decoder reads half as many channels; nothing takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gan.backends import pix2pix
from gan.errors import ConfigError
from gan.networks.unet import UNet

__all__ = ["PAPER", "Config", "build_translator", "create", "kept_skips", "suggest"]

PAPER: Final = "Qian et al., Sparse GANs for thermal infrared image generation from optical image, IEEE Access 8, 2020"


@dataclass(frozen=True)
class Config(pix2pix.Config):
    """Options of pix2pix with sparse skip connections; those of pix2pix, with another generator."""

    skips: str = "1,2,-2,-1"
    """Levels whose skip connections stay: 1 is the finest, at half the image's size, -1 the deepest; all: every one,
    none: none."""
    gradient_weight: float = 100.0
    """Weight of the gradient difference in the generator's objective."""

    def __post_init__(self) -> None:
        """Check the levels."""
        kept_skips(self.skips, self.levels)


def kept_skips(skips: str, levels: int) -> frozenset[int]:
    """The levels of a U-Net whose skip connections stay, from 1, of ``levels - 1``.

    Raises:
        ConfigError: something else stands there.
    """
    if skips in ("all", "none"):
        return frozenset(range(1, levels)) if skips == "all" else frozenset()
    try:
        numbers = [int(text) for text in skips.split(",")]
    except ValueError:
        numbers = [0]
    if 0 in numbers:
        raise ConfigError(f"skips is {skips[:60]!r}: expected levels with commas between, as 1,2,-2,-1, or all or none")
    # Of a shallow U-Net, which a small image gets, both ends may name one level, or a level that there is not.
    counted = {number if number > 0 else levels + number for number in numbers}
    return frozenset(level for level in counted if 0 < level < levels)


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Options that follow from the data, as those of pix2pix."""
    return pix2pix.suggest(in_channels, out_channels, height_px, width_px)


def build_translator(config: Config) -> UNet:
    """The generator with fresh weights."""
    return pix2pix.build_translator(config, kept_skips(config.skips, config.levels))


def create(config: Config) -> pix2pix.Pix2Pix:
    """A backend with fresh weights; it trains as pix2pix does."""
    return pix2pix.Pix2Pix(config, build_translator(config))
