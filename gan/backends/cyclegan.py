"""CycleGAN: two generators that undo each other, for visible and infrared images with or without pairs.

"Infrared Image Generation From RGB Images Using CycleGAN" trains the CycleGAN of Zhu, Park, Isola and Efros (ICCV
2017, arXiv:1703.10593) from RGB to infrared images and back, in four variants: unpaired or paired sampling, without or
with electromagnetic-spectrum normalisation (EMSN; `gan.data.spectrum`). ResNet generators with ReLU or leaky ReLU,
70x70 PatchGANs, least squares, cycle loss with weight 10, identity loss with half of that, a pool of 50 images, batches
of one image, Adam with rate 2e-4 and betas 0.5 / 0.999, constant for half of the epochs, then linear to zero.

What is chosen where the paper is silent or contradicts itself:

- EMSN as its equations stand cancels; ``emsn="printed"`` computes it, ``emsn="joint"`` puts both domains on one
  spectrum. Losses are taken on normalised images, so with ``joint`` the visible half of the cycle loss weighs a 35th
  of the infrared one. Inputs and outputs of the translator are plain images in every variant. With ``joint`` training
  always computes in float32: in bfloat16 the visible band has 15 values left.
- Paired sampling shows both images of a pair in one step. It adds no loss between them.
- The identity loss asks a generator to leave images of its target domain alone, which needs equal channels. A grey
  image is repeated for a generator of 3 channels; a generator of other channels than its images (infrared to RGB, or
  source tensors) has no identity loss.
- A source tensor of 7 channels counts as a visible image, in all its channels.

Deviations from the CycleGAN paper beside those named in `gan.networks.resnet` and `gan.networks.patchgan`:

- Each network has an Adam of its own; for two networks in one step that is the same as one Adam for both.
- With several micro-batches in a step (``--accumulate``) the pool is asked once for each.
- With several processes each keeps a pool, and a checkpoint holds that of the first.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from torch import Tensor, nn
from torch.nn import functional

from gan.backends.base import Backend, BackendConfig, Generated
from gan.data.batch import Batch, Pairing
from gan.data.spectrum import Band, Emsn, Spectrum
from gan.errors import ConfigError
from gan.losses.image_pool import ImagePool
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss
from gan.networks.layers import Norm, with_channels
from gan.networks.patchgan import PatchGAN
from gan.networks.resnet import Activation, ResNetGenerator
from gan.options import Option

__all__ = ["PAPER", "Config", "CycleGAN", "Direction", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Infrared Image Generation From RGB Images Using CycleGAN; "
    "Zhu et al., Unpaired image-to-image translation using cycle-consistent adversarial networks, ICCV 2017"
)

Direction = Literal["visible_to_infrared", "infrared_to_visible"]

_MULTIPLE_PX: Final = 4
_SMALLEST_PX: Final = 16
# Five convolutions see 70x70 px; below this edge they would leave no map.
_SMALLEST_FOR_70_PX: Final = 32
# Zhu et al., section 7.2: six blocks for 128x128, nine for 256x256 and more.
_NINE_BLOCKS_PX: Final = 256


@dataclass(frozen=True)
class Config(BackendConfig):
    """Options of CycleGAN; the defaults are the published ones for 256x256."""

    in_channels: int = 3
    """Channels of the source."""
    pairing: Annotated[Pairing, Option("", old_names=("sampling",))] = "unpaired"
    """Whether a step sees a source and a target of one scene, or any two."""
    emsn: Emsn = "none"
    """Electromagnetic-spectrum normalisation: none, as printed, or on one joint spectrum."""
    direction: Direction = "visible_to_infrared"
    """What source and image are; it says which band each lies in."""
    ngf: int = 64
    """Width of the generators' first layer."""
    ndf: int = 64
    """Width of the discriminators' first layer."""
    blocks: int = 9
    """Residual blocks of the generators."""
    activation: Activation = "relu"
    """Activation of the generators."""
    discriminator_layers: int = 5
    """Convolutions of the discriminators; 5 see 70x70 px."""
    norm: Norm = "instance"
    """Normalisation of all networks."""
    gan_loss: GanLoss = "lsgan"
    """Adversarial loss."""
    cycle_weight: float = 10.0
    """Weight of the cycle loss, for each domain."""
    identity_weight: float = 5.0
    """Weight of the identity loss, for each domain; 0 for none."""
    pool: int = 50
    """Generated images that each discriminator is reminded of; 0 for none."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels, blocks by the size of the images, and layers that leave a map of patches."""
    shortest = min(height_px, width_px)
    if height_px % _MULTIPLE_PX or width_px % _MULTIPLE_PX or shortest < _SMALLEST_PX:
        raise ConfigError(
            f"images of {width_px}x{height_px} px: expected edges that are multiples of {_MULTIPLE_PX}, "
            f"{_SMALLEST_PX} at least; give --size"
        )
    return {
        "in_channels": in_channels,
        "out_channels": out_channels,
        "blocks": 9 if shortest >= _NINE_BLOCKS_PX else 6,
        "discriminator_layers": 5 if shortest >= _SMALLEST_FOR_70_PX else 3,
    }


class CycleTranslator(nn.Module):
    """A generator between plain images: source (N, C, H, W) to image (N, K, H, W), both in [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        bands: list[Band] = ["visible", "infrared"]
        source, image = bands if config.direction == "visible_to_infrared" else reversed(bands)
        self.generator = ResNetGenerator(
            config.in_channels,
            config.out_channels,
            config.ngf,
            config.blocks,
            norm=config.norm,
            activation=config.activation,
        )
        self.levels = self.generator.levels
        self.source_spectrum = Spectrum(config.emsn, source)
        self.image_spectrum = Spectrum(config.emsn, image)

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, C, H, W) to (N, K, H, W)."""
        normalised = self.source_spectrum(source).to(source.dtype)
        return self.image_spectrum.inverse(self.generator(normalised))


def build_translator(config: Config) -> CycleTranslator:
    """The generator of the configured direction, with fresh weights."""
    return CycleTranslator(config)


def create(config: Config) -> CycleGAN:
    """A CycleGAN with fresh weights."""
    return CycleGAN(config)


class CycleGAN(Backend[Config]):
    """CycleGAN in training; also `gan.backends.base.TwoWay`. It has no noise, so a seed changes no translation.

    "Forward" is from source to image as configured, "reverse" the other way. A step trains both generators first, then
    both discriminators on the same images and those of the pools.
    """

    discriminators_first = False

    def __init__(self, config: Config) -> None:
        self.reverse_config = _turned(config)
        self.forward_translator = build_translator(config)
        self.reverse_translator = build_translator(self.reverse_config)
        self.float32_only = config.emsn == "joint"
        image_discriminator, source_discriminator = (
            PatchGAN(0, channels, config.ndf, config.discriminator_layers, norm=config.norm)
            for channels in (config.out_channels, config.in_channels)
        )
        super().__init__(
            config,
            self.forward_translator,
            generators={
                "generator": self.forward_translator.generator,
                "reverse_generator": self.reverse_translator.generator,
            },
            discriminators={"discriminator": image_discriminator, "source_discriminator": source_discriminator},
            pools={"image": ImagePool(config.pool), "source": ImagePool(config.pool)},
        )

    def reverse(self) -> tuple[Config, nn.Module]:
        """Configuration and network of the reverse translator, a model of its own."""
        return self.reverse_config, self.reverse_translator

    def _normalised(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Sources and targets as the networks see them."""
        forward = self.forward_translator
        return forward.source_spectrum(batch.source), forward.image_spectrum(batch.target)

    def generate(self, batch: Batch) -> Generated:
        """Both translations."""
        source, target = self._normalised(batch)
        return {"source": self.run("reverse_generator", target), "image": self.run("generator", source)}

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of both generators' objective."""
        config = self.config
        source, target = self._normalised(batch)
        cycled_source = self.run("reverse_generator", generated["image"])
        cycled_image = self.run("generator", generated["source"])
        image_logits = self.run("discriminator", None, generated["image"])
        source_logits = self.run("source_discriminator", None, generated["source"])
        terms = {
            "generator_gan": generator_loss(config.gan_loss, image_logits),
            "reverse_gan": generator_loss(config.gan_loss, source_logits),
            "cycle_source": functional.l1_loss(cycled_source, source) * config.cycle_weight,
            "cycle_image": functional.l1_loss(cycled_image, target) * config.cycle_weight,
        }
        return terms | (self._identity_losses(source, target) if config.identity_weight else {})

    def _identity_losses(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """How far each generator changes images of its own target domain; none where their channels do not fit."""
        config, terms = self.config, {}
        rows = (
            ("identity_image", "generator", target, config.in_channels),
            ("identity_source", "reverse_generator", source, config.out_channels),
        )
        for term, generator, image, channels in rows:
            fitting = with_channels(image, channels)
            if fitting is not None:
                terms[term] = functional.l1_loss(self.run(generator, fitting), image) * config.identity_weight
        return terms

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """How far each discriminator mistakes real images and those of its pool for each other."""
        source, target = self._normalised(batch)
        rows = (("discriminator", target, "image"), ("source_discriminator", source, "source"))
        terms = {}
        for name, real, domain in rows:
            remembered = self.pools[domain].swap(generated[domain], self.rng)
            logits = self.run(name, None, real), self.run(name, None, remembered)
            terms[name] = discriminator_loss(self.config.gan_loss, *logits)
        return terms


def _turned(config: Config) -> Config:
    """The configuration of the translator in the other direction."""
    other: Direction = "infrared_to_visible" if config.direction == "visible_to_infrared" else "visible_to_infrared"
    return dataclasses.replace(
        config, in_channels=config.out_channels, out_channels=config.in_channels, direction=other
    )
