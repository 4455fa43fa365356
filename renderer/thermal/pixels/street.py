"""Temperatures of a street's surfaces, pixels of one zone in step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import Zone
from ..balance import SKY_VIEW
from ..kernels import Scene
from ..lanes.in_step import LANES, anywhere, bare, choose, lanes_at, least, looked_up, narrow, put
from ..planck import temperature_in_step
from ..surface import (
    Lattice,
    building_pattern,
    noise2,
    pavement_pattern,
    person_warmth,
    road_pattern,
    sun_dapple,
    vegetation_pattern,
    window_pattern,
)
from .order import ROW_SHIFT
from .radiance import Air, Levels, apparent_K, sky_radiance, upward
from .view import direct_sun_K, facing_of, ray, seen_point

__all__ = ["Flat", "sky_pixels", "street_pixels"]

_BODY_K = 306.5
"""Skin of the face in mild air: 33 degC."""
_POLISHED = 0.02
"""Emissivity that covers lose where wheels polish them (assumed: rusty and dirty as they are, they hardly show)."""
_COLUMN = (1 << ROW_SHIFT) - 1


class Flat(NamedTuple):
    """A frame's passes and what cars do to its ground, and the temperatures to be filled: pixels row after row."""

    width: int
    depth_m: NDArray[np.float32]
    part: NDArray[np.uint16]
    normal: NDArray[np.float32]
    """(3 N,)"""
    ground_K: NDArray[np.float32]
    shade: NDArray[np.float32]
    out: NDArray[np.float32]


@fast_kernel
def street_pixels(
    flat: Flat, places: NDArray[np.int32], start: int, end: int, zone: int, values: Lattice, scene: Scene, air: Air,
    levels: Levels,
) -> None:  # fmt: skip
    """Fill temperatures of pixels of a zone.

    Args:
        flat: the frame.
        places: see :class:`.order.Order`.
        start: of the zone's.
        end: of the zone's.
        zone: what they show.
        values: the wrapped lattice.
        scene: all that temperatures follow from.
        air: tables.
        levels: what surfaces mirror.
    """
    view, surfaces, balance, around = scene.camera, scene.surfaces, scene.balance, scene.surroundings
    width, depths, parts, normals, out = (
        flat.width,
        bare(flat.depth_m),
        bare(flat.part),
        bare(flat.normal),
        bare(flat.out),
    )
    ground_K, shades, origin_z = bare(flat.ground_K), bare(flat.shade), bare(scene.parts.origin_z_m)
    at_once, noise, suns, sun_K = bare(places), bare(values), bare(balance.sun_world), bare(balance.sun_K)
    turn, eye, fx, fy, cx, cy = bare(view.rotation), bare(view.position_m), view.fx, view.fy, view.cx, view.cy
    diffuse_K, sky_loss_K, road_K = balance.diffuse_K[zone], balance.sky_loss_K[zone], balance.ground_K[zone]
    emissivity, mirror, grazing = surfaces.emissivity[zone], surfaces.mirror[zone], surfaces.grazing[zone]
    base_K, variation_K = surfaces.base_K[zone], surfaces.variation_K[zone]
    air_K, foliage_K, dappled = around.air_K, around.foliage_K, around.dappled_sun
    sky_mean, through = bare(air.sky_mean), bare(air.transmittance)
    forward, inverse = bare(scene.tables.radiance), bare(scene.tables.temperature)
    cos_h, sin_h = math.cos(scene.street_heading_rad), math.sin(scene.street_heading_rad)
    is_ground = zone == Zone.ROAD or zone == Zone.ROAD_MARKING or zone == Zone.PAVEMENT
    for i in range(start, end, LANES):
        place = lanes_at(at_once, i)
        column, row = place & _COLUMN, place >> ROW_SHIFT
        at = row * width + column
        depth = looked_up(depths, at)
        nx, ny, nz = looked_up(normals, at * 3), looked_up(normals, at * 3 + 1), looked_up(normals, at * 3 + 2)
        wx, wy, wz, length = ray(turn, fx, fy, cx, cy, column, row)
        px, py, pz = seen_point(eye, wx, wy, wz, depth)
        dx, dy, dz = narrow(wx) / length, narrow(wy) / length, narrow(wz) / length
        distance = depth * length
        facing = facing_of(dx, dy, dz, nx, ny, nz)
        up = 0.5 * (1.0 + upward(zone, nz))
        fine = distance * (1.0 / fx)
        direct = direct_sun_K(suns, sun_K, zone, nx, ny, nz) * (1.0 - looked_up(shades, at))
        diffuse = diffuse_K * up
        kelvin = base_K - sky_loss_K * SKY_VIEW * up + looked_up(ground_K, at) + road_K * (1.0 - up)
        iron = 0.0 * up
        x, y, z = narrow(px), narrow(py), narrow(pz)
        if is_ground:
            coarse = fine / facing
            # What the sun put into the ground shows in its pattern: tracks and patches absorb and store unalike.
            varies = variation_K + 0.035 * (direct + diffuse)
            if zone == Zone.PAVEMENT:
                kelvin = kelvin + pavement_pattern(noise, px, py, coarse) * varies
            else:
                along = narrow(px * cos_h + py * sin_h)
                across = narrow((py - looked_up(eye, 1)) * cos_h - (px - looked_up(eye, 0)) * sin_h)
                pattern, iron = road_pattern(noise, along, across, fine, coarse)
                kelvin = kelvin + pattern * varies
            in_sun = direct > 0.2
            if anywhere(in_sun):
                direct = direct - choose(in_sun, direct * dappled * sun_dapple(noise, x, y), 0.0)
            kelvin = kelvin + direct + diffuse
        else:
            part = looked_up(parts, at)
            kelvin = kelvin + _upright_K(
                noise, zone, x, y, z, px * ny - py * nx, pz, part, z - narrow(looked_up(origin_z, part)), fine,
                variation_K, direct, diffuse, foliage_K, air_K,
            )  # fmt: skip
        kelvin = apparent_K(
            noise, sky_mean, through, forward, inverse, levels, emissivity - _POLISHED * iron,
            mirror + (1.0 - mirror) * 0.5 * iron, grazing, up, facing, dx, dy, dz, distance, nx, ny, nz, x, y, kelvin,
        )  # fmt: skip
        put(out, at, kelvin)


@inlined_kernel
def _upright_K(
    values: Lattice, zone: int, x: Any, y: Any, z: Any, across: Any, height: Any, part: Any, above: Any, fine: Any,
    variation: float, direct: Any, diffuse: Any, foliage: float, air_K: float,
) -> Any:  # fmt: skip
    """Sun and pattern of what stands on the ground, kelvin; ``across`` and ``height`` are float64."""
    sun = direct + diffuse
    if zone == Zone.BUILDING:
        return sun + building_pattern(values, narrow(across), z, part, fine) * (variation + 0.02 * sun)
    if zone == Zone.VEGETATION or zone == Zone.SOIL:
        pattern, lit = vegetation_pattern(values, x, y, z, fine)
        if zone == Zone.VEGETATION:  # leaves of all directions are in a pixel, whatever the polygon's normal says
            sun = sun + 0.7 * (foliage - direct)
        return sun * (0.4 + 0.9 * lit) + pattern * (variation + 0.05 * sun)
    if zone == Zone.PERSON:
        return 0.4 * sun + person_warmth(values, x, y, z, above) * (_BODY_K - air_K)
    if zone == Zone.WINDOW:
        return sun + window_pattern(values, across, height, part) * variation
    grain = noise2(values, x * 5.0 + z * 2.3, y * 5.0 + z * 1.1)
    return sun + (0.7 * grain * least(1.0, 0.2 / fine) + 0.3) * variation


@fast_kernel
def sky_pixels(
    flat: Flat, places: NDArray[np.int32], start: int, end: int, values: Lattice, scene: Scene, air: Air
) -> None:
    """Fill temperatures of pixels of the sky; see :func:`street_pixels`."""
    width, out, view, around = flat.width, bare(flat.out), scene.camera, scene.surroundings
    turn, fx, fy, cx, cy = bare(view.rotation), view.fx, view.fy, view.cx, view.cy
    clear, cloud, inverse = bare(air.sky_clear), bare(air.sky_cloud), bare(scene.tables.temperature)
    at_once, noise = bare(places), bare(values)
    cover, contrast = around.cloud_cover, around.cloud_contrast
    for i in range(start, end, LANES):
        place = lanes_at(at_once, i)
        column, row = place & _COLUMN, place >> ROW_SHIFT
        wx, wy, wz, length = ray(turn, fx, fy, cx, cy, column, row)
        dx, dy, dz = narrow(wx) / length, narrow(wy) / length, narrow(wz) / length
        put(
            out,
            row * width + column,
            temperature_in_step(sky_radiance(noise, clear, cloud, cover, contrast, dx, dy, dz), inverse),
        )
