"""Arms that keep clear of the body and of what hangs from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from .poses import Pose

__all__ = ["MOST_STEPS", "hands_inside", "raised"]

Array = NDArray[np.float64]

_SLAB_M = 0.05
STEP_DEG, MOST_STEPS = 3.0, 9


def hands_inside(hand_m: Array, trunk_m: Array, margin_m: float) -> int:
    """How many points of a hand lie inside of the trunk's level sections, taken as convex.

    Args:
        hand_m: (N, 3) of the hand and the lower forearm.
        trunk_m: (M, 3) of trunk, legs and clothes.
        margin_m: by which sections are grown.
    """
    slabs = np.floor(hand_m[:, 2] / _SLAB_M).astype(int)
    inside = 0
    for slab in np.unique(slabs):
        level = (slab + 0.5) * _SLAB_M
        near = trunk_m[abs(trunk_m[:, 2] - level) < _SLAB_M, :2]
        if len(near) < 4:
            continue
        try:
            equations = ConvexHull(near).equations
        except QhullError:  # all on a line
            continue
        points = hand_m[slabs == slab, :2]
        inside += int((points @ equations[:, :2].T + equations[:, 2] < margin_m).all(axis=1).sum())
    return inside


def raised(pose: Pose, left: bool, right: bool) -> Pose:
    """The pose with arms further from the body."""
    left_arm, right_arm = (
        replace(arm, aside=arm.aside + STEP_DEG) if wanted else arm
        for arm, wanted in ((pose.left_arm, left), (pose.right_arm, right))
    )
    return replace(pose, left_arm=left_arm, right_arm=right_arm)
