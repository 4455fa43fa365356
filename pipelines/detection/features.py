"""What the frozen layers make of the images of a set: computed once, kept on disk, the same for every training."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray

from pipelines.detection.augmentation import View, draw_view
from pipelines.detection.labelled_images import LabelledImages
from pipelines.detection.network import LOW_CHANNELS, STRIDE_PX, FrozenLayers
from pipelines.detection.targets import Targets, make_targets
from pipelines.errors import OutputError

__all__ = ["TrainingViews", "make_views", "targets_of"]

_VERSION: Final = 1
_BATCH: Final = 8
_LARGEST_HALF: Final = 65504.0


@dataclass(frozen=True, eq=False)
class TrainingViews:
    """Augmented views of a set: view ``v`` of image ``i`` is row ``v * images + i``."""

    images: int
    features: NDArray[np.float16]
    """(views x images, h, w, C) of stride 8, memory-mapped."""
    targets: tuple[Targets, ...]

    def rows_of(self, chosen: Iterable[int]) -> NDArray[np.int64]:
        """Rows of all views of some images."""
        first = np.array(sorted(chosen), np.int64)
        return (first + np.arange(0, len(self.targets), self.images)[:, None]).ravel()


def make_views(
    images: LabelledImages,
    layers: Callable[[], FrozenLayers],
    cache: Path,
    *,
    at_least: int,
    window_px: tuple[int, int],
    progress: Callable[[Iterable[int]], Iterable[int]] = lambda rows: rows,
) -> TrainingViews:
    """Draws the views of a set, the same in every call, and reads or computes their features.

    Args:
        images: The set.
        layers: Makes the frozen layers; called only where something is to be computed.
        cache: Folder that keeps the features.
        at_least: So many views in all, or one of each image where there are more images.
        window_px: Width and height of a view.
        progress: Wraps the rows.

    Raises:
        DataError: An image that cannot be read.
    """
    each = max(1, round(at_least / len(images.images)))
    rows = [(number, view) for view in range(each) for number in range(len(images.images))]
    sizes = [image.read().shape for image in images.images]
    views = [_view_of(images, sizes, number, view, window_px) for number, view in rows]
    targets = tuple(
        targets_of(images, number, sizes[number][1], view, window_px)
        for (number, _), view in zip(rows, views, strict=True)
    )
    shape = (len(rows), window_px[1] // STRIDE_PX, window_px[0] // STRIDE_PX, LOW_CHANNELS)
    key = hashlib.sha256(f"{_VERSION} {images.fingerprint} {shape}".encode()).hexdigest()[:24]
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{key}.npy"
    with FileLock(path.with_suffix(".lock")):
        if _load(path, shape) is None:
            _compute(path, shape, images, rows, views, window_px, layers(), progress)
        features = _load(path, shape)
    if features is None:
        raise OutputError(f"{path}: changed while it was written: give the same command again")
    return TrainingViews(len(images.images), features, targets)


def _load(path: Path, shape: tuple[int, ...]) -> NDArray[np.float16] | None:
    """The features that a file holds; None where there is none, or one that is damaged."""
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(features, np.ndarray) and features.shape == shape and features.dtype == np.float16
    return features if fits else None


def _view_of(
    images: LabelledImages, sizes: list[tuple[int, ...]], number: int, view: int, window_px: tuple[int, int]
) -> View:
    name = hashlib.sha256(images.images[number].name.encode("utf-8", "surrogateescape")).digest()[:8]
    height, width = sizes[number]
    return draw_view(width, height, window_px, np.random.default_rng([view, *name]))


def targets_of(
    images: LabelledImages, number: int, image_width_px: int, view: View, window_px: tuple[int, int]
) -> Targets:
    """What the network should say of one view of an image of a set."""
    image = images.images[number]
    return make_targets(view.boxes(image.boxes_px, image_width_px), image.classes, window_px, images.labelled)


def _new_array(path: Path, shape: tuple[int, ...]) -> NDArray[np.float16]:
    array: NDArray[np.float16] = np.lib.format.open_memmap(path, "w+", np.float16, shape)  # type: ignore[no-untyped-call]
    return array


def _compute(
    path: Path,
    shape: tuple[int, ...],
    images: LabelledImages,
    rows: list[tuple[int, int]],
    views: list[View],
    window_px: tuple[int, int],
    layers: FrozenLayers,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        features = _new_array(partial, shape)
        for first in progress(range(0, len(rows), _BATCH)):
            batch = range(first, min(first + _BATCH, len(rows)))
            windows = np.stack([views[row].image(images.images[rows[row][0]].read(), window_px) for row in batch])
            low = layers(torch.from_numpy(windows)[:, None].contiguous(memory_format=torch.channels_last))
            features[first : first + len(batch)] = low.permute(0, 2, 3, 1).clamp(max=_LARGEST_HALF).numpy()
        del features  # written out
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): make room, or give another --out"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
