"""Small pictures of files for the panel. Loaded when something changes, never in ``draw``."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import bpy
import bpy.utils.previews
import numpy as np

__all__ = ["PICTURES", "clear", "icons", "pictures_of", "register", "show", "show_pixels", "unregister"]

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
"""What Blender can read of the files that backgrounds are made of."""
_LOOKED_AT = 20000
"""Files of a folder that are looked at, so that a whole disk named by mistake takes no minutes."""
_SIDE_PX = 256
_ROWS: dict[str, list[int]] = {}
_LOADED: dict[str, "bpy.utils.previews.ImagePreviewCollection"] = {}


def pictures_of(folder: Path, count: int) -> list[Path]:
    """Some pictures of a folder, spread over the sorted names; empty where there is no such folder."""
    found: list[Path] = []
    with contextlib.suppress(OSError):
        for number, path in enumerate(folder.rglob("*")):
            if number >= _LOOKED_AT:
                break
            if path.suffix.lower() in PICTURES and path.is_file():
                found.append(path)
    found.sort()
    return [found[k * len(found) // count] for k in range(min(count, len(found)))] if len(found) > count else found


def show(row: str, paths: Sequence[Path]) -> None:
    """Load the pictures that a row of the panel shows, in place of the ones before."""
    clear(row)
    if not paths:
        return
    loaded = _LOADED[row] = bpy.utils.previews.new()
    pictures = [loaded.load(str(path), str(path), "IMAGE") for path in paths]
    for one in pictures:
        tuple(one.image_size)  # reads the file now: Blender else waits for a quiet moment, and a busy panel has none
    _ROWS[row] = [one.icon_id for one in pictures]


def show_pixels(row: str, rgb: np.ndarray) -> None:
    """Show one picture, (H, W, 3) float32 from 0 to 1, made smaller to fit."""
    clear(row)
    step = -(-max(rgb.shape[:2]) // _SIDE_PX)
    small = rgb[::step, ::step]
    rgba = np.ones((*small.shape[:2], 4), np.float32)
    rgba[..., :3] = small[::-1]
    loaded = _LOADED[row] = bpy.utils.previews.new()
    picture = loaded.new(row)
    picture.image_size = small.shape[1], small.shape[0]
    picture.image_pixels_float.foreach_set(rgba.ravel())
    _ROWS[row] = [picture.icon_id]


def icons(row: str) -> list[int]:
    """Numbers for ``template_icon``."""
    return _ROWS.get(row, [])


def clear(row: str) -> None:
    """Forget the pictures of a row."""
    _ROWS.pop(row, None)
    if row in _LOADED:
        bpy.utils.previews.remove(_LOADED.pop(row))


def register() -> None:
    """Nothing is loaded yet."""


def unregister() -> None:
    """Forget all pictures."""
    for row in list(_LOADED):
        clear(row)
