"""Tracks of tyres: where they lie, and how warm a half-space is that a tyre has stood on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D, Frame, Instance, Part
from renderer.scene.projection import camera_pose
from renderer.thermal.tyre_tracks import CONTACT_M, add_tyre_tracks, left_after, wheels_of
from renderer.zones.catalogue import Zone

CAMERA = Camera("above", 200, 200, 100.0, 100.0, 100.0, 100.0)
BASE_M, HALF_M = 2.6, 0.75


def test_the_surface_answers_as_a_half_space() -> None:
    """An implicit scheme in depth: held at 1 for a while, then insulated."""
    depth, step, seconds, contact = 500, 1e-5, 1e-4, 0.018
    diffusivity = 5e-7
    ratio = diffusivity * seconds / step**2
    inside = np.diag(np.full(depth, 1 + 2 * ratio)) - ratio * (np.eye(depth, k=1) + np.eye(depth, k=-1))
    held, free = inside.copy(), inside.copy()
    held[0], free[0] = np.eye(depth)[0], 0.0
    free[0, 0], free[0, 1] = 1 + 2 * ratio, -2 * ratio
    held, free = np.linalg.inv(held), np.linalg.inv(free)
    kelvin = np.zeros(depth)
    for _ in range(round(contact / seconds)):
        kelvin[0] = 1.0
        kelvin = held @ kelvin
    for k in range(1, 1001):
        kelvin = free @ kelvin
        if k in (200, 500, 1000):
            behind = CONTACT_M * k * seconds / contact
            assert kelvin[0] == pytest.approx(left_after(behind), rel=0.04)
    assert left_after(0.0) == pytest.approx(1.0)


def _seen(bend_per_m: float, speed: float | None = 10.0) -> tuple[Frame, Instance]:
    """A road from 20 m above, and a car at its middle that drives to the right."""
    pose = camera_pose(0.0, 0.0, 20.0, math.pi / 2, math.pi / 2)
    steer = math.atan(BASE_M * bend_per_m)
    parts = []
    for x in (-BASE_M / 2, BASE_M / 2):
        for y in (-HALF_M, HALF_M):
            hub = np.eye(4)
            angle = steer if x > 0 else 0.0
            hub[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            hub[:3, 3] = x, y, 0.3
            parts.append(Part("wheel", 1, hub))
    box = Box3D((0, 0, 0), 4.0, 1.5, 1.8, 0.0)
    car = Instance(1, "car", "hatchback", "driving", np.eye(4), box, (0, 0, 1, 1), None, 0, 0, 0.0, 0, speed_m_s=speed)
    shape = (200, 200)
    frame = Frame(
        0, CAMERA, pose, np.full(shape, 20.0, np.float32), np.zeros(shape, np.uint16),
        np.full(shape, Zone.ROAD, np.uint8), (car,), parts=tuple(parts),
    )  # fmt: skip
    return frame, car


def _points(frame: Frame) -> np.ndarray:
    rays = frame.camera.rays().astype(np.float64) * 20.0
    return np.asarray(rays @ frame.cam_to_world[:3, :3].T + frame.cam_to_world[:3, 3])


@pytest.mark.parametrize("bend_per_m", [0.0, 1 / 12.0, -1 / 9.0])
def test_tracks_lie_where_the_wheels_have_been(bend_per_m: float) -> None:
    frame, car = _seen(bend_per_m)
    heat = np.zeros((200, 200), np.float32)
    add_tyre_tracks(frame, [car], [12.0], heat)
    warm = heat > 0.05
    assert warm.sum() > 40
    # Where the wheels were before: the car turns about a point beside its rear axle.
    been = []
    for gone in np.linspace(0.0, 42.0, 1401):
        angle = -gone * bend_per_m
        for x in (-BASE_M / 2, BASE_M / 2):
            for y in (-HALF_M, HALF_M):
                if bend_per_m:
                    middle = np.array([-BASE_M / 2, 1 / bend_per_m])
                    c, s = math.cos(angle), math.sin(angle)
                    been.append(middle + np.array([[c, -s], [s, c]]) @ (np.array([x, y]) - middle))
                else:
                    been.append(np.array([x - gone, y]))
    places = np.array(been)
    for point in _points(frame)[warm][:, :2]:
        assert np.hypot(*(places - point).T).min() < 0.25
    near, far = (heat[np.abs(_points(frame)[..., 0] - x) < 0.3].max() for x in (-2.0, -8.0))
    if not bend_per_m:
        assert near > 2 * far > 0.2


def test_who_stands_leaves_none() -> None:
    for speed in (0.0, None):
        frame, car = _seen(0.0, speed)
        heat = np.zeros((200, 200), np.float32)
        add_tyre_tracks(frame, [car], [12.0], heat)
        assert not heat.any()


def test_wheels_are_found_by_their_hubs() -> None:
    frame, car = _seen(0.1)
    wheels = wheels_of(frame, car)
    assert sorted((round(one.x_m, 3), round(one.y_m, 3)) for one in wheels) == [
        (-1.3, -0.75), (-1.3, 0.75), (1.3, -0.75), (1.3, 0.75)
    ]  # fmt: skip
    assert {round(one.steer_rad, 6) for one in wheels} == {0.0, round(math.atan(0.26), 6)}
