"""What moves of a two-wheeler and of its rider: parts that turn about axles, limbs that follow the pedals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from renderer.scene.sequences.turning import CRANK, LIMBS, PEDALS, WHEELS, Axle
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .mesh import ZonedMesh
from .skeleton import Posed, Skeleton
from .twowheelers import TwoWheeler

__all__ = ["MovingLimbs", "MovingParts", "moving_limbs", "moving_parts"]

Array = NDArray[np.float64]

_BONES = {
    "head": ("head", "neck02", "neck03", "jaw", "eye"),
    "thigh": ("upperleg",),
    "shank": ("lowerleg",),
    "foot": ("foot", "toe"),
}
_JOINTS = {"head": "neck02", "thigh": "upperleg01", "shank": "lowerleg01", "foot": "foot"}
_CENTRED_M = 0.004


@dataclass(frozen=True)
class MovingParts:
    """Of a vehicle."""

    axles: tuple[Axle, ...]
    part: NDArray[np.uint8]
    """(V,) which axle each vertex turns about, from 1; 0: about none."""


@dataclass(frozen=True)
class MovingLimbs:
    """Of a rider."""

    weights: NDArray[np.uint8]
    """(V, 7) of 255: how much each vertex follows each of :data:`LIMBS`."""
    joints_m: NDArray[np.float32]
    """(7, 3) their upper ends."""


def moving_parts(vehicle: TwoWheeler) -> MovingParts:
    """Whole pieces of the mesh, by where their middles are: wheels with spokes and brake discs, crank, pedals."""
    axles = [Axle(name, place) for name, place in zip(WHEELS, vehicle.hubs_m, strict=True)]
    arms: list[Array] = []
    if vehicle.crank_m is not None:
        axles.append(Axle(CRANK, vehicle.crank_m))
        axles += [Axle(name, place) for name, place in zip(PEDALS, vehicle.pedal_middles_m, strict=True)]
        crank = np.array(vehicle.crank_m)
        arms = [(crank + place) / 2 for place in map(np.array, vehicle.pedal_middles_m)]
    mesh = vehicle.mesh
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
    count = len(mesh.vertices_m)
    _, piece = connected_components(coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count)), directed=False)
    part = np.zeros(count, np.uint8)
    for number in np.unique(piece):
        points = mesh.vertices_m[piece == number]
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        for k, axle in enumerate(axles, start=1):
            if np.hypot(*(middle - axle.place_m)[[0, 2]]) < _CENTRED_M:
                part[piece == number] = k
        for middle_of_arm in arms:
            if np.hypot(*(middle - middle_of_arm)[[0, 2]]) < _CENTRED_M:
                part[piece == number] = 1 + [axle.name for axle in axles].index(CRANK)
    # The mesh was set on the ground after its hubs were chosen: a tyre of few corners has none at its lowest point.
    axles = [
        replace(axle, place_m=_middle(mesh.vertices_m[part == k])) if axle.name in WHEELS else axle
        for k, axle in enumerate(axles, start=1)
    ]
    return MovingParts(tuple(axles), part)


def _middle(points: Array) -> tuple[float, float, float]:
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return x, y, z


def moving_limbs(
    skeleton: Skeleton, posed: Posed, surface_weights: Array, on_head: int, mesh: ZonedMesh
) -> MovingLimbs:
    """How a rider's vertices follow head and legs.

    Args:
        skeleton: bones.
        posed: on the vehicle.
        surface_weights: (S, B) of the bones on the first vertices of the mesh, its skin and clothes.
        on_head: how many vertices after them are worn on the head; the rest is carried and keeps still.
        mesh: everything.
    """
    weights, joints = np.zeros((len(mesh.vertices_m), len(LIMBS))), np.zeros((len(LIMBS), 3))
    start = len(surface_weights)
    for k, limb in enumerate(LIMBS):
        kind, _, side = limb.partition(".")
        bones = [
            n
            for name, n in skeleton.number.items()
            if name.startswith(_BONES[kind]) and (not side or name.endswith(f".{side}"))
        ]
        weights[:start, k] = surface_weights[:, bones].sum(axis=1)
        joints[k] = posed.heads_m[skeleton.number[_JOINTS[kind] + (f".{side}" if side else "")]]
    weights[start : start + on_head, 0] = 1.0
    return MovingLimbs(np.round(255.0 * weights).astype(np.uint8), joints.astype(np.float32))
