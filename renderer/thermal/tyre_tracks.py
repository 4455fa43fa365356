"""Tracks of tyres: where a driven car's wheels have touched the road it is a little warmer, and cools again.

Only in sequences. A tyre that is warmer than the road brings the surface to a temperature between both while it stands
on it, by their thermal effusivities. What is left of that after a time ``t`` since the contact began, which lasted
``c``, follows from the half-space's response to heat (Carslaw and Jaeger, "Conduction of Heat in Solids", 1959): the
flow during the contact is as the inverse root of time, and the surface answers to each part of it alike, so that the
sum is ``2 / pi * arcsin(sqrt(c / t))``. With a constant speed times are distances, and the speed falls out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Frame, Instance
from ..geometry.view import CameraView, camera_view
from ..optional import fast_kernel, inlined_kernel
from ..zones.catalogue import Zone

__all__ = ["Wheel", "add_tyre_tracks", "left_after", "wheels_of"]

Floats = NDArray[np.float64]

_ON = (Zone.ROAD, Zone.ROAD_MARKING)
TYRE, ASPHALT = 740.0, 1450.0
"""Effusivities, W s^0.5 / m2K: of filled rubber (0.25 W/mK, 1150 kg/m3, 1900 J/kgK) and of asphalt concrete (1 W/mK,
2300 kg/m3, 920 J/kgK)."""
TOUCHING = 0.6
"""Share of the tread that touches a rough road (assumed)."""
CONTACT_M, HALF_WIDTH_M, SOFTNESS_M = 0.18, 0.09, 0.03
"""Length of a car's tyre on the road, half of the tread's width, and over which its edge falls off (assumed: 195/65
R15 at 2.2 bar)."""
REACH_M = 40.0
"""What is farther behind is below a hundredth of the tyre's warmth."""
_STRAIGHT_PER_M = 1e-4
_STEP_M, _ASIDE_M = 2.0, 1.6
"""How the region in the picture is found: points along the tracks, and how far beside."""


@dataclass(frozen=True)
class Wheel:
    """Where a wheel stands, in its car's axes."""

    x_m: float
    y_m: float
    steer_rad: float
    """To the left."""


def wheels_of(frame: Frame, instance: Instance) -> list[Wheel]:
    """The wheels of a car, by its parts: a wheel's origin is its hub, above the ground and off the car's middle."""
    to_car, wheels = world_to_local(instance.object_to_world), []
    for part in frame.parts:
        if part.instance_id == instance.id:
            x, y, z = (to_car[:, :3] @ part.local_to_world[:3, 3] + to_car[:, 3]).tolist()
            axle = to_car[:, :3] @ part.local_to_world[:3, 1]
            if 0.15 < z < 0.8 and abs(y) > 0.4:
                sign = math.copysign(1.0, float(axle[1]))
                wheels.append(Wheel(x, y, math.atan2(-sign * float(axle[0]), sign * float(axle[1]))))
    return wheels


def add_tyre_tracks(
    frame: Frame, cars: Sequence[Instance], warmer_K: Sequence[float], heat_K: NDArray[np.float32]
) -> None:
    """Adds the tracks of the cars that drive to the warming of the ground.

    Args:
        frame: passes, with parts.
        cars: some of its instances.
        warmer_K: by how much each one's tyres are warmer than the road.
        heat_K: (H, W) gets the tracks.
    """
    on = np.zeros(256, np.bool_)
    on[list(_ON)] = True
    share = TOUCHING * TYRE / (TYRE + ASPHALT)
    for car, excess_K in zip(cars, warmer_K, strict=True):
        wheels = wheels_of(frame, car) if (car.speed_m_s or 0.0) > 0.0 else []
        if not wheels:
            continue
        bend = _curvature_per_m(wheels)
        region = _region(frame, car, min(one.x_m for one in wheels), bend)
        if region[0] < region[2] and region[1] < region[3]:
            bends = abs(bend) > _STRAIGHT_PER_M
            middle = np.array([min(one.x_m for one in wheels), 1.0 / bend if bends else 0.0])
            _draw(
                frame.depth_m, frame.zone, on, camera_view(frame), region, world_to_local(car.object_to_world),
                _hubs(wheels, middle), middle, bends, share * excess_K, heat_K,
            )  # fmt: skip


def _hubs(wheels: Sequence[Wheel], middle: Floats) -> Floats:
    """(W, 4) places of wheels in their car's axes, and how far from a point and in which direction they are."""
    places = np.array([(one.x_m, one.y_m) for one in wheels])
    x, y = (places - middle).T
    side = 1.0 if middle[1] > 0.0 else -1.0
    return np.ascontiguousarray(np.column_stack([places, np.hypot(x, y), np.arctan2(x, -side * y)]))


def _curvature_per_m(wheels: Sequence[Wheel]) -> float:
    """Of the way, to the left: what the wheels at the front are turned for."""
    first, last = min(one.x_m for one in wheels), max(one.x_m for one in wheels)
    if last - first < 0.5:
        return 0.0
    middle = (first + last) / 2
    front = [one.steer_rad for one in wheels if one.x_m > middle]
    return math.tan(sum(front) / len(front)) / (last - first)


def _region(frame: Frame, car: Instance, start_m: float, bend_per_m: float) -> tuple[int, int, int, int]:
    """Columns and rows, from the first up to the end, that the tracks can reach."""
    camera, s = frame.camera, np.arange(start_m + 2.0 * _STEP_M, start_m - REACH_M - _STEP_M, -_STEP_M)
    angle = bend_per_m * s
    x = s * np.sinc(angle / (2 * np.pi)) * np.cos(angle / 2)
    y = s * np.sinc(angle / (2 * np.pi)) * np.sin(angle / 2)
    points = np.concatenate(
        [np.stack([x, y + side, 0.0 * x, np.ones_like(x)], axis=1) for side in (-_ASIDE_M, _ASIDE_M)]
    )
    world = points @ car.object_to_world.T
    local = (world[:, :3] - frame.cam_to_world[:3, 3]) @ frame.cam_to_world[:3, :3]
    ahead = local[:, 2] > 0.3
    if not ahead.any():
        return 0, 0, 0, 0
    pixels = camera.project(local[ahead])
    left, top = (max(0, int(value)) for value in np.floor(pixels.min(axis=0)))
    right, bottom = (int(value) + 1 for value in np.ceil(pixels.max(axis=0)))
    if not ahead.all():  # some of it is beside or under the camera
        return 0, top, camera.width, camera.height
    return left, top, min(camera.width, right), min(camera.height, bottom)


@fast_kernel
def _draw(
    depth: NDArray[np.float32], zones: NDArray[np.uint8], on: NDArray[np.bool_], view: CameraView,
    region: tuple[int, int, int, int], to_car: Floats, hubs: Floats, middle: Floats, bends: bool, peak_K: float,
    heat: NDArray[np.float32],
) -> None:  # fmt: skip
    """Add one car's tracks.

    ``to_car`` (3, 4) leads to the car's axes, in which it turns about ``middle`` (2,) where it ``bends``; ``hubs``
    (W, 4) are places there, and distance and angle about that point.
    """
    side = 1.0 if middle[1] > 0.0 else -1.0
    turn, eye = view.rotation, view.position_m
    left, top, right, bottom = region
    for r in range(top, bottom):
        cy = (r + 0.5 - view.cy) / view.fy
        for c in range(left, right):
            if not on[zones[r, c]]:
                continue
            cx, distance = (c + 0.5 - view.cx) / view.fx, float(depth[r, c])
            px = eye[0] + (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) * distance
            py = eye[1] + (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) * distance
            pz = eye[2] + (turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]) * distance
            if abs(to_car[2, 0] * px + to_car[2, 1] * py + to_car[2, 2] * pz + to_car[2, 3]) > 0.35:
                continue
            x = to_car[0, 0] * px + to_car[0, 1] * py + to_car[0, 2] * pz + to_car[0, 3]
            y = to_car[1, 0] * px + to_car[1, 1] * py + to_car[1, 2] * pz + to_car[1, 3]
            angle, away = 0.0, 0.0
            if bends:
                angle = math.atan2(x - middle[0], side * (middle[1] - y))
                away = math.hypot(x - middle[0], y - middle[1])
            for k in range(hubs.shape[0]):
                behind, beside = hubs[k, 0] - x, abs(y - hubs[k, 1])
                if bends:
                    behind, beside = hubs[k, 2] * (hubs[k, 3] - angle), abs(away - hubs[k, 2])
                behind += 0.5 * CONTACT_M
                if behind < 0.0 or behind > REACH_M or beside > HALF_WIDTH_M + 3.0 * SOFTNESS_M:
                    continue
                edge = 1.0 / (1.0 + math.exp((beside - HALF_WIDTH_M) / SOFTNESS_M))
                heat[r, c] += edge * peak_K * left_after(behind - CONTACT_M)


@inlined_kernel
def left_after(behind_m: float) -> float:
    """Share of the surface's warmth under the tyre that is left so far behind the end of the contact."""
    return 2.0 / math.pi * math.asin(math.sqrt(CONTACT_M / (CONTACT_M + max(behind_m, 0.0))))
