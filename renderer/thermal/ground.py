"""What a car does to the ground it stands on: heat from engine and exhaust, a lid against the sky, a shadow.

Only the pixels around each car's footprint are visited, so that the cost follows the cars and not the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Box3D, Frame, Instance
from ..geometry.view import CameraView, camera_view
from ..optional import fast_kernel, inlined_kernel, kernel
from ..zones.catalogue import Zone
from .balance import SKY_VIEW, Balance
from .lanes.in_step import (
    LANES,
    absolute,
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
    rooted,
    wide,
)
from .pixels.view import ray, seen_point
from .profiles import CarProfile, Profiles

__all__ = ["GroundEffects", "ground_effects"]

_GROUND_ZONES = (Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT, Zone.SOIL)
_REACH_M = 1.3
"""Beyond this the warm air from under a car is gone (assumed)."""
_MAX_SHADOW_M = 8.0
_FAR_M = 1e7
"""What is farther has not been hit."""
_STEPS = np.arange(LANES, dtype=np.int32)


class GroundEffects(NamedTuple):
    """What the frame's cars do to the ground; arrays are (H, W)."""

    heat_K: NDArray[np.float32]
    """Warming of the ground around them."""
    shade: NDArray[np.float32]
    """Share of the sun that they keep from it, 0-1."""


class _Size(NamedTuple):
    """Of a car's box, metres."""

    half_length: float
    half_width: float
    height: float


class _Warmth(NamedTuple):
    """Below a car."""

    own_K: float
    """From the car's own heat."""
    lid_K: float
    """Because the sky cannot cool the ground there."""
    inset_m: float
    """How far inside the footprint's edge half of the warmth is gone."""
    softness_m: float
    """Over which it falls off."""


class _Region(NamedTuple):
    """Columns and rows of the picture, from the first up to the end."""

    left: int
    top: int
    right: int
    bottom: int


def ground_effects(
    frame: Frame,
    cars: Sequence[Instance],
    profiles: Profiles,
    balance: Balance,
    spread: Sequence[float],
    *,
    plane: bool = False,
) -> GroundEffects:
    """Warming of the ground around cars, and the share of the sun that they keep from it.

    Args:
        frame: passes.
        cars: those of its instances that warm and shade the ground; people do not.
        profiles: say how much a car warms the ground.
        balance: sun and sky.
        spread: one standard normal number per car.
        plane: also where nothing was hit: the level plane on which each car stands.
    """
    effects = GroundEffects(np.zeros(frame.zone.shape, np.float32), np.zeros(frame.zone.shape, np.float32))
    is_ground = np.zeros(256, np.uint8)
    is_ground[list(_GROUND_ZONES)] = 1
    if plane:
        is_ground[[Zone.BACKGROUND, Zone.SKY]] = 1
    suns, view = balance.sun_world[:3], camera_view(frame)
    depth, zone = np.ascontiguousarray(frame.depth_m), np.ascontiguousarray(frame.zone)
    for instance, draw in zip(cars, spread, strict=True):
        profile = profiles.vehicle(instance.profile)
        size = _size(instance.box_3d)
        shadow = suns if profile.shadow else suns[:0]
        region = _region(frame, instance, size, shadow)
        if region.left >= region.right or region.top >= region.bottom:
            continue
        to_model = world_to_local(instance.object_to_world)
        _add_car(
            depth, zone, is_ground, view, region, to_model, float(instance.object_to_world[2, 3]), size,
            _warmth(profile, draw, balance), np.ascontiguousarray(shadow @ to_model[:, :3].T), _STEPS, effects,
        )  # fmt: skip
    return effects


def _size(box: Box3D) -> _Size:
    return _Size(float(box.length_m) / 2, float(box.width_m) / 2, float(box.height_m))


def _warmth(profile: CarProfile, draw: float, balance: Balance) -> _Warmth:
    """How a car of that profile warms the ground; ``draw`` is standard normal."""
    own = profile.ground_mean_K + profile.ground_deviation_K * max(-2.0, min(2.0, draw))
    lid = balance.sky_loss_K[Zone.ROAD] * SKY_VIEW * (0.8 if profile.shadow else 0.1)
    # Under a moving car warm air stays between the wheels and trails; under a standing one it creeps out at the sides.
    inset_m, softness_m = (0.1, 0.22) if profile.airflow_m_s < 2.0 else (0.1, 0.28)
    return _Warmth(float(own), float(lid), inset_m, softness_m)


def _region(frame: Frame, instance: Instance, size: _Size, suns: NDArray[np.float64]) -> _Region:
    """What footprint and shadow can reach in the picture."""
    camera, poses = frame.camera, (instance.object_to_world, frame.cam_to_world)
    model, eye = (np.ascontiguousarray(pose, np.float64) for pose in poses)
    local = _reached(model, eye, size, np.ascontiguousarray(suns))
    if local[:, 2].max() < 0.1:
        return _Region(0, 0, 0, 0)
    if local[:, 2].min() < 0.3:  # beside or under the camera: only the far end bounds it, from above
        ahead = camera.project(local[local[:, 2] > 0.1])
        return _Region(0, max(0, int(ahead[:, 1].min())), camera.width, camera.height)
    pixels = camera.project(local)
    left, top = np.floor(pixels.min(axis=0)).astype(int)
    right, bottom = np.ceil(pixels.max(axis=0)).astype(int) + 1
    return _Region(max(0, int(left)), max(0, int(top)), min(camera.width, int(right)), min(camera.height, int(bottom)))


@kernel
def _reached(to_world: NDArray[np.float64], eye: NDArray[np.float64], size: _Size, suns: NDArray[np.float64]) -> Any:
    """Corners (N, 3), in the camera's axes, of a car's footprint with room around it and of its shadows.

    Args:
        to_world: (4, 4) the car's pose.
        eye: (4, 4) the camera's.
        size: of the car.
        suns: (K, 3) directions in the world.
    """
    out = np.empty((4 * (suns.shape[0] + 1), 3))
    n = 0
    for k in range(-1, suns.shape[0]):
        east, north = 0.0, 0.0
        if k >= 0:
            reach = min(_MAX_SHADOW_M, size.height / max(suns[k, 2], 0.05))
            east, north = suns[k, 0] * reach, suns[k, 1] * reach
        for corner in range(4):
            x = (size.half_length + _REACH_M) * (1.0 if corner & 1 else -1.0)
            y = (size.half_width + _REACH_M) * (1.0 if corner & 2 else -1.0)
            away_x = to_world[0, 0] * x + to_world[0, 1] * y + to_world[0, 3] - east - eye[0, 3]
            away_y = to_world[1, 0] * x + to_world[1, 1] * y + to_world[1, 3] - north - eye[1, 3]
            away_z = to_world[2, 0] * x + to_world[2, 1] * y + to_world[2, 3] - eye[2, 3]
            for axis in range(3):
                out[n, axis] = away_x * eye[0, axis] + away_y * eye[1, axis] + away_z * eye[2, axis]
            n += 1
    return out


@fast_kernel
def _add_car(
    depth: NDArray[np.float32], zones: NDArray[np.uint8], is_ground: NDArray[np.uint8], view: CameraView,
    region: _Region, to_model: NDArray[np.float64], ground_z: float, size: _Size, warmth: _Warmth,
    suns: NDArray[np.float64], steps: NDArray[np.int32], effects: GroundEffects,
) -> None:  # fmt: skip
    """Add one car's heat and shadow to the pixels of its region, several neighbours in step.

    ``to_model`` (3, 4) leads from the world into the car's axes, in which ``suns`` (K, 3) are directions;
    ``ground_z`` is the height of its ground in the world, for pixels where nothing was hit. ``steps`` count lanes.
    """
    depths, kinds, grounds, m, sun = bare(depth), bare(zones), bare(is_ground), bare(to_model), bare(suns)
    heat, shade, turn, eye = bare(effects.heat_K), bare(effects.shade), bare(view.rotation), bare(view.position_m)
    columns, width, count = lanes_at(bare(steps), 0), zones.shape[1], suns.shape[0]
    for r in range(region.top, region.bottom):
        for first in range(region.left, region.right, LANES):
            column = least(columns + first, region.right - 1)  # the last ones may be the same pixel
            at = column + r * width
            on_ground = looked_up(grounds, looked_up(kinds, at)) > 0
            if not anywhere(on_ground):
                continue
            seen = looked_up(depths, at)
            wx, wy, wz, _ = ray(turn, view.fx, view.fy, view.cx, view.cy, column, r)
            is_hit, falls = seen < _FAR_M, wz <= -1e-4
            far = choose(is_hit, wide(seen), (ground_z - looked_up(eye, 2)) / choose(falls, wz, -1.0))
            px, py, pz = seen_point(eye, wx, wy, wz, far)
            z = _row(m, 2, px, py, pz)
            counts = on_ground & (is_hit | falls) & (absolute(z) <= 0.35)
            if not anywhere(counts):
                continue
            x, y = _row(m, 0, px, py, pz), _row(m, 1, px, py, pz)
            put(heat, at, looked_up(heat, at) + choose(counts, _warming_K(narrow(x), narrow(y), size, warmth), 0.0))
            for k in range(count):
                a, b, c = looked_up(sun, 3 * k), looked_up(sun, 3 * k + 1), looked_up(sun, 3 * k + 2)
                if c < 0.03:
                    continue
                hidden = counts & _meets_box(x, y, greatest(z, 0.0), a, b, c, size)
                if anywhere(hidden):
                    put(shade, at, least(1.0, looked_up(shade, at) + choose(hidden, 1.0 / count, 0.0 * narrow(x))))


@inlined_kernel
def _row(m: Any, row: int, x: Any, y: Any, z: Any) -> Any:
    """One coordinate of points in the car's axes."""
    at = 4 * row
    return looked_up(m, at) * x + looked_up(m, at + 1) * y + looked_up(m, at + 2) * z + looked_up(m, at + 3)


@inlined_kernel
def _warming_K(x: Any, y: Any, size: _Size, warmth: _Warmth) -> Any:
    """At points of the ground in the car's axes: most under the engine, some at the exhaust."""
    ox, oy = absolute(x) - size.half_length, absolute(y) - size.half_width
    most, ahead, aside = greatest(ox, oy), greatest(0.0, ox), greatest(0.0, oy)
    out = choose(most > 0.0, rooted(ahead * ahead + aside * aside), most)
    near = 1.0 / (1.0 + exponential((out + warmth.inset_m) * (1.0 / warmth.softness_m)))
    u, v = x * (1.0 / size.half_length), y * (1.0 / size.half_width) - 0.4
    from_engine, from_exhaust = u - 0.55, u + 1.0
    engine = exponential(from_engine * from_engine * (-1.0 / 0.18))
    exhaust = exponential(from_exhaust * from_exhaust * (-1.0 / 0.05) - v * v * (1.0 / 0.2))
    warming = near * (warmth.own_K * (0.65 + 0.55 * engine + 0.35 * exhaust) + warmth.lid_K)
    return choose(out > _REACH_M, 0.0, warming)


@inlined_kernel
def _meets_box(x: Any, y: Any, z: Any, a: float, b: float, c: float, size: _Size) -> Any:
    """Whether the way from points to a sun (a, b, c) meets the car's box (a tenth slimmer, and off the ground)."""
    near, far = greatest(0.0, (0.18 - z) * (1.0 / c)), (0.95 * size.height - z) * (1.0 / c)
    enters, leaves = _between(x, a, 0.95 * size.half_length)
    near, far = greatest(near, enters), least(far, leaves)
    enters, leaves = _between(y, b, 0.95 * size.half_width)
    return greatest(near, enters) < least(far, leaves)


@inlined_kernel
def _between(start: Any, step: float, half: float) -> tuple[Any, Any]:
    """How far along a direction points enter and leave the slab of that half width; a direction along it never."""
    per = 1.0 / (step if abs(step) > 1e-6 else 1e-6)
    one, other = (-half - start) * per, (half - start) * per
    return least(one, other), greatest(one, other)
