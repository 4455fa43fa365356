"""Passes and thermal images as image datablocks that the Image Editor shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from renderer.zones.catalogue import zone_palette

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from renderer.geometry.frame import Frame

__all__ = ["PASS_IMAGES", "THERMAL_IMAGES", "show_in_editor", "show_passes", "show_thermal", "values_of"]

PASS_IMAGES = ("GIS Depth", "GIS Mask", "GIS Zones", "GIS Depth Data", "GIS Mask Data", "GIS Zones Data")
THERMAL_IMAGES = ("GIS Thermal", "GIS Thermal Data")
_NEAR_M, _FAR_M = 2.0, 100.0
"""Distances that the depth picture shows white and black, on a logarithmic scale."""


def _store(name: str, rgb: NDArray[np.float32], *, data: bool) -> None:
    """Put (H, W, 3), colours from 0 to 1 or plain values, into the image of that name, made or resized as needed."""
    height, width = rgb.shape[:2]
    image = bpy.data.images.get(name)
    if image is None or image.is_float != data:
        if image is not None:
            bpy.data.images.remove(image)
        image = bpy.data.images.new(name, width, height, float_buffer=data, is_data=data)
    if tuple(image.size) != (width, height):
        image.scale(width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = rgb[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.update()


def _grey(values: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W) as (H, W, 3)."""
    return np.repeat(values[..., None].astype(np.float32), 3, axis=2)


def values_of(name: str) -> NDArray[np.float32]:
    """(H, W) float32 first channel of an image, row 0 at the top."""
    image = bpy.data.images[name]
    flat = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return np.ascontiguousarray(flat.reshape(image.size[1], image.size[0], 4)[::-1, :, 0])


def _mask_colors(ids: NDArray[np.uint16]) -> NDArray[np.float32]:
    """(H, W, 3) with a colour of its own for each instance: hues by the golden ratio, black for none."""
    numbers = np.arange(int(ids.max(initial=0)) + 1)
    hue = (numbers * 0.618034) % 1.0
    table = np.clip(np.abs((hue[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0.15, 1).astype(np.float32)
    table[0] = 0
    return table[ids]


def show_passes(frame: Frame) -> None:
    """Pictures of depth (near is bright), mask and zones; and the same as plain values: metres, ids, numbers."""
    depth = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0).astype(np.float32)
    shade = 1 - np.log(np.maximum(depth, 1e-3) / _NEAR_M) / np.log(_FAR_M / _NEAR_M)
    _store("GIS Depth", _grey(np.where(depth > 0, np.clip(shade, 0.0, 1.0), 0.0)), data=False)
    _store("GIS Mask", _mask_colors(frame.instance_id), data=False)
    palette = zone_palette().astype(np.float32) / 255
    _store("GIS Zones", palette[frame.zone], data=False)
    _store("GIS Depth Data", _grey(depth), data=True)
    _store("GIS Mask Data", _grey(frame.instance_id), data=True)
    _store("GIS Zones Data", _grey(frame.zone), data=True)


def show_thermal(grey: NDArray[np.uint8], kelvin: NDArray[np.float32]) -> None:
    """What the camera displays, (H, W) uint8, and what it measures, (H, W) float32 K."""
    _store("GIS Thermal", _grey(grey / np.float32(255)), data=False)
    _store("GIS Thermal Data", _grey(kelvin), data=True)


def show_in_editor(context: bpy.types.Context, name: str) -> bool:
    """Show an image in the first open Image Editor, of this window if it has one; returns whether there is one."""
    windows = list(context.window_manager.windows) if context.window_manager else []
    for window in sorted(windows, key=lambda one: one != context.window):
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                area.spaces.active.image = bpy.data.images[name]
                area.tag_redraw()
                return True
    return False
