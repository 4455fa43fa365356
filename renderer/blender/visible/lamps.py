"""Lamps that throw light: the sun, street lamps, headlamps of cars that are on the road."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...geometry.meshes import Mesh
from ...visible.daylight import Daylight
from ...zones.catalogue import Zone
from ...zones.categories import VEHICLES
from ..identity import LabelledObject

__all__ = ["Lamp", "add_lamps", "add_sun", "headlamps", "lights_are_on", "luminaires"]

Array = NDArray[np.float64]
_STREET_KLM_SR, _STREET_CONE_DEG = 0.9, 150.0
"""Luminous intensity of a street lamp: 6 klm into the half space below (assumed; LED lanterns have 4 to 12 klm)."""
_HEAD_KCD, _HEAD_CONE_DEG, _HEAD_DOWN = 5.0, 38.0, 0.06
"""Dipped headlamp: UN R149 asks for some kcd on the road before the car; it is aimed a little down."""
_MOST = {"street": 14, "head": 12}
_LOWEST_M = 2.6
"""What hangs lower lights nobody's way."""


@dataclass(frozen=True, eq=False)
class Lamp:
    """A lamp that shines into a cone."""

    place_m: Array
    """(3,)."""
    towards: Array
    """(3,) unit vector."""
    intensity_kcd: float
    cone_deg: float
    colour: tuple[float, float, float]


def lights_are_on(item: LabelledObject) -> bool:
    """Whether the lamps of a vehicle burn: somebody drives it."""
    return item.profile in ("driving", "idling") or item.profile.endswith("_ridden")


def luminaires(meshes: Iterable[tuple[str, Mesh, Array]], near_m: Array) -> list[Lamp]:
    """Street lamps, those nearest to a point.

    Args:
        meshes: names, meshes and poses (4, 4) of what stands still.
        near_m: (3,).
    """
    places = [place for name, mesh, pose in meshes if "signal" not in name for place in _hanging(mesh, pose)]
    lamps = [
        Lamp(place, np.array([0.0, 0.0, -1.0]), _STREET_KLM_SR, _STREET_CONE_DEG, (1.0, 0.8, 0.58)) for place in places
    ]
    return _nearest(lamps, near_m, _MOST["street"])


def _hanging(mesh: Mesh, pose: Array) -> Iterator[Array]:
    lit = mesh.zones == Zone.LUMINAIRE
    if not lit.any():
        return
    points = mesh.positions[mesh.triangles[lit]].reshape(-1, 3).astype(np.float64)
    world = points @ pose[:3, :3].T + pose[:3, 3]
    low, high = world.min(axis=0), world.max(axis=0)
    if high[2] > _LOWEST_M and float((high - low).max()) < 3.0:
        yield np.array([*((low + high) / 2)[:2], low[2] - 0.05])


def headlamps(objects: Iterable[LabelledObject], near_m: Array) -> list[Lamp]:
    """Headlamps of cars that are driven, those nearest to a point; arguments as for :func:`luminaires`."""
    driven = (item for item in objects if item.category in VEHICLES and lights_are_on(item))
    return _nearest([lamp for item in driven for lamp in _pair(item)], near_m, _MOST["head"])


def _pair(item: LabelledObject) -> Iterator[Lamp]:
    if item.extent_m is None:
        return
    (_, right, low), (front, left, high) = item.extent_m
    height = low + min(0.75, 0.4 * (high - low))
    towards = item.pose[:3, :3] @ np.array([1.0, 0.0, -_HEAD_DOWN])
    for side in (right, left):
        local = np.array([front + 0.08, 0.7 * side, height])
        place = item.pose[:3, :3] @ local + item.pose[:3, 3]
        yield Lamp(place, towards / np.linalg.norm(towards), _HEAD_KCD, _HEAD_CONE_DEG, (1.0, 0.95, 0.86))


def _nearest(lamps: Sequence[Lamp], near_m: Array, most: int) -> list[Lamp]:
    return sorted(lamps, key=lambda lamp: (float(np.linalg.norm(lamp.place_m - near_m)), *lamp.place_m.tolist()))[:most]


def add_lamps(collection: bpy.types.Collection, lamps: Iterable[Lamp]) -> None:
    """Put lamps into a collection."""
    for lamp in lamps:
        data = bpy.data.lights.new("gis visible", "SPOT")
        data.energy, data.color = 4.0 * math.pi * lamp.intensity_kcd, lamp.colour
        data.spot_size, data.spot_blend, data.shadow_soft_size = math.radians(lamp.cone_deg), 0.7, 0.06
        _aim(collection, data, lamp.towards, lamp.place_m)


def add_sun(collection: bpy.types.Collection, light: Daylight) -> None:
    """Put the sun into a collection, if it shines."""
    if light.sun_klx <= 0.0:
        return
    data = bpy.data.lights.new("gis visible", "SUN")
    data.energy, data.color, data.angle = light.sun_klx, light.sun_colour.tolist(), math.radians(0.53)
    _aim(collection, data, -light.towards_sun, np.zeros(3))


def _aim(collection: bpy.types.Collection, data: bpy.types.Light, towards: Array, place_m: Array) -> None:
    item = bpy.data.objects.new("gis visible", data)
    turn = Vector(towards.tolist()).to_track_quat("-Z", "Y")
    item.matrix_world = Matrix.Translation(place_m.tolist()) @ turn.to_matrix().to_4x4()
    collection.objects.link(item)
