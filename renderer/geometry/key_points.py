"""COCO's key points of a person in a picture: where each of the 17 joints is, and whether it is seen.

Order: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, the left of each pair first (Lin et al. 2014,
COCO's key point task).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .camera import Camera

__all__ = ["KeyPoint", "project_key_points"]

KeyPoint = tuple[float, float, int]
"""Column and row in pixels, and 2: seen, 1: in the picture but hidden, 0: outside of it (column and row are 0 then)."""

FLESH_M = 0.16
"""How far behind the surface a joint may lie that is seen: half the depth of a trunk at the hips."""
NEAREST_M = 0.1


def project_key_points(
    points_m: NDArray[np.float64], camera: Camera, cam_to_world: NDArray[np.float64], depth_m: NDArray[np.float32]
) -> tuple[KeyPoint, ...]:
    """Key points of one person.

    Args:
        points_m: (17, 3) in the world.
        camera: of the picture.
        cam_to_world: (4, 4) its pose.
        depth_m: (H, W) the depth pass: a joint is hidden where something lies nearer than its own flesh.
    """
    found: list[KeyPoint] = []
    for across, down, depth in ((points_m - cam_to_world[:3, 3]) @ cam_to_world[:3, :3]).tolist():
        if depth < NEAREST_M:
            found.append((0.0, 0.0, 0))
            continue
        x, y = camera.fx * across / depth + camera.cx, camera.fy * down / depth + camera.cy
        if camera.lens is not None:
            x, y = camera.project(np.array([across, down, depth])).tolist()
        if not (0.0 <= x < camera.width and 0.0 <= y < camera.height):
            found.append((0.0, 0.0, 0))
            continue
        seen = float(depth_m[int(y), int(x)]) >= depth - FLESH_M
        found.append((round(x, 2), round(y, 2), 2 if seen else 1))
    return tuple(found)
