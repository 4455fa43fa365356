"""Files of weights that are not ours: the user's own, and those that torchvision publishes. Nothing in them is run.

A published file is known by its SHA-256, of which its name bears the first eight digits. What lies under that name in
the cache of `torch.hub` and has another hash was not published: it is fetched anew and never read.
"""

from __future__ import annotations

import hashlib
import math
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gan.errors import MetricError

__all__ = ["PUBLISHED", "PublishedFile", "published_weights", "read_weights"]

_LARGEST: Final = 2 << 30
"""Bytes of tensors in a file that is read: four times VGG16."""


@dataclass(frozen=True)
class PublishedFile:
    """A file on torchvision's server."""

    name: str
    sha256: str

    @property
    def url(self) -> str:
        """Where it lies, as `torchvision.models` says."""
        return f"https://download.pytorch.org/models/{self.name}"


PUBLISHED: Final = {
    "alexnet": PublishedFile(
        "alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
    ),
    "vgg16": PublishedFile(
        "vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
    ),
}  # fmt: skip


def published_weights(model: str, own_file: str) -> dict[str, Tensor]:
    """The state dict that torchvision publishes for ``alexnet`` or ``vgg16``, from the cache or the network.

    Args:
        model: one of `PUBLISHED`.
        own_file: name of the file that a user may give instead, for the message.

    Raises:
        MetricError: it is not in the cache and cannot be fetched.
    """
    wanted = PUBLISHED[model]
    path = Path(torch.hub.get_dir()) / "checkpoints" / wanted.name
    state = _if_genuine(path, wanted.sha256)
    if state is not None:
        return state
    if path.exists():
        warnings.warn(f"{path} is not the file that torchvision publishes: fetched anew", stacklevel=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(wanted.url, str(path), hash_prefix=wanted.sha256, progress=False)
        state = _if_genuine(path, wanted.sha256)
    except (OSError, RuntimeError) as error:  # the second for a download of another hash
        raise MetricError(
            f"weights of {model} could not be downloaded ({error}): give a folder with {own_file} as --weights-dir or "
            "GIS_WEIGHTS"
        ) from error
    if state is None:
        raise MetricError(f"{path} changed while it was read: expected the file that torchvision publishes")
    return state


def _if_genuine(path: Path, sha256: str) -> dict[str, Tensor] | None:
    """The tensors of a file whose hash is known; None where there is none of that hash."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:  # hashed and read through one handle: what is renamed meanwhile is not seen
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            return None
        stream.seek(0)
        return _load(stream, path)


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a user's file: safetensors, or a state dict that torch saved.

    Raises:
        MetricError: it cannot be read, holds more than tensors, or values that are not finite.
    """
    try:
        if file.suffix == ".safetensors":
            state: Any = load_file(file)
        else:
            with file.open("rb") as stream:
                state = _load(stream, file)
    except (OSError, SafetensorError, ValueError) as error:
        raise MetricError(f"{file} cannot be read as weights: {_first_line(error)}") from error
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise MetricError(f"{file}: {name} holds values that are not finite: get the file again")
    return dict(state)


def _load(stream: BinaryIO, file: Path) -> dict[str, Tensor]:
    """A state dict, by torch's reader that knows tensors alone."""
    _check_size(stream, file)
    try:
        state = torch.load(stream, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise MetricError(f"{file} cannot be read as weights: {_first_line(error)}") from error
    except Exception as error:  # torch reports a forbidden pickle by pickle's own error type
        raise MetricError(f"{file} holds more than tensors and was not loaded: {type(error).__name__}") from error
    if not isinstance(state, dict) or not all(_is_entry(*entry) for entry in state.items()):
        raise MetricError(f"{file} holds more than tensors: expected a state dict, tensors by name")
    return dict(state)


def _is_entry(name: object, tensor: object) -> bool:
    return isinstance(name, str) and isinstance(tensor, Tensor) and math.prod(tensor.shape) <= _LARGEST


def _check_size(stream: BinaryIO, file: Path) -> None:
    """Refuses what would fill the memory: torch's files are zip archives, whose members may be compressed."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            size = max(size, sum(member.file_size for member in archive.infolist()))
    stream.seek(0)
    if size > _LARGEST:
        raise MetricError(f"{file} holds {size / 1e9:.1f} GB: expected weights of at most {_LARGEST / 1e9:.1f} GB")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
