"""Finds backends by the names of their files, and makes their configurations from plain values.

Nothing is imported until a backend is asked for, so listing the names costs nothing.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import gan.backends
from gan.data.batch import Pairing
from gan.errors import ConfigError
from gan.options import make_options, new_names

if TYPE_CHECKING:
    from gan.backends.base import BackendModule

__all__ = ["ModelSummary", "backend_names", "config_to_dict", "list_models", "load_backend", "make_config"]

T = TypeVar("T")
_SHARED = ("base", "kelvin", "registry")
"""Files of this folder that are no backend."""


@dataclass(frozen=True)
class ModelSummary:
    """A translation model that can be trained."""

    name: str
    """What `gan.train` and ``gis train --model`` take."""
    paper: str
    """Where it was published."""
    pairing: Pairing
    """Whether it learns from pairs of source and image by default, or from two sets."""
    config: dict[str, Any]
    """Its options and their defaults."""
    parameters: dict[str, int]
    """Trained values of each of its networks, with the default options."""


def list_models() -> tuple[ModelSummary, ...]:
    """The translation models, by name.

    Examples:
        >>> " ".join(model.name for model in list_models())
        'cyclegan disentangled layered layered_style pix2pix pix2pix_mrff pix2pix_sparse thermalgan thermalnet'
    """
    return tuple(_summary(name, load_backend(name)) for name in backend_names())


def _summary(name: str, module: BackendModule) -> ModelSummary:
    import torch

    from gan.networks.layers import count_parameters

    config = module.Config()
    with torch.device("meta"):  # shapes without memory
        networks = module.create(config).networks()
    parameters = {part: count_parameters(network) for part, network in networks.items()}
    return ModelSummary(name, module.PAPER, config.pairing, config_to_dict(config), parameters)


def backend_names() -> tuple[str, ...]:
    """Names of all backends, sorted."""
    modules = (module.name for module in pkgutil.iter_modules(gan.backends.__path__))
    return tuple(sorted(name for name in modules if name not in _SHARED))


def load_backend(name: str) -> BackendModule:
    """Imports one backend.

    Raises:
        ConfigError: Where no backend has this name.
    """
    if name not in backend_names():
        raise ConfigError(f"unknown backend {name!r}: expected one of {', '.join(backend_names())}")
    return cast("BackendModule", importlib.import_module(f"gan.backends.{name}"))


def config_to_dict(config: Any) -> dict[str, Any]:
    """A frozen configuration as JSON values."""
    return dataclasses.asdict(config)


def make_config(
    kind: type[T],
    values: Mapping[str, Any],
    where: str = "options",
    note: Callable[[str, str], None] = lambda old, new: None,
) -> T:
    """Makes a frozen configuration from plain values and checks names and types; see `gan.options.make_options`.

    Args:
        kind: A dataclass whose fields are bool, int, float, str, a Literal of these, or one of these or None.
        values: Field names, or names of earlier versions, and values; missing fields keep their defaults.
        where: Where the values come from, for messages.
        note: Takes each old name that was used, and the new one.

    Raises:
        ConfigError: Where a name is unknown or a value has another type.
    """
    return make_options(kind, new_names(kind, values, note), where)
