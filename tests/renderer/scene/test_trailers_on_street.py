"""Trailers behind cars that drive: coupled, in the lane, touching nothing; what stood there stays."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.random_streams import Draw
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.road_users.trailers import trailers_on_street
from renderer.scene.street import Lane, Street

CAMERA = Camera("plain", 640, 512, 772.0, 772.0, 320.0, 256.0)
TRAILER = ModelSize("trailer_01", "trailer", 6.4, 2.3, 2.6)
SIZES = {"car": ModelSize("car", "car", 4.3, 1.8, 1.5), "bus": ModelSize("bus", "bus", 12.0, 2.5, 3.2)}
X = np.arange(-50.0, 150.0, 2.0)
OWN = Lane(np.column_stack([X, np.full(len(X), -1.6), np.zeros(len(X))]), 3.2)
ONCOMING = Lane(np.column_stack([X, np.full(len(X), 1.6), np.zeros(len(X))])[::-1], 3.2)
STREET = Street((OWN, ONCOMING), (), ())
CARS = [Placement(model, float(x), y, 0.0, yaw, "driving") for model, x, y, yaw in
        (("car", 16, -1.8, 0.0), ("car", 40, -1.5, 0.02), ("car", 47, -1.6, 0.0), ("car", 25, 1.6, math.pi),
         ("car", 60, 1.4, math.pi), ("bus", 85, 1.6, math.pi), ("car", 30, -4.6, 0.0))]  # fmt: skip
FREE = {1: 40, 3: 25, 4: 60}
"""Which have room: behind the first there is the camera, behind the third a car; the last is parked."""
SETUP = FrameSetup(0, tuple(CARS), camera_pose(0.0, -1.6, 1.5, 0.0, 0.0))


def rectangle(one: Placement) -> tuple[tuple[float, float], tuple[float, float], float]:
    size = SIZES.get(one.model, TRAILER)
    return (one.x_m, one.y_m), (size.length_m, size.width_m), math.degrees(one.yaw_rad)


def test_trailers_are_coupled_to_cars_that_drive() -> None:
    towing = set()
    for index in range(30):
        setup = trailers_on_street(SETUP, STREET, SIZES, [TRAILER], CAMERA, Draw(3, index), 2)
        assert setup == trailers_on_street(SETUP, STREET, SIZES, [TRAILER], CAMERA, Draw(3, index), 2)
        assert setup.placements[: len(CARS)] == tuple(CARS), "all that stood there stays"
        trailers = setup.placements[len(CARS) :]
        assert len(trailers) <= 2
        for one in trailers:
            assert one.profile == "trailer_towed"
            gaps = [math.hypot(one.x_m - car.x_m, one.y_m - car.y_m) - (4.3 + 6.4) / 2 for car in CARS]
            near = int(np.argmin(np.abs(gaps)))
            assert gaps[near] == pytest.approx(0.05, abs=0.05)
            car = CARS[near]
            assert math.cos(one.yaw_rad - car.yaw_rad) > 0.99
            assert (one.x_m - car.x_m) * math.cos(car.yaw_rad) < 0, "behind it"
            assert abs(one.y_m - car.y_m) < 0.3
            towing.add(near)
            for other in (*CARS, *(two for two in trailers if two is not one)):
                kind, _ = cv2.rotatedRectangleIntersection(rectangle(one), rectangle(other))
                assert kind == cv2.INTERSECT_NONE
    assert towing == set(FREE)


def test_there_is_none_where_none_is_asked_for_or_none_fits() -> None:
    assert trailers_on_street(SETUP, STREET, SIZES, [TRAILER], CAMERA, Draw(3, 0), 0) is SETUP
    assert trailers_on_street(SETUP, STREET, SIZES, [], CAMERA, Draw(3, 0), 1) is SETUP
    assert trailers_on_street(SETUP, Street((), (), ()), SIZES, [TRAILER], CAMERA, Draw(3, 0), 1) is SETUP
    angle = np.linspace(0.0, math.pi, 60)
    bend = Lane(np.column_stack([40 + 9 * np.sin(angle), 9 - 9 * np.cos(angle), np.zeros(60)]), 2.8)
    x, y, _, yaw = bend.line.pose(20.0, 2.6)
    there = FrameSetup(0, (Placement("car", x, y, 0.0, yaw, "driving"),), SETUP.cam_to_world)
    for index in range(5):
        setup = trailers_on_street(there, Street((bend,), (), ()), SIZES, [TRAILER], CAMERA, Draw(3, index), 1)
        assert setup.placements == there.placements
