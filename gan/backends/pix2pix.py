"""pix2pix: a U-Net generator against a conditional PatchGAN discriminator, with an L1 term.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017: objective
(4) with lambda 100, noise z as dropout in the decoder, Adam with rate 2e-4 and betas 0.5 / 0.999, batches of one
image, alternating steps of discriminator and generator (section 3.3), the generator against the discriminator just
updated.

Deviations from the paper, beside those named in `gan.networks.unet` and `gan.networks.patchgan`:

- The discriminator judges the real and the generated images of a step in one pass, and the same generated image serves
  both its step and the generator's. Both give the gradients of separate passes (but for batch normalisation, judged
  apart).
- The paper leaves the noise on at test time. Here `translate` is deterministic unless it is given a seed.
- beta2 and the linear decay over the second half of the epochs are not in the paper but in the authors' published code.
- Least-squares and hinge losses, LPIPS and gradient terms, resize-convolutions, a residual generator and a second
  discriminator of objects (`gan.losses.object_discriminator`) are options; all are off by default.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends.base import Backend, BackendConfig, Generated
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.losses.object_discriminator import ObjectDiscriminator, imagenet_features, object_crops, vary
from gan.losses.terms import (
    GanLoss,
    discriminator_loss,
    generator_loss,
    gradient_loss,
    object_weight,
    perceptual_loss,
    weighted_sum,
)
from gan.networks.layers import Norm
from gan.networks.patchgan import PatchGAN
from gan.networks.unet import UNet, Upsample
from gan.options import Option

__all__ = ["PAPER", "Config", "Pix2Pix", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Isola et al., Image-to-image translation with conditional adversarial networks, CVPR 2017, arXiv:1611.07004"
)

_MOST_LEVELS: Final = 9


@dataclass(frozen=True)
class Config(BackendConfig):
    """Options of pix2pix; the defaults are the published ones for 512x512."""

    ngf: int = 64
    """Width of the generator's first layer."""
    ndf: int = 64
    """Width of the discriminator's first layer."""
    levels: int = 9
    """Down-sampling steps of the generator; 9 for 512x512, 8 for 256x256."""
    discriminator_layers: int = 6
    """Convolutions of the discriminator."""
    norm: Norm = "instance"
    """Normalisation of both networks."""
    upsample: Upsample = "deconv"
    """How the decoder doubles its resolution."""
    dropout: float = 0.5
    """Probability of the decoder's dropout, the noise z."""
    residual: bool = False
    """The generator learns what to change in the first source channel: for sources that are nearly the image."""
    gan_loss: GanLoss = "vanilla"
    """Adversarial loss."""
    gan_weight: float = 1.0
    """Weight of the adversarial loss in the generator's objective."""
    l1_weight: float = 100.0
    """The paper's lambda."""
    lpips_weight: float = 0.0
    """Weight of LPIPS in the generator's objective; needs the backbone's weights."""
    background_weight: float = 1.0
    """What a pixel away from the objects of a source tensor counts in the L1 term; one of them, or near, counts 1."""
    gradient_weight: float = 0.0
    """Weight of the gradient difference in the generator's objective."""
    object_discriminator_weight: Annotated[float, Option("", old_names=("critic_weight",))] = 0.0
    """Weight of the discriminator of objects in the generator's objective; needs the weights of SqueezeNet. It also
    judges what is made of sources that have no target."""

    @property
    def judges_unpaired(self) -> bool:
        """Whether the discriminator of objects is there."""
        return self.object_discriminator_weight > 0


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels, as many levels as the edges can be halved (at most 9), and layers that leave a map of patches."""
    levels = 0
    while levels < _MOST_LEVELS and height_px % 2 ** (levels + 1) == 0 and width_px % 2 ** (levels + 1) == 0:
        levels += 1
    if levels < 2:
        raise ConfigError(f"images of {width_px}x{height_px} px: expected edges that are multiples of 4; give --size")
    # Layers with stride 2 halve the map and the last two take 1 px each; at 64 px five layers leave 6x6.
    layers = 6 if min(height_px, width_px) >= 128 else 4
    return {"in_channels": in_channels, "out_channels": out_channels, "levels": levels, "discriminator_layers": layers}


def build_translator(config: Config, skips: Collection[int] | None = None) -> UNet:
    """The generator with fresh weights; ``skips``: levels whose skip connections it has, None for all."""
    return UNet(
        config.in_channels,
        config.out_channels,
        config.ngf,
        config.levels,
        norm=config.norm,
        upsample=config.upsample,
        dropout=config.dropout,
        residual=config.residual,
        skips=skips,
    )


def create(config: Config) -> Pix2Pix:
    """A pix2pix with fresh weights."""
    return Pix2Pix(config)


class Pix2Pix(Backend[Config]):
    """pix2pix in training. Another generator may take the place of the U-Net.

    A step trains the discriminators first, then the generator against them.
    """

    eager = ("object_discriminator",)

    def __init__(self, config: Config, generator: nn.Module | None = None) -> None:
        self.generator = build_translator(config) if generator is None else generator
        discriminators: dict[str, nn.Module] = {}
        if config.gan_weight:
            discriminators["discriminator"] = PatchGAN(
                config.in_channels, config.out_channels, config.ndf, config.discriminator_layers, norm=config.norm
            )
        if config.object_discriminator_weight:
            discriminators["object_discriminator"] = ObjectDiscriminator()
        super().__init__(config, self.generator, {"generator": self.generator}, discriminators)

    def load_weights(self, weights_dir: str, device: torch.device) -> None:
        """Reads the networks that the loss terms look through, where they are switched on."""
        if self.config.object_discriminator_weight:
            self._features = imagenet_features(weights_dir, device)
        if self.config.lpips_weight:
            self._perceptual = perceptual_loss(weights_dir, device)

    def generate(self, batch: Batch) -> Generated:
        """Images of the sources; where the object discriminator judges, also those of sources without targets."""
        return {"image": self.run("generator", self._sources(batch))}

    def _sources(self, batch: Batch) -> Tensor:
        if not self.config.judges_unpaired or batch.unpaired is None:
            return batch.source
        return torch.cat((batch.source, batch.unpaired))

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """How far real and generated images are mistaken for each other; the same for objects."""
        image, terms = generated["image"], {}
        if self.config.gan_weight:
            real, fake = self._judge_both(batch, image[: len(batch.source)])
            terms["discriminator"] = discriminator_loss(self.config.gan_loss, real, fake)
        if self.config.object_discriminator_weight:
            reals = self._judge_objects(batch.target, batch.source)
            fakes = self._judge_objects(image, self._sources(batch))
            losses = [discriminator_loss("hinge", *pair) for pair in zip(reals, fakes, strict=True)]
            terms["object_discriminator"] = torch.stack(losses).mean()
        return terms

    def _judge_both(self, batch: Batch, fake: Tensor) -> Sequence[Tensor]:
        """Logits of the real and of the generated images."""
        source, target = batch.source, batch.target
        if self.config.norm == "batch":  # statistics of real and generated images apart, as in separate passes
            return [self.run("discriminator", source, image) for image in (target, fake)]
        both: Tensor = self.run("discriminator", torch.cat((source, source)), torch.cat((target, fake)))
        return both.chunk(2)

    def _judge_objects(self, images: Tensor, sources: Tensor) -> list[Tensor]:
        logits: list[Tensor] = self.run("object_discriminator", self._features(vary(object_crops(images, sources))))
        return logits

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of objective (4), and the optional ones."""
        config, target = self.config, batch.target
        fake = generated["image"][: len(target)]
        terms = {"generator_l1": self._l1(batch.source, fake, target) * config.l1_weight}
        if config.gan_weight:
            logits = self.run("discriminator", batch.source, fake)
            terms["generator_gan"] = generator_loss(config.gan_loss, logits) * config.gan_weight
        if config.gradient_weight:
            terms["generator_gradient"] = gradient_loss(fake, target) * config.gradient_weight
        if config.lpips_weight:
            terms["generator_lpips"] = self._perceptual(fake, target) * config.lpips_weight
        if config.object_discriminator_weight:
            judged = self._judge_objects(generated["image"], self._sources(batch))
            losses = [generator_loss("hinge", logits) for logits in judged]
            terms["generator_object"] = torch.stack(losses).mean() * config.object_discriminator_weight
        return terms

    def _l1(self, source: Tensor, fake: Tensor, target: Tensor) -> Tensor:
        if self.config.background_weight == 1:
            return functional.l1_loss(fake, target)
        weight = object_weight(source, self.config.background_weight)
        return weighted_sum((fake - target).abs(), weight / weight.sum())
