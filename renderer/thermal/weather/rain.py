"""Rain on surfaces: everything near the wet-bulb temperature, and a street that mirrors what stands on it.

Sources:
    Hale, Querry 1973: water's refractive index in 8-14 um is 1.11 to 1.29, so that a film reflects 1 to 2 % of what
    comes from above and most of what comes at a grazing angle (Fresnel; here Schlick's approximation).
    :mod:`.humid`: how evaporation and the water that runs off tie wet surfaces to the wet-bulb temperature.
    McGuire, Mara, "Efficient GPU Screen-Space Ray Tracing", JCGT 3 (2014): the mirror image is looked up in the
    picture itself, along the reflected ray.
    Shares of what is wet, and ripples, are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...geometry.frame import Instance
from ...geometry.view import CameraView
from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..balance import Balance
from ..conditions import Conditions
from ..kernels import Cars, Passes, Surfaces
from ..planck import radiance_of, temperature_of
from ..profiles import Profiles
from ..surface import Lattice, noise2
from .humid import wet_bulb_K, wet_share

__all__ = ["WATER_REFLECTANCE", "mirror_street", "wet_surfaces"]

WATER_REFLECTANCE = 0.017
"""At normal incidence, mean of 8-14 um."""
_GRAZING = 0.85
"""Of Schlick's rise that a film over grains of asphalt keeps (assumed)."""
_STREET = (Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT)
_WETTED = {
    Zone.ROAD: 1.0, Zone.ROAD_MARKING: 1.0, Zone.PAVEMENT: 1.0, Zone.SOIL: 1.0, Zone.VEGETATION: 0.9, Zone.METAL: 0.9,
    Zone.TRUNK: 0.6, Zone.BUILDING: 0.45, Zone.WINDOW: 0.4, Zone.LUMINAIRE: 0.5,
}  # fmt: skip
"""How far each surface is wet, 0-1."""
_WETTED_OF_VEHICLES = {
    Zone.BODY: 0.8, Zone.ROOF: 1.0, Zone.BONNET: 1.0, Zone.GLASS: 0.9, Zone.TRIM: 0.8, Zone.LAMP: 0.8, Zone.TYRE: 0.9,
    Zone.FRAME: 0.8, Zone.SEAT: 0.9, Zone.GRILLE: 0.3, Zone.UNDERBODY: 0.4,
}  # fmt: skip
_STEPS, _FIRST_M, _GROWTH = 18, 0.3, 1.28
"""Of the reflected ray: 0.3 to 26 m."""
_LEAST = 0.02
"""Reflectance below which the mirror image is not looked for."""
_FAR_M = 1e7


def wet_surfaces(
    conditions: Conditions,
    profiles: Profiles,
    instances: Sequence[Instance],
    surfaces: Surfaces,
    balance: Balance,
    cars: Cars,
) -> None:
    """Brings the tables of surfaces, balance and vehicles to what rain leaves of them."""
    air_K, effects = conditions.air_temperature_K, conditions.effects
    wet_K, share = wet_bulb_K(air_K, conditions.relative_humidity), wet_share(air_K, conditions.wind_m_s)
    for zone, wet in {**_WETTED, **_WETTED_OF_VEHICLES}.items():
        left = 1.0 - wet * (1.0 - share)
        balance.diffuse_K[zone] *= left
        balance.sky_loss_K[zone] *= left
        balance.sun_K[zone] *= left
        if zone in _WETTED:
            _wet(surfaces.base_K, zone, air_K, air_K + wet * (wet_K - air_K), left)
            surfaces.variation_K[zone] *= left
    film = (effects.water_film if effects else None) or 0.0
    for zone in _STREET:
        surfaces.mirror[zone], surfaces.grazing[zone] = 0.3 + 0.45 * film, 0.3 + (_GRAZING - 0.3) * film
        surfaces.emissivity[zone] += film * (1.0 - WATER_REFLECTANCE - surfaces.emissivity[zone])
    for row, instance in enumerate(instances, start=1):
        if instance.profile not in profiles.people:
            for zone, wet in _WETTED_OF_VEHICLES.items():
                left = 1.0 - wet * (1.0 - share)
                _wet(cars.base_K[row], zone, air_K, air_K + wet * (wet_K - air_K), left)
                cars.variation_K[row, zone] *= left


def _wet(base_K: NDArray[np.float64], zone: Zone, air_K: float, towards_K: float, left: float) -> None:
    base_K[zone] = towards_K + (base_K[zone] - air_K) * left


@fast_kernel
def mirror_street(
    passes: Passes, view: CameraView, values: Lattice, film: float, extinction_per_m: float, behind: float,
    forward: NDArray[np.float32], inverse: NDArray[np.float32], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Adds to the wet street of ``out``, (H, W) kelvin, the mirror images of what stands on it and is in the picture.

    ``behind`` is the radiance that the street mirrors already in that place, that of houses.
    """
    depth, zones, ids, normals = passes.depth_m, passes.zone, passes.instance_id, passes.normal
    turn, eye, height, width = view.rotation, view.position_m, passes.zone.shape[0], passes.zone.shape[1]
    for r in range(height):
        cy = (r + 0.5 - view.cy) / view.fy
        for c in range(width):
            zone, far = int(zones[r, c]), float(depth[r, c])
            if (zone != Zone.ROAD and zone != Zone.ROAD_MARKING and zone != Zone.PAVEMENT) or not far < _FAR_M:
                continue
            if normals[r, c, 2] < 0.9:
                continue
            cx = (c + 0.5 - view.cx) / view.fx
            length = math.sqrt(cx * cx + cy * cy + 1.0)
            dx = (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) / length
            dy = (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) / length
            dz = (turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]) / length
            away = min(1.0, max(0.0, 1.0 + dz))
            strength = film * (WATER_REFLECTANCE + (1.0 - WATER_REFLECTANCE) * _GRAZING * away**5)
            if strength < _LEAST:
                continue
            distance = far * length
            px, py = eye[0] + dx * distance, eye[1] + dy * distance
            strength *= 0.72 + 0.28 * noise2(values, px * 0.9 + 5.0, py * 0.9)
            # Ripples, grains and drops turn the mirror up and down, hardly sideways: images become upright streaks.
            rise = max(
                0.004, -dz + 0.02 * noise2(values, px * 9.0, py * 11.0) + 0.02 * noise2(values, px * 31.0, py * 29.0)
            )
            met = _met(depth, zones, ids, view, cx, cy, far, dx, dy, rise)
            if met >= 0:
                image = radiance_of(out[met // width, met % width], forward)
                through = math.exp(-extinction_per_m * distance)
                seen = radiance_of(out[r, c], forward) + strength * through * (image - behind)
                out[r, c] = temperature_of(seen, inverse)


@fast_kernel
def _met(
    depth: NDArray[np.float32], zones: NDArray[np.uint8], ids: NDArray[np.uint16], view: CameraView,
    ax: float, ay: float, far: float, dx: float, dy: float, rise: float,
) -> int:  # fmt: skip
    """Row times width plus column of what a reflected ray from a point of the street meets; -1: nothing in view.

    The point is ``(ax, ay, 1)`` times ``far`` in the camera's axes, the ray's direction in the world's.
    """
    turn, fx, fy, cx, cy = view.rotation, view.fx, view.fy, view.cx, view.cy
    height, width = zones.shape
    right = turn[0, 0] * dx + turn[1, 0] * dy + turn[2, 0] * rise
    down = turn[0, 1] * dx + turn[1, 1] * dy + turn[2, 1] * rise
    ahead = turn[0, 2] * dx + turn[1, 2] * dy + turn[2, 2] * rise
    along = _FIRST_M
    for _ in range(_STEPS):
        z = far + along * ahead
        if z < 0.3:
            return -1
        nearer = 1.0 / z
        u = (ax * far + along * right) * nearer * fx + cx
        v = (ay * far + along * down) * nearer * fy + cy
        if u < 0.0 or v < 0.0 or u >= width or v >= height:
            return -1
        r, c = int(v), int(u)
        over = z - depth[r, c]
        if 0.0 < over < 0.5 + 0.35 * along and _stands(int(zones[r, c]), int(ids[r, c])):
            return r * width + c
        along *= _GROWTH
    return -1


@inlined_kernel
def _stands(zone: int, instance_id: int) -> bool:
    if zone < FIRST_ENVIRONMENT_ZONE:
        return instance_id > 0
    on_ground = zone == Zone.ROAD or zone == Zone.ROAD_MARKING or zone == Zone.PAVEMENT or zone == Zone.SOIL
    return not on_ground and zone != Zone.SKY
