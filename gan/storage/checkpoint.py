"""Model files and training checkpoints: safetensors with one JSON text, written atomically, verified when read.

Both kinds are one safetensors file whose metadata holds a JSON text under ``gis``. It names the kind, and a SHA-256
over that text and all tensors, so a truncated or altered file is found before it is used. Nothing is pickled: loading
never runs code.

- A *model file* is small and made to be shared: the translator's weights in float16, backend, configuration, source
  layout, a description of the training data, metrics, and a few sources that quantisation calibrates on.
- A *checkpoint* holds everything that a resumed run needs, in the precision it has in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gan.backends.registry import load_backend, make_config
from gan.data.layout import check_layout, source_layout
from gan.errors import CheckpointError, TrainingError

__all__ = [
    "Checkpoint",
    "LoadedModel",
    "checkpoint_paths",
    "load_checkpoint",
    "load_model",
    "prune_checkpoints",
    "save_checkpoint",
    "save_model",
]

_FORMAT_VERSION: Final = 1
_MODEL: Final = "gis-model"
_CHECKPOINT: Final = "gis-checkpoint"
_CHECKPOINT_NAME: Final = re.compile(r"step-(\d{9})\.safetensors")
# Sources that travel with a model, 8 bit: enough for the ranges of activations, 1.8 MB each at 7x512x512.
_CALIBRATION: Final = "calibration.source"
_CALIBRATION_COUNT: Final = 6
_FLOAT16_MAX: Final = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class LoadedModel:
    """A model file in memory."""

    backend: str
    """Name of the backend that trained it."""
    config: Any
    """The backend's frozen ``Config``."""
    layout: dict[str, Any]
    """What the source channels mean; see `source_layout`."""
    state: dict[str, Tensor]
    """Weights of the translator, float32."""
    sha256: str
    """Hash of the content, as stored and verified."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Description of training data, metrics, and what else the writer gave."""
    calibration: Tensor | None = None
    """(N, C, H, W) float32 sources in [-1, 1] for quantisation, rounded to 8 bits; None where the writer gave none."""

    def build(self) -> nn.Module:
        """The translator with these weights, float32, in evaluation mode.

        Raises:
            CheckpointError: Where the weights do not fit the configuration.
        """
        network = load_backend(self.backend).build_translator(self.config)
        try:
            network.load_state_dict(self.state)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"weights do not fit the configuration of {self.backend}: {reason}") from error
        return network.eval()


@dataclass(frozen=True)
class Checkpoint:
    """A training checkpoint in memory."""

    state: dict[str, Any]
    """Nested dicts and lists of tensors and JSON values."""
    meta: dict[str, Any]
    """What identifies the run: backend, configuration, data."""


def save_model(
    path: Path,
    backend: str,
    config: Any,
    state: Mapping[str, Tensor],
    meta: Mapping[str, Any],
    calibration: Tensor | None = None,
    layout: Mapping[str, Any] | None = None,
) -> str:
    """Writes a model file and returns the SHA-256 of its content.

    Args:
        path: File to write; replaced atomically.
        backend: Name of the backend.
        config: Its frozen ``Config``.
        state: State dict of the translator.
        meta: JSON values: description of training data, metrics.
        calibration: (N, C, H, W) float32 sources in [-1, 1], real ones and different from each other; the first few
            travel with the model so that every machine quantises it alike.
        layout: What the source means; None takes `source_layout` of the channels.

    Raises:
        CheckpointError: Where a weight is NaN, or too large for float16.
        TrainingError: Where the file cannot be written.
    """
    tensors = {name: _to_half(name, tensor) for name, tensor in state.items()}
    if calibration is not None and len(calibration):
        few = calibration[:_CALIBRATION_COUNT].detach().float().cpu()
        tensors[_CALIBRATION] = (few * 127).round().clamp(-127, 127).to(torch.int8).contiguous()
    about = {
        "kind": _MODEL,
        "backend": backend,
        "config": dict(vars(config)),
        "layout": dict(layout) if layout is not None else source_layout(config.in_channels),
        "meta": dict(meta),
    }
    return _write(path, tensors, about)


def load_model(path: Path) -> LoadedModel:
    """Reads and verifies a model file.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or no model file.
        LayoutError: Where it reads source tensors of another layout.
    """
    tensors, about, digest = _read(path, _MODEL)
    try:
        name, layout = str(about["backend"]), dict(about["layout"])
        if layout["layout"] != "image":
            check_layout(layout, str(path))
        config = make_config(load_backend(name).Config, about["config"], str(path))
        meta = dict(about["meta"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: incomplete description ({error!r}); get the file again") from error
    stored = tensors.pop(_CALIBRATION, None)
    calibration = None if stored is None else stored.float() / 127
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}
    return LoadedModel(name, config, layout, state, digest, meta, calibration)


def save_checkpoint(path: Path, state: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Writes a training checkpoint atomically; an older one of the same name stays until the new one is whole.

    Raises:
        TrainingError: Where the file cannot be written (disk full, no permission).
    """
    tensors: dict[str, Tensor] = {}
    values = _flatten(state, "", tensors)
    _write(path, tensors, {"kind": _CHECKPOINT, "state": values, "meta": dict(meta)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads and verifies a training checkpoint.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or no checkpoint.
    """
    tensors, about, _ = _read(path, _CHECKPOINT)
    return Checkpoint(_unflatten(about["state"], tensors), about["meta"])


def checkpoint_paths(folder: Path) -> list[Path]:
    """The whole checkpoints in a folder, oldest first."""
    found = [path for path in folder.glob("step-*.safetensors") if _CHECKPOINT_NAME.fullmatch(path.name)]
    return sorted(found)


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Removes all but the newest ``keep`` checkpoints, and what an interrupted write left behind."""
    for path in checkpoint_paths(folder)[:-keep]:
        path.unlink()
    for path in folder.glob(".*.partial"):
        path.unlink()


def _to_half(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.detach().cpu().contiguous()
    largest = float(tensor.detach().abs().max()) if tensor.numel() else 0.0
    if not math.isfinite(largest) or largest > _FLOAT16_MAX:
        raise CheckpointError(f"weight {name} reaches {largest}: cannot be stored in float16; the training diverged")
    return tensor.detach().to("cpu", torch.float16).contiguous()


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


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    hasher = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()


def _write(path: Path, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> str:
    text = json.dumps({**about, "format": _FORMAT_VERSION}, sort_keys=True)
    # One key of metadata: the library writes several in no fixed order.
    digest = _digest(tensors, text)
    envelope = json.dumps({"content": text, "sha256": digest}, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(path) as temporary:
            save_file(_unshared(tensors), temporary, metadata={"gis": envelope})
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{path}: cannot be written ({error}); earlier files are intact: free some space and go on with --resume"
        ) from error
    return digest


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    seen: set[int] = set()
    result = {}
    for name, tensor in tensors.items():
        shared = tensor.numel() > 0 and tensor.data_ptr() in seen
        seen.add(tensor.data_ptr())
        result[name] = tensor.clone() if shared else tensor
    return result


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends without an error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # safetensors makes files that only their owner can read
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; expected a .safetensors file of gis")
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: truncated, or no safetensors file ({error}); get the file again") from error
    try:
        envelope = json.loads(metadata["gis"])
        text, digest = envelope["content"], envelope["sha256"]
        about = json.loads(text)
        found = (about["kind"], about["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not written by gis (no description); expected a {kind} file") from error
    if found != (kind, _FORMAT_VERSION):
        raise CheckpointError(f"{path}: is {found[0]} format {found[1]}, expected {kind} format {_FORMAT_VERSION}")
    if _digest(tensors, text) != digest:
        raise CheckpointError(f"{path}: content does not match its hash: altered or damaged; get the file again")
    return tensors, about, digest
