"""Temperatures of cars, people and what else moves, pixels of one zone of one object in step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import Zone
from ..balance import SKY_VIEW
from ..kernels import Scene
from ..lanes.in_step import LANES, anywhere, bare, choose, greatest, lanes_at, least, looked_up, narrow, put, rooted
from ..relief import mirror_share, panel_tilt
from ..surface import Lattice, car_pattern, wheel_pattern
from .order import ROW_SHIFT
from .radiance import Air, Levels, apparent_K
from .street import Flat
from .view import direct_sun_K, facing_of, ray, seen_point

__all__ = ["object_pixels"]

_COLUMN = (1 << ROW_SHIFT) - 1


@fast_kernel
def object_pixels(
    flat: Flat, places: NDArray[np.int32], numbers: NDArray[np.int32], start: int, end: int, car: int, zone: int,
    values: Lattice, scene: Scene, air: Air, levels: Levels,
) -> None:  # fmt: skip
    """Fill temperatures of pixels of an object's zone.

    Args:
        flat: the frame.
        places: see :class:`.order.Order`.
        numbers: see there too.
        start: of the zone's.
        end: of the zone's.
        car: row of the object.
        zone: what they show.
        values: the wrapped lattice.
        scene: all that temperatures follow from.
        air: tables.
        levels: what surfaces mirror.
    """
    view, surfaces, balance, cars = scene.camera, scene.surfaces, scene.balance, scene.cars
    depths, parts, normals, out = bare(flat.depth_m), bare(flat.part), bare(flat.normal), bare(flat.out)
    at_once, number, noise = bare(places), bare(numbers), bare(values)
    suns, sun_K = bare(balance.sun_world), bare(balance.sun_K)
    turn, eye, fx, fy, cx, cy = bare(view.rotation), bare(view.position_m), view.fx, view.fy, view.cx, view.cy
    emissivity, mirror, grazing = surfaces.emissivity[zone], surfaces.mirror[zone], surfaces.grazing[zone]
    sky_mean, through = bare(air.sky_mean), bare(air.transmittance)
    forward, inverse = bare(scene.tables.radiance), bare(scene.tables.temperature)
    m, to_wheel, wheel_radius = (
        cars.world_to_model[car],
        bare(scene.parts.world_to_wheel),
        bare(scene.parts.wheel_radius_m),
    )
    half_length, half_width, height = cars.half_length_m[car], cars.half_width_m[car], cars.height_m[car]
    shift, gloss = cars.shift[car], cars.gloss[car, zone]
    sun_gain, sky_gain, variation_K = cars.sun_gain[car, zone], cars.sky_gain[car], cars.variation_K[car, zone]
    base_K, diffuse_K = cars.base_K[car, zone], balance.diffuse_K[zone]
    sky_K, road_K = balance.sky_loss_K[zone] * SKY_VIEW, balance.ground_K[zone]
    for i in range(start, end, LANES):
        place = lanes_at(at_once, i)
        column, row = place & _COLUMN, place >> ROW_SHIFT
        at = lanes_at(number, i)
        depth = looked_up(depths, at)
        nx, ny, nz = looked_up(normals, at * 3), looked_up(normals, at * 3 + 1), looked_up(normals, at * 3 + 2)
        wx, wy, wz, length = ray(turn, fx, fy, cx, cy, column, row)
        px, py, pz = seen_point(eye, wx, wy, wz, depth)
        dx, dy, dz = narrow(wx) / length, narrow(wy) / length, narrow(wz) / length
        distance = depth * length
        fine = distance * (1.0 / fx)
        direct = direct_sun_K(suns, sun_K, zone, nx, ny, nz)
        x = narrow(m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3])
        y = narrow(m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3])
        z = narrow(m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3])
        tx, ty, tz = panel_tilt(noise, zone, x, y, z, half_length, half_width, height, shift, fine)
        # A direction of the model's axes in the world's: the matrix leads the other way, and only turns.
        nx = nx + m[0, 0] * tx + m[1, 0] * ty + m[2, 0] * tz
        ny = ny + m[0, 1] * tx + m[1, 1] * ty + m[2, 1] * tz
        nz = nz + m[0, 2] * tx + m[1, 2] * ty + m[2, 2] * tz
        open_sky = least(1.0, 0.5 * (1.0 + nz))
        kelvin = base_K + (direct + diffuse_K * open_sky) * sun_gain
        kelvin = kelvin + (road_K * (1.0 - open_sky) - sky_K * open_sky) * sky_gain
        pattern = car_pattern(noise, zone, x, y, z, half_length, half_width, height, shift, fine)
        if zone == Zone.TYRE or zone == Zone.BRAKE:
            part = looked_up(parts, at)
            radius = narrow(looked_up(wheel_radius, part))
            is_wheel = radius > 0.0
            if anywhere(is_wheel):
                wheel_x, wheel_y, wheel_z = _moved(to_wheel, part, px, py, pz)
                radius = choose(is_wheel, radius, 1.0)
                turning = wheel_pattern(noise, wheel_x, wheel_y, wheel_z, radius, shift, fine)
                pattern = choose(is_wheel, turning, pattern)
        kelvin = kelvin + variation_K * pattern
        per = 1.0 / greatest(1e-6, rooted(nx * nx + ny * ny + nz * nz))
        nx, ny, nz = nx * per, ny * per, nz * per
        share = mirror * mirror_share(noise, zone, x, y, z, height, shift, gloss, fine)
        kelvin = apparent_K(
            noise, sky_mean, through, forward, inverse, levels, emissivity, share, grazing, 0.5 * (1.0 + nz),
            facing_of(dx, dy, dz, nx, ny, nz), dx, dy, dz, distance, nx, ny, nz, narrow(px), narrow(py), kelvin,
        )  # fmt: skip
        put(out, at, kelvin)


@inlined_kernel
def _moved(matrices: NDArray[np.float64], i: Any, px: Any, py: Any, pz: Any) -> tuple[Any, Any, Any]:
    """Points of the world by matrices 3 x 4, one for each."""
    x = looked_up(matrices, i * 12) * px + looked_up(matrices, i * 12 + 1) * py
    x = x + looked_up(matrices, i * 12 + 2) * pz + looked_up(matrices, i * 12 + 3)
    y = looked_up(matrices, i * 12 + 4) * px + looked_up(matrices, i * 12 + 5) * py
    y = y + looked_up(matrices, i * 12 + 6) * pz + looked_up(matrices, i * 12 + 7)
    z = looked_up(matrices, i * 12 + 8) * px + looked_up(matrices, i * 12 + 9) * py
    z = z + looked_up(matrices, i * 12 + 10) * pz + looked_up(matrices, i * 12 + 11)
    return narrow(x), narrow(y), narrow(z)
