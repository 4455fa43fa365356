"""Training checkpoints: everything that a resumed run needs, in the precision that it has in memory.

See `gan.storage.container` for the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from gan.errors import CheckpointError
from gan.storage.container import read_container, write_container

__all__ = ["Checkpoint", "checkpoint_paths", "prune_checkpoints", "read_checkpoint", "write_checkpoint"]

_KIND: Final = "gis-checkpoint"
_CHECKPOINT_NAME: Final = re.compile(r"step-(\d{9})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A training checkpoint in memory."""

    state: dict[str, Any]
    """Nested dicts and lists of tensors and JSON values."""
    meta: dict[str, Any]
    """What identifies the run: backend, configuration, data."""


def write_checkpoint(path: Path, state: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Writes a training checkpoint atomically; an older one of the same name stays until the new one is whole.

    Raises:
        TrainingError: Where the file cannot be written (disk full, no permission).
    """
    tensors: dict[str, Tensor] = {}
    values = _flatten(state, "", tensors)
    write_container(path, tensors, {"kind": _KIND, "state": values, "meta": dict(meta)})


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads and verifies a training checkpoint.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or no checkpoint.
    """
    tensors, about, _ = read_container(path, _KIND)
    try:
        state, meta = _unflatten(about["state"], tensors), about["meta"]
        if not isinstance(state, dict) or not isinstance(meta, dict):
            raise TypeError("state or meta is no table")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: incomplete state ({str(error)[:200]}); delete it, and --resume goes on from the one before"
        ) from error
    return Checkpoint(state, meta)


def checkpoint_paths(folder: Path) -> list[Path]:
    """The whole checkpoints in a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*.safetensors") if _CHECKPOINT_NAME.fullmatch(path.name))


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Removes all but the newest ``keep`` checkpoints, and what an interrupted write left behind."""
    for path in checkpoint_paths(folder)[:-keep]:
        path.unlink()
    for path in folder.glob(".*.partial"):
        path.unlink()


def _flatten(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """JSON image of a nested state; tensors move to ``tensors`` and leave their name behind."""
    if isinstance(node, Tensor):
        # safetensors wants plain, unshared memory.
        tensors[path] = node.detach().to("cpu").contiguous()
        return {"$tensor": path}
    if isinstance(node, Mapping):
        return {"$dict": [[key, _flatten(value, f"{path}/{key}", tensors)] for key, value in node.items()]}
    if isinstance(node, (list, tuple)):
        return [_flatten(value, f"{path}/{position}", tensors) for position, value in enumerate(node)]
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    raise TypeError(f"state at {path or '/'} is {type(node).__name__}: expected tensors and JSON values")


def _unflatten(node: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(node, dict):
        if "$tensor" in node:
            return tensors[node["$tensor"]]
        return {key: _unflatten(value, tensors) for key, value in node["$dict"]}
    if isinstance(node, list):
        return [_unflatten(value, tensors) for value in node]
    return node
