"""Surface normals as files: unit vectors in the camera's axes, right, down and forward as OpenCV has them.

``normals/000000.png`` has 16 bits and three channels, ``round((n + 1) / 2 * 65535)`` of x, y and z as red, green and
blue; 0 in all three where nothing was hit, which no vector is. ``normals/000000.exr`` has the channels ``X``, ``Y`` and
``Z`` in full precision, 0 where nothing was hit. A surface that faces the camera has a negative z.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Frame

from pipelines.io.exr import encode_exr
from pipelines.io.images import encode_png

__all__ = ["camera_normals", "normal_counts", "normal_files"]


def camera_normals(frame: Frame) -> NDArray[np.float32]:
    """(H, W, 3) normals of a frame in its camera's axes; 0 where nothing was hit.

    Raises:
        ValueError: the frame has no normals.
    """
    if frame.normal is None:
        raise ValueError(f"frame {frame.index}: expected one that was rendered with normals")
    return np.asarray(frame.normal @ frame.cam_to_world[:3, :3].astype(np.float32), np.float32)


def normal_files(name: str, normal: NDArray[np.float32]) -> dict[str, bytes]:
    """Contents of the files of a frame by their names below the folder; normals (H, W, 3)."""
    channels = {axis: normal[..., place] for place, axis in enumerate("XYZ")}
    return {
        f"normals/{name}.png": encode_png(normal_counts(normal)),
        f"normals/{name}.exr": encode_exr(channels),
    }


def normal_counts(normal: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 of unit vectors; 0 where there is none."""
    counts = np.rint((np.clip(normal.astype(np.float64), -1.0, 1.0) + 1.0) * 32767.5)
    return np.where((normal != 0).any(axis=-1, keepdims=True), counts, 0).astype(np.uint16)
