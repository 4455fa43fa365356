"""Image files of a folder, and what lies in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from gan.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "image_files", "read_image"]

IMAGE_SUFFIXES: Final = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")
"""What `read_image` can read."""


def image_files(folder: Path | str, *, recursive: bool = False) -> dict[str, Path]:
    """The images of a folder by their names, in the order of their paths; hidden files are left out.

    Args:
        folder: Where to look.
        recursive: Look in all folders below it too.

    Returns:
        Paths by what stands behind ``folder/``, without suffix.

    Raises:
        DataError: No image, or two of one name.
    """
    folder = Path(folder)
    paths = [
        path
        for path in sorted(folder.rglob("*") if recursive else folder.glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not paths:
        raise DataError(f"{folder}: no images; expected {', '.join(IMAGE_SUFFIXES)}")
    files: dict[str, Path] = {}
    for path in paths:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            both = f"{files[name].name} and {path.name}"
            raise DataError(f"{folder}: two files are named {name!r}, {both}; expected one image of each name")
        files[name] = path
    return files


def read_image(path: Path | str) -> npt.NDArray[Any]:
    """An image file as (C, H, W), RGB where it has colour; uint8, uint16 or float32.

    Raises:
        DataError: Where it cannot be read or holds NaN.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".npy":
            image = np.load(path, allow_pickle=False)
        elif path.suffix.lower() in (".tif", ".tiff"):
            image = tifffile.imread(path)
        else:
            image = _decode(path)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected PNG, JPEG, TIFF or NPY") from error
    planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise DataError(f"{path}: shape {image.shape}: expected a grey (H, W) or colour (H, W, 3) image")
    if planes.dtype.kind == "f":
        bad = int(np.isnan(planes).sum())
        if bad:
            raise DataError(f"{path}: {bad} NaN pixels; expected finite values: mend or leave out this image")
        return np.ascontiguousarray(planes, dtype=np.float32)
    if planes.dtype not in (np.uint8, np.uint16):
        raise DataError(f"{path}: pixels are {planes.dtype}; expected 8 or 16 bits unsigned, or float")
    return np.ascontiguousarray(planes)


def _decode(path: Path) -> npt.NDArray[Any]:
    image: npt.NDArray[Any] | None = cv2.imdecode(
        np.frombuffer(path.read_bytes(), dtype=np.uint8), cv2.IMREAD_UNCHANGED
    )
    if image is None:
        raise ValueError("truncated, or no image")
    return image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
