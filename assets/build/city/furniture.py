"""What stands on pavements: lamps, signs, signals, bins, bollards, benches, the bus shelter.

Each function builds one thing at the origin; x runs along the street and y points away from the lane. Signs are flat
and look to -x.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .mesh import MeshBuilder

__all__ = ["FURNITURE", "furniture"]

Array = NDArray[np.float64]


def _lamp(mesh: MeshBuilder) -> None:
    """Street lamp of 6.5 m whose arm reaches over the lane."""
    mesh.tube([(0, 0, 0), (0, 0, 0.9)], [0.11, 0.11], 10, "steel_dark")
    mesh.tube([(0, 0, 0.9), (0, 0, 5.6)], [0.075, 0.05], 8, "steel_dark", caps=False)
    arm = [(0, -0.9 * (1 - math.cos(a)), 5.6 + 0.9 * math.sin(a)) for a in np.linspace(0, math.pi / 2, 6)]
    mesh.tube([*arm, (0, -1.7, 6.52)], [0.05, 0.048, 0.046, 0.044, 0.042, 0.04, 0.04], 6, "steel_dark", caps=False)
    mesh.box((-0.16, -2.3, 6.46), (0.16, -1.6, 6.62), "steel_dark", skip="-z")
    mesh.polygon("lamp", (-0.15, -1.65, 6.45), (0.15, -1.65, 6.45), (0.15, -2.28, 6.45), (-0.15, -2.28, 6.45))


def _disc(mesh: MeshBuilder, z_m: float, radius_m: float, sides: int, face: str, phase: float = 0.0) -> None:
    """Sign plate on a post: its face looks against the traffic (-x), its back is bare."""
    angle = np.arange(sides) * 2 * math.pi / sides + phase
    ring = np.column_stack([np.zeros(sides), radius_m * np.cos(angle), z_m + radius_m * np.sin(angle)])
    mesh.add(ring - [0.06, 0, 0], [range(sides - 1, -1, -1)], face)
    mesh.add(ring - [0.04, 0, 0], [range(sides)], "steel")


def _post(mesh: MeshBuilder, height_m: float) -> None:
    mesh.tube([(0, 0, 0), (0, 0, height_m)], [0.035, 0.035], 8, "steel")


def _sign_limit(mesh: MeshBuilder) -> None:
    _post(mesh, 2.85)
    _disc(mesh, 2.5, 0.32, 16, "sign_stop")
    angle = np.arange(14) * 2 * math.pi / 14
    ring = np.column_stack([np.full(14, -0.07), 0.24 * np.cos(angle), 2.5 + 0.24 * np.sin(angle)])
    mesh.add(ring, [range(13, -1, -1)], "sign_face")


def _sign_parking(mesh: MeshBuilder) -> None:
    _post(mesh, 2.75)
    mesh.box((-0.07, -0.3, 2.1), (-0.04, 0.3, 2.7), "sign_blue")


def _sign_yield(mesh: MeshBuilder) -> None:
    _post(mesh, 2.9)
    _disc(mesh, 2.5, 0.48, 3, "sign_face", -math.pi / 2)


def _signal(mesh: MeshBuilder) -> None:
    """Traffic signal of three lamps, with a smaller one for people on foot."""
    mesh.tube([(0, 0, 0), (0, 0, 3.4)], [0.07, 0.06], 8, "steel_dark")
    mesh.box((-0.34, -0.15, 2.4), (-0.1, 0.15, 3.35), "steel_green")
    for z in (2.56, 2.87, 3.18):
        mesh.tube([(-0.345, 0, z), (-0.36, 0, z)], [0.1, 0.1], 10, "lamp" if z > 3 else "steel_dark")
        mesh.box((-0.5, -0.11, z + 0.1), (-0.34, 0.11, z + 0.12), "steel_dark")
    mesh.box((-0.1, 0.07, 2.1), (0.1, 0.27, 2.6), "steel_green")


def _bollard(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 0.86), (0, 0, 0.95)], [0.06, 0.055, 0.02], 8, "steel_dark")


def _bin(mesh: MeshBuilder) -> None:
    """Litter bin on a post."""
    _post(mesh, 1.15)
    mesh.tube([(0.2, 0, 0.45), (0.2, 0, 1.0)], [0.17, 0.2], 12, "steel_green")


def _wheelie_bins(mesh: MeshBuilder) -> None:
    """Two household bins side by side."""
    for y, colour in ((0.0, "steel_dark"), (0.7, "steel_green")):
        mesh.loft([np.array([(-a, y - a, z), (a, y - a, z), (a, y + a, z), (-a, y + a, z)])
                   for a, z in ((0.24, 0.08), (0.3, 0.95), (0.31, 1.0), (0.26, 1.06))], colour)  # fmt: skip


def _bench(mesh: MeshBuilder) -> None:
    for k in range(4):
        mesh.box((-0.85, -0.05 + 0.13 * k, 0.43), (0.85, 0.05 + 0.13 * k, 0.47), "wood")
    for k in range(3):
        mesh.box((-0.85, 0.46 + 0.03 * k, 0.58 + 0.13 * k), (0.85, 0.49 + 0.03 * k, 0.67 + 0.13 * k), "wood")
    for x in (-0.65, 0.65):
        mesh.box((x - 0.03, -0.05, 0.0), (x + 0.03, 0.5, 0.43), "steel_dark")
        mesh.box((x - 0.03, 0.46, 0.43), (x + 0.03, 0.52, 0.95), "steel_dark")


def _cabinet(mesh: MeshBuilder) -> None:
    """Telephone or power cabinet."""
    mesh.box((-0.5, -0.18, 0.0), (0.5, 0.18, 0.1), "concrete")
    mesh.box((-0.48, -0.17, 0.1), (0.48, 0.17, 1.2), "steel_green")
    mesh.box((-0.52, -0.21, 1.2), (0.52, 0.21, 1.25), "steel_green")


def _column(mesh: MeshBuilder) -> None:
    """Advertising column."""
    mesh.tube([(0, 0, 0), (0, 0, 0.3), (0, 0, 0.31), (0, 0, 2.9)], [0.75, 0.75, 0.66, 0.66], 20, "concrete")
    mesh.tube([(0, 0, 2.9), (0, 0, 3.05), (0, 0, 3.45)], [0.8, 0.8, 0.15], 20, "steel_dark")


def _planter(mesh: MeshBuilder) -> None:
    """Concrete tub; the bush in it is placed as an object of its own."""
    mesh.tube([(0, 0, 0), (0, 0, 0.55)], [0.5, 0.62], 12, "concrete", caps=False)
    angle = np.arange(12) * 2 * math.pi / 12
    mesh.add(np.column_stack([0.6 * np.cos(angle), 0.6 * np.sin(angle), np.full(12, 0.5)]), [range(12)], "earth")


def _bicycle(mesh: MeshBuilder) -> None:
    """Bicycle on a stand."""
    for x in (-0.52, 0.52):
        angle = np.linspace(0, 2 * math.pi, 13)
        rim = np.column_stack([x + 0.33 * np.cos(angle), np.zeros(13), 0.34 + 0.33 * np.sin(angle)])
        mesh.tube(rim, [0.022] * 13, 3, "steel_dark", caps=False)
    frame = (((-0.52, 0, 0.34), (-0.12, 0, 0.32)), ((-0.12, 0, 0.32), (-0.22, 0, 0.88)), 
             ((-0.22, 0, 0.82), (0.34, 0, 0.84)), ((-0.12, 0, 0.32), (0.36, 0, 0.76)), 
             ((0.52, 0, 0.34), (0.32, 0, 1.0)), ((-0.52, 0, 0.34), (-0.2, 0, 0.8)))  # fmt: skip
    for start, end in frame:
        mesh.tube([start, end], [0.02, 0.02], 5, "sign_blue", caps=False)
    mesh.tube([(0.34, -0.28, 1.02), (0.32, 0, 1.0), (0.34, 0.28, 1.02)], [0.015] * 3, 4, "steel", caps=False)
    mesh.box((-0.34, -0.07, 0.88), (-0.12, 0.07, 0.93), "steel_dark")
    mesh.tube([(0, 0.25, 0), (0, 0.25, 0.75), (0.6, 0.25, 0.75), (0.6, 0.25, 0)], [0.025] * 4, 5, "steel", caps=False)


def _shelter(mesh: MeshBuilder) -> None:
    """Bus shelter, 4.2 m long; its open side is at -y."""
    for x in (-2.05, 0.0, 2.05):
        mesh.tube([(x, 1.3, 0), (x, 1.3, 2.4)], [0.045, 0.045], 6, "steel_dark")
    for x in (-2.05, 2.05):
        mesh.tube([(x, 0.1, 0), (x, 0.1, 2.4)], [0.045, 0.045], 6, "steel_dark")
        mesh.box((x - 0.012, 0.2, 0.25), (x + 0.012, 1.2, 2.1), "glass")
    for x in (-2.0, 0.05):
        mesh.box((x, 1.29, 0.25), (x + 1.95, 1.31, 2.1), "glass")
    mesh.box((-2.3, -0.25, 2.4), (2.3, 1.5, 2.52), "steel_dark")
    mesh.box((-1.5, 0.85, 0.42), (1.0, 1.2, 0.47), "wood")
    for x in (-1.3, 0.8):
        mesh.box((x - 0.03, 0.9, 0), (x + 0.03, 1.15, 0.42), "steel_dark")
    mesh.tube([(2.9, 0, 0), (2.9, 0, 2.7)], [0.04, 0.04], 8, "steel")
    mesh.box((2.87, -0.25, 2.2), (2.9, 0.25, 2.7), "steel_yellow")


def _cafe(mesh: MeshBuilder) -> None:
    """Table, two chairs and a parasol in front of a cafe."""
    mesh.tube([(0, 0, 0), (0, 0, 0.02), (0, 0, 0.03), (0, 0, 0.7)], [0.22, 0.22, 0.03, 0.03], 8, "steel_dark")
    mesh.tube([(0, 0, 0.7), (0, 0, 0.73)], [0.36, 0.36], 14, "wood")
    for x in (-0.65, 0.65):
        back = math.copysign(0.2, x)
        mesh.box((x - 0.2, -0.2, 0.43), (x + 0.2, 0.2, 0.47), "wood")
        mesh.box((x + back - 0.02, -0.2, 0.47), (x + back + 0.02, 0.2, 0.85), "wood")
        for dx in (-0.18, 0.18):
            for dy in (-0.18, 0.18):
                mesh.box((x + dx - 0.015, dy - 0.015, 0), (x + dx + 0.015, dy + 0.015, 0.43), "steel_dark", skip="-z+z")
    mesh.tube([(0, 0, 0.73), (0, 0, 2.3)], [0.025, 0.025], 6, "steel", caps=False)
    mesh.tube([(0, 0, 2.0), (0, 0, 2.45)], [1.25, 0.05], 8, "awning", caps=False)


FURNITURE = {
    "lamp": _lamp, "sign_limit": _sign_limit, "sign_parking": _sign_parking, "sign_yield": _sign_yield,
    "signal": _signal, "bollard": _bollard, "bin": _bin, "wheelie_bins": _wheelie_bins, "bench": _bench,
    "cabinet": _cabinet, "column": _column, "planter": _planter, "bicycle": _bicycle, "shelter": _shelter,
    "cafe": _cafe,
}  # fmt: skip


def furniture(name: str) -> MeshBuilder:
    """One thing of :data:`FURNITURE`."""
    mesh = MeshBuilder()
    FURNITURE[name](mesh)
    return mesh
