"""The state of a run as it lies in a checkpoint, compared with the run that takes it, before anything takes it.

torch's own loading compares names and shapes of weights; an optimiser takes what it is given and fails in a later step,
in which a half-loaded run would already have been saved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

__all__ = ["check_position", "check_state"]

_MOMENTS: Final = frozenset({"step", "exp_avg", "exp_avg_sq"})


def check_state(stored: Mapping[str, Any], fresh: Mapping[str, Any], networks: Mapping[str, nn.Module]) -> None:
    """Checks the state of a backend.

    Args:
        stored: of a checkpoint, in the form of today.
        fresh: what `gan.backends.base.Backend.state` gives before it takes ``stored``.
        networks: of the backend, by name.

    Raises:
        ValueError: it does not fit, or holds values that are not finite.
        KeyError, TypeError, AttributeError: it is of another form.
    """
    for name, network in networks.items():
        _check_weights(f"networks.{name}", stored["networks"][name])
        _check_optimiser(f"optimisers.{name}", stored["optimisers"][name], fresh["optimisers"][name], network)
    for name in fresh.get("pools", {}):
        for image in stored["pools"][name]["images"]:
            _check_tensor(f"pools.{name}", image, None)
            if image.dim() != 4:
                raise ValueError(f"pools.{name} holds an image of shape {tuple(image.shape)}")


def check_position(stored: Mapping[str, Any]) -> None:
    """Checks where a run stands.

    Raises:
        ValueError: it stands nowhere.
    """
    for name in ("epoch", "step_in_epoch", "step", "best_epoch"):
        value = stored.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value < 1 << 40:
            raise ValueError(f"position.{name} is {value!r}")
    best = stored.get("best", math.inf)
    if not isinstance(best, int | float) or isinstance(best, bool) or math.isnan(best):
        raise ValueError(f"position.best is {best!r}")


def _check_weights(where: str, state: Mapping[str, Any]) -> None:
    for name, tensor in state.items():
        _check_tensor(f"{where}.{name}", tensor, None)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{where}.{name} holds values that are not finite")


def _check_tensor(where: str, tensor: Any, shape: Sequence[int] | None) -> None:
    if not isinstance(tensor, Tensor) or (shape is not None and tuple(tensor.shape) != tuple(shape)):
        raise ValueError(f"{where} is {_kind(tensor)}, expected a tensor" + (f" of {tuple(shape)}" if shape else ""))


def _kind(value: Any) -> str:
    return f"a tensor of {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _check_optimiser(where: str, stored: Mapping[str, Any], fresh: Mapping[str, Any], network: nn.Module) -> None:
    groups, expected = stored["param_groups"], fresh["param_groups"]
    if len(groups) != len(expected):
        raise ValueError(f"{where}.param_groups has {len(groups)} groups, expected {len(expected)}")
    for group, other in zip(groups, expected, strict=True):
        _check_group(f"{where}.param_groups", group, other)
    shapes = [tuple(parameter.shape) for parameter in network.parameters()]
    for number, moments in stored["state"].items():
        if not isinstance(number, int) or not 0 <= number < len(shapes):
            raise ValueError(f"{where}.state has a parameter {number!r}, of {len(shapes)}")
        if not {*moments} >= _MOMENTS:
            raise ValueError(f"{where}.state.{number} lacks a moment of Adam")
        for name, value in moments.items():
            _check_tensor(f"{where}.state.{number}.{name}", value, () if name == "step" else shapes[number])
    if stored["state"] and len(stored["state"]) != len(shapes):
        raise ValueError(f"{where}.state has {len(stored['state'])} of {len(shapes)} parameters")
    lacking = [
        number for number, moments in stored["state"].items() if not {"step", "exp_avg", "exp_avg_sq"} <= {*moments}
    ]
    if lacking:
        raise ValueError(f"{where}.state.{lacking[0]} lacks a moment of Adam")


def _check_group(where: str, group: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    for name, value in fresh.items():
        stored = group[name]
        if name == "params" and list(stored) != list(value):
            raise ValueError(f"{where}.params are other parameters")
        if not _alike(stored, value):
            raise ValueError(f"{where}.{name} is {str(stored)[:60]!r}, expected a value like {value!r}")


def _alike(stored: Any, fresh: Any) -> bool:
    if isinstance(fresh, list | tuple):
        return isinstance(stored, list | tuple) and len(stored) == len(fresh) and all(map(_alike, stored, fresh))
    if isinstance(fresh, bool) or fresh is None or isinstance(stored, bool) or stored is None:
        return stored is None or fresh is None or type(stored) is type(fresh)
    return isinstance(stored, int | float) and isinstance(fresh, int | float) and math.isfinite(stored)
