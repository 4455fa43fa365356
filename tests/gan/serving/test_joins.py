"""Rewritten U-Nets: the same values, with rectifiers before what joins."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.backends import pix2pix
from gan.serving.openvino_convert import convert_network
from gan.serving.openvino_joins import is_join, rectify_before_joins

SOURCE = np.random.default_rng(1).uniform(-1, 1, (1, 7, 32, 48)).astype(np.float32)


def _made(model: Any, source: np.ndarray = SOURCE) -> np.ndarray:
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return np.array(openvino.Core().compile_model(model, "CPU", settings)(source)[0])


def _kinds(model: Any) -> Counter[str]:
    return Counter(node.get_type_name() for node in model.get_ordered_ops())


@pytest.mark.parametrize("upsample", ["deconv", "resize"])
def test_a_u_net_keeps_its_values(upsample: str) -> None:
    torch.manual_seed(4)
    config = pix2pix.Config(ngf=4, levels=4, norm="batch", upsample=upsample)  # type: ignore[arg-type]
    network = pix2pix.build_translator(config).eval().requires_grad_(False)
    for weight in network.parameters():
        weight.mul_(4 if weight.ndim == 4 else 1)  # as after training: first weights give nearly the same everywhere
    model = convert_network(network, SOURCE)
    before = _kinds(model)
    rectify_before_joins(model)
    joins = [node for node in model.get_ordered_ops() if is_join(node)]
    assert len(joins) == 3
    for join in joins:
        assert [join.input_value(place).get_node().get_type_name() for place in (0, 1)] == ["Relu", "Relu"]
        assert join.input_value(0).get_node().input_value(0).get_node().get_type_name() == "PRelu"
        readers = [reader.get_node().get_type_name() for reader in join.output(0).get_target_inputs()]
        assert readers == ["ConvolutionBackpropData" if upsample == "deconv" else readers[0]]
        assert "Relu" not in readers
    assert _kinds(model)["Relu"] == before["Relu"] + 3, "two of each that there was at a join"
    with torch.inference_mode():
        wanted = network(torch.from_numpy(SOURCE)).numpy()
    assert wanted.std() > 0.05
    np.testing.assert_allclose(_made(model), wanted, atol=1e-5)


class _Joined(nn.Module):
    """A leaky rectifier of any slope beside a join, whose rectified and plain maps are read as told."""

    def __init__(self, slope: float, *, plain_too: bool = False) -> None:
        super().__init__()
        self.slope, self.plain_too = slope, plain_too

    def forward(self, source: Tensor) -> Tensor:
        leaky = functional.leaky_relu(source, self.slope)
        joined = torch.cat((source, 2 * source), dim=1)
        made = functional.relu(joined).sum(dim=1, keepdim=True) + leaky.sum(dim=1, keepdim=True)
        return made + joined[:, :1] if self.plain_too else made


@pytest.mark.parametrize(("slope", "plain_too"), [(0.2, False), (0.2, True), (-0.5, False), (0.0, False)])
def test_other_slopes_and_other_readers_keep_their_values(slope: float, plain_too: bool) -> None:
    """The rectifier of what a leak of negative slope leaves is another one; what else reads a join must stay."""
    network = _Joined(slope, plain_too=plain_too)
    model = convert_network(network, SOURCE)
    rectify_before_joins(model)
    np.testing.assert_allclose(_made(model), network(torch.from_numpy(SOURCE)).numpy(), atol=1e-5)
    moved = [node for node in model.get_ordered_ops() if is_join(node)]
    assert len(moved) == 1
    assert (moved[0].input_value(0).get_node().get_type_name() == "Relu") != plain_too
