"""Bytes of a picture to pixels: the one decoder of all commands.

The size that a file claims is checked before memory is taken for it; whatever a decoder raises becomes one line; and
EXIF orientation is applied, as every viewer and label tool does.

Pillow decodes the ordinary kinds; OpenCV what Pillow would change: colour of 16 bits, grey of less than 8,
transparency of a palette, ink colours; `gan.data.tiff_decoding` TIFF.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from gan.data.picture_formats import (
    MAX_PIXELS,
    PictureError,
    PictureKind,
    by_opencv,
    check_size,
    decode_by_opencv,
    kind_of,
    one_line,
    turned,
)
from gan.data.tiff_decoding import decode_tiff

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = [
    "JpegHeader",
    "decode_image",
    "decode_indices",
    "decode_luminance",
    "orientation_of",
    "read_jpeg_header",
]

Pixels = npt.NDArray[Any]

_ORIENTATION: Final = 0x0112
_MAKE: Final = 0x010F
_PNG_OF_PILLOW: Final = {(0, 8), (0, 16), (2, 8), (3, 1), (3, 2), (3, 4), (3, 8), (6, 8)}
"""Colour types and bits of the PNG specification (ISO/IEC 15948) whose pixels Pillow hands out as they are stored."""
_CHANNELS: Final = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "I;16": "I;16", "1": "L", "RGBX": "RGB"}
"""Modes of Pillow, and the one to convert to; all others have a palette or other colours and become RGB."""
_pillow = threading.Lock()


def decode_image(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Pixels of a PNG, JPEG, BMP, WebP, TIFF or NPY file, turned upright as EXIF says.

    Args:
        data: The whole file.
        max_pixels: More are refused before they are decoded.

    Returns:
        (H, W) grey, (H, W, 2) grey and opacity, (H, W, 3) RGB, or (H, W, 4) RGB and opacity; uint8 or uint16, of TIFF
        and NPY any number.

    Raises:
        PictureError: Damaged, cut short, too large, or no picture; one line without the file's name.
    """
    kind = kind_of(data)
    with one_line(kind):
        if kind == "NPY":
            return _decode_npy(data, max_pixels)
        if kind == "TIFF":
            return decode_tiff(data, max_pixels).pixels
        return _decode_by_pillow(data, kind, max_pixels)


def decode_luminance(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Brightness of a grey or colour picture, (H, W), upright; of a JPEG the one that is stored, not of its RGB.

    Args:
        data: The whole file.
        max_pixels: More are refused before they are decoded.

    Returns:
        (H, W) uint8 or uint16, of TIFF and NPY any number.

    Raises:
        PictureError: See `decode_image`.
    """
    kind = kind_of(data)
    if kind in ("NPY", "TIFF"):
        with one_line(kind):
            return _grey(decode_image(data, max_pixels))
    with one_line(kind), _opened(data, kind) as image:
        check_size(*image.size, max_pixels)
        orientation = orientation_of(image) if kind == "JPEG" else 1
        if kind == "JPEG" and image.mode in ("L", "RGB"):
            image.draft("L", image.size)
            return turned(np.array(image.convert("L")), orientation)
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = decode_by_opencv(data, flags)
        return turned(pixels, orientation if kind == "JPEG" else _late_orientation(image, data))


def decode_indices(data: bytes, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Indices of a palette PNG, (H, W) uint8, as they are stored.

    Raises:
        PictureError: See `decode_image`; or no picture with a palette.
    """
    with one_line("PNG"), _opened(data, "PNG") as image:
        check_size(*image.size, max_pixels)
        if image.mode != "P":
            raise PictureError(f"a PNG of mode {image.mode}: expected one with a palette")
        return np.array(image, dtype=np.uint8)


def _grey(pixels: Pixels) -> Pixels:
    """(H, W) of grey or colour, as OpenCV weighs colours (ITU-R BT.601)."""
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] < 3:
        return np.ascontiguousarray(pixels[..., 0])
    wide = pixels[..., :3] if pixels.dtype in (np.uint8, np.uint16) else pixels[..., :3].astype(np.float32)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(wide), cv2.COLOR_RGB2GRAY))


@dataclass(frozen=True)
class JpegHeader:
    """What stands in a JPEG before its pixels."""

    width: int
    height: int
    orientation: int
    """Of EXIF, 1 to 8."""
    maker: str
    """Of the camera, by EXIF; empty where it says nothing."""


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Size, orientation and maker of a JPEG, without its pixels.

    Raises:
        PictureError: It has no header.
    """
    with one_line("JPEG"), _opened(data, "JPEG") as image:
        return JpegHeader(*image.size, orientation_of(image), _maker(image))


def _maker(image: ImageFile) -> str:
    try:
        with _silent():
            return str(image.getexif().get(_MAKE, "")).strip("\0 ")
    except Exception:
        return ""


def orientation_of(image: ImageFile) -> int:
    """EXIF orientation of an open picture, 1 to 8; 1 where none or nonsense is stored."""
    try:
        with _silent():
            stored = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # metadata that cannot be read say nothing, as in every viewer
        return 1
    return stored if isinstance(stored, int) and 1 <= stored <= 8 else 1


@contextmanager
def _silent() -> Iterator[None]:
    """Without Python's warnings of damaged metadata; one thread at a time, because filters belong to the process."""
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# --- pictures by Pillow and OpenCV -----------------------------------------------------------------------------------


@contextmanager
def _opened(data: bytes, kind: PictureKind) -> Iterator[ImageFile]:
    """The header of a file, by the class for its kind: no other is tried, and no pixel is decoded yet."""
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    classes: dict[str, type[ImageFile]] = {
        "BMP": BmpImagePlugin.BmpImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
    }
    if kind == "WebP":
        check_size(*_webp_size(data))  # Pillow makes room for the pixels when it opens one
    with _silent():
        image = classes[kind](BytesIO(data))
    with image:
        yield image


def _decode_by_pillow(data: bytes, kind: PictureKind, max_pixels: int) -> Pixels:
    with _opened(data, kind) as image:
        check_size(*image.size, max_pixels)
        if (kind == "PNG" and not _suits_pillow(data)) or image.mode == "CMYK":
            return turned(by_opencv(data), _late_orientation(image, data))
        mode = _CHANNELS.get(image.mode, "RGB")
        pixels = np.array(image if mode == image.mode else image.convert(mode))
        return turned(pixels, orientation_of(image))


def _late_orientation(image: ImageFile, data: bytes) -> int:
    """Of pixels that another library decoded. In a PNG it may stand behind them, and Pillow decodes to get there."""
    stored = image.format != "PNG" or b"eXIf" in data or b"adobe.xmp" in data
    return orientation_of(image) if stored else 1


def _suits_pillow(png: bytes) -> bool:
    bits, colour_type = png[24:25], png[25:26]
    if not colour_type or (colour_type[0], bits[0]) not in _PNG_OF_PILLOW:
        return False
    return colour_type != b"\x03" or b"tRNS" not in png


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height that a WebP file claims (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


# --- arrays -----------------------------------------------------------------------------------------------------------


def _decode_npy(data: bytes, max_pixels: int) -> Pixels:
    """The array of a NPY file, (H, W) or (H, W, C); nothing is unpickled."""
    stream = BytesIO(data)
    numpy_format: Any = np.lib.format  # its functions have no types
    version = numpy_format.read_magic(stream)
    readers = {(1, 0): numpy_format.read_array_header_1_0, (2, 0): numpy_format.read_array_header_2_0}
    if version not in readers:
        raise PictureError(f"an NPY of version {version[0]}.{version[1]}: expected 1.0 or 2.0; save it by numpy.save")
    shape, by_columns, dtype = readers[version](stream)
    if dtype.kind not in "buif":
        raise PictureError(f"an NPY of {dtype}: expected numbers; save the pixels as uint8, uint16 or float32")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] > 4):
        raise PictureError(f"an NPY of shape {shape}: expected a grey (H, W) or colour (H, W, 3) image")
    check_size(shape[1], shape[0], max_pixels)
    count, begin = int(np.prod(shape, dtype=object)), stream.tell()
    if begin + count * dtype.itemsize > len(data):
        there, wanted = len(data) - begin, count * dtype.itemsize
        raise PictureError(f"an NPY of {there} bytes, expected {wanted} for shape {shape}: cut short; copy it again")
    values = np.frombuffer(data, dtype=dtype, count=count, offset=begin)
    image = values.reshape(shape, order="F" if by_columns else "C")
    return image.astype(dtype.newbyteorder("="))
