"""What a car does to the ground it stands on: heat from engine and exhaust, a lid against the sky, a shadow.

Only the pixels around each car's footprint are visited, so that the cost follows the cars and not the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Box3D, Frame, Instance
from ..geometry.view import CameraView, camera_view
from ..optional import fast_kernel, inlined_kernel
from ..zones.catalogue import Zone
from .balance import SKY_VIEW, Balance
from .profiles import CarProfile, Profiles

__all__ = ["GroundEffects", "ground_effects"]

_GROUND_ZONES = (Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT, Zone.SOIL)
_REACH_M = 1.3
"""Beyond this the warm air from under a car is gone (assumed)."""
_MAX_SHADOW_M = 8.0
_FAR_M = 1e7
"""What is farther has not been hit."""


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
    is_ground = np.zeros(256, dtype=np.bool_)
    is_ground[list(_GROUND_ZONES)] = True
    if plane:
        is_ground[[Zone.BACKGROUND, Zone.SKY]] = True
    suns = balance.sun_world[:3]
    for instance, draw in zip(cars, spread, strict=True):
        profile = profiles.vehicle(instance.profile)
        size = _size(instance.box_3d)
        shadow = suns if profile.shadow else suns[:0]
        region = _region(frame, instance, size, shadow)
        if region.left >= region.right or region.top >= region.bottom:
            continue
        to_model = world_to_local(instance.object_to_world)
        _add_car(
            frame.depth_m, frame.zone, is_ground, camera_view(frame), region, to_model,
            float(instance.object_to_world[2, 3]), size, _warmth(profile, draw, balance), shadow @ to_model[:, :3].T,
            effects,
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
    half_l, half_w = size.half_length + _REACH_M, size.half_width + _REACH_M
    corners = np.array([[x, y, 0.0, 1.0] for x in (-half_l, half_l) for y in (-half_w, half_w)])
    world = (corners @ instance.object_to_world.T)[:, :3]
    fans = [world]
    for sun in suns:
        reach = min(_MAX_SHADOW_M, size.height / max(sun[2], 0.05))
        fans.append(world - np.array([sun[0], sun[1], 0.0]) * reach)
    points = np.concatenate(fans)
    camera = frame.camera
    local = (points - frame.cam_to_world[:3, 3]) @ frame.cam_to_world[:3, :3]
    if local[:, 2].max() < 0.1:
        return _Region(0, 0, 0, 0)
    if local[:, 2].min() < 0.3:  # beside or under the camera: only the far end bounds it, from above
        ahead = camera.project(local[local[:, 2] > 0.1])
        return _Region(0, max(0, int(ahead[:, 1].min())), camera.width, camera.height)
    pixels = camera.project(local)
    left, top = np.floor(pixels.min(axis=0)).astype(int)
    right, bottom = np.ceil(pixels.max(axis=0)).astype(int) + 1
    return _Region(max(0, int(left)), max(0, int(top)), min(camera.width, int(right)), min(camera.height, int(bottom)))


@fast_kernel
def _add_car(
    depth: NDArray[np.float32], zones: NDArray[np.uint8], is_ground: NDArray[np.bool_], view: CameraView,
    region: _Region, to_model: NDArray[np.float64], ground_z: float, size: _Size, warmth: _Warmth,
    suns: NDArray[np.float64], effects: GroundEffects,
) -> None:  # fmt: skip
    """Add one car's heat and shadow to the pixels of its region.

    ``to_model`` (3, 4) leads from the world into the car's axes, in which ``suns`` (K, 3) are directions;
    ``ground_z`` is the height of its ground in the world, for pixels where nothing was hit.
    """
    turn, eye, m, heat, shade = view.rotation, view.position_m, to_model, effects.heat_K, effects.shade
    for r in range(region.top, region.bottom):
        cy = (r + 0.5 - view.cy) / view.fy
        for c in range(region.left, region.right):
            if not is_ground[zones[r, c]]:
                continue
            cx = (c + 0.5 - view.cx) / view.fx
            dx = turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]
            dy = turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]
            dz = turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]
            distance = float(depth[r, c])
            if not distance < _FAR_M:
                if dz > -1e-4:
                    continue
                distance = (ground_z - eye[2]) / dz
            px, py, pz = eye[0] + dx * distance, eye[1] + dy * distance, eye[2] + dz * distance
            z = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
            if abs(z) > 0.35:
                continue
            x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
            y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
            heat[r, c] += _warming_K(x, y, size, warmth)
            for k in range(suns.shape[0]):
                if _meets_box(x, y, max(z, 0.0), suns[k], size):
                    shade[r, c] = min(1.0, shade[r, c] + 1.0 / suns.shape[0])


@inlined_kernel
def _warming_K(x: float, y: float, size: _Size, warmth: _Warmth) -> float:
    """At a point of the ground in the car's axes: most under the engine, some at the exhaust."""
    ox, oy = abs(x) - size.half_length, abs(y) - size.half_width
    out = math.sqrt(max(0.0, ox) ** 2 + max(0.0, oy) ** 2) if max(ox, oy) > 0.0 else max(ox, oy)
    if out > _REACH_M:
        return 0.0
    near = 1.0 / (1.0 + math.exp((out + warmth.inset_m) / warmth.softness_m))
    u = x / size.half_length
    engine = math.exp(-((u - 0.55) ** 2) / 0.18)
    exhaust = math.exp(-((u + 1.0) ** 2) / 0.05 - ((y / size.half_width - 0.4) ** 2) / 0.2)
    return near * (warmth.own_K * (0.65 + 0.55 * engine + 0.35 * exhaust) + warmth.lid_K)


@inlined_kernel
def _meets_box(x: float, y: float, z: float, sun: NDArray[np.float64], size: _Size) -> bool:
    """Whether the way from a point to the sun meets the car's box (a tenth slimmer, and off the ground)."""
    if sun[2] < 0.03:
        return False
    near, far = max(0.0, (0.18 - z) / sun[2]), (0.95 * size.height - z) / sun[2]
    for axis in range(2):
        start, half = (x, 0.95 * size.half_length) if axis == 0 else (y, 0.95 * size.half_width)
        step = sun[axis]
        if abs(step) < 1e-6:
            if abs(start) > half:
                return False
            continue
        a, b = (-half - start) / step, (half - start) / step
        near, far = max(near, min(a, b)), min(far, max(a, b))
    return bool(near < far)
