"""Small pictures of files for the panel. Loaded when something changes, never in ``draw``."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import bpy
import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

__all__ = ["PICTURES", "clear", "icons", "pictures_of", "register", "show", "show_pixels", "unregister"]

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
"""What Blender can read of the files that backgrounds are made of."""
_MOST_FILES = 20000
"""How many files of a folder are looked at, so that a whole disk named by mistake takes no minutes."""
_SIDE_PX = 256
_LOADED: dict[str, "bpy.utils.previews.ImagePreviewCollection"] = {}
"""Pictures of each row of the panel. Blender drops those that Python does not hold, and wants them back at the end."""
_ICONS: dict[str, list[int]] = {}
"""Their numbers, in order."""


def pictures_of(folder: Path, count: int) -> list[Path]:
    """Some pictures of a folder, spread over the sorted names; empty where there is no such folder."""
    pictures: list[Path] = []
    with contextlib.suppress(OSError):
        for number, path in enumerate(folder.rglob("*")):
            if number >= _MOST_FILES:
                break
            if path.suffix.lower() in PICTURES and path.is_file():
                pictures.append(path)
    pictures.sort()
    many = len(pictures)
    return [pictures[k * many // count] for k in range(count)] if many > count else pictures


def show(row: str, paths: Sequence[Path]) -> None:
    """Load the pictures that a row of the panel shows, in place of the ones before."""
    clear(row)
    if not paths:
        return
    loaded = _LOADED[row] = bpy.utils.previews.new()
    pictures = [loaded.load(str(path), str(path), "IMAGE") for path in paths]
    for picture in pictures:
        tuple(picture.image_size)  # reads the file now: Blender waits for a quiet moment, and a busy panel has none
    _ICONS[row] = [picture.icon_id for picture in pictures]


def show_pixels(row: str, rgb: NDArray[np.float32]) -> None:
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
    _ICONS[row] = [picture.icon_id]


def icons(row: str) -> list[int]:
    """Numbers for ``template_icon``."""
    return _ICONS.get(row, [])


def clear(row: str) -> None:
    """Unload the pictures of a row."""
    _ICONS.pop(row, None)
    if row in _LOADED:
        bpy.utils.previews.remove(_LOADED.pop(row))


def register() -> None:
    """Nothing is loaded yet."""


def unregister() -> None:
    """Unload all pictures."""
    for row in list(_LOADED):
        clear(row)
