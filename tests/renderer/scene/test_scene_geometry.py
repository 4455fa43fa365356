"""Plain geometry of a street: lines by arc length, rectangles on the ground, what a camera sees of both."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.errors import SceneError
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.camera_car import LATERAL_MAX_M, PITCH_MAX_DEG, YAW_MAX_DEG, sample_camera, vary_mount
from renderer.scene.cars import ModelSize, Placement
from renderer.scene.draws import clipped_normal
from renderer.scene.field_of_view import VIEW_FAR_M, FieldOfView
from renderer.scene.footprints import footprint, overlaps, rectangle
from renderer.scene.projection import camera_pose, covered_share, projected_box, seen_share
from renderer.scene.street import Polyline, Street

CAMERA = Camera("street", 640, 480, 500.0, 500.0, 320.0, 240.0)
CAR = ModelSize("car", "car", 4.4, 1.8, 1.5)
CIRCLE_M = 50.0


def circle() -> Polyline:
    angles = np.linspace(0.0, math.pi, 721)
    return Polyline(np.stack([CIRCLE_M * np.cos(angles), CIRCLE_M * np.sin(angles), 0.02 * angles], axis=-1))


def at(x: float, y: float, yaw: float = 0.0) -> Placement:
    return Placement("car", x, y, 0.0, yaw, "driving")


def view() -> FieldOfView:
    return FieldOfView(CAMERA, camera_pose(0.0, 0.0, 1.65, 0.0, 0.0), [CAR])


def test_arc_length_and_heading_of_a_circle() -> None:
    line = circle()
    assert line.length_m == pytest.approx(math.pi * CIRCLE_M, rel=1e-5)
    for share in (0.25, 0.5, 0.75):
        x, y, _, yaw = line.pose(share * line.length_m, 2.7)
        angle = share * math.pi
        # Axles stand on the circle, and so the middle of the car on its chord.
        radius = math.sqrt(CIRCLE_M**2 - 1.35**2)
        assert (x, y) == pytest.approx((radius * math.cos(angle), radius * math.sin(angle)), abs=0.01)
        assert math.remainder(yaw - angle - math.pi / 2, math.tau) == pytest.approx(0.0, abs=1e-3)


def test_distance_from_a_line() -> None:
    line = circle()
    half = line.length_m / 2
    points = np.array([(0.0, CIRCLE_M + 3.0), (0.0, CIRCLE_M - 2.0), (0.0, CIRCLE_M)])
    np.testing.assert_allclose(line.distance_m(points, half, 5.0), [3.0, 2.0, 0.0], atol=0.01)


def test_a_line_has_two_points() -> None:
    with pytest.raises(SceneError, match="N >= 2"):
        Polyline(np.zeros((1, 3)))


def test_corners_of_a_car() -> None:
    corners = footprint(at(10.0, 2.0, math.radians(90.0)), CAR, margin_m=0.1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    np.testing.assert_allclose([*low, *high], [9.0, -0.3, 11.0, 4.3], atol=1e-12)
    (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[1]
    assert ax * by - ay * bx == pytest.approx(2.0 * 4.6), "counter-clockwise, with the area of the grown car"


def test_rectangles_overlap_where_they_share_a_point() -> None:
    """Against points drawn inside of one of them."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        x, y, yaw_a, yaw_b = rng.uniform((-5, -5, 0, 0), (5, 5, math.pi, math.pi))
        a, b = rectangle(0.0, 0.0, yaw_a, 4.4, 1.8), rectangle(x, y, yaw_b, 4.4, 1.8)
        inside = rng.uniform(-0.5, 0.5, (4000, 2)) * (4.4, 1.8)
        turn = np.array([(math.cos(yaw_b), math.sin(yaw_b)), (-math.sin(yaw_b), math.cos(yaw_b))])
        world = inside @ turn + (x, y)
        back = world @ np.array([(math.cos(yaw_a), -math.sin(yaw_a)), (math.sin(yaw_a), math.cos(yaw_a))])
        shared = float((np.abs(back) <= (2.2, 0.9)).all(axis=1).mean())
        if shared > 0:
            assert overlaps(a, b)
        if not overlaps(a, b):
            assert shared == 0
        seen.add(overlaps(a, b))
    assert seen == {True, False}
    assert not overlaps(rectangle(0.0, 0.0, 0.3, 4.4, 1.8), rectangle(20.0, 0.0, 1.0, 4.4, 1.8))


def test_shares_of_boxes() -> None:
    assert seen_share((-10.0, 0.0, 10.0, 10.0), CAMERA) == 0.5
    assert seen_share((-30.0, 0.0, -10.0, 10.0), CAMERA) == 0.0
    assert covered_share((0.0, 0.0, 10.0, 10.0), (5.0, 5.0, 20.0, 20.0)) == 0.25
    assert covered_share((0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0)) == 0.0


def test_what_a_camera_sees_of_the_ground() -> None:
    points = np.array([(20.0, 0.0), (20.0, 12.0), (20.0, 17.0), (-5.0, 0.0), (VIEW_FAR_M + 1.0, 0.0)])
    # At 20 m half the picture is 12.8 m wide; lanes are filled 2.5 m beyond.
    assert view().contains(points).tolist() == [True, True, False, False, False]
    assert [view().reaches(point[None]) for point in points] == view().contains(points).tolist()


def test_a_car_right_behind_another_is_left_out() -> None:
    near, hidden, beside = at(8.0, 0.0), at(14.0, 0.0), at(14.0, 5.0)
    assert view().visible([hidden, beside, near]) == [near, hidden, beside]
    tall = FieldOfView(CAMERA, camera_pose(0.0, 0.0, 0.75, 0.0, 0.0), [CAR])
    assert tall.visible([at(30.0, 0.0), near]) == [near]


def test_a_car_is_seen_well_when_it_is_wide_and_in_the_picture() -> None:
    assert view().shows_well([at(15.0, 0.0)])
    assert not view().shows_well([at(60.0, 0.0)])
    assert not view().shows_well([at(8.0, 9.0)])


def test_a_car_just_ahead_fills_the_picture() -> None:
    assert view().is_filled_by(at(4.2, 0.0), CAR)
    assert not view().is_filled_by(at(12.0, 0.0), CAR)


def test_a_box_of_what_is_beside_the_camera_is_none() -> None:
    assert projected_box(at(1.0, 0.0), CAR, CAMERA, camera_pose(0.0, 0.0, 1.65, 0.0, 0.0)) is None


def test_draws_stay_within_their_limits() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([clipped_normal(rng, 1.0, 0.7) for _ in range(4000)])
    assert np.abs(drawn).max() == 0.7
    # 48.4 % of a normal distribution are farther from the mean than 0.7 deviations.
    assert (np.abs(drawn) == 0.7).mean() == pytest.approx(0.484, abs=0.03)


def test_the_camera_car_keeps_to_its_path() -> None:
    path = np.array([(0.0, 0.0, 0.0), (100.0, 0.0, 0.0)])
    street, rng = Street((), (), (path,)), np.random.default_rng(0)
    poses = [sample_camera(street, CAMERA, rng) for _ in range(400)]
    positions = np.array([pose[:3, 3] for pose, _ in poses])
    forward = np.array([pose[:3, 2] for pose, _ in poses])
    assert {heading for _, heading in poses} == {0.0}
    assert np.abs(positions[:, 1]).max() <= LATERAL_MAX_M
    assert positions[:, 1].std() == pytest.approx(0.3, rel=0.15)
    assert positions[:, 2].mean() == pytest.approx(CAMERA.height_m, abs=0.01)
    assert np.abs(np.degrees(np.arctan2(forward[:, 1], forward[:, 0]))).max() <= YAW_MAX_DEG + 1e-9
    pitch = np.degrees(-np.arcsin(forward[:, 2]))
    assert np.abs(pitch - CAMERA.pitch_deg).max() <= PITCH_MAX_DEG + 1e-9


def test_a_mount_that_varies_is_that_of_any_vehicle() -> None:
    """The poses of a camera that is mounted anew for each frame; without variety they are what they were."""
    street = Street((), (), (np.array([(0.0, 0.0, 0.0), (100.0, 0.0, 0.0)]),))
    draws = [Draw(3, index) for index in range(300)]
    assert vary_mount(CAMERA, 0.0, draws[0]) is CAMERA
    for strength in (0.5, 1.0):
        cameras = [vary_mount(CAMERA, strength, draw) for draw in draws]
        poses = [
            sample_camera(street, one, draw.rng(Stream.CAMERA))[0] for one, draw in zip(cameras, draws, strict=True)
        ]
        heights = np.array([pose[2, 3] for pose in poses])
        assert np.ptp(heights) == pytest.approx(strength * 1.3, rel=0.15)
        assert heights.min() > 1.65 + strength * (1.1 - 1.65) - 0.1
        pitch = np.degrees(-np.arcsin([pose[2, 2] for pose in poses])) - CAMERA.pitch_deg
        assert np.abs(pitch).max() == pytest.approx(3.0 * strength, abs=1.0)
