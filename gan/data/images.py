"""Image files of a folder, and what lies in them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from gan.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "PICTURE_SUFFIXES", "decode_image", "image_files", "list_images", "read_image"]

IMAGE_SUFFIXES: Final = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")
"""What `read_image` can read."""
PICTURE_SUFFIXES: Final = tuple(suffix for suffix in IMAGE_SUFFIXES if suffix != ".npy")
"""The same without arrays."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_OF_PILLOW: Final = {(0, 8), (0, 16), (2, 8), (3, 1), (3, 2), (3, 4), (3, 8), (6, 8)}
"""Colour types and bits of the PNG specification (ISO/IEC 15948) whose pixels Pillow hands out as they are stored."""


def list_images(
    folder: Path | str, *, recursive: bool = False, suffixes: tuple[str, ...] = IMAGE_SUFFIXES
) -> list[Path]:
    """Image files of a folder in the order of their paths; hidden ones are left out."""
    folder = Path(folder)
    paths = sorted(folder.rglob("*") if recursive else folder.glob("*"))
    return [
        path for path in paths if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    ]


def image_files(folder: Path | str, *, recursive: bool = False) -> dict[str, Path]:
    """The images of a folder by their names, in the order of their paths; hidden files are left out.

    Args:
        folder: Where to look.
        recursive: Look in all folders below it too.

    Returns:
        Paths by what stands behind ``folder/``, without suffix.

    Raises:
        DataError: No folder, no image, or two of one name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected a folder of images")
    paths = list_images(folder, recursive=recursive)
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
            image = decode_image(path.read_bytes())
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


def decode_image(data: bytes) -> npt.NDArray[Any]:
    """Pixels of a PNG, JPEG, BMP or WebP file as they are stored, not turned by EXIF.

    imageio (with Pillow) reads the ordinary kinds; OpenCV what Pillow would change: colour of 16 bits, grey of less
    than 8, transparency of a palette, ink colours.

    Returns:
        (H, W) grey, or (H, W, 3) RGB, or (H, W, 4) RGB and opacity; uint8 or uint16.

    Raises:
        ValueError: damaged, cut short, or no image.
    """
    if data[:8] == _PNG and not _suits_pillow(data):
        return _decode_by_opencv(data)
    import imageio.v3 as iio
    from PIL import Image

    try:
        image = np.asarray(iio.imread(data, plugin="pillow", index=0))
    except (OSError, SyntaxError, ValueError, IndexError, struct.error, Image.DecompressionBombError) as error:
        raise ValueError(str(error) or "truncated, or no image") from error
    if data[:2] == _JPEG and image.ndim == 3 and image.shape[2] == 4:
        return _decode_by_opencv(data)
    return image


def _suits_pillow(png: bytes) -> bool:
    bits, colour_type = png[24:25], png[25:26]
    if not colour_type or (colour_type[0], bits[0]) not in _PNG_OF_PILLOW:
        return False
    return colour_type != b"\x03" or b"tRNS" not in png


def _decode_by_opencv(data: bytes) -> npt.NDArray[Any]:
    try:
        image: npt.NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:  # its limit on the number of pixels
        raise ValueError(str(error)) from error
    if image is None:
        raise ValueError("truncated, or no image")
    return np.asarray(image if image.ndim == 2 else image[..., [2, 1, 0, 3][: image.shape[2]]])
