"""Disparity as files: how far left or right in the picture of the other camera of a rectified pair a point is.

``disparity/000000.png`` has 16 bits, ``256 * pixels`` as KITTI has it, 0 where it is not known: the sky, and what is
nearer than 256 pixels of disparity. ``disparity/000000.exr`` has the channel ``disparity`` in full precision, 0 for the
sky. It is computed from depth: focal length times baseline by depth, also of points that the other camera does not see
(KITTI's ``disp_occ``; development kit of KITTI stereo 2015, Menze and Geiger, CVPR 2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.io.exr import encode_exr
from pipelines.io.images import encode_png

__all__ = ["disparity_counts", "disparity_files", "disparity_px"]

_PER_PX = 256.0


def disparity_px(depth_m: NDArray[np.float32], focal_px: float, baseline_m: float) -> NDArray[np.float32]:
    """(H, W) disparity of a picture's points, 0 or more: column in the left picture less that in the right one.

    Args:
        depth_m: (H, W) along the optical axis, ``inf`` where nothing was hit.
        focal_px: of both cameras, along a row.
        baseline_m: between them.
    """
    return (focal_px * abs(baseline_m) / depth_m.astype(np.float64)).astype(np.float32)


def disparity_counts(disparity: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W) uint16 as KITTI codes it; what 16 bits do not hold is not known."""
    counts = np.rint(disparity.astype(np.float64) * _PER_PX)
    return np.where(counts < 65536, counts, 0.0).astype(np.uint16)


def disparity_files(name: str, disparity: NDArray[np.float32]) -> dict[str, bytes]:
    """Contents of the files of a frame by their names below the folder."""
    return {
        f"disparity/{name}.png": encode_png(disparity_counts(disparity)),
        f"disparity/{name}.exr": encode_exr({"disparity": disparity}),
    }
