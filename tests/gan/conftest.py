"""Small backends and batches for the tests of gan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from gan.backends.base import Backend, StepOptions
from gan.backends.registry import load_backend, make_config
from gan.data.batch import Batch

SIZE_PX = 64
# What makes a backend small enough for a test; names that a backend does not have are left out.
SMALL: dict[str, Any] = {"ngf": 4, "ndf": 4, "features": 4, "nef": 4, "blocks": 1}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests run in parallel processes; threads that wait for each other on busy cores take a hundred times longer."""
    torch.set_num_threads(1)


def _make(name: str, channels: int = 7, seed: int = 0, **more: Any) -> Backend:
    module = load_backend(name)
    fields = {field.name for field in dataclasses.fields(module.Config)}
    values = {key: value for key, value in SMALL.items() if key in fields}
    config = make_config(module.Config, {**module.suggest(channels, 1, SIZE_PX, SIZE_PX), **values, **more})
    torch.manual_seed(seed)
    backend = module.create(config)
    from lightning_fabric import Fabric

    backend.setup(Fabric(accelerator="cpu", devices=1), StepOptions())
    backend.start_epoch(0, 2)
    return backend


def _make_batch(channels: int = 7, seed: int = 0, count: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand((count, channels + 1, SIZE_PX, SIZE_PX), generator=generator) * 2 - 1
    return Batch(draw[:, :channels].contiguous(), draw[:, channels:].contiguous())


@pytest.fixture(scope="session")
def make() -> Callable[..., Backend]:
    """Makes a backend small enough for a test: make(name, channels, seed, **config)."""
    return _make


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., Batch]:
    """Makes a random batch: make_batch(channels, seed, count)."""
    return _make_batch


@pytest.fixture(scope="session")
def weights() -> Callable[[Backend], list[torch.Tensor]]:
    """Copies all weights of a backend."""
    return lambda backend: [
        parameter.detach().clone() for network in backend.networks().values() for parameter in network.parameters()
    ]
