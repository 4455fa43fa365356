"""The disentangled model: its structure, its steps against the same steps written out plainly, what its codes hold."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import nn

from gan.backends import disentangled
from gan.backends.base import TwoWay, translate
from gan.backends.disentangled import Config, Disentangled
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.networks.layers import count_parameters

F = nn.functional


def test_sizes_of_the_codes_and_weights_by_hand() -> None:
    """Convolutions and scales counted from the papers' layers; 128 numbers for the own code, 256 channels shared."""
    with torch.device("meta"):
        networks = Disentangled(Config()).networks()
    block = 2 * (9 * 256 * 256 + 2 * 256)
    specific = 16 * (32 * 64 + 64 * 128 + 2 * 128 * 128) + (64 + 3 * 128) + 128 * 128 + 128
    decoder = 2 * block + 25 * (256 * 128 + 128 * 64) + 2 * (128 + 64) + 49 * 64
    perceptron = (128 + 1) * 256 + (256 + 1) * 256 + (256 + 1) * 2 * 4 * 256
    expected = {
        "stem": 49 * 3 * 64 + 2 * 64,
        "shared_encoder": 16 * (64 * 128 + 128 * 256) + 2 * (128 + 256) + 3 * block,
        "source_encoder": 49 * 3 * 32 + 32 + specific,
        "image_encoder": 49 * 32 + 32 + specific,
        "source_decoder": decoder * 1 + 2 * 49 * 64 + 3 + perceptron,
        "image_decoder": decoder + 1 + perceptron,
    }
    assert {name: count_parameters(networks[name]) for name in expected} == expected


def test_a_stem_for_each_spectrum_only_where_channels_ask_for_it(make: Any) -> None:
    assert "image_stem" not in make("disentangled", 3).networks()
    assert "image_stem" not in make("disentangled", 1).networks()
    assert make("disentangled", 7).networks()["image_stem"].channels == 1


def test_the_shared_code_knows_no_colours(make: Any) -> None:
    """Two pictures of one luma have one shared code, and a grey one that of its infrared twin."""
    backend = make("disentangled", 3)
    grey = torch.rand(1, 1, 64, 64) * 0.5 - 0.25
    # 0.299 R + 0.587 G + 0.114 B stays where red and green move against each other.
    moved = torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1) * (torch.rand(1, 1, 64, 64) - 0.5)
    codes = [backend._shared("stem", image) for image in (grey + moved, grey.expand(-1, 3, -1, -1), grey)]
    torch.testing.assert_close(codes[0], codes[1], atol=1e-4, rtol=1e-4)
    assert torch.equal(codes[1], codes[2])
    coloured = make("disentangled", 3, grey=False)
    assert (coloured._shared("stem", grey + moved) - coloured._shared("stem", grey)).abs().max() > 1e-2


def test_two_steps_equal_the_plain_ones(make: Any, make_batch: Any) -> None:
    """One Adam for all encoders and decoders and one for both discriminators, as the published code has."""
    backend = make("disentangled", 7)
    plain = copy.deepcopy(backend.networks())
    names = list(plain)
    optimisers = [
        torch.optim.Adam(itertools.chain(*(plain[name].parameters() for name in some)), 1e-4, (0.5, 0.999))
        for some in (names[:-2], names[-2:])
    ]
    for step in range(2):
        batch = make_batch(7, seed=step)
        backend.train_step([batch])
        _plain_step(plain, optimisers, batch)
    for name, network in backend.networks().items():
        for (part, a), b in zip(network.named_parameters(), plain[name].parameters(), strict=True):
            assert a.numel() == 1 or (a - b).abs().mean() < 2e-6, f"{name}.{part}"


def _plain_step(n: dict[str, nn.Module], optimisers: list[torch.optim.Adam], batch: Batch) -> None:
    x, y = batch.source, batch.target
    l1 = F.l1_loss

    def shared_of_x(image: torch.Tensor) -> torch.Tensor:
        return n["shared_encoder"](n["stem"](image))  # type: ignore[no-any-return]

    def shared_of_y(image: torch.Tensor) -> torch.Tensor:
        return n["shared_encoder"](n["image_stem"](image))  # type: ignore[no-any-return]

    shared_x, shared_y = shared_of_x(x), shared_of_y(y)
    own_x, own_y = n["source_encoder"](x), n["image_encoder"](y)
    fake_y, fake_x = n["image_decoder"](shared_x, own_y), n["source_decoder"](shared_y, own_x)
    again_x, again_y = shared_of_y(fake_y), shared_of_x(fake_x)
    loss = 10 * l1(n["image_decoder"](shared_y, own_y), y) + 10 * l1(n["source_decoder"](shared_x, own_x), x)
    loss = loss + 10 * l1(n["image_decoder"](again_y, own_y), y) + 10 * l1(n["source_decoder"](again_x, own_x), x)
    loss = loss + l1(again_x, shared_x.detach()) + l1(again_y, shared_y.detach())
    loss = loss + l1(n["image_encoder"](fake_y), own_y.detach()) + l1(n["source_encoder"](fake_x), own_x.detach())
    for judge, fake in (("discriminator", fake_y), ("source_discriminator", fake_x)):
        loss = loss + sum(((logits - 1) ** 2).mean() for logits in n[judge](fake))
    optimisers[0].zero_grad()
    loss.backward()
    optimisers[0].step()
    optimisers[1].zero_grad()
    for judge, real, fake in (("discriminator", y, fake_y), ("source_discriminator", x, fake_x)):
        pairs = zip(n[judge](real), n[judge](fake.detach()), strict=True)
        sum(((a - 1) ** 2).mean() / 2 + (b**2).mean() / 2 for a, b in pairs).backward()  # type: ignore[union-attr]
    optimisers[1].step()


def test_the_typical_code_is_a_running_mean(make: Any, make_batch: Any) -> None:
    backend = make("disentangled", 3, learning_rate=0.0)
    batch = make_batch(3, count=2)
    for _ in range(5):
        backend.train_step([batch])
    with torch.no_grad():
        mean = backend.networks()["image_encoder"](batch.target).mean(dim=0)
    torch.testing.assert_close(backend.image_decoder.typical[0], mean * (1 - 0.99**5), rtol=1e-3, atol=1e-5)
    # And the translator decodes by it.
    backend.image_decoder.typical.copy_(mean[None])
    codes = backend._shared("stem", batch.source)
    with torch.no_grad():
        expected = backend.networks()["image_decoder"](codes, mean.expand(2, -1))
    torch.testing.assert_close(backend.translate(batch.source), expected, atol=1e-4, rtol=1e-3)


def test_both_directions_are_models(make: Any, make_batch: Any) -> None:
    backend = make("disentangled", 3)
    assert isinstance(backend, TwoWay)
    config, network = backend.reverse()
    assert (config.in_channels, config.out_channels) == (1, 3)
    rebuilt = disentangled.build_translator(config)
    rebuilt.load_state_dict(network.state_dict())
    image = make_batch(3).target
    torch.testing.assert_close(translate(rebuilt, image), translate(network, image), atol=1e-4, rtol=1e-3)
    assert translate(network, image).shape == (1, 3, 64, 64)
    with pytest.raises(ConfigError, match="expected 3 channels"):
        translate(network, torch.zeros(1, 2, 64, 64))


def test_layers_of_the_discriminators_leave_a_map_at_each_scale() -> None:
    for edge, layers in ((256, 5), (64, 5), (32, 4), (16, 3)):
        config = Config(**{**disentangled.suggest(3, 1, edge, edge), "ngf": 2, "ndf": 2})
        assert config.discriminator_layers == layers
        judge = Disentangled(config).discriminators["discriminator"]
        assert all(min(logits.shape[2:]) >= 1 for logits in judge(torch.zeros(1, 1, edge, edge)))


@pytest.mark.slow
def test_an_exchanged_image_has_the_content_of_one_and_the_brightness_of_the_other(make: Any) -> None:
    """Discs in visible pictures, the same in infrared, where each image is bright or dark as a whole; no pairs."""
    backend = make("disentangled", 3, ngf=8, ndf=8, code=4, learning_rate=2e-3)
    generator = torch.Generator().manual_seed(0)

    def discs(count: int) -> torch.Tensor:
        at = torch.rand(count, 2, 1, 1, generator=generator) * 40 + 12
        rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
        return (((rows - at[:, :1]) ** 2 + (columns - at[:, 1:]) ** 2) < 100).float()

    def infrared(mask: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return level.view(-1, 1, 1, 1) + mask * 0.3

    for step in range(120):
        torch.manual_seed(step)
        level = torch.randint(0, 2, (2,), generator=generator) * 1.0 - 0.7
        source = (discs(2) * 1.2 - 0.6).expand(-1, 3, -1, -1).contiguous()
        backend.train_step([Batch(source, infrared(discs(2), level))])
    mask = discs(4)
    networks = backend.networks()
    with torch.no_grad():
        shared = backend._shared("stem", (mask * 1.2 - 0.6).expand(-1, 3, -1, -1).contiguous())
        levels = []
        for level in (-0.7, 0.3):
            code = networks["image_encoder"](infrared(discs(4), torch.full((4,), level)))
            image = networks["image_decoder"](shared, code)
            levels.append(float(image.mean()))
            inside, outside = ((image * part).sum() / part.sum() for part in (mask, 1 - mask))
            assert inside > outside + 0.1
    assert levels[1] - levels[0] > 0.5
