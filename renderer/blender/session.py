"""Open a .blend without running anything in it, and set it up for rendering."""

from __future__ import annotations

import contextlib
import gzip
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..errors import SceneError
from .simulation import nothing_written

__all__ = ["check_blend_file", "open_blend", "quiet"]

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Blender's own chatter (written by C code to the file descriptors) off standard output and error."""
    streams = ((sys.stdout, 1), (sys.stderr, 2))
    for stream, _ in streams:
        stream.flush()
    kept = [os.dup(number) for _, number in streams]
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        for _, number in streams:
            os.dup2(sink, number)
        yield
    finally:
        for (stream, number), old in zip(streams, kept, strict=True):
            stream.flush()
            os.dup2(old, number)
            os.close(old)
        os.close(sink)


def check_blend_file(path: Path) -> None:
    """Refuse what Blender would crash on or misread.

    Raises:
        SceneError: no such file, not a .blend, or one that ends too early.
    """
    if not path.is_file():
        raise SceneError(f"{path}: no such file; expected a .blend scene (city.blend is the shipped one)")
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(_ZSTD_MAGIC):
        return
    if head.startswith(_GZIP_MAGIC):
        _check_gzip(path)
    elif head.startswith(b"BLENDER"):
        _check_blocks(path)
    else:
        raise SceneError(f"{path}: not a Blender file (it does not start as one); save the scene from Blender again")


def _truncated(path: Path) -> SceneError:
    return SceneError(f"{path}: the Blender file is truncated or damaged; copy or save it again")


def _check_gzip(path: Path) -> None:
    try:
        with gzip.open(path, "rb") as file:
            if not file.read(7) == b"BLENDER":
                raise SceneError(f"{path}: gzip data, but not a Blender file inside; save the scene from Blender again")
            while file.read(1 << 20):
                pass
    except (EOFError, OSError) as error:
        raise _truncated(path) from error


def _check_blocks(path: Path) -> None:
    """Walk the blocks of an uncompressed file to its ``ENDB``."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(17)
        if head[7:9].isdigit() and head[7:8] != b"-" and head[7:9] == b"17":
            return  # Blender 5's longer header; Blender itself checks the rest
        pointer = {b"-": 8, b"_": 4}.get(head[7:8])
        if pointer is None or head[8:9] not in (b"v", b"V"):
            raise _truncated(path)
        order = "<" if head[8:9] == b"v" else ">"
        at, block = 12, 16 + pointer
        while at + 4 <= size:
            file.seek(at)
            header = file.read(block)
            if header[:4] == b"ENDB":
                return
            if len(header) < block:
                break
            at += block + int(struct.unpack(order + "i", header[4:8])[0])
    raise _truncated(path)


def open_blend(path: Path, notes: list[str] | None = None) -> bpy.types.Scene:
    """Open a .blend with scripts off, and with everything off that would write files; returns its scene.

    Args:
        path: the file.
        notes: gets a line for each thing that was turned off.

    Raises:
        SceneError: the file cannot be read.
    """
    check_blend_file(path)
    try:
        with quiet(), nothing_written([] if notes is None else notes):
            bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise _truncated(path) from error
    scene = bpy.context.scene
    if scene is None:
        raise SceneError(f"{path}: no scene in the file")
    return scene
