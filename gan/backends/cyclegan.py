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

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends.base import StepOptions
from gan.backends.steps import frozen, load_optimiser, translate
from gan.data.batch import Batch, Pairing
from gan.data.spectrum import Band, Emsn, Spectrum
from gan.errors import ConfigError
from gan.losses.image_pool import ImagePool
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss
from gan.networks.patchgan import PatchGAN
from gan.networks.resnet import Activation, ResNetGenerator
from gan.networks.unet import Norm

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["PAIRING", "PAPER", "Config", "CycleGAN", "Direction", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Infrared Image Generation From RGB Images Using CycleGAN; "
    "Zhu et al., Unpaired image-to-image translation using cycle-consistent adversarial networks, ICCV 2017"
)
PAIRING: Pairing = "unpaired"

Direction = Literal["visible_to_infrared", "infrared_to_visible"]

_MULTIPLE_PX: Final = 4
_SMALLEST_PX: Final = 16
# Five convolutions see 70x70 px; below this edge they would leave no map.
_SMALLEST_FOR_70_PX: Final = 32
# Zhu et al., section 7.2: six blocks for 128x128, nine for 256x256 and more.
_NINE_BLOCKS_PX: Final = 256
_POOL: Final = 0


@dataclass(frozen=True)
class Config:
    """Options of CycleGAN; the defaults are the published ones for 256x256."""

    in_channels: int = 3
    """Channels of the source."""
    out_channels: int = 1
    """Channels of the image."""
    sampling: Pairing = "unpaired"
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
    learning_rate: float = 2e-4
    """Of all optimisers."""
    beta1: float = 0.5
    """Of Adam."""
    beta2: float = 0.999
    """Of Adam."""
    decay_from: float = 0.5
    """Share of the epochs after which the learning rate falls linearly towards zero."""


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


class _Precise(nn.Module):
    """Runs a network in float32 under autocast too."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor | None) -> Tensor:
        device = next(self.network.parameters()).device.type
        with torch.autocast(device, enabled=False):
            y: Tensor = self.network(*(None if x is None else x.float() for x in inputs))
            return y


def build_translator(config: Config) -> CycleTranslator:
    """The generator of the configured direction, with fresh weights."""
    return CycleTranslator(config)


def create(config: Config) -> CycleGAN:
    """A CycleGAN with fresh weights."""
    return CycleGAN(config)


class CycleGAN:
    """CycleGAN in training; see `gan.backends.base.Backend` and `gan.backends.base.TwoWay`.

    "Forward" is from source to image as configured, "reverse" the other way.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.reverse_config = _turned(config)
        self.forward_translator = build_translator(config)
        self.reverse_translator = build_translator(self.reverse_config)
        self.image_discriminator, self.source_discriminator = (
            PatchGAN(0, channels, config.ndf, config.discriminator_layers, norm=config.norm)
            for channels in (config.out_channels, config.in_channels)
        )
        self._image_pool, self._source_pool = ImagePool(config.pool), ImagePool(config.pool)

    def setup(self, fabric: Fabric, options: StepOptions) -> None:
        """Moves the networks to the device, makes the optimisers and wraps both."""
        self._fabric = fabric
        self._runners: dict[str, Any] = {}
        self._optimisers: dict[str, Any] = {}
        order = torch.channels_last if options.channels_last else torch.contiguous_format
        for name, network in self.networks().items():
            self._runners[name], self._optimisers[name] = self._wrap(network, order, options.compile)
        for translator in (self.forward_translator, self.reverse_translator):
            translator.to(fabric.device)

    def _wrap(self, network: nn.Module, order: torch.memory_format, compiled: bool) -> tuple[Any, Any]:
        network.to(self._fabric.device).to(memory_format=order)  # type: ignore[call-overload]
        config = self.config
        betas = (config.beta1, config.beta2)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas, fused=True)
        runner: Any = _Precise(network) if config.emsn == "joint" else network
        if compiled:
            runner = torch.compile(runner)
        wrapped: tuple[Any, Any] = self._fabric.setup(runner, optimiser)
        return wrapped

    def networks(self) -> dict[str, nn.Module]:
        """Both generators and both discriminators."""
        return {
            "generator": self.forward_translator.generator,
            "reverse_generator": self.reverse_translator.generator,
            "discriminator": self.image_discriminator,
            "source_discriminator": self.source_discriminator,
        }

    def translator(self) -> nn.Module:
        """The forward generator with its normalisation."""
        return self.forward_translator

    def reverse(self) -> tuple[Config, nn.Module]:
        """Configuration and network of the reverse translator, a model of its own."""
        return self.reverse_config, self.reverse_translator

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Constant rate, then linear to zero: epoch ``epochs`` (never run) would have rate 0."""
        decay_from = int(epochs * self.config.decay_from)
        factor = 1.0 if epoch < decay_from else (epochs - epoch) / (epochs - decay_from)
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.config.learning_rate * factor

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One step of both generators, then one of both discriminators on the same images and those of the pools."""
        for network in self.networks().values():
            network.train()
        rng = np.random.default_rng([torch.initial_seed(), _POOL])
        losses: dict[str, Tensor] = {}
        normalised = [self._normalised(batch) for batch in batches]
        with frozen(self.image_discriminator), frozen(self.source_discriminator):
            fakes = [
                self._generator_pass(batch, losses, position, len(batches)) for position, batch in enumerate(normalised)
            ]
        self._step("generator", "reverse_generator")
        for position, (batch, fake) in enumerate(zip(normalised, fakes, strict=True)):
            with self._accumulating(("discriminator", "source_discriminator"), position, len(batches)):
                self._backward(self._discriminator_losses(batch, fake, rng), len(batches), losses)
        self._step("discriminator", "source_discriminator")
        return losses

    def _normalised(self, batch: Batch) -> Batch:
        forward = self.forward_translator
        return Batch(forward.source_spectrum(batch.source), forward.image_spectrum(batch.target))

    def _generator_pass(self, batch: Batch, losses: dict[str, Tensor], position: int, count: int) -> Batch:
        """Backward pass of all terms of the generators; returns the generated images without their graph."""
        with self._accumulating(("generator", "reverse_generator"), position, count):
            fake = Batch(self._run("reverse_generator", batch.target), self._run("generator", batch.source))
            self._backward(self._generator_losses(batch, fake), count, losses)
        return Batch(fake.source.detach(), fake.target.detach())

    def _generator_losses(self, batch: Batch, fake: Batch) -> dict[str, Tensor]:
        """The weighted terms of both generators' objective."""
        config = self.config
        cycled = Batch(self._run("reverse_generator", fake.target), self._run("generator", fake.source))
        terms = {
            "generator_gan": generator_loss(config.gan_loss, self._judge("discriminator", fake.target)),
            "reverse_gan": generator_loss(config.gan_loss, self._judge("source_discriminator", fake.source)),
            "cycle_source": functional.l1_loss(cycled.source, batch.source) * config.cycle_weight,
            "cycle_image": functional.l1_loss(cycled.target, batch.target) * config.cycle_weight,
        }
        if config.identity_weight:
            pairs = (
                ("generator", batch.target, config.in_channels),
                ("reverse_generator", batch.source, config.out_channels),
            )
            for name, image, channels in pairs:
                shown = _with_channels(image, channels)
                if shown is not None:
                    term = functional.l1_loss(self._run(name, shown), image)
                    terms["identity_image" if name == "generator" else "identity_source"] = (
                        term * config.identity_weight
                    )
        return terms

    def _discriminator_losses(self, batch: Batch, fake: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        rows = (
            ("discriminator", batch.target, self._image_pool.swap(fake.target, rng)),
            ("source_discriminator", batch.source, self._source_pool.swap(fake.source, rng)),
        )
        return {
            name: discriminator_loss(
                self.config.gan_loss, self._run(name, None, real), self._run(name, None, generated)
            )
            for name, real, generated in rows
        }

    def _run(self, name: str, *inputs: Tensor | None) -> Tensor:
        output: Tensor = self._runners[name](*inputs)
        return output.float()

    def _judge(self, name: str, image: Tensor) -> Tensor:
        """Logits for the generators' step, which needs no gradient of the weights; DDP would wait for them."""
        if self._fabric.world_size == 1:
            return self._run(name, None, image)
        network = self.networks()[name]
        with self._fabric.autocast():
            logits: Tensor = (_Precise(network) if self.config.emsn == "joint" else network)(None, image)
        return logits.float()

    @contextlib.contextmanager
    def _accumulating(self, names: Sequence[str], position: int, count: int) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(self._fabric.no_backward_sync(self._runners[name], enabled=position < count - 1))
            yield

    def _backward(self, terms: dict[str, Tensor], count: int, losses: dict[str, Tensor]) -> None:
        self._fabric.backward(torch.stack(list(terms.values())).sum() / count)
        for name, term in terms.items():
            losses[name] = losses.get(name, 0.0) + term.detach() / count

    def _step(self, *names: str) -> None:
        for name in names:
            self._optimisers[name].step()
            self._optimisers[name].zero_grad(set_to_none=True)

    def translate(self, source: Tensor, seed: int | None = None, *, reverse: bool = False) -> Tensor:
        """Source to image, or image to source; CycleGAN has no noise, so a seed changes nothing.

        Args:
            source: (N, C, H, W) float32 in [-1, 1]; (N, K, H, W) where ``reverse``.
            seed: Not used.
            reverse: Translate from target to source domain.
        """
        return translate(self.reverse_translator if reverse else self.forward_translator, source, seed)

    def state(self) -> dict[str, Any]:
        """Weights, optimisers and pools."""
        return {
            "networks": {name: network.state_dict() for name, network in self.networks().items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self._optimisers.items()},
            "pools": {"image": self._image_pool.state(), "source": self._source_pool.state()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        for name, network in self.networks().items():
            network.load_state_dict(state["networks"][name])
            load_optimiser(self._optimisers[name], state["optimisers"][name])
        self._image_pool.load_state(state["pools"]["image"], self._fabric.device)
        self._source_pool.load_state(state["pools"]["source"], self._fabric.device)


def _turned(config: Config) -> Config:
    """The configuration of the translator in the other direction."""
    other: Direction = "infrared_to_visible" if config.direction == "visible_to_infrared" else "visible_to_infrared"
    return dataclasses.replace(
        config, in_channels=config.out_channels, out_channels=config.in_channels, direction=other
    )


def _with_channels(image: Tensor, channels: int) -> Tensor | None:
    """An image for a generator that takes ``channels``: as it is, or grey repeated to 3; None where neither fits."""
    if image.shape[1] == channels:
        return image
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 and channels == 3 else None
