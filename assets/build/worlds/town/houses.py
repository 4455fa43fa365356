"""Houses of a town's main street: arcades, shop fronts with awnings and canopies, round arches, flat and tiled roofs.

In their own axes: x along the front from 0, y into the house, z up; the front is at y = 0 and looks to -y.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assets.build.city.buildings import Hole, wall_with_holes
from assets.build.city.mesh import MeshBuilder, pose

from .arches import arched_wall, even_arches

__all__ = ["TownHouse", "TownStyle", "build_townhouse", "draw_townhouse"]

Rng = np.random.Generator

PORTICO_M = 2.9
"""How far an arcade reaches in front of the shops behind it."""
CLOTHS = ("canopy", "canopy", "canopy_red", "canopy_light")
_WALLS = {
    "southern": ("plaster_white", "plaster_cream", "stucco_sand", "stucco_rose", "plaster_ochre", "stone"),
    "plain": ("brick_red", "brick_brown", "plaster_grey", "concrete", "plaster_blue", "stone", "siding_white"),
}


@dataclass(frozen=True)
class TownStyle:
    """What the houses of a street have in common."""

    walls: str
    """``southern`` or ``plain``."""
    grounds: dict[str, float]
    """Ground floors by weight: arcade, portico, shops, arched, plain."""
    storeys: dict[int, float]
    """Storeys above the ground floor, by weight."""
    tiles: float
    """Share of tiled roofs."""
    canopies: float
    """Share of shops with something over the pavement."""


@dataclass(frozen=True)
class TownHouse:
    """What one house looks like."""

    width_m: float
    depth_m: float
    storeys: int
    """Above the ground floor."""
    ground_m: float
    storey_m: float
    wall: str
    ground: str
    is_tiled: bool
    cover: str
    """Over the pavement: awnings, canopy, or nothing."""
    has_tower: bool
    has_shutters: bool
    at_corner: bool = False
    """Whether its ends can be seen from a street, so that they get windows."""

    @property
    def eaves_m(self) -> float:
        """Height of the walls."""
        return self.ground_m + self.storeys * self.storey_m


def draw_townhouse(rng: Rng, style: TownStyle, width_m: float, depth_m: float) -> TownHouse:
    """A house of that style for a lot."""
    storeys, shares = list(style.storeys), np.array(list(style.storeys.values()))
    kinds, weights = list(style.grounds), np.array(list(style.grounds.values()))
    covered = rng.random() < style.canopies
    return TownHouse(
        width_m=width_m,
        depth_m=depth_m,
        storeys=storeys[int(rng.choice(len(storeys), p=shares / shares.sum()))],
        ground_m=float(rng.uniform(3.7, 4.6)),
        storey_m=float(rng.uniform(2.9, 3.4)),
        wall=str(rng.choice(_WALLS[style.walls])),
        ground=kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))],
        is_tiled=bool(rng.random() < style.tiles),
        cover=("awnings" if rng.random() < 0.6 else "canopy") if covered else "",
        has_tower=bool(rng.random() < 0.07),
        has_shutters=bool(rng.random() < 0.3),
    )


def build_townhouse(house: TownHouse, rng: Rng) -> MeshBuilder:
    """Mesh of a house."""
    mesh = MeshBuilder()
    if house.ground == "portico":
        _portico(mesh, house)
        mesh.matrix = pose(0.0, PORTICO_M)
        house = replace(house, depth_m=house.depth_m - PORTICO_M, ground="shops", cover="")
    _GROUNDS[house.ground](mesh, house, rng)
    _upper_floors(mesh, house, rng)
    _other_walls(mesh, house)
    (_tiled_roof if house.is_tiled else _flat_roof)(mesh, house, rng)
    if house.has_tower:
        _tower(mesh, house)
    return mesh


# --- ground floors ----------------------------------------------------------------------------------------------------


def _shops(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Panes to the ground between piers, a sign above, awnings or a canopy at 2.5 m."""
    count = max(2, round(house.width_m / float(rng.uniform(3.0, 5.0))))
    cell, head = house.width_m / count, house.ground_m - 0.95
    holes: list[Hole] = [((k + 0.07) * cell, (k + 0.93) * cell, "shop") for k in range(count)]
    wall_with_holes(mesh, house.width_m, house.ground_m, [(0.15, head, holes)], house.wall)
    _sign(mesh, house, rng)
    if house.cover == "awnings":
        _awnings(mesh, holes, str(rng.choice(CLOTHS)), float(rng.uniform(1.1, 1.8)))
    elif house.cover == "canopy":
        _canopy(mesh, house.width_m, float(rng.uniform(1.4, 2.2)))
    for x, _, _ in holes[1:]:
        if rng.random() < 0.25:
            _wall_lamp(mesh, x - 0.07 * cell)


def _arcade(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Open arches, a covered way behind them, shops behind that; the upper floors stand on the arches."""
    arches = even_arches(house.width_m, max(2, round(house.width_m / float(rng.uniform(3.0, 4.2)))), 0.6)
    crown = house.ground_m - float(rng.uniform(0.5, 0.9))
    arched_wall(mesh, house.width_m, 0.0, crown, house.ground_m, arches, house.wall, 0.5)
    _covered_way(mesh, house)
    outer = mesh.matrix
    mesh.matrix = outer @ pose(0.0, PORTICO_M)
    holes: list[Hole] = [(low, high, "shop") for low, high in arches]
    wall_with_holes(mesh, house.width_m, house.ground_m, [(0.3, 2.7, holes)], house.wall)
    for low, _ in arches[::2]:
        _wall_lamp(mesh, low - 0.3)
    mesh.matrix = outer
    _sign(mesh, house, rng)


def _covered_way(mesh: MeshBuilder, house: TownHouse) -> None:
    """Floor and ceiling behind arches."""
    w, z = house.width_m, house.ground_m - 0.1
    mesh.polygon("paving", (0, 0, 0.012), (w, 0, 0.012), (w, PORTICO_M, 0.012), (0, PORTICO_M, 0.012))
    mesh.polygon("plaster_white", (0, PORTICO_M, z), (w, PORTICO_M, z), (w, 0.5, z), (0, 0.5, z))


def _portico(mesh: MeshBuilder, house: TownHouse) -> None:
    """Arches with a roof of their own in front of a house: people walk below."""
    arches = even_arches(house.width_m, max(2, round(house.width_m / 3.4)), 0.5)
    w, top = house.width_m, 3.5
    arched_wall(mesh, w, 0.0, 2.95, top, arches, house.wall, 0.4)
    mesh.polygon("paving", (0, 0, 0.012), (w, 0, 0.012), (w, PORTICO_M, 0.012), (0, PORTICO_M, 0.012))
    mesh.polygon("canopy_red", (0, -0.35, top), (w, -0.35, top), (w, PORTICO_M, top + 0.7), (0, PORTICO_M, top + 0.7))
    mesh.polygon("canopy", (0, PORTICO_M, top - 0.08), (w, PORTICO_M, top - 0.08), (w, -0.35, top - 0.08),
                 (0, -0.35, top - 0.08))  # fmt: skip
    mesh.polygon("canopy", (0, -0.35, top - 0.08), (w, -0.35, top - 0.08), (w, -0.35, top), (0, -0.35, top))
    for x in (0.0, w):
        mesh.polygon("canopy", (x, -0.35, top), (x, PORTICO_M, top), (x, PORTICO_M, top + 0.7))


def _arched(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Glazed arches in a plain wall."""
    arches = even_arches(house.width_m, max(2, round(house.width_m / float(rng.uniform(2.8, 4.5)))), 0.9)
    crown = house.ground_m - float(rng.uniform(0.5, 1.0))
    arched_wall(mesh, house.width_m, 0.4, crown, house.ground_m, arches, house.wall, 0.25, "glass_shop")
    for low, high in arches:
        middle = (low + high) / 2
        mesh.box((middle - 0.04, 0.15, 0.4), (middle + 0.04, 0.24, crown - 0.02), "steel_dark", skip="-z+z+y")
        mesh.box((low, 0.15, 2.2), (high, 0.24, 2.28), "steel_dark", skip="-x+x+y")
        _wall_lamp(mesh, low - 0.45)
    if house.cover:
        _awnings(mesh, [(low, high, "shop") for low, high in arches], "canopy", 1.2)


def _plain(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """A door and windows: nobody sells anything here."""
    count = max(2, round(house.width_m / 3.0))
    cell, door = house.width_m / count, int(rng.integers(count))
    holes: list[Hole] = [((k + 0.28) * cell, (k + 0.72) * cell, "window") for k in range(count) if k != door]
    wall_with_holes(mesh, house.width_m, house.ground_m, [(1.0, 2.6, holes)], house.wall)
    x = (door + 0.5) * cell
    mesh.box((x - 0.7, -0.06, 0.0), (x + 0.7, 0.0, 2.5), "trim", skip="-z+y")
    mesh.polygon("door", (x - 0.5, -0.07, 0.05), (x + 0.5, -0.07, 0.05), (x + 0.5, -0.07, 2.3), (x - 0.5, -0.07, 2.3))
    for k in range(3):
        mesh.box((x - 0.9, -0.9 + 0.3 * k, 0.15 * k), (x + 0.9, -0.06, 0.15 * (k + 1)), "stone", skip="-z+y")


_GROUNDS: dict[str, Callable[[MeshBuilder, TownHouse, Rng], None]] = {
    "shops": _shops, "arcade": _arcade, "arched": _arched, "plain": _plain,
}  # fmt: skip


# --- what stands out of the front -------------------------------------------------------------------------------------


def _awnings(mesh: MeshBuilder, holes: list[Hole], cloth: str, out_m: float) -> None:
    """Sloped cloths over the panes with a valance, closed at their sides. The cloth is thin: it follows air and sky."""
    high, low, hem = 3.05, 2.55, 2.3
    for a, b, _ in holes:
        mesh.polygon(cloth, (a, -out_m, low), (b, -out_m, low), (b, 0.0, high), (a, 0.0, high))
        mesh.polygon(cloth, (a, -out_m, hem), (b, -out_m, hem), (b, -out_m, low), (a, -out_m, low))
        for x in (a, b):
            mesh.polygon(cloth, (x, -out_m, low), (x, 0.0, high), (x, 0.0, low))


def _canopy(mesh: MeshBuilder, width_m: float, out_m: float) -> None:
    """A flat roof over the pavement with lamps below, on posts where it is deep."""
    mesh.box((0.0, -out_m, 2.75), (width_m, 0.0, 3.0), "canopy", skip="+y")
    for x in np.arange(1.2, width_m - 0.5, 2.6):
        y = -0.55 * out_m
        mesh.polygon("lamp", (x - 0.12, y + 0.12, 2.74), (x + 0.12, y + 0.12, 2.74), (x + 0.12, y - 0.12, 2.74),
                     (x - 0.12, y - 0.12, 2.74))  # fmt: skip
    for x in np.linspace(0.2, width_m - 0.2, max(2, round(width_m / 4.0) + 1)) if out_m > 1.8 else ():
        mesh.box((x - 0.07, -out_m + 0.05, 0.0), (x + 0.07, -out_m + 0.19, 2.75), "steel_dark", skip="-z+z")


def _sign(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """A board along the front, lit in one case of three, and a small one that stands out over the pavement."""
    z, w = house.ground_m - 0.75, house.width_m
    low, high = float(rng.uniform(0.06, 0.3)) * w, float(rng.uniform(0.6, 0.94)) * w
    face = str(rng.choice(["sign", "sign_red", "wood", "sign_face", "canopy", "lamp"]))
    mesh.box((low, -0.14, z), (high, 0.0, z + 0.5), face, skip="+y")
    if rng.random() < 0.5:
        x = float(rng.uniform(0.1, 0.9)) * w
        mesh.box((x - 0.04, -1.0, z - 0.1), (x + 0.04, -0.2, z + 0.5), "sign_face")
        mesh.box((x - 0.02, -0.2, z + 0.3), (x + 0.02, 0.0, z + 0.34), "steel_dark")


def _wall_lamp(mesh: MeshBuilder, x_m: float) -> None:
    mesh.box((x_m - 0.11, -0.24, 2.1), (x_m + 0.11, -0.04, 2.5), "lamp")
    mesh.box((x_m - 0.14, -0.27, 2.5), (x_m + 0.14, 0.0, 2.55), "steel_dark")


# --- upper floors and roofs -------------------------------------------------------------------------------------------


def _upper_floors(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Rows of windows, some with shutters, some with balconies, some ending in arches."""
    columns = max(2, round(house.width_m / float(rng.uniform(2.4, 3.6))))
    cell, share = house.width_m / columns, float(rng.uniform(0.34, 0.52))
    holes: list[Hole] = [((k + 0.5 - share / 2) * cell, (k + 0.5 + share / 2) * cell, "window") for k in range(columns)]
    balcony = int(rng.integers(5))
    arched = rng.random() < 0.25
    outer = mesh.matrix
    for storey in range(house.storeys):
        mesh.matrix = outer @ pose(0.0, 0.0, house.ground_m + storey * house.storey_m)
        if arched and storey == house.storeys - 1:
            openings = [(low, high) for low, high, _ in holes]
            arched_wall(mesh, house.width_m, 0.8, 2.45, house.storey_m, openings, house.wall, 0.2, "glass")
        else:
            wall_with_holes(mesh, house.width_m, house.storey_m, [(0.8, 2.3, holes)], house.wall)
        if house.has_shutters:
            _shutters(mesh, holes)
        for k, (low, high, _) in enumerate(holes):
            if balcony < 2 and k % 3 == balcony:
                _balcony(mesh, low - 0.4, high + 0.4)
    mesh.matrix = outer
    if house.storeys:
        z = house.ground_m
        mesh.box((0.0, -0.1, z - 0.12), (house.width_m, 0.0, z + 0.08), "trim", skip="+y")


def _shutters(mesh: MeshBuilder, holes: list[Hole]) -> None:
    for low, high, _ in holes:
        half = 0.45 * (high - low)
        for a, b in ((low - half, low), (high, high + half)):
            mesh.polygon("door_green", (a, -0.03, 0.8), (b, -0.03, 0.8), (b, -0.03, 2.3), (a, -0.03, 2.3))


def _balcony(mesh: MeshBuilder, low_m: float, high_m: float) -> None:
    mesh.box((low_m, -0.9, -0.12), (high_m, 0.0, 0.05), "concrete", skip="+y")
    mesh.box((low_m, -0.9, 0.95), (high_m, -0.85, 1.02), "steel_dark")
    for x in np.linspace(low_m, high_m, 7):
        mesh.box((x - 0.02, -0.9, 0.05), (x + 0.02, -0.87, 0.95), "steel_dark", skip="-z+z")


def _other_walls(mesh: MeshBuilder, house: TownHouse) -> None:
    """Ends and back: bare where neighbours stand wall to wall, with windows at corners."""
    w, d, h = house.width_m, house.depth_m, house.eaves_m
    mesh.polygon(house.wall, (w, d, 0), (0, d, 0), (0, d, h), (w, d, h))
    rows: list[tuple[float, float, list[Hole]]] = []
    if house.at_corner:
        panes: list[Hole] = [(0.1 * d, 0.34 * d, "shop"), (0.42 * d, 0.66 * d, "shop"), (0.8 * d, 0.9 * d, "window")]
        rows.append((0.6, 2.7, panes))
        for storey in range(house.storeys):
            z = house.ground_m + storey * house.storey_m + 0.8
            rows.append((z, z + 1.5, [(x * d - 0.55, x * d + 0.55, "window") for x in (0.15, 0.4, 0.65, 0.88)]))
    outer = mesh.matrix
    for origin, yaw in (((0.0, d), -math.pi / 2), ((w, 0.0), math.pi / 2)):
        mesh.matrix = outer @ pose(*origin, 0.0, yaw)
        wall_with_holes(mesh, d, h, rows, house.wall)
    mesh.matrix = outer


def _flat_roof(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Gravel behind a parapet that rises in the middle of some fronts; boxes of steel on it."""
    w, d, h = house.width_m, house.depth_m, house.eaves_m
    rise = float(rng.uniform(0.4, 1.0))
    mesh.polygon("gravel", (0, 0, h), (w, 0, h), (w, d, h), (0, d, h))
    mesh.box((0, 0, h), (w, 0.25, h + rise), house.wall, skip="-z")
    for low, high in ((0.0, 0.2), (w - 0.2, w)):
        mesh.box((low, 0.25, h), (high, d, h + 0.5 * rise), house.wall, skip="-z-y")
    mesh.box((-0.03, -0.12, h + rise - 0.05), (w + 0.03, 0.3, h + rise + 0.1), "trim")
    if rng.random() < 0.3:
        mesh.box((0.3 * w, 0.02, h + rise + 0.1), (0.7 * w, 0.25, h + rise + 0.8), house.wall, skip="-z")
    for _ in range(int(rng.integers(0, 3))):
        x, y = float(rng.uniform(1.0, w - 2.0)), float(rng.uniform(2.0, d - 2.0))
        mesh.box((x, y, h), (x + 1.1, y + 0.9, h + 1.1), "steel", skip="-z")


def _tiled_roof(mesh: MeshBuilder, house: TownHouse, rng: Rng) -> None:
    """Two low slopes with eaves over the pavement, hipped or with gables, a chimney."""
    w, d, h, out = house.width_m, house.depth_m, house.eaves_m, 0.55
    slope, tiles = float(rng.uniform(0.28, 0.6)), str(rng.choice(["tiles_red", "tiles_red", "tiles_dark"]))
    low, ridge = h - slope * out, h + slope * d / 2
    inset = min(d / 2, w / 2 - 0.1) if rng.random() < 0.4 else 0.0
    a, b = inset, w - inset
    mesh.polygon(tiles, (0, -out, low), (w, -out, low), (b, d / 2, ridge), (a, d / 2, ridge))
    mesh.polygon(tiles, (w, d + out, low), (0, d + out, low), (a, d / 2, ridge), (b, d / 2, ridge))
    ends = tiles if inset else house.wall
    mesh.polygon(ends, (0, d, h), (0, 0, h), (a, d / 2, ridge))
    mesh.polygon(ends, (w, 0, h), (w, d, h), (b, d / 2, ridge))
    mesh.polygon("wood", (0, 0, h - 0.1), (w, 0, h - 0.1), (w, -out, low - 0.1), (0, -out, low - 0.1))
    mesh.polygon("trim", (0, -out, low - 0.12), (w, -out, low - 0.12), (w, -out, low), (0, -out, low))
    if rng.random() < 0.5:
        x = float(rng.uniform(0.2, 0.8)) * w
        mesh.box((x - 0.4, d / 2 - 0.4, ridge - 1.5), (x + 0.4, d / 2 + 0.4, ridge + 0.9), house.wall, skip="-z")


def _tower(mesh: MeshBuilder, house: TownHouse) -> None:
    """A square tower over the front with open arches below a pyramid."""
    side, base, rise = min(4.2, 0.5 * house.width_m), house.eaves_m - 0.5, 6.5
    x0, y0 = 0.5 * (house.width_m - side), 0.6
    outer = mesh.matrix
    for x, y, yaw in ((0, 0, 0.0), (side, 0, math.pi / 2), (side, side, math.pi), (0, side, -math.pi / 2)):
        mesh.matrix = outer @ pose(x0 + x, y0 + y, base, yaw)
        arched_wall(mesh, side, 3.8, 5.6, rise, even_arches(side, 2, 0.7), house.wall, 0.3, "steel_dark")
    mesh.matrix = outer @ pose(x0, y0, base)
    mesh.box((-0.25, -0.25, rise), (side + 0.25, side + 0.25, rise + 0.25), "trim")
    corners = [(-0.3, -0.3), (side + 0.3, -0.3), (side + 0.3, side + 0.3), (-0.3, side + 0.3)]
    points = [(x, y, rise + 0.25) for x, y in corners] + [(side / 2, side / 2, rise + 2.2)]
    mesh.add(points, [(k, (k + 1) % 4, 4) for k in range(4)], "tiles_red")
    mesh.matrix = outer
