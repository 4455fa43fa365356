"""ThermalGAN: an infrared image in two stages, the temperatures of its objects being told.

Kniaz, Knyaz, Hladuvka, Kropatsch and Mizginov, "ThermalGAN: multimodal color-to-thermal image translation for person
re-identification in multispectral dataset", ECCV workshops 2018. The first generator makes a thermal segmentation S of
a source and a vector of temperatures, one for the background and one for each kind of object; it is a BicycleGAN (Zhu
et al., "Toward multimodal image-to-image translation", NeurIPS 2017) with that vector in the place of the random code.
The second, a pix2pix, makes the relative contrast R of S and the source. The image is S + R.

- The first stage has both cycles of BicycleGAN. An encoder reads the vector from a segmentation, and the generator
  makes that segmentation again (cVAE-GAN, with L1 and KL terms); a vector that is drawn makes a segmentation, from
  which the encoder reads it again (cLR-GAN, the latent loss). Weights are BicycleGAN's: L1 10, latent 0.5, KL 0.01.
- The second stage has the published code's U-Net of 9 levels with batch normalisation and dropout, L1 x 100, the
  vanilla loss, Adam with 2e-4 and 0.5. It learns from true segmentations, never from those of the first.
- Both stages share neither weights nor gradients, so they are trained side by side, a step of each in every step:
  the same as one after the other, and a run that was stopped goes on with both. ``stage`` trains one alone.

Where the text is silent or contradicts itself, and what is chosen here:

- Vector and segmentation come from the data: kelvin, masks and categories of a set of `gis synthesize`. An entry is the
  mean of its category in a frame. Images that are no such set have one entry, the background: the image's mean.
- The published code divides S by 40 on the way in and multiplies it by 30 on the way back. Here image, S and vector are
  numbers of one span of kelvin, and one constant, ``contrast_K``, scales R on both ways. The code clips R to 10 K; a
  frame with sky has 60 K, so the constant follows from the data.
- R is what an image leaves above the mean of each single object, so it has mean zero on each. What the vector says of a
  category holds for every object of it: that one of two cars is the warmer one is not made again.
- ``head``: of each pixel the first generator says which entries it shows, and S is the mean of the vector so weighed;
  a cross-entropy with the masks teaches it that (``entry_weight``). So the vector enters where the mean is taken, and
  not with the source. ``direct`` makes the temperature itself from both, as BicycleGAN would.
- Masks are known in training, so the segmentation that a drawn vector asks for is known too: it has an L1 term
  (``told_weight``), and the encoder one for the true vector. Entries that a frame does not show are drawn. In both L1
  terms of the first stage each entry counts alike, however few pixels show it: people fill a hundredth of a frame.
- One discriminator of S for both cycles, conditional on the source; BicycleGAN has two, each of two scales.
- Batch normalisation in all networks: the normalisation of each image by itself would forget how warm all of it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends import pix2pix
from gan.backends.base import Backend, Generated
from gan.backends.kelvin import KelvinConfig, batch_entries, batch_ids, batch_vectors, suggest_temperatures
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss
from gan.networks.layers import Norm, check_source
from gan.networks.patchgan import PatchGAN
from gan.networks.thermal_segmentation import (
    Head,
    SegmentationGenerator,
    VectorEncoder,
    entry_means,
    entry_weights,
    object_means,
    paint,
)
from gan.networks.unet import UNet, Upsample

__all__ = [
    "PAPER",
    "Config",
    "Stage",
    "ThermalGan",
    "ThermalTranslator",
    "build_translator",
    "create",
    "suggest",
    "suggest_temperatures",
]

PAPER: Final = (
    "Kniaz et al., ThermalGAN: multimodal color-to-thermal image translation for person re-identification in "
    "multispectral dataset, ECCV workshops 2018"
)

Stage = Literal["both", "segmentation", "contrast"]


@dataclass(frozen=True)
class Config(KelvinConfig):
    """Options of ThermalGAN; the defaults are the published ones for 512x512, and BicycleGAN's weights."""

    ngf: int = 64
    """Width of the first layer of both generators."""
    ndf: int = 64
    """Width of the first layer of both discriminators."""
    nef: int = 64
    """Width of the encoder's first layer."""
    levels: int = 9
    """Down-sampling steps of both generators; 9 for 512x512."""
    discriminator_layers: int = 5
    """Convolutions of both discriminators; 5 see 70x70."""
    norm: Norm = "batch"
    """Normalisation of all networks."""
    upsample: Upsample = "deconv"
    """How the decoders double their resolution."""
    dropout: float = 0.5
    """Probability of the second generator's dropout, the noise of pix2pix."""
    head: Head = "mixture"
    """mixture: the first generator says which entries a pixel shows; direct: its temperature."""
    stage: Stage = "both"
    """Which stages are trained; a model of segmentation alone gives S."""
    gan_loss: GanLoss = "vanilla"
    """Adversarial loss of the second stage; the first has least squares, as BicycleGAN."""
    gan_weight: float = 1.0
    """Weight of the adversarial losses."""
    l1_weight: float = 100.0
    """Weight of L1 in the second stage."""
    segmentation_weight: float = 10.0
    """Weight of L1 between a segmentation and the one that is made of its own vector as the encoder reads it."""
    told_weight: float = 10.0
    """Weight of L1 between the segmentation that a drawn vector asks for and the one that is made of it."""
    entry_weight: float = 1.0
    """Weight of the cross-entropy between the entries that pixels are said to show and the masks, with head=mixture."""
    latent_weight: float = 0.5
    """Weight of the difference between a vector and the one that the encoder reads."""
    kl_weight: float = 0.01
    """Weight of the divergence of what the encoder reads from a normal distribution."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        super().__post_init__()
        if self.out_channels != 1:
            raise ConfigError(f"out_channels is {self.out_channels}: expected 1, a temperature")


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels, levels and layers, as those of pix2pix follow from the size."""
    values = pix2pix.suggest(in_channels, out_channels, height_px, width_px)
    return values | {"discriminator_layers": min(values["discriminator_layers"], 5)}


class ThermalTranslator(nn.Module):
    """Source (N, C, H, W), and a vector (N, K) in numbers of the image, to an image (N, 1, H, W) in [-1, 1].

    Without a vector that of the mean of the training is taken. The second stage alone is given the segmentation itself,
    (N, 1, H, W), in the vector's place.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        usual = config.usual
        self.in_channels, self.levels = config.in_channels, config.levels
        self.contrast_scale, self.stage = config.contrast_scale, config.stage
        self.noise = False
        self.register_buffer("usual", torch.tensor(usual, dtype=torch.float32), persistent=False)
        if config.stage != "contrast":
            self.segmentation = SegmentationGenerator(
                config.in_channels,
                len(usual),
                config.ngf,
                config.levels,
                head=config.head,
                norm=config.norm,
                upsample=config.upsample,
            )
        if config.stage != "segmentation":
            self.contrast = UNet(
                1 + config.in_channels,
                1,
                config.ngf,
                config.levels,
                norm=config.norm,
                upsample=config.upsample,
                dropout=config.dropout,
                bias=config.norm != "batch",
            )

    def forward(self, source: Tensor, vector: Tensor | None = None) -> Tensor:
        """The infrared image."""
        check_source(source, self.in_channels, self.levels)
        segmentation = self._segment(source, vector)
        if self.stage == "segmentation":
            return segmentation
        self.contrast.noise = self.noise
        relative = self.contrast(torch.cat((segmentation, source), dim=1))
        image: Tensor = (segmentation + self.contrast_scale * relative).clamp(-1, 1)
        return image

    def _segment(self, source: Tensor, vector: Tensor | None) -> Tensor:
        if self.stage == "contrast":
            if vector is None:
                raise ConfigError("the model lacks the first stage (stage=contrast): train it with stage=both")
            return vector
        assert isinstance(self.usual, Tensor)
        told = self.usual.to(source.dtype).expand(source.shape[0], -1) if vector is None else vector
        segmentation: Tensor = self.segmentation(source, told)
        return segmentation


def build_translator(config: Config) -> ThermalTranslator:
    """Both generators with fresh weights.

    Raises:
        ConfigError: a model without its first stage has nothing to translate.
    """
    return ThermalTranslator(config)


def create(config: Config) -> ThermalGan:
    """A ThermalGAN with fresh weights."""
    return ThermalGan(config)


class ThermalGan(Backend[Config]):
    """ThermalGAN in training."""

    def __init__(self, config: Config) -> None:
        translator = build_translator(config)
        known = config.temperatures
        self._count = 1 if known is None else len(known.entries)
        limits = [(-1.0, 1.0)] if known is None else [
            (config.to_unit(entry.lowest_K), config.to_unit(entry.highest_K)) for entry in known.entries
        ]  # fmt: skip
        self._lowest, self._highest = (torch.tensor(column) for column in zip(*limits, strict=True))
        generators: dict[str, nn.Module] = {}
        discriminators: dict[str, nn.Module] = {}
        self._mixes = config.head == "mixture" and self._count > 1
        self._segments, self._contrasts = config.stage != "contrast", config.stage != "segmentation"
        if self._segments:
            generators["segmentation"] = translator.segmentation
            generators["encoder"] = VectorEncoder(self._count, config.nef, norm=config.norm)
            discriminators["segmentation_discriminator"] = self._patches(config, config.in_channels)
        if self._contrasts:
            generators["contrast"] = translator.contrast
            discriminators["contrast_discriminator"] = self._patches(config, 1 + config.in_channels)
        super().__init__(config, translator, generators, discriminators)

    @staticmethod
    def _patches(config: Config, source_channels: int) -> PatchGAN:
        return PatchGAN(source_channels, 1, config.ndf, config.discriminator_layers, norm=config.norm)

    def conditions(self, batch: Batch) -> tuple[Tensor, ...]:
        """The vectors of the batch: else an image would be compared with one of other weather.

        The second stage alone is given the true segmentation.
        """
        if not self._segments:
            return (object_means(batch.target, batch_ids(batch)),)
        usual = self._translator.usual
        assert isinstance(usual, Tensor)
        return (batch_vectors(batch, usual),)

    def generate(self, batch: Batch) -> Generated:
        """Segmentations of both cycles, and the relative contrast; with what they are compared with."""
        made: Generated = {}
        if self._segments:
            made |= self._segmentations(batch)
        if self._contrasts:
            made["true_means"] = object_means(batch.target, batch_ids(batch))
            made["contrast"] = self.run("contrast", torch.cat((made["true_means"], batch.source), dim=1))
        return made

    def _segmentations(self, batch: Batch) -> Generated:
        entries = batch_entries(batch)
        vectors, shown = entry_means(batch.target, entries, self._count)
        true = paint(vectors, entries)
        mean, log_variance = self.run("encoder", true).chunk(2, dim=1)  # (N, K) each
        noise = torch.randn_like(mean) * torch.exp(log_variance / 2)
        # What a frame does not show can be read from nothing: any value makes the same segmentation.
        drawn = self._draw(vectors)
        read = torch.where(shown, mean + noise, drawn)
        told = self._draw(vectors)
        mixes = self._mixes
        made, *scores = self.run("segmentation", batch.source, told, True) if mixes else [self._make(batch, told)]
        return {
            **({"scores": scores[0]} if mixes else {}),
            "vector": vectors,
            "shown": shown.float(),
            "mean": mean,
            "log_variance": log_variance,
            "true": true,
            "again": self._make(batch, read),
            "told_vector": told,
            "told": made,
            "wanted": paint(told, entries),
            "weight": entry_weights(entries, self._count),
        }

    def _make(self, batch: Batch, vectors: Tensor) -> Tensor:
        segmentation: Tensor = self.run("segmentation", batch.source, vectors)
        return segmentation

    def _draw(self, like: Tensor) -> Tensor:
        """Vectors (N, K), each entry uniform over what it was in training."""
        low, high = self._lowest.to(like), self._highest.to(like)
        return low + torch.rand_like(like) * (high - low)

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """How far true and made segmentations are mistaken for each other, and the same of contrasts."""
        terms: dict[str, Tensor] = {}
        if self._segments:
            real = self.run("segmentation_discriminator", batch.source, generated["true"])
            fakes = [
                self.run("segmentation_discriminator", batch.source, generated[name]) for name in ("again", "told")
            ]
            losses = [discriminator_loss("lsgan", real, fake) for fake in fakes]
            terms["segmentation_discriminator"] = torch.stack(losses).mean()
        if self._contrasts:
            source = torch.cat((generated["true_means"], batch.source), dim=1)
            images = (self._true_contrast(batch, generated), generated["contrast"])
            logits = [self.run("contrast_discriminator", source, image) for image in images]
            terms["contrast_discriminator"] = discriminator_loss(self.config.gan_loss, *logits)
        return terms

    def _true_contrast(self, batch: Batch, generated: Generated) -> Tensor:
        """What the target has above its segmentation, in units of the largest contrast."""
        return ((batch.target - generated["true_means"]) / self.config.contrast_scale).clamp(-1, 1)

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of both stages."""
        terms = self._segmentation_losses(batch, generated) if self._segments else {}
        if self._contrasts:
            config, fake = self.config, generated["contrast"]
            terms["contrast_l1"] = functional.l1_loss(fake, self._true_contrast(batch, generated)) * config.l1_weight
            if config.gan_weight:
                source = torch.cat((generated["true_means"], batch.source), dim=1)
                logits = self.run("contrast_discriminator", source, fake)
                terms["contrast_gan"] = generator_loss(config.gan_loss, logits) * config.gan_weight
        return terms

    def _segmentation_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        config, shown = self.config, generated["shown"]
        weight = generated["weight"] / len(shown)
        again = ((generated["again"] - generated["true"]).abs() * weight).sum() * config.segmentation_weight
        told = ((generated["told"] - generated["wanted"]).abs() * weight).sum() * config.told_weight
        # The encoder is to read the true vector, and the one that a made segmentation was told.
        latent = _mean_where(shown, (generated["mean"] - generated["vector"]).abs())
        latent = latent + _mean_where(shown, (self._read(generated["told"]) - generated["told_vector"]).abs())
        mean, log_variance = generated["mean"], generated["log_variance"]
        divergence = _mean_where(shown, (mean.square() + log_variance.exp() - 1 - log_variance) / 2)
        terms = {
            "segmentation_again": again,
            "segmentation_told": told,
            "segmentation_latent": latent * config.latent_weight,
            "segmentation_kl": divergence * config.kl_weight,
        }
        if "scores" in generated:
            places = batch_entries(batch)[:, 0].long()
            misses = functional.cross_entropy(generated["scores"], places, reduction="none")[:, None]
            terms["segmentation_entry"] = (misses * weight).sum() * config.entry_weight
        if config.gan_weight:
            logits = [
                self.run("segmentation_discriminator", batch.source, generated[name]) for name in ("again", "told")
            ]
            losses = [generator_loss("lsgan", one) for one in logits]
            terms["segmentation_gan"] = torch.stack(losses).mean() * config.gan_weight
        return terms

    def _read(self, segmentation: Tensor) -> Tensor:
        mean: Tensor = self.run("encoder", segmentation).chunk(2, dim=1)[0]
        return mean


def _mean_where(shown: Tensor, values: Tensor) -> Tensor:
    return (values * shown).sum() / shown.sum().clamp(min=1)
