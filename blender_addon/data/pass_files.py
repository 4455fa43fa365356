"""Reads the passes that ``gis render`` writes, with NumPy alone: Blender opens such files, but gives no pixels.

Source of the format: "OpenEXR File Layout", openexr.com. Only what ``gis`` writes is understood: one part of scan
lines, float32 channels, ZIP compression.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_pass"]

_MAGIC, _VERSION, _ZIP, _BLOCK_ROWS = 20000630, 2, 3, 16


def _attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    """Values of the header by name, and where the header ends."""
    attributes, at = {}, 8
    while data[at] != 0:
        name_end = data.index(0, at)
        kind_end = data.index(0, name_end + 1)
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        start = kind_end + 5
        attributes[data[at:name_end].decode()] = data[start : start + size]
        at = start + size
    return attributes, at + 1


def _channel_names(listed: bytes) -> list[str]:
    names, at = [], 0
    while listed[at] != 0:
        end = listed.index(0, at)
        names.append(listed[at:end].decode())
        at = end + 17  # the name's end, then pixel type, linearity, and sampling in x and y
    return names


def _unpack(block: bytes, size: int) -> NDArray[np.uint8]:
    """The plain bytes of a block: inflated, differences summed, the two halves interleaved."""
    if len(block) == size:
        return np.frombuffer(block, np.uint8)
    steps = np.frombuffer(zlib.decompress(block), np.uint8).copy()
    steps[1:] -= 128
    summed = np.cumsum(steps, dtype=np.uint8)
    plain = np.empty_like(summed)
    half = (size + 1) // 2
    plain[0::2], plain[1::2] = summed[:half], summed[half:]
    return plain


def read_pass(path: Path, name: str) -> NDArray[np.float32]:
    """One channel of a file of passes.

    Args:
        path: of the file.
        name: ``Z``, ``instance`` or ``zone``.

    Returns:
        (H, W) float32.

    Raises:
        ValueError: no such file as ``gis`` writes, or no such channel.
    """
    data = path.read_bytes()
    try:
        if struct.unpack_from("<ii", data) != (_MAGIC, _VERSION):
            raise ValueError
        about, at = _attributes(data)
        names = _channel_names(about["channels"])
        if about["compression"][0] != _ZIP:
            raise ValueError
        left, top, right, bottom = struct.unpack("<4i", about["dataWindow"])
        width, height = right - left + 1, bottom - top + 1
        values = np.empty((height, len(names), width), np.float32)
        count = -(-height // _BLOCK_ROWS)
        for start in struct.unpack_from(f"<{count}Q", data, at):
            row, length = struct.unpack_from("<ii", data, start)
            part = values[row - top : row - top + _BLOCK_ROWS]
            plain = _unpack(data[start + 8 : start + 8 + length], part.nbytes)
            part[...] = plain.view("<f4").reshape(part.shape)
        return values[:, names.index(name)].copy()
    except (ValueError, IndexError, KeyError, struct.error, zlib.error):
        raise ValueError(f"{path}: expected passes of gis render, with the channel {name}") from None
