"""Several cameras that are fixed to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .affine import world_to_local
from .camera import Camera

__all__ = ["Mount", "stereo_baseline_m"]

_SAME = 1e-9
"""Of turns, and of positions in metres, of a rectified pair."""


@dataclass(frozen=True, eq=False)
class Mount:
    """A camera of a rig."""

    camera: Camera
    pose: NDArray[np.float64]
    """(4, 4) its OpenCV axes to those of the first camera, metres."""


def stereo_baseline_m(one: Mount, other: Mount) -> float | None:
    """Distance of two cameras whose pictures are rectified, so that a point is in the same row of both.

    Returns:
        metres, above 0 where the other camera is to the right of the one; None where they are no such pair: other
        intrinsics, a lens that distorts, another direction, or one not beside the other.
    """
    here, there = one.camera, other.camera
    intrinsics = [(lens.width, lens.height, lens.fx, lens.fy, lens.cx, lens.cy) for lens in (here, there)]
    if intrinsics[0] != intrinsics[1] or here.lens is not None or there.lens is not None:
        return None
    between = world_to_local(one.pose) @ other.pose
    aside = float(between[0, 3])
    turned = np.abs(between[:, :3] - np.eye(3)).max() > _SAME
    return None if turned or np.abs(between[1:, 3]).max() > _SAME or abs(aside) <= _SAME else aside
