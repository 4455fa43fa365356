"""Image files of a folder, and what lies in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gan.data.decoding import decode_image
from gan.data.picture_formats import MAX_FILE_BYTES, PictureError
from gan.errors import DataError, ItemError

__all__ = [
    "IMAGE_SUFFIXES",
    "PICTURE_SUFFIXES",
    "PictureError",
    "decode_image",
    "image_files",
    "is_passed_over",
    "list_images",
    "read_bytes",
    "read_image",
    "read_planes",
]

IMAGE_SUFFIXES: Final = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")
"""What `read_image` can read."""
PICTURE_SUFFIXES: Final = tuple(suffix for suffix in IMAGE_SUFFIXES if suffix != ".npy")
"""The same without arrays."""

_SYSTEM_NAMES: Final = {
    "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "thumbs.db",
    "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r",
}  # fmt: skip
"""What macOS, Windows, Synology and ext4 leave in folders, in small letters."""


def is_passed_over(path: Path, folder: Path) -> bool:
    """Whether a path below a folder is hidden, or a file that systems leave there; names that begin with a dot are."""
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part.lower() in _SYSTEM_NAMES for part in parts)


def list_images(
    folder: Path | str, *, recursive: bool = False, suffixes: tuple[str, ...] = IMAGE_SUFFIXES
) -> list[Path]:
    """Image files of a folder in the order of their paths; hidden ones and those of the system are left out.

    So are folders, pipes and links to nothing, whatever their names.
    """
    folder = Path(folder)
    paths = sorted(folder.rglob("*") if recursive else folder.glob("*"))
    return [
        path
        for path in paths
        if path.suffix.lower() in suffixes and not is_passed_over(path, folder) and path.is_file()
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


def read_bytes(path: Path | str) -> bytes:
    """The whole of a picture's file.

    Raises:
        PictureError: No ordinary file, not to be opened, empty, or larger than any picture; one line without its name.
    """
    try:
        with open(path, "rb", opener=_opener) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PictureError("no file, but a folder, pipe or device: remove it from the folder")
            if status.st_size > MAX_FILE_BYTES:
                megabytes = f"{status.st_size >> 20} MB: expected at most {MAX_FILE_BYTES >> 20} MB"
                raise PictureError(f"a file of {megabytes}; cut it into smaller ones")
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = f"the file cannot be opened ({error.strerror})"
        raise PictureError(f"{reason}: mend its permissions, or remove it") from None


def _opener(path: str, flags: int) -> int:
    """Opens without waiting: a named pipe has an end that may never come."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_image(path: Path | str) -> npt.NDArray[Any]:
    """An image file as (C, H, W), RGB where it has colour, upright as EXIF says; uint8, uint16 or float32.

    What kind of file it is its bytes say. Opacity is dropped where all of the image is opaque.

    Raises:
        ItemError: Where it cannot be read, has another shape, is in part transparent, or holds NaN.
    """
    path = Path(path)
    try:
        data = read_bytes(path)
    except PictureError as error:
        raise ItemError(f"{path}: cannot be read: {error}") from error
    return read_planes(data, str(path))


def read_planes(data: bytes, where: str) -> npt.NDArray[Any]:
    """The content of an image file, as `read_image` gives it.

    Args:
        data: The whole file.
        where: Its name, for messages.

    Raises:
        ItemError: As `read_image`.
    """
    try:
        image = decode_image(data)
    except PictureError as error:
        raise ItemError(f"{where}: cannot be read: {error}") from error
    planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
    if planes.shape[0] in (2, 4):
        planes = _opaque(planes, where)
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise ItemError(f"{where}: shape {image.shape}: expected a grey (H, W) or colour (H, W, 3) image")
    if planes.dtype.kind == "f":
        bad = int(np.isnan(planes).sum())
        if bad:
            raise ItemError(f"{where}: {bad} NaN pixels; expected finite values: mend or leave out this image")
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(planes, dtype=np.float32)
    if planes.dtype not in (np.uint8, np.uint16):
        raise ItemError(f"{where}: pixels are {planes.dtype}; expected 8 or 16 bits unsigned, or float")
    return np.ascontiguousarray(planes)


def _opaque(planes: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """The planes (C, H, W) without the last, their opacity."""
    if planes.dtype.kind != "u" or int(planes[-1].min()) < np.iinfo(planes.dtype).max:
        raise ItemError(
            f"{where}: is in part transparent; expected an opaque image: what stands under transparent pixels is not "
            "defined. Save it without transparency"
        )
    return planes[:-1]
