"""Spray: the cloud of droplets that the wheels of a moving car throw up from a wet road.

Droplets have the wet-bulb temperature of the air within a fraction of a second, so the cloud hides the warm tail of a
car and what is behind in a grey of the air's own. Its thickness is assumed: an optical depth of 0.4 along the car's
axis at 13 m/s and 4 mm/h, and less in light rain, where the road throws up little; measurements with lasers
behind lorries (Weir, Strange, Heffley, "Reduction of Adverse Aerodynamic Effects of Large Trucks", FHWA-RD-79-84, 1978)
find transmittances of 0.3 to 0.9.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...geometry.affine import world_to_local
from ...geometry.frame import Frame, Instance
from ...geometry.view import CameraView
from ...optional import fast_kernel
from ..planck import radiance_of, temperature_of

__all__ = ["add_spray", "optical_depth", "spray_of"]

_DEPTH, _AT_MM_H = 0.4, 4.0
_FAR_M = 1e7


def spray_of(instance: Instance, rain_mm_h: float, amount: float) -> NDArray[np.float64]:
    """Clouds of a moving car in its own axes, (N, 7): centre, three deviations in metres, density in 1/m.

    Args:
        instance: the car.
        rain_mm_h: more water on the road is more spray.
        amount: what differs between cars, about 1.
    """
    half_l, half_w = instance.box_3d.length_m / 2, instance.box_3d.width_m / 2
    strength = amount * _DEPTH * min(1.5, (rain_mm_h / _AT_MM_H) ** 0.4)
    tail = (-half_l - 1.6, 0.0, 0.55, 1.5, 0.55 * half_w, 0.38)
    rows = [(*tail, strength / (1.5 * math.sqrt(2.0 * math.pi)))]
    for side in (-1.0, 1.0):
        wake = (-half_l - 0.2, side * 0.85 * half_w, 0.3, 1.0, 0.28, 0.22)
        rows.append((*wake, 0.8 * strength / (1.0 * math.sqrt(2.0 * math.pi))))
    return np.array(rows)


def add_spray(
    frame: Frame, view: CameraView, instance: Instance, clouds: NDArray[np.float64], level: float,
    forward: NDArray[np.float32], inverse: NDArray[np.float32], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Veils the pixels of ``out``, (H, W) kelvin, by a car's spray; ``level`` is the radiance of the droplets."""
    reach = np.array([[sign_x, sign_y, sign_z] for sign_x in (-1, 1) for sign_y in (-1, 1) for sign_z in (-1, 1)])
    corners = np.concatenate([cloud[:3] + 2.5 * cloud[3:6] * reach for cloud in clouds])
    pose = instance.object_to_world
    world = corners @ pose[:3, :3].T + pose[:3, 3]
    local = (world - frame.cam_to_world[:3, 3]) @ frame.cam_to_world[:3, :3]
    height, width = out.shape
    left, top, right, bottom = 0, 0, width, height
    if local[:, 2].min() > 0.3:
        pixels = frame.camera.project(local)
        left, top = np.maximum(np.floor(pixels.min(axis=0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(pixels.max(axis=0)), (width, height)).astype(int)
    elif local[:, 2].max() < 0.3:
        return
    to_model = world_to_local(pose)
    _veil(
        frame.depth_m,
        view,
        (int(left), int(top), int(right), int(bottom)),
        to_model,
        clouds,
        level,
        forward,
        inverse,
        out,
    )


@fast_kernel
def _veil(
    depth: NDArray[np.float32], view: CameraView, region: tuple[int, int, int, int], m: NDArray[np.float64],
    clouds: NDArray[np.float64], level: float, forward: NDArray[np.float32], inverse: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:  # fmt: skip
    turn, eye = view.rotation, view.position_m
    ox = m[0, 0] * eye[0] + m[0, 1] * eye[1] + m[0, 2] * eye[2] + m[0, 3]
    oy = m[1, 0] * eye[0] + m[1, 1] * eye[1] + m[1, 2] * eye[2] + m[1, 3]
    oz = m[2, 0] * eye[0] + m[2, 1] * eye[1] + m[2, 2] * eye[2] + m[2, 3]
    for r in range(region[1], region[3]):
        cy = (r + 0.5 - view.cy) / view.fy
        for c in range(region[0], region[2]):
            cx = (c + 0.5 - view.cx) / view.fx
            length = math.sqrt(cx * cx + cy * cy + 1.0)
            wx = (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) / length
            wy = (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) / length
            wz = (turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]) / length
            dx = m[0, 0] * wx + m[0, 1] * wy + m[0, 2] * wz
            dy = m[1, 0] * wx + m[1, 1] * wy + m[1, 2] * wz
            dz = m[2, 0] * wx + m[2, 1] * wy + m[2, 2] * wz
            end, thick = min(float(depth[r, c]), _FAR_M) * length, 0.0
            for k in range(clouds.shape[0]):
                thick += optical_depth(clouds[k], ox, oy, oz, dx, dy, dz, end)
            if thick > 0.004:
                seen = radiance_of(out[r, c], forward)
                out[r, c] = temperature_of(level + math.exp(-thick) * (seen - level), inverse)


@fast_kernel
def optical_depth(
    cloud: NDArray[np.float64], ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, end: float
) -> float:
    """Of a cloud with a normal distribution along a ray from a point in a direction of unit length, up to ``end``."""
    ax, ay, az = dx / cloud[3], dy / cloud[4], dz / cloud[5]
    bx, by, bz = (ox - cloud[0]) / cloud[3], (oy - cloud[1]) / cloud[4], (oz - cloud[2]) / cloud[5]
    a, b, c = ax * ax + ay * ay + az * az, ax * bx + ay * by + az * bz, bx * bx + by * by + bz * bz
    least = c - b * b / a
    if least > 30.0:
        return 0.0
    root = math.sqrt(0.5 * a)
    share = math.erf(root * (end + b / a)) - math.erf(root * b / a)
    depth: float = cloud[6] * math.exp(-0.5 * least) * math.sqrt(0.5 * math.pi / a) * share
    return depth
