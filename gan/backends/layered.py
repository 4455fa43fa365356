"""Layered GAN: a generator and a discriminator for each class, and an image that is put together of their layers.

Mizginov, Kniaz and Fomin, "A method for synthesizing thermal images using GAN multi-layered approach", ISPRS Archives
2021, has two models; this is the second (the first: `gan.backends.layered_style`). The semantic segmentation
is split into an image for each class; with it and the colour image the generator makes the picture layer by layer, one
for each class, and each layer has a discriminator of its own. No layer knows of another one, and masks are exact: where
one class is drawn again, with another temperature or other noise, each other pixel keeps its bits.

More is not public, so all that follows is an interpretation:

- A class's generator is pix2pix's U-Net. It reads the source and the mask of its class, and its layer counts inside of
  that mask alone. The discriminator is a PatchGAN that sees source, mask, and the image inside of the mask.
- A class's discriminator counts in the patches that its mask touches: else a person, who fills a hundredth of a frame,
  would be judged by empty patches.
- Segmentation and temperatures come from the data: kelvin, masks and categories of a set of `gis synthesize`. Objects
  of one category are one class, all else is the background.
- The paper's second model is told no temperatures. Here a layer is the temperature that its class is told plus what the
  generator makes of contrast, so that a class can be drawn warmer; untold it has the mean of the training. As the
  generator does not read that number, 10 K more are 10 K more, but for the ends of the span.
- In the L1 term each class counts alike in each image, however few pixels show it.
- Where the translator is given no segmentation, another U-Net says of each pixel which class it shows; the masks teach
  it (``segmenter_weight``). It has no part in the other losses.
- A class that no training frame shows has a layer that has learned nothing.
- Losses and weights are pix2pix's: vanilla and L1 x 100.
- Images that are no such set, plain pairs of source and infrared image, have one class and so one layer: that is
  pix2pix with a U-Net of its own options, and nothing can be drawn again alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends import pix2pix
from gan.backends.base import Backend, Generated
from gan.backends.kelvin import KelvinConfig, batch_entries, batch_vectors, suggest_temperatures
from gan.data.batch import Batch
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss, weighted_sum
from gan.networks.class_masks import Conditions, class_masks, put_together
from gan.networks.layers import Norm, check_source
from gan.networks.patchgan import PatchGAN
from gan.networks.thermal_segmentation import entry_weights
from gan.networks.unet import UNet, Upsample

__all__ = [
    "PAPER",
    "Config",
    "Layered",
    "LayeredTranslator",
    "build_translator",
    "create",
    "suggest",
    "suggest_temperatures",
]

PAPER: Final = (
    "Mizginov et al., A method for synthesizing thermal images using GAN multi-layered approach, ISPRS Archives "
    "2021: its second model, layer by layer"
)


@dataclass(frozen=True)
class Config(KelvinConfig):
    """Options of the layered GAN; the defaults are pix2pix's for 512x512."""

    ngf: int = 64
    """Width of the first layer of each class's generator."""
    ndf: int = 64
    """Width of the first layer of each class's discriminator."""
    levels: int = 9
    """Down-sampling steps of the generators; 9 for 512x512."""
    discriminator_layers: int = 6
    """Convolutions of the discriminators."""
    segmenter_width: int = 32
    """Width of the first layer of the network that says what a pixel shows."""
    norm: Norm = "instance"
    """Normalisation of all networks."""
    upsample: Upsample = "deconv"
    """How the decoders double their resolution."""
    dropout: float = 0.5
    """Probability of the generators' dropout, the noise of pix2pix."""
    gan_loss: GanLoss = "vanilla"
    """Adversarial loss of each layer."""
    gan_weight: float = 1.0
    """Weight of the adversarial loss, the mean over the layers."""
    l1_weight: float = 100.0
    """Weight of L1."""
    segmenter_weight: float = 1.0
    """Weight of the cross-entropy between the classes that pixels are said to show and the masks."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Options that follow from the data, as those of pix2pix."""
    return pix2pix.suggest(in_channels, out_channels, height_px, width_px)


class LayeredTranslator(nn.Module):
    """Source (N, C, H, W), a vector (N, K) and the class of each pixel, to an image (N, 1, H, W) in [-1, 1].

    The vector is in numbers of the image; without it that of the mean of the training is taken. Classes are (N, 1, H,
    W) whole numbers, the places in the vector; without them `Conditions` says them.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.in_channels, self.levels = config.in_channels, config.levels
        self.scale = config.contrast_scale if config.entries else None
        self.noise = False
        self.noisy: Collection[int] | None = None
        """Layers that ``noise`` switches on; None for all."""
        self.conditions = Conditions(
            config.in_channels,
            config.usual,
            config.segmenter_width,
            config.levels,
            norm=config.norm,
            upsample=config.upsample,
        )
        self.layers = nn.ModuleList(self._layer(config, len(config.usual)) for _ in config.usual)

    @staticmethod
    def _layer(config: Config, count: int) -> UNet:
        return UNet(
            config.in_channels + (count > 1),
            config.out_channels,
            config.ngf,
            config.levels,
            norm=config.norm,
            upsample=config.upsample,
            dropout=config.dropout,
        )

    def forward(self, source: Tensor, vector: Tensor | None = None, entries: Tensor | None = None) -> Tensor:
        """The infrared image."""
        check_source(source, self.in_channels, self.levels)
        vector, entries = self.conditions(source, vector, entries)
        masks = class_masks(entries, len(self.layers))
        layers = []
        for place, layer in enumerate(self.layers):
            assert isinstance(layer, UNet)
            layer.noise = self.noise and (self.noisy is None or place in self.noisy)
            contrast = layer(torch.cat((source, masks[:, place : place + 1]), dim=1))
            layers.append(self.finish(contrast, vector[:, place]))
        return put_together(layers, entries)

    def finish(self, contrast: Tensor, told: Tensor) -> Tensor:
        """A layer (N, K, H, W) of its contrast in [-1, 1], and the temperature (N,) that its class is told."""
        if self.scale is None:
            return contrast
        return (told[:, None, None, None] + self.scale * contrast).clamp(-1, 1)


def build_translator(config: Config) -> LayeredTranslator:
    """The generators of all classes with fresh weights."""
    return LayeredTranslator(config)


def create(config: Config) -> Layered:
    """A layered GAN with fresh weights."""
    return Layered(config)


class Layered(Backend[Config]):
    """The layered GAN in training: a step of all layers."""

    def __init__(self, config: Config) -> None:
        self._network = build_translator(config)
        known = config.temperatures
        self._names = ("all",) if known is None else known.names
        count = len(self._names)
        generators: dict[str, nn.Module] = {
            f"layer_{name}": layer for name, layer in zip(self._names, self._network.layers, strict=True)
        }
        if self._network.conditions.segmenter is not None:
            generators["segmenter"] = self._network.conditions.segmenter
        discriminators = {
            f"discriminator_{name}": PatchGAN(
                config.in_channels + (count > 1),
                config.out_channels,
                config.ndf,
                config.discriminator_layers,
                norm=config.norm,
            )
            for name in self._names
        }
        super().__init__(config, self._network, generators, discriminators)

    def conditions(self, batch: Batch) -> tuple[Tensor, ...]:
        """Temperatures and masks of the batch."""
        return batch_vectors(batch, self._network.conditions.usual), batch_entries(batch)

    def generate(self, batch: Batch) -> Generated:
        """The image, put together of all layers; and what each pixel is said to show."""
        vectors, entries = self.conditions(batch)
        layers = [
            self._network.finish(self.run(f"layer_{name}", source), vectors[:, place])
            for place, (name, source) in enumerate(zip(self._names, self._sources(batch), strict=True))
        ]
        made = {"image": put_together(layers, entries)}
        if self._network.conditions.segmenter is not None:
            made["scores"] = self.run("segmenter", batch.source)
        return made

    def _sources(self, batch: Batch) -> list[Tensor]:
        """For each class the source, and the mask beside it where there are several."""
        masks = class_masks(batch_entries(batch), len(self._names))
        return [torch.cat((batch.source, masks[:, k : k + 1]), dim=1) for k in range(len(self._names))]

    def _judge(self, batch: Batch, *images: Tensor) -> list[list[Tensor]]:
        """For each class the logits of images, of the patches that show it."""
        entries, count = batch_entries(batch), len(self._names)
        judged = []
        for place, (name, source) in enumerate(zip(self._names, self._sources(batch), strict=True)):
            inside = (entries == place).float()
            maps = [self.run(f"discriminator_{name}", source, image * inside) for image in images]
            shown = functional.adaptive_max_pool2d(inside, maps[0].shape[-2:]) > 0
            judged.append([logits[shown] for logits in maps] if count > 1 else maps)
        return judged

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """How far real and generated layers are mistaken for each other, for each class."""
        losses = {}
        for name, (real, fake) in zip(self._names, self._judge(batch, batch.target, generated["image"]), strict=True):
            # An image that shows nothing of a class has no patch of it; the sum keeps the networks in the graph.
            loss = discriminator_loss(self.config.gan_loss, real, fake) if real.numel() else real.sum() + fake.sum()
            losses[f"discriminator_{name}"] = loss
        return losses

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of all layers."""
        config, image = self.config, generated["image"]
        entries = batch_entries(batch)
        weight = entry_weights(entries, len(self._names)) / len(image)
        terms = {"generator_l1": weighted_sum((image - batch.target).abs(), weight) * config.l1_weight}
        if config.gan_weight:
            judged = [logits for (logits,) in self._judge(batch, image)]
            losses = [generator_loss(config.gan_loss, one) if one.numel() else one.sum() for one in judged]
            terms["generator_gan"] = torch.stack(losses).mean() * config.gan_weight
        if "scores" in generated:
            misses = functional.cross_entropy(generated["scores"], entries[:, 0].long(), reduction="none")[:, None]
            terms["segmenter"] = weighted_sum(misses, weight) * config.segmenter_weight
        return terms
