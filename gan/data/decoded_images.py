"""The decoded cache: every image is read once, checked, and laid out in memory-mapped arrays."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gan.data.skipped import check_share
from gan.data.sources import Item, Planes, resize_plane
from gan.errors import DataError, ItemError, TrainingError
from gan.text_files import parse_json

__all__ = ["DecodedImages", "decode"]

_CACHE_VERSION: Final = 2
_CHECKED_ROWS: Final = 32
"""Rows that are compared with their hashes when a cache is opened: 20 ms of 512x512 pixels."""
_PLANES: Final = frozenset({"source", "target", "label_image", "segmentation", "inverse_depth", "instance_id", "entry"})


@dataclass(frozen=True)
class DecodedImages:
    """A set of samples (or one side of unpaired data) as arrays."""

    planes: dict[str, npt.NDArray[Any]]
    """(N, C, H, W) uint8 or uint16 by plane name, memory-mapped."""
    names: tuple[str, ...]
    """Name of each sample."""
    groups: tuple[str, ...]
    """Group of each sample, "" where none is known."""
    digests: tuple[str, ...]
    """Hash of each sample's planes."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Name of each item that could not be used, and why; it is none of the samples."""

    @property
    def fingerprint(self) -> str:
        """Hash over all names and contents."""
        return hashlib.sha256("".join([*self.names, *self.digests]).encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        plane = next(iter(self.planes.values()))
        return int(plane.shape[2]), int(plane.shape[3])


def decode(
    items: Sequence[Item],
    cache: Path,
    size: tuple[int, int] | None = None,
    progress: Callable[[Sequence[Item]], Sequence[Item]] = lambda items: items,
) -> DecodedImages:
    """Opens the cache of these items, and fills it first where it is not there yet.

    Args:
        items: What to read.
        cache: Folder for caches; each set has its own folder below it.
        size: Height and width that every image is brought to; None demands that all have one size.
        progress: Wraps the items while they are read.

    Raises:
        DataError: Where half or more of the images cannot be used, or one differs from the others in size, channels
            or depth of bits. Fewer that cannot be used are left out.
        TrainingError: Where the cache cannot be written.
    """
    if not items:
        raise DataError("no images: expected at least one")
    stamps = [[item.name, item.stamp] for item in items]
    key = hashlib.sha256(json.dumps([_CACHE_VERSION, size, stamps]).encode()).hexdigest()[:16]
    folder = cache / key
    found = _open(folder, key)
    if found is None:
        try:
            _fill(items, folder, key, size, progress)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TrainingError(
                f"{folder}: cache cannot be written ({error}); free space or name another --cache"
            ) from error
        found = _open(folder, key)
    if found is None:
        raise TrainingError(f"{folder}: changed while it was written; give the same command again")
    return found


def _open(folder: Path, key: str) -> DecodedImages | None:
    """The cache in a folder; None where there is none, or one that is not what was written there."""
    if not (folder / "index.json").is_file():
        return None
    try:
        index = parse_json((folder / "index.json").read_bytes())
        if index["key"] != key or not {*index["planes"]} <= _PLANES:
            raise ValueError("another set")
        planes = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in index["planes"]}
        skipped = tuple((str(name), str(reason)) for name, reason in index["skipped"])
        names, groups, digests = (_texts(index[name]) for name in ("names", "groups", "digests"))
        decoded = DecodedImages(planes, names, groups, digests, skipped)
        _check_rows(decoded)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, EOFError) as error:
        warnings.warn(f"{folder}: cache is damaged ({' '.join(str(error).split())[:80]}): made anew", stacklevel=3)
        return None
    return decoded


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("expected a list of texts")
    return tuple(values)


def _check_rows(decoded: DecodedImages) -> None:
    """Compares the arrays with each other and with the hashes of some rows, of all where they are few.

    Raises:
        ValueError: They are not what was written.
    """
    count, arrays = len(decoded.names), list(decoded.planes.values())
    if not count or len(decoded.groups) != count or len(decoded.digests) != count:
        raise ValueError("names and hashes of different numbers")
    if any(array.ndim != 4 or array.dtype not in (np.uint8, np.uint16) for array in arrays):
        raise ValueError("arrays of another kind")
    if len({(array.shape[0], *array.shape[2:]) for array in arrays}) != 1 or arrays[0].shape[0] != count:
        raise ValueError("arrays of another shape")
    for row in np.unique(np.linspace(0, count - 1, min(count, _CHECKED_ROWS)).round().astype(int)):
        if _digest({name: plane[row] for name, plane in decoded.planes.items()}) != decoded.digests[row]:
            raise ValueError(f"image {decoded.names[row]} is another")


def _fill(
    items: Sequence[Item],
    folder: Path,
    key: str,
    size: tuple[int, int] | None,
    progress: Callable[[Sequence[Item]], Sequence[Item]],
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    arrays: dict[str, Any] = {}
    names: list[str] = []
    groups: list[str] = []
    digests: list[str] = []
    skipped: list[tuple[str, str]] = []
    for item in progress(items):
        try:
            planes, group = item.read()
        except ItemError as error:
            skipped.append((item.name, str(error)))
            check_share(skipped, len(items))
            continue
        if size is not None:
            planes = {name: resize_plane(name, plane, size) for name, plane in planes.items()}
        if not arrays:
            arrays = {name: _new_array(folder, name, plane, len(items)) for name, plane in planes.items()}
        _check_alike(item.name, planes, arrays, (*names, item.name)[0])
        for name, plane in planes.items():
            arrays[name][len(names)] = plane
        names.append(item.name)
        groups.append(group)
        digests.append(_digest(planes))
    for name, array in arrays.items():
        array.flush()
        if skipped:
            _shorten(folder / f"{name}.npy", len(names))
    about = {"key": key, "planes": sorted(arrays), "names": names, "groups": groups}
    index = {**about, "digests": digests, "skipped": skipped}
    # The index is written last and renamed: a cache without it is filled again.
    partial = folder / "index.partial"
    partial.write_text(json.dumps(index), encoding="utf-8")
    os.replace(partial, folder / "index.json")


def _shorten(path: Path, count: int) -> None:
    """Keeps the first rows of an array file: those behind were kept for items that could not be used."""
    rows = np.load(path, mmap_mode="r")[:count]
    partial = path.with_suffix(".partial.npy")
    np.save(partial, rows)
    os.replace(partial, path)


def _new_array(folder: Path, name: str, plane: npt.NDArray[Any], count: int) -> Any:
    shape = (count, *plane.shape)
    path = folder / f"{name}.npy"
    array = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        path, mode="w+", dtype=plane.dtype, shape=shape
    )
    # Claim the space now: on a full disk a write into a sparse mapping ends the process with SIGBUS, not with an error.
    with path.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return array


def _check_alike(name: str, planes: Planes, arrays: dict[str, Any], first: str) -> None:
    for key, plane in planes.items():
        expected = arrays[key].shape[1:]
        if plane.shape[1:] != expected[1:]:
            raise DataError(
                f"{name}: {key} is {plane.shape[2]}x{plane.shape[1]} pixels, {first} is {expected[2]}x{expected[1]}; "
                "expected one size: give --size to crop and scale all images"
            )
        if plane.shape[0] != expected[0]:
            raise DataError(
                f"{name}: {key} has {plane.shape[0]} channels, {first} has {expected[0]}; expected the same"
            )
        if plane.dtype != arrays[key].dtype:
            raise DataError(f"{name}: {key} is {plane.dtype}, {first} is {arrays[key].dtype}; expected the same")


def _digest(planes: Planes) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for name in sorted(planes):
        hasher.update(name.encode())
        hasher.update(np.ascontiguousarray(planes[name]).data)
    return hasher.hexdigest()
