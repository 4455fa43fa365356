"""Open a .blend without running anything in it, and set it up for rendering."""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import bpy

from ..errors import SceneError
from .simulation import nothing_written

__all__ = ["MOST_FACES", "check_blend_file", "check_subdivision", "missing_files", "open_blend", "quiet"]

MOST_FACES = 20_000_000
"""Of one mesh."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"


def _end_before_blender() -> None:
    """Has this process end ahead of Blender's library, which then may wait for ever for a thread of its own.

    A destructor of bpy's destroys a condition variable that this thread waits on. Python is at its end by then, with
    all that it was asked to do there, and the exit status stays as it is. The Blender program ends by itself.
    """
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" and not bpy.app.binary_path else None
    if hasattr(library, "on_exit"):  # of glibc: what was registered last is called first, with the exit status
        library.on_exit(ctypes.cast(library._exit, ctypes.c_void_p), None)


_end_before_blender()


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
    except (EOFError, OSError, zlib.error) as error:
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
    _leave_modes()
    check_subdivision([item for item in bpy.data.objects if item.users], scene)
    if notes is not None:
        notes += missing_files()
    return scene


def _leave_modes() -> None:
    """Bring every object to Object Mode: a mesh that is being edited has no data that could be read or evaluated."""
    for scene in bpy.data.scenes:
        for layer in scene.view_layers:
            for item in [item for item in layer.objects if item.mode != "OBJECT"]:
                if item.mode == "OBJECT":
                    continue  # left together with another
                with (
                    quiet(),
                    contextlib.suppress(RuntimeError),
                    bpy.context.temp_override(scene=scene, view_layer=layer),
                ):
                    layer.objects.active = item
                    bpy.ops.object.mode_set(mode="OBJECT")


def missing_files() -> list[str]:
    """A line for each file that the opened one links or reads geometry from, and that is not there."""
    lines = []
    for library in sorted(bpy.data.libraries, key=lambda item: str(item.filepath)):
        there = _is_there(library)
        linked = [item for item in library.users_id if isinstance(item, _LINKED)]
        lost = sorted(str(item.name) for item in linked if not there or getattr(item, "is_missing", False))
        named = ", ".join(map(repr, lost[:5])) + (" and others" if len(lost) > 5 else "")
        if not there:
            lines.append(f"the linked file {library.filepath!r} is missing" + (f": without {named}" if lost else ""))
        elif lost:
            lines.append(f"the linked file {library.filepath!r} has no {named} any more")
    for cache in sorted(bpy.data.cache_files, key=lambda item: str(item.filepath)):
        if not _is_there(cache):
            lines.append(f"the cache file {cache.filepath!r} is missing: what it moves stands still or is not there")
    return lines


_LINKED = (bpy.types.Object, bpy.types.Collection)


def _is_there(item: bpy.types.Library | bpy.types.CacheFile) -> bool:
    """Whether the file of a library or cache exists; one inside another library counts from that one's folder."""
    inside = getattr(item, "parent", None) or item.library
    return Path(bpy.path.abspath(item.filepath, library=inside)).exists() or bool(getattr(item, "packed_file", None))


def check_subdivision(objects: Iterable[bpy.types.Object], scene: bpy.types.Scene) -> None:
    """Refuse what would not end: each level of subdivision makes four times the faces. Nothing is evaluated for it.

    Raises:
        SceneError: an object's mesh would have too many faces.
    """
    for item in objects:
        if item.type != "MESH":
            continue
        faces = float(len(item.data.polygons))
        for modifier in item.modifiers:
            if modifier.type in ("SUBSURF", "MULTIRES"):
                modifier.levels = min(modifier.levels, _levels(modifier, scene))  # the viewport's, which nobody sees
            if modifier.show_render:
                faces = _faces_after(faces, modifier, scene)
            if faces > MOST_FACES:
                raise SceneError(
                    f"object {item.name_full!r}: with its modifier {modifier.name!r} it would have {faces:.2g} faces: "
                    f"expected at most {MOST_FACES:.2g}; lower what the modifier makes when it is rendered"
                )


def _faces_after(faces: float, modifier: bpy.types.Modifier, scene: bpy.types.Scene) -> float:
    """About how many faces a modifier leaves."""
    if modifier.type in ("SUBSURF", "MULTIRES"):
        return float(faces * 4.0 ** _levels(modifier, scene))
    if modifier.type == "ARRAY" and modifier.fit_type == "FIXED_COUNT":
        return float(faces * modifier.count)
    if modifier.type == "REMESH" and modifier.mode == "VOXEL" and modifier.voxel_size > 0:
        a, b, c = (length / modifier.voxel_size for length in modifier.id_data.dimensions)
        return float(2 * (a * b + b * c + c * a))
    if modifier.type == "NODES" and modifier.node_group:
        nodes = [node for node in modifier.node_group.nodes if node.bl_idname in _SUBDIVIDING_NODES]
        inputs = [socket for node in nodes for socket in node.inputs if socket.name == "Level" and not socket.is_linked]
        return float(faces * 4.0 ** sum(socket.default_value for socket in inputs))
    return faces


_SUBDIVIDING_NODES = ("GeometryNodeSubdivideMesh", "GeometryNodeSubdivisionSurface")


def _levels(modifier: bpy.types.Modifier, scene: bpy.types.Scene) -> int:
    simplified = scene.render.simplify_subdivision_render if scene.render.use_simplify else modifier.render_levels
    return int(min(modifier.render_levels, simplified))
