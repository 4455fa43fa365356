"""Pictures that claim a gigapixel in a few bytes, and others that cannot be read; made by Pillow and tifffile."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import tifffile
from PIL import Image

GREY = np.add.outer(2 * np.arange(48), 3 * np.arange(64)).astype(np.uint8)
RGB = np.stack([GREY, 255 - GREY, GREY[::-1]], axis=2)


def by_pillow(pixels: np.ndarray | Image.Image, kind: str = "TIFF", **options: Any) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, kind, **options)
    return stream.getvalue()


def by_tifffile(pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    colour = {"photometric": "rgb"} if pixels.ndim == 3 else {}
    tifffile.imwrite(stream, pixels, **{**colour, **options})
    return stream.getvalue()


def npy(header: str, more: bytes = b"") -> bytes:
    text = header.encode().ljust(118)[:117] + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + more


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def huge_png(side: int = 32000) -> bytes:
    """A real PNG of a gigapixel in a megabyte."""
    packer = zlib.compressobj(9)
    row = bytes(side + 1)
    packed = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _huge_jpeg() -> bytes:
    data = bytearray(by_pillow(GREY, "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 32000, 32000)
    return bytes(data)


def _huge_bmp() -> bytes:
    data = bytearray(by_pillow(GREY, "BMP"))
    data[18:26] = struct.pack("<ii", 32000, 32000)
    return bytes(data)


def _huge_webp() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 1
    data = bytearray(by_pillow(RGB, "WEBP", exif=exif))
    assert data[12:16] == b"VP8X"
    data[24:30] = (16382).to_bytes(3, "little") * 2
    return bytes(data)


def _huge_tiff(**options: Any) -> bytes:
    data = bytearray(by_tifffile(GREY, **options))
    file = tifffile.TiffFile(io.BytesIO(bytes(data)))
    for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
        tag = file.pages.first.tags[name]
        data[tag.valueoffset : tag.valueoffset + 4] = struct.pack("<I", 32000)
        data[tag.offset + 2 : tag.offset + 4] = struct.pack("<H", 4)
    return bytes(data)


HUGE = {
    "png": huge_png, "jpg": _huge_jpeg, "bmp": _huge_bmp, "webp": _huge_webp, "tif": _huge_tiff,
    "tiff": lambda: _huge_tiff(compression="zlib"),
    "npy": lambda: npy("{'descr': '|u1', 'fortran_order': False, 'shape': (32000, 32000), }"),
}  # fmt: skip
"""By suffix."""
