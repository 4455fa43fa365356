"""The test sets: read once, the same pixels for every model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gan.data.decoded_images import DecodedImages, decode
from gan.data.options import DataOptions
from gan.data.planes import planes_to_batch
from gan.data.sources import find_sources
from gan.data.training_data import open_data
from gan.errors import DataError
from gan.metrics.classes import boxes_to_regions

from pipelines.errors import ConfigError, DatasetError
from pipelines.io.coco import read_coco
from pipelines.io.files import read_object, write_bytes
from pipelines.io.images import PictureError, decode_luminance, read_bytes
from pipelines.translation.translate import encode_image

__all__ = ["Objects", "TestSet", "grey_copy", "open_test_set", "read_objects", "resized_box", "write_test_set"]

Float32 = npt.NDArray[np.float32]
Objects = dict[str, list[tuple[str, tuple[float, float, float, float]]]]
"""Class and box (x0, y0, x1, y1) in pixels of the test images, by name of the image."""


@dataclass(frozen=True)
class TestSet:
    """Pairs that nothing is trained on."""

    __test__ = False  # not a class of tests

    decoded: DecodedImages
    rows: tuple[int, ...]
    """Which samples count."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pairs, in order."""
        return tuple(self.decoded.names[row] for row in self.rows)

    def __iter__(self) -> Iterator[tuple[str, Float32, Float32]]:
        """Name, source (C, H, W) and target (K, H, W), float32 in [-1, 1]."""
        for row in self.rows:
            planes = {name: _as_tensor(plane[row : row + 1]) for name, plane in self.decoded.planes.items()}
            batch = planes_to_batch(planes)
            yield self.decoded.names[row], batch.source[0].numpy(), batch.target[0].numpy()


def _as_tensor(plane: npt.NDArray[Any]) -> torch.Tensor:
    copy = np.array(plane)
    return torch.from_numpy(copy.view(np.int16) if copy.dtype == np.uint16 else copy)


def open_test_set(
    folder: Path, options: DataOptions, cache: Path, *, seed: int = 0, everything: bool = False
) -> tuple[TestSet, dict[str, Any]]:
    """Opens the part of a folder that is held back, or all of it.

    Args:
        folder: Data as for training.
        options: How to read and split.
        cache: Folder for decoded arrays.
        seed: Seed of the split.
        everything: Take every pair; the options' split does not count.

    Returns:
        The set, and a description of the data.

    Raises:
        DataError: data that cannot be used, or nothing that is held back.
    """
    if everything:
        size = None if options.size is None else (options.size, options.size)
        sources = find_sources(folder, source_dir=options.source_dir, target_dir=options.target_dir)
        decoded = decode(sources.items, cache, size)
        return TestSet(decoded, tuple(range(len(decoded.names)))), {"sha256": decoded.fingerprint}
    data = open_data(folder, options, cache, seed=seed)
    if not data.split.validation:
        raise DataError(f"{folder}: nothing is held back to test on; give --validation or --validation-list")
    return TestSet(data.samples, tuple(data.split.validation)), data.describe()


def grey_copy(source: Float32) -> Float32:
    """The grey image of a source (C, H, W): luma of its first three channels (ITU-R BT.601), or its only one."""
    if source.shape[0] < 3:
        return np.asarray(source[0], dtype=np.float32)
    return np.asarray(np.tensordot(np.array((0.299, 0.587, 0.114), dtype=np.float32), source[:3], 1))


def write_test_set(test: TestSet, folder: Path) -> None:
    """Writes ``source/``, ``real/`` and ``grey/`` below `folder`, 8-bit PNG, where they are missing.

    Raises:
        OutputError: they cannot be written.
    """
    for name, source, target in test:
        visible = source[:3] if source.shape[0] >= 3 else source[0]
        real = target[0] if target.shape[0] == 1 else target
        grey = grey_copy(source)
        if target.shape[0] == 3:
            grey = np.repeat(grey[None], 3, axis=0)
        for kind, image in (("source", visible), ("real", real), ("grey", grey)):
            path = folder / kind / f"{name}.png"
            if not path.is_file():
                write_bytes(path, encode_image(np.ascontiguousarray(image)))


def read_objects(path: Path, size: int | None) -> Objects:
    """Reads a COCO file and brings its boxes to the pixels of the test images.

    Args:
        path: COCO file with images (``file_name``, ``width``, ``height``), annotations and categories.
        size: Edge that the images were cropped and scaled to; None: they were left alone.

    Raises:
        ConfigError: no such file, or no COCO in it.
    """
    try:
        found = read_coco(read_object(path), f"--boxes {path}")
    except DatasetError as error:
        raise ConfigError(f"{error} (a COCO file with categories)") from None
    objects: Objects = {}
    for image in found:
        if size is not None and not (image.width and image.height):
            raise ConfigError(f"--boxes {path}: {image.name} has no width and height; expected those of each image")
        boxes = [(box.label, box.box_px) for box in image.boxes]
        if size is not None:
            boxes = [(label, resized_box(box, image.width, image.height, size)) for label, box in boxes]
        objects[image.name] = boxes
    return objects


def resized_box(box: Sequence[float], width: int, height: int, size: int) -> tuple[float, float, float, float]:
    """A box after the centred crop and scaling that training data go through (`gan.data.sources.resize_plane`)."""
    edge = min(height, width)
    left, top, scale = (width - edge) // 2, (height - edge) // 2, size / edge
    x0, y0, x1, y1 = box
    return (x0 - left) * scale, (y0 - top) * scale, (x1 - left) * scale, (y1 - top) * scale


def class_regions(objects: Objects, name: str, shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.bool_]]:
    """Where each class and the background are in one image of (H, W)."""
    return boxes_to_regions(objects.get(name, []), shape[0], shape[1])


def read_grey(path: Path) -> npt.NDArray[np.float64]:
    """A written image as float64 in [0, 1], grey."""
    try:
        image = decode_luminance(read_bytes(path))
    except PictureError:
        raise DataError(f"{path}: cannot be read; delete it and give the same command again") from None
    return np.asarray(image, dtype=np.float64) / 255
