"""The file format of model files and training checkpoints: safetensors with one JSON text, verified when read.

The metadata of the file holds the JSON text under ``gis``. It names the kind of content, and a SHA-256 over that text
and all tensors, so a truncated or altered file is found before it is used. Files appear whole or not at all. Nothing
is pickled: reading never runs code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan.errors import CheckpointError, TrainingError

__all__ = ["read_container", "write_container"]

_FORMAT_VERSION: Final = 1


def write_container(path: Path, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> str:
    """Writes tensors and a description; returns the SHA-256 of the content.

    Args:
        path: File to write; an older one of the same name stays until the new one is whole.
        tensors: Tensors by name, in the main memory.
        about: JSON values; ``kind`` says what the content is.

    Raises:
        TrainingError: Where the file cannot be written (disk full, no permission).
    """
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


def read_container(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Reads and verifies what `write_container` wrote: tensors, description, and SHA-256 of the content.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or of another kind.
    """
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
        stored = (about["kind"], about["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not written by gis (no description); expected a {kind} file") from error
    if stored != (kind, _FORMAT_VERSION):
        raise CheckpointError(f"{path}: is {stored[0]} format {stored[1]}, expected {kind} format {_FORMAT_VERSION}")
    if _digest(tensors, text) != digest:
        raise CheckpointError(f"{path}: content does not match its hash: altered or damaged; get the file again")
    return tensors, about, digest


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    hasher = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()


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
