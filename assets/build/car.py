"""A whole car: body shell, cabin, wheels and what hangs on them, as meshes in numpy (no Blender needed)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from renderer.zones import Zone

from .cabin import Cabin
from .mesh import PolyMesh
from .tub import Axle, Tub
from .wheel import WheelShape, build_wheel

__all__ = ["CarModel", "CarSpec", "WheelPlace", "build_car"]


@dataclass(frozen=True)
class CarSpec:
    """One model: published sizes, shapes, and extra parts."""

    name: str
    category: str
    source: str
    """Production vehicle that the sizes are those of, and who published them."""
    length_m: float
    width_m: float
    height_m: float
    wheelbase_m: float
    paint: tuple[float, float, float]
    axles: Sequence[Axle]
    wheels: Sequence[WheelShape]
    tubs: Sequence[Tub]
    cabins: Sequence[Cabin]
    parts: Sequence[Callable[[PolyMesh], None]] = ()


@dataclass(frozen=True)
class WheelPlace:
    """A wheel and where its hub is."""

    name: str
    mesh: PolyMesh
    hub_m: tuple[float, float, float]


@dataclass(frozen=True)
class CarModel:
    """Meshes of a car in its own axes: x forward, y left, z up, origin on the ground below the middle."""

    spec: CarSpec
    body: PolyMesh
    wheels: Sequence[WheelPlace]

    @property
    def triangles(self) -> int:
        """Triangles of body and wheels."""
        return self.body.triangles + sum(place.mesh.triangles for place in self.wheels)


def build_car(spec: CarSpec) -> CarModel:
    """Build the meshes of a model; the same specification gives the same arrays."""
    body = PolyMesh()
    for shell in (*spec.tubs, *spec.cabins):
        body.extend(shell.build())
    for part in spec.parts:
        part(body)
    body.weld()
    return CarModel(spec, body, [place for k, axle in enumerate(spec.axles) for place in _pair(spec, k, axle)])


def _pair(spec: CarSpec, k: int, axle: Axle) -> list[WheelPlace]:
    """The two wheels of an axle."""
    shape = spec.wheels[k]
    label = "F" if k == 0 else "R" if len(spec.axles) == 2 else f"R{k}"
    left = build_wheel(shape)
    right = PolyMesh()
    right.add(left.vertices * (-1, -1, 1), left.faces, left.zones)
    y = axle.track_m / 2 - shape.width_m / 2
    z = shape.radius_m
    return [
        WheelPlace(f"{spec.name}.wheel.{label}L", left, (axle.x_m, y, z)),
        WheelPlace(f"{spec.name}.wheel.{label}R", right, (axle.x_m, -y, z)),
    ]


def zones_present(model: CarModel) -> set[Zone]:
    """Zones of body and wheels."""
    meshes = [model.body, *(place.mesh for place in model.wheels)]
    return {Zone(int(z)) for mesh in meshes for z in np.unique(mesh.zones)}
