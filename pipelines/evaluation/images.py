"""The images of an evaluation: found by name, brought to floats, paired."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gan.data import images
from gan.errors import DataError, ItemError

__all__ = ["find_images", "partners", "read_image", "read_pair"]

Image = npt.NDArray[np.float32]


def find_images(folder: Path) -> dict[str, Path]:
    """Images of a folder, or of ``images/`` in it, by name without suffix.

    Raises:
        DataError: no folder, no image, or two of one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: expected a folder of images")
    return images.image_files(folder / "images" if (folder / "images").is_dir() else folder)


def partners(real: Path, fake: Path) -> list[tuple[str, Path, Path]]:
    """Name, real and generated image of every pair, in name order.

    Raises:
        DataError: a name that only one of the folders has.
    """
    here, there = find_images(real), find_images(fake)
    for some, others, has, lacks in ((here, there, real, fake), (there, here, fake, real)):
        _check_partners(some, others, has, lacks)
    return [(name, here[name], there[name]) for name in sorted(here)]


def _check_partners(some: Mapping[str, Path], others: Mapping[str, Path], has: Path, lacks: Path) -> None:
    alone = sorted(set(some) - set(others))
    if alone:
        raise DataError(
            f"{len(alone)} of {len(some)} images in {has} have no partner in {lacks}, first {alone[0]!r}: "
            "expected the same names in both (or --unpaired)"
        )


def read_image(path: Path) -> Image:
    """An image as float32 in [0, 1]: (H, W) when grey, (H, W, 3) RGB when it has colour.

    8 and 16 bit are divided by their full range; float images (TIFF, npy) must lie in [0, 1] already.

    Raises:
        ItemError: unreadable, NaN, out of range, or of another kind.
    """
    planes = images.read_image(path)
    if planes.dtype != np.float32:
        planes = planes / np.float32(np.iinfo(planes.dtype).max)
    if not np.isfinite(planes).all():
        raise ItemError(f"{path}: infinite pixels: expected finite values")
    if planes.min() < 0 or planes.max() > 1:
        raise ItemError(f"{path}: values {planes.min():g} to {planes.max():g}: expected floats in [0, 1]")
    if (planes == planes[:1]).all():  # grey that was saved as colour, as infrared often is
        return np.ascontiguousarray(planes[0], dtype=np.float32)
    return np.ascontiguousarray(planes.transpose(1, 2, 0), dtype=np.float32)


def read_pair(name: str, real: Path, fake: Path) -> tuple[Image, Image]:
    """Both images of a pair; see :func:`read_image`.

    Raises:
        ItemError: they differ in size, or one is grey and the other in colour.
    """
    a, b = read_image(real), read_image(fake)
    if a.shape[:2] != b.shape[:2]:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (a, b)]
        raise ItemError(
            f"{name}: real image of {sizes[0]}, generated one of {sizes[1]} px: expected the same size ({fake})"
        )
    if a.ndim != b.ndim:
        kinds = ["grey" if image.ndim == 2 else "colour" for image in (a, b)]
        raise ItemError(f"{name}: real image is {kinds[0]}, generated one {kinds[1]}: expected the same ({fake})")
    return a, b
