"""What a converted network consists of, and whether it is still what the conversion left.

The conversion writes ``about.json`` last, with the SHA-256 of every other file, and with the name of the cache entry,
which stands for model file, precision and versions of OpenVINO and NNCF. So damage, a file of another conversion and a
whole entry in another's place are found. Who can write to the folder could write all of it anew; a folder that others
can write to is therefore not used (`check_owner`), and the network is compared with plain float32 on the probes in any
case (`gan.serving.inference`).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from gan.data.layout import SourceLayout
from gan.errors import LayoutError, ServingError
from gan.serving.engine import Float32, Precision
from gan.storage.known_objects import KnownObjects
from gan.text_files import parse_json

__all__ = [
    "ABOUT",
    "Converted",
    "DamagedError",
    "belongs_to",
    "beside",
    "check_owner",
    "file_sha256",
    "read_about",
    "read_converted",
    "write_about",
]

ABOUT: Final = "about.json"
_NETWORK: Final = ("model.xml", "model.bin")
_PROBES: Final = "probes.safetensors"
_OWN_HASH: Final = "about_sha256"
_LARGEST_ABOUT: Final = 1 << 20
_BESIDE: Final = {"fp32": ".openvino", "bf16": ".openvino", "int8": ".openvino-int8"}
"""Suffixes of the folders with conversions that are handed on with their model file."""


class DamagedError(Exception):
    """A conversion is not what was left there: what is wrong, in a few words."""


@dataclass(frozen=True)
class Converted:
    """A conversion whose files are those that were written."""

    network: Path
    """The file that OpenVINO reads."""
    about: Mapping[str, Any]
    probes: Float32
    """(N, C, H, W) sources."""
    reference: Float32
    """(N, K, H, W): what float32 makes of them."""
    layout: SourceLayout
    known_objects: KnownObjects | None


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Writes ``about.json``, which makes the conversion count: what is said of it, and the hashes of its files."""
    content = {**about, "files": {name: _sha256(folder / name) for name in (*_NETWORK, _PROBES)}}
    text = json.dumps({**content, _OWN_HASH: _own_hash(content)}, indent=2) + "\n"
    (folder / ABOUT).write_text(text, encoding="utf-8")


def read_converted(folder: Path, entry: str | None = None) -> Converted:
    """Reads a conversion and compares it with its hashes.

    Args:
        folder: Of the conversion.
        entry: Name that it was made under; None for one that lies beside its model file.

    Raises:
        DamagedError: A file is missing or another one.
        LayoutError: It reads source tensors of another layout.
    """
    about = read_about(folder)
    hashes = about.get("files")
    if not isinstance(hashes, dict):
        raise DamagedError(f"{ABOUT} has no hashes of the files beside it")
    if about.get(_OWN_HASH) != _own_hash(about):
        raise DamagedError(f"{ABOUT} is not as it was written")
    if entry is not None and about.get("entry") != entry:
        raise DamagedError(f"{ABOUT} is that of another conversion")
    for name in _NETWORK:
        if _sha256(folder / name) != hashes.get(name):
            raise DamagedError(f"{name} is not the file that was written")
    probes, reference = _probes(folder / _PROBES, hashes.get(_PROBES))
    layout, sizes = _layout(folder, about), _known_objects(about)
    return _checked(Converted(folder / _NETWORK[0], about, probes, reference, layout, sizes))


def read_about(folder: Path) -> dict[str, Any]:
    """What ``about.json`` says.

    Raises:
        DamagedError: There is none, or it is no JSON object.
    """
    try:
        if (folder / ABOUT).stat().st_size > _LARGEST_ABOUT:
            raise ValueError("too long")
        about = parse_json((folder / ABOUT).read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedError(f"{ABOUT} cannot be read") from error
    if not isinstance(about, dict):
        raise DamagedError(f"{ABOUT} is no JSON object")
    return about


def beside(model_file: Path, precision: Precision) -> Path:
    """Folder of the conversion that is handed on with a model file, whether there is one or not."""
    return model_file.with_suffix(_BESIDE[precision])


def belongs_to(model_file: Path, folder: Path) -> bool:
    """Whether a folder has a conversion of this very file.

    Raises:
        DamagedError: It cannot be told.
    """
    return (folder / ABOUT).is_file() and read_about(folder).get("file_sha256") == file_sha256(model_file)


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_owner(folder: Path) -> None:
    """Refuses a cache that other users can write to.

    Raises:
        ServingError: It is another user's, or writable for all.
    """
    if not hasattr(os, "getuid"):
        return
    status = folder.stat()
    if status.st_uid not in (os.getuid(), 0) or status.st_mode & stat.S_IWOTH:
        raise ServingError(
            f"{folder}: other users can write to this cache of converted models: expected a folder of your own "
            "(chmod o-w), or name another by GIS_CACHE"
        )


def _own_hash(about: Mapping[str, Any]) -> str:
    """Of all that ``about.json`` says beside this hash."""
    rest = {key: value for key, value in about.items() if key != _OWN_HASH}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise DamagedError(f"{path.name} cannot be read ({error.strerror})") from error


def _probes(path: Path, sha256: object) -> tuple[Float32, Float32]:
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedError(f"{path.name} is not the file that was written")
        tensors = load_tensors(data)
        return tensors["source"], tensors["image"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DamagedError(f"{path.name} cannot be read") from error


def _layout(folder: Path, about: Mapping[str, Any]) -> SourceLayout:
    try:
        return SourceLayout.from_json(about["layout"], str(folder))
    except LayoutError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DamagedError(f"{ABOUT} has no layout") from error


def _known_objects(about: Mapping[str, Any]) -> KnownObjects | None:
    try:
        return KnownObjects.from_json(about)
    except ValueError as error:
        raise DamagedError(str(error)) from error


def _checked(converted: Converted) -> Converted:
    """The same, with the types that serving relies on."""
    about, probes, reference = converted.about, converted.probes, converted.reference
    kinds = {"in_channels": int, "multiple_px": int, "weights_sha256": str, "backend": str, "whole": bool}
    wrong = [key for key, kind in kinds.items() if not isinstance(about.get(key), kind)]
    if wrong:
        raise DamagedError(f"{ABOUT} has no {wrong[0]}")
    fits = probes.ndim == reference.ndim == 4 and len(probes) == len(reference) > 0
    if not fits or not (probes.dtype == reference.dtype == np.float32) or probes.shape[1] != about["in_channels"]:
        raise DamagedError("its probes do not fit")
    return converted
