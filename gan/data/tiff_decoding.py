"""TIFF files, of the kinds that cameras and tools write: one grey or colour picture, compressed or not.

tifffile reads the structure, and pixels that are plain or in Deflate. Other codings (LZW, JPEG, PackBits, fax) are read
by libtiff: through Pillow, or through OpenCV where Pillow has no such pixels (colour of 16 bits, signed, float).
"""

from __future__ import annotations

import itertools
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tifffile

from gan.data.picture_formats import MAX_PIXELS, PictureError, by_opencv, check_size, one_line, turned

__all__ = ["Tiff", "decode_tiff"]

Pixels = npt.NDArray[Any]

_NONE, _DEFLATE = 1, (8, 32946)
_BY_LIBTIFF: Final = {2, 3, 4, 5, 6, 7, *_DEFLATE, 32773, 34925, 50000, 50001}
"""CCITT, LZW, JPEG of both kinds, Deflate, PackBits, LZMA, Zstandard, WebP: numbers of the TIFF specification."""
_PREDICTORS: Final = (1, 2)
"""None, and differences: those that tifffile undoes without a further package."""
_PLANES_APART: Final = 2
_PLAIN: Final = (0, 1, 2)
"""Photometric interpretations whose numbers are grey or RGB as they stand: white or black is zero, RGB."""
_WHITE_IS_ZERO: Final = 0
_ORIENTATION: Final = 274
_MOST_PAGES: Final = 1000
_MOST_CHANNELS: Final = 4
_SHOWN_BITS: Final = 8
"""White is zero is a manner of showing; of more bits it is left alone, because the numbers measure."""


@dataclass(frozen=True)
class Tiff:
    """The first picture of a TIFF."""

    pixels: Pixels
    """(H, W) or (H, W, C), upright; any number."""
    description: str
    """Tag ImageDescription."""
    pages: int
    """How many pictures the file holds, counted to 1000."""


def decode_tiff(data: bytes, max_pixels: int = MAX_PIXELS) -> Tiff:
    """The first picture of a TIFF file.

    Args:
        data: The whole file.
        max_pixels: More are refused before they are decoded.

    Raises:
        PictureError: Damaged, cut short, too large, or coded as no library at hand reads it.
    """
    with one_line("TIFF"), _quiet(), tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        check_size(int(page.imagewidth), int(page.imagelength), max_pixels)
        _check_shape(page, max_pixels)
        _check_segments(page, len(data))
        pixels = _pixels(page, data)
        if pixels.shape[:2] != _upright_shape(page) or pixels.ndim not in (2, 3):
            raise PictureError(f"a TIFF whose pixels have shape {pixels.shape}: expected one grey or colour image")
        pages = sum(1 for _ in itertools.islice(file.pages, _MOST_PAGES))
        return Tiff(pixels, str(page.description or ""), pages)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what tifffile logs of damage, which becomes an error here or does not matter."""
    logger = logging.getLogger("tifffile")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _orientation(page: Any) -> int:
    stored = page.tags.valueof(_ORIENTATION, 1)
    return stored if isinstance(stored, int) else 1


def _upright_shape(page: Any) -> tuple[int, int]:
    shape = int(page.imagelength), int(page.imagewidth)
    return shape[::-1] if _orientation(page) in (5, 6, 7, 8) else shape


def _check_shape(page: Any, max_pixels: int) -> None:
    if int(page.samplesperpixel) > _MOST_CHANNELS or int(page.imagedepth) != 1:
        raise PictureError(f"a TIFF of shape {page.shape}: expected one grey or colour image")
    if page.dtype is None or page.dtype.itemsize > 8:
        name = page.dtype or f"{page.bitspersample} bits, sample format {page.sampleformat}"
        raise PictureError(f"a TIFF of {name}: expected integers of 8 to 32 bits, or float")
    if page.is_tiled and int(page.tilewidth) * int(page.tilelength) > max_pixels:
        raise PictureError(
            f"a TIFF of tiles of {page.tilewidth}x{page.tilelength} pixels: expected at most {max_pixels / 1e6:.0f} "
            "megapixels; save it again"
        )


def _check_segments(page: Any, length: int) -> None:
    """Every strip or tile is there: tifffile takes a missing one for zeros."""
    offsets, counts = page.dataoffsets, page.databytecounts
    expected = int(np.prod(page.chunked, dtype=object)) if page.chunked else 1
    whole = sum(1 for begin, size in zip(offsets, counts, strict=False) if begin and size and begin + size <= length)
    if whole < expected:
        raise PictureError(
            f"a TIFF with {whole} of {expected} strips or tiles: cut short or damaged; copy or save it again"
        )


def _pixels(page: Any, data: bytes) -> Pixels:
    """By the library that reads such pixels right: each was compared with the others in each kind.

    Pillow 13 gets compressed signed and float numbers of big-endian files wrong, OpenCV 4.11 colour planes that stand
    one after the other; neither says so.
    """
    plain = page.photometric in _PLAIN
    unpacked = page.compression == _NONE or (page.compression in _DEFLATE and page.predictor in _PREDICTORS)
    if plain and unpacked:
        _check_unpacked(page, data)
        return turned(_by_tifffile(page), _orientation(page))
    if page.compression not in {_NONE, *_BY_LIBTIFF}:
        raise PictureError(
            f"a TIFF compressed by {_coding(page)}, which is not read: save it with LZW, Deflate or none"
        )
    bytes_each = page.dtype.itemsize
    if not plain or bytes_each == 1 or (page.dtype.kind == "u" and bytes_each == 2 and page.samplesperpixel == 1):
        return _by_pillow(page, data)
    if page.samplesperpixel > 1 and page.planarconfig == _PLANES_APART:
        raise PictureError(f"a TIFF of colour planes compressed by {_coding(page)}: save it with Deflate or none")
    return _by_opencv(page, data)


def _coding(page: Any) -> str:
    return str(getattr(page.compression, "name", page.compression))


def _by_tifffile(page: Any) -> Pixels:
    pixels = np.asarray(page.asarray())
    if pixels.ndim == 3 and page.axes[:1] == "S":  # one plane after the other
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255
    if page.photometric == _WHITE_IS_ZERO and pixels.dtype.kind == "u" and int(page.bitspersample) <= _SHOWN_BITS:
        pixels = 255 - pixels
    return pixels


def _check_unpacked(page: Any, data: bytes) -> None:
    """Deflate unpacks to no more than it should, and to no less than the picture needs."""
    if page.compression == _NONE:
        return
    rows, columns = int(page.chunks[0]), int(np.prod(page.chunks[1:], dtype=object))
    row_bytes = (columns * int(page.bitspersample) + 7) // 8
    for begin, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        unpacked = len(zlib.decompressobj().decompress(data[begin : begin + size], max_length=rows * row_bytes + 1))
        if unpacked > rows * row_bytes or unpacked == 0:
            raise PictureError("a TIFF that unpacks to another size than it claims: damaged; save it again")


def _by_pillow(page: Any, data: bytes) -> Pixels:
    """Pixels of 8 bits in any colours, and grey of 1 to 32; Pillow turns a TIFF upright by itself."""
    from PIL.TiffImagePlugin import TiffImageFile

    with TiffImageFile(BytesIO(data)) as image:
        check_size(*image.size)
        if image.mode.startswith("I;16"):
            return np.array(image).astype(np.uint16)
        mode = {"1": "L"}.get(image.mode, image.mode)
        mode = mode if mode in ("L", "LA", "RGB", "RGBA") else "RGB"
        pixels = np.array(image.convert(mode))
        return pixels.view(np.int8) if page.dtype == np.int8 else pixels


def _by_opencv(page: Any, data: bytes) -> Pixels:
    """Pixels of 16 bits and more in grey or RGB; OpenCV turns a TIFF upright by itself."""
    pixels = by_opencv(data)
    if pixels.dtype.itemsize != page.dtype.itemsize:
        raise PictureError(f"a TIFF of {page.dtype} compressed by {_coding(page)}: save it with Deflate or none")
    if page.dtype.kind != pixels.dtype.kind:
        pixels = pixels.view(page.dtype.newbyteorder("="))  # of integers OpenCV knows some without sign alone
    return pixels
