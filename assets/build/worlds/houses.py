"""Detached houses with garages, and low shops with flat roofs, in their own axes: x along the front, y into the lot.

The front looks to -y; the origin lies on the ground at the middle of the front.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.build.city.buildings import Hole, wall_with_holes
from assets.build.city.mesh import MeshBuilder, pose

__all__ = ["Villa", "build_shed", "build_shop", "build_villa", "draw_villa"]

Array = NDArray[np.float64]
Rng = np.random.Generator

WALLS = (
    "stucco_sand",
    "stucco_rose",
    "plaster_white",
    "plaster_cream",
    "siding_white",
    "siding_blue",
    "brick_red",
    "plaster_grey",
)
ROOFS = ("tiles_red", "shingle_grey", "shingle_brown", "tiles_dark")


@dataclass(frozen=True)
class Villa:
    """What a detached house looks like."""

    width_m: float
    depth_m: float
    storeys: int
    garage_m: float
    """Width of the garage at the front, 0 for none."""
    garage_out_m: float
    """How far it stands out."""
    garage_side: int
    """-1 at the house's low x, +1 at its high x."""
    wall: str
    roof: str
    hip: bool
    slope: float
    porch: bool

    @property
    def garage_x_m(self) -> float:
        """Middle of the garage door along the front."""
        return self.garage_side * (self.width_m / 2 - self.garage_m / 2)


def draw_villa(rng: Rng, width_m: float, side: int, two_storeys: float) -> Villa:
    """A house for a lot.

    Args:
        rng: decides.
        width_m: of the whole front.
        side: where the garage is.
        two_storeys: share of houses with an upper floor.
    """
    return Villa(
        width_m=width_m,
        depth_m=float(rng.uniform(9.0, 12.0)),
        storeys=2 if rng.random() < two_storeys else 1,
        garage_m=float(rng.choice([3.4, 5.8], p=[0.35, 0.65])),
        garage_out_m=float(rng.choice([0.0, 1.5, 4.5], p=[0.3, 0.35, 0.35])),
        garage_side=side,
        wall=str(rng.choice(WALLS)),
        roof=str(rng.choice(ROOFS)),
        hip=bool(rng.random() < 0.5),
        slope=float(rng.uniform(0.25, 0.5)),
        porch=bool(rng.random() < 0.4),
    )


def build_villa(house: Villa, rng: Rng) -> MeshBuilder:
    """Mesh of a house."""
    mesh = MeshBuilder()
    storey = 2.75
    garage_low, garage_high = house.garage_x_m - house.garage_m / 2, house.garage_x_m + house.garage_m / 2
    height = house.storeys * storey
    low, high = -house.width_m / 2, house.width_m / 2
    _block(mesh, (low, 0.0), (high, house.depth_m), height, house, rng, hidden=(garage_low, garage_high))
    _roof(mesh, (low, 0.0), (high, house.depth_m), height, house)
    if house.garage_out_m > 0.5:
        _garage(mesh, house, garage_low, garage_high)
    else:
        _garage_door(mesh, house.garage_x_m, -0.02, house.garage_m)
    if house.porch:
        _porch(
            mesh, house, low if house.garage_side > 0 else garage_high, garage_low if house.garage_side > 0 else high
        )
    if rng.random() < 0.5:
        x = float(rng.uniform(low + 2, high - 2))
        mesh.box(
            (x - 0.4, 0.55 * house.depth_m, height),
            (x + 0.4, 0.55 * house.depth_m + 0.7, height + 0.5 * house.slope * house.depth_m + 0.9),
            "brick_brown",
            skip="-z",
        )
    return mesh


def _windows(width_m: float, rng: Rng, spacing_m: float = 3.2) -> list[Hole]:
    """A row of windows of uneven widths in a wall."""
    count = max(1, int(width_m / spacing_m))
    cell = width_m / count
    holes: list[Hole] = []
    for k in range(count):
        half = min(0.42 * cell, float(rng.uniform(0.45, 1.1)))
        holes.append(((k + 0.5) * cell - half, (k + 0.5) * cell + half, "window"))
    return holes


def _block(
    mesh: MeshBuilder,
    low: tuple[float, float],
    high: tuple[float, float],
    height_m: float,
    house: Villa,
    rng: Rng,
    hidden: tuple[float, float],
) -> None:
    """Four walls with windows; the front has a door, and no windows where the garage is."""
    (x0, y0), (x1, y1) = low, high
    outer = mesh.matrix
    walls = (
        (x0, y0, 0.0, x1 - x0, True),
        (x1, y0, math.pi / 2, y1 - y0, False),
        (x1, y1, math.pi, x1 - x0, False),
        (x0, y1, -math.pi / 2, y1 - y0, False),
    )
    for x, y, yaw, width, front in walls:
        mesh.matrix = outer @ pose(x, y, 0.0, yaw)
        rows = []
        for storey in range(house.storeys):
            holes = _windows(width, rng) if yaw != math.pi else []
            if front and storey == 0:
                holes = [h for h in holes if x0 + h[1] < hidden[0] - 0.1 or x0 + h[0] > hidden[1] + 0.1]
            z = 2.75 * storey + 0.95
            if holes:
                rows.append((z, z + 1.25, holes))
        wall_with_holes(mesh, width, height_m, rows, house.wall)
    mesh.matrix = outer
    door = (hidden[1] + 1.0) if house.garage_side < 0 else (hidden[0] - 1.0)
    mesh.box((door - 0.5, -0.05, 0.05), (door + 0.5, 0.0, 2.1), "door", skip="+y")


def _roof(mesh: MeshBuilder, low: tuple[float, float], high: tuple[float, float], eaves_m: float, house: Villa) -> None:
    """Hipped roof, or two slopes with gables at the sides, over a block; its eaves stand out."""
    out = 0.5
    (x0, y0), (x1, y1) = (low[0] - out, low[1] - out), (high[0] + out, high[1] + out)
    z, half = eaves_m - house.slope * out, (y1 - y0) / 2
    ridge = z + house.slope * half
    inset = min(half, (x1 - x0) / 2 - 0.1) if house.hip else 0.0
    a, b, middle = x0 + inset, x1 - inset, (y0 + y1) / 2
    mesh.polygon(house.roof, (x0, y0, z), (x1, y0, z), (b, middle, ridge), (a, middle, ridge))
    mesh.polygon(house.roof, (x1, y1, z), (x0, y1, z), (a, middle, ridge), (b, middle, ridge))
    ends = house.roof if house.hip else house.wall
    inner0, inner1 = (x0, x1) if house.hip else (low[0], high[0])
    mesh.polygon(ends, (inner0, y1, z), (inner0, y0, z), (a if house.hip else inner0, middle, ridge))
    mesh.polygon(ends, (inner1, y0, z), (inner1, y1, z), (b if house.hip else inner1, middle, ridge))
    mesh.box((x0, y0, z - 0.16), (x1, y1, z), "trim", skip="+z")


def _garage_door(mesh: MeshBuilder, x_m: float, y_m: float, width_m: float) -> None:
    """Door of panels in a frame."""
    half = width_m / 2 - 0.35
    mesh.box((x_m - half - 0.12, y_m - 0.05, 0.0), (x_m + half + 0.12, y_m, 2.35), "trim", skip="+y-z")
    for k in range(4):
        low = 0.02 + 0.55 * k
        mesh.box((x_m - half, y_m - 0.09, low), (x_m + half, y_m - 0.05, low + 0.5), "steel", skip="+y")


def _garage(mesh: MeshBuilder, house: Villa, low_m: float, high_m: float) -> None:
    """Block in front of the house with its own gable."""
    y, height = -house.garage_out_m, 2.6
    mesh.polygon(house.wall, (low_m, 0, 0), (low_m, y, 0), (low_m, y, height), (low_m, 0, height))
    mesh.polygon(house.wall, (high_m, y, 0), (high_m, 0, 0), (high_m, 0, height), (high_m, y, height))
    mesh.polygon(house.wall, (low_m, y, 0), (high_m, y, 0), (high_m, y, height), (low_m, y, height))
    middle, out = (low_m + high_m) / 2, 0.35
    ridge = height + house.slope * (high_m - low_m) / 2
    z = height - house.slope * out
    mesh.polygon(house.wall, (low_m, y, height), (high_m, y, height), (middle, y, ridge))
    back = 0.3
    mesh.polygon(
        house.roof, (low_m - out, y - out, z), (middle, y - out, ridge), (middle, back, ridge), (low_m - out, back, z)
    )
    mesh.polygon(
        house.roof, (middle, y - out, ridge), (high_m + out, y - out, z), (high_m + out, back, z), (middle, back, ridge)
    )
    mesh.polygon(
        "trim",
        (low_m - out, y - out, z - 0.15),
        (middle, y - out, ridge - 0.15),
        (middle, y - out, ridge),
        (low_m - out, y - out, z),
    )
    mesh.polygon(
        "trim",
        (middle, y - out, ridge - 0.15),
        (high_m + out, y - out, z - 0.15),
        (high_m + out, y - out, z),
        (middle, y - out, ridge),
    )
    _garage_door(mesh, middle, y - 0.02, high_m - low_m)


def _porch(mesh: MeshBuilder, house: Villa, low_m: float, high_m: float) -> None:
    """Roof on posts in front of the door."""
    if high_m - low_m < 2.5:
        return
    mesh.box((low_m, -1.9, 0.0), (high_m, 0.0, 0.16), "concrete", skip="-z+y")
    for x in np.linspace(low_m + 0.15, high_m - 0.15, max(2, round((high_m - low_m) / 3.0) + 1)):
        mesh.box((x - 0.1, -1.85, 0.16), (x + 0.1, -1.65, 2.4), "trim", skip="-z+z")
    mesh.polygon(
        house.roof,
        (low_m - 0.2, -2.2, 2.4),
        (high_m + 0.2, -2.2, 2.4),
        (high_m + 0.2, 0.0, 2.75),
        (low_m - 0.2, 0.0, 2.75),
    )
    mesh.polygon(
        "trim", (low_m - 0.2, -2.2, 2.2), (high_m + 0.2, -2.2, 2.2), (high_m + 0.2, -2.2, 2.4), (low_m - 0.2, -2.2, 2.4)
    )


def build_shop(rng: Rng, width_m: float) -> MeshBuilder:
    """Shops of one or two floors with a parapet, glass to the ground, an awning or a colonnade, a sign."""
    mesh = MeshBuilder()
    depth, floors = float(rng.uniform(12.0, 20.0)), int(rng.choice([1, 2], p=[0.7, 0.3]))
    height, wall = 4.2 + 3.4 * (floors - 1), str(rng.choice([*WALLS, "concrete", "stone"]))
    count = max(2, round(width_m / float(rng.uniform(3.5, 6.0))))
    cell = width_m / count
    glass = rng.random() < 0.8
    ground: list[Hole] = [
        ((k + 0.12) * cell, (k + 0.88) * cell, "shop" if glass else "window")
        for k in range(count)
        if rng.random() < 0.85
    ]
    rows = [(0.25 if glass else 1.1, 2.9, ground)] if ground else []
    for k in range(1, floors):
        z = 4.2 + 3.4 * (k - 1) + 0.8
        rows.append((z, z + 1.5, [((i + 0.25) * cell, (i + 0.75) * cell, "window") for i in range(count)]))
    outer, low, high = mesh.matrix, -width_m / 2, width_m / 2
    for x, y, yaw, wide, holes in (
        (low, 0.0, 0.0, width_m, rows),
        (high, 0.0, math.pi / 2, depth, []),
        (high, depth, math.pi, width_m, []),
        (low, depth, -math.pi / 2, depth, []),
    ):
        mesh.matrix = outer @ pose(x, y, 0.0, yaw)
        wall_with_holes(mesh, wide, height + 0.8, holes, wall)
    mesh.matrix = outer
    mesh.polygon("gravel", (low, 0, height), (high, 0, height), (high, depth, height), (low, depth, height))
    mesh.box((low - 0.1, -0.12, height + 0.65), (high + 0.1, 0.0, height + 0.9), "trim", skip="+y")
    for _ in range(int(rng.integers(1, 4))):
        x, y = float(rng.uniform(low + 1.5, high - 1.5)), float(rng.uniform(2.0, depth - 2.0))
        mesh.box((x - 0.8, y - 0.8, height), (x + 0.8, y + 0.8, height + 1.3), "steel", skip="-z")
    if rng.random() < 0.55:
        cloth = str(rng.choice(["awning", "awning_green", "trim", "tiles_red"]))
        mesh.polygon(cloth, (low, -1.6, 2.95), (high, -1.6, 2.95), (high, 0.0, 3.4), (low, 0.0, 3.4))
        mesh.polygon(cloth, (low, -1.6, 2.7), (high, -1.6, 2.7), (high, -1.6, 2.95), (low, -1.6, 2.95))
    sign = 0.3 * width_m
    mesh.box((-sign / 2, -0.2, 3.45), (sign / 2, 0.0, 4.05), str(rng.choice(["sign", "sign_red", "lamp"])), skip="+y")
    return mesh


def build_shed(rng: Rng) -> MeshBuilder:
    """A shed or a kiosk: a box of two to four metres with a pent roof."""
    mesh = MeshBuilder()
    w, d, h = (float(rng.uniform(*ab)) for ab in ((2.0, 4.5), (1.8, 3.0), (2.0, 2.6)))
    wall = str(rng.choice(["wood", "siding_white", "steel", "block_wall"]))
    mesh.box((-w / 2, 0.0, 0.0), (w / 2, d, h), wall, skip="-z+z")
    mesh.polygon(
        "shingle_grey",
        (-w / 2 - 0.2, -0.25, h),
        (w / 2 + 0.2, -0.25, h),
        (w / 2 + 0.2, d + 0.2, h + 0.4),
        (-w / 2 - 0.2, d + 0.2, h + 0.4),
    )
    mesh.box((-0.45, -0.03, 0.05), (0.45, 0.0, 1.95), "door_green", skip="+y")
    return mesh
