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

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...geometry.frame import Instance
from ...geometry.view import CameraView
from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..balance import Balance
from ..conditions import Conditions
from ..kernels import Cars, Passes, Surfaces
from ..lanes.in_step import (
    LANES,
    anywhere,
    bare,
    choose,
    exponential,
    greatest,
    lanes_at,
    least,
    looked_up,
    narrow,
    put,
    whole,
)
from ..pixels.order import ROW_SHIFT
from ..pixels.view import ray, seen_point
from ..planck import radiance_in_step, temperature_in_step
from ..profiles import Profiles
from ..surface import Lattice, noise2, wrapped
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
_NEAREST_M, _NOWHERE_M = 0.3, np.float32(1e30)
_COLUMN = (1 << ROW_SHIFT) - 1


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


def mirror_street(
    passes: Passes, view: CameraView, values: Lattice, film: float, extinction_per_m: float, behind: float,
    forward: NDArray[np.float32], inverse: NDArray[np.float32], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Adds to the wet street of ``out``, (H, W) kelvin, the mirror images of what stands on it and is in the picture.

    ``out`` is contiguous. ``behind`` is the radiance that the street mirrors already in that place, that of houses.
    """
    passes = Passes(*map(np.ascontiguousarray, passes))
    places = _upward_street(passes)
    _mirror(
        places, passes.depth_m.reshape(-1), _fronts(passes), view, wrapped(values), film, extinction_per_m, behind,
        forward, inverse, out,
    )  # fmt: skip


@fast_kernel
def _upward_street(passes: Passes) -> NDArray[np.int32]:
    """Places (see :class:`..pixels.order.Order`) of level street, filled up to whole lanes with the last one."""
    depth, zones, normals = passes.depth_m, passes.zone, passes.normal
    height, width = zones.shape
    places, count = np.empty(zones.size + LANES, np.int32), 0
    for r in range(height):
        for c in range(width):
            zone = zones[r, c]
            is_street = (zone == Zone.ROAD) | (zone == Zone.ROAD_MARKING) | (zone == Zone.PAVEMENT)
            if is_street and depth[r, c] < _FAR_M and normals[r, c, 2] >= 0.9:
                places[count] = (r << ROW_SHIFT) + c
                count += 1
    while count % LANES:
        places[count] = places[count - 1]
        count += 1
    return places[:count].copy()


@fast_kernel
def _fronts(passes: Passes) -> NDArray[np.float32]:
    """(N,) depths of what stands on the ground, metres; of all else a distance that nothing reaches."""
    zones, ids, depth = passes.zone.reshape(-1), passes.instance_id.reshape(-1), passes.depth_m.reshape(-1)
    fronts = np.empty_like(depth)
    for k in range(fronts.size):
        zone = zones[k]
        on_ground = (zone == Zone.ROAD) | (zone == Zone.ROAD_MARKING) | (zone == Zone.PAVEMENT) | (zone == Zone.SOIL)
        stands = ids[k] > 0 if zone < FIRST_ENVIRONMENT_ZONE else not on_ground and zone != Zone.SKY
        fronts[k] = depth[k] if stands else _NOWHERE_M
    return fronts


@fast_kernel
def _mirror(
    places: NDArray[np.int32], depth_m: NDArray[np.float32], fronts_m: NDArray[np.float32], view: CameraView,
    values: Lattice, film: float, extinction_per_m: float, behind: float, forward: NDArray[np.float32],
    inverse: NDArray[np.float32], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Pixels of wet street in step."""
    height, width = out.shape
    at_once, depths, fronts, noise, kelvins = bare(places), bare(depth_m), bare(fronts_m), bare(values), bare(out)
    turn, eye, fx, fy, cx, cy = bare(view.rotation), bare(view.position_m), view.fx, view.fy, view.cx, view.cy
    radiances, temperatures = bare(forward), bare(inverse)
    for i in range(0, places.size, LANES):
        place = lanes_at(at_once, i)
        column, row = place & _COLUMN, place >> ROW_SHIFT
        at = row * width + column
        far = looked_up(depths, at)
        wx, wy, wz, length = ray(turn, fx, fy, cx, cy, column, row)
        dx, dy, dz = narrow(wx) / length, narrow(wy) / length, narrow(wz) / length
        away = least(1.0, greatest(0.0, 1.0 + dz))
        away2 = away * away
        strength = film * (WATER_REFLECTANCE + (1.0 - WATER_REFLECTANCE) * _GRAZING * away2 * away2 * away)
        shows = strength >= _LEAST
        if not anywhere(shows):
            continue
        px, py, _ = seen_point(eye, wx, wy, wz, far)
        # Ripples, grains and drops turn the mirror up and down, hardly sideways: images become upright streaks.
        ripples = 0.02 * noise2(noise, px * 9.0, py * 11.0) + 0.02 * noise2(noise, px * 31.0, py * 29.0)
        met = _met(
            shows, fronts, width, height, turn, fx, fy, cx, cy, column, row, far, dx, dy, greatest(0.004, ripples - dz)
        )
        meets = met >= 0
        if not anywhere(meets):
            continue
        strength = strength * (0.72 + 0.28 * noise2(noise, px * 0.9 + 5.0, py * 0.9))
        own = looked_up(kelvins, at)
        image = radiance_in_step(looked_up(kelvins, choose(meets, met, at)), radiances)
        through = exponential(-extinction_per_m * (far * length))
        seen = radiance_in_step(own, radiances) + strength * through * (image - behind)
        put(kelvins, at, choose(meets, temperature_in_step(seen, temperatures), own))


@inlined_kernel
def _met(
    looks: Any, fronts: NDArray[np.float32], width: int, height: int, turn: NDArray[np.float64], fx: float, fy: float,
    cx: float, cy: float, column: Any, row: Any, far: Any, dx: Any, dy: Any, rise: Any,
) -> Any:  # fmt: skip
    """Numbers of the pixels whose surfaces reflected rays meet; -1 where nothing in view, or where one does not look.

    Rays start at pixels of the street ``far`` metres ahead, and go on as (dx, dy, rise) in the world's axes.
    """
    right = narrow(looked_up(turn, 0)) * dx + narrow(looked_up(turn, 3)) * dy + narrow(looked_up(turn, 6)) * rise
    down = narrow(looked_up(turn, 1)) * dx + narrow(looked_up(turn, 4)) * dy + narrow(looked_up(turn, 7)) * rise
    ahead = narrow(looked_up(turn, 2)) * dx + narrow(looked_up(turn, 5)) * dy + narrow(looked_up(turn, 8)) * rise
    # Columns and rows are those of (right, down, ahead) times a distance, beside where the ray starts.
    aside, below = (narrow(column) + (0.5 - cx)) * far, (narrow(row) + (0.5 - cy)) * far
    right, down = right * fx, down * fy
    met = row * 0 - 1
    along = _FIRST_M
    for _ in range(_STEPS):
        z = far + along * ahead
        nearer = 1.0 / greatest(z, _NEAREST_M)
        u, v = (aside + along * right) * nearer + cx, (below + along * down) * nearer + cy
        looks = looks & (z >= _NEAREST_M) & (u >= 0.0) & (v >= 0.0) & (u < width) & (v < height) & (met < 0)
        if not anywhere(looks):
            break
        number = choose(looks, whole(v) * width + whole(u), 0)
        over = z - looked_up(fronts, number)
        met = choose(looks & (over > 0.0) & (over < 0.5 + 0.35 * along), number, met)
        along = along * _GROWTH
    return met
