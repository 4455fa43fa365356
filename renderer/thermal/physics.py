"""Apparent temperatures of a frame: what an ideal thermal camera would read, pixel by pixel.

A pixel's radiance is what its surface emits, plus what it reflects of sky, street and ground, seen through the air:

    L = tau [ e(theta) B(T) + (1 - e(theta)) (m L_mirror + (1 - m) L_around) ] + (1 - tau) B(T_air)

``T`` is air temperature, plus the balance with sun and sky, plus what the thermal profile adds, plus the pattern inside
the zone. ``e(theta)`` falls towards grazing incidence (Schlick's approximation of Fresnel's formula), which is why
a bonnet at 8 degC shows the cold sky. Glass is opaque in this band: windows are mirrors. See docs/thermal.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Frame, Instance
from ..optional import njit
from ..random_streams import Draw, Stream
from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE, ZONES, Zone
from .atmosphere import clear_sky_emissivity, path_transmittance, sky_emissivity
from .balance import SKY_VIEW, Balance, cloud_closure, surface_balance, transfer_W_m2K
from .conditions import Conditions
from .ground import ground_effects
from .planck import LWIR, Band, BandTable, band_radiance, band_table, radiance_of, temperature_of
from .profiles import Profiles
from .surface import (
    building_pattern,
    car_pattern,
    lattice,
    noise2,
    pavement_pattern,
    person_warmth,
    road_pattern,
    sun_dapple,
    vegetation_pattern,
    wheel_pattern,
    window_pattern,
)

__all__ = ["ThermalImage", "render_thermal", "road_temperature_K"]

_BODY_K = 306.5
"""Skin of the face in mild air: 33 degC."""
_LAMP_HEAT_K = 11.0
"""Street lamp while lit, above air (assumed)."""
_ROWS = 512
_NEAR_M, _FAR_M = 0.125, 2047.0
# Rows of the table of transmittance: exponent and 6 bits of mantissa of a float32.
_SHIFT, _FIRST_ROW, _LAST_ROW = 17, 124 << 6, 138 << 6
_REST, _PER_REST = (1 << _SHIFT) - 1, 1.0 / (1 << _SHIFT)

_Float = NDArray[np.float64]


@dataclass(frozen=True)
class ThermalImage:
    """What an ideal camera reads."""

    apparent_temperature_K: NDArray[np.float32]
    """(H, W): temperature of the black body that would give the pixel's radiance in the band."""


def render_thermal(
    frame: Frame, conditions: Conditions, profiles: Profiles, draw: Draw, band: Band = LWIR, *, cars_only: bool = False
) -> ThermalImage:
    """Apparent temperature of every pixel at the aperture.

    Args:
        frame: passes; with normals and parts the picture is better, without normals they are taken from depth.
        conditions: weather and hour.
        profiles: materials and car profiles.
        draw: seed of the dataset and number of the frame; what varies between objects follows from them.
        band: of the detector.
        cars_only: leave all pixels without an instance at air temperature.

    Raises:
        ThermalError: an instance has a profile that the file lacks.
    """
    table = band_table(band)
    balance = surface_balance(conditions, profiles, band)
    rng = draw.rng(Stream.SURFACE)
    zones = _zone_rows(conditions, profiles, balance, rng)
    cars = _car_rows(frame.instances, conditions, profiles, rng)
    around = _surroundings(conditions, zones, balance, table)
    heat, shade = ground_effects(frame, profiles, balance, [rng.standard_normal() for _ in frame.instances])
    normal = frame.normal if frame.normal is not None else normals_from_depth(frame)
    part = frame.part if frame.part is not None else np.zeros(frame.zone.shape, np.uint16)
    out = np.empty(frame.zone.shape, dtype=np.float32)
    _render(
        frame.depth_m, frame.zone, frame.instance_id, part, normal, heat, shade, lattice(draw.seed),
        _view(frame), zones, balance.sun_world, balance.sun_K, *cars, _wheels(frame),
        around.sky, around.numbers, _transmittance(conditions), table.forward, table.inverse,
        cars_only, out,
    )  # fmt: skip
    return ThermalImage(out)


def road_temperature_K(conditions: Conditions, profiles: Profiles) -> float:
    """Temperature of the open road under these conditions, without its pattern."""
    zones = _zone_rows(conditions, profiles, surface_balance(conditions, profiles), None)
    return _level_K(zones, surface_balance(conditions, profiles), Zone.ROAD)


def normals_from_depth(frame: Frame) -> NDArray[np.float32]:
    """World normals facing the camera from differences of neighbouring points: (H, W, 3); 0 where nothing was hit."""
    depth = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0)
    points = frame.camera.rays() * depth[..., None]
    down, right = np.gradient(points, axis=(0, 1))
    normal = np.cross(right, down)
    normal *= np.where((normal * points).sum(axis=-1) > 0, -1.0, 1.0)[..., None]
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal[depth == 0] = 0.0
    return np.ascontiguousarray(normal @ frame.cam_to_world[:3, :3].T, dtype=np.float32)


# --- rows of numbers for the kernel -----------------------------------------------------------------------------------

# Columns of the zone rows.
_EMISSIVITY, _MIRROR, _GRAZING, _BASE, _VARIATION, _DIFFUSE, _LOSS = range(7)


def _zone_rows(conditions: Conditions, profiles: Profiles, balance: Balance, rng: np.random.Generator | None) -> _Float:
    """(256, 7): optical constants, temperature before sun and sky, and their gains."""
    rows = np.zeros((256, 7))
    wet = conditions.weather == "rain"
    air_K = conditions.air_temperature_K
    spread = np.zeros(256) if rng is None else np.clip(rng.standard_normal(256), -2.5, 2.5)
    for info in ZONES:
        zone, material = info.zone, profiles.materials[info.zone]
        base = air_K + material.heat.mean_K + material.heat.deviation_K * spread[zone]
        base += material.indoor * max(0.0, 293.15 - air_K)
        mirror, grazing, variation = material.mirror, material.grazing, material.heat.variation_K
        if wet and zone in (Zone.ROAD, Zone.PAVEMENT, Zone.ROAD_MARKING):
            # A film of water is smooth, and evens temperatures out.
            mirror, grazing = 0.8, 0.9
        if wet or conditions.weather == "fog":
            variation *= 0.5
        if zone == Zone.LUMINAIRE and conditions.sun_elevation_deg < -1.0:
            base += _LAMP_HEAT_K
        diffuse, loss = balance.diffuse_K[zone], balance.sky_loss_K[zone]
        rows[zone] = material.emissivity, mirror, grazing, base, variation, diffuse, loss
    rows[Zone.PERSON, _BASE] = air_K
    return rows


def _level_K(zones: _Float, balance: Balance, zone: Zone) -> float:
    """Temperature of a level surface of that zone in the open street."""
    sun = float((balance.sun_K[zone] * np.maximum(balance.sun_world[:, 2], 0.0)).sum())
    return float(zones[zone, _BASE] + sun + zones[zone, _DIFFUSE] - SKY_VIEW * zones[zone, _LOSS])


def _car_rows(
    instances: Sequence[Instance], conditions: Conditions, profiles: Profiles, rng: np.random.Generator
) -> tuple[NDArray[np.int32], _Float, _Float, _Float]:
    """Row of each id; world to model (R, 3, 4); temperature and variation per zone (R, 32, 2); numbers (R, 6)."""
    row_of = np.zeros(65536, dtype=np.int32)
    to_model = np.zeros((len(instances) + 1, 3, 4))
    heat = np.zeros((len(instances) + 1, FIRST_ENVIRONMENT_ZONE, 2))
    numbers = np.ones((len(instances) + 1, 6))
    # An id that no instance explains is a surface at air temperature.
    heat[0, :, 0] = conditions.air_temperature_K
    still = transfer_W_m2K(conditions.wind_m_s)
    for row, instance in enumerate(instances, start=1):
        row_of[instance.id] = row
        profile = profiles.car(instance.profile)
        to_model[row] = world_to_local(instance.object_to_world)
        # One draw for the whole car (how long, how fast) and one for each zone.
        shared, own = rng.standard_normal(), rng.standard_normal(FIRST_ENVIRONMENT_ZONE)
        spread = np.clip(0.7 * shared + 0.7 * own, -2.2, 2.2)
        for zone, zone_heat in profile.heat.items():
            kelvin = zone_heat.mean_K + zone_heat.deviation_K * spread[zone]
            heat[row, zone] = conditions.air_temperature_K + kelvin, zone_heat.variation_K
        flow = still / transfer_W_m2K(conditions.wind_m_s + profile.airflow_m_s)
        box = instance.box_3d
        numbers[row] = (
            box.length_m / 2, box.width_m / 2, box.height_m, profile.sun * flow, flow, rng.uniform(0.0, 200.0),
        )  # fmt: skip
    return row_of, to_model, heat, numbers


def _wheels(frame: Frame) -> _Float:
    """(P + 1, 14) for each part: world to local (12), wheel radius (0: not a wheel), a number of its own."""
    rows = np.zeros((len(frame.parts) + 1, 14))
    rows[:, 13] = np.arange(len(rows))
    rows[1:, 2] = [part.local_to_world[2, 3] for part in frame.parts]
    ground = {i.id: world_to_local(i.object_to_world) for i in frame.instances}
    for number, part in enumerate(frame.parts, start=1):
        if part.instance_id not in ground:
            continue
        hub = (ground[part.instance_id] * part.local_to_world[:, 3]).sum(axis=1)
        # A wheel's origin is its hub: at a wheel's height, and off the middle of the car.
        if 0.15 < hub[2] < 0.8 and abs(hub[1]) > 0.4:
            scale = math.sqrt(float((part.local_to_world[:3, 0] ** 2).sum()))
            rows[number, :12] = scale * world_to_local(part.local_to_world).ravel()
            rows[number, 12] = hub[2]
    return rows


@dataclass(frozen=True)
class _Surroundings:
    """What surfaces mirror."""

    sky: _Float
    """(512, 3) by square root of the sine of elevation: mean sky, clear sky, what a cloud adds; W m-2 sr-1."""
    numbers: _Float
    """Radiance of air, ground, houses and trees, and of the whole sky weighted by cosine; cloud cover, its contrast,
    share of sun that dapples, air temperature, warming of foliage by the sun."""


def _surroundings(conditions: Conditions, zones: _Float, balance: Balance, table: BandTable) -> _Surroundings:
    """Radiance of sky, ground and houses."""
    air_K, band = conditions.air_temperature_K, table.band
    air = float(band_radiance(air_K, band))
    closure = cloud_closure(conditions, band)
    sine = np.linspace(0.0, 1.0, _ROWS) ** 2
    emissivity = sky_emissivity(clear_sky_emissivity(air_K, conditions.relative_humidity), np.arcsin(sine))
    emissivity[0] = 1.0
    whole = conditions.weather in ("overcast", "rain", "fog")
    # Broken clouds are taken 8 K colder than the air, a cover as cold as the zenith says.
    cloud = air * closure if whole else float(band_radiance(air_K - 8.0, band))
    cover = 1.0 if whole else min(1.0, closure * air / cloud)
    # A sky colder than the clear sky of this humidity is taken at its word.
    zenith = float(band_radiance(conditions.sky_temperature_K, band)) / air
    if zenith < emissivity[-1]:
        emissivity = sky_emissivity(zenith, np.arcsin(sine))
    clear, added = emissivity * air, (1.0 - emissivity) * cloud
    mean = clear + cover * added
    weighted = mean * 2.0 * sine
    hemisphere = float(((weighted[1:] + weighted[:-1]) / 2 * np.diff(sine)).sum())
    ground_K = _level_K(zones, balance, Zone.ROAD)
    walls_K = air_K + 0.4 * (zones[Zone.BUILDING, _BASE] - air_K) + 0.7 * zones[Zone.BUILDING, _DIFFUSE]
    walls_K += 0.3 * float(balance.sun_K[Zone.BUILDING].sum()) - 0.2 * zones[Zone.BUILDING, _LOSS]
    ground, walls = band_radiance([ground_K, walls_K], band)
    contrast = 0.0 if conditions.weather == "fog" else 0.12 if whole else 1.0
    sunny = {"clear": 0.75, "cloudy": 0.6}.get(conditions.weather, 0.0)
    foliage = 0.4 * float(balance.sun_K[Zone.VEGETATION].sum())
    numbers = np.array([air, ground, walls, hemisphere, cover, contrast, sunny, air_K, foliage])
    return _Surroundings(np.stack([mean, clear, added], axis=1), numbers)


def _transmittance(conditions: Conditions) -> _Float:
    """By distance, 64 equal steps in each octave from 1/8 m to 2 km: the bits of a float32 are its index."""
    distance = (np.arange(_FIRST_ROW, _LAST_ROW + 1, dtype=np.int32) << _SHIFT).view(np.float32).astype(np.float64)
    return path_transmittance(
        distance, conditions.air_temperature_K, conditions.relative_humidity, conditions.visibility_m
    )


def _view(frame: Frame) -> _Float:
    """(17,): rotation row by row (9), position (3), fx, fy, cx, cy, and the street's direction (quantised heading)."""
    camera, pose = frame.camera, frame.cam_to_world
    heading = math.atan2(pose[1, 2], pose[0, 2])
    # Patterns along the road should not turn with a few degrees of steering: the heading is rounded to 15 degrees.
    heading = round(heading / (math.pi / 12)) * (math.pi / 12)
    return np.concatenate([pose[:3, :3].ravel(), pose[:3, 3], [camera.fx, camera.fy, camera.cx, camera.cy, heading]])


# --- the kernel -------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}, inline="always")
def _sky_at(sky: Any, column: int, sine: Any) -> Any:
    """Sky table at a sine of elevation."""
    position = math.sqrt(min(max(sine, 0.0), 1.0)) * (sky.shape[0] - 1.0001)
    row = int(position)
    return sky[row, column] + (position - row) * (sky[row + 1, column] - sky[row, column])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _sky_radiance(values: Any, sky: Any, numbers: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """Sky in a direction: clear air, and clouds on a plane above."""
    clear, added = _sky_at(sky, 1, dz), _sky_at(sky, 2, dz)
    cover, contrast = numbers[4], numbers[5]
    far = 1.0 / (max(dz, 0.0) + 0.12)
    x, y = dx * far, dy * far
    bend = 0.4 * noise2(values, x * 0.5 + 11.0, y * 0.5)
    n = 0.6 * noise2(values, x * 0.55 + bend, y * 0.8) + 0.32 * noise2(values, x * 1.7, y * 1.9 + bend)
    n += 0.16 * noise2(values, x * 4.3, y * 4.1) + 0.07 * noise2(values, x * 9.7, y * 9.1)
    if contrast < 0.5:  # closed cover, structure in its base
        return clear + added * (cover + contrast * n * 0.5)
    edge = 1.1 * (0.5 - cover)
    t = min(1.0, max(0.0, (n - edge + 0.3) / 0.6))
    thin = 0.04 * max(0.0, n + 0.2)  # no clear sky is without a veil
    return clear + added * min(1.0, t * t * (3.0 - 2.0 * t) * min(1.0, cover * 6.0) + thin)


# Rows of the buffer that holds one line of the picture between the steps below.
_DX, _DY, _DZ, _DISTANCE, _PX, _PY, _PZ, _FACING, _DIRECT, _KELVIN, _IRON = range(11)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _render(
    depth: Any, zones: Any, ids: Any, parts: Any, normals: Any, ground_K: Any, shade: Any, values: Any, view: Any,
    rows: Any, sun_world: Any, sun_K: Any, row_of: Any, to_model: Any, heat: Any, cars: Any, wheels: Any, sky: Any,
    numbers: Any, through: Any, forward: Any, inverse: Any, cars_only: Any, out: Any,
) -> None:  # fmt: skip
    """All pixels of a frame, line by line; see the module's docstring for the formula.

    A line at a time goes through four steps with a small buffer between them: short loops over plain arrays are what
    the compiler makes fast code of.
    """
    line = np.empty((11, zones.shape[1]))
    for r in range(zones.shape[0]):
        _geometry(r, depth, zones, normals, view, sun_world, sun_K, line)
        _street(r, zones, ids, parts, normals, ground_K, shade, values, view, rows, wheels, numbers, cars_only, line)
        _cars(r, zones, ids, parts, normals, values, view, rows, row_of, to_model, heat, cars, wheels, line)
        _radiance(r, zones, ids, normals, values, rows, sky, numbers, through, forward, inverse, cars_only, line, out)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _geometry(r: Any, depth: Any, zones: Any, normals: Any, view: Any, sun_world: Any, sun_K: Any, line: Any) -> None:
    """Ray, point, angle of view and direct sun of each pixel of a line."""
    cy = (r + 0.5 - view[15]) / view[13]
    for c in range(zones.shape[1]):
        cx = (c + 0.5 - view[14]) / view[12]
        length = math.sqrt(cx * cx + cy * cy + 1.0)
        dx = (view[0] * cx + view[1] * cy + view[2]) / length
        dy = (view[3] * cx + view[4] * cy + view[5]) / length
        dz = (view[6] * cx + view[7] * cy + view[8]) / length
        distance = depth[r, c] * length
        nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
        line[_DX, c], line[_DY, c], line[_DZ, c], line[_DISTANCE, c] = dx, dy, dz, distance
        line[_PX, c], line[_PY, c] = view[9] + dx * distance, view[10] + dy * distance
        line[_PZ, c] = view[11] + dz * distance
        line[_FACING, c] = min(1.0, max(0.03, -(dx * nx + dy * ny + dz * nz)))
        line[_DIRECT, c] = 0.0
    for k in range(sun_world.shape[0]):
        sx, sy, sz = sun_world[k, 0], sun_world[k, 1], sun_world[k, 2]
        for c in range(zones.shape[1]):
            toward = normals[r, c, 0] * sx + normals[r, c, 1] * sy + normals[r, c, 2] * sz
            line[_DIRECT, c] += max(0.0, toward) * sun_K[zones[r, c], k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _street(
    r: Any, zones: Any, ids: Any, parts: Any, normals: Any, ground_K: Any, shade: Any, values: Any, view: Any,
    rows: Any, wheels: Any, numbers: Any, cars_only: Any, line: Any,
) -> None:  # fmt: skip
    """Temperature of the street's surfaces in a line."""
    cos_h, sin_h, sunny = math.cos(view[16]), math.sin(view[16]), numbers[6]
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        line[_IRON, c] = 0.0
        if zone == 35 or (zone < 32 and ids[r, c] > 0) or cars_only or not line[_DISTANCE, c] < 1e7:
            continue
        px, py, pz = line[_PX, c], line[_PY, c], line[_PZ, c]
        open_sky = 0.5 * (1.0 + normals[r, c, 2])
        fine = line[_DISTANCE, c] / view[12]
        direct, diffuse = line[_DIRECT, c] * (1.0 - shade[r, c]), rows[zone, 5] * open_sky
        kelvin = rows[zone, 3] - rows[zone, 6] * open_sky * SKY_VIEW + ground_K[r, c]
        if zone == 32 or zone == 40 or zone == 37:
            along, across = px * cos_h + py * sin_h, (py - view[10]) * cos_h - (px - view[9]) * sin_h
            coarse = fine / line[_FACING, c]
            # What the sun put into the ground shows in its pattern: tracks and patches absorb and store unalike.
            varies = rows[zone, 4] + 0.035 * (direct + diffuse)
            if zone == 37:
                kelvin += pavement_pattern(values, px, py, coarse) * varies
            else:
                pattern, iron = road_pattern(values, along, across, fine, coarse)
                kelvin += pattern * varies
                line[_IRON, c] = iron
            if direct > 0.2:
                direct -= direct * sunny * sun_dapple(values, px, py)
            line[_KELVIN, c] = kelvin + direct + diffuse
        else:
            across = px * normals[r, c, 1] - py * normals[r, c, 0]
            part = parts[r, c]
            line[_KELVIN, c] = kelvin + _upright_K(
                values, zone, px, py, pz, across, wheels[part, 13], pz - wheels[part, 2], fine, rows[zone, 4], direct,
                diffuse, numbers[8], numbers[7],
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}, inline="always")
def _upright_K(
    values: Any, zone: Any, px: Any, py: Any, pz: Any, across: Any, part: Any, above: Any, fine: Any, variation: Any,
    direct: Any, diffuse: Any, foliage: Any, air_K: Any,
) -> Any:  # fmt: skip
    """Sun and pattern of what stands on the ground, kelvin."""
    sun = direct + diffuse
    if zone == 33:
        return sun + building_pattern(values, across, pz, part, fine) * (variation + 0.02 * sun)
    if zone == 34 or zone == 41:
        pattern, lit = vegetation_pattern(values, px, py, pz, fine)
        if zone == 34:  # leaves of all directions are in a pixel, whatever the polygon's normal says
            sun += 0.7 * (foliage - direct)
        return sun * (0.4 + 0.9 * lit) + pattern * (variation + 0.05 * sun)
    if zone == 36:
        return 0.4 * sun + person_warmth(values, px, py, pz, above) * (_BODY_K - air_K)
    if zone == 38:
        return sun + window_pattern(values, across, pz, part) * variation
    grain = noise2(values, px * 5.0 + pz * 2.3, py * 5.0 + pz * 1.1)
    return sun + (0.7 * grain * min(1.0, 0.2 / fine) + 0.3) * variation


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _cars(
    r: Any, zones: Any, ids: Any, parts: Any, normals: Any, values: Any, view: Any, rows: Any, row_of: Any,
    to_model: Any, heat: Any, cars: Any, wheels: Any, line: Any,
) -> None:  # fmt: skip
    """Temperature of the cars' surfaces in a line."""
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        if zone >= 32 or ids[r, c] == 0:
            continue
        car, part = row_of[ids[r, c]], int(parts[r, c])
        px, py, pz = line[_PX, c], line[_PY, c], line[_PZ, c]
        fine = line[_DISTANCE, c] / view[12]
        open_sky = 0.5 * (1.0 + normals[r, c, 2])
        kelvin = heat[car, zone, 0] + (line[_DIRECT, c] + rows[zone, 5] * open_sky) * cars[car, 3]
        kelvin -= rows[zone, 6] * open_sky * SKY_VIEW * cars[car, 4]
        radius = wheels[part, 12]
        if radius > 0.0 and (zone == 6 or zone == 7):
            x = wheels[part, 0] * px + wheels[part, 1] * py + wheels[part, 2] * pz + wheels[part, 3]
            y = wheels[part, 4] * px + wheels[part, 5] * py + wheels[part, 6] * pz + wheels[part, 7]
            z = wheels[part, 8] * px + wheels[part, 9] * py + wheels[part, 10] * pz + wheels[part, 11]
            pattern = wheel_pattern(values, x, y, z, radius, cars[car, 5], fine)
        else:
            x = to_model[car, 0, 0] * px + to_model[car, 0, 1] * py + to_model[car, 0, 2] * pz + to_model[car, 0, 3]
            y = to_model[car, 1, 0] * px + to_model[car, 1, 1] * py + to_model[car, 1, 2] * pz + to_model[car, 1, 3]
            z = to_model[car, 2, 0] * px + to_model[car, 2, 1] * py + to_model[car, 2, 2] * pz + to_model[car, 2, 3]
            pattern = car_pattern(values, zone, x, y, z, cars[car, 0], cars[car, 1], cars[car, 2], cars[car, 5], fine)
        line[_KELVIN, c] = kelvin + heat[car, zone, 1] * pattern


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _radiance(
    r: Any, zones: Any, ids: Any, normals: Any, values: Any, rows: Any, sky: Any, numbers: Any, through: Any,
    forward: Any, inverse: Any, cars_only: Any, line: Any, out: Any,
) -> None:  # fmt: skip
    """Emission, reflection and path of a line, as apparent temperature."""
    air, ground, walls, hemisphere = numbers[0], numbers[1], numbers[2], numbers[3]
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        if cars_only and ids[r, c] == 0:
            out[r, c] = numbers[7]
            continue
        dx, dy, dz, distance = line[_DX, c], line[_DY, c], line[_DZ, c], line[_DISTANCE, c]
        if zone == 35 or not distance < 1e7:
            seen = _sky_radiance(values, sky, numbers, dx, dy, dz)
            out[r, c] = temperature_of(seen, inverse)
            continue
        nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
        iron = line[_IRON, c]
        emissivity = rows[zone, 0] - 0.15 * iron  # rusty iron, polished by wheels
        mirror = rows[zone, 1] + (1.0 - rows[zone, 1]) * 0.5 * iron
        away = 1.0 - line[_FACING, c]
        away2 = away * away
        reflectance = 1.0 - emissivity + emissivity * rows[zone, 2] * away2 * away2 * away
        up = 0.5 * (1.0 + nz)
        open_sky = up * SKY_VIEW
        back = open_sky * hemisphere + (up - open_sky) * walls + (1.0 - up) * ground
        if mirror * reflectance > 0.004:
            twice = 2.0 * (dx * nx + dy * ny + dz * nz)
            rx, ry, rz = dx - twice * nx, dy - twice * ny, dz - twice * nz
            ragged = mirror > 0.6 and reflectance > 0.02
            back += mirror * (_mirrored(values, sky, ground, walls, rx, ry, rz, ragged) - back)
        seen = (1.0 - reflectance) * radiance_of(line[_KELVIN, c], forward) + reflectance * back
        bits = np.float32(min(max(distance, _NEAR_M), _FAR_M)).view(np.int32)
        at, share = (bits >> _SHIFT) - _FIRST_ROW, (bits & _REST) * _PER_REST
        tau = through[at] + share * (through[at + 1] - through[at])
        out[r, c] = temperature_of(air + tau * (seen - air), inverse)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}, inline="always")
def _mirrored(values: Any, sky: Any, ground: Any, walls: Any, rx: Any, ry: Any, rz: Any, ragged: Any) -> Any:
    """Radiance from the mirror direction: ground below, a ragged line of houses and trees, sky above it."""
    if rz <= 0.0:
        return ground + (walls - ground) * max(0.0, 1.0 + rz * 8.0)
    top = 0.17
    if ragged and rz < 0.45:
        top += 0.16 * noise2(values, rx * 3.1 + 40.0, ry * 3.1) + 0.05 * noise2(values, rx * 13.0, ry * 13.0)
    t = min(1.0, max(0.0, (rz - top + 0.05) * 10.0))
    if t == 0.0:
        return walls
    return walls + t * t * (3.0 - 2.0 * t) * (_sky_at(sky, 0, rz) - walls)
