"""CycleGAN: its structure against the papers, its steps against the same steps written out plainly, both directions."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gan.backends import cyclegan
from gan.backends.base import TwoWay, translate
from gan.backends.cyclegan import Config, CycleGAN
from gan.data.batch import Batch
from gan.errors import CheckpointError, ConfigError
from gan.losses.image_pool import ImagePool
from gan.networks.layers import count_parameters
from gan.networks.patchgan import PatchGAN
from gan.networks.resnet import ResidualBlock, ResNetGenerator

F = nn.functional


# --- structure -------------------------------------------------------------------------------------------------------


def test_parameters_are_the_published_ones() -> None:
    """11.378 M and 2.765 M are printed by the authors' code for 3 to 3 channels; scale and shift here, biases there."""
    with torch.device("meta"):
        generator = ResNetGenerator(3, 3, 64, 9)
        discriminator = PatchGAN(0, 3, 64, 5)
    kernels = 49 * 3 * 64 + 9 * (64 * 128 + 128 * 256) * 2 + 9 * 2 * 9 * 256 * 256 + 49 * 64 * 3 + 3
    normalised = 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64
    assert count_parameters(generator) == kernels + 2 * normalised
    assert count_parameters(generator) / 1e6 == pytest.approx(11.378, abs=0.006)
    assert count_parameters(discriminator) / 1e6 == pytest.approx(2.765, abs=0.001)


def test_layers_and_widths_of_the_generator() -> None:
    network = ResNetGenerator(3, 1, 4, 9).eval()
    shapes: list[tuple[int, ...]] = []
    for layer in network.layers:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, ResidualBlock)):
            layer.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        image = network(torch.zeros(1, 3, 64, 48))
    middle = [(16, 16, 12)] * 10
    assert shapes == [(4, 64, 48), (8, 32, 24), *middle, (8, 32, 24), (4, 64, 48), (1, 64, 48)]
    assert image.shape == (1, 1, 64, 48)
    kinds = [type(layer).__name__ for layer in network.layers if not isinstance(layer, ResidualBlock)]
    assert kinds.count("ReLU") == 5


def test_a_residual_block_by_hand() -> None:
    block = ResidualBlock(2, "none", "leaky_relu").double()
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64)
    first, second = block.body[1], block.body[5]

    def convolved(layer: nn.Module, image: torch.Tensor) -> torch.Tensor:
        # Reflected without the border's own row and column.
        rows = torch.cat((image[:, :, 1:2], image, image[:, :, -2:-1]), dim=2)
        both = torch.cat((rows[..., 1:2], rows, rows[..., -2:-1]), dim=3)
        assert isinstance(layer, nn.Conv2d)
        return F.conv2d(both, layer.weight, layer.bias)

    hidden = convolved(first, x)
    hidden = torch.where(hidden > 0, hidden, 0.2 * hidden)
    torch.testing.assert_close(block(x), x + convolved(second, hidden))


def test_activation_is_an_option() -> None:
    def kinds(activation: str) -> set[str]:
        network = ResNetGenerator(3, 1, 2, 1, activation=activation)  # type: ignore[arg-type]
        return {type(module).__name__ for module in network.modules()} & {"ReLU", "LeakyReLU"}

    assert kinds("relu") == {"ReLU"}
    assert kinds("leaky_relu") == {"LeakyReLU"}


def test_discriminators_see_70_px_and_know_no_source() -> None:
    """The field and the map of 30x30 are measured in test_networks; here that CycleGAN takes that network."""
    config = Config(**{**cyclegan.suggest(3, 1, 256, 256), "ngf": 2, "ndf": 2})
    assert (config.blocks, config.discriminator_layers) == (9, 5)
    backend = CycleGAN(config)
    assert backend.discriminators["discriminator"](None, torch.zeros(1, 1, 256, 256)).shape == (1, 1, 30, 30)
    assert backend.discriminators["source_discriminator"](None, torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_suggestions_and_what_cannot_be() -> None:
    assert cyclegan.suggest(7, 1, 128, 128)["blocks"] == 6
    assert cyclegan.suggest(7, 1, 16, 64)["discriminator_layers"] == 3
    for height, width in ((329, 500), (12, 64)):
        with pytest.raises(ConfigError, match=r"multiples of 4, 16 at least; give --size"):
            cyclegan.suggest(3, 1, height, width)
    with pytest.raises(ConfigError, match="at least 1 feature"):
        ResNetGenerator(3, 1, 0)
    with pytest.raises(ConfigError, match=r"expected 3 channels and edges in multiples of 4 px"):
        ResNetGenerator(3, 1, 2, 0)(torch.zeros(1, 3, 30, 32))


def test_published_schedule(make: Any) -> None:
    config = Config()
    assert (config.learning_rate, config.beta1, config.beta2, config.pool) == (2e-4, 0.5, 0.999, 50)
    assert (config.cycle_weight, config.identity_weight, config.gan_loss) == (10.0, 5.0, "lsgan")
    backend = make("cyclegan")

    def rate(epoch: int) -> set[float]:
        backend.start_epoch(epoch, 200)
        return {float(optimiser.param_groups[0]["lr"]) for optimiser in backend._optimisers.values()}

    assert rate(0) == rate(100) == {2e-4}
    assert rate(150) == {1e-4}


# --- steps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gan_loss", ["lsgan", "vanilla"])
def test_two_steps_equal_the_plain_ones(gan_loss: str, make: Any, make_batch: Any) -> None:
    """One Adam for both generators and one for both discriminators, as the authors' code has; no pool, 3 channels."""
    backend = make("cyclegan", 3, pool=0, gan_loss=gan_loss)
    assert isinstance(backend, CycleGAN)
    plain = copy.deepcopy(list(backend.networks().values()))
    optimisers = [
        torch.optim.Adam(itertools.chain(*(network.parameters() for network in pair)), 2e-4, (0.5, 0.999))
        for pair in (plain[:2], plain[2:])
    ]
    for step in range(2):
        batch = make_batch(3, seed=step)
        backend.train_step([batch])
        _plain_step(plain, optimisers, batch, gan_loss)
    for ours, other in zip(backend.networks().values(), plain, strict=True):
        for (name, a), b in zip(ours.named_parameters(), other.parameters(), strict=True):
            assert a.numel() == 1 or (a - b).abs().mean() < 1e-6, name


def _plain_step(networks: list[nn.Module], optimisers: list[torch.optim.Adam], batch: Batch, kind: str) -> None:
    to_image, to_source, judge_image, judge_source = networks

    def judged(judge: nn.Module, image: torch.Tensor, real: float) -> torch.Tensor:
        logits = judge(None, image)
        loss = F.mse_loss if kind == "lsgan" else F.binary_cross_entropy_with_logits
        return loss(logits, torch.full_like(logits, real))

    x, y = batch.source, batch.target
    fake_y, fake_x = to_image(x), to_source(y)
    loss = judged(judge_image, fake_y, 1.0) + judged(judge_source, fake_x, 1.0)
    loss = loss + 10 * (to_source(fake_y) - x).abs().mean() + 10 * (to_image(fake_x) - y).abs().mean()
    grey = y.repeat(1, 3, 1, 1)
    loss = loss + 5 * (to_image(grey) - y).abs().mean()
    optimisers[0].zero_grad()
    loss.backward()
    optimisers[0].step()
    optimisers[1].zero_grad()
    for judge, real, fake in ((judge_image, y, fake_y), (judge_source, x, fake_x)):
        ((judged(judge, real, 1.0) + judged(judge, fake.detach(), 0.0)) / 2).backward()
    optimisers[1].step()


def test_accumulated_batches_equal_one_large_batch(make: Any, make_batch: Any, weights: Any) -> None:
    whole, parts = make("cyclegan", 3, pool=0), make("cyclegan", 3, pool=0)
    a, b = make_batch(3, seed=1), make_batch(3, seed=2)
    both = Batch(torch.cat((a.source, b.source)), torch.cat((a.target, b.target)))
    one, two = whole.train_step([both]), parts.train_step([a, b])
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-5)
    for x, y in zip(weights(whole), weights(parts), strict=True):
        assert (x - y).abs().mean() < 4e-6


def test_the_pair_does_not_enter_the_loss(make: Any, make_batch: Any) -> None:
    """Paired sampling pairs the images of a step and adds no term; so targets may be swapped within a batch."""
    batch = make_batch(3, count=2)
    swapped = Batch(batch.source, batch.target.flip(0))
    losses = [make("cyclegan", 3, pairing="paired").train_step([it]) for it in (batch, swapped)]
    for name in losses[0]:
        torch.testing.assert_close(losses[0][name], losses[1][name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("channels", "terms"), [(1, 2), (3, 1), (7, 0)])
def test_identity_loss_where_channels_allow_it(channels: int, terms: int, make: Any, make_batch: Any) -> None:
    losses = make("cyclegan", channels).train_step([make_batch(channels)])
    assert sum(name.startswith("identity") for name in losses) == terms
    without = make("cyclegan", channels, identity_weight=0.0).train_step([make_batch(channels)])
    assert not any(name.startswith("identity") for name in without)


def test_cycle_loss_falls(make: Any, make_batch: Any) -> None:
    backend = make("cyclegan", 3, learning_rate=2e-3)
    batch = make_batch(3)
    smooth = Batch(*(F.avg_pool2d(image, 9, 1, 4) * 4 for image in (batch.source, batch.target)))
    losses = [backend.train_step([smooth]) for _ in range(160)]
    first, last = (float(it["cycle_source"] + it["cycle_image"]) for it in (losses[0], losses[-1]))
    assert last < 0.6 * first


# --- EMSN ------------------------------------------------------------------------------------------------------------


def test_as_printed_it_trains_like_plain_scaling(make: Any, make_batch: Any) -> None:
    losses = [make("cyclegan", 3, emsn=kind).train_step([make_batch(3)]) for kind in ("none", "printed")]
    for name in losses[0]:
        torch.testing.assert_close(losses[0][name], losses[1][name], rtol=1e-4, atol=1e-5)


def test_joint_images_are_plain_outside_and_on_the_spectrum_inside(make: Any, make_batch: Any) -> None:
    backend = make("cyclegan", 3, emsn="joint")
    seen: dict[str, torch.Tensor] = {}

    def note(name: str) -> Any:
        def hook(_module: nn.Module, inputs: Any) -> None:
            seen.setdefault(name, inputs[-1].detach())

        return hook

    for name, network in backend.networks().items():
        network.register_forward_pre_hook(note(name))
    backend.train_step([make_batch(3)])
    assert seen["generator"].min() >= -1
    assert seen["generator"].max() <= -0.94566
    assert seen["reverse_generator"].min() >= -0.90896
    assert seen["reverse_generator"].max() > 0.5
    image = backend.translate(make_batch(3).source)
    assert image.abs().max() <= 1


def test_joint_computes_in_float32_under_bfloat16(make: Any, make_batch: Any) -> None:
    from lightning_fabric import Fabric

    from gan.backends.base import StepOptions

    dtypes = {}
    for kind in ("none", "joint"):
        torch.manual_seed(0)
        backend = cyclegan.create(Config(ngf=4, ndf=4, blocks=1, emsn=kind))  # type: ignore[arg-type]
        backend.setup(Fabric(accelerator="cpu", devices=1, precision="bf16-mixed"), StepOptions())
        seen: list[torch.dtype] = []
        backend.forward_translator.generator.layers[1].register_forward_hook(
            lambda _m, _i, out, seen=seen: seen.append(out.dtype)
        )
        backend.train_step([make_batch(3)])
        dtypes[kind] = set(seen)
    assert dtypes == {"none": {torch.bfloat16}, "joint": {torch.float32}}


# --- both directions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [3, 7])
@pytest.mark.parametrize("emsn", ["none", "joint"])
def test_the_other_direction(channels: int, emsn: str, make: Any, make_batch: Any) -> None:
    backend = make("cyclegan", channels, emsn=emsn)
    assert isinstance(backend, TwoWay)
    batch = make_batch(channels)
    source = translate(backend.reverse()[1], batch.target)
    assert source.shape == batch.source.shape
    config, network = backend.reverse()
    assert (config.in_channels, config.out_channels) == (1, channels)
    assert config.direction == "infrared_to_visible"
    rebuilt = cyclegan.build_translator(config)
    rebuilt.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(rebuilt.eval()(batch.target), source, atol=1e-4, rtol=0)
    bands = (rebuilt.source_spectrum.band, rebuilt.image_spectrum.band)
    assert bands == ("infrared", "visible")


# --- the pool --------------------------------------------------------------------------------------------------------


def test_pool_fills_and_then_swaps_half() -> None:
    pool = ImagePool(10)
    rng = np.random.default_rng(0)
    for value in range(10):
        image = torch.full((1, 1, 2, 2), float(value))
        assert torch.equal(pool.swap(image, rng), image)
    assert len(pool) == 10
    given = [float(pool.swap(torch.full((1, 1, 2, 2), 100.0 + step), rng).mean()) for step in range(400)]
    new = sum(value == 100.0 + step for step, value in enumerate(given))
    assert 160 < new < 240
    older = [value for step, value in enumerate(given) if value != 100.0 + step]
    assert len(set(older)) == len(older)  # what left the pool is gone
    assert set(range(10)) <= set(older)


def test_pool_is_part_of_the_state() -> None:
    pool, other = ImagePool(3), ImagePool(3)
    rng = np.random.default_rng(1)
    pool.swap(torch.rand(3, 1, 2, 2), rng)
    other.load_state(pool.state(), torch.device("cpu"))
    more = torch.rand(6, 1, 2, 2)
    assert torch.equal(pool.swap(more, np.random.default_rng(2)), other.swap(more, np.random.default_rng(2)))
    with pytest.raises(CheckpointError, match="pool of 2 images: the checkpoint holds 3"):
        ImagePool(2).load_state(pool.state(), torch.device("cpu"))


def test_no_pool() -> None:
    image = torch.rand(2, 1, 2, 2, requires_grad=True)
    handed = ImagePool(0).swap(image, np.random.default_rng(0))
    assert torch.equal(handed, image)
    assert not handed.requires_grad
    with pytest.raises(ConfigError, match="expected 0 or more"):
        ImagePool(-1)
