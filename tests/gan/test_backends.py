"""The contract of `gan.backend.Backend`, for every backend that is found."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from gan.registry import backend_names, config_to_dict, load_backend, make_config

SIZE_PX = 64


@pytest.mark.parametrize("name", backend_names())
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_any_number_of_input_channels(name: str, channels: int, make: Any, make_batch: Any, weights: Any) -> None:
    backend = make(name, channels)
    before = weights(backend)
    losses = backend.train_step([make_batch(channels)])
    assert losses
    assert all(value.ndim == 0 and torch.isfinite(value) and not value.requires_grad for value in losses.values())
    assert all(not torch.equal(a, b) for a, b in zip(before, weights(backend), strict=True) if a.numel() > 64)
    assert backend.translate(make_batch(channels).source).shape == (1, 1, SIZE_PX, SIZE_PX)


@pytest.mark.parametrize("name", backend_names())
def test_state_round_trip_takes_the_same_steps(name: str, make: Any, make_batch: Any, weights: Any) -> None:
    first = make(name)
    for step in range(2):
        torch.manual_seed(step)
        first.train_step([make_batch(seed=step)])
    state = {key: _copied(value) for key, value in first.state().items()}
    second = make(name, seed=9)
    second.load_state(state)
    for backend in (first, second):
        for step in range(2, 4):
            torch.manual_seed(step)
            backend.train_step([make_batch(seed=step)])
    for a, b in zip(weights(first), weights(second), strict=True):
        assert torch.equal(a, b)


def _copied(node: Any) -> Any:
    """As a checkpoint gives it back: no aliases, no memory order, no tuples."""
    if isinstance(node, torch.Tensor):
        return node.detach().clone(memory_format=torch.contiguous_format)
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, (list, tuple)) else node


@pytest.mark.parametrize("name", backend_names())
def test_translate_is_deterministic_and_like_the_translator(name: str, make: Any, make_batch: Any) -> None:
    backend = make(name)
    source = make_batch().source
    image = backend.translate(source)
    assert torch.equal(image, backend.translate(source))
    assert image.abs().max() <= 1
    module = load_backend(name)
    network = module.build_translator(make_config(module.Config, config_to_dict(backend.config)))
    network.load_state_dict(backend.translator().state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(source), image, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", backend_names())
def test_paper_is_named(name: str) -> None:
    module = load_backend(name)
    assert len(module.PAPER) > 20
    assert module.PAIRING in ("paired", "unpaired")
    assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(module.Config))
