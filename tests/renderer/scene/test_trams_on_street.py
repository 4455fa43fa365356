"""Trams in lanes: they overlap nothing, cars that drive where they run are left out, parked ones stay."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.random_streams import Draw
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.road_users.trams import trams_on_street
from renderer.scene.street import Lane, Street

CAMERA = Camera("plain", 640, 512, 772.0, 772.0, 320.0, 256.0)
TRAM = ModelSize("tram_01", "tram", 27.0, 2.3, 4.5)
CAR = ModelSize("car", "car", 4.3, 1.8, 1.5)
SIZES = {"car": CAR}
X = np.arange(-50.0, 150.0, 2.0)
OWN = Lane(np.column_stack([X, np.full(len(X), -1.6), np.zeros(len(X))]), 3.2)
ONCOMING = Lane(np.column_stack([X, np.full(len(X), 1.6), np.zeros(len(X))])[::-1], 3.2)
DRIVING = [Placement("car", float(x), y, 0.0, yaw, "driving") for x, y, yaw in
           ((20, -1.6, 0.0), (45, -1.6, 0.0), (25, 1.6, math.pi), (60, 1.6, math.pi))]  # fmt: skip
PARKED = [Placement("car", float(x), y, 0.0, 0.0, "cold_soaked") for x in (12, 30, 50) for y in (-4.4, 4.4)]
SETUP = FrameSetup(0, (*DRIVING, *PARKED), camera_pose(0.0, -1.6, 1.5, 0.0, 0.0))


def placed(index: int, street: Street, most: int = 1) -> FrameSetup:
    return trams_on_street(SETUP, street, SIZES, [TRAM], CAMERA, Draw(3, index), most)


def rectangle(one: Placement) -> tuple[tuple[float, float], tuple[float, float], float]:
    size = TRAM if one.model == "tram_01" else CAR
    return (one.x_m, one.y_m), (size.length_m, size.width_m), math.degrees(one.yaw_rad)


def test_a_tram_runs_in_its_lane_and_overlaps_nothing() -> None:
    street, seen, left_out = Street((OWN, ONCOMING), (), ()), 0, 0
    for index in range(40):
        setup = placed(index, street, most=2)
        assert placed(index, street, most=2).placements == setup.placements
        trams = [one for one in setup.placements if one.model == "tram_01"]
        cars = [one for one in setup.placements if one.model == "car"]
        assert [one for one in cars if one in PARKED] == PARKED, "what is parked stays"
        assert setup.placements == (*cars, *trams)
        left_out += len(SETUP.placements) - len(cars)
        for tram in trams:
            seen += 1
            heading = 0.0 if tram.y_m < 0 else math.pi
            assert math.cos(tram.yaw_rad - heading) > 0.999
            assert abs(abs(tram.y_m) - 1.6) < 0.05
            for car in [*cars, *(other for other in trams if other is not tram)]:
                kind, _ = cv2.rotatedRectangleIntersection(rectangle(tram), rectangle(car))
                assert kind == cv2.INTERSECT_NONE
            if tram.y_m < 0:
                assert tram.x_m - TRAM.length_m / 2 >= 11.0 or tram.x_m + TRAM.length_m / 2 < 0
    assert seen >= 30
    assert left_out >= 10, "cars give way"


def test_there_is_none_where_none_is_asked_for_or_none_fits() -> None:
    street = Street((OWN, ONCOMING), (), ())
    assert placed(0, street, most=0) is SETUP
    assert placed(0, Street((), (), ())) is SETUP
    narrow = Street((Lane(OWN.points_m, 2.0),), (), ())
    angle = np.linspace(0.0, math.pi, 60)
    bend = Lane(np.column_stack([20 + 18 * np.sin(angle), 18 - 18 * np.cos(angle), np.zeros(60)]), 3.2)
    for index in range(10):
        for other in (narrow, Street((bend,), (), ())):
            assert placed(index, other).placements == SETUP.placements


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_than_are_asked_for(most: int) -> None:
    counts = [sum(one.model == "tram_01" for one in placed(k, Street((OWN, ONCOMING), (), ()), most).placements)
              for k in range(30)]  # fmt: skip
    assert max(counts) == most
