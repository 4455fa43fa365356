"""pix2pix with sparse skip connections: which stay, and what it saves."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from gan.backends import pix2pix, pix2pix_sparse
from gan.errors import ConfigError
from gan.networks.layers import count_parameters
from gan.networks.unet import UNet


@pytest.mark.parametrize(
    ("skips", "levels", "expected"),
    [
        ("1,2,-2,-1", 9, {1, 2, 7, 8}),
        ("1,2,-2,-1", 3, {1, 2}),
        ("1", 9, {1}),
        ("all", 4, {1, 2, 3}),
        ("none", 4, set()),
    ],
)
def test_levels_are_counted_from_both_ends(skips: str, levels: int, expected: set[int]) -> None:
    assert pix2pix_sparse.kept_skips(skips, levels) == expected


@pytest.mark.parametrize("skips", ["", "0", "1,x", "1;2"])
def test_wrong_levels(skips: str) -> None:
    with pytest.raises(ConfigError, match="expected levels with commas between"):
        pix2pix_sparse.Config(skips=skips)


def test_parameters_beside_those_of_the_full_network() -> None:
    """Each connection that goes takes 16 weights for each pair of its channels and the layer's outputs."""
    with torch.device("meta"):
        full = count_parameters(pix2pix.build_translator(pix2pix.Config()))
        sparse = count_parameters(pix2pix_sparse.build_translator(pix2pix_sparse.Config()))
    # Levels 3 to 6 go: 256 channels into 128 outputs, 512 into 256, and 512 into 512 twice.
    assert full - sparse == 16 * (256 * 128 + 512 * 256 + 2 * 512 * 512)


def test_what_goes_has_no_influence() -> None:
    """Without skips, a change of one pixel reaches the output only through the bottleneck: the same everywhere else."""
    torch.manual_seed(0)
    every, none = (UNet(1, 1, 4, 3, norm="none", skips=skips).eval() for skips in (None, ()))
    source = torch.zeros(1, 1, 8, 8)
    for network, narrow in ((every, False), (none, True)):
        with torch.no_grad():
            code = source
            for layer in network.encoder:
                code = layer(torch.nn.functional.leaky_relu(code, 0.2) if code is not source else code)
            for layer in reversed(network.decoder) if narrow else ():
                code = layer(torch.relu(code))
            image = network(source)
        if narrow:
            torch.testing.assert_close(torch.tanh(code), image)


def test_all_skips_are_pix2pix() -> None:
    config = dataclasses.replace(pix2pix_sparse.Config(), ngf=4, levels=4, skips="all")
    ours, plain = pix2pix_sparse.build_translator(config), pix2pix.build_translator(pix2pix.Config(ngf=4, levels=4))
    plain.load_state_dict(ours.state_dict())
    source = torch.rand(1, 7, 16, 16)
    with torch.no_grad():
        assert torch.equal(ours.eval()(source), plain.eval()(source))
