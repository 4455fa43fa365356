"""What a car does to the ground it stands on: heat from engine and exhaust, a lid against the sky, a shadow.

Only the pixels around each car's footprint are visited, so that the cost follows the cars and not the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Frame, Instance
from ..optional import njit
from ..zones.catalogue import Zone
from .balance import SKY_VIEW, Balance
from .profiles import CarProfile, Profiles

__all__ = ["ground_effects"]

_GROUND_ZONES = (Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT, Zone.SOIL)
_REACH_M = 0.75
"""Beyond this the warm air from under a car is gone (assumed)."""
_MAX_SHADOW_M = 8.0


def ground_effects(
    frame: Frame, profiles: Profiles, balance: Balance, spread: Sequence[float], *, plane: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Warming of the ground around cars, and the share of the sun that they keep from it.

    Args:
        frame: passes and instances.
        profiles: say how much a car warms the ground.
        balance: sun and sky.
        spread: one standard normal number per instance.
        plane: also where nothing was hit: the level plane on which each instance stands.

    Returns:
        kelvin (H, W) float32, and shade (H, W) float32 0-1.
    """
    heat = np.zeros(frame.zone.shape, dtype=np.float32)
    shade = np.zeros(frame.zone.shape, dtype=np.float32)
    is_ground = np.zeros(256, dtype=np.bool_)
    is_ground[list(_GROUND_ZONES)] = True
    if plane:
        is_ground[[Zone.BACKGROUND, Zone.SKY]] = True
    lens = frame.camera
    view = np.concatenate(
        [frame.cam_to_world[:3, :3].ravel(), frame.cam_to_world[:3, 3], [lens.fx, lens.fy, lens.cx, lens.cy]]
    )
    suns = balance.sun_world[:3]
    for instance, draw in zip(frame.instances, spread, strict=True):
        profile = profiles.car(instance.profile)
        box = instance.box_3d
        size = np.array([box.length_m / 2, box.width_m / 2, box.height_m])
        shadow = suns if profile.shadow else suns[:0]
        left, top, right, bottom = _region(frame, instance, size, shadow)
        if left >= right or top >= bottom:
            continue
        to_model = world_to_local(instance.object_to_world)
        warm = _strength(profile, draw, balance)
        _one_car(
            frame.depth_m, frame.zone, is_ground, view, to_model, size, warm, shadow @ to_model[:, :3].T,
            float(instance.object_to_world[2, 3]), left, top, right, bottom, heat, shade,
        )  # fmt: skip
    return heat, shade


def _strength(profile: CarProfile, draw: float, balance: Balance) -> NDArray[np.float64]:
    """Kelvin below the car: from its heat, and because the sky cannot cool the ground there; inset of its edge, m."""
    own = profile.ground_mean_K + profile.ground_deviation_K * max(-2.0, min(2.0, draw))
    lid = balance.sky_loss_K[Zone.ROAD] * SKY_VIEW * (0.8 if profile.shadow else 0.1)
    # Under a moving car warm air stays between the wheels; under a standing one it creeps out at the sides.
    return np.array([own, lid, 0.05 if profile.airflow_m_s < 2.0 else 0.3])


def _region(
    frame: Frame, instance: Instance, size: NDArray[np.float64], suns: NDArray[np.float64]
) -> tuple[int, int, int, int]:
    """Columns and rows that footprint and shadow can reach in the picture: left, top, right, bottom."""
    half_l, half_w = size[0] + _REACH_M, size[1] + _REACH_M
    corners = np.array([[x, y, 0.0, 1.0] for x in (-half_l, half_l) for y in (-half_w, half_w)])
    world = (corners @ instance.object_to_world.T)[:, :3]
    fans = [world]
    for sun in suns:
        reach = min(_MAX_SHADOW_M, size[2] / max(sun[2], 0.05))
        fans.append(world - np.array([sun[0], sun[1], 0.0]) * reach)
    points = np.concatenate(fans)
    camera = frame.camera
    local = (points - frame.cam_to_world[:3, 3]) @ frame.cam_to_world[:3, :3]
    if local[:, 2].max() < 0.1:
        return 0, 0, 0, 0
    if local[:, 2].min() < 0.3:  # beside or under the camera: only the far end bounds it, from above
        ahead = camera.project(local[local[:, 2] > 0.1])
        return 0, max(0, int(ahead[:, 1].min())), camera.width, camera.height
    pixels = camera.project(local)
    left, top = np.floor(pixels.min(axis=0)).astype(int)
    right, bottom = np.ceil(pixels.max(axis=0)).astype(int) + 1
    return max(0, int(left)), max(0, int(top)), min(camera.width, int(right)), min(camera.height, int(bottom))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _one_car(
    depth: Any, zones: Any, is_ground: Any, view: Any, m: Any, size: Any, warm: Any, suns: Any, ground_z: Any,
    left: Any, top: Any, right: Any, bottom: Any, heat: Any, shade: Any,
) -> None:  # fmt: skip
    """Add one car's heat and shadow to the pixels of its region."""
    for r in range(top, bottom):
        cy = (r + 0.5 - view[15]) / view[13]
        for c in range(left, right):
            if not is_ground[zones[r, c]]:
                continue
            cx = (c + 0.5 - view[14]) / view[12]
            dx = view[0] * cx + view[1] * cy + view[2]
            dy = view[3] * cx + view[4] * cy + view[5]
            dz = view[6] * cx + view[7] * cy + view[8]
            distance = float(depth[r, c])
            if not distance < 1e7:
                if dz > -1e-4:
                    continue
                distance = (ground_z - view[11]) / dz
            px, py, pz = view[9] + dx * distance, view[10] + dy * distance, view[11] + dz * distance
            z = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
            if abs(z) > 0.35:
                continue
            x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
            y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
            heat[r, c] += _warming(x, y, size, warm)
            for k in range(suns.shape[0]):
                if _hits(x, y, max(z, 0.0), suns[k], size):
                    shade[r, c] = min(1.0, shade[r, c] + 1.0 / suns.shape[0])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}, inline="always")
def _warming(x: Any, y: Any, size: Any, warm: Any) -> Any:
    """Kelvin at a point of the ground in the car's axes: most under the engine, some at the exhaust."""
    ox, oy = abs(x) - size[0], abs(y) - size[1]
    out = math.sqrt(max(0.0, ox) ** 2 + max(0.0, oy) ** 2) if max(ox, oy) > 0.0 else max(ox, oy)
    if out > _REACH_M:
        return 0.0
    near = 1.0 / (1.0 + math.exp((out + warm[2]) / 0.13))
    u = x / size[0]
    engine = math.exp(-((u - 0.55) ** 2) / 0.18)
    exhaust = math.exp(-((u + 1.0) ** 2) / 0.05 - ((y / size[1] - 0.4) ** 2) / 0.2)
    return near * (warm[0] * (0.65 + 0.55 * engine + 0.35 * exhaust) + warm[1])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}, inline="always")
def _hits(x: Any, y: Any, z: Any, sun: Any, size: Any) -> Any:
    """Whether the way to the sun meets the car's box (a tenth slimmer, and off the ground)."""
    if sun[2] < 0.03:
        return False
    near, far = max(0.0, (0.18 - z) / sun[2]), (0.95 * size[2] - z) / sun[2]
    for axis in range(2):
        start, half = (x, 0.95 * size[0]) if axis == 0 else (y, 0.95 * size[1])
        step = sun[axis]
        if abs(step) < 1e-6:
            if abs(start) > half:
                return False
            continue
        a, b = (-half - start) / step, (half - start) / step
        near, far = max(near, min(a, b)), min(far, max(a, b))
    return near < far
