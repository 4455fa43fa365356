"""Wheels roll without slipping, pedals stay level under the feet, bones keep their lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.scene.sequences.turning import (
    LIMBS,
    Axle,
    Limbs,
    Motion,
    limb_moves,
    moved_key_points,
    skinned,
    turned,
    turned_directions,
)

FRONT, CRANK = Axle("wheel.F", (0.52, 0.0, 0.34)), Axle("crank", (-0.09, 0.0, 0.28))
LEFT, RIGHT = Axle("pedal.L", (0.02, 0.13, 0.15)), Axle("pedal.R", (-0.2, -0.13, 0.41))
# Neck; hip, knee, ankle of the left and of the right leg.
JOINTS = np.array(
    [[-0.1, 0, 1.5], [-0.25, 0.09, 1.05], [0.12, 0.12, 0.75], [-0.07, 0.13, 0.24],
     [-0.25, -0.09, 1.05], [0.15, -0.12, 0.9], [-0.29, -0.13, 0.5]]
)  # fmt: skip


def _limbs(points: int = 7) -> Limbs:
    return Limbs(np.eye(points, 7, dtype=np.float32), JOINTS)


def test_the_lowest_point_of_a_wheel_is_at_rest_on_the_road() -> None:
    low = np.array([0.52, 0.0, 0.0])
    step = 1e-5
    moved = np.add(turned(low, FRONT.pose(Motion(rolled_m=step), 1.05)), (step, 0.0, 0.0))
    assert np.abs(moved - low).max() < 1e-9
    top = np.array([0.52, 0.0, 0.68])
    moved = np.add(turned(top, FRONT.pose(Motion(rolled_m=step), 1.05)), (step, 0.0, 0.0))
    assert moved[0] - top[0] == pytest.approx(2 * step, rel=1e-3)


def test_after_its_circumference_a_wheel_is_as_before() -> None:
    assert np.allclose(FRONT.pose(Motion(rolled_m=2 * math.pi * 0.34), 1.05), np.eye(4), atol=1e-12)


def test_the_front_wheel_points_along_its_own_circle() -> None:
    radius, base = 8.0, 2.6
    pose = FRONT.pose(Motion(curvature_per_m=1 / radius), base)
    # The middle of the rear axle goes on a circle about (0, radius); the front one's way is across the line to it.
    to_centre = np.array([0.0, radius]) - [base, 0.0]
    assert pose[:2, 0] @ to_centre == pytest.approx(0.0, abs=1e-9)
    assert Axle("wheel.R", (-0.5, 0, 0.3)).pose(Motion(curvature_per_m=0.2), base) == pytest.approx(np.eye(4))


@pytest.mark.parametrize("angle", np.linspace(0.1, 2 * math.pi, 7))
def test_pedals_go_round_and_stay_level(angle: float) -> None:
    for pedal in (LEFT, RIGHT):
        pose = pedal.pose(Motion(crank_rad=angle), 1.05, CRANK)
        assert np.array_equal(pose[:3, :3], np.eye(3))
        before, after = (np.array(pedal.place_m) - CRANK.place_m, turned(np.array(pedal.place_m), pose) - CRANK.place_m)
        assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before))
        forward = math.atan2(before[2], before[0]) - math.atan2(after[2], after[0])
        assert (math.cos(forward), math.sin(forward)) == pytest.approx((math.cos(angle), math.sin(angle)))


@pytest.mark.parametrize("angle", np.linspace(0.0, 2 * math.pi, 9))
def test_legs_keep_their_lengths_and_feet_the_pedals(angle: float) -> None:
    motion = Motion(crank_rad=angle)
    moves = limb_moves(_limbs(), motion, [FRONT, CRANK, LEFT, RIGHT])
    for first, pedal in ((1, LEFT), (4, RIGHT)):
        hip, knee, ankle = JOINTS[first : first + 3]
        thigh, shank, foot = moves[first : first + 3]
        assert turned(hip, thigh) == pytest.approx(hip)
        assert turned(knee, thigh) == pytest.approx(turned(knee, shank))
        assert turned(ankle, shank) == pytest.approx(turned(ankle, foot))
        wanted = turned(np.array(pedal.place_m), pedal.pose(motion, 1.05, CRANK))
        assert np.abs(turned(np.array(pedal.place_m), foot) - wanted).max() < 0.04
        bent = turned(knee, thigh) - (hip + turned(ankle, shank)) / 2
        assert bent[0] > 0  # forward
    assert angle or np.allclose(moves[:, :, :3], np.eye(3), atol=0.3)


def test_without_pedals_legs_keep_still_and_the_head_nods() -> None:
    moves = limb_moves(_limbs(), Motion(crank_rad=1.0, nod_rad=0.1), [FRONT])
    assert np.array_equal(moves[1:], np.tile(np.eye(3, 4), (6, 1, 1)))
    nose = np.array([0.1, 0.0, 1.6])
    assert turned(nose, moves[0])[2] < nose[2]


def test_skin_follows_by_weights() -> None:
    moves = np.tile(np.eye(3, 4), (len(LIMBS), 1, 1))
    moves[2, :, 3] = (0.1, 0.0, -0.2)
    points = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.6], [0.0, 0.0, 1.0]])
    weights = np.zeros((3, 7), np.float32)
    weights[:2, 2] = (1.0, 0.5)
    assert skinned(points, weights, moves) - points == pytest.approx(
        np.array([[0.1, 0, -0.2], [0.05, 0, -0.1], [0] * 3])
    )
    quarter = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]])
    moves[2] = quarter
    up = np.tile([0.0, 0.0, 1.0], (3, 1))
    assert turned_directions(up, weights, moves)[0] == pytest.approx([1.0, 0.0, 0.0])
    assert np.linalg.norm(turned_directions(up, weights, moves), axis=1) == pytest.approx(1.0)


def test_key_points_move_with_their_limbs() -> None:
    points = np.zeros((17, 3))
    points[13], points[15] = JOINTS[2], JOINTS[3]
    points[11] = JOINTS[1]
    moves = limb_moves(_limbs(), Motion(crank_rad=2.0), [CRANK, LEFT, RIGHT])
    moved = moved_key_points(points, moves)
    assert moved[11] == pytest.approx(points[11])
    assert moved[13] == pytest.approx(turned(JOINTS[2], moves[1]))
    assert np.linalg.norm(moved[15] - moved[13]) == pytest.approx(np.linalg.norm(JOINTS[3] - JOINTS[2]))
