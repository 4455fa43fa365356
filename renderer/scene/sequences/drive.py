"""How the camera's car drives through a sequence: along one path with constant speed, or it waits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ..camera_car import (
    HEIGHT_MAX_M,
    HEIGHT_STD_M,
    LATERAL_MAX_M,
    LATERAL_STD_M,
    PITCH_MAX_DEG,
    PITCH_STD_DEG,
    WHEELBASE_M,
    YAW_STD_DEG,
)
from ..draws import clipped_normal
from ..projection import camera_pose
from ..slopes import tilted
from ..street import Street
from .route import Route, route_along

__all__ = ["NOD_HZ", "SIDEWAYS_M_S2", "TOWN_SPEED_M_S", "Drive", "draw_drive", "usual_speed_m_s"]

Array = NDArray[np.float64]
Rng = np.random.Generator

TOWN_SPEED_M_S = 11.0
"""Of traffic in a town where 50 km/h are allowed (assumed)."""
SPEED_SHARE = (0.65, 1.15)
"""Of the usual speed of a street."""
WAITING_SHARE = 0.15
"""Sequences in which the camera's car waits (assumed)."""
SIDEWAYS_M_S2 = 2.0
"""Most acceleration to the side in a bend: what drivers find comfortable (Reymond et al. 2001, Human Factors 43:
2 to 4 m/s2 at town speeds, the lower end here)."""
YAW_LIMIT_DEG = 3.0
NOD_HZ, ROLLING_HZ = 1.3, 0.37
"""A car body on its springs, 1 to 1.5 Hz (Gillespie, Fundamentals of Vehicle Dynamics, 1992), and long waves of a
road."""
NOD_DEG, HEAVE_M = 0.12, 0.008
"""Amplitudes at ordinary speed. Assumed."""


@dataclass(frozen=True, eq=False)
class Drive:
    """Pose of the camera at any time of a sequence."""

    route: Route
    start_m: float
    speed_m_s: float
    height_m: float
    pitch_rad: float
    yaw_rad: float
    """Of the camera against its car."""
    phases: tuple[float, float]
    """Of the body's movements at time 0."""
    street: Street | None = None
    """Whose slopes it follows."""

    def poses(self, at_s: Array) -> Array:
        """``x, y, z, yaw`` (T, 4) of the point of the road below the camera."""
        return self.route.at(self.start_m + self.speed_m_s * at_s)

    def cam_to_world(self, time_s: float) -> Array:
        """(4, 4) OpenCV camera axes to the world."""
        x, y, z, yaw = self.route.at(self.start_m + self.speed_m_s * time_s).tolist()
        share = min(1.0, self.speed_m_s / TOWN_SPEED_M_S)
        nod = math.sin(2 * math.pi * NOD_HZ * time_s + self.phases[0])
        rolling = math.sin(2 * math.pi * ROLLING_HZ * time_s + self.phases[1])
        pitch = self.pitch_rad + share * math.radians(NOD_DEG) * (0.6 * nod + 0.8 * rolling)
        pose = camera_pose(x, y, z + self.height_m + share * HEAVE_M * nod, yaw + self.yaw_rad, pitch)
        return pose if self.street is None else tilted(pose, self.street.slope_at(x, y, z))


def usual_speed_m_s(street: Street) -> float:
    """Usual speed of a street's cars."""
    return TOWN_SPEED_M_S if street.speed_m_s is None else street.speed_m_s


def draw_drive(street: Street, camera: Camera, duration_s: float, rng: Rng) -> Drive:
    """Where the camera's car starts, and how fast it is."""
    lengths = np.array([line.length_m for line in street.path_lines])
    which = int(rng.choice(len(lengths), p=lengths / lengths.sum()))
    left = clipped_normal(rng, LATERAL_STD_M, LATERAL_MAX_M)
    speed = 0.0 if rng.random() < WAITING_SHARE else usual_speed_m_s(street) * float(rng.uniform(*SPEED_SHARE))
    route = route_along(street.path_lines[which], WHEELBASE_M, left)
    speed = min(speed, 0.95 * route.length_m / duration_s)
    start = float(rng.uniform(0.0, route.length_m - speed * duration_s))
    speed = min(speed, route.fastest_m_s(start, start + speed * duration_s, SIDEWAYS_M_S2))
    return Drive(
        route,
        start,
        speed,
        camera.height_m + clipped_normal(rng, HEIGHT_STD_M, HEIGHT_MAX_M),
        math.radians(camera.pitch_deg + clipped_normal(rng, PITCH_STD_DEG, PITCH_MAX_DEG)),
        math.radians(clipped_normal(rng, YAW_STD_DEG, YAW_LIMIT_DEG)),
        (float(rng.uniform(0.0, 2 * math.pi)), float(rng.uniform(0.0, 2 * math.pi))),
        street,
    )
