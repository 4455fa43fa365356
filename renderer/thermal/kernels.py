"""Compiled loops that turn a frame's passes into apparent temperatures; :mod:`.physics` says by which formula.

They take tuples with names. At the top of each function the arrays are unpacked, and calls made for each pixel get
arrays and numbers: a tuple in such a call costs some percent of the frame.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.view import CameraView
from ..optional import fast_kernel, inlined_kernel
from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from .balance import SKY_VIEW, Balance
from .ground import GroundEffects
from .planck import radiance_of, temperature_of
from .relief import mirror_share, panel_tilt
from .surface import (
    Lattice,
    building_pattern,
    car_pattern,
    noise2,
    pavement_pattern,
    person_warmth,
    road_pattern,
    sun_dapple,
    vegetation_pattern,
    wheel_pattern,
    window_pattern,
)

__all__ = [
    "Cars",
    "Parts",
    "Passes",
    "Scene",
    "Surfaces",
    "Surroundings",
    "Tables",
    "render",
    "transmittance_distances_m",
]

Floats = NDArray[np.float64]

_BODY_K = 306.5
"""Skin of the face in mild air: 33 degC."""
_FAR_M = 1e7
"""What is farther has not been hit."""
_AHEAD = 0.5
"""Share of what Fresnel's law adds at grazing incidence that a rough surface reflects ahead (assumed)."""
_POLISHED = 0.02
"""Emissivity that covers lose where wheels polish them (assumed: rusty and dirty as they are, they hardly show)."""
_LEAF_TILT = 0.3
"""Share of a leaf polygon's tilt that its pixels keep (assumed: a crown's upper side still sees more sky)."""
_NEAR = 0.1
"""One over the distance, in metres, of the trees and houses that surfaces mirror: a step aside shows others."""

# Rows of the table of transmittance: exponent and 6 bits of mantissa of a float32.
_SHIFT, _FIRST_ROW, _LAST_ROW = 17, 124 << 6, 138 << 6
_REST, _PER_REST = (1 << _SHIFT) - 1, 1.0 / (1 << _SHIFT)
_TABLE_START_M, _TABLE_END_M = 0.125, 2047.0

# Rows of the buffer that holds one line of the picture between the steps of :func:`render`.
_DX, _DY, _DZ, _DISTANCE, _PX, _PY, _PZ, _FACING, _DIRECT, _KELVIN, _IRON, _TX, _TY, _TZ, _GLOSS = range(15)
_LINE_ROWS, _ROOM = 15, 24
"""Rows of the buffer, and columns beside those of the picture: at a power of two the rows would all lie in the same few
lines of the cache and push each other out of it."""


class Passes(NamedTuple):
    """What the camera sees; arrays are (H, W)."""

    depth_m: NDArray[np.float32]
    zone: NDArray[np.uint8]
    instance_id: NDArray[np.uint16]
    part: NDArray[np.uint16]
    """1 + index of the mesh."""
    normal: NDArray[np.float32]
    """(H, W, 3) world, unit length."""


class Surfaces(NamedTuple):
    """Each zone's surface; arrays are (256,) by zone."""

    emissivity: Floats
    """At normal incidence."""
    mirror: Floats
    """Share of what is reflected that comes from one direction, 0-1."""
    grazing: Floats
    """How far reflectance rises at grazing incidence, 0-1."""
    base_K: Floats
    """Temperature before sun and sky."""
    variation_K: Floats
    """Size of the pattern inside the zone."""


class Cars(NamedTuple):
    """The frame's R - 1 cars; row 0 stands for an id that no instance explains."""

    row_of_id: NDArray[np.int32]
    """(65536,)"""
    world_to_model: Floats
    """(R, 3, 4)"""
    base_K: Floats
    """(R, 32) by zone: temperature before sun and sky."""
    variation_K: Floats
    """(R, 32) by zone."""
    sun_gain: Floats
    """(R, 32) by zone: share of a standing car's warming by the sun that is left."""
    gloss: Floats
    """(R, 32) by zone: share of its mirror that dirt has left."""
    half_length_m: Floats
    """(R,) as all that follow."""
    half_width_m: Floats
    height_m: Floats
    sky_gain: Floats
    """Share of a standing car's cooling by the sky."""
    shift: Floats
    """Where in the noise the car's patterns begin."""


class Parts(NamedTuple):
    """The frame's P - 1 meshes, by part number; row 0 stands for none."""

    world_to_wheel: Floats
    """(P, 3, 4) metres from the hub, y along the axle; 0 for what is no wheel."""
    wheel_radius_m: Floats
    """(P,) 0: not a wheel."""
    origin_z_m: Floats
    """(P,) height of the mesh's origin in the world."""


class Surroundings(NamedTuple):
    """What surfaces mirror, and what the air does; radiances in W m-2 sr-1."""

    sky_mean: Floats
    """(512,) as the next two, by square root of the sine of elevation: the sky without its clouds' shapes."""
    sky_clear: Floats
    sky_cloud: Floats
    """What a cloud adds to the clear sky."""
    air: float
    """Radiance of a black body at air temperature."""
    ground: float
    walls: float
    """Of houses and trees."""
    hemisphere: float
    """Mean of the whole sky weighted by cosine."""
    cloud_cover: float
    """0-1."""
    cloud_contrast: float
    """Of the clouds' shapes; 0: none."""
    canopy: float
    """How fast trees and houses give way to the sky with the sine of elevation; 2 in a street with some trees."""
    dappled_sun: float
    """Share of the sun on the ground that trees and houses beyond the picture keep away in places."""
    air_K: float
    foliage_K: float
    """Warming of leaves by the sun, whichever way they face."""


class Tables(NamedTuple):
    """Functions of one number that are looked up."""

    transmittance: Floats
    """At :func:`transmittance_distances_m`."""
    radiance: NDArray[np.float32]
    """:attr:`.planck.BandTable.forward`"""
    temperature: NDArray[np.float32]
    """:attr:`.planck.BandTable.inverse`"""


class Scene(NamedTuple):
    """All that a frame's temperatures follow from, besides its passes."""

    camera: CameraView
    street_heading_rad: float
    """Direction of the street's patterns, counter-clockwise from the world's x axis."""
    lattice: Lattice
    surfaces: Surfaces
    balance: Balance
    cars: Cars
    parts: Parts
    surroundings: Surroundings
    tables: Tables


def transmittance_distances_m() -> Floats:
    """Rising distances at which the table of transmittance is made: 64 equal steps in each octave from 1/8 m to 2 km.

    So the bits of a distance's float32 are its place in the table.
    """
    steps = np.arange(_FIRST_ROW, _LAST_ROW + 1, dtype=np.int32) << _SHIFT
    return steps.view(np.float32).astype(np.float64)


@fast_kernel
def render(passes: Passes, ground: GroundEffects, scene: Scene, cars_only: bool, out: NDArray[np.float32]) -> None:
    """All pixels of a frame, line by line: fills ``out`` (H, W) with kelvin.

    A line at a time goes through four steps with a small buffer between them: short loops over plain arrays are what
    the compiler makes fast code of.
    """
    line = np.empty((_LINE_ROWS, passes.zone.shape[1] + _ROOM))
    for r in range(passes.zone.shape[0]):
        _geometry(r, passes, scene.camera, scene.balance, line)
        _street(r, passes, ground, scene, cars_only, line)
        _cars(r, passes, scene, line)
        _radiance(r, passes, scene, cars_only, line, out)


@fast_kernel
def _geometry(r: int, passes: Passes, view: CameraView, balance: Balance, line: Floats) -> None:
    """Ray, point, angle of view and direct sun of each pixel of a line."""
    depth, zones, normals = passes.depth_m, passes.zone, passes.normal
    turn, eye, suns, sun_K = view.rotation, view.position_m, balance.sun_world, balance.sun_K
    cy = (r + 0.5 - view.cy) / view.fy
    for c in range(zones.shape[1]):
        cx = (c + 0.5 - view.cx) / view.fx
        length = math.sqrt(cx * cx + cy * cy + 1.0)
        dx = (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) / length
        dy = (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) / length
        dz = (turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]) / length
        distance = depth[r, c] * length
        nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
        line[_DX, c], line[_DY, c], line[_DZ, c], line[_DISTANCE, c] = dx, dy, dz, distance
        line[_PX, c], line[_PY, c] = eye[0] + dx * distance, eye[1] + dy * distance
        line[_PZ, c] = eye[2] + dz * distance
        line[_FACING, c] = min(1.0, max(0.03, -(dx * nx + dy * ny + dz * nz)))
        line[_DIRECT, c] = 0.0
    for k in range(suns.shape[0]):
        sx, sy, sz = suns[k, 0], suns[k, 1], suns[k, 2]
        for c in range(zones.shape[1]):
            toward = normals[r, c, 0] * sx + normals[r, c, 1] * sy + normals[r, c, 2] * sz
            line[_DIRECT, c] += max(0.0, toward) * sun_K[zones[r, c], k]


@fast_kernel
def _street(r: int, passes: Passes, ground: GroundEffects, scene: Scene, cars_only: bool, line: Floats) -> None:
    """Temperature of the street's surfaces in a line."""
    zones, ids, parts, normals = passes.zone, passes.instance_id, passes.part, passes.normal
    ground_K, shade, values, origin_z = ground.heat_K, ground.shade, scene.lattice, scene.parts.origin_z_m
    surfaces, balance, around = scene.surfaces, scene.balance, scene.surroundings
    base_K, variation_K = surfaces.base_K, surfaces.variation_K
    diffuse_K, sky_loss_K, road_K = balance.diffuse_K, balance.sky_loss_K, balance.ground_K
    air_K, foliage_K, dappled = around.air_K, around.foliage_K, around.dappled_sun
    eye, focal_px = scene.camera.position_m, scene.camera.fx
    cos_h, sin_h = math.cos(scene.street_heading_rad), math.sin(scene.street_heading_rad)
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        line[_IRON, c] = 0.0
        is_car = zone < FIRST_ENVIRONMENT_ZONE and ids[r, c] > 0
        if zone == Zone.SKY or is_car or cars_only or not line[_DISTANCE, c] < _FAR_M:
            continue
        px, py, pz = line[_PX, c], line[_PY, c], line[_PZ, c]
        open_sky = 0.5 * (1.0 + _upward(zone, normals[r, c, 2]))
        fine = line[_DISTANCE, c] / focal_px
        direct, diffuse = line[_DIRECT, c] * (1.0 - shade[r, c]), diffuse_K[zone] * open_sky
        kelvin = base_K[zone] - sky_loss_K[zone] * open_sky * SKY_VIEW + ground_K[r, c]
        kelvin += road_K[zone] * (1.0 - open_sky)
        if zone == Zone.ROAD or zone == Zone.ROAD_MARKING or zone == Zone.PAVEMENT:
            coarse = fine / line[_FACING, c]
            # What the sun put into the ground shows in its pattern: tracks and patches absorb and store unalike.
            varies = variation_K[zone] + 0.035 * (direct + diffuse)
            if zone == Zone.PAVEMENT:
                kelvin += pavement_pattern(values, px, py, coarse) * varies
            else:
                along, across = px * cos_h + py * sin_h, (py - eye[1]) * cos_h - (px - eye[0]) * sin_h
                pattern, iron = road_pattern(values, along, across, fine, coarse)
                kelvin += pattern * varies
                line[_IRON, c] = iron
            if direct > 0.2:
                direct -= direct * dappled * sun_dapple(values, px, py)
            line[_KELVIN, c] = kelvin + direct + diffuse
        else:
            across = px * normals[r, c, 1] - py * normals[r, c, 0]
            part = parts[r, c]
            line[_KELVIN, c] = kelvin + _upright_K(
                values, zone, px, py, pz, across, int(part), pz - origin_z[part], fine, variation_K[zone], direct,
                diffuse, foliage_K, air_K,
            )  # fmt: skip


@inlined_kernel
def _upward(zone: int, nz: float) -> float:
    """How far a surface faces the sky, -1 to 1; leaves of all directions are in a pixel, whatever their polygon's."""
    return _LEAF_TILT * nz if zone == Zone.VEGETATION else nz


@inlined_kernel
def _upright_K(
    values: Lattice, zone: int, px: float, py: float, pz: float, across: float, part: int, above: float, fine: float,
    variation: float, direct: float, diffuse: float, foliage: float, air_K: float,
) -> float:  # fmt: skip
    """Sun and pattern of what stands on the ground, kelvin."""
    sun = direct + diffuse
    if zone == Zone.BUILDING:
        return sun + building_pattern(values, across, pz, part, fine) * (variation + 0.02 * sun)
    if zone == Zone.VEGETATION or zone == Zone.SOIL:
        pattern, lit = vegetation_pattern(values, px, py, pz, fine)
        if zone == Zone.VEGETATION:  # leaves of all directions are in a pixel, whatever the polygon's normal says
            sun += 0.7 * (foliage - direct)
        return sun * (0.4 + 0.9 * lit) + pattern * (variation + 0.05 * sun)
    if zone == Zone.PERSON:
        return 0.4 * sun + person_warmth(values, px, py, pz, above) * (_BODY_K - air_K)
    if zone == Zone.WINDOW:
        return sun + window_pattern(values, across, pz, part) * variation
    grain = noise2(values, px * 5.0 + pz * 2.3, py * 5.0 + pz * 1.1)
    return sun + (0.7 * grain * min(1.0, 0.2 / fine) + 0.3) * variation


@fast_kernel
def _cars(r: int, passes: Passes, scene: Scene, line: Floats) -> None:
    """Temperature of the cars' surfaces in a line."""
    zones, ids, parts, normals, values = passes.zone, passes.instance_id, passes.part, passes.normal, scene.lattice
    cars, diffuse_K = scene.cars, scene.balance.diffuse_K
    sky_loss_K, road_K = scene.balance.sky_loss_K, scene.balance.ground_K
    row_of_id, to_model, base_K, variation_K = cars.row_of_id, cars.world_to_model, cars.base_K, cars.variation_K
    half_length, half_width, height, shift = cars.half_length_m, cars.half_width_m, cars.height_m, cars.shift
    sun_gain, sky_gain, gloss, focal_px = cars.sun_gain, cars.sky_gain, cars.gloss, scene.camera.fx
    to_wheel, wheel_radius = scene.parts.world_to_wheel, scene.parts.wheel_radius_m
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        if zone >= FIRST_ENVIRONMENT_ZONE or ids[r, c] == 0:
            continue
        car, part = row_of_id[ids[r, c]], int(parts[r, c])
        px, py, pz = line[_PX, c], line[_PY, c], line[_PZ, c]
        fine = line[_DISTANCE, c] / focal_px
        x, y, z = _moved(to_model, car, px, py, pz)
        tx, ty, tz = panel_tilt(values, zone, x, y, z, half_length[car], half_width[car], height[car], shift[car], fine)
        line[_GLOSS, c] = mirror_share(values, zone, x, y, z, height[car], shift[car], gloss[car, zone], fine)
        line[_TX, c], line[_TY, c], line[_TZ, c] = _turned_back(to_model, car, tx, ty, tz)
        open_sky = min(1.0, 0.5 * (1.0 + normals[r, c, 2] + line[_TZ, c]))
        kelvin = base_K[car, zone] + (line[_DIRECT, c] + diffuse_K[zone] * open_sky) * sun_gain[car, zone]
        kelvin += (road_K[zone] * (1.0 - open_sky) - sky_loss_K[zone] * open_sky * SKY_VIEW) * sky_gain[car]
        radius = wheel_radius[part]
        if radius > 0.0 and (zone == Zone.TYRE or zone == Zone.BRAKE):
            x, y, z = _moved(to_wheel, part, px, py, pz)
            pattern = wheel_pattern(values, x, y, z, radius, shift[car], fine)
        else:
            pattern = car_pattern(
                values, zone, x, y, z, half_length[car], half_width[car], height[car], shift[car], fine
            )
        line[_KELVIN, c] = kelvin + variation_K[car, zone] * pattern


@inlined_kernel
def _moved(matrices: Floats, i: int, px: float, py: float, pz: float) -> tuple[float, float, float]:
    """A point of the world by one of the matrices (N, 3, 4)."""
    x: float = matrices[i, 0, 0] * px + matrices[i, 0, 1] * py + matrices[i, 0, 2] * pz + matrices[i, 0, 3]
    y: float = matrices[i, 1, 0] * px + matrices[i, 1, 1] * py + matrices[i, 1, 2] * pz + matrices[i, 1, 3]
    z: float = matrices[i, 2, 0] * px + matrices[i, 2, 1] * py + matrices[i, 2, 2] * pz + matrices[i, 2, 3]
    return x, y, z


@inlined_kernel
def _turned_back(matrices: Floats, i: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    """A direction of a model's axes in the world's: the matrix (N, 3, 4) leads the other way, and only turns."""
    wx: float = matrices[i, 0, 0] * x + matrices[i, 1, 0] * y + matrices[i, 2, 0] * z
    wy: float = matrices[i, 0, 1] * x + matrices[i, 1, 1] * y + matrices[i, 2, 1] * z
    wz: float = matrices[i, 0, 2] * x + matrices[i, 1, 2] * y + matrices[i, 2, 2] * z
    return wx, wy, wz


@fast_kernel
def _radiance(r: int, passes: Passes, scene: Scene, cars_only: bool, line: Floats, out: NDArray[np.float32]) -> None:
    """Emission, reflection and path of a line, as apparent temperature."""
    zones, ids, normals, values = passes.zone, passes.instance_id, passes.normal, scene.lattice
    around, surfaces, tables = scene.surroundings, scene.surfaces, scene.tables
    air, ground, walls, hemisphere = around.air, around.ground, around.walls, around.hemisphere
    sky_mean, sky_clear, sky_cloud = around.sky_mean, around.sky_clear, around.sky_cloud
    cover, contrast, air_K, canopy = around.cloud_cover, around.cloud_contrast, around.air_K, around.canopy
    emissivities, mirrors, grazing = surfaces.emissivity, surfaces.mirror, surfaces.grazing
    through, forward, inverse = tables.transmittance, tables.radiance, tables.temperature
    for c in range(zones.shape[1]):
        zone = int(zones[r, c])
        if cars_only and ids[r, c] == 0:
            out[r, c] = air_K
            continue
        dx, dy, dz, distance = line[_DX, c], line[_DY, c], line[_DZ, c], line[_DISTANCE, c]
        if zone == Zone.SKY or not distance < _FAR_M:
            seen = _sky_radiance(values, sky_clear, sky_cloud, cover, contrast, dx, dy, dz)
            out[r, c] = temperature_of(seen, inverse)
            continue
        nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
        iron = line[_IRON, c]
        emissivity = emissivities[zone] - _POLISHED * iron
        mirror = mirrors[zone] + (1.0 - mirrors[zone]) * 0.5 * iron
        facing = line[_FACING, c]
        if zone < FIRST_ENVIRONMENT_ZONE and ids[r, c] > 0:
            mirror *= line[_GLOSS, c]
            nx, ny, nz = nx + line[_TX, c], ny + line[_TY, c], nz + line[_TZ, c]
            length = max(1e-6, math.sqrt(nx * nx + ny * ny + nz * nz))
            nx, ny, nz = nx / length, ny / length, nz / length
            facing = min(1.0, max(0.03, -(dx * nx + dy * ny + dz * nz)))
        away = 1.0 - facing
        away2 = away * away
        fresnel = emissivity * grazing[zone] * away2 * away2 * away
        reflectance = 1.0 - emissivity + fresnel
        # What a rough surface reflects at grazing incidence goes on ahead (off-specular peak): far asphalt shows what
        # stands at the horizon, and not the cold zenith.
        sharp = mirror
        mirror += (1.0 - mirror) * _AHEAD * fresnel / (reflectance + 1e-9)
        up = 0.5 * (1.0 + _upward(zone, nz))
        open_sky = up * SKY_VIEW
        back = open_sky * hemisphere + (up - open_sky) * walls + (1.0 - up) * ground
        if mirror * reflectance > 0.004:
            twice = 2.0 * (dx * nx + dy * ny + dz * nz)
            rx, ry, rz = dx - twice * nx, dy - twice * ny, dz - twice * nz
            blur = 0.04 + 1.2 * (1.05 - sharp) if sharp > 0.4 and reflectance > 0.02 else 0.0
            rx, ry = rx + _NEAR * line[_PX, c], ry + _NEAR * line[_PY, c]
            back += mirror * (_mirrored(values, sky_mean, ground, walls, canopy, rx, ry, rz, blur) - back)
        seen = (1.0 - reflectance) * radiance_of(line[_KELVIN, c], forward) + reflectance * back
        bits = np.float32(min(max(distance, _TABLE_START_M), _TABLE_END_M)).view(np.int32)
        at, share = (bits >> _SHIFT) - _FIRST_ROW, (bits & _REST) * _PER_REST
        tau = through[at] + share * (through[at + 1] - through[at])
        out[r, c] = temperature_of(air + tau * (seen - air), inverse)


@inlined_kernel
def _sky_at(table: Floats, sine: float) -> float:
    """One of the sky's tables at a sine of elevation."""
    position = math.sqrt(min(max(sine, 0.0), 1.0)) * (table.shape[0] - 1.0001)
    row = int(position)
    level: float = table[row] + (position - row) * (table[row + 1] - table[row])
    return level


@fast_kernel
def _sky_radiance(
    values: Lattice, sky_clear: Floats, sky_cloud: Floats, cover: float, contrast: float,
    dx: float, dy: float, dz: float,
) -> float:  # fmt: skip
    """Sky in a direction: clear air, and clouds on a plane above."""
    clear, added = _sky_at(sky_clear, dz), _sky_at(sky_cloud, dz)
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


@inlined_kernel
def _mirrored(
    values: Lattice, sky_mean: Floats, ground: float, walls: float, canopy: float,
    rx: float, ry: float, rz: float, blur: float,
) -> float:  # fmt: skip
    """Radiance from the mirror direction: ground below, houses, crowns of trees with gaps between them, sky above.

    ``blur`` is how wide an edge gets in the mirror; 0 leaves out the crowns.
    """
    if rz <= 0.0:
        return ground + (walls - ground) * max(0.0, 1.0 + rz * 8.0)
    if blur == 0.0 or rz > 0.92:
        t = min(1.0, max(0.0, (rz - 0.12) * 10.0))
    else:  # masses, crowns and boughs: the higher, the fewer
        crowns, aside = rx - ry, ry + rz
        hidden = 0.62 * noise2(values, rx * 2.1 + 40.0, ry * 2.1) + 0.3 * noise2(values, 8.0 * crowns, 8.0 * aside)
        hidden += 0.16 * noise2(values, 25.0 * crowns, 25.0 * aside)
        t = min(1.0, max(0.0, 0.5 + (canopy * (rz - 0.17) - hidden) / blur))
    if t == 0.0:
        return walls
    return walls + t * t * (3.0 - 2.0 * t) * (_sky_at(sky_mean, rz) - walls)
