"""A whole car: body shell, cabin, wheels and what hangs on them, as meshes in numpy (no Blender needed)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .cabin import Cabin
from .curves import Array
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
    share: float = 1.0
    """How often it is drawn, against the others of its category."""


@dataclass(frozen=True)
class WheelPlace:
    """A wheel and where its hub is; left and right wheels of one shape share one mesh."""

    name: str
    mesh: PolyMesh
    """About the hub, outside towards +y."""
    hub_m: tuple[float, float, float]
    turned: bool
    """Turned half round the vertical: a right wheel."""

    @property
    def vertices(self) -> Array:
        """(N, 3) positions in the car's axes."""
        turn = (-1.0, -1.0, 1.0) if self.turned else (1.0, 1.0, 1.0)
        return np.asarray(self.mesh.vertices * np.array(turn) + np.array(self.hub_m))


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
    for tub in spec.tubs:
        body.extend(tub.build())
    for cabin in spec.cabins:
        body.extend(cabin.build())
    for part in spec.parts:
        part(body)
    body.snap()
    body.weld()
    meshes = {shape: build_wheel(shape) for shape in spec.wheels}
    for mesh in meshes.values():
        mesh.snap()
        mesh.weld()
    wheels = [
        place
        for k, (axle, shape) in enumerate(zip(spec.axles, spec.wheels, strict=True))
        for place in _pair(f"{spec.name}.wheel.{'R' if k else 'F'}", axle, shape, meshes[shape])
    ]
    return CarModel(spec, body, wheels)


def _pair(name: str, axle: Axle, shape: WheelShape, mesh: PolyMesh) -> list[WheelPlace]:
    """The two wheels of an axle, standing on the ground."""
    y, z = axle.track_m / 2 - shape.width_m / 2, -float(mesh.vertices[:, 2].min())
    left, right = (axle.x_m, y, z), (axle.x_m, -y, z)
    return [WheelPlace(f"{name}L", mesh, left, turned=False), WheelPlace(f"{name}R", mesh, right, turned=True)]
