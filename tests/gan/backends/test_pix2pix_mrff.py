"""pix2pix with multi-receptive-field fusion: nested nodes, fields that grow, weights that sum to one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gan.backends import pix2pix_mrff
from gan.data.batch import Batch
from gan.errors import ConfigError
from gan.networks.attention import FieldFusion, PairFusion
from gan.networks.patchgan import PatchGAN
from gan.networks.unetpp import UNetPlusPlus


def test_nested_nodes_and_their_widths() -> None:
    with torch.device("meta"):
        network = UNetPlusPlus(3, 1, 64, 4)
    assert network.widths == (64, 128, 256, 512, 512)
    names = {f"x{row}_{column}" for row in range(5) for column in range(5 - row)}
    assert set(network.nodes) == names
    assert len(names) == 15
    assert len(network.up) == 10
    for name, node in network.nodes.items():
        row, column = (int(part) for part in name[1:].split("_"))
        convolutions = [layer for layer in node if isinstance(layer, nn.Conv2d)]
        inputs = (column + 1) * network.widths[row] if column else (3, *network.widths)[row]
        assert [layer.in_channels for layer in convolutions] == [inputs, network.widths[row]]
        assert all(layer.out_channels == network.widths[row] for layer in convolutions)


def test_strided_convolutions_in_the_place_of_poolings() -> None:
    network = UNetPlusPlus(3, 1, 4, 4)
    assert not any("Pool" in type(module).__name__ for module in network.modules())
    strided = [module for module in network.modules() if isinstance(module, nn.Conv2d) and module.stride == (2, 2)]
    assert len(strided) == 4
    assert all(module.kernel_size == (4, 4) for module in strided)


def test_four_fields_at_full_resolution_each_larger_than_the_one_before() -> None:
    """How far a change of one pixel of the output can come from, measured by gradients."""
    torch.manual_seed(0)
    network = UNetPlusPlus(1, 1, 2, 4, norm="none", dropout=0.0)
    source = torch.rand(1, 1, 288, 288, requires_grad=True)
    fields = network.fields(source)
    assert [field.shape for field in fields] == [(1, 2, 288, 288)] * 4
    extents = []
    for field in fields:
        (gradient,) = torch.autograd.grad(field[0, :, 144, 144].sum(), source, retain_graph=True)
        touched = gradient[0, 0].nonzero()
        extents.append(int((touched.max(dim=0).values - touched.min(dim=0).values).max()) + 1)
    assert all(larger > 1.5 * smaller for smaller, larger in itertools.pairwise(extents)), extents
    assert extents[-1] < 288


def test_patches_of_70_and_a_map_of_30() -> None:
    config = pix2pix_mrff.Config(**pix2pix_mrff.suggest(1, 1, 256, 256))
    network = PatchGAN(1, 1, 4, config.discriminator_layers, norm="none")
    assert network(torch.zeros(1, 1, 256, 256), torch.zeros(1, 1, 256, 256)).shape == (1, 1, 30, 30)
    image = torch.rand(1, 1, 256, 256, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(torch.zeros_like(image), image)[0, 0, 15, 15], image)
    touched = gradient[0, 0].nonzero()
    assert (touched.max(dim=0).values - touched.min(dim=0).values + 1).tolist() == [70, 70]


def test_published_weights() -> None:
    config = pix2pix_mrff.Config()
    assert (config.l1_weight, config.gan_loss, config.levels, config.discriminator_layers) == (100.0, "vanilla", 4, 5)


# --- attention -------------------------------------------------------------------------------------------------------


def _maps(count: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(2, 8, 5, 6) for _ in range(count)]


def test_shares_sum_to_one_and_make_the_result() -> None:
    torch.manual_seed(0)
    fusion, maps = FieldFusion(8, 4), _maps()
    with torch.no_grad():
        shares, fused = fusion.shares(maps), fusion(maps)
    assert shares.shape == (2, 4, 5, 6)
    assert shares.min() >= 0
    assert shares.max() <= 1
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(2, 5, 6))
    mixed = sum(shares[:, k : k + 1] * maps[k] for k in range(4))
    torch.testing.assert_close(fused, mixed)
    assert shares.std(dim=(0, 2, 3)).min() > 0  # pixels differ


def test_weight_of_a_pair_is_the_softmax_of_two_scores() -> None:
    torch.manual_seed(0)
    pair, (small, large) = PairFusion(8), _maps(2)
    with torch.no_grad():
        weight = pair.weight(small, large)
        scores = torch.cat((pair.small(small), pair.large(large)), dim=1).double().numpy()
        wanted = np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1)
    np.testing.assert_allclose(weight[:, 0].numpy(), wanted, rtol=1e-5)


def test_pairs_go_from_small_to_large_and_share_nothing() -> None:
    fusion, maps = FieldFusion(8, 4), _maps()
    assert len(fusion.pairs) == 3
    parameters = [parameter for pair in fusion.pairs for parameter in pair.parameters()]
    assert len({id(parameter) for parameter in parameters}) == len(parameters) == 3 * 2 * 4
    for last in range(4):  # the pairs from `last` on let the smaller field through, those before the larger one
        for number, pair in enumerate(fusion.pairs):
            assert isinstance(pair, PairFusion)
            nn.init.constant_(pair.large.layers[2].bias, 1000.0 if number < last else -1000.0)
        torch.testing.assert_close(fusion(maps), maps[last])


def test_one_field_needs_no_fusion() -> None:
    (only,) = _maps(1)
    assert torch.equal(FieldFusion(8, 1)([only]), only)
    assert torch.equal(FieldFusion(8, 1).shares([only]), torch.ones(2, 1, 5, 6))
    with pytest.raises(ConfigError, match="at least one"):
        FieldFusion(8, 0)


def test_attention_maps_of_a_network() -> None:
    torch.manual_seed(0)
    network = UNetPlusPlus(3, 1, 4, 3).eval()
    with torch.no_grad():
        maps = network.attention_maps(torch.rand(1, 3, 32, 48) * 2 - 1)
    assert maps.shape == (1, 3, 32, 48)
    torch.testing.assert_close(maps.sum(dim=1), torch.ones(1, 32, 48))


# --- training --------------------------------------------------------------------------------------------------------


def test_an_image_is_learnt_by_heart(make: Any) -> None:
    backend = make("pix2pix_mrff", 3, dropout=0.0, learning_rate=1e-3, ngf=8, levels=3)
    source, target = torch.full((1, 3, 64, 64), -0.5), torch.full((1, 1, 64, 64), -0.6)
    source[:, 0, 20:50, 9:43] = 0.8
    target[:, :, 20:50, 9:43] = 0.7
    losses = []
    for step in range(60):
        torch.manual_seed(step)
        losses.append(float(backend.train_step([Batch(source, target)])["generator_l1"]))
    assert losses[-1] < losses[0] / 5
    assert float((backend.translate(source) - target).abs().mean()) < 0.15


def test_noise_only_where_a_seed_is_given(make: Any, make_batch: Any) -> None:
    backend, source = make("pix2pix_mrff"), make_batch().source
    plain, one, again, two = (backend.translate(source, seed) for seed in (None, 1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)
    assert not torch.equal(one, plain)


def test_suggested_levels() -> None:
    assert pix2pix_mrff.suggest(7, 1, 512, 512)["levels"] == 4
    assert pix2pix_mrff.suggest(3, 1, 328, 496)["levels"] == 3
    assert pix2pix_mrff.suggest(3, 1, 16, 16) == {
        "in_channels": 3, "out_channels": 1, "levels": 3, "discriminator_layers": 3,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="multiples of 4"):
        pix2pix_mrff.suggest(3, 1, 329, 500)


def test_wrong_sources_are_refused() -> None:
    with pytest.raises(ConfigError, match="multiples of 8 px"):
        UNetPlusPlus(3, 1, 2, 3)(torch.zeros(1, 3, 30, 32))
