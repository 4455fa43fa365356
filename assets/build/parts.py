"""What is bolted on to a car: mirrors, handles, plates, exhaust, axles. Each function returns one that adds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from renderer.zones.catalogue import Zone

from .mesh import PolyMesh

__all__ = [
    "Part",
    "axle_tubes",
    "block",
    "both_sides",
    "container",
    "exhaust",
    "handles",
    "mirrors",
    "rail",
]

Part = Callable[[PolyMesh], None]


def both_sides(part: Part) -> Part:
    """The part and its mirror image."""

    def add(mesh: PolyMesh) -> None:
        own = PolyMesh()
        part(own)
        own.mirror()
        mesh.extend(own)

    return add


def block(low: Sequence[float], high: Sequence[float], zone: Zone, bevel: float = 0.01) -> Part:
    """Box with cut corners."""
    return lambda mesh: mesh.box(low, high, zone, bevel)


def mirrors(x: float, y: float, z: float, size: tuple[float, float, float] = (0.11, 0.12, 0.085)) -> Part:
    """Outside mirrors: housing, glass behind, arm to the door; y is the housing's middle."""

    def add(mesh: PolyMesh) -> None:
        mesh.blob((x, y, z), size, Zone.BODY, 3.0, rings=7, sides=12)
        back = x - size[0] * 0.99
        mesh.box((back - 0.004, y - 0.75 * size[1], z - 0.7 * size[2]),
                 (back + 0.02, y + 0.75 * size[1], z + 0.7 * size[2]), Zone.GLASS, 0.004)  # fmt: skip
        mesh.tube([(x - 0.02, y, z - 0.05), (x - 0.03, y - size[1] - 0.1, z - 0.08)], 0.03, Zone.BODY, 8)

    return both_sides(add)


def exhaust(x_tail: float, y: float, z: float, x_front: float, radius: float = 0.03, tips: int = 1) -> Part:
    """Exhaust line under the floor, silencer, and one or two open tips below the tail."""

    def add(mesh: PolyMesh) -> None:
        mesh.tube(
            [(x_front, 0.1, z + 0.02), (x_tail + 0.75, 0.1, z + 0.02), (x_tail + 0.6, y, z)], 0.028, Zone.EXHAUST, 8
        )
        mesh.blob((x_tail + 0.45, y * 0.9, z + 0.01), (0.2, 0.16, 0.07), Zone.EXHAUST, 3.0, 5, 10)
        for k in range(tips):
            own = y - k * 2.6 * radius * np.sign(y)
            _tip(mesh, (x_tail, own, z), radius, 0.26)

    return add


def _tip(mesh: PolyMesh, end: Sequence[float], radius: float, length: float) -> None:
    """Open pipe that ends at ``end`` and runs forward."""
    x, y, z = end
    angle = np.arange(12) * np.pi / 6
    ring = np.column_stack([np.zeros(12), np.cos(angle), np.sin(angle)])
    rings = [ring * r + (at, y, z) for at, r in
             ((x + 0.1, 0.75 * radius), (x, 0.85 * radius), (x, radius), (x + length, radius))]  # fmt: skip
    mesh.loft(rings, Zone.EXHAUST)


def axle_tubes(stations: Sequence[tuple[float, float, float]], radius: float = 0.045) -> Part:
    """Axle beams at (x, z, half width)."""

    def add(mesh: PolyMesh) -> None:
        for x, z, half in stations:
            mesh.tube([(x, -half, z), (x, half, z)], radius, Zone.UNDERBODY, 8)

    return add


def rail(path: Sequence[Sequence[float]], radius: float, zone: Zone) -> Part:
    """Bar along a path, on both sides."""
    return both_sides(lambda mesh: mesh.tube(path, radius, zone, 8))


def handles(places: Sequence[tuple[float, float, float]]) -> Part:
    """Door handles at (x, y, z)."""

    def add(mesh: PolyMesh) -> None:
        for x, y, z in places:
            mesh.box((x - 0.1, y - 0.03, z - 0.014), (x + 0.1, y + 0.02, z + 0.014), Zone.BODY, 0.008)

    return both_sides(add)


def container(low: Sequence[float], high: Sequence[float]) -> Part:
    """Box body of a lorry: its top is a roof; posts and door bars stand out a little."""
    (x0, y0, z0), (x1, y1, z1) = low, high

    def add(mesh: PolyMesh) -> None:
        mesh.box((x0 + 0.015, y0 + 0.015, z0), (x1, y1 - 0.015, z1), Zone.BODY, 0.02)
        mesh.zones[-1] = int(Zone.ROOF)  # the lid is a box's last face
        for x in (x0 + 0.05, x1 - 0.05):
            for y, sign in ((y0, 1), (y1, -1)):
                mesh.box(
                    (x - 0.05, min(y, y + sign * 0.06), z0), (x + 0.05, max(y, y + sign * 0.06), z1), Zone.BODY, 0.01
                )
        for z in (z0 + 0.06, z1 - 0.05):
            for y in (y0, y1 - 0.05):
                mesh.box((x0, y, z - 0.05), (x1, y + 0.05, z + 0.04), Zone.BODY, 0.01)
        for y in (-0.72, -0.32, 0.32, 0.72):
            mesh.box((x0 - 0.004, y - 0.022, z0 + 0.05), (x0 + 0.03, y + 0.022, z1 - 0.05), Zone.BODY, 0.003)
        mesh.box((x0, -0.02, z0), (x0 + 0.05, 0.02, z1), Zone.BODY, 0.005)

    return add
