"""What turns on something that moves: wheels by the way that is driven, cranks by the gear, a rider's legs with them.

Axes are a model's own: x forward, y left, z up, metres; a model is taken as it was built, and all turns begin there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AT_REST",
    "CRANK",
    "HEAD_KEY_POINTS",
    "LIMBS",
    "PEDALS",
    "STEERED",
    "WHEELS",
    "Axle",
    "Limbs",
    "Motion",
    "limb_moves",
    "moved_key_points",
    "skinned",
    "turned",
    "turned_directions",
]

Array = NDArray[np.float64]

REAR, STEERED, CRANK = "wheel.R", "wheel.F", "crank"
PEDALS: Final = ("pedal.L", "pedal.R")
"""They go round with the crank and stay level."""
WHEELS: Final = (REAR, STEERED)
LIMBS: Final = ("head", "thigh.L", "shank.L", "foot.L", "thigh.R", "shank.R", "foot.R")
"""What moves of a rider, each about the joint at its upper end; all else keeps still."""
HEAD_KEY_POINTS: Final = 5
"""COCO's first key points: nose, eyes, ears."""
_KNEES_AND_ANKLES: Final = ((13, "shank.L"), (14, "shank.R"), (15, "foot.L"), (16, "foot.R"))
_KNEE_AHEAD: Final = (1.0, 0.12, 0.2)
"""Which way a knee bends; to the left of the left leg."""
_STRAIGHTEST: Final = 0.998
"""Of a leg's length."""


@dataclass(frozen=True)
class Motion:
    """How far what turns has turned."""

    rolled_m: float = 0.0
    """Over the ground, along the heading."""
    crank_rad: float = 0.0
    """Forward; of what has a crank."""
    nod_rad: float = 0.0
    """Of a rider's head, forward."""
    curvature_per_m: float = 0.0
    """Of the way, to the left: the wheels at the front steer."""


AT_REST: Final = Motion()


@dataclass(frozen=True)
class Axle:
    """Where a part of a model turns."""

    name: str
    """One of :data:`WHEELS`, :data:`CRANK` or :data:`PEDALS`."""
    place_m: tuple[float, float, float]
    """Its middle. A wheel stands on the ground, so that its height is its radius."""

    def pose(self, motion: Motion, base_m: float, crank: Axle | None = None) -> Array:
        """(4, 4) what turning does to the part.

        Args:
            motion: how far.
            base_m: between the axles of the wheels.
            crank: of a pedal.
        """
        place = np.array(self.place_m)
        if self.name in PEDALS:
            return _about(np.eye(3), place, place + pedal_shift(place, crank, motion.crank_rad))
        if self.name == CRANK:
            return _about(_turn_y(motion.crank_rad), place, place)
        rolled = _turn_y(motion.rolled_m / max(self.place_m[2], 0.02))
        return _about(_turn_z(self._steer_rad(motion, base_m)) @ rolled, place, place)

    def _steer_rad(self, motion: Motion, base_m: float) -> float:
        """Ackermann's angle of one wheel in the middle."""
        return math.atan(base_m * motion.curvature_per_m) if self.name == STEERED else 0.0


def pedal_shift(place_m: Array, crank: Axle | None, crank_rad: float) -> Array:
    """(3,) how far a pedal has gone from where it was built."""
    if crank is None:
        return np.zeros(3)
    arm = place_m - np.array(crank.place_m)
    return np.asarray(_turn_y(crank_rad) @ arm - arm)


@dataclass(frozen=True, eq=False)
class Limbs:
    """Of one rider."""

    weights: NDArray[np.float32]
    """(V, 7) how much each vertex follows each of :data:`LIMBS`, 0-1."""
    joints_m: Array
    """(7, 3) the upper ends of :data:`LIMBS`: neck, then hip, knee and ankle of each side."""


def limb_moves(limbs: Limbs, motion: Motion, axles: Sequence[Axle]) -> Array:
    """(7, 3, 4) what each limb does while the feet stay on the pedals of ``axles``; without any, legs keep still."""
    moves = np.tile(np.eye(3, 4), (len(LIMBS), 1, 1))
    neck = limbs.joints_m[0]
    moves[0] = _about(_turn_y(motion.nod_rad), neck, neck)[:3]
    by_name = {one.name: one for one in axles}
    for side, (first, pedal) in enumerate(zip((1, 4), PEDALS, strict=True)):
        if pedal in by_name:
            place = np.array(by_name[pedal].place_m)
            shift = pedal_shift(place, by_name.get(CRANK), motion.crank_rad)
            moves[first : first + 3] = _leg(limbs.joints_m[first : first + 3], place, shift, 1.0 - 2.0 * side)
    return moves


def _leg(joints: Array, pedal: Array, shift: Array, sign: float) -> Array:
    """(3, 3, 4) of thigh, shank and foot: the law of cosines; where the leg is too short, the foot points down."""
    hip, knee, ankle = joints
    first, second = float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee))
    way = ankle + shift - hip
    reach = min(float(np.linalg.norm(way)), _STRAIGHTEST * (first + second))
    way = way / np.linalg.norm(way)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    bend = np.array(_KNEE_AHEAD) * (1.0, sign, 1.0)
    across = bend - (bend @ way) * way
    new_knee = hip + along * way + math.sqrt(max(first**2 - along**2, 0.0)) * across / np.linalg.norm(across)
    new_ankle = hip + reach * way
    thigh, shank = _between(knee - hip, new_knee - hip), _between(ankle - knee, new_ankle - new_knee)
    foot = _between(pedal - ankle, pedal + shift - new_ankle)
    return np.stack([_about(thigh, hip, hip), _about(shank, knee, new_knee), _about(foot, ankle, new_ankle)])[:, :3]


def skinned(points_m: Array, weights: NDArray[np.float32], moves: Array) -> Array:
    """Points (V, 3) that follow limbs by weights (V, 7): linear blend skinning from the pose as built."""
    shifts = np.einsum("bij,vj->vbi", moves[:, :, :3], points_m) + moves[:, :, 3] - points_m[:, None]
    return np.asarray(points_m + np.einsum("vb,vbi->vi", weights, shifts))


def turned_directions(directions: Array, weights: NDArray[np.float32], moves: Array) -> Array:
    """Unit vectors (V, 3) at such points."""
    changes = np.einsum("bij,vj->vbi", moves[:, :, :3] - np.eye(3), directions)
    changed = directions + np.einsum("vb,vbi->vi", weights, changes)
    return np.asarray(changed / np.maximum(np.linalg.norm(changed, axis=1, keepdims=True), 1e-12))


def moved_key_points(points_m: Array, moves: Array) -> Array:
    """COCO's key points (17, 3) of a rider whose limbs moved."""
    moved = points_m.copy()
    moved[:HEAD_KEY_POINTS] = turned(points_m[:HEAD_KEY_POINTS], moves[0])
    for number, limb in _KNEES_AND_ANKLES:
        moved[number] = turned(points_m[number], moves[LIMBS.index(limb)])
    return moved


def turned(points_m: Array, move: Array) -> Array:
    """Points (..., 3) moved by (3, 4) or (4, 4)."""
    return np.asarray(points_m @ move[:3, :3].T + move[:3, 3])


def _about(turn: Array, place: Array, new_place: Array) -> Array:
    """(4, 4) a turn about a place that goes to another."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, new_place - turn @ place
    return pose


def _turn_y(angle_rad: float) -> Array:
    """About y: what is above goes forward."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _turn_z(angle_rad: float) -> Array:
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _between(start: Array, end: Array) -> Array:
    """The smallest rotation from one direction to another (Rodrigues)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / max(1.0 + cosine, 1e-9))
