"""Disentangled codes: what both spectra share of an image, and what one of them alone shows; without pairs.

The generation module of Wang, Zhang, Yang, Cheng, Chang, Liang and Hou, "Cross-modality paired-images generation for
RGB-infrared person re-identification" (JSIA-ReID), AAAI 2020. One encoder gives a code of what both spectra share
(pose, shape) of visible and infrared images alike, one of each spectrum a code of what it alone shows. A decoder of
each spectrum puts two codes together; where they come from images of two spectra, an image appears that shows the
content of one as the other spectrum would. Its terms: L1 between an image and what is decoded from its own two codes;
the same after two exchanges (the cycle); L1 between the codes that an exchanged image was made of and those that are
read from it; least squares against discriminators of two scales. Weights 10, 10, 1, 1; Adam with 1e-4, 0.5 / 0.999.

Re-identification itself (features of instances, identities, their triplet and classification losses) is not here.

What is chosen where paper and published code are silent, contradict each other, or need what is not at hand:

- A source alone has no infrared code of its own. The paper takes that of another real image; here the decoder keeps the
  mean of the codes that it met in training, and ``translate`` decodes with that. So one source gives one image.
- The shared encoder of the published code is the first block of an ImageNet ResNet-50, at half of the images' size, and
  its features serve re-identification as well. Here it is made new: CycleGAN's first layers and ``blocks`` residual
  blocks, at a quarter of the images' size, with instance normalisation.
- It takes images without their colours, as the published code does: an RGB image by its luma, an infrared one repeated
  to three channels, by one first layer (``grey``). Where the channels do not fit (source tensors, several bands) each
  spectrum has a first layer of its own, and all channels are read.
- The published code lets no gradient of the code terms into the shared encoder, so that codes cannot shrink to please
  them. Here the codes of real images are constants in these terms, which serves the same end.
- The published code decodes the infrared image's own codes with the RGB decoder, against the paper's figure: taken for
  a slip. Here each image is decoded by the decoder of its spectrum.
- Both images of its steps show one person in two pictures. Here they are any two images, or with ``pairing=paired``
  both of one scene; no term looks at the pair.
- Adaptive normalisation multiplies by one plus what the code says, beside a scale and shift of its own: a fresh decoder
  would else let nothing through.
- `gan.networks.patchgan` in the place of a discriminator whose last layer is 1x1. Linear decay in the place of a step
  for the last 20 of 650 epochs; no weight decay.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Final

from torch import Tensor, nn
from torch.nn import functional

from gan.backends import cyclegan
from gan.backends.base import Backend, BackendConfig, Generated
from gan.data.batch import Batch, Pairing
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss
from gan.networks.disentangled import Decoder, ScaledPatchGAN, SharedEncoder, SpecificEncoder, Stem
from gan.networks.layers import with_channels
from gan.options import Option

__all__ = ["PAPER", "Config", "Disentangled", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Wang et al., Cross-modality paired-images generation for RGB-infrared person re-identification (JSIA-ReID), "
    "AAAI 2020"
)

# The second discriminator sees half of this; five layers leave 2x2 of 32 px.
_SMALLEST_FOR_FIVE_PX: Final = 64
_SMALLEST_FOR_FOUR_PX: Final = 32


@dataclass(frozen=True)
class Config(BackendConfig):
    """Options of the disentangled model; the defaults are the published ones where there are any."""

    in_channels: int = 3
    """Channels of the source."""
    learning_rate: float = 1e-4
    """Of all optimisers."""
    pairing: Annotated[Pairing, Option("")] = "unpaired"
    """Whether a step sees a source and a target of one scene, or any two."""
    ngf: int = 64
    """Width of the shared encoder's first layer; the code has four times as many channels, own encoders half of it."""
    ndf: int = 32
    """Width of the discriminators' first layer."""
    code: int = 128
    """Numbers in the code of what one spectrum alone shows."""
    blocks: int = 3
    """Residual blocks of the shared encoder."""
    decoder_blocks: int = 2
    """Residual blocks of the decoders, which the code scales and shifts."""
    grey: bool = True
    """The shared encoder takes colour images without their colours."""
    discriminator_layers: int = 5
    """Convolutions of the discriminators at each scale."""
    scales: int = 2
    """Scales at which the discriminators look."""
    gan_loss: GanLoss = "lsgan"
    """Adversarial loss."""
    reconstruction_weight: float = 10.0
    """Weight of the loss of images decoded from their own codes, for each spectrum."""
    cycle_weight: float = 10.0
    """Weight of the loss of images after two exchanges, for each spectrum."""
    code_weight: float = 1.0
    """Weight of the loss of codes that are read from exchanged images, for each code and spectrum."""


def suggest(in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
    """Channels, and layers that leave a map of patches at the second scale; edges as CycleGAN's."""
    fitting = cyclegan.suggest(in_channels, out_channels, height_px, width_px)
    shortest = min(height_px, width_px)
    layers = 5 if shortest >= _SMALLEST_FOR_FIVE_PX else 4 if shortest >= _SMALLEST_FOR_FOUR_PX else 3
    return {key: fitting[key] for key in ("in_channels", "out_channels")} | {"discriminator_layers": layers}


class DisentangledTranslator(nn.Module):
    """Shared code of a source, decoded with the typical code: (N, C, H, W) to (N, K, H, W), both in [-1, 1]."""

    def __init__(self, stem: Stem, shared_encoder: SharedEncoder, decoder: Decoder, channels: int) -> None:
        super().__init__()
        self.stem, self.shared_encoder, self.decoder = stem, shared_encoder, decoder
        self.channels = channels

    def forward(self, source: Tensor) -> Tensor:
        """Translates (N, C, H, W) to (N, K, H, W)."""
        fitting = with_channels(source, self.stem.channels) if source.shape[1] == self.channels else None
        image: Tensor = self.decoder(self.shared_encoder(self.stem(source if fitting is None else fitting)))
        return image


def build_translator(config: Config) -> DisentangledTranslator:
    """Encoder and decoder from sources to images, with fresh weights."""
    stem = Stem(_stem_channels(config), config.ngf, grey=config.grey)
    shared_encoder = SharedEncoder(config.ngf, config.blocks)
    return DisentangledTranslator(stem, shared_encoder, _decoder(config), config.in_channels)


def _decoder(config: Config) -> Decoder:
    return Decoder(config.out_channels, config.ngf, config.code, config.decoder_blocks)


def _stem_channels(config: Config) -> int:
    """Channels of the first layer that reads sources: three also for grey ones, where images have three."""
    return 3 if {config.in_channels, config.out_channels} == {1, 3} else config.in_channels


def create(config: Config) -> Disentangled:
    """A model with fresh weights."""
    return Disentangled(config)


class Disentangled(Backend[Config]):
    """The model in training; also `gan.backends.base.TwoWay`. It has no noise, so a seed changes no translation.

    A step trains encoders and decoders first, then the discriminators on the same images.
    """

    discriminators_first = False

    def __init__(self, config: Config) -> None:
        self.reverse_config = dataclasses.replace(
            config, in_channels=config.out_channels, out_channels=config.in_channels
        )
        forward = build_translator(config)
        shared, self.image_decoder = forward.shared_encoder, forward.decoder
        self.source_decoder = _decoder(self.reverse_config)
        stem, image_stem = forward.stem, forward.stem
        stems: dict[str, nn.Module] = {"stem": stem}
        if _stem_channels(config) != _stem_channels(self.reverse_config):
            image_stem = Stem(config.out_channels, config.ngf, grey=config.grey)
            stems["image_stem"] = image_stem
        self._stem_of_images = "image_stem" if "image_stem" in stems else "stem"
        self._reverse = DisentangledTranslator(image_stem, shared, self.source_decoder, config.out_channels)
        width = max(config.ngf // 2, 1)
        super().__init__(
            config,
            forward,
            generators={
                **stems,
                "shared_encoder": shared,
                "source_encoder": SpecificEncoder(config.in_channels, width, config.code),
                "image_encoder": SpecificEncoder(config.out_channels, width, config.code),
                "source_decoder": self.source_decoder,
                "image_decoder": self.image_decoder,
            },
            discriminators={
                name: ScaledPatchGAN(channels, config.ndf, config.discriminator_layers, config.scales)
                for name, channels in (
                    ("discriminator", config.out_channels),
                    ("source_discriminator", config.in_channels),
                )
            },
        )

    def reverse(self) -> tuple[Config, nn.Module]:
        """Configuration and network of the reverse translator, a model of its own."""
        return self.reverse_config, self._reverse

    def _shared(self, stem: str, image: Tensor) -> Tensor:
        """The code that both spectra share, (N, 4 * ngf, H / 4, W / 4)."""
        network = self.generators[stem]
        assert isinstance(network, Stem)
        fitting = with_channels(image, network.channels)
        code: Tensor = self.run("shared_encoder", self.run(stem, image if fitting is None else fitting))
        return code

    def generate(self, batch: Batch) -> Generated:
        """All four codes of the real images, and the images of exchanged ones."""
        codes = {
            "source_shared": self._shared("stem", batch.source),
            "image_shared": self._shared(self._stem_of_images, batch.target),
            "source_code": self.run("source_encoder", batch.source),
            "image_code": self.run("image_encoder", batch.target),
        }
        return codes | {
            "image": self.run("image_decoder", codes["source_shared"], codes["image_code"]),
            "source": self.run("source_decoder", codes["image_shared"], codes["source_code"]),
        }

    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of encoders and decoders."""
        rows = (  # of the exchanged image: its stem, what it should show, whose spectrum it has
            ("image", self._stem_of_images, "source", batch.target, self.image_decoder),
            ("source", "stem", "image", batch.source, self.source_decoder),
        )
        config, terms, read = self.config, {}, {}
        for domain, stem, other, real, decoder in rows:
            code = generated[f"{domain}_code"]
            decoder.remember(code)
            own = self.run(f"{domain}_decoder", generated[f"{domain}_shared"], code)
            terms[f"reconstruction_{domain}"] = functional.l1_loss(own, real) * config.reconstruction_weight
            read[other] = self._shared(stem, generated[domain])
            shared_error = functional.l1_loss(read[other], generated[f"{other}_shared"].detach())
            code_error = functional.l1_loss(self.run(f"{domain}_encoder", generated[domain]), code.detach())
            terms[f"codes_{domain}"] = (shared_error + code_error) * config.code_weight
            terms[f"gan_{domain}"] = self._adversarial(domain, generated[domain])
        for domain, _, _, real, _ in rows:
            cycled = self.run(f"{domain}_decoder", read[domain], generated[f"{domain}_code"])
            terms[f"cycle_{domain}"] = functional.l1_loss(cycled, real) * config.cycle_weight
        return terms

    def _adversarial(self, domain: str, image: Tensor) -> Tensor:
        logits: list[Tensor] = self.run(_JUDGES[domain], image)
        return sum((generator_loss(self.config.gan_loss, scale) for scale in logits), start=image.new_zeros(()))

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """How far each discriminator mistakes real and exchanged images for each other, over its scales."""
        terms = {}
        for domain, real in (("image", batch.target), ("source", batch.source)):
            name = _JUDGES[domain]
            both = zip(self.run(name, real), self.run(name, generated[domain]), strict=True)
            losses = (discriminator_loss(self.config.gan_loss, *logits) for logits in both)
            terms[name] = sum(losses, start=real.new_zeros(()))
        return terms


_JUDGES: Final = {"image": "discriminator", "source": "source_discriminator"}
