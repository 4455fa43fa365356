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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan.errors import CheckpointError, TrainingError
from gan.text_files import parse_json

__all__ = ["Shapes", "read_container", "write_container"]

Shapes = Mapping[str, tuple[int, ...]]
_FORMAT_VERSION: Final = 1
_LONGEST_HEAD: Final = 32 << 20
"""Bytes of names, shapes and description: a hundred times that of the largest model here."""


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


def read_container(
    path: Path, kind: str, check: Callable[[dict[str, Any], Shapes], None] = lambda about, shapes: None
) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Reads and verifies what `write_container` wrote: tensors, description, and SHA-256 of the content.

    Args:
        path: The file.
        kind: What the content must be.
        check: Takes the description and the shapes before any tensor is read, and refuses what does not fit.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or of another kind.
    """
    _check_size(path)
    try:
        with safe_open(path, framework="pt") as stream:
            about, text, digest = _description(path, kind, stream.metadata() or {})
            check(about, {name: tuple(stream.get_slice(name).get_shape()) for name in stream.keys()})  # noqa: SIM118
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise CheckpointError(f"{path}: truncated, or no safetensors file ({error}); get the file again") from error
    if _digest(tensors, text) != digest:
        raise CheckpointError(f"{path}: content does not match its hash: altered or damaged; get the file again")
    return tensors, about, digest


def _description(path: Path, kind: str, metadata: Mapping[str, str]) -> tuple[dict[str, Any], str, str]:
    """What the file says of itself: values, their text, and the hash."""
    try:
        envelope = parse_json(metadata["gis"])
        text, digest = envelope["content"], envelope["sha256"]
        about = parse_json(text, allow_nan=True)  # the best value of a run that was not measured yet is infinite
        stored = (about["kind"], about["format"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not written by gis (no description); expected a {kind} file") from error
    if stored != (kind, _FORMAT_VERSION):
        raise CheckpointError(f"{path}: is {stored[0]} format {stored[1]}, expected {kind} format {_FORMAT_VERSION}")
    return about, text, digest


def _check_size(path: Path) -> None:
    """Refuses what is no file, and what would fill the memory: before a byte of it is read."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; expected a .safetensors file of gis")
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            # The safetensors format: 8 bytes little-endian length, then that many bytes of JSON.
            head = int.from_bytes(stream.read(8), "little")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); get the file again") from error
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else size
    if size > memory:
        raise CheckpointError(f"{path}: holds {size / 1e9:.0f} GB, this machine has {memory / 1e9:.0f} GB of memory")
    if head > min(size, _LONGEST_HEAD):
        raise CheckpointError(f"{path}: truncated, or no safetensors file (a head of {head} bytes); get the file again")


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
