"""What kind of picture bytes are, by the first of them and never by a file's name; and what all decoders share.

Kinds that many people have but gis does not read are known too, so that a message names them instead of speaking of
damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "PictureError",
    "PictureKind",
    "by_opencv",
    "check_size",
    "decode_by_opencv",
    "kind_of",
    "maker_note",
    "one_line",
    "turned",
    "unread_kind",
]

Pixels = npt.NDArray[Any]

MAX_PIXELS: Final = 1 << 26
"""67 megapixels, 8192x8192: more than any camera whose frames one trains on has. A small file may claim any size."""
MAX_FILE_BYTES: Final = 1 << 29
"""Half a gigabyte: MAX_PIXELS of colour in 16 bits, not compressed, is less."""

PictureKind = Literal["BMP", "JPEG", "NPY", "PNG", "TIFF", "WebP"]

_READ: Final[tuple[tuple[PictureKind, bytes], ...]] = (
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("JPEG", b"\xff\xd8\xff"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("TIFF", b"II+\0"),
    ("TIFF", b"MM\0+"),
    ("NPY", b"\x93NUMPY"),
)
_AS_PNG: Final = "save the pictures as PNG or TIFF"
_DJI: Final = "its temperatures need DJI's own Thermal SDK, which is not open"
_UNREAD: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (0, b"\x00\x05\x16\x07", "a file in which macOS keeps notes on another one (._ file)", "delete it"),
    (0, b"FFF\0", "a FLIR FFF or SEQ file", "`gis backgrounds` reads it"),
    (0, b"AFF\0", "a FLIR FFF or SEQ file", "`gis backgrounds` reads it"),
    (0, b"\xffIRB\0", "an InfraTec IRB file", "export it as TIFF in kelvin with IRBIS"),
    (0, b"GIF8", "a GIF", _AS_PNG),
    (4, b"ftypheic", "a HEIC photograph", _AS_PNG),
    (4, b"ftypmif1", "a HEIF photograph", _AS_PNG),
    (4, b"ftypavif", "an AVIF picture", _AS_PNG),
    (4, b"ftyp", "an MP4 or MOV video", _AS_PNG),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", _AS_PNG),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _AS_PNG),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _AS_PNG),
    (0, b"\xff\x0a", "a JPEG XL picture", _AS_PNG),
    (0, b"\xff\xd8\xff\xf7", "a JPEG-LS picture", _AS_PNG),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", _AS_PNG),
    (0, b"8BPS", "a Photoshop file", _AS_PNG),
    (0, b"\x1aE\xdf\xa3", "a Matroska video", _AS_PNG),
    (8, b"AVI ", "an AVI video (Optris RAVI files are such)", "export the frames as TIFF in kelvin"),
    (0, b"SIMPLE  =", "a FITS file", "save it as TIFF"),
    (128, b"DICM", "a DICOM file", "save it as TIFF"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 or MATLAB file", "save the arrays as NPY"),
    (0, b"MATLAB 5.0", "a MATLAB file", "save the arrays as NPY"),
    (0, b"PK\x03\x04", "a ZIP archive (NPZ and Fluke IS2 files are such)", "unpack it, or save the arrays as NPY"),
    (0, b"Rar!", "a RAR archive", "unpack it"),
    (0, b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "unpack it"),
    (0, b"\x1f\x8b", "a gzip file", "unpack it"),
    (0, b"%PDF", "a PDF document", _AS_PNG),
    (0, b"<svg", "an SVG drawing", _AS_PNG),
    (0, b"version https://git-lfs", "a placeholder of Git LFS", "get the file itself by `git lfs pull`"),
    (0, b"<!DOCTYPE", "a web page", "download the picture itself"),
    (0, b"<html", "a web page", "download the picture itself"),
)  # fmt: skip
_JPEG_MAKERS: Final = (
    (b"DJI", "a DJI R-JPEG", _DJI),
    (b"HIKMICRO", "a Hikmicro picture", "its temperatures are in no published format"),
    (b"HIKVISION", "a Hikvision picture", "its temperatures are in no published format"),
    (b"Seek Thermal", "a Seek picture", "its temperatures are in no published format"),
    (b"Guide", "a Guide picture", "its temperatures are in no published format"),
    (b"InfiRay", "an InfiRay picture", "its temperatures are in no published format"),
    (b"Testo", "a Testo picture", "its temperatures are in no published format"),
)
"""Beginnings of the maker's name in EXIF, in any case."""


class PictureError(ValueError):
    """A picture cannot be used.

    The message is one line: what is wrong and what to do. The file's name is not in it: the caller knows it.
    """


def kind_of(data: bytes) -> PictureKind:
    """The kind of a picture that can be read.

    Raises:
        PictureError: Empty, or of a kind that is not read, by name where it is known.
    """
    if not data:
        raise PictureError("the file is empty: copy it again, or remove it")
    unread = unread_kind(data)
    if unread:
        raise PictureError(f"{unread}; expected PNG, JPEG, TIFF, BMP, WebP or NPY")
    for kind, begin in _READ:
        if data.startswith(begin):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM":
        return "BMP"
    raise PictureError("not a picture: expected PNG, JPEG, TIFF, BMP, WebP or NPY")


def unread_kind(data: bytes) -> str:
    """What a file of a known kind is that is not read, and what to do; empty for all others."""
    for offset, begin, name, advice in _UNREAD:
        if data.startswith(begin, offset):
            return f"{name}, which is not read here: {advice}"
    return ""


def maker_note(maker: str) -> str:
    """What is lost of a camera's JPEG, by the maker's name in EXIF; empty where nothing is known."""
    for begin, name, advice in _JPEG_MAKERS:
        if maker.upper().startswith(begin.decode().upper()):
            return f"{name}, whose temperatures are not read: {advice}"
    return ""


# --- what all decoders share ------------------------------------------------------------------------------------------


@contextmanager
def one_line(kind: str) -> Iterator[None]:
    """Turns whatever a decoder raises into a PictureError."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError:
        raise PictureError(f"{_article(kind)} too large for the memory: make it smaller, or end other jobs") from None
    # struct.error, SyntaxError, zlib.error, KeyError, RecursionError ...: decoders raise two dozen kinds on damage.
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise PictureError(
            f"{_article(kind)} that cannot be decoded ({reason}): damaged or cut short; copy or save it again"
        ) from error


def _article(kind: str) -> str:
    return f"an {kind}" if kind in ("EXR", "NPY") else f"a {kind}"


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Refuses what would fill the memory.

    Raises:
        PictureError: No pixel, or more than `max_pixels`.
    """
    if width <= 0 or height <= 0:
        raise PictureError(f"claims {width}x{height} pixels: damaged; copy or save it again")
    if width * height > max_pixels:
        raise PictureError(
            f"is {width}x{height} = {width * height / 1e6:.0f} megapixels: expected at most "
            f"{max_pixels / 1e6:.0f}; scale it down or cut it"
        )


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels (H, W, ...) as they are to be seen, by EXIF orientation 1 to 8; other numbers mean nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def by_opencv(data: bytes) -> Pixels:
    """Pixels as OpenCV reads them, colours in RGB order; of TIFF upright, of others as they are stored.

    Raises:
        PictureError: It cannot.
    """
    image = decode_by_opencv(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(image if image.ndim == 2 else image[..., [2, 1, 0, 3][: image.shape[2]]])


def _check_chunks(png: bytes) -> None:
    """The chunks of a PNG lie in the file: OpenCV makes room for the four gigabytes that a damaged length claims."""
    position = 8
    while position < len(png):
        end = position + 12 + int.from_bytes(png[position : position + 4], "big")
        if end > len(png):
            raise PictureError("a PNG that cannot be decoded: damaged or cut short; copy or save it again")
        if png[position + 4 : position + 8] == b"IEND":
            return
        position = end


def decode_by_opencv(data: bytes, flags: int) -> Pixels:
    """Pixels as OpenCV reads them, colours in its order, BGR.

    Raises:
        PictureError: It cannot.
    """
    if data.startswith(_READ[0][1]):
        _check_chunks(data)
    before = cv2.getLogLevel()
    cv2.setLogLevel(0)  # it prints of damage what becomes an error here
    try:
        image: Pixels | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    finally:
        cv2.setLogLevel(before)
    if image is None:
        raise PictureError("a picture that cannot be decoded: damaged or cut short; copy or save it again")
    return np.asarray(image)
