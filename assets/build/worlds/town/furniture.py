"""What stands on a town's pavements and squares besides what all streets have: parasols, kiosks, planters, fountains.

Each function builds one thing at the origin; x runs along the street, y points away from the lane. Cloths and sheets
are thin and have the zone of metal: they follow the air and mirror the sky.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import MeshBuilder
from assets.build.city.plants import LOW_LEAVES, on_balls, sprays

__all__ = ["town_makers"]

Array = NDArray[np.float64]


def town_makers() -> dict[str, Callable[[], MeshBuilder]]:
    """Makers of all things, by name."""
    return {name: partial(_made, make) for name, make in _THINGS.items()}


def _made(make: Callable[[MeshBuilder], None]) -> MeshBuilder:
    mesh = MeshBuilder()
    make(mesh)
    return mesh


def _ring(radius_m: float, z_m: float, sides: int) -> Array:
    angle = np.arange(sides) * 2 * math.pi / sides
    return np.column_stack([radius_m * np.cos(angle), radius_m * np.sin(angle), np.full(sides, z_m)])


def _parasol(cloth: str) -> Callable[[MeshBuilder], None]:
    """A parasol of 3 m over a table with chairs on one side; whoever talks to those who sit stands on the other."""

    def make(mesh: MeshBuilder) -> None:
        mesh.tube([(0, 0, 0), (0, 0, 2.75)], [0.03, 0.03], 6, "steel_dark", caps=False)
        mesh.loft([_ring(1.5, 2.25, 8), _ring(0.06, 2.85, 8)], cloth, caps=False)
        mesh.loft([_ring(1.5, 2.08, 8), _ring(1.5, 2.25, 8)], cloth, caps=False)
        _table(mesh)

    return make


def _table(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 0.7)], [0.2, 0.04], 6, "steel_dark", caps=False)
    mesh.tube([(0, 0, 0.7), (0, 0, 0.74)], [0.45, 0.45], 10, "wood")
    for x, y in ((-0.75, 0.25), (0.7, 0.35)):
        _chair(mesh, x, y)


def _chair(mesh: MeshBuilder, x_m: float, y_m: float) -> None:
    back = math.copysign(0.2, x_m)
    mesh.box((x_m - 0.21, y_m - 0.21, 0.42), (x_m + 0.21, y_m + 0.21, 0.46), "wood")
    mesh.box((x_m + back - 0.02, y_m - 0.2, 0.46), (x_m + back + 0.02, y_m + 0.2, 0.88), "wood", skip="-z")
    for dx in (-0.19, 0.19):
        for dy in (-0.19, 0.19):
            x, y = x_m + dx, y_m + dy
            mesh.box((x - 0.015, y - 0.015, 0), (x + 0.015, y + 0.015, 0.42), "steel_dark", skip="-z+z")


def _grate(mesh: MeshBuilder) -> None:
    """Cast iron round the foot of a tree, in a frame of stone."""
    mesh.box((-0.8, -0.8, 0.0), (0.8, 0.8, 0.015), "kerb", skip="-z")
    mesh.polygon("steel_dark", (-0.7, -0.7, 0.02), (0.7, -0.7, 0.02), (0.7, 0.7, 0.02), (-0.7, 0.7, 0.02))
    mesh.polygon("earth", (-0.3, -0.3, 0.025), (0.3, -0.3, 0.025), (0.3, 0.3, 0.025), (-0.3, 0.3, 0.025))


def _chained(mesh: MeshBuilder) -> None:
    """Stout bollards along x, 2 m apart, with chains that hang between them."""
    for x in (-2.0, 0.0, 2.0):
        radii = [0.14, 0.14, 0.17, 0.17, 0.12]
        mesh.tube([(x, 0, 0), (x, 0, 0.8), (x, 0, 0.81), (x, 0, 0.9), (x, 0, 1.0)], radii, 8, "concrete")
    for x in (-2.0, 0.0):
        t = np.linspace(0.0, 1.0, 7)
        chain = np.column_stack([x + 0.14 + 1.72 * t, np.zeros(7), 0.72 - 0.9 * t * (1 - t)])
        mesh.tube(chain, [0.025] * 7, 4, "steel_dark", caps=False)


def _globe_lamp(mesh: MeshBuilder) -> None:
    """A cast post of 4 m with a globe."""
    path = [(0, 0, z) for z in (0, 0.5, 0.55, 3.7, 3.8)]
    mesh.tube(path, [0.22, 0.18, 0.1, 0.07, 0.16], 8, "steel_dark")
    mesh.blob((0, 0, 4.08), (0.27, 0.27, 0.3), "lamp", rings=5, sides=9)
    mesh.tube([(0, 0, 4.36), (0, 0, 4.5)], [0.09, 0.01], 6, "steel_dark")


def _banner_lamp(mesh: MeshBuilder) -> None:
    """The same with two globes and a banner."""
    mesh.tube([(0, 0, z) for z in (0, 0.5, 0.55, 4.6)], [0.22, 0.18, 0.11, 0.07], 8, "steel_dark")
    mesh.box((-0.03, -0.75, 4.3), (0.03, 0.75, 4.36), "steel_dark")
    for y in (-0.75, 0.75):
        mesh.blob((0, y, 4.62), (0.24, 0.24, 0.27), "lamp", rings=5, sides=8)
    mesh.box((-0.02, -0.7, 2.7), (0.02, -0.1, 4.15), "canopy_red")


def _notice_box(mesh: MeshBuilder) -> None:
    """A glazed case for notices on two posts below a small roof."""
    for y in (-0.75, 0.75):
        mesh.box((-0.05, y - 0.05, 0.0), (0.05, y + 0.05, 2.1), "wood", skip="-z")
    mesh.box((-0.09, -0.85, 0.95), (0.09, 0.85, 1.95), "wood")
    mesh.polygon("sign_face", (-0.1, 0.78, 1.02), (-0.1, -0.78, 1.02), (-0.1, -0.78, 1.88), (-0.1, 0.78, 1.88))
    mesh.box((-0.28, -1.0, 2.1), (0.28, 1.0, 2.16), "canopy")


def _sign_on_posts(mesh: MeshBuilder) -> None:
    """A board of 2.4 m on two posts, such as shows the way to car parks."""
    for y in (-0.9, 0.9):
        mesh.tube([(0, y, 0), (0, y, 2.9)], [0.04, 0.04], 6, "steel")
    mesh.box((-0.07, -1.2, 1.5), (-0.04, 1.2, 2.8), "sign_blue")


def _kiosk(mesh: MeshBuilder) -> None:
    """Newspapers or ice: a box with a lit hatch to the street below a roof that stands out."""
    mesh.box((-1.5, -0.9, 0.0), (1.5, 0.9, 0.95), "steel_green", skip="-z+z")
    for x in (-1.45, 1.45):
        mesh.box((x - 0.05, -0.9, 0.95), (x + 0.05, 0.9, 2.4), "steel_green", skip="-z+z")
    mesh.box((-1.4, 0.8, 0.95), (1.4, 0.9, 2.4), "steel_green", skip="-z+z")
    mesh.box((-1.5, -1.15, 0.9), (1.5, -0.85, 0.98), "wood")
    mesh.polygon("glass_shop", (-1.4, -0.8, 0.98), (1.4, -0.8, 0.98), (1.4, -0.8, 2.35), (-1.4, -0.8, 2.35))
    mesh.box((-0.6, -0.84, 2.2), (0.6, -0.81, 2.32), "lamp")
    mesh.box((-1.9, -1.6, 2.4), (1.9, 1.2, 2.52), "canopy")
    mesh.box((-1.2, -1.2, 2.52), (1.2, -1.12, 2.95), "sign_face", skip="-z")


def _news_racks(mesh: MeshBuilder) -> None:
    for k, colour in enumerate(("plastic_blue", "sign_stop", "steel_yellow", "plastic_grey")):
        x = 0.55 * k - 0.8
        mesh.box((x - 0.23, -0.2, 0.15), (x + 0.23, 0.2, 1.15), colour)
        mesh.box((x - 0.05, -0.05, 0.0), (x + 0.05, 0.05, 0.15), "steel_dark", skip="-z+z")


def _bicycle_stands(mesh: MeshBuilder) -> None:
    """Five hoops of steel across the pavement; bicycles are placed as objects of their own."""
    for x in np.arange(-1.6, 1.7, 0.8):
        hoop = [(x, -0.35, 0.0), (x, -0.35, 0.7), (x, -0.2, 0.8), (x, 0.2, 0.8), (x, 0.35, 0.7), (x, 0.35, 0.0)]
        mesh.tube(hoop, [0.025] * 6, 5, "steel", caps=False)


def _sandwich_board(mesh: MeshBuilder) -> None:
    for sign in (-1.0, 1.0):
        foot = [(0.3 * sign, -0.32, 0.05), (0.3 * sign, 0.32, 0.05), (0.02, 0.32, 1.1), (0.02, -0.32, 1.1)]
        mesh.add(foot, [(0, 1, 2, 3)], "wood")


def _plinth(mesh: MeshBuilder) -> None:
    """A raised bed of stone, 3 m long, with clipped balls and an agave's worth of earth."""
    mesh.box((-1.5, -0.5, 0.0), (1.5, 0.5, 0.55), "stone", skip="-z+z")
    for low, high in (((-1.55, -0.55), (1.55, -0.38)), ((-1.55, 0.38), (1.55, 0.55)), ((-1.55, -0.38), (-1.38, 0.38)),
                      ((1.38, -0.38), (1.55, 0.38))):  # fmt: skip
        mesh.box((*low, 0.55), (*high, 0.63), "trim", skip="-z")
    mesh.polygon("earth", (-1.4, -0.4, 0.5), (1.4, -0.4, 0.5), (1.4, 0.4, 0.5), (-1.4, 0.4, 0.5))
    for x in (-0.95, 0.0, 0.95):
        _ball(mesh, (x, 0.0, 0.85), 0.42, 26)


def _ball(mesh: MeshBuilder, centre: tuple[float, float, float], radius_m: float, leaves: int) -> None:
    """A bush clipped round."""
    rng = np.random.default_rng([41, leaves, int(100 * centre[0] + 500)])
    mesh.blob(centre, (0.93 * radius_m,) * 3, "leaves_dark", rings=6, sides=10)
    places, normals = on_balls(np.tile(centre, (leaves, 1)), np.full(leaves, 0.97 * radius_m), rng)
    across = normals + 0.25 * rng.normal(size=normals.shape)
    sprays(mesh, places, across, rng.uniform(0.2, 0.35, leaves), rng, LOW_LEAVES)


def _clipped(radius_m: float) -> Callable[[MeshBuilder], None]:
    """A clipped bush on the ground, rounder than it is high."""
    return lambda mesh: _ball(mesh, (0.0, 0.0, 0.8 * radius_m), radius_m, int(90 * radius_m))


def _standard(mesh: MeshBuilder) -> None:
    """A bay tree clipped to a ball on a stem, in a tub."""
    mesh.tube([(0, 0, 0), (0, 0, 0.5)], [0.26, 0.34], 8, "concrete")
    mesh.tube([(0, 0, 0.5), (0, 0, 1.2)], [0.04, 0.035], 5, "bark", caps=False)
    _ball(mesh, (0.0, 0.0, 1.55), 0.46, 50)


def _cube(mesh: MeshBuilder) -> None:
    """Box clipped to a cube, a metre high."""
    rng = np.random.default_rng(43)
    mesh.box((-0.6, -0.4, 0.0), (0.6, 0.4, 0.95), "leaves_dark", skip="-z")
    sides = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)], dtype=np.float64)
    normals = sides[rng.integers(5, size=40)]
    places = rng.uniform([-0.6, -0.4, 0.1], [0.6, 0.4, 0.95], (40, 3))
    places = np.where(normals != 0.0, normals * [0.61, 0.41, 0.96], places)
    across = normals + 0.2 * rng.normal(size=normals.shape)
    sprays(mesh, places, across, rng.uniform(0.22, 0.35, 40), rng, LOW_LEAVES)


def _fountain(mesh: MeshBuilder) -> None:
    """Three steps, a basin of eight sides, a column with a bowl."""
    for radius, low, high in ((2.7, 0.0, 0.17), (2.3, 0.17, 0.34)):
        mesh.loft([_ring(radius, low, 8), _ring(radius, high, 8)], "stone")
    wall = [_ring(1.9, 0.34, 8), _ring(1.9, 0.85, 8), _ring(1.65, 0.85, 8), _ring(1.65, 0.6, 8)]
    mesh.loft(wall, "stone", caps=False)
    mesh.add(_ring(1.66, 0.7, 8), [range(8)], "water")
    mesh.tube([(0, 0, z) for z in (0.5, 0.75, 1.5, 1.6)], [0.35, 0.2, 0.17, 0.25], 8, "stone")
    mesh.loft([_ring(0.2, 1.6, 10), _ring(0.75, 1.85, 10), _ring(0.78, 1.92, 10)], "stone", caps=False)
    mesh.add(_ring(0.75, 1.88, 10), [range(10)], "water")
    mesh.tube([(0, 0, 1.88), (0, 0, 2.4)], [0.1, 0.08], 7, "stone")
    mesh.blob((0, 0, 2.5), (0.16, 0.16, 0.18), "stone", rings=4, sides=7)


def _monument(mesh: MeshBuilder) -> None:
    """A block of stone on two steps: an inscription, or the sign of a square."""
    mesh.box((-1.5, -1.0, 0.0), (1.5, 1.0, 0.16), "stone", skip="-z")
    mesh.box((-1.1, -0.7, 0.16), (1.1, 0.7, 0.32), "stone", skip="-z")
    mesh.box((-0.7, -0.4, 0.32), (0.7, 0.4, 2.1), "rock", skip="-z")
    mesh.box((-0.5, -0.43, 1.0), (0.5, -0.4, 1.7), "steel_dark", skip="+y")


def _parking_meter(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 1.1)], [0.03, 0.03], 6, "steel")
    mesh.box((-0.09, -0.07, 1.1), (0.09, 0.07, 1.42), "steel_dark")


_THINGS: dict[str, Callable[[MeshBuilder], None]] = {
    "parasol.dark": _parasol("canopy"),
    "parasol.red": _parasol("canopy_red"),
    "parasol.light": _parasol("canopy_light"),
    "table": _table,
    "grate": _grate,
    "chained": _chained,
    "globe_lamp": _globe_lamp,
    "banner_lamp": _banner_lamp,
    "notice_box": _notice_box,
    "sign_on_posts": _sign_on_posts,
    "kiosk": _kiosk,
    "news_racks": _news_racks,
    "bicycle_stands": _bicycle_stands,
    "sandwich_board": _sandwich_board,
    "plinth": _plinth,
    "clipped.0": _clipped(0.55),
    "clipped.1": _clipped(0.8),
    "clipped.2": _clipped(1.1),
    "standard": _standard,
    "cube": _cube,
    "fountain": _fountain,
    "monument": _monument,
    "parking_meter": _parking_meter,
}
