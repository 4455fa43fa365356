"""Layered GAN's model with styles: an encoder's code and maps steer a decoder of modulated convolutions.

Mizginov, Kniaz and Fomin, "A method for synthesizing thermal images using GAN multi-layered approach", ISPRS Archives
2021, has two models; this is the first (the second: `gan.backends.layered`). Thermal segmentation, semantic
segmentation with the edges of the objects and a vector of temperatures go into a ResNet-18, whose code is the style of
a StyleGAN-like decoder; its feature maps reach the decoder's noise inputs. Training is by a modified Wasserstein loss
and L1.

More is not public, so all that follows is an interpretation:

- Segmentations and vector come from the data: kelvin, masks and categories of a set of `gis synthesize`. The thermal
  segmentation gives each pixel the temperature of its class in the vector, so it is known wherever the classes are.
  Edges are those of the classes, not of single objects: where the translator is given no segmentation and another
  U-Net says what a pixel shows (``segmenter_weight``), there are no single objects.
- The source stands beside them: of a background the segmentations say nothing, and plain pairs of source and infrared
  image, which have one class, have nothing else.
- The vector enters beside the mean of the encoder's last maps, where the code is made (`gan.networks.resnet18`).
- The noise inputs read the maps of their level through a 1x1 convolution, the finest one the encoder's own input
  (`gan.networks.style_decoder`).
- The decoder gives the contrast that is added to the thermal segmentation; of plain pairs the image itself.
- The Wasserstein loss has a gradient penalty (Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017,
  weight 10), with one step of the critic for one of the generator. The critic is a PatchGAN without normalisation that
  sees what the encoder sees beside the image; the mean of its map is the score.
- L1 has weight 100, and each class counts alike in it. Adam has StyleGAN's betas, 0 and 0.99.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends import pix2pix
from gan.backends.base import Backend, Generated
from gan.backends.kelvin import KelvinConfig, batch_entries, batch_vectors, suggest_temperatures
from gan.data.batch import Batch
from gan.losses.terms import gradient_penalty, weighted_sum
from gan.networks.class_masks import Conditions, class_edges, class_masks
from gan.networks.layers import Norm, check_source
from gan.networks.patchgan import PatchGAN
from gan.networks.resnet18 import MOST_LEVELS, ResNet18
from gan.networks.style_decoder import StyleDecoder
from gan.networks.thermal_segmentation import entry_weights, paint

__all__ = [
    "PAPER",
    "Config",
    "LayeredStyle",
    "StyleGenerator",
    "StyleTranslator",
    "build_translator",
    "create",
    "suggest",
    "suggest_temperatures",
]

PAPER: Final = (
    "Mizginov et al., A method for synthesizing thermal images using GAN multi-layered approach, ISPRS Archives "
    "2021: its first model, with styles"
)

_CODE: Final = 8
"""Length of the code in widths of the encoder's first layer: 512 where that has 64, as in StyleGAN."""


@dataclass(frozen=True)
class Config(KelvinConfig):
    """Options of the model with styles."""

    ngf: int = 64
    """Width of the decoder's finest level."""
    nef: int = 64
    """Width of the encoder's first layer; 64 in ResNet-18."""
    ndf: int = 64
    """Width of the critic's first layer."""
    levels: int = MOST_LEVELS
    """Down-sampling steps of the encoder; 5 in ResNet-18."""
    discriminator_layers: int = 5
    """Convolutions of the critic; 5 see 70x70."""
    segmenter_width: int = 32
    """Width of the first layer of the network that says what a pixel shows."""
    norm: Norm = "batch"
    """Normalisation of the encoder and of the network that says what a pixel shows."""
    beta1: float = 0.0
    """Of Adam."""
    beta2: float = 0.99
    """Of Adam."""
    gan_weight: float = 1.0
    """Weight of the critic's score in the generator's objective."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty in the critic's objective."""
    l1_weight: float = 100.0
    """Weight of L1."""
    segmenter_weight: float = 1.0
    """Weight of the cross-entropy between the classes that pixels are said to show and the masks."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels and layers as pix2pix's; as many levels as leave maps of 2x2, at most ResNet-18's."""
    values = pix2pix.suggest(in_channels, out_channels, height_px, width_px)
    shortest = min(height_px, width_px)
    levels = min(values["levels"], MOST_LEVELS, shortest.bit_length() - 2)
    return values | {"levels": levels, "discriminator_layers": min(values["discriminator_layers"], 5)}


class StyleGenerator(nn.Module):
    """Planes (N, P, H, W) and a vector (N, V) to an image (N, K, H, W) in [-1, 1]; V may be 0."""

    def __init__(self, config: Config, planes: int, told: int) -> None:
        super().__init__()
        code = _CODE * config.nef
        self.encoder = ResNet18(planes, told, code, config.nef, config.levels, norm=config.norm)
        self.decoder = StyleDecoder(config.out_channels, code, (planes, *self.encoder.widths), config.ngf)

    def forward(self, planes: Tensor, vector: Tensor) -> Tensor:
        """The image."""
        code, *maps = self.encoder(planes, vector)
        return torch.tanh(self.decoder(code, (planes, *maps)))


class StyleTranslator(nn.Module):
    """Source (N, C, H, W), a vector (N, K) and the class of each pixel, to an image (N, 1, H, W) in [-1, 1].

    As `gan.backends.layered.LayeredTranslator`, with another network.
    """

    whole_image = True
    """The code is of the whole image, so that a part of it is translated otherwise."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.in_channels, self.levels = config.in_channels, config.levels
        self.count = len(config.usual)
        self.scale = config.contrast_scale if config.entries else None
        self.noise = False
        self.conditions = Conditions(
            config.in_channels, config.usual, config.segmenter_width, config.levels, norm=config.norm, upsample="deconv"
        )
        self.generator = StyleGenerator(config, planes_count(config), self.count if self.scale else 0)

    def forward(self, source: Tensor, vector: Tensor | None = None, entries: Tensor | None = None) -> Tensor:
        """The infrared image."""
        check_source(source, self.in_channels, self.levels)
        vector, entries = self.conditions(source, vector, entries)
        self.generator.decoder.noise = self.noise
        planes = self.planes(source, vector, entries)
        return self.finish(self.generator(planes, vector), vector, entries)

    def planes(self, source: Tensor, vector: Tensor, entries: Tensor) -> Tensor:
        """What the encoder sees: the source, and with temperatures both segmentations and the edges."""
        if self.scale is None:
            return source
        told = (paint(vector, entries), class_edges(entries), class_masks(entries, self.count))
        return torch.cat((source, *told), dim=1)

    def finish(self, made: Tensor, vector: Tensor, entries: Tensor) -> Tensor:
        """The image of what the decoder gives."""
        if self.scale is None:
            return made
        return (paint(vector, entries) + self.scale * made).clamp(-1, 1)


def planes_count(config: Config) -> int:
    """Planes that encoder and critic see."""
    if not config.entries:
        return config.in_channels
    count = len(config.usual)
    return config.in_channels + 2 + (count if count > 1 else 0)


def build_translator(config: Config) -> StyleTranslator:
    """Encoder and decoder with fresh weights."""
    return StyleTranslator(config)


def create(config: Config) -> LayeredStyle:
    """A model with fresh weights."""
    return LayeredStyle(config)


class LayeredStyle(Backend[Config]):
    """The model with styles in training."""

    eager = ("critic",)  # its gradient penalty is differentiated twice

    def __init__(self, config: Config) -> None:
        self._network = build_translator(config)
        generators: dict[str, nn.Module] = {"generator": self._network.generator}
        if self._network.conditions.segmenter is not None:
            generators["segmenter"] = self._network.conditions.segmenter
        critic = PatchGAN(
            planes_count(config), config.out_channels, config.ndf, config.discriminator_layers, norm="none"
        )
        super().__init__(config, self._network, generators, {"critic": critic})

    def conditions(self, batch: Batch) -> tuple[Tensor, ...]:
        """Temperatures and masks of the batch."""
        return batch_vectors(batch, self._network.conditions.usual), batch_entries(batch)

    def generate(self, batch: Batch) -> Generated:
        """The image, what encoder and critic see, and what each pixel is said to show."""
        vectors, entries = self.conditions(batch)
        planes = self._network.planes(batch.source, vectors, entries)
        made = {"image": self._network.finish(self.run("generator", planes, vectors), vectors, entries)}
        if self._network.conditions.segmenter is not None:
            made["scores"] = self.run("segmenter", batch.source)
        return made | {"planes": planes}

    def _score(self, planes: Tensor, images: Tensor) -> Tensor:
        """(N,) scores of images."""
        logits: Tensor = self.run("critic", planes, images)
        return logits.mean(dim=(1, 2, 3))

    def _precise_score(self, planes: Tensor, images: Tensor) -> Tensor:
        """Scores to take slopes of: in float32, and past Fabric's wrapping, which lets nobody else go backwards."""
        logits: Tensor = self.discriminators["critic"](planes, images)
        return logits.mean(dim=(1, 2, 3))

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """By how much real images do not score above generated ones, and the penalty of steep slopes."""
        planes, fake = generated["planes"], generated["image"]
        scores = [self._score(planes, image) for image in (batch.target, fake)]
        penalty = gradient_penalty(lambda images: self._precise_score(planes, images), batch.target, fake)
        return {
            "critic": scores[1].mean() - scores[0].mean(),
            "critic_penalty": penalty * self.config.penalty_weight,
        }

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of the generator."""
        config, image = self.config, generated["image"]
        entries = batch_entries(batch)
        weight = entry_weights(entries, self._network.count) / len(image)
        terms = {"generator_l1": weighted_sum((image - batch.target).abs(), weight) * config.l1_weight}
        if config.gan_weight:
            terms["generator_gan"] = -self._score(generated["planes"], image).mean() * config.gan_weight
        if "scores" in generated:
            misses = functional.cross_entropy(generated["scores"], entries[:, 0].long(), reduction="none")[:, None]
            terms["segmenter"] = weighted_sum(misses, weight) * config.segmenter_weight
        return terms
