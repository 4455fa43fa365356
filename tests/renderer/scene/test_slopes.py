"""Streets that rise and fall: what has wheels touches the ground with all of them, people stand upright."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.scene.camera_car import sample_camera
from renderer.scene.cars import FrameSetup, Placement
from renderer.scene.slopes import on_slope, tilt, tilted
from renderer.scene.street import Bay, Lane, Street

RISE = (0.07, -0.03)
"""Of the plane that everything below stands on."""


def height(x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray | float:
    return RISE[0] * x + RISE[1] * y


def lane(start: tuple[float, float], end: tuple[float, float], above_m: float = 0.0) -> Lane:
    xy = np.linspace(start, end, 60)
    return Lane(np.column_stack([xy, height(xy[:, 0], xy[:, 1]) + above_m]), 3.3)


def street(*more: Lane) -> Street:
    ways = lane((0.0, -1.7), (120.0, -1.7)), lane((120.0, 1.7), (0.0, 1.7)), *more
    bay = Bay(30.0, 8.0, float(height(30.0, 8.0)) + 0.13, 0.4, 5.5, 2.5, RISE)
    return Street(ways, (bay,), (ways[0].points_m,))


def test_the_slope_is_that_of_the_plane_and_a_bridge_above_changes_nothing() -> None:
    assert street().slope_at(40.0, 0.5, 2.8) == pytest.approx(RISE, abs=1e-9)
    level = np.column_stack([np.full(40, 41.0), np.linspace(-40.0, 40.0, 40), np.full(40, 9.5)])
    assert street(Lane(level, 3.3)).slope_at(40.0, 0.5, 2.8) == pytest.approx(RISE, abs=1e-9)


def test_a_single_lane_tells_the_slope_along_it() -> None:
    one = Street((lane((0.0, 0.0), (100.0, 0.0)),), (), (np.zeros((2, 3)),))
    assert one.slope_at(50.0, 1.0, 3.5) == pytest.approx((RISE[0], 0.0), abs=1e-9)


@pytest.mark.parametrize(("x", "y", "kerb_m"), [(40.0, -1.7, 0.0), (30.3, 8.1, 0.13)])
@pytest.mark.parametrize("yaw", [0.0, 1.1, math.pi])
def test_four_wheels_stand_on_the_plane(x: float, y: float, kerb_m: float, yaw: float) -> None:
    car = Placement("car", x, y, float(height(x, y)) + kerb_m, yaw, "driving")
    placed = on_slope(FrameSetup(0, (car,), np.eye(4)), street(), lambda name: True).placements[0]
    wheels = np.array([(a, b, 0.0, 1.0) for a in (-1.3, 1.3) for b in (-0.75, 0.75)]) @ placed.object_to_world.T
    np.testing.assert_allclose(wheels[:, 2], height(wheels[:, 0], wheels[:, 1]) + kerb_m, atol=1e-9)
    rotation = placed.object_to_world[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert math.atan2(rotation[1, 0], rotation[0, 0]) == pytest.approx(math.remainder(yaw, math.tau), abs=1e-12)


def test_people_stay_upright_riders_do_not_and_level_streets_change_nothing() -> None:
    person = Placement("person", 40.0, 5.0, 1.0, 0.3, "walking")
    bicycle = Placement("bicycle", 50.0, -1.5, 3.5, 0.0, "bicycle_ridden")
    rider = Placement("rider", 50.0, -1.5, 3.5, 0.0, "riding", rides=1)
    setup = FrameSetup(0, (person, bicycle, rider), np.eye(4))
    placed = on_slope(setup, street(), lambda name: name == "bicycle").placements
    assert placed[0] is person
    np.testing.assert_array_equal(placed[1].object_to_world, placed[2].object_to_world)
    assert placed[1].object_to_world[2, 0] == pytest.approx(RISE[0] / math.hypot(1.0, RISE[0]), abs=1e-9)
    flat = np.column_stack([np.linspace(0.0, 50.0, 20), np.zeros((20, 2))])
    assert on_slope(setup, Street((Lane(flat, 3.0),), (), (flat,)), lambda name: True) is setup


def test_the_camera_looks_along_the_road_and_leans_with_it() -> None:
    camera = Camera("street", 640, 480, 500.0, 500.0, 320.0, 240.0)
    poses = [sample_camera(street(), camera, np.random.default_rng(k))[0] for k in range(40)]
    ahead = np.array([pose[:3, 2] for pose in poses])
    rise = ahead[:, 2] - height(ahead[:, 0], ahead[:, 1])
    assert np.abs(rise).max() < math.sin(math.radians(1.5))
    assert abs(float(np.mean(rise))) < math.sin(math.radians(0.3))


def test_a_tilt_turns_no_further_than_the_ground() -> None:
    turn = tilt(RISE)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert turn[2, 2] == pytest.approx(1.0 / math.hypot(*RISE, 1.0))
    assert turn[:2, 2] == pytest.approx(-np.array(RISE) * turn[2, 2])
    assert tilted(np.eye(4), (0.0, 0.0))[2, 2] == 1.0
