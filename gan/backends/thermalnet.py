"""ThermalNet: a small network that classifies each pixel into a thermal level.

Kniaz, Gorbatsevich and Mizginov, "Thermalnet: a deep convolutional network for synthetic thermal image generation",
ISPRS Archives XLII-2/W4, pages 41-45, 2017: SqueezeNet without its global average pooling, two deconvolution layers
that restore the resolution, a class per quantised thermal level for each pixel, multinomial cross-entropy. Its two
post-processings stand in `gan.serving.postprocess`, its measure per object class in `gan.metrics.classes`.

What is chosen here, and not taken from the paper:

- Version 1.1 of SqueezeNet, whose ImageNet weights are published; its 1x1 convolution after the dropout is kept with
  ``features`` outputs in the place of 1000 classes.
- Both deconvolutions enlarge by 4 (together the 16 that the first convolution and three poolings took), with kernels of
  8: the smallest that cover each output pixel evenly.
- 64 levels of equal width over the range of the image. Where the images are temperatures the levels are temperatures;
  where they are display intensities, as from a camera with automatic gain, they are levels of intensity.
- An image is read from the classes as their expectation, which falls between levels; ``decoding="argmax"`` takes the
  likeliest one, and shows steps.
- Adam with the rate schedule of pix2pix, so that the backends share a budget. Classes are not reweighted.
- ImageNet weights are optional (``imagenet``) and need 3 channels in the order red, green, blue. With another number of
  channels the first convolution is new; see `gan.networks.squeezenet.load_imagenet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from gan.backends.base import Backend, BackendConfig, Generated
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.networks.squeezenet import DenseSqueezeNet, load_imagenet
from gan.networks.thermal_levels import Decoding, decode, level_values, levels_loss

__all__ = ["PAPER", "Config", "ThermalNet", "ThermalTranslator", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Kniaz et al., Thermalnet: a deep convolutional network for synthetic thermal image generation, "
    "ISPRS Archives XLII-2/W4, 2017"
)

_MULTIPLE_PX: Final = 16


@dataclass(frozen=True)
class Config(BackendConfig):
    """Options of ThermalNet."""

    thermal_levels: int = 64
    """Classes of a pixel, of equal width over the range of the image."""
    features: int = 64
    """Channels between SqueezeNet and the last deconvolution."""
    decoding: Decoding = "expectation"
    """How an intensity is read from the classes."""
    imagenet: bool = False
    """Start from ImageNet weights, looked for in --weights-dir or GIS_WEIGHTS."""
    dropout: float = 0.5
    """Probability of SqueezeNet's dropout in training."""
    beta1: float = 0.9
    """Of Adam."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels; the edges must be multiples of 16."""
    if height_px % _MULTIPLE_PX or width_px % _MULTIPLE_PX:
        raise ConfigError(f"images of {width_px}x{height_px} px: expected edges in multiples of 16; give --size")
    return {"in_channels": in_channels, "out_channels": out_channels}


class ThermalTranslator(nn.Module):
    """Source (N, C, H, W) to image (N, K, H, W), both in [-1, 1]; H and W in multiples of 16."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.classifier = DenseSqueezeNet(
            config.in_channels,
            config.thermal_levels * config.out_channels,
            config.features,
            dropout=config.dropout,
            caffe_input=config.imagenet,
        )
        self.levels = self.classifier.levels
        self.decoding: Decoding = config.decoding
        self.register_buffer("values", level_values(config.thermal_levels), persistent=False)

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, C, H, W) to (N, K, H, W)."""
        assert isinstance(self.values, Tensor)
        return decode(self.classifier(source), self.values, self.decoding)


def build_translator(config: Config) -> ThermalTranslator:
    """The translator with fresh weights."""
    return ThermalTranslator(config)


def create(config: Config) -> ThermalNet:
    """A ThermalNet with fresh weights."""
    return ThermalNet(config)


class ThermalNet(Backend[Config]):
    """ThermalNet in training; it has no noise but the dropout, so a seed changes none of its translations."""

    def __init__(self, config: Config) -> None:
        network = build_translator(config)
        self.classifier = network.classifier
        super().__init__(config, network, {"thermalnet": self.classifier})

    def load_weights(self, weights_dir: str, device: torch.device) -> None:
        """Reads ImageNet weights where asked to."""
        if self.config.imagenet:
            load_imagenet(self.classifier, weights_dir)

    def generate(self, batch: Batch) -> Generated:
        """Logits of the thermal levels."""
        return {"logits": self.run("thermalnet", batch.source)}

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The cross-entropy."""
        return {"cross_entropy": levels_loss(generated["logits"], batch.target, self.config.thermal_levels)}
