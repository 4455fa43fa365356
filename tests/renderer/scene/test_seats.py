"""Places to sit, found on a bench whose measures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.scene.road_users.seats import FRONT_M, find_seats, is_bench
from renderer.scene.walkable import Ground, Kind

Array = NDArray[np.float64]
Corner = tuple[float, float, float]


def box(low: Corner, high: Corner) -> Array:
    """Triangles (12, 3, 3) of a box, seen from outside against the clock."""
    points = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    return points[[corners for a, b, c, d in quads for corners in ((a, b, c), (a, c, d))]]


def bench(*, back: bool = True, top_m: float = 0.47, roof: bool = False) -> Array:
    """1.8 m wide, of two boards with a gap, its back at +y."""
    parts = [box((-0.9, y, top_m - 0.04), (0.9, y + 0.2, top_m)) for y in (0.0, 0.22)]
    parts += [box((-0.7, 0.0, 0.0), (-0.6, 0.4, top_m - 0.04)), box((0.6, 0.0, 0.0), (0.7, 0.4, top_m - 0.04))]
    parts += [box((-0.9, 0.44, 0.6), (0.9, 0.48, 0.9))] * back + [box((-1.2, -0.5, 2.2), (1.2, 0.8, 2.3))] * roof
    return np.concatenate(parts)


def ground(kind: Kind = Kind.PAVEMENT, height_m: float = 0.0) -> Ground:
    return Ground((-10.0, -10.0), 0.25, np.full((80, 80), height_m, np.float32), np.full((80, 80), kind, np.uint8))


def pose(yaw_rad: float = 0.0, at: Corner = (0.0, 0.0, 0.0)) -> Array:
    turned, c, s = np.eye(4), math.cos(yaw_rad), math.sin(yaw_rad)
    turned[:2, :2], turned[:3, 3] = [[c, -s], [s, c]], at
    return turned


def stood(corners: Array, where: Array) -> tuple[Array, Array]:
    return corners @ where[:3, :3].T + where[:3, 3], where


@pytest.mark.parametrize("roof", [False, True])
def test_three_sit_side_by_side_and_look_away_from_the_back(roof: bool) -> None:
    seats = find_seats([stood(bench(roof=roof), pose())], ground())
    assert [round(one.x_m, 6) for one in seats] == [-0.6, 0.0, 0.6]
    assert {round(one.y_m, 6) for one in seats} == {FRONT_M}
    assert all(one.z_m == 0.0 and one.bench == 0 for one in seats)
    assert all(one.yaw_rad == pytest.approx(-math.pi / 2) for one in seats)


def test_seats_turn_with_their_bench() -> None:
    seats = find_seats([stood(bench(), pose(1.1, (2.0, -3.0, 0.15)))], ground(height_m=0.15))
    assert len(seats) == 3
    for one, along in zip(seats, (-0.6, 0.0, 0.6), strict=True):
        expected = np.array([2.0, -3.0]) + pose(1.1)[:2, :2] @ (along, FRONT_M)
        assert (one.x_m, one.y_m, one.z_m) == pytest.approx((*expected, 0.15))
        assert one.yaw_rad == pytest.approx(1.1 - math.pi / 2)


def test_nobody_sits_where_it_is_too_high_too_low_or_before_a_wall() -> None:
    for top_m in (0.38, 0.55, 0.9):
        assert not find_seats([stood(bench(top_m=top_m), pose())], ground())
    assert not find_seats([stood(bench(), pose())], ground(Kind.NONE))
    assert not find_seats([stood(bench(), pose())], ground(height_m=-0.2)), "feet would hang"
    wall = np.concatenate([bench(), box((-1.0, -0.4, 0.0), (1.0, -0.3, 2.0))])
    assert not find_seats([stood(wall, pose())], ground())
    assert find_seats([stood(bench(back=False), pose())], ground())


def test_names_tell_what_one_sits_on() -> None:
    assert all(map(is_bench, ("bench.003", "Park Bench", "shelter.0001", "Bus stop", "bus_stop.2")))
    assert not any(map(is_bench, ("workbenches", "car", "benchmark", "bin.004", "wall", "sheltered")))
