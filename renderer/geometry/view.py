"""A frame's camera as compiled kernels take it: named numbers instead of a vector."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .frame import Frame

__all__ = ["CameraView", "camera_view"]


class CameraView(NamedTuple):
    """Pose and intrinsics; numba takes it as an argument (there is no ``njit`` here, only its input)."""

    rotation: NDArray[np.float64]
    """(3, 3) contiguous: OpenCV camera axes (x right, y down, z forward) to world axes."""
    position_m: NDArray[np.float64]
    """(3,) contiguous: the optical centre in the world."""
    fx: float
    fy: float
    cx: float
    cy: float


def camera_view(frame: Frame) -> CameraView:
    """The view of a frame's camera."""
    pose, lens = np.asarray(frame.cam_to_world, dtype=np.float64), frame.camera
    rotation, position = np.ascontiguousarray(pose[:3, :3]), np.ascontiguousarray(pose[:3, 3])
    return CameraView(rotation, position, float(lens.fx), float(lens.fy), float(lens.cx), float(lens.cy))
