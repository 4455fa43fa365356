"""Pairs of a visible and an infrared picture: found, checked, read, and shown in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gan.data.images import image_files, read_image
from gan.errors import ItemError

from pipelines.errors import DatasetError

__all__ = [
    "LEAST_SIDE_PX",
    "check_size",
    "checkerboard",
    "evenly_spaced",
    "find_pairs",
    "read_grey",
    "read_pair",
    "usual_shapes",
]

Float32 = npt.NDArray[np.float32]

LEAST_SIDE_PX: Final = 32
_TILES: Final = 8  # of the checkerboard along the longer side


def find_pairs(visible_dir: Path, infrared_dir: Path) -> dict[str, tuple[Path, Path]]:
    """Paths of the visible and the infrared picture by their common name.

    Raises:
        DataError, DatasetError: no pictures, or one without a partner.
    """
    visible, infrared = image_files(visible_dir), image_files(infrared_dir)
    for here, there, has, lacks in (
        (visible, infrared, visible_dir, infrared_dir),
        (infrared, visible, infrared_dir, visible_dir),
    ):
        alone = sorted(set(here) - set(there))
        if alone:
            raise DatasetError(
                f"{len(alone)} of {len(here)} images in {has} have no partner in {lacks}, first {alone[0]!r}: "
                "expected the same names in both"
            )
    return {name: (visible[name], infrared[name]) for name in sorted(visible)}


def evenly_spaced(names: Sequence[str], count: int) -> list[str]:
    """At most `count` of the names, evenly spaced over all."""
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[place] for place in places]


def read_grey(path: Path) -> Float32:
    """A picture as float32 in [0, 1] over its own range, (H, W)."""
    image = read_image(path).astype(np.float32).mean(axis=0)
    low, high = float(image.min()), float(image.max())
    if not high > low:
        raise ItemError(f"{path}: all pixels are equal; expected a picture with edges: leave out this pair")
    return np.asarray((image - low) / (high - low), dtype=np.float32)


def usual_shapes(stack: Sequence[tuple[Float32, ...]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(H, W) that most pictures of each camera have; of a draw the first."""
    visible, infrared = (Counter(pair[kind].shape for pair in stack).most_common(1)[0][0] for kind in (0, 1))
    return visible, infrared


def check_size(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Checks the (H, W) of one picture.

    Raises:
        ItemError: it is not as expected, or too small.
    """
    if shape != expected:
        raise ItemError(
            f"{name} is {shape[1]}x{shape[0]} px, others {expected[1]}x{expected[0]}: expected one size per camera; "
            "align each camera pair by itself"
        )
    if min(shape) < LEAST_SIDE_PX:
        raise ItemError(f"{name} is {shape[1]}x{shape[0]} px: expected at least {LEAST_SIDE_PX} px each way")


def read_pair(
    paths: tuple[Path, Path], shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both pictures, (H, W) or (H, W, 3) RGB, integers.

    Raises:
        ItemError: one cannot be read, holds floats, or is of another size.
    """
    images = []
    for path, shape in zip(paths, shapes, strict=True):
        planes = read_image(path)
        if planes.dtype.kind == "f":
            raise ItemError(f"{path}: float pixels; expected 8 or 16 bits")
        check_size(path.name, planes.shape[1:], shape)
        images.append(planes[0] if planes.shape[0] == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0)))
    return images[0], images[1]


def checkerboard(visible: npt.NDArray[Any], infrared: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Tiles of two pictures in turn, (H, W, 3) RGB: where they are aligned, edges run on from tile to tile."""
    left, right = (_colour(image) for image in (visible, infrared))
    height, width = left.shape[:2]
    tile = max(1, -(-max(height, width) // _TILES))
    rows, columns = np.arange(height)[:, None] // tile, np.arange(width)[None] // tile
    return np.where(((rows + columns) % 2 == 0)[..., None], left, right)


def _colour(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A picture as 8-bit RGB, stretched over its 1st to 99th percentile: infrared is often dark."""
    low, high = np.percentile(image, (1, 99))
    image = np.clip((image - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return np.asarray(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2), dtype=np.uint8)
