"""Mirrors against pictures of which every mirrored level is known."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from insertion_scenes import COLUMNS, HORIZON, ROWS, SIZE, parked
from thermal_scenes import pose

from renderer.errors import ThermalError
from renderer.geometry.frame import Frame
from renderer.insertion.mirror import GREY_SHARES, Surroundings
from renderer.zones.catalogue import Zone

SKY, AIR, ROAD = 20.0, 120.0, 220.0
CENTRE = (HORIZON, SIZE[1] // 2)
WAIST_M = 0.8
"""There panels are upright."""


def tilted(normal: tuple[float, float, float]) -> Frame:
    """A car whose normals all are alike, seen by a level camera at the height of its waist."""
    unit = np.asarray(normal) / np.linalg.norm(normal)
    normals = np.broadcast_to(unit.astype(np.float32), (*SIZE, 3)).copy()
    return dataclasses.replace(parked(), normal=normals, cam_to_world=pose(0.0, WAIST_M))


def banded() -> np.ndarray:
    """Sky, a band of air about the horizon, and road."""
    picture = np.full(SIZE, AIR, np.float32)
    picture[: HORIZON - 30] = SKY
    picture[HORIZON + 30 :] = ROAD
    return picture


def share(value: float) -> np.ndarray:
    return np.full(SIZE, value, np.float32)


@pytest.mark.parametrize("colour", [0.0, 90.0, 271.5])
@pytest.mark.parametrize("detail_only", [True, False])
def test_the_mirror_of_one_colour_is_that_colour(colour: float, detail_only: bool) -> None:
    around = Surroundings(np.full(SIZE, colour, np.float32), parked())
    mirrored = around.mirrored(parked(), share(0.6), detail_only=detail_only)
    np.testing.assert_allclose(around.horizon + mirrored, colour, atol=1e-3)


@pytest.mark.parametrize(("tilt_deg", "level"), [(20.0, SKY), (-20.0, ROAD)])
def test_what_looks_up_mirrors_the_sky_and_what_looks_down_the_road(tilt_deg: float, level: float) -> None:
    tilt = math.radians(tilt_deg)
    frame = tilted((-math.cos(tilt), 0.0, math.sin(tilt)))
    mirrored = Surroundings(banded(), frame).mirrored(frame, share(0.42))
    assert mirrored[CENTRE] == pytest.approx(0.42 * (level - AIR), abs=0.1)


def test_panels_are_bowed_about_the_waist() -> None:
    frame = tilted((-1.0, 0.0, 0.0))
    mirrored = Surroundings(banded(), frame).mirrored(frame, share(0.42))
    assert mirrored[CENTRE] == pytest.approx(0.0, abs=0.1), "upright at the waist: the horizon"
    assert mirrored[HORIZON - 30, 150] == pytest.approx(0.42 * (SKY - AIR), rel=0.05)
    assert mirrored[HORIZON + 35, 150] == pytest.approx(0.42 * (ROAD - AIR), rel=0.05)


def test_at_grazing_incidence_more_is_mirrored() -> None:
    frame = tilted((-0.185, 0.0, math.sqrt(1.0 - 0.185**2)))
    mirrored = Surroundings(banded(), frame).mirrored(frame, share(0.42))
    # The fifth power of 1 - cos is beyond the limit of 0.35.
    assert mirrored[CENTRE] == pytest.approx((0.42 + 0.58 * 0.35) * (SKY - AIR), rel=0.01)


def test_a_picture_turned_left_to_right_is_mirrored_left_to_right() -> None:
    slope = np.broadcast_to(np.linspace(0.0, 200.0, SIZE[1], dtype=np.float32), SIZE).copy()
    left, right = tilted((-0.8, 0.5, 0.1)), tilted((-0.8, -0.5, 0.1))
    one = Surroundings(slope, left).mirrored(left, share(0.42))
    other = Surroundings(slope[:, ::-1].copy(), right).mirrored(right, share(0.42))[:, ::-1]
    assert np.ptp(one[ROWS, COLUMNS]) > 10
    np.testing.assert_allclose(one[ROWS, COLUMNS], other[ROWS, COLUMNS], atol=1.5)


def test_rows_that_are_alike_have_no_detail() -> None:
    frame = tilted((-0.9, 0.3, 0.2))
    assert np.abs(Surroundings(banded(), frame).mirrored(frame, share(0.1), detail_only=True)).max() < 1e-3


def test_only_cars_and_only_what_is_shiny_mirrors() -> None:
    frame = tilted((-0.9, 0.0, 0.4))
    mirrored = Surroundings(banded(), frame).mirrored(frame, GREY_SHARES[frame.zone])
    assert not mirrored[frame.instance_id == 0].any()
    rough = dataclasses.replace(frame, zone=np.full(SIZE, Zone.TYRE, np.uint8))
    assert not Surroundings(banded(), rough).mirrored(rough, GREY_SHARES[rough.zone]).any()
    glass, body = mirrored[75, 150] / mirrored[CENTRE], GREY_SHARES[Zone.GLASS] / GREY_SHARES[Zone.BODY]
    assert glass == pytest.approx(body, rel=0.05)


def test_mirrors_need_normals() -> None:
    frame = dataclasses.replace(parked(), normal=None)
    with pytest.raises(ThermalError, match="normals=True"):
        Surroundings(banded(), frame).mirrored(frame, share(0.4))
