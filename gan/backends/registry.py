"""Finds backends by the names of their files, and makes their configurations from plain values.

Nothing is imported until a backend is asked for, so listing the names costs nothing.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from gan.backends.base import BackendModule
from gan.errors import ConfigError

__all__ = ["backend_names", "config_to_dict", "load_backend", "make_config"]

T = TypeVar("T")
_SHARED = ("base", "registry", "steps")
"""Files of this folder that are no backend."""


def backend_names() -> tuple[str, ...]:
    """Names of all backends, sorted."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return tuple(sorted(name for name in found if name not in _SHARED))


def load_backend(name: str) -> BackendModule:
    """Imports one backend.

    Raises:
        ConfigError: Where no backend has this name.
    """
    if name not in backend_names():
        raise ConfigError(f"unknown backend {name!r}: expected one of {', '.join(backend_names())}")
    return cast(BackendModule, importlib.import_module(f"gan.backends.{name}"))


def config_to_dict(config: Any) -> dict[str, Any]:
    """A frozen configuration as JSON values."""
    return dataclasses.asdict(config)


def make_config(kind: type[T], values: Mapping[str, Any], where: str = "options") -> T:
    """Makes a frozen dataclass from plain values and checks names and types.

    Args:
        kind: A dataclass whose fields are bool, int, float, str, a Literal of these, or one of these or None.
        values: Field names and values; missing fields keep their defaults.
        where: Where the values come from, for messages.

    Raises:
        ConfigError: Where a name is unknown or a value has another type.
    """
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigError(f"{where}: unknown option {unknown[0]!r}; expected one of {', '.join(sorted(hints))}")
    return kind(**{name: _checked(value, hints[name], f"{where}: {name}") for name, value in values.items()})


def _checked(value: Any, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{where} is {value!r}: expected one of {', '.join(map(str, typing.get_args(hint)))}")
        return value
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(hint)
        return None if value is None and type(None) in options else _checked(value, options[0], where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) != (hint is bool) or not isinstance(value, hint):
        raise ConfigError(f"{where} is {value!r}: expected {hint.__name__}")
    return value
