"""What stands beside roads besides plants: boxes, bins, letter boxes, hydrants, poles, signs, signals, lamps.

Each function builds one thing at the origin; x runs along the street, y points away from the lane, signs look to -x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from assets.build.city.furniture import FURNITURE, furniture
from assets.build.city.mesh import MeshBuilder

__all__ = ["thing_makers"]


def thing_makers() -> dict[str, Callable[[], MeshBuilder]]:
    """Makers of all things, those of the city among them."""
    makers = {name: partial(_made, make) for name, make in _THINGS.items()}
    return {**{name: partial(furniture, name) for name in FURNITURE}, **makers}


def _made(make: Callable[[MeshBuilder], None]) -> MeshBuilder:
    mesh = MeshBuilder()
    make(mesh)
    return mesh


def _transformer(mesh: MeshBuilder) -> None:
    """Pad-mounted transformer: a green steel box on concrete."""
    mesh.box((-0.95, -0.85, 0.0), (0.95, 0.85, 0.12), "concrete", skip="-z")
    mesh.box((-0.8, -0.35, 0.12), (0.8, 0.65, 1.25), "steel_green", skip="-z")
    mesh.box((-0.84, -0.7, 0.12), (0.84, -0.35, 1.05), "steel_green", skip="-z+y")
    mesh.box((-0.85, -0.4, 1.25), (0.85, 0.7, 1.31), "steel_green")


def _signal_box(mesh: MeshBuilder) -> None:
    """Cabinet of a traffic signal."""
    mesh.box((-0.55, -0.4, 0.0), (0.55, 0.4, 0.15), "concrete", skip="-z")
    mesh.box((-0.45, -0.32, 0.15), (0.45, 0.32, 1.6), "steel", skip="-z")
    mesh.box((-0.5, -0.37, 1.6), (0.5, 0.37, 1.66), "steel")


def _cart(mesh: MeshBuilder, x: float, y: float, material: str) -> None:
    """One wheeled bin of 95 gallons."""
    rings = [(0.22, 0.26, 0.1), (0.29, 0.34, 1.0), (0.31, 0.36, 1.03), (0.26, 0.3, 1.12)]
    mesh.loft([np.array([(x - a, y - b, z), (x + a, y - b, z), (x + a, y + b, z), (x - a, y + b, z)])
               for a, b, z in rings], material)  # fmt: skip
    for side in (-0.25, 0.2):
        mesh.tube([(x + side, y + 0.32, 0.13), (x + side + 0.05, y + 0.32, 0.13)], [0.13, 0.13], 8, "plastic_grey")


def _carts(count: int) -> Callable[[MeshBuilder], None]:
    def make(mesh: MeshBuilder) -> None:
        for k in range(count):
            _cart(mesh, 0.85 * k, 0.05 * (k % 2), ("plastic_grey", "plastic_blue", "steel_green")[k % 3])

    return make


def _letter_box(mesh: MeshBuilder) -> None:
    """Letter box on a post at the kerb."""
    mesh.box((-0.05, 0.0, 0.0), (0.05, 0.1, 1.05), "wood")
    arch = [
        (-0.25, y, z) for y, z in ((-0.1, 1.05), (0.12, 1.05), (0.12, 1.2), (0.07, 1.29), (-0.05, 1.29), (-0.1, 1.2))
    ]
    mesh.loft([np.array(arch)[::-1], (np.array(arch) + np.array([0.5, 0.0, 0.0]))[::-1]], "steel_dark")


def _mail_drop(mesh: MeshBuilder) -> None:
    """Public letter box."""
    for x in (-0.2, 0.2):
        mesh.box((x - 0.04, -0.2, 0.0), (x + 0.04, 0.2, 0.15), "plastic_blue")
    side = [
        (-0.26, y, z) for y, z in ((-0.26, 0.15), (0.26, 0.15), (0.26, 1.1), (0.14, 1.28), (-0.14, 1.28), (-0.26, 1.1))
    ]
    mesh.loft([np.array(side)[::-1], (np.array(side) + np.array([0.52, 0.0, 0.0]))[::-1]], "plastic_blue")


def _hydrant(mesh: MeshBuilder) -> None:
    mesh.tube(
        [(0, 0, 0), (0, 0, 0.06), (0, 0, 0.07), (0, 0, 0.6), (0, 0, 0.72)],
        [0.17, 0.17, 0.11, 0.11, 0.04],
        9,
        "steel_yellow",
    )
    mesh.tube([(-0.19, 0, 0.45), (0.19, 0, 0.45)], [0.055, 0.055], 7, "steel_yellow")
    mesh.tube([(0, -0.19, 0.42), (0, 0, 0.42)], [0.07, 0.07], 7, "steel_yellow")


def _pole(mesh: MeshBuilder) -> None:
    """Wooden pole with crossarms and a transformer."""
    mesh.tube([(0, 0, -0.1), (0, 0, 10.5)], [0.17, 0.12], 8, "bark")
    for z in (9.9, 8.7):
        mesh.box((-0.05, -1.3, z - 0.06), (0.05, 1.3, z + 0.06), "bark")
        for y in (-1.2, -0.6, 0.6, 1.2):
            mesh.tube([(0, y, z + 0.06), (0, y, z + 0.22)], [0.04, 0.03], 5, "steel")
    mesh.tube([(0.36, 0, 7.2), (0.36, 0, 8.2)], [0.24, 0.24], 9, "steel")


def _plate(mesh: MeshBuilder, z: float, radius: float, sides: int, face: str, phase: float) -> None:
    angle = np.arange(sides) * 2 * math.pi / sides + phase
    ring = np.column_stack([np.zeros(sides), radius * np.cos(angle), z + radius * np.sin(angle)])
    mesh.add(ring - [0.06, 0, 0], [range(sides - 1, -1, -1)], face)
    mesh.add(ring - [0.045, 0, 0], [range(sides)], "steel")


def _sign_stop(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 2.75)], [0.03, 0.03], 6, "steel")
    _plate(mesh, 2.35, 0.41, 8, "sign_stop", math.pi / 8)


def _sign_warning(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 2.7)], [0.03, 0.03], 6, "steel")
    _plate(mesh, 2.3, 0.5, 4, "steel_yellow", 0.0)


def _sign_speed(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 2.75)], [0.03, 0.03], 6, "steel")
    mesh.box((-0.06, -0.31, 1.95), (-0.04, 0.31, 2.72), "sign_face")


def _sign_street(mesh: MeshBuilder) -> None:
    """Two name plates on a post at a corner."""
    mesh.tube([(0, 0, 0), (0, 0, 3.0)], [0.03, 0.03], 6, "steel")
    mesh.box((-0.02, -0.45, 2.75), (0.02, 0.45, 2.95), "steel_green")
    mesh.box((-0.45, -0.02, 2.97), (0.45, 0.02, 3.17), "steel_green")


def _sign_board(mesh: MeshBuilder) -> None:
    """Sign of shops on two legs, or a monument sign: a slab by the road."""
    mesh.box((-0.25, -1.6, 0.0), (0.25, 1.6, 0.5), "block_wall", skip="-z")
    mesh.box((-0.18, -1.5, 0.5), (0.18, 1.5, 1.9), "sign", skip="-z")


def _sign_tall(mesh: MeshBuilder) -> None:
    mesh.tube([(0, 0, 0), (0, 0, 6.5)], [0.16, 0.14], 8, "steel_dark")
    mesh.box((-0.2, -1.4, 5.0), (0.2, 1.4, 7.4), "sign_face")


def _cobra_lamp(mesh: MeshBuilder) -> None:
    """Street lamp of 9 m on a steel pole."""
    mesh.tube([(0, 0, 0), (0, 0, 0.35), (0, 0, 0.36), (0, 0, 8.4)], [0.2, 0.2, 0.1, 0.06], 8, "steel", caps=False)
    mesh.tube([(0, 0, 8.3), (0, -0.9, 8.95), (0, -2.4, 9.15)], [0.05, 0.045, 0.04], 6, "steel", caps=False)
    mesh.box((-0.15, -3.0, 9.08), (0.15, -2.35, 9.24), "steel", skip="-z")
    mesh.polygon("lamp", (-0.14, -2.4, 9.07), (0.14, -2.4, 9.07), (0.14, -2.98, 9.07), (-0.14, -2.98, 9.07))


def _head(mesh: MeshBuilder, x: float, y: float, z: float) -> None:
    """Three lamps in a housing that looks to -x; one of them is lit."""
    mesh.box((x - 0.12, y - 0.18, z - 0.55), (x + 0.1, y + 0.18, z + 0.55), "steel_dark")
    for k, lit in ((-0.33, False), (0.0, False), (0.33, True)):
        mesh.tube([(x - 0.125, y, z + k), (x - 0.14, y, z + k)], [0.11, 0.11], 9, "lamp" if lit else "steel_dark")


def _mast_signal(mesh: MeshBuilder) -> None:
    """Signals on a mast arm of 8 m over the road, one on the pole."""
    mesh.tube([(0, 0, 0), (0, 0, 6.6)], [0.17, 0.12], 9, "steel")
    mesh.tube([(0, 0, 5.6), (0, -4.0, 6.0), (0, -8.5, 6.1)], [0.1, 0.08, 0.05], 7, "steel")
    for y in (-4.6, -8.2):
        _head(mesh, -0.15, y, 5.75)
    _head(mesh, -0.25, 0.0, 3.1)
    mesh.box((-0.06, -3.2, 5.65), (-0.03, -1.4, 6.0), "steel_green")


def _boulders(mesh: MeshBuilder) -> None:
    rng = np.random.default_rng(7)
    for x, y, r in ((0.0, 0.0, 0.55), (0.8, 0.2, 0.35), (-0.5, 0.5, 0.28)):
        mesh.blob(
            (x, y, 0.35 * r), (r, 0.8 * r, 0.7 * r), "rock", rings=4, sides=8, bumps=rng.uniform(0.8, 1.15, (4, 8))
        )


def _cone(mesh: MeshBuilder) -> None:
    mesh.box((-0.18, -0.18, 0.0), (0.18, 0.18, 0.03), "plastic_grey")
    mesh.tube([(0, 0, 0.03), (0, 0, 0.72)], [0.13, 0.03], 8, "awning")


def _dumpster(mesh: MeshBuilder) -> None:
    mesh.box((-1.0, -0.65, 0.12), (1.0, 0.65, 1.2), "steel_green")
    mesh.polygon("plastic_grey", (-1.02, -0.7, 1.22), (1.02, -0.7, 1.22), (1.02, 0.68, 1.42), (-1.02, 0.68, 1.42))


def _air_conditioner(mesh: MeshBuilder) -> None:
    mesh.box((-0.42, -0.42, 0.05), (0.42, 0.42, 0.85), "steel")


def _meter_box(mesh: MeshBuilder) -> None:
    """Utility pedestal: a narrow box of a metre."""
    mesh.box((-0.16, -0.13, 0.0), (0.16, 0.13, 0.95), "plastic_grey", skip="-z")


_THINGS: dict[str, Callable[[MeshBuilder], None]] = {
    "transformer": _transformer, "signal_box": _signal_box, "carts.1": _carts(1), "carts.2": _carts(2),
    "carts.3": _carts(3), "letter_box": _letter_box, "mail_drop": _mail_drop, "hydrant": _hydrant, "pole": _pole,
    "stop": _sign_stop, "warning": _sign_warning, "speed": _sign_speed, "street_name": _sign_street,
    "board": _sign_board, "tall_sign": _sign_tall, "cobra_lamp": _cobra_lamp, "mast_signal": _mast_signal,
    "boulders": _boulders, "cone": _cone, "dumpster": _dumpster, "air_conditioner": _air_conditioner,
    "meter_box": _meter_box,
}  # fmt: skip
