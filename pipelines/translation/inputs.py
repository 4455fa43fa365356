"""What is translated: source tensors or images, found in a folder and read when their turn comes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from gan.data.images import list_images
from gan.data.sample_files import StoredSample, find_samples
from gan.errors import DataError

from pipelines.evaluation.images import read_image

__all__ = ["Input", "calibration_samples", "find_inputs", "fit_channels"]

Float32 = npt.NDArray[np.float32]
_CALIBRATION_COUNT: Final = 6


@dataclass(frozen=True)
class Input:
    """One source that is read when it is needed."""

    name: str
    path: Path
    """File that it lies in."""
    read: Callable[[], Float32]
    """(C, H, W) float32 in [-1, 1]."""


def find_inputs(folder: Path) -> list[Input]:
    """Source tensors or images of a folder, in name order.

    Raises:
        DataError: no folder, nothing usable, or two inputs of one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: expected source tensors or images")
    for place in (folder, folder / "tensors"):
        samples = [Input(stored.name, stored.path, partial(_read_source, stored)) for stored in find_samples(place)]
        if samples:
            return _distinct(samples, folder)
    for place in (folder, folder / "images"):
        paths = list_images(place)
        if paths:
            return _distinct([Input(path.stem, path, partial(_read_image, path)) for path in paths], folder)
    raise DataError(f"{folder} holds neither tensors (*.safetensors, *.tar) nor images: expected one of them")


def _read_source(stored: StoredSample) -> Float32:
    return stored.load().source()


def _read_image(path: Path) -> Float32:
    image = read_image(path)
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes * np.float32(2) - np.float32(1))


def _distinct(items: Sequence[Input], folder: Path) -> list[Input]:
    ordered = sorted(items, key=lambda item: item.name)
    for one, other in itertools.pairwise(ordered):
        if one.name == other.name:
            raise DataError(f"{folder} holds two inputs named {one.name!r}: expected one, their outputs would collide")
    return ordered


def fit_channels(source: Float32, channels: int, name: str) -> Float32:
    """Grey repeated for a model of colour images; anything else that differs is an error."""
    if source.shape[0] == channels:
        return source
    if source.shape[0] == 1 and channels == 3:
        return np.repeat(source, 3, axis=0)
    raise DataError(
        f"{name} has {source.shape[0]} channels, the model takes {channels}: expected inputs like its training data"
    )


def calibration_samples(inputs: Sequence[Input], count: int = _CALIBRATION_COUNT) -> Float32 | None:
    """Evenly spaced inputs that have the size of the first, (N, C, H, W); None where there is only one."""
    chosen = sorted({round(step) for step in np.linspace(0, len(inputs) - 1, count)})
    sources: list[Float32] = []
    for position in chosen:
        with suppress(DataError):  # one that cannot be used is told when its turn comes
            sources.append(inputs[position].read())
    alike = [source for source in sources if source.shape == sources[0].shape]
    return np.stack(alike) if len(alike) > 1 else None
