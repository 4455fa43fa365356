"""Snow on ground, roofs, trees and cars: where it lies, and how warm it is.

Snow is nearly black in this band, insulates what is below, takes up little sun and cannot be warmer than melting ice.
So level snow is as cold as air and sky make it; the road that traffic keeps bare, walls and driven cars stay warm.

Sources:
    Hori et al., "In-situ measured spectral directional emissivity of snow and ice in the 8-14 um atmospheric window",
    Remote Sensing of Environment 100 (2006): 0.98 to 0.99 for fine snow at any angle, coarse grains 0.93 to 0.97 at 75
    degrees; Shafer 1971: 0.975 fresh, 0.985 crusted, from boxes.
    Oke, "Boundary Layer Climates", 1987: albedo of fresh snow up to 0.95, of old snow from 0.40.
    How much of a road, a tree or a row of parked cars is white is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...geometry.frame import Instance
from ...geometry.view import CameraView
from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..balance import SKY_VIEW, Balance
from ..conditions import Conditions
from ..kernels import Cars, Passes, Surfaces
from ..profiles import CarProfile, Material, Profiles
from ..surface import Lattice, noise2
from .effects import WeatherEffects

__all__ = [
    "MELTING_K",
    "ON_GROUND",
    "ON_OBJECT",
    "SnowCover",
    "has_stood",
    "lay_snow",
    "snow_albedo",
    "snow_cover",
    "snow_in",
    "snow_level_K",
    "warm_snow",
]

ON_GROUND, ON_OBJECT = 200, 30
"""Zone numbers of snow while a frame's temperatures are computed; no frame shows them."""

MELTING_K = 273.15
_EMISSIVITY = 0.98
_GRAZING = 0.06
"""Fine snow keeps 0.98 up to 75 degrees from the normal; coarse snow loses 0.03 there (Hori et al.), between them."""
_FRESH_ALBEDO, _OLD_ALBEDO, _AGEING_DAYS = 0.87, 0.45, 4.0
_VARIATION_K = 0.25
_WARMEST_ROAD_K = 2.5
"""A carriageway among snow is little warmer than melting ice (assumed; salt and sun keep it bare)."""
_BRINE_K = 266.0
"""Salt no longer keeps the road wet below."""
_ENGINE = (Zone.BONNET, Zone.ENGINE, Zone.EXHAUST)
_COLD_BONNET_K = 1.1
_DRIVEN_ROOF, _PARKED_ROOF = 0.12, 0.4
"""Share of driven cars, and of cars parked lately, whose roof has been left white (assumed)."""
_KEPT_DAYS = 2.5
"""Parked cars that are still covered: falls with this time (assumed)."""


class SnowCover(NamedTuple):
    """Where snow lies in a frame."""

    on_road: float
    """Share of the carriageway, 0-1."""
    on_trees: float
    """Share of the upper sides of plants, 0-1."""
    on_soil: float
    """1: grass is covered, 0: it sticks out everywhere."""
    on_object: NDArray[np.float64]
    """(R, 32) share of the upper sides of an object's zone, 0-1; rows as in :class:`..kernels.Cars`."""


def snow_albedo(age_days: float) -> float:
    """Share of the sunlight that snow throws back."""
    return _OLD_ALBEDO + (_FRESH_ALBEDO - _OLD_ALBEDO) * math.exp(-age_days / _AGEING_DAYS)


def snow_cover(
    effects: WeatherEffects,
    instances: Sequence[Instance],
    profiles: Profiles,
    rng_of: Callable[[Instance], np.random.Generator],
) -> SnowCover:
    """How much of what is white, for a frame's objects, each with a generator of its own."""
    depth_m, age = effects.snow_depth_m or 0.0, effects.snow_age_days or 0.0
    on_object = np.zeros((len(instances) + 1, FIRST_ENVIRONMENT_ZONE))
    kept = math.exp(-age / _KEPT_DAYS)
    for row, instance in enumerate(instances, start=1):
        draws = rng_of(instance).random(2)
        if instance.profile not in profiles.people:
            profile = profiles.vehicle(instance.profile)
            on_object[row] = _on_vehicle(profile, kept, *draws)
    return SnowCover(effects.snow_on_road or 0.0, effects.snow_on_trees or 0.0, min(1.0, depth_m / 0.06), on_object)


def _on_vehicle(profile: CarProfile, kept: float, chance: float, amount: float) -> NDArray[np.float64]:
    """Shares by zone, (32,): cars that have stood are covered, driven ones cleared but for some roofs."""
    shares = np.zeros(FIRST_ENVIRONMENT_ZONE)
    if _is_cold(profile) and chance < kept:
        shares[:] = 1.0
    elif chance < (_PARKED_ROOF if profile.airflow_m_s < 0.1 else _DRIVEN_ROOF):
        shares[Zone.ROOF] = 0.6 + 0.4 * amount
    return shares


def has_stood(profiles: Profiles, instance: Instance) -> bool:
    """Whether it is a vehicle that has stood for hours and gives off no heat."""
    if instance.profile in profiles.people:
        return False
    return _is_cold(profiles.vehicle(instance.profile))


def _is_cold(profile: CarProfile) -> bool:
    warmest = max((heat.mean_K for zone, heat in profile.heat.items() if zone in _ENGINE), default=0.0)
    return profile.airflow_m_s < 0.1 and warmest < _COLD_BONNET_K


def warm_snow(conditions: Conditions, profiles: Profiles, surfaces: Surfaces, balance: Balance, cars: Cars) -> None:
    """Fills the rows of snow in the tables of surfaces, balance and cars, and cools the carriageway."""
    effects = conditions.effects
    age = (effects.snow_age_days if effects else None) or 0.0
    air_K, leaf = conditions.air_temperature_K, profiles.materials[Zone.VEGETATION]
    sun, diffuse, loss = _gains(balance, leaf, 1.0 - snow_albedo(age))
    shaded_K = air_K + diffuse - SKY_VIEW * loss
    base_K = air_K
    if shaded_K >= MELTING_K:  # it melts everywhere, at one temperature
        base_K, sun, diffuse, loss = MELTING_K, 0.0 * sun, 0.0, 0.0
    else:
        sun = sun * min(1.0, (MELTING_K - shaded_K) / max(1e-6, float(sun.sum())))
    for zone in (ON_GROUND, ON_OBJECT):
        surfaces.emissivity[zone], surfaces.mirror[zone], surfaces.grazing[zone] = _EMISSIVITY, 0.0, _GRAZING
        surfaces.base_K[zone], surfaces.variation_K[zone] = base_K, _VARIATION_K
        balance.sun_K[zone], balance.diffuse_K[zone], balance.sky_loss_K[zone] = sun, diffuse, loss
    cars.base_K[:, ON_OBJECT], cars.variation_K[:, ON_OBJECT] = base_K, _VARIATION_K
    cars.sun_gain[:, ON_OBJECT], cars.gloss[:, ON_OBJECT] = 1.0, 0.0
    _cool_road(air_K, surfaces)


def snow_in(passes: Passes) -> NDArray[np.bool_]:
    """(H, W) where passes that :func:`lay_snow` has changed show snow."""
    return np.asarray((passes.zone == ON_GROUND) | (passes.zone == ON_OBJECT))


def snow_level_K(surfaces: Surfaces, balance: Balance) -> float:
    """Temperature of level snow without the sun's beam."""
    return float(surfaces.base_K[ON_GROUND] + balance.diffuse_K[ON_GROUND] - SKY_VIEW * balance.sky_loss_K[ON_GROUND])


def _gains(balance: Balance, leaf: Material, absorptance: float) -> tuple[NDArray[np.float64], float, float]:
    """Sun now and past (K,), light of the sky and loss to it of level snow: thin as a leaf, and open to all sides."""
    exposure = max(leaf.exposure, 1e-3)
    sunny = absorptance / (max(leaf.absorptance, 1e-3) * exposure)
    cold = _EMISSIVITY / (max(leaf.emissivity, 1e-3) * exposure)
    plants = Zone.VEGETATION
    return balance.sun_K[plants] * sunny, balance.diffuse_K[plants] * sunny, balance.sky_loss_K[plants] * cold


def _cool_road(air_K: float, surfaces: Surfaces) -> None:
    for zone in (Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT):
        surfaces.base_K[zone] = min(surfaces.base_K[zone], max(air_K, MELTING_K) + _WARMEST_ROAD_K)
        if air_K > _BRINE_K and zone != Zone.PAVEMENT:
            surfaces.mirror[zone], surfaces.grazing[zone] = 0.4, 0.4


@fast_kernel
def lay_snow(
    passes: Passes, view: CameraView, heading_rad: float, row_of_id: NDArray[np.int32], values: Lattice,
    cover: SnowCover, out: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Zones with snow.

    Copies ``passes.zone`` to ``out``, (H, W), and writes :data:`ON_GROUND` or :data:`ON_OBJECT` where snow lies.
    """
    depth, zones, ids, normals, parts = passes.depth_m, passes.zone, passes.instance_id, passes.normal, passes.part
    turn, eye, on_object = view.rotation, view.position_m, cover.on_object
    on_road, on_trees, on_soil = cover.on_road, cover.on_trees, cover.on_soil
    cos_h, sin_h = math.cos(heading_rad), math.sin(heading_rad)
    for r in range(zones.shape[0]):
        cy = (r + 0.5 - view.cy) / view.fy
        for c in range(zones.shape[1]):
            zone, up = int(zones[r, c]), normals[r, c, 2]
            out[r, c] = zone
            if up < 0.2 or zone == Zone.SKY:
                continue
            cx, distance = (c + 0.5 - view.cx) / view.fx, float(depth[r, c])
            px = eye[0] + (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) * distance
            py = eye[1] + (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) * distance
            if zone < FIRST_ENVIRONMENT_ZONE:
                share = on_object[row_of_id[ids[r, c]], zone]
                if share > 0.0 and _is_white(values, px, py, up, share):
                    out[r, c] = ON_OBJECT
            elif zone == Zone.ROAD or zone == Zone.ROAD_MARKING or zone == Zone.PAVEMENT:
                along, across = px * cos_h + py * sin_h, (py - eye[1]) * cos_h - (px - eye[0]) * sin_h
                on_pavement = zone == Zone.PAVEMENT
                if _is_white_road(values, along, across, 0.3 + 0.7 * on_road if on_pavement else on_road, on_pavement):
                    out[r, c] = ON_GROUND
            elif _is_white_else(values, zone, px, py, up, on_trees, on_soil, int(parts[r, c])):
                out[r, c] = ON_GROUND


@inlined_kernel
def _is_white(values: Lattice, px: float, py: float, up: float, share: float) -> bool:
    """Whether an upper side of a vehicle is covered: on what is flat enough, all of it or in patches."""
    edge = 0.1 * noise2(values, px * 4.1 + 7.0, py * 4.3)
    patch = 0.5 * noise2(values, px * 2.3, py * 2.1 + 31.0)
    return up + edge > 0.38 and share + patch > 0.45


@inlined_kernel
def _is_white_road(values: Lattice, along: float, across: float, share: float, walked: bool) -> bool:
    """Whether the carriageway is white at a place: wheels clear their tracks first, then the middle of the lane."""
    bare = 0.16 * noise2(values, along * 0.05 + 17.0, across * 0.7) + 0.1 * noise2(values, along * 0.8, across * 4.3)
    bare += 0.12 * noise2(values, along * 5.0, across * 13.0)
    if walked:
        return 1.6 * share - 0.3 > 0.5 + 1.6 * bare
    lane = across / 3.3
    lane = (lane - math.floor(lane + 0.5)) * 3.3
    track = abs(abs(lane) - 0.78) / 0.52
    wheels = max(0.0, 1.0 - track * track)
    return 1.9 * share - 0.35 > 0.3 + 0.9 * wheels + bare


@inlined_kernel
def _is_white_else(
    values: Lattice, zone: int, px: float, py: float, up: float, on_trees: float, on_soil: float, part: int
) -> bool:
    """Whether grass, plants, roofs of houses and the tops of other things are white."""
    if zone == Zone.SOIL:
        tuft = 0.45 * noise2(values, px * 1.7, py * 1.9) + 0.3 * noise2(values, px * 7.1, py * 6.7)
        return 1.5 * on_soil > 0.55 + tuft
    if zone == Zone.VEGETATION:
        clump = 0.4 * noise2(values, px * 2.9 + 3.0, py * 3.1) + 0.25 * noise2(values, px * 9.0, py * 11.0)
        return on_trees * (0.5 + up) > 0.45 + clump
    if zone == Zone.WINDOW or zone == Zone.LUMINAIRE:
        return False
    return up > 0.3 + 0.1 * noise2(values, px * 1.3, py * 1.1 + 3.0 * part)
