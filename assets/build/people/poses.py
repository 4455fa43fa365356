"""Poses as angles of joints: walking and running by phase, standing, waiting, on the phone, carrying, pushing, sitting.

Source: D. A. Winter, The Biomechanics and Motor Control of Human Gait, 2nd ed. 1991: thigh, knee and foot over a stride
at natural cadence, read at a few phases and joined by a periodic spline. Of running: T. F. Novacheck, "The biomechanics
of running", Gait and Posture 7 (1998). Arms swing against the legs (assumed amplitudes).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from .skeleton import Skeleton, between, turn_x, turn_y, turn_z

__all__ = ["Arm", "Gait", "Leg", "Pose", "pose_named", "rotations", "with_umbrella"]

Array = NDArray[np.float64]
_Curve = dict[float, float]

# Degrees by share of the stride, from the heel's strike on. Thigh: forward of upright; knee: bent; foot: toes up.
_WALK: dict[str, _Curve] = {
    "thigh": {0.0: 25, 0.1: 20, 0.3: 3, 0.5: -16, 0.6: -8, 0.75: 19, 0.87: 28, 0.95: 27},
    "knee": {0.0: 4, 0.12: 18, 0.25: 12, 0.4: 5, 0.5: 12, 0.6: 38, 0.71: 62, 0.81: 44, 0.9: 13, 0.97: 3},
    "foot": {0.0: 20, 0.08: 1, 0.2: 0, 0.38: 0, 0.5: -18, 0.6: -55, 0.7: -46, 0.8: -14, 0.9: 14, 0.96: 21},
}
_RUN: dict[str, _Curve] = {
    "thigh": {0.0: 32, 0.15: 20, 0.3: -6, 0.4: -20, 0.55: 2, 0.75: 46, 0.88: 44},
    "knee": {0.0: 18, 0.15: 40, 0.33: 20, 0.5: 60, 0.65: 104, 0.8: 76, 0.93: 26},
    "foot": {0.0: 6, 0.1: 0, 0.24: 0, 0.38: -48, 0.5: -85, 0.65: -78, 0.85: -18, 0.95: 6},
}


@dataclass(frozen=True)
class Leg:
    """Degrees."""

    thigh: float = 0.0
    """Forward of straight down."""
    knee: float = 3.0
    foot: float = 0.0
    """Toes up from level."""
    spread: float | None = None
    """Of the thigh to the side; None: so that the feet are ``Pose.step_m`` apart."""
    toe_out: float = 8.0


@dataclass(frozen=True)
class Arm:
    """Degrees."""

    forward: float = 0.0
    """Of the upper arm from straight down."""
    aside: float = 9.0
    elbow: float = 14.0
    inward: float = 15.0
    """Where the forearm bends to: 0 forward, 90 across the body."""
    upward: float = 0.0
    """How far the bend is lifted above the horizontal."""


@dataclass(frozen=True)
class Pose:
    """Angles of a whole body, degrees."""

    left_leg: Leg = field(default_factory=Leg)
    right_leg: Leg = field(default_factory=Leg)
    left_arm: Arm = field(default_factory=Arm)
    right_arm: Arm = field(default_factory=Arm)
    pelvis_yaw: float = 0.0
    pelvis_roll: float = 0.0
    lean: float = 1.0
    """Of the trunk, forward."""
    stoop: float = 2.0
    """More from joint to joint of the spine, in all."""
    shoulder_yaw: float = 0.0
    look: float = 0.0
    """Of the head, to the left."""
    nod: float = 4.0
    step_m: float = 0.1
    """Between the feet, to the side."""


@dataclass(frozen=True)
class Gait:
    """How somebody walks."""

    stride: float = 1.0
    """Amplitude of legs, relative to an adult's natural walk."""
    swing: float = 1.0
    """Amplitude of arms."""
    stoop: float = 2.0
    aside: float = 9.0
    """Of the arms: more where clothes or bodies are broad."""
    step_m: float = 0.1


def _at(curve: _Curve, phase: float) -> float:
    """A curve's value at a share of the stride."""
    places, values = np.array(list(curve)), np.array(list(curve.values()), dtype=np.float64)
    spline = CubicSpline(np.append(places, 1.0), np.append(values, values[0]), bc_type="periodic")
    return float(spline(phase % 1.0))


def _stride_leg(curves: dict[str, _Curve], phase: float, stride: float) -> Leg:
    thigh, knee, foot = (_at(curves[name], phase) * stride for name in ("thigh", "knee", "foot"))
    return Leg(thigh, max(knee, 1.0), foot, toe_out=7.0)


def _stride_arm(opposite_thigh: float, gait: Gait, elbow: float, bent: float) -> Arm:
    forward = gait.swing * (opposite_thigh - 6.0)
    return Arm(forward, gait.aside, elbow + bent * max(forward, 0.0), 20.0)


def walk(phase: float, gait: Gait) -> Pose:
    """A step of walking; the left heel strikes at 0, the right one at 0.5."""
    left, right = (_stride_leg(_WALK, at, gait.stride) for at in (phase, phase + 0.5))
    turn = 5.0 * gait.stride * float(np.cos(2 * np.pi * phase))
    left_arm, right_arm = (_stride_arm(other.thigh, gait, 14.0, 0.9) for other in (right, left))
    return Pose(
        left, right, left_arm, right_arm, pelvis_yaw=-turn, lean=2.0,
        pelvis_roll=2.5 * float(np.sin(2 * np.pi * phase)), stoop=gait.stoop, shoulder_yaw=0.8 * turn,
        step_m=gait.step_m,
    )  # fmt: skip


def run(phase: float, gait: Gait) -> Pose:
    """A step of running."""
    left, right = (_stride_leg(_RUN, at, min(gait.stride, 1.05)) for at in (phase, phase + 0.5))
    left_arm, right_arm = (
        Arm(0.8 * (other.thigh - 14.0), gait.aside + 5.0, 85.0 + 0.5 * other.thigh, 25.0, 20.0)
        for other in (right, left)
    )
    turn = 7.0 * float(np.cos(2 * np.pi * phase))
    return Pose(
        left, right, left_arm, right_arm, pelvis_yaw=-turn, lean=8.0, stoop=gait.stoop, shoulder_yaw=turn, step_m=0.06
    )


def _standing(name: str, gait: Gait) -> Pose:
    """Poses on both feet."""
    arm = Arm(2.0, gait.aside, 16.0)
    upright = Pose(left_arm=arm, right_arm=arm, stoop=gait.stoop, step_m=0.2)
    leaning = replace(upright, right_leg=Leg(8.0, 16.0, 0.0), pelvis_roll=-3.0, look=25.0)
    phone = Arm(25.0, gait.aside + 16.0, 138.0, 35.0, 30.0)
    folded = Arm(28.0, gait.aside, 82.0, 62.0, 12.0)
    return {
        "stand": upright,
        "wait": replace(leaning, left_arm=folded, right_arm=Arm(14.0, gait.aside, 48.0, 70.0, -20.0), nod=8.0),
        "look": replace(leaning, look=-55.0),
        "phone": replace(upright, right_arm=phone, nod=10.0, look=-8.0),
        "read": replace(upright, left_arm=Arm(22.0, gait.aside, 86.0, 42.0, 8.0), nod=32.0),
    }[name]


def _carrying(pose: Pose, gait: Gait) -> Pose:
    arm = Arm(18.0, gait.aside + 2.0, 78.0, 32.0, 0.0)
    return replace(pose, left_arm=arm, right_arm=arm, shoulder_yaw=0.0)


def _pushing(pose: Pose, gait: Gait) -> Pose:
    arm = Arm(28.0, gait.aside, 52.0, 4.0, 0.0)
    return replace(pose, left_arm=arm, right_arm=arm, shoulder_yaw=0.0, lean=6.0)


def _sitting(number: int, gait: Gait) -> Pose:
    """Hands on the thighs; leaning forward; leaning back with the legs stretched; reading. Thighs are level."""
    ahead = (4.0, 8.0, 26.0, 0.0)[number]
    leg = Leg(86.0, 86.0 - ahead, 0.5 * ahead, spread=(6.0, 10.0, 4.0, 5.0)[number], toe_out=12.0)
    lean, stoop, nod = ((-4.0, 8.0, 8.0), (20.0, 14.0, 14.0), (-9.0, 10.0, 4.0), (-2.0, 14.0, 32.0))[number]
    stoop = min(gait.stoop, 8.0) + stoop
    leaning = 20.0 + lean + stoop  # of the upper arm from the chest, so that it hangs forward
    arm = (
        Arm(20.0, gait.aside, 76.0, 16.0), Arm(leaning, gait.aside, 46.0, 24.0),
        Arm(22.0, gait.aside + 6.0, 80.0, 46.0, 10.0), Arm(24.0, gait.aside, 98.0, 40.0, 8.0),
    )[number]  # fmt: skip
    return Pose(leg, leg, arm, arm, lean=lean, stoop=stoop, nod=nod, look=(12.0, -8.0, 30.0, 0.0)[number])


def with_umbrella(pose: Pose) -> Pose:
    """The right hand before the chest, so that what it holds stands above the head."""
    return replace(pose, right_arm=Arm(24.0, 4.0, 118.0, 24.0, 20.0), shoulder_yaw=0.3 * pose.shoulder_yaw)


def pose_named(name: str, gait: Gait) -> Pose:
    """The pose of a name.

    ``walk_03`` is phase 3 of twelve, ``run_01`` phase 1 of six; ``stand``, ``phone``; ``sit_03`` is the last of four
    ways to sit.

    Raises:
        KeyError: there is none.
    """
    kind, _, number = name.partition("_")
    step = int(number or 0)
    if kind == "run":
        return run(step / 6.0, gait)
    if kind in ("walk", "cross", "carry", "push"):
        pose = walk(step / 12.0, gait)
        changed = {"cross": replace(pose, look=62.0), "carry": _carrying(pose, gait), "push": _pushing(pose, gait)}
        return changed.get(kind, pose)
    return _sitting(step, gait) if kind == "sit" else _standing(kind, gait)


# --- angles to rotations ----------------------------------------------------------------------------------------------

_SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
_NECK = ("neck01", "neck02", "neck03")


def rotations(skeleton: Skeleton, rest_heads_m: Array, pose: Pose) -> dict[str, Array]:
    """Rotations of the bones that a pose turns, world axes."""
    rad = np.radians
    pelvis = turn_z(rad(pose.pelvis_yaw)) @ turn_x(rad(pose.pelvis_roll)) @ turn_y(rad(0.4 * pose.lean))
    turned = {"root": pelvis}
    for step, name in enumerate(_SPINE, start=1):
        share = step / len(_SPINE)
        bent = rad(0.4 * pose.lean + share * (0.6 * pose.lean + pose.stoop))
        yaw = pose.pelvis_yaw + share * (pose.shoulder_yaw - pose.pelvis_yaw)
        turned[name] = turn_z(rad(yaw)) @ turn_x(rad(pose.pelvis_roll * (1.0 - share))) @ turn_y(bent)
    chest_lean = pose.lean + pose.stoop
    for step, name in enumerate((*_NECK, "head"), start=1):
        share = step / (len(_NECK) + 1)
        yaw = pose.shoulder_yaw + share * (pose.look - pose.shoulder_yaw)
        turned[name] = turn_z(rad(yaw)) @ turn_y(rad(chest_lean + share * (pose.nod - chest_lean)))
    for side, leg, arm in (("L", pose.left_leg, pose.left_arm), ("R", pose.right_leg, pose.right_arm)):
        turned |= _leg(skeleton, rest_heads_m, side, leg, pose)
        turned |= _arm(skeleton, rest_heads_m, side, arm, turned["spine01"])
    return turned


def _leg(skeleton: Skeleton, heads_m: Array, side: str, leg: Leg, pose: Pose) -> dict[str, Array]:
    """Thigh and shank in a plane through the hip; the foot by its pitch."""
    hip, knee, ankle = (heads_m[skeleton.number[f"{name}.{side}"]] for name in ("upperleg01", "lowerleg01", "foot"))
    sign = 1.0 if side == "L" else -1.0
    long_m = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    aside = np.arcsin((pose.step_m / 2 - abs(hip[1])) / long_m) if leg.spread is None else np.radians(leg.spread)
    tilt = turn_x(sign * aside)
    thigh_way, shank_way = (_down(angle) @ tilt.T for angle in (leg.thigh, leg.thigh - leg.knee))
    thigh = between(knee - hip, thigh_way)
    shank = between(thigh @ (ankle - knee), shank_way) @ thigh
    foot = turn_z(np.radians(sign * leg.toe_out)) @ turn_y(-np.radians(leg.foot))
    return {f"upperleg01.{side}": thigh, f"lowerleg01.{side}": shank, f"foot.{side}": foot}


def _down(angle_deg: float) -> Array:
    """Straight down, turned forward."""
    return np.array([np.sin(np.radians(angle_deg)), 0.0, -np.cos(np.radians(angle_deg))])


def _arm(skeleton: Skeleton, heads_m: Array, side: str, arm: Arm, chest: Array) -> dict[str, Array]:
    """Upper arm by its direction from the chest, forearm by the elbow and the side that it bends to."""
    shoulder, elbow, wrist = (
        heads_m[skeleton.number[f"{name}.{side}"]] for name in ("upperarm01", "lowerarm01", "wrist")
    )
    sign = 1.0 if side == "L" else -1.0
    aside, inward, upward = (np.radians(angle) for angle in (arm.aside, arm.inward, arm.upward))
    upper_way = _down(arm.forward) * np.cos(aside) + np.array([0.0, sign * np.sin(aside), 0.0])
    bend = np.array([np.cos(inward) * np.cos(upward), -sign * np.sin(inward) * np.cos(upward), np.sin(upward)])
    bend -= (bend @ upper_way) * upper_way
    bend /= np.linalg.norm(bend)
    bent = np.radians(arm.elbow)
    fore_way = np.cos(bent) * upper_way + np.sin(bent) * bend
    upper = between(elbow - shoulder, chest @ upper_way)
    fore = between(upper @ (wrist - elbow), chest @ fore_way) @ upper
    lowered = chest @ turn_x(-sign * np.radians(max(0.0, 18.0 - 0.6 * arm.aside)))
    return {f"shoulder01.{side}": lowered, f"upperarm01.{side}": upper, f"lowerarm01.{side}": fore}
