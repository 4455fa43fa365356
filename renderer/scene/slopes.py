"""Roads that rise and fall: how what has wheels stands on them. People and animals stand upright on any."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .cars import FrameSetup, Placement
from .street import Street

__all__ = ["on_slope", "tilt", "tilted"]

Array = NDArray[np.float64]


def tilt(slope: tuple[float, float]) -> Array:
    """(3, 3) rotation, the least one, that brings the vertical to the normal of ground.

    Args:
        slope: how the ground rises along world x and y, metres per metre.
    """
    normal = np.array([-slope[0], -slope[1], 1.0]) / math.hypot(*slope, 1.0)
    x, y, z = normal.tolist()
    cross = np.array([[0.0, 0.0, x], [0.0, 0.0, y], [-x, -y, 0.0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1.0 + z))


def tilted(pose: Array, slope: tuple[float, float]) -> Array:
    """A pose (4, 4) of what stands on level ground as it stands on ground of a slope, at the same place."""
    if slope == (0.0, 0.0):
        return pose
    turned = pose.copy()
    turned[:3, :3] = tilt(slope) @ pose[:3, :3]
    return turned


def on_slope(setup: FrameSetup, street: Street, has_wheels: Callable[[str], bool]) -> FrameSetup:
    """The setup with everything on wheels, and their riders, as steep as the ground is.

    Args:
        setup: of a frame.
        street: its ground.
        has_wheels: whether a model, by name, has.
    """
    if street.is_level:
        return setup
    return replace(setup, placements=tuple(_standing(one, street, has_wheels) for one in setup.placements))


def _standing(one: Placement, street: Street, has_wheels: Callable[[str], bool]) -> Placement:
    if not one.rides and not has_wheels(one.model):
        return one
    bay = street.bay_at(one.x_m, one.y_m)
    if bay is None:
        return replace(one, slope=street.slope_at(one.x_m, one.y_m, one.z_m))
    dx, dy = one.x_m - bay.x_m, one.y_m - bay.y_m
    return replace(one, z_m=bay.z_m + bay.slope[0] * dx + bay.slope[1] * dy, slope=bay.slope)
