"""A street that goes below bridges: railways and roads on banks, decks of steel or concrete, piers, walls, lamps.

The street is one of the other kinds; bridges are laid across it where no street crosses, and what stood there goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.cover import Cover

from assets.build.city.mesh import MeshBuilder, pose

from .arterial import arterial
from .residential import residential
from .site import Course, Site
from .town.street import town

__all__ = ["underpass"]

Array = NDArray[np.float64]
_STREETS: tuple[tuple[Callable[[int], Site], float], ...] = ((arterial, 0.5), (town, 0.3), (residential, 0.2))
_BANK_M, _REACH_M = 7.5, 85.0
"""Width of a bank's slope at its foot, and how far banks go to either side."""
_HIGH = ("tree", "palm", "pole", "lamp", "signal", "cobra", "mast", "conifer", "tall")
"""Words in the names of what is higher than a deck."""
_GIRDER_M = 0.45
"""Depth of the girders below the slab."""
_AHEAD_M, _LEAST_POINTS = 90.0, 10
"""How far before a bridge the camera's ways begin, and how many points make one."""
_LEAST_GAP_M = 26.0
"""Between two bridges."""


@dataclass(frozen=True)
class _Bridge:
    """One bridge; distances are metres."""

    u_m: float
    """Where along the street its middle is."""
    half_m: float
    """Half of its width, along the street."""
    open_m: float
    """From the street's axis to the abutments."""
    under_m: float
    """Clearance: height of the underside."""
    deck: str
    """Material of what is seen from below."""
    carries: str
    """``rail`` or ``road``."""

    @property
    def top_m(self) -> float:
        """Height of what it carries."""
        return self.under_m + 1.1


def underpass(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 107])
    bridges: list[_Bridge] = []
    while not bridges:  # some streets have no straight stretch between their crossings
        street = _STREETS[int(rng.choice(len(_STREETS), p=[share for _, share in _STREETS]))][0]
        site = street(int(rng.integers(1 << 31)))
        bridges = list(_drawn(_course(site), rng))
    for name in ("bridge", "bank"):  # a town may end at a bridge of its own
        site.static.pop(name, None)
    course = _course(site)
    site.paths = _towards(site.paths, course, bridges)
    for k, bridge in enumerate(bridges):
        _clear(site, course, bridge)
        _build(site, course, bridge, f"bridge{k}", rng)
    return site


def _course(site: Site) -> Course:
    assert site.course is not None
    return site.course


def _towards(paths: dict[str, Array], course: Course, bridges: list[_Bridge]) -> dict[str, Array]:
    """The stretches of the camera's ways on which a bridge is ahead, or above."""
    kept: dict[str, Array] = {}
    for points in paths.values():
        u, d = np.array([course.axis.nearest(x, y) for x, y in points.tolist()]).T
        ahead = np.sign(u[-1] - u[0])
        if np.ptp(d) > 4.0 or not ahead:
            continue  # a way along a street that crosses
        near = np.zeros(len(u), np.bool_)
        for bridge in bridges:
            away = ahead * (bridge.u_m - u)
            near |= (away > -bridge.half_m) & (away < _AHEAD_M)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(int)))
        for start, end in edges.reshape(-1, 2).tolist():
            if end - start >= _LEAST_POINTS:
                kept[f"out.{len(kept)}" if kept else "out"] = points[start:end]
    return kept or paths


def _drawn(course: Course, rng: np.random.Generator) -> Iterator[_Bridge]:
    """One to three bridges, where the street is straight and none crosses."""
    most, last = int(rng.choice([1, 2, 3], p=[0.3, 0.4, 0.3])), -math.inf
    for u in np.arange(42.0, course.axis.length_m - 34.0, 3.0).tolist():
        half = float(rng.choice([4.0, 5.5, 8.0, 12.0, 17.0], p=[0.2, 0.25, 0.25, 0.2, 0.1]))
        reach = half + _BANK_M + 2.0
        crossed = any(low - reach < u < high + reach for low, high in course.taken)
        if most == 0 or crossed or u - half - last < _LEAST_GAP_M or not course.axis.is_straight(u - reach, u + reach):
            continue
        if rng.random() < 0.6:
            continue
        steel = rng.random() < 0.45
        deck = str(rng.choice(["steel_dark", "steel_green", "steel"])) if steel else "concrete"
        carries = "rail" if half < 9.0 and rng.random() < 0.55 else "road"
        yield _Bridge(
            u, half, course.back_m + float(rng.uniform(0.2, 1.5)), float(rng.uniform(4.4, 5.6)), deck, carries
        )
        most, last = most - 1, u + half


def _clear(site: Site, course: Course, bridge: _Bridge) -> None:
    """Take away what stands where banks and deck come."""
    reach = bridge.half_m + _BANK_M

    def is_free(x: float, y: float, margin: float, near: float) -> bool:
        u, d = course.axis.nearest(x, y)
        return abs(u - bridge.u_m) > reach + margin or abs(d) < near

    def stays(name: str, matrix: Array) -> bool:
        x, y = matrix[:2, 3].tolist()
        # Beside the carriageway low things stay below the deck; what is high goes, and crowns that would reach into it.
        return is_free(x, y, 3.0, 0.0 if any(word in name for word in _HIGH) else bridge.open_m - 0.6)

    site.props = [(name, matrix) for name, matrix in site.props if stays(name, matrix)]
    site.bays = [bay for bay in site.bays if is_free(bay.x_m, bay.y_m, 3.5, bridge.open_m - 1.5)]
    for name, (mesh, matrix) in list(site.static.items()):
        if matrix is not None:
            x, y = _middle(mesh, matrix)
            if not is_free(x, y, 11.0, 0.0):
                del site.static[name]


def _middle(mesh: MeshBuilder, matrix: Array) -> tuple[float, float]:
    points = np.concatenate(mesh.points) @ matrix[:3, :3].T + matrix[:3, 3]
    x, y = ((points.min(axis=0) + points.max(axis=0)) / 2)[:2].tolist()
    return x, y


def _build(site: Site, course: Course, bridge: _Bridge, name: str, rng: np.random.Generator) -> None:
    """Deck, abutments, banks, piers and lamps; the road on top with its lanes."""
    x, y = course.axis.place(bridge.u_m, 0.0).tolist()
    heading = float(course.axis.heading(bridge.u_m))
    matrix = pose(x, y, 0.0, heading)
    for part, make in (("deck", _deck), ("banks", _banks), ("piers", _piers), ("lights", _lights)):
        mesh = site.mesh(f"{name}.{part}")
        mesh.matrix = matrix
        make(mesh, bridge, rng)
        mesh.matrix = np.eye(4)
    long = 2.0 * (bridge.open_m + 12.0)
    site.covers.append(Cover(x, y, bridge.under_m + _GIRDER_M, heading, 2.0 * bridge.half_m, long))
    if bridge.carries == "road":
        _lanes(site, bridge, name, matrix)


def _deck(mesh: MeshBuilder, bridge: _Bridge, rng: np.random.Generator) -> None:
    """Slab with girders below it, side beams, and what keeps traffic or people on it."""
    a, under, top, wide = bridge.half_m, bridge.under_m, bridge.top_m, bridge.open_m
    surface = "gravel_bed" if bridge.carries == "rail" else "asphalt"
    mesh.box((-a, -wide - 1.0, under + _GIRDER_M), (a, wide + 1.0, top), bridge.deck, skip="+z")
    mesh.polygon(surface, (-a, -wide - 1, top), (a, -wide - 1, top), (a, wide + 1, top), (-a, wide + 1, top))
    deep = float(rng.uniform(0.35, 0.9))
    for at in np.linspace(-a + 0.25, a - 0.25, max(2, round(2.0 * a / float(rng.uniform(1.6, 2.6))))):
        mesh.box((at - 0.17, -wide, under), (at + 0.17, wide, under + _GIRDER_M), bridge.deck, skip="-y+y")
    for side in (-1.0, 1.0):
        low, high = sorted((side * a, side * (a + 0.22)))
        mesh.box((low, -_REACH_M, under + _GIRDER_M - deep), (high, _REACH_M, top + 0.1), bridge.deck)
    _parapets(mesh, bridge, rng)
    if bridge.carries == "rail":
        for track in np.arange(-a + 2.2, a - 1.8, 4.2):
            for rail in (-0.75, 0.75):
                mesh.box((track + rail - 0.04, -_REACH_M, top), (track + rail + 0.04, _REACH_M, top + 0.2), "steel")


def _parapets(mesh: MeshBuilder, bridge: _Bridge, rng: np.random.Generator) -> None:
    """Walls, plates or railings along both edges."""
    kind = str(rng.choice(["wall", "plate", "railing"]))
    for side in (-1.0, 1.0):
        edge, top = side * bridge.half_m, bridge.top_m
        low, high = sorted((edge, edge + side * 0.2))
        if kind == "railing":
            for z in (0.45, 0.75, 1.1):
                mesh.box((low, -_REACH_M, top + z - 0.03), (high - 0.12, _REACH_M, top + z + 0.03), "steel")
            for y in np.arange(-_REACH_M, _REACH_M, 2.0):
                mesh.box((low, y - 0.03, top), (high - 0.12, y + 0.03, top + 1.1), "steel", skip="-z")
        else:
            material = "concrete" if kind == "wall" else bridge.deck
            mesh.box((low, -_REACH_M, top), (high, _REACH_M, top + float(rng.uniform(0.8, 1.2))), material, skip="-z")


def _banks(mesh: MeshBuilder, bridge: _Bridge, rng: np.random.Generator) -> None:
    """Earth with sloped sides to both sides of the street, ended by walls at it."""
    a, b, top, near = bridge.half_m, bridge.half_m + _BANK_M, bridge.top_m - 0.02, bridge.open_m
    earth = str(rng.choice(["leaves_dark", "leaves_dark", "grass", "dry_grass"]))
    wall = str(rng.choice(["concrete", "block_wall", "stone", "brick_red"]))
    surface = "gravel_bed" if bridge.carries == "rail" else "asphalt"
    for side in (-1.0, 1.0):
        low, high = sorted((side * near, side * _REACH_M))
        for sign in (-1.0, 1.0):
            face = [(sign * b, low, -0.1), (sign * a, low, top), (sign * a, high, top), (sign * b, high, -0.1)]
            mesh.polygon(earth, *(face if sign < 0 else face[::-1]))
            wing = [(sign * a, side * near, -0.1), (sign * a, side * near, top), (sign * b, side * near, -0.1)]
            mesh.polygon(wall, *(wing if sign * side > 0 else wing[::-1]))
            # A coping on the wing wall, so that it is no sheet of paper.
            mesh.tube([(sign * a, side * near, top), (sign * b, side * near, 0.0)], [0.18, 0.18], 4, "concrete")
        mesh.polygon(surface, (-a, low, top), (a, low, top), (a, high, top), (-a, high, top))
        face = [(-a, side * near, -0.1), (a, side * near, -0.1), (a, side * near, top), (-a, side * near, top)]
        mesh.polygon(wall, *(face[::-1] if side < 0 else face))
        end = [
            (-b, side * _REACH_M, -0.1),
            (b, side * _REACH_M, -0.1),
            (a, side * _REACH_M, top),
            (-a, side * _REACH_M, top),
        ]
        mesh.polygon(earth, *(face for face in (end if side < 0 else end[::-1])))


def _piers(mesh: MeshBuilder, bridge: _Bridge, rng: np.random.Generator) -> None:
    """Columns at the kerbs of wide openings, with a beam on them."""
    if bridge.open_m < 9.0 or rng.random() < 0.35:
        return
    at, round_ones = bridge.open_m - 3.4, rng.random() < 0.5
    for side in (-1.0, 1.0):
        for x in np.linspace(-bridge.half_m + 0.8, bridge.half_m - 0.8, max(2, round(bridge.half_m / 2.2))):
            if round_ones:
                mesh.tube(
                    [(x, side * at, -0.1), (x, side * at, bridge.under_m)], [0.3, 0.3], 10, "concrete", caps=False
                )
            else:
                mesh.box(
                    (x - 0.28, side * at - 0.28, -0.1), (x + 0.28, side * at + 0.28, bridge.under_m), "concrete", "-z+z"
                )
        mesh.box(
            (-bridge.half_m, side * at - 0.35, bridge.under_m - 0.3),
            (bridge.half_m, side * at + 0.35, bridge.under_m),
            "concrete",
        )


def _lights(mesh: MeshBuilder, bridge: _Bridge, rng: np.random.Generator) -> None:
    """Lamps on the walls below wide decks."""
    if bridge.half_m < 5.0:
        return
    for side in (-1.0, 1.0):
        y = side * (bridge.open_m - 0.12)
        for x in np.arange(-bridge.half_m + 2.0, bridge.half_m - 1.0, 5.0):
            low, high = sorted((y, y - side * 0.14))
            mesh.box((x - 0.45, low, bridge.under_m - 0.75), (x + 0.45, high, bridge.under_m - 0.6), "lamp")


def _lanes(site: Site, bridge: _Bridge, name: str, matrix: Array) -> None:
    """Two lanes on the bridge, and its line."""
    z, width = bridge.top_m, 3.4
    if bridge.half_m < width + 0.4:
        width = bridge.half_m - 0.3
    for direction in (1.0, -1.0):
        y = direction * np.arange(-_REACH_M + 6.0, _REACH_M - 5.0, 3.0)
        local = np.column_stack([np.full(len(y), direction * width / 2), y, np.full(len(y), z)])
        site.lanes[f"{name}.{'left' if direction > 0 else 'right'}"] = (local @ matrix[:3, :3].T + matrix[:3, 3], width)
    mesh = site.mesh(f"{name}.paint")
    mesh.matrix = matrix
    for y in np.arange(-_REACH_M + 2.0, _REACH_M - 5.0, 9.0).tolist():
        mesh.polygon(
            "paint_white",
            (-0.07, y, z + 0.006),
            (0.07, y, z + 0.006),
            (0.07, y + 3, z + 0.006),
            (-0.07, y + 3, z + 0.006),
        )
    mesh.matrix = np.eye(4)
