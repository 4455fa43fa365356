"""Riders: hips on the saddle, feet on pedals or pegs, hands on the bar, by the law of cosines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .poses import Leg, Pose, rotations
from .skeleton import Posed, Skeleton, between, turn_y
from .twowheelers import TwoWheeler

__all__ = ["riding"]

Array = NDArray[np.float64]

_SEAT_M = 0.085
"""From the saddle up to the root joint, for a body of 1.75 m."""
_SOLE_M, _INSTEP_M, _PALM_M = 0.085, 0.09, 0.075
"""Ankle above the sole; pedal in front of the ankle; grip beyond the wrist."""


def riding(skeleton: Skeleton, rest_heads_m: Array, vehicle: TwoWheeler, size: float) -> Posed:
    """The pose of a rider, in the axes of the vehicle.

    Args:
        skeleton: bones.
        rest_heads_m: (B, 3) joints at rest.
        vehicle: what is ridden.
        size: height of the body by 1.75 m.
    """
    upright = Leg(2.0, 6.0, 0.0)
    pose = Pose(upright, upright, lean=vehicle.lean_deg, stoop=0.5 * vehicle.lean_deg, nod=6.0, step_m=0.16)
    turned = rotations(skeleton, rest_heads_m, pose)
    trunk = skeleton.pose(rest_heads_m, turned)
    number = skeleton.number
    hips = np.add(vehicle.saddle_m, (0.0, 0.0, _SEAT_M * size))
    if vehicle.standing:
        down = float(trunk.heads_m[number["root"]][2] - trunk.heads_m[number["foot.L"]][2])
        hips = np.array([vehicle.saddle_m[0], 0.0, vehicle.pedals_m[0][2] + _SOLE_M * size + 0.985 * down])
    trunk = trunk.moved(hips - trunk.heads_m[number["root"]])
    for side, sign, pedal in (("L", 1.0, vehicle.pedals_m[0]), ("R", -1.0, vehicle.pedals_m[1])):
        ankle = np.add(pedal, (-_INSTEP_M * size, 0.0, _SOLE_M * size))
        turned |= _limb(
            trunk, number, ("upperleg01", "lowerleg01", "foot"), side, ankle, np.array([1.0, 0.12 * sign, 0.2])
        )
        turned[f"foot.{side}"] = turn_y(0.0)
        grip = np.array(vehicle.grip_m) * (1.0, sign, 1.0)
        shoulder = trunk.heads_m[number[f"upperarm01.{side}"]]
        wrist = grip - _PALM_M * size * (grip - shoulder) / np.linalg.norm(grip - shoulder) + (0.0, 0.0, 0.02)
        turned |= _limb(
            trunk, number, ("upperarm01", "lowerarm01", "wrist"), side, wrist, np.array([-0.3, 0.7 * sign, -1.0])
        )
    return _placed(skeleton.pose(rest_heads_m, turned), number["root"], hips)


def _placed(posed: Posed, root: int, hips: Array) -> Posed:
    return posed.moved(hips - posed.heads_m[root])


def _limb(
    trunk: Posed, number: Mapping[str, int], bones: tuple[str, str, str], side: str, target: Array, bend: Array
) -> dict[str, Array]:
    """Rotations of a limb's two bones, so that it ends at a target with its joint towards ``bend``."""
    start, joint, end = (number[f"{name}.{side}"] for name in bones)
    rest_first = trunk.rest_heads_m[joint] - trunk.rest_heads_m[start]
    rest_second = trunk.rest_heads_m[end] - trunk.rest_heads_m[joint]
    first_m, second_m = float(np.linalg.norm(rest_first)), float(np.linalg.norm(rest_second))
    way = target - trunk.heads_m[start]
    reach = min(float(np.linalg.norm(way)), 0.998 * (first_m + second_m))
    way /= np.linalg.norm(way)
    along = (first_m**2 - second_m**2 + reach**2) / (2 * reach)
    off = np.sqrt(max(first_m**2 - along**2, 0.0))
    across = bend - (bend @ way) * way
    knee = along * way + off * across / np.linalg.norm(across)
    first = between(rest_first, knee)
    second = between(first @ rest_second, reach * way - knee) @ first
    return {f"{bones[0]}.{side}": first, f"{bones[1]}.{side}": second}
