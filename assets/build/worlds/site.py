"""A scene in the making: ground, things that stand on it, and the marks that traffic needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.cover import Cover

from assets.build.city.mesh import MeshBuilder, pose

from .axis import Axis

__all__ = ["PAINT_M", "Bay", "Course", "Site", "fence_along", "flat", "rectangle", "strip"]

Array = NDArray[np.float64]

PAINT_M = 0.004
"""Paint lies this much above the asphalt, as in the city."""


@dataclass(frozen=True)
class Bay:
    """A place where one car can stand."""

    x_m: float
    y_m: float
    yaw_rad: float
    length_m: float
    width_m: float
    z_m: float = 0.0
    slope: tuple[float, float] = (0.0, 0.0)
    """How its ground rises along world x and y, metres per metre."""


@dataclass(frozen=True)
class Course:
    """A main road."""

    axis: Axis
    back_m: float
    """From its axis to where the pavement, or the verge, ends."""
    taken: tuple[tuple[float, float], ...] = ()
    """Stretches of the axis that streets cross."""


@dataclass
class Site:
    """Everything that a generator puts into its scene."""

    rng: np.random.Generator
    static: dict[str, tuple[MeshBuilder, Array | None]] = field(default_factory=dict)
    """Meshes that stand once, by name, with their pose."""
    makers: dict[str, Callable[[], MeshBuilder]] = field(default_factory=dict)
    """Meshes that stand often, by name: made when the first is placed."""
    props: list[tuple[str, Array]] = field(default_factory=list)
    """Name of a maker, and a pose."""
    lanes: dict[str, tuple[Array, float]] = field(default_factory=dict)
    """Points (N, 2), or (N, 3) where they are not at height 0, and width, by name."""
    bays: list[Bay] = field(default_factory=list)
    paths: dict[str, Array] = field(default_factory=dict)
    far_m: float | None = None
    """How far away cars are worth placing; None: as far as in the city."""
    has_people: bool = True
    """Whether anybody walks here."""
    speed_m_s: float | None = None
    """Usual speed of its cars; None: as in a town."""

    covers: list[Cover] = field(default_factory=list)
    """Decks of bridges."""
    course: Course | None = None
    """Where its main road lies."""

    def mesh(self, name: str) -> MeshBuilder:
        """The mesh of that name in world axes, made when it is first asked for."""
        return self.static.setdefault(name, (MeshBuilder(), None))[0]

    def stand(
        self, name: str, x_m: float, y_m: float, yaw_rad: float = 0.0, scale: float = 1.0, z_m: float = 0.0
    ) -> None:
        """Place one of the makers' things."""
        self.props.append((name, pose(x_m, y_m, z_m, yaw_rad, scale)))

    def beside(
        self, axis: Axis, name: str, u_m: float, d_m: float, yaw_rad: float = 0.0, scale: float = 1.0, z_m: float = 0.0
    ) -> None:
        """Place one beside a street; ``yaw`` is against the street's heading."""
        x, y = axis.place(u_m, d_m).tolist()
        self.stand(name, x, y, float(axis.heading(u_m)) + yaw_rad, scale, z_m)

    def angle(self) -> float:
        """Any direction."""
        return float(self.rng.uniform(0.0, 2 * math.pi))

    def pick(self, choices: dict[str, float]) -> str:
        """One of the keys, by their weights."""
        weights = np.array(list(choices.values()))
        return list(choices)[int(self.rng.choice(len(choices), p=weights / weights.sum()))]


def strip(
    mesh: MeshBuilder,
    axis: Axis,
    start_m: float,
    end_m: float,
    inner_m: float,
    outer_m: float,
    z_m: float,
    material: str,
    step_m: float = 4.0,
) -> None:
    """Level faces along a street between two distances from its axis (to the left), seen from above."""
    if end_m - start_m < 1e-6:
        return
    low, high = sorted((inner_m, outer_m))
    straight = axis.is_straight(start_m, end_m)
    n = max(2, math.ceil((end_m - start_m) / (24.0 if straight else step_m)) + 1)
    u = np.linspace(start_m, end_m, n)
    points = np.concatenate([axis.place(u, np.full(n, low)), axis.place(u, np.full(n, high))])
    faces = [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)]
    mesh.add(np.column_stack([points, np.full(2 * n, z_m)]), faces, material)


def fence_along(
    mesh: MeshBuilder,
    line: Array,
    thickness_m: float,
    low_m: float,
    high_m: float,
    material: str,
    cap: str | None = None,
) -> None:
    """A wall of some thickness along points (N, 2), both its faces, its top and its ends."""
    line = np.asarray(line)
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T)[:, None], 1e-9)
    side = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * thickness_m / 2
    n = len(line)
    rings = [
        np.column_stack([line + sign * side, np.full(n, z)])
        for sign, z in ((-1, low_m), (-1, high_m), (1, high_m), (1, low_m))
    ]
    mesh.add(np.concatenate(rings[:2]), [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], material)
    mesh.add(np.concatenate(rings[1:3]), [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], cap or material)
    mesh.add(np.concatenate(rings[2:]), [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], material)
    for k, order in ((0, (0, 1, 2, 3)), (n - 1, (3, 2, 1, 0))):
        mesh.add(np.array([rings[i][k] for i in order]), [(0, 1, 2, 3)], material)


def flat(mesh: MeshBuilder, corners: Sequence[tuple[float, float]] | Array, z_m: float, material: str) -> None:
    """One level polygon, seen from above whatever the order of its corners."""
    points = np.asarray(corners, dtype=np.float64)
    x, y = points.T
    area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    ordered = points if area > 0 else points[::-1]
    mesh.add(np.column_stack([ordered, np.full(len(ordered), z_m)]), [range(len(ordered))], material)


def rectangle(
    mesh: MeshBuilder,
    x_m: float,
    y_m: float,
    length_m: float,
    width_m: float,
    yaw_rad: float,
    z_m: float,
    material: str,
) -> None:
    """One level rectangle, turned by ``yaw`` about its centre."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    corners = [
        (x_m + c * a * length_m - s * b * width_m, y_m + s * a * length_m + c * b * width_m)
        for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    ]
    flat(mesh, corners, z_m, material)
