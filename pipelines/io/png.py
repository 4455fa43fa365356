"""Grey PNG files from unknown hands: checked before they are decoded, so that a lying one costs nothing."""

from __future__ import annotations

import struct
import zlib
from typing import Any, cast

from gan.data.decoding import decode_image
from gan.data.picture_formats import PictureError
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from pipelines.errors import BackgroundError

__all__ = ["MAX_PIXELS", "check_png", "check_size", "decode_grey_png"]

MAX_PIXELS = 16 << 20
"""Refused above. The largest thermal cameras have 3 megapixels, their visible previews up to 8."""
MIN_SIZE_PX = 32
"""Fewer pixels show no street; the smallest radiometric camera has 80x60."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DAMAGED = cast(type[Exception], IsalError)  # isal declares it as a plain object
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of each colour type of the PNG specification (ISO/IEC 15948)."""


def check_size(width: int, height: int, what: str) -> None:
    """Refuses what no thermal camera has.

    Raises:
        BackgroundError: too small or too large.
    """
    if min(width, height) < MIN_SIZE_PX:
        raise BackgroundError(f"{what}: {width}x{height} pixels, expected {MIN_SIZE_PX} or more on each side")
    if width * height > MAX_PIXELS:
        raise BackgroundError(
            f"{what}: {width}x{height} = {width * height / 1e6:.0f} megapixels, expected {MAX_PIXELS >> 20} at most"
        )


def check_png(data: bytes, what: str) -> None:
    """Checks that a PNG has the pixels that its header claims, without decoding more of them.

    Raises:
        BackgroundError: it has another number of pixels, is too small or too large, or is damaged.
    """
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        raise BackgroundError(f"{what}: a PNG without header: the file is damaged")
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    check_size(width, height, what)
    if colour not in _CHANNELS:
        raise BackgroundError(f"{what}: a PNG of colour type {colour}: the file is damaged")
    expected = height * (1 + (width * _CHANNELS[colour] * bits + 7) // 8)
    if interlaced:  # its seven passes have more row filters; the decoder finds out the rest
        return
    unpacked = _unpacked_length(_image_data(data, what), expected, what)
    if unpacked != expected:
        more = "more" if unpacked > expected else f"{unpacked}"
        raise BackgroundError(f"{what}: a PNG that claims {width}x{height} pixels ({expected} bytes) but holds {more}")


def _image_data(data: bytes, what: str) -> bytes:
    """Content of the IDAT chunks, checksums checked."""
    parts, position = [], 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, content = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        checksum = data[position + 8 + length : position + 12 + length]
        if kind in (b"IHDR", b"IDAT") and zlib.crc32(kind + content).to_bytes(4, "big") != checksum:
            raise BackgroundError(
                f"{what}: a PNG whose {kind.decode()} has a wrong checksum: it is damaged or cut short"
            )
        if kind == b"IDAT":
            parts.append(content)
        if kind == b"IEND":
            return b"".join(parts)
        position += 12 + length
    raise BackgroundError(f"{what}: a PNG without end: the file is cut short")


def _unpacked_length(packed: bytes, expected: int, what: str) -> int:
    """Bytes that are in it, counted to one more than expected."""
    try:
        return len(isal_zlib.decompressobj().decompress(packed, max_length=expected + 1))
    except _DAMAGED as error:
        raise BackgroundError(f"{what}: a PNG that cannot be unpacked ({error}): the file is damaged") from None


def decode_grey_png(data: bytes, what: str) -> NDArray[Any]:
    """Pixels of a grey PNG, (H, W) uint8 or uint16.

    Raises:
        BackgroundError: damaged, lying, too small or too large, or in colour.
    """
    check_png(data, what)
    try:
        pixels = decode_image(data, MAX_PIXELS)
    except PictureError as error:
        raise BackgroundError(f"{what}: {error}") from None
    if pixels.ndim != 2:
        raise BackgroundError(f"{what}: a PNG in colour: expected grey")
    return pixels
