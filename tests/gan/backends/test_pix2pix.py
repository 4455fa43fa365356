"""The steps of pix2pix against the same steps written out plainly."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gan.backends import pix2pix
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.networks.layers import InstanceNorm


@pytest.mark.parametrize("gan_loss", ["vanilla", "lsgan", "hinge"])
def test_two_steps_equal_the_plain_ones(gan_loss: str, make: Any, make_batch: Any) -> None:
    """Real and generated images judged apart, the generator run again for its own step, torch's own Adam."""
    backend = make("pix2pix", dropout=0.0, gan_loss=gan_loss, l1_weight=0.1)
    assert isinstance(backend, pix2pix.Pix2Pix)
    generator, discriminator = copy.deepcopy(backend.generator), copy.deepcopy(backend.discriminators["discriminator"])
    optimisers = [torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (generator, discriminator)]
    for step in range(2):
        batch = make_batch(seed=step)
        backend.train_step([batch])
        _plain_step(generator, discriminator, optimisers, batch, gan_loss)
    for ours, plain in ((backend.generator, generator), (backend.discriminators["discriminator"], discriminator)):
        for (name, a), b in zip(ours.named_parameters(), plain.parameters(), strict=True):
            # A hinge loss pulls the last bias up and down alike at the start; Adam makes a step of that rounding error.
            assert a.numel() == 1 or (a - b).abs().mean() < 1e-6, name


def _plain_step(
    generator: nn.Module, discriminator: nn.Module, optimisers: list[torch.optim.Adam], batch: Batch, kind: str
) -> None:
    f = nn.functional

    def judged(image: torch.Tensor, real: bool) -> torch.Tensor:
        logits = discriminator(batch.source, image)
        if kind == "vanilla":
            return f.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
        if kind == "lsgan":
            return f.mse_loss(logits, torch.full_like(logits, float(real)))
        return f.relu(1 - logits if real else 1 + logits).mean()

    optimisers[1].zero_grad()
    with torch.no_grad():
        fake = generator(batch.source)
    ((judged(batch.target, True) + judged(fake, False)) / 2).backward()
    optimisers[1].step()
    optimisers[0].zero_grad()
    fake = generator(batch.source)
    adversarial = -discriminator(batch.source, fake).mean() if kind == "hinge" else judged(fake, True)
    (adversarial + 0.1 * f.l1_loss(fake, batch.target)).backward()
    optimisers[0].step()


def test_accumulated_batches_equal_one_large_batch(make: Any, make_batch: Any, weights: Any) -> None:
    whole, parts = make("pix2pix", dropout=0.0), make("pix2pix", dropout=0.0)
    a, b = make_batch(seed=1), make_batch(seed=2)
    both = Batch(torch.cat((a.source, b.source)), torch.cat((a.target, b.target)))
    one, two = whole.train_step([both]), parts.train_step([a, b])
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-5)
    for x, y in zip(weights(whole), weights(parts), strict=True):
        assert (x - y).abs().mean() < 4e-6


def test_the_noise_of_both_halves_of_an_accumulated_step_is_the_same(make: Any, make_batch: Any) -> None:
    backend = make("pix2pix")
    assert isinstance(backend, pix2pix.Pix2Pix)
    seen: list[torch.Tensor] = []
    backend.generator.register_forward_hook(lambda _m, _i, out: seen.append(out.detach().clone()))
    torch.manual_seed(5)
    backend.train_step([make_batch(seed=1), make_batch(seed=1)])
    first, second, first_again, second_again = seen
    torch.testing.assert_close(first, first_again, rtol=0, atol=0)
    torch.testing.assert_close(second, second_again, rtol=0, atol=0)
    assert not torch.equal(first, second)


def test_the_discriminator_trains_on_and_stays_trainable(make: Any, make_batch: Any) -> None:
    backend = make("pix2pix")
    backend.train_step([make_batch()])
    assert all(parameter.requires_grad for network in backend.networks().values() for parameter in network.parameters())


def test_published_schedule(make: Any) -> None:
    assert pix2pix.Config() == pix2pix.Config(
        ngf=64, levels=9, gan_loss="vanilla", l1_weight=100.0, learning_rate=2e-4, beta1=0.5, beta2=0.999, dropout=0.5
    )
    backend = make("pix2pix")
    assert isinstance(backend, pix2pix.Pix2Pix)

    def rate(epoch: int) -> float:
        backend.start_epoch(epoch, 200)
        return float(backend._optimisers["generator"].param_groups[0]["lr"])

    assert rate(0) == rate(99) == rate(100) == 2e-4
    assert rate(150) == pytest.approx(1e-4)
    assert rate(199) == pytest.approx(2e-6)


def test_options_change_the_objective(make: Any, make_batch: Any) -> None:
    losses = make("pix2pix", gradient_weight=5.0, gan_weight=0.0).train_step([make_batch()])
    assert set(losses) == {"generator_l1", "generator_gradient"}  # nobody asks a discriminator


def test_lpips_term(shared_data: Path, make_batch: Any) -> None:
    from lightning_fabric import Fabric

    from gan.backends.base import StepOptions

    config = pix2pix.Config(in_channels=3, ngf=4, ndf=4, levels=6, discriminator_layers=4, lpips_weight=10.0)
    backend = pix2pix.create(config)
    backend.setup(Fabric(accelerator="cpu", devices=1), StepOptions(weights_dir=str(shared_data / "weights")))
    assert float(backend.train_step([make_batch(3)])["generator_lpips"]) > 0


@pytest.mark.parametrize("kind", ["batch", "none"])
def test_other_norms_stand_in_both_networks_and_learn(kind: str, make: Any, make_batch: Any) -> None:
    backend = make("pix2pix", norm=kind, dropout=0.0, learning_rate=2e-3)
    for network in backend.networks().values():
        norms = [module for module in network.modules() if isinstance(module, (InstanceNorm, nn.BatchNorm2d))]
        assert bool(norms) == (kind == "batch")
        assert all(isinstance(module, nn.BatchNorm2d) for module in norms)
        # A bias would be subtracted again by a normalisation; without one every convolution has its own.
        biases = [module.bias is not None for module in network.modules() if isinstance(module, nn.Conv2d)]
        assert all(biases) == (kind == "none")
    draw = make_batch(count=2)
    smooth = Batch(draw.source, nn.functional.avg_pool2d(draw.source[:, :1], 9, 1, 4) * 4)
    losses = [float(backend.train_step([smooth])["generator_l1"]) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]
    if kind == "batch":  # statistics of the batches, which fresh layers do not have
        layers = [module for module in backend.generator.modules() if isinstance(module, nn.BatchNorm2d)]
        assert all(
            int(layer.num_batches_tracked) == 30 and float(layer.running_mean.abs().max()) > 0 for layer in layers
        )


def test_suggested_levels() -> None:
    assert pix2pix.suggest(7, 1, 512, 512)["levels"] == 9
    assert pix2pix.suggest(3, 1, 1024, 1024)["levels"] == 9
    assert pix2pix.suggest(3, 1, 320, 256)["levels"] == 6
    with pytest.raises(ConfigError, match="multiples of 4"):
        pix2pix.suggest(3, 1, 329, 500)
