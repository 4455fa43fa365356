"""OpenEXR files of float32 channels.

Written here, read by the OpenEXR library. What is written is one part of scan lines with ZIP compression; packing it
with ISA-L takes 2 to 3 ms for the depth of 512x512 pixels where the library takes 5 to 9 ms. Where ISA-L or numba is
missing, as in a user's own Blender, zlib and numpy write the same pixels; zlib packs them into other bytes.

Source of the format: "OpenEXR File Layout" and "Technical Introduction to OpenEXR", openexr.com.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import DatasetError
from pipelines.io.deflate import compress
from pipelines.io.files import write_bytes

__all__ = ["decode_exr", "encode_exr", "read_exr", "write_exr"]

_MAGIC, _VERSION = 20000630, 2
_FLOAT, _ZIP, _INCREASING_Y = 2, 3, 0
_MOST_CHANNELS = 32
"""gis writes a handful."""
_BLOCK_ROWS = 16
"""Scan lines that ZIP packs together."""


def write_exr(path: Path, channels: Mapping[str, NDArray[Any]]) -> None:
    """Writes (H, W) arrays as float32 channels; see :func:`encode_exr`.

    Raises:
        OutputError: the file cannot be written; nothing of it is left.
    """
    write_bytes(path, encode_exr(channels))


def encode_exr(channels: Mapping[str, NDArray[Any]]) -> bytes:
    """An EXR file of (H, W) arrays as float32 channels, in the order of their names as the format asks."""
    names = sorted(channels)
    planes = [np.asarray(channels[name], dtype="<f4") for name in names]
    rows = planes[0][:, None] if len(planes) == 1 else np.stack(planes, axis=1)
    height, _, width = rows.shape
    flat = np.ascontiguousarray(rows).view(np.uint8).reshape(height, -1)
    full, size = height // _BLOCK_ROWS, flat.shape[1]
    blocks = _pack(flat[: full * _BLOCK_ROWS].reshape(full, _BLOCK_ROWS * size))
    if rest := height % _BLOCK_ROWS:
        blocks += _pack(flat[-rest:].reshape(1, rest * size))
    header = _header(names, width, height)
    table, body = [], []
    position = len(header) + 8 * len(blocks)
    for number, block in enumerate(blocks):
        table.append(position)
        body += [struct.pack("<ii", number * _BLOCK_ROWS, len(block)), block]
        position += 8 + len(block)
    return b"".join([header, struct.pack(f"<{len(table)}Q", *table), *body])


def _pack(blocks: NDArray[np.uint8]) -> list[bytes]:
    """ZIP of each row of (N, B) bytes: even bytes before odd, differences, deflate; as it is where that is longer."""
    steps = np.empty_like(blocks)
    _arrange(blocks, steps)
    packed = [compress(row) for row in steps]
    pairs = zip(packed, blocks, strict=True)
    return [short if len(short) < len(plain) else plain.tobytes() for short, plain in pairs]


def _arrange_by_loops(blocks: Any, steps: Any) -> None:
    """Even bytes of each row before the odd ones, and each byte less the one before it, plus 128."""
    count, size = blocks.shape
    half = size // 2  # samples have four bytes, so a row has an even number
    offset = np.uint8(128)
    for row in range(count):
        plain, arranged = blocks[row], steps[row]
        arranged[0] = plain[0]
        arranged[half] = plain[1] - plain[size - 2] + offset
        for place in range(1, half):
            arranged[place] = plain[2 * place] - plain[2 * place - 2] + offset
            arranged[half + place] = plain[2 * place + 1] - plain[2 * place - 1] + offset


def _arrange_by_numpy(blocks: NDArray[np.uint8], steps: NDArray[np.uint8]) -> None:
    """The same without numba, some times slower."""
    order = np.concatenate([blocks[:, 0::2], blocks[:, 1::2]], axis=1)
    steps[:, 0] = order[:, 0]
    np.subtract(order[:, 1:], order[:, :-1] - np.uint8(128), out=steps[:, 1:])


def _chosen() -> Callable[[Any, Any], None]:
    """The faster of the two that can be used here."""
    if importlib.util.find_spec("numba") is None:
        return _arrange_by_numpy
    from renderer.optional import njit

    return cast(Callable[[Any, Any], None], njit(cache=True, nogil=True)(_arrange_by_loops))


_arrange = _chosen()


def _header(names: list[str], width: int, height: int) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    # Per channel: name, pixel type, perceptually linear or not (one byte and three of padding), sampling in x and y.
    listed = b"".join(name.encode() + b"\0" + struct.pack("<iB3xii", _FLOAT, 0, 1, 1) for name in names) + b"\0"
    attributes = (
        ("channels", "chlist", listed),
        ("compression", "compression", struct.pack("<B", _ZIP)),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", struct.pack("<B", _INCREASING_Y)),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    listing = b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value for name, kind, value in attributes
    )
    return struct.pack("<ii", _MAGIC, _VERSION) + listing + b"\0"


def read_exr(path: Path) -> dict[str, NDArray[np.float32]]:
    """All channels of an EXR file by name, (H, W) float32.

    Raises:
        DatasetError: no such file, or no whole EXR.
    """
    import OpenEXR
    from gan.data.picture_formats import PictureError, one_line  # the add-on's writer has no OpenCV

    if not path.is_file():
        raise DatasetError(f"{path}: no such file: expected an EXR file that gis wrote")
    try:
        with one_line("EXR"):
            with OpenEXR.File(str(path), header_only=True) as file:
                _check_header(file.header())
            with OpenEXR.File(str(path), separate_channels=True) as file:
                return {name: np.array(channel.pixels, dtype=np.float32) for name, channel in file.channels().items()}
    except PictureError as error:
        raise DatasetError(f"{path}: cannot be read: {error}; expected a whole EXR file") from error


def decode_exr(data: bytes, where: str) -> dict[str, NDArray[np.float32]]:
    """All channels of an EXR file that was read; see :func:`read_exr`.

    Args:
        data: the whole file.
        where: its name in messages.

    Raises:
        DatasetError: no whole EXR.
    """
    with _as_file(data) as path:
        try:
            return read_exr(path)
        except DatasetError as error:
            raise DatasetError(str(error).replace(str(path), where)) from error


@contextmanager
def _as_file(data: bytes) -> Iterator[Path]:
    """A file of these bytes, in memory where the system can: the library reads files alone."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frame.exr"
            path.write_bytes(data)
            yield path
        return
    with os.fdopen(os.memfd_create("frame.exr"), "wb") as stream:
        stream.write(data)
        stream.flush()
        yield Path(f"/proc/self/fd/{stream.fileno()}")


def _check_header(header: dict[str, Any]) -> None:
    """Refuses what would fill the memory, before it is decoded."""
    from gan.data.picture_formats import PictureError, check_size

    (left, top), (right, bottom) = header["dataWindow"]
    check_size(int(right) - int(left) + 1, int(bottom) - int(top) + 1)
    if len(header["channels"]) > _MOST_CHANNELS:
        raise PictureError(f"an EXR of {len(header['channels'])} channels: expected at most {_MOST_CHANNELS}")
