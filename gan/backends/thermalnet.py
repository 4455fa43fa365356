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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from gan.backends.base import StepOptions
from gan.backends.steps import load_optimiser, translate
from gan.data.batch import Batch, Pairing
from gan.errors import ConfigError
from gan.networks.squeezenet import DenseSqueezeNet, load_imagenet
from gan.networks.thermal_levels import Decoding, decode, level_values, levels_loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["PAIRING", "PAPER", "Config", "ThermalNet", "ThermalTranslator", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Kniaz et al., Thermalnet: a deep convolutional network for synthetic thermal image generation, "
    "ISPRS Archives XLII-2/W4, 2017"
)
PAIRING: Pairing = "paired"

_MULTIPLE_PX: Final = 16


@dataclass(frozen=True)
class Config:
    """Options of ThermalNet."""

    in_channels: int = 7
    """Channels of the source."""
    out_channels: int = 1
    """Channels of the image."""
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
    learning_rate: float = 2e-4
    """Of Adam."""
    beta1: float = 0.9
    """Of Adam."""
    beta2: float = 0.999
    """Of Adam."""
    decay_from: float = 0.5
    """Share of the epochs after which the learning rate falls linearly towards zero."""


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


class ThermalNet:
    """ThermalNet in training; see `gan.backends.base.Backend`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.network = build_translator(config)

    def setup(self, fabric: Fabric, options: StepOptions) -> None:
        """Loads ImageNet weights where asked to, moves the network to the device and makes the optimiser."""
        self._fabric = fabric
        config, classifier = self.config, self.network.classifier
        if config.imagenet:
            load_imagenet(classifier, options.weights_dir)
        order = torch.channels_last if options.channels_last else torch.contiguous_format
        self.network.to(fabric.device).to(memory_format=order)  # type: ignore[call-overload]
        betas = (config.beta1, config.beta2)
        optimiser = torch.optim.Adam(classifier.parameters(), lr=config.learning_rate, betas=betas, fused=True)
        runner: Any = torch.compile(classifier) if options.compile else classifier
        self._run: Any
        self._optimiser: Any
        self._run, self._optimiser = fabric.setup(runner, optimiser)

    def networks(self) -> dict[str, nn.Module]:
        """The one network."""
        return {"thermalnet": self.network}

    def translator(self) -> nn.Module:
        """The network with its decoding."""
        return self.network

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Constant rate, then linear to zero: epoch ``epochs`` (never run) would have rate 0."""
        decay_from = int(epochs * self.config.decay_from)
        factor = 1.0 if epoch < decay_from else (epochs - epoch) / (epochs - decay_from)
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.learning_rate * factor

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One step on the cross-entropy; equal to one batch of all micro-batches but for the dropout."""
        self.network.train()
        total = torch.zeros((), device=self._fabric.device)
        for position, batch in enumerate(batches):
            with self._fabric.no_backward_sync(self._run, enabled=position < len(batches) - 1):
                loss = levels_loss(self._run(batch.source), batch.target, self.config.thermal_levels)
                self._fabric.backward(loss / len(batches))
            total += loss.detach() / len(batches)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return {"cross_entropy": total}

    def translate(self, source: Tensor, seed: int | None = None) -> Tensor:
        """Source to image; ThermalNet has no noise, so a seed changes nothing."""
        return translate(self.network, source, seed)

    def state(self) -> dict[str, Any]:
        """Weights and optimiser."""
        return {"network": self.network.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.network.load_state_dict(state["network"])
        load_optimiser(self._optimiser, state["optimiser"])
