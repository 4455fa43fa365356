"""Metres of what Blender measures in units of the scene (``scene.unit_settings.scale_length``).

Everything is converted where it leaves Blender: a mesh keeps its own coordinates, its pose takes them to metres.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

__all__ = ["matrix_in_metres", "metres_per_unit", "pose_in_metres"]

_RIGID = 1e-4
"""Lengths of axes that are 1 but for Blender's float32."""


def metres_per_unit(scene: bpy.types.Scene) -> float:
    """Metres of one Blender unit. It holds whether the scene shows metric, imperial or no units."""
    return float(scene.unit_settings.scale_length)


def matrix_in_metres(matrix: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    """(4, 4) that takes the same local coordinates to metres instead of units."""
    if metres == 1.0:
        return matrix
    return np.asarray(np.diag([metres, metres, metres, 1.0]) @ matrix)


def pose_in_metres(pose: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    """(4, 4) pose of axes that are metres long, whatever scale the object has and its scene."""
    lengths = np.linalg.norm(pose[:3, :3], axis=0)
    if metres == 1.0 and np.abs(lengths - 1.0).max() < _RIGID:
        return pose
    rigid = pose.copy()
    rigid[:3, :3] /= np.where(lengths > 0, lengths, 1.0)
    rigid[:3, 3] *= metres
    return rigid
