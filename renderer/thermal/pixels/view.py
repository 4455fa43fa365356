"""Where pixels in step look, and what they see there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...optional import inlined_kernel
from ..lanes.in_step import greatest, least, looked_up, narrow, rooted, wide

__all__ = ["LEAST_FACING", "direct_sun_K", "facing_of", "ray", "seen_point"]

Floats = NDArray[np.float64]

LEAST_FACING = 0.03
"""Cosine of the angle of view below which Fresnel's law is not asked."""


@inlined_kernel
def ray(turn: Floats, fx: float, fy: float, cx: float, cy: float, column: Any, row: Any) -> tuple[Any, Any, Any, Any]:
    """From the camera through pixels: one along the camera's axis, in the world's axes, and float32: its length.

    Args:
        turn: 3 x 3 from the camera's axes to the world's, as all arrays here :func:`..lanes.in_step.bare`.
        fx: intrinsics, as the three that follow.
        fy: see fx.
        cx: see fx.
        cy: see fx.
        column: of the pixels.
        row: of the pixels.
    """
    right, down = (wide(column) + (0.5 - cx)) * (1.0 / fx), (wide(row) + (0.5 - cy)) * (1.0 / fy)
    wx = looked_up(turn, 0) * right + looked_up(turn, 1) * down + looked_up(turn, 2)
    wy = looked_up(turn, 3) * right + looked_up(turn, 4) * down + looked_up(turn, 5)
    wz = looked_up(turn, 6) * right + looked_up(turn, 7) * down + looked_up(turn, 8)
    aside, below = narrow(right), narrow(down)
    return wx, wy, wz, rooted(aside * aside + below * below + 1.0)


@inlined_kernel
def seen_point(eye: Floats, wx: Any, wy: Any, wz: Any, depth: Any) -> tuple[Any, Any, Any]:
    """Points of the world at depths along rays, float64: a float32 of some hundred metres moves edges of patterns."""
    far = wide(depth)
    return looked_up(eye, 0) + wx * far, looked_up(eye, 1) + wy * far, looked_up(eye, 2) + wz * far


@inlined_kernel
def facing_of(dx: Any, dy: Any, dz: Any, nx: Any, ny: Any, nz: Any) -> Any:
    """Cosine between rays and the normals of what they meet, not below :data:`LEAST_FACING`."""
    return least(1.0, greatest(LEAST_FACING, -(dx * nx + dy * ny + dz * nz)))


@inlined_kernel
def direct_sun_K(suns: Floats, sun_K: Floats, zone: int, nx: Any, ny: Any, nz: Any) -> Any:
    """Warming by the suns (K, 3) of the day so far, of which a zone takes so much (256, K)."""
    warmth, count = 0.0 * nx, suns.size // 3
    for k in range(count):
        toward = nx * looked_up(suns, 3 * k) + ny * looked_up(suns, 3 * k + 1) + nz * looked_up(suns, 3 * k + 2)
        warmth = warmth + greatest(0.0, toward) * looked_up(sun_K, zone * count + k)
    return warmth
