"""Cars among what else a model file holds: floors, backdrops, figures, other cars."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.scene.model_parts import APART, STAGE, Shape, divide, has_car_shape, shape_of, straightened

Mesh = NDArray[np.float64]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def quads(corners: Mesh) -> Mesh:
    """(2 N, 3, 3) triangles of (N, 4, 3) quads."""
    return np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])


def box(centre: tuple[float, float, float], size: tuple[float, float, float]) -> Mesh:
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * size + centre
    return quads(corners[FACES])


def plane(x: tuple[float, float], y: tuple[float, float], z: float) -> Mesh:
    return quads(np.array([[(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)]]))


def car(x: float = 0.0, y: float = 0.0) -> list[Mesh]:
    """A body, a cabin and four wheels, 4.2 m long."""
    wheels = [box((x + a, y + b, 0.35), (0.7, 0.2, 0.7)) for a in (-1.3, 1.3) for b in (-0.85, 0.85)]
    return [box((x, y, 0.8), (4.2, 1.8, 0.8)), box((x - 0.3, y, 1.35), (2.0, 1.6, 0.5)), *wheels]


def disc(radius: float, low: float, high: float) -> Mesh:
    turn = np.linspace(0, 2 * np.pi, 49)
    rim = radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    a, b = rim[:-1], rim[1:]
    lids = [np.stack([np.full((48, 3), (0, 0, z)), np.c_[a, np.full(48, z)], np.c_[b, np.full(48, z)]], 1)
            for z in (low, high)]  # fmt: skip
    wall = np.stack([np.c_[a, np.full(48, low)], np.c_[b, np.full(48, low)], np.c_[b, np.full(48, high)],
                     np.c_[a, np.full(48, high)]], 1)  # fmt: skip
    return np.concatenate([*lids, quads(wall)])


def cyclorama(width: float, depth: float, height: float, radius: float = 1.0) -> Mesh:
    """A floor that bends up into a wall."""
    bend = np.linspace(0, np.pi / 2, 12)
    y = np.concatenate([[-depth / 2], depth / 2 - radius + radius * np.sin(bend), [depth / 2]])
    z = np.concatenate([[0.0], radius - radius * np.cos(bend), [height]])
    left, right = (np.stack([np.full(14, side), y, z], -1) for side in (-width / 2, width / 2))
    return quads(np.stack([left[:-1], right[:-1], right[1:], left[1:]], axis=1))


def dome(radius: float) -> Mesh:
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0, np.pi, 13), indexing="ij")
    points = radius * np.stack([np.cos(around) * np.sin(down), np.sin(around) * np.sin(down), np.cos(down)], -1)
    return quads(
        np.stack([points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]], axis=2).reshape(-1, 4, 3)
    )


def turned(meshes: list[Mesh], degrees: float) -> list[Mesh]:
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return [mesh @ matrix.T for mesh in meshes]


PERSON = [box((0.0, 1.5, 0.9), (0.5, 0.3, 1.8))]
FLOOR = [plane((-30, 30), (-30, 30), 0.0)]
APART_WHEELS = [
    box((0, 0, 0.9), (4.2, 1.5, 0.8)), box((-0.3, 0, 1.4), (2.0, 1.4, 0.4)),
    *(box((a, b, 0.35), (0.6, 0.2, 0.7)) for a in (-1.3, 1.3) for b in (-1.0, 1.0)),
]  # fmt: skip

SCENES: dict[str, tuple[list[list[Mesh]], list[Mesh]]] = {
    "alone": ([car()], []),
    "on a floor of 60 m": ([car()], FLOOR),
    "on a floor little larger than itself": ([car()], [plane((-3, 3), (-1.5, 1.5), 0.0)]),
    "on a painted shadow": ([car()], [plane((-2, 2), (-0.85, 0.85), 0.01)]),
    "cut by a large plate": ([car()], [plane((-4, 5), (-3, 5), 0.5)]),
    "on a turntable": ([car()], [disc(2.6, -0.2, 0.0)]),
    "on a thick turntable": ([car()], [disc(3.0, -0.5, 0.0)]),
    "before a cyclorama": ([car()], [cyclorama(10, 8, 5)]),
    "in a narrow cyclorama": ([car()], [cyclorama(6, 5, 3)]),
    "under a dome, on a floor": ([car()], [dome(50), plane((-50, 50), (-50, 50), 0.0)]),
    "in a room": ([car()], [box((0, 0, 2.5), (14, 10, 5))]),
    "with a person": ([car()], PERSON),
    "with a person on a floor": ([car()], PERSON + FLOOR),
    "under cards of light": ([car()], [plane((-3, 3), (-1.5, 1.5), 4.0), plane((-1, 1), (-1, 1), 6.0)]),
    "far above a huge plane": ([car()], [plane((-800, 800), (-500, 500), -6.0)]),
    "with a lamp far away": ([car()], [box((40, 0, 5), (0.5, 0.5, 0.5)), *PERSON]),
    "askew on a floor": ([turned(car(), 30)], FLOOR),
    "in centimetres": ([[100 * mesh for mesh in car()]], [100 * mesh for mesh in FLOOR]),
    "two, 0.5 m apart": ([car(), car(0, 2.45)], []),
    "two on a floor": ([car(), car(0, 2.45)], FLOOR),
    "five in a row": ([car(0, 2.45 * k) for k in range(5)], []),
    "a car park": ([car(4.7 * column, 2.45 * row) for column in range(2) for row in range(3)], FLOOR),
    "wheels that touch nothing": ([APART_WHEELS], []),
    "with a light bar": ([[*car(), box((-0.3, 0, 1.75), (0.4, 1.2, 0.2))]], []),
    "seats within its body": ([[box((0, 0, 0.9), (4.2, 1.8, 1.2)), box((0, 0, 0.75), (2.0, 1.2, 0.8))]], []),
}


@pytest.mark.parametrize("one_object", [False, True], ids=["objects", "one mesh"])
@pytest.mark.parametrize("scene", SCENES)
def test_the_cars_and_nothing_else(scene: str, one_object: bool) -> None:
    cars, others = SCENES[scene]
    meshes = [mesh for parts in cars for mesh in parts] + others
    owner = np.repeat(np.arange(len(meshes)), [len(mesh) for mesh in meshes])
    division = divide(np.concatenate(meshes), owner * 0 if one_object else owner)
    found = [set(division.group[owner == number].tolist()) for number in range(len(meshes))]
    assert division.cars == len(cars)
    start = 0
    numbers = []
    for parts in cars:
        of_car = set.union(*found[start : start + len(parts)])
        assert len(of_car) == 1, f"a car fell apart: {of_car}"
        numbers += list(of_car)
        start += len(parts)
    assert sorted(numbers) == list(range(len(cars)))
    assert all(groups <= {STAGE, APART} for groups in found[start:])


def test_what_it_stands_on_is_told_from_what_is_beside_it() -> None:
    meshes = [*car(), *FLOOR, *PERSON]
    owner = np.repeat(np.arange(len(meshes)), [len(mesh) for mesh in meshes])
    group = divide(np.concatenate(meshes), owner).group
    assert set(group[owner == 6].tolist()) == {STAGE}
    assert set(group[owner == 7].tolist()) == {APART}


def test_triangles_that_share_no_corners_are_one_car() -> None:
    """As .stl files have them, and every flat-shaded .glb."""
    mesh = np.concatenate(car())
    assert divide(mesh + 0.0, np.zeros(len(mesh), np.int64)).cars == 1


@pytest.mark.parametrize("thing", [FLOOR, [disc(3, 0, 0.1)], [box((0, 0, 0), (1, 1, 1))], [dome(3)]])
def test_what_is_no_car(thing: list[Mesh]) -> None:
    mesh = np.concatenate(thing)
    division = divide(mesh, np.zeros(len(mesh), np.int64))
    assert division.cars == 0
    assert set(division.group.tolist()) == {APART}


# Length, width without mirrors and height of real vehicles, metres, from their makers' sheets.
REAL = {
    "Smart Fortwo": (2.695, 1.663, 1.555),
    "Mini Cooper": (3.863, 1.744, 1.432),
    "Golf VIII": (4.284, 1.789, 1.456),
    "Lamborghini Aventador": (4.780, 2.030, 1.136),
    "F1 2022": (5.63, 2.0, 0.95),
    "Lincoln Navigator L": (5.64, 2.03, 1.94),
    "Sprinter long and high": (7.367, 2.020, 2.830),
    "Citaro": (12.135, 2.55, 3.12),
    "double-decker": (10.9, 2.55, 4.3),
    "articulated lorry": (16.5, 2.55, 4.0),
    "road train": (18.75, 2.55, 4.0),
}


@pytest.mark.parametrize("name", REAL)
def test_real_vehicles_have_a_car_s_shape(name: str) -> None:
    assert has_car_shape(Shape(*REAL[name]))


@pytest.mark.parametrize("degrees", [0.0, 3.0, 30.0, 45.0, 80.0])
def test_shape_and_straightening_of_what_stands_askew(degrees: float) -> None:
    points = np.concatenate(turned([box((3, 2, 0.7), (4.2, 1.8, 1.4))], degrees)).reshape(-1, 3)
    shape = shape_of(points)
    np.testing.assert_allclose((shape.length, shape.width, shape.height), (4.2, 1.8, 1.4), atol=0.06)
    extent = np.sort(np.ptp(points @ straightened(points).T, axis=0))
    if degrees > 10:
        np.testing.assert_allclose(extent, (1.4, 1.8, 4.2), atol=0.03)
    if degrees == 0:
        np.testing.assert_array_equal(straightened(points), np.eye(3))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e20])
def test_damaged_triangles_are_no_part_of_a_car(value: float) -> None:
    mesh = np.concatenate([*car(), np.full((2, 3, 3), value)])
    division = divide(mesh, np.zeros(len(mesh), np.int64))
    assert division.cars == 1
    assert division.group.tolist() == [0] * (len(mesh) - 2) + [APART] * 2
