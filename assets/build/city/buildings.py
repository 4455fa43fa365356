"""Houses: fronts with recessed windows, doors, shops and balconies, roofs with chimneys and dormers.

A house is built in its own axes: x along the front, y into the house, z up; the front is at y = 0 and looks to -y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import layout as plan
from .ground import PARK_U_M
from .mesh import MeshBuilder, pose

__all__ = ["Hole", "House", "Lot", "build_house", "lots", "wall_with_holes"]

Array = NDArray[np.float64]

RECESS_M = 0.16
"""Depth of window reveals; a brick's width and render."""
LOWER_REVEAL, UPPER_FLOOR_M = 2, 3.0
CORNER_GAP_M = 6.3
"""From the side street's axis to the houses at the crossing."""

WALLS = ("plaster_cream", "plaster_grey", "plaster_ochre", "plaster_white", "plaster_blue", "brick_red", "brick_brown",
         "stone", "concrete")  # fmt: skip


@dataclass(frozen=True)
class Lot:
    """Where a house stands: its front runs from ``start`` to ``end``, the street is on the right of that direction."""

    name: str
    start_m: tuple[float, float]
    end_m: tuple[float, float]
    depth_m: float
    end_walls: tuple[bool, bool]
    """Whether the end walls at x = 0 and x = width can be seen from the street, so that they get windows."""


@dataclass(frozen=True)
class House:
    """What one house looks like."""

    width_m: float
    depth_m: float
    storeys: int
    storey_m: float
    ground_m: float
    wall: str
    roof: str
    ground_floor: str
    balconies: bool
    seed: int

    @property
    def eaves_m(self) -> float:
        """Height of the walls."""
        return self.ground_m + self.storeys * self.storey_m


def lots() -> list[Lot]:
    """All lots, street side by street side."""
    low, high = plan.U_RANGE_M
    x, gap = plan.CROSSING_U_M, CORNER_GAP_M
    rows: list[tuple[str, Array, tuple[bool, bool]]] = []

    def along(name: str, side: int, start_m: float, end_m: float, d_m: float, ends: tuple[bool, bool]) -> None:
        u = np.linspace(start_m, end_m, max(2, round((end_m - start_m) / 0.5)))
        line = plan.place(u, np.full(len(u), side * d_m))
        rows.append((name, line if side > 0 else line[::-1], ends if side > 0 else ends[::-1]))

    f, a, b = plan.FACADE_M, *plan.PLAZA_U_M
    along("right.a", -1, low + 2, x - gap, f, (False, True))
    along("right.b", -1, x + gap, PARK_U_M[0], f, (True, True))
    along("right.c", -1, PARK_U_M[1], plan.MAIN_U_M[1] - 0.5, f, (True, True))
    along("right.d", -1, plan.MAIN_U_M[1] + 32.0, high, f, (True, False))
    along("left.a", 1, low + 2, -32.0, f, (False, True))
    along("left.b", 1, 0.5, a - 6.0, f, (True, True))
    along("left.c", 1, a - 6.0, b + 6.0, plan.PLAZA_FACADE_M, (False, False))
    along("left.d", 1, b + 6.0, x - gap, f, (True, True))
    along("left.e", 1, x + gap, high, f, (True, False))
    along("park", -1, PARK_U_M[0] - 6.0, PARK_U_M[1] + 6.0, 46.0, (False, False))
    back, end = f + 12.0, plan.SIDE_END_M
    for name, p, q in (
        ("side.ne", (x + gap, end), (x + gap, back)), ("side.nw", (x - gap, back), (x - gap, end)),
        ("side.se", (x + gap, -back), (x + gap, -end)), ("side.sw", (x - gap, -end), (x - gap, -back)),
        ("side.north", (x - 16.0, end), (x + 16.0, end)), ("side.south", (x + 16.0, -end), (x - 16.0, -end)),
    ):  # fmt: skip
        rows.append((name, np.linspace(p, q, 120), (False, False)))
    return [lot for row in rows for lot in _split(*row)]


def _split(name: str, line: Array, ends: tuple[bool, bool]) -> list[Lot]:
    """Cut a row of houses into lots of 9-17 m."""
    rng = np.random.default_rng([5, *name.encode()])
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(1, round(s[-1] / 12.5))
    shares = rng.uniform(0.75, 1.3, count)
    cuts = np.concatenate([[0.0], np.cumsum(shares)]) / shares.sum() * s[-1]
    points = np.stack([np.interp(cuts, s, line[:, k]) for k in (0, 1)], axis=1)
    return [
        Lot(
            f"{name}.{k:02d}",
            (float(points[k, 0]), float(points[k, 1])),
            (float(points[k + 1, 0]), float(points[k + 1, 1])),
            10.5,
            (ends[0] and k == 0, ends[1] and k == count - 1),
        )
        for k in range(count)
    ]


def build_house(lot: Lot) -> tuple[MeshBuilder, Array]:
    """Mesh of the house on a lot, in its own axes, and its pose in the world."""
    dx, dy = lot.end_m[0] - lot.start_m[0], lot.end_m[1] - lot.start_m[1]
    rng = np.random.default_rng([11, *lot.name.encode()])
    house = _draw_house(math.hypot(dx, dy), lot.depth_m, rng)
    mesh = MeshBuilder()
    _front(mesh, house, rng)
    _end_walls(mesh, house, lot.end_walls)
    if house.roof == "flat":
        _flat_roof(mesh, house, rng)
    else:
        _pitched_roof(mesh, house, rng)
    _pipes(mesh, house)
    return mesh, pose(*lot.start_m, plan.PAVEMENT_Z_M, math.atan2(dy, dx))


def _draw_house(width_m: float, depth_m: float, rng: np.random.Generator) -> House:
    storeys = int(rng.choice([1, 2, 3, 4, 5], p=[0.12, 0.28, 0.32, 0.2, 0.08]))
    modern = storeys >= 3 and rng.random() < 0.45
    return House(
        width_m=width_m,
        depth_m=depth_m,
        storeys=storeys,
        storey_m=float(rng.uniform(2.8, 3.3)),
        ground_m=float(rng.uniform(3.3, 4.1)),
        wall=str(rng.choice(WALLS)),
        roof="flat" if modern else "pitched",
        ground_floor=str(rng.choice(["shop", "flat", "garage"], p=[0.5, 0.37, 0.13])),
        balconies=bool(rng.random() < 0.35),
        seed=int(rng.integers(1 << 30)),
    )


# --- walls ------------------------------------------------------------------------------------------------------------

Hole = tuple[float, float, str]
"""``(x0, x1, kind)`` of an opening; kinds: window, shop, door, garage."""


def wall_with_holes(
    mesh: MeshBuilder, width_m: float, top_m: float, rows: list[tuple[float, float, list[Hole]]], wall: str
) -> None:
    """Front wall at y = 0: full-width bands between the rows of openings, piers beside the openings."""
    z = 0.0
    for low, high, holes in rows:
        if low > z:
            mesh.polygon(wall, (0, 0, z), (width_m, 0, z), (width_m, 0, low), (0, 0, low))
        x = 0.0
        for x0, x1, kind in holes:
            mesh.polygon(wall, (x, 0, low), (x0, 0, low), (x0, 0, high), (x, 0, high))
            _opening(mesh, x0, x1, low, high, kind, wall)
            x = x1
        mesh.polygon(wall, (x, 0, low), (width_m, 0, low), (width_m, 0, high), (x, 0, high))
        z = high
    mesh.polygon(wall, (0, 0, z), (width_m, 0, z), (width_m, 0, top_m), (0, 0, top_m))


def _opening(mesh: MeshBuilder, x0: float, x1: float, z0: float, z1: float, kind: str, wall: str) -> None:
    """Reveals of an opening, and what closes it."""
    y = RECESS_M if kind != "garage" else 0.3
    reveals = (
        ((x0, 0, z0), (x0, y, z0), (x0, y, z1), (x0, 0, z1)),
        ((x1, y, z0), (x1, 0, z0), (x1, 0, z1), (x1, y, z1)),
        ((x0, 0, z0), (x1, 0, z0), (x1, y, z0), (x0, y, z0)),
        ((x0, y, z1), (x1, y, z1), (x1, 0, z1), (x0, 0, z1)),
    )
    for k, corners in enumerate(reveals):
        if k != LOWER_REVEAL or z0 < UPPER_FLOOR_M:  # nobody in the street looks down on an upper window
            mesh.polygon(wall, *corners)
    pane = {"window": "glass", "shop": "glass_shop", "door": "door", "garage": "steel"}[kind]
    mesh.polygon(pane, (x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1))
    if kind == "window":
        _window_frame(mesh, x0, x1, z0, z1, y)
    elif kind == "shop":
        for x in np.linspace(x0, x1, max(2, round((x1 - x0) / 1.6)) + 1)[1:-1]:
            mesh.box((x - 0.04, y - 0.08, z0), (x + 0.04, y, z1), "steel_dark", skip="-z+z+y")
    elif kind == "door":
        mesh.polygon("glass", (x0 + 0.25, y - 0.01, z1 - 0.75), (x1 - 0.25, y - 0.01, z1 - 0.75),
                     (x1 - 0.25, y - 0.01, z1 - 0.2), (x0 + 0.25, y - 0.01, z1 - 0.2))  # fmt: skip


def _window_frame(mesh: MeshBuilder, x0: float, x1: float, z0: float, z1: float, y: float) -> None:
    """Bars of the casement, and a sill that stands out."""
    t, f = 0.05, y - 0.03
    middle = (x0 + x1) / 2
    bars = [(middle - t / 2, middle + t / 2, z0, z1)]
    if z1 - z0 > 1.5:
        bars.append((x0, x1, z1 - 0.5, z1 - 0.5 + t))
    for a, b, c, d in bars:
        mesh.polygon("frame", (a, f, c), (b, f, c), (b, f, d), (a, f, d))
    mesh.box((x0 - 0.08, -0.12, z0 - 0.07), (x1 + 0.08, 0.0, z0), "trim", skip="+y-x+x")


def _front(mesh: MeshBuilder, house: House, rng: np.random.Generator) -> None:
    columns = max(2, round(house.width_m / float(rng.uniform(2.6, 3.4))))
    cell = house.width_m / columns
    wide = float(rng.uniform(0.38, 0.52)) * cell
    tall = float(rng.uniform(1.4, 1.9))
    rows = [_ground_row(house, columns, rng)]
    for storey in range(house.storeys):
        z = house.ground_m + storey * house.storey_m + 0.85
        holes: list[Hole] = [
            ((k + 0.5) * cell - wide / 2, (k + 0.5) * cell + wide / 2, "window") for k in range(columns)
        ]
        rows.append((z, min(z + tall, z + house.storey_m - 1.1), holes))
    wall_with_holes(mesh, house.width_m, house.eaves_m, rows, house.wall)
    mesh.box((0.0, -0.1, house.ground_m - 0.25), (house.width_m, 0.0, house.ground_m - 0.05), "trim", skip="+y")
    mesh.box((0.0, -0.22, house.eaves_m - 0.3), (house.width_m, 0.0, house.eaves_m), "trim", skip="+y")
    if house.ground_floor == "shop":
        _shop_sign(mesh, house, rng)
    if house.balconies:
        for storey in range(house.storeys):
            for k in range(columns):
                if (k + house.seed) % 3 == 1:
                    _balcony(mesh, (k + 0.5) * cell, house.ground_m + storey * house.storey_m + 0.05, cell * 0.8)


def _ground_row(house: House, columns: int, rng: np.random.Generator) -> tuple[float, float, list[Hole]]:
    """Openings of the ground floor: a door, and a shop, garages or windows beside it."""
    cell, top = house.width_m / columns, min(2.7, house.ground_m - 0.6)
    door = int(rng.integers(columns))
    holes: list[Hole] = []
    for k in range(columns):
        middle = (k + 0.5) * cell
        if k == door:
            holes.append((middle - 0.55, middle + 0.55, "door"))
        elif house.ground_floor == "shop":
            holes.append((k * cell + 0.2, (k + 1) * cell - 0.2, "shop"))
        elif house.ground_floor == "garage" and k % 2 == door % 2:
            holes.append((middle - min(1.25, cell * 0.45), middle + min(1.25, cell * 0.45), "garage"))
        else:
            holes.append((middle - 0.22 * cell, middle + 0.22 * cell, "shop"))
    return 0.05, top, holes


def _shop_sign(mesh: MeshBuilder, house: House, rng: np.random.Generator) -> None:
    """Sign above the shop, lit in one case of three, and an awning in one of two."""
    z = house.ground_m - 0.55
    material = "lamp" if rng.random() < 0.3 else str(rng.choice(["sign", "sign_red", "wood"]))
    low, high = 0.15 * house.width_m, float(rng.uniform(0.6, 0.9)) * house.width_m
    mesh.box((low, -0.12, z), (high, 0.0, z + 0.32), material, skip="+y")
    if rng.random() < 0.5:
        cloth = str(rng.choice(["awning", "awning_green"]))
        drop, out = z - 0.55, -1.3
        mesh.polygon(cloth, (low, out, drop), (high, out, drop), (high, -0.02, z), (low, -0.02, z))
        mesh.polygon(cloth, (low, out, drop - 0.2), (high, out, drop - 0.2), (high, out, drop), (low, out, drop))
        for x in (low, high):
            mesh.tube([(x, out, drop), (x, 0.0, drop)], [0.02, 0.02], 4, "steel", caps=False)


def _balcony(mesh: MeshBuilder, x_m: float, z_m: float, width_m: float) -> None:
    a, b, out = x_m - width_m / 2, x_m + width_m / 2, -1.0
    mesh.box((a, out, z_m - 0.15), (b, 0.0, z_m), "concrete", skip="+y")
    for x0, x1, y0, y1 in ((a, b, out, out + 0.05), (a, a + 0.05, out, 0.0), (b - 0.05, b, out, 0.0)):
        mesh.box((x0, y0, z_m + 0.95), (x1, y1, z_m + 1.02), "steel_dark")
    for x in np.linspace(a, b, 9):
        bar = [(x - 0.02, out, z_m), (x + 0.02, out, z_m), (x + 0.02, out, z_m + 0.95), (x - 0.02, out, z_m + 0.95)]
        mesh.polygon("steel_dark", *bar)


def _end_walls(mesh: MeshBuilder, house: House, windows: tuple[bool, bool]) -> None:
    """End and back walls; an end wall that faces a street has windows."""
    w, d, h = house.width_m, house.depth_m, house.eaves_m
    mesh.polygon(house.wall, (w, d, 0), (0, d, 0), (0, d, h), (w, d, h))
    outer = mesh.matrix
    for visible, origin, yaw in ((windows[0], (0.0, d), -math.pi / 2), (windows[1], (w, 0.0), math.pi / 2)):
        mesh.matrix = outer @ pose(*origin, 0.0, yaw)
        rows: list[tuple[float, float, list[Hole]]] = []
        if visible:
            rows.append(
                (0.9, 2.4, [(d * 0.18, d * 0.42, "shop"), (d * 0.6, d * 0.7, "window"), (d * 0.8, d * 0.9, "window")])
            )
        for storey in range(house.storeys if visible else 0):
            z = house.ground_m + storey * house.storey_m + 0.85
            rows.append((z, z + 1.5, [(x - 0.6, x + 0.6, "window") for x in (d * 0.25, d * 0.5, d * 0.75)]))
        wall_with_holes(mesh, d, h, rows, house.wall)
    mesh.matrix = outer


# --- roofs ------------------------------------------------------------------------------------------------------------


def _flat_roof(mesh: MeshBuilder, house: House, rng: np.random.Generator) -> None:
    """Gravel behind a parapet, with a lift house, a vent and a duct."""
    w, d, h = house.width_m, house.depth_m, house.eaves_m
    mesh.polygon("gravel", (0, 0, h), (w, 0, h), (w, d, h), (0, d, h))
    for low, high in (((0, 0, h), (w, 0.25, h + 0.7)), ((0, d - 0.25, h), (w, d, h + 0.7)),
                      ((0, 0.25, h), (0.25, d - 0.25, h + 0.7)),
                      ((w - 0.25, 0.25, h), (w, d - 0.25, h + 0.7))):  # fmt: skip
        mesh.box(low, high, "trim", skip="-z")
    x = float(rng.uniform(0.25, 0.6)) * w
    mesh.box((x, d * 0.35, h), (x + 3.0, d * 0.35 + 3.0, h + 2.4), house.wall, skip="-z")
    for k in range(int(rng.integers(1, 4))):
        x = float(rng.uniform(1.0, w - 2.0))
        mesh.box((x, 1.2 + k, h), (x + 0.9, 2.0 + k, h + 0.9), "steel", skip="-z")


def _pitched_roof(mesh: MeshBuilder, house: House, rng: np.random.Generator) -> None:
    """Two slopes with overhanging eaves, gables, chimneys, and dormers on steep roofs."""
    w, d, h = house.width_m, house.depth_m, house.eaves_m
    slope = float(rng.uniform(0.55, 1.0))
    rise, out, tiles = slope * d / 2, 0.45, str(rng.choice(["tiles_red", "tiles_dark"]))
    low = h - slope * out
    ridge = h + rise
    mesh.polygon(tiles, (0, -out, low), (w, -out, low), (w, d / 2, ridge), (0, d / 2, ridge))
    mesh.polygon(tiles, (w, d + out, low), (0, d + out, low), (0, d / 2, ridge), (w, d / 2, ridge))
    mesh.polygon("trim", (0, -out, low - 0.14), (w, -out, low - 0.14), (w, -out, low), (0, -out, low))
    mesh.polygon("trim", (0, 0, h - 0.14), (w, 0, h - 0.14), (w, -out, low - 0.14), (0, -out, low - 0.14))
    mesh.polygon(house.wall, (0, d, h), (0, 0, h), (0, d / 2, ridge))
    mesh.polygon(house.wall, (w, 0, h), (w, d, h), (w, d / 2, ridge))
    for x in (0.12 * w, 0.86 * w)[: int(rng.integers(1, 3))]:
        mesh.box((x - 0.45, d / 2 - 0.4, ridge - 0.9), (x + 0.45, d / 2 + 0.4, ridge + 1.2), "brick_brown", skip="-z")
        for dx in (-0.2, 0.2):
            mesh.tube([(x + dx, d / 2, ridge + 1.2), (x + dx, d / 2, ridge + 1.65)], [0.13, 0.11], 6, "tiles_red")
    if slope > 0.72:
        for x in np.linspace(0, w, max(2, round(w / 4)) + 1)[1:]:
            _dormer(mesh, float(x) - w / max(2, round(w / 4)) / 2, h, slope, house.wall)
    mesh.tube([(0, -out - 0.06, low - 0.08), (w, -out - 0.06, low - 0.08)], [0.075, 0.075], 6, "steel")


def _dormer(mesh: MeshBuilder, x_m: float, eaves_m: float, slope: float, wall: str) -> None:
    """Small window house on the front slope."""
    front, z = 0.7, eaves_m + 0.7 * slope
    top = z + 1.35
    back = (top - eaves_m) / slope
    a, b = x_m - 0.7, x_m + 0.7
    mesh.polygon(wall, (a, front, z), (b, front, z), (b, front, top), (a, front, top))
    mesh.polygon("glass", (a + 0.2, front - 0.01, z + 0.25), (b - 0.2, front - 0.01, z + 0.25),
                 (b - 0.2, front - 0.01, top - 0.15), (a + 0.2, front - 0.01, top - 0.15))  # fmt: skip
    mesh.polygon(wall, (a, back, top), (a, front, z), (a, front, top))
    mesh.polygon(wall, (b, front, z), (b, back, top), (b, front, top))
    ridge, far = top + 0.5, (top + 0.5 - eaves_m) / slope
    mesh.polygon("tiles_dark", (a - 0.15, front - 0.15, top - 0.08), (x_m, front - 0.15, ridge), (x_m, far, ridge),
                 (a - 0.15, back, top - 0.08))  # fmt: skip
    mesh.polygon("tiles_dark", (x_m, front - 0.15, ridge), (b + 0.15, front - 0.15, top - 0.08),
                 (b + 0.15, back, top - 0.08), (x_m, far, ridge))  # fmt: skip
    mesh.polygon(wall, (a, front, top), (b, front, top), (x_m, front, ridge))


def _pipes(mesh: MeshBuilder, house: House) -> None:
    """Downpipe at the edge of the front."""
    x = 0.14
    mesh.tube([(x, -0.09, 0.0), (x, -0.09, house.eaves_m - 0.35)], [0.05, 0.05], 6, "steel", caps=False)
