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

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends.base import StepOptions
from gan.backends.steps import frozen, load_optimiser, translate
from gan.data.batch import Batch, Pairing
from gan.errors import ConfigError
from gan.losses.object_discriminator import ObjectCritic, imagenet_features, object_crops, vary
from gan.losses.terms import GanLoss, discriminator_loss, generator_loss, gradient_loss, perceptual_loss
from gan.networks.patchgan import PatchGAN
from gan.networks.unet import Norm, UNet, Upsample

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["PAIRING", "PAPER", "Config", "Pix2Pix", "build_translator", "create", "suggest"]

PAPER: Final = (
    "Isola et al., Image-to-image translation with conditional adversarial networks, CVPR 2017, arXiv:1611.07004"
)
PAIRING: Pairing = "paired"

_MOST_LEVELS: Final = 9


@dataclass(frozen=True)
class Config:
    """Options of pix2pix; the defaults are the published ones for 512x512."""

    in_channels: int = 7
    """Channels of the source."""
    out_channels: int = 1
    """Channels of the image."""
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
    gradient_weight: float = 0.0
    """Weight of the gradient difference in the generator's objective."""
    critic_weight: float = 0.0
    """Weight of the discriminator of objects in the generator's objective; needs the weights of SqueezeNet. It also
    judges what is made of sources that have no target."""
    learning_rate: float = 2e-4
    """Of all optimisers."""
    beta1: float = 0.5
    """Of Adam."""
    beta2: float = 0.999
    """Of Adam."""
    decay_from: float = 0.5
    """Share of the epochs after which the learning rate falls linearly towards zero."""


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


def build_translator(config: Config) -> UNet:
    """The generator with fresh weights."""
    return UNet(
        config.in_channels,
        config.out_channels,
        config.ngf,
        config.levels,
        norm=config.norm,
        upsample=config.upsample,
        dropout=config.dropout,
        residual=config.residual,
    )


def create(config: Config) -> Pix2Pix:
    """A pix2pix with fresh weights."""
    return Pix2Pix(config)


class Pix2Pix:
    """pix2pix in training; see `gan.backends.base.Backend`. Another generator may take the place of the U-Net."""

    def __init__(self, config: Config, generator: nn.Module | None = None) -> None:
        self.config = config
        self.generator = build_translator(config) if generator is None else generator
        self.discriminator = PatchGAN(
            config.in_channels, config.out_channels, config.ndf, config.discriminator_layers, norm=config.norm
        )
        self.critic = ObjectCritic() if config.critic_weight else None
        self._perceptual: Callable[[Tensor, Tensor], Tensor] | None = None

    def setup(self, fabric: Fabric, options: StepOptions) -> None:
        """Moves the networks to the device, makes the optimisers and wraps both."""
        self._fabric = fabric
        order = torch.channels_last if options.channels_last else torch.contiguous_format
        self._run_generator, self._generator_optimiser = self._wrap(self.generator, order, options.compile)
        self._run_discriminator, self._discriminator_optimiser = self._wrap(self.discriminator, order, options.compile)
        # The generator's step needs no gradient of the discriminator's weights; DDP would wait for them.
        alone = fabric.world_size == 1
        self._judge: Callable[..., Tensor] = self._run_discriminator if alone else self.discriminator
        self._optimisers = [self._generator_optimiser, self._discriminator_optimiser]
        if self.critic is not None:
            self._run_critic, self._critic_optimiser = self._wrap(self.critic, order, compiled=False)
            self._judge_object: Callable[..., list[Tensor]] = self._run_critic if alone else self.critic
            self._features = imagenet_features(options.weights_dir, fabric.device)
            self._optimisers.append(self._critic_optimiser)
        if self.config.lpips_weight:
            self._perceptual = perceptual_loss(options.weights_dir, fabric.device)

    def _wrap(self, network: nn.Module, order: torch.memory_format, compiled: bool) -> tuple[Any, Any]:
        network.to(self._fabric.device).to(memory_format=order)  # type: ignore[call-overload]
        config = self.config
        betas = (config.beta1, config.beta2)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas, fused=True)
        runner: Any = torch.compile(network) if compiled else network
        wrapped: tuple[Any, Any] = self._fabric.setup(runner, optimiser)
        return wrapped

    def networks(self) -> dict[str, nn.Module]:
        """Generator and discriminators."""
        known = {"generator": self.generator, "discriminator": self.discriminator}
        return known if self.critic is None else {**known, "critic": self.critic}

    def translator(self) -> nn.Module:
        """The generator."""
        return self.generator

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Constant rate, then linear to zero: epoch ``epochs`` (never run) would have rate 0."""
        decay_from = int(epochs * self.config.decay_from)
        factor = 1.0 if epoch < decay_from else (epochs - epoch) / (epochs - decay_from)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.config.learning_rate * factor

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One step of the discriminator, then one of the generator; equal to one batch of all micro-batches.

        A single micro-batch keeps its generated image and graph for the generator's step; several would need the memory
        of all their graphs, so they are generated again with the same noise.
        """
        self.generator.train()
        seed = torch.initial_seed()
        kept: list[Tensor] = []
        losses: dict[str, Tensor] = {}
        for position, batch in enumerate(batches):
            with self._accumulating(self._run_discriminator, position, len(batches)):
                with torch.set_grad_enabled(len(batches) == 1):
                    fake = self._generate(batch, seed + position)
                kept.append(fake)
                self._backward(self._discriminator_losses(batch, fake.detach()), len(batches), losses)
        for optimiser in self._optimisers[1:]:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with contextlib.ExitStack() as stack:
            for network in (self.discriminator, self.critic):
                if network is not None:
                    stack.enter_context(frozen(network))
            for position, batch in enumerate(batches):
                with self._accumulating(self._run_generator, position, len(batches)):
                    fake = kept[0] if len(batches) == 1 else self._generate(batch, seed + position)
                    self._backward(self._generator_losses(batch, fake), len(batches), losses)
        self._generator_optimiser.step()
        self._generator_optimiser.zero_grad(set_to_none=True)
        return losses

    def _generate(self, batch: Batch, seed: int) -> Tensor:
        """Images of the sources, and after them of those without targets where an object's critic sees them."""
        torch.manual_seed(seed)
        fake: Tensor = self._run_generator(self._sources(batch))
        return fake.float()

    def _sources(self, batch: Batch) -> Tensor:
        if self.critic is None or batch.inserted is None:
            return batch.source
        return torch.cat((batch.source, batch.inserted))

    def _accumulating(self, network: Any, position: int, count: int) -> contextlib.AbstractContextManager[None]:
        return self._fabric.no_backward_sync(network, enabled=position < count - 1)

    def _backward(self, terms: dict[str, Tensor], count: int, losses: dict[str, Tensor]) -> None:
        self._fabric.backward(torch.stack(list(terms.values())).sum() / count)
        for name, term in terms.items():
            losses[name] = losses.get(name, 0.0) + term.detach() / count

    def _discriminator_losses(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        source, target = batch.source, batch.target
        fake = made[: len(source)]
        if self.config.norm == "batch":  # statistics of real and generated images apart, as in separate passes
            real_logits = self._run_discriminator(source, target).float()
            fake_logits = self._run_discriminator(source, fake).float()
        else:
            both = self._run_discriminator(torch.cat((source, source)), torch.cat((target, fake))).float()
            real_logits, fake_logits = both.chunk(2)
        terms = {"discriminator": discriminator_loss(self.config.gan_loss, real_logits, fake_logits)}
        if self.critic is not None:
            real = self._run_critic(self._object_features(target, source))
            other = self._run_critic(self._object_features(made, self._sources(batch)))
            losses = [discriminator_loss("hinge", a, b) for a, b in zip(real, other, strict=True)]
            terms["critic"] = torch.stack(losses).mean()
        return terms

    def _object_features(self, images: Tensor, sources: Tensor) -> list[Tensor]:
        return self._features(vary(object_crops(images, sources)))

    def _generator_losses(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        """The weighted terms of the generator's objective."""
        config, target = self.config, batch.target
        fake = made[: len(target)]
        terms = {"generator_l1": functional.l1_loss(fake, target) * config.l1_weight}
        if config.gan_weight:
            with self._fabric.autocast():
                logits = self._judge(batch.source, fake)
            terms["generator_gan"] = generator_loss(config.gan_loss, logits.float()) * config.gan_weight
        if config.gradient_weight:
            terms["generator_gradient"] = gradient_loss(fake, target) * config.gradient_weight
        if self._perceptual is not None:
            terms["generator_lpips"] = self._perceptual(fake, target) * config.lpips_weight
        if self.critic is not None:
            judged = self._judge_object(self._object_features(made, self._sources(batch)))
            losses = [generator_loss("hinge", one) for one in judged]
            terms["generator_critic"] = torch.stack(losses).mean() * config.critic_weight
        return terms

    def translate(self, source: Tensor, seed: int | None = None) -> Tensor:
        """Source to image; with a seed the dropout is on, and the same seed gives the same image."""
        return translate(self.generator, source, seed)

    def state(self) -> dict[str, Any]:
        """Weights and optimisers."""
        optimisers = zip(self.networks(), self._optimisers, strict=True)
        return {name: network.state_dict() for name, network in self.networks().items()} | {
            f"{name}_optimiser": optimiser.state_dict() for name, optimiser in optimisers
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        for (name, network), optimiser in zip(self.networks().items(), self._optimisers, strict=True):
            network.load_state_dict(state[name])
            load_optimiser(optimiser, state[f"{name}_optimiser"])
