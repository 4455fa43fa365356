"""Reflection of the surroundings: paint and glass mirror what is around the car.

The frame itself is taken for a picture of the surroundings, all around.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..geometry.frame import Frame
from ..geometry.view import CameraView, camera_view
from ..optional import njit
from ..zones.catalogue import Zone
from .blur import gaussian_blur
from .horizon import clipped_horizon_row, horizon_level

__all__ = ["GREY_SHARES", "KELVIN_SHARES", "Surroundings"]

Float32 = NDArray[np.float32]

_BLUR_PX = 6.0
"""Blur of what is mirrored: paint is no perfect mirror, and curved metal packs much of the picture into a pixel."""
_BOW_PER_M, _WAIST_M = 0.7, 0.8
"""Panels are bowed: above the waist they mirror what is higher, below what is lower (sine of elevation per metre;
assumed)."""
_GRAZING_LIMIT = 0.35
"""Most that Fresnel's rise at grazing incidence adds: outlines are half a pixel wide."""
_SQUEEZE = 0.6
"""A whole turn is seven pictures of 50 degrees; heights are squeezed into what the picture has of them."""


def _by_zone(table: dict[Zone, float]) -> Float32:
    """Shares as an array that zone numbers index, (256,)."""
    shares = np.zeros(256, np.float32)
    for zone, share in table.items():
        shares[zone] = share
    return shares


GREY_SHARES = _by_zone(
    {
        Zone.GLASS: 0.75,
        Zone.TRIM: 0.75,
        Zone.ROOF: 0.5,
        Zone.BONNET: 0.5,
        Zone.BODY: 0.42,
        Zone.LAMP: 0.3,
        Zone.GRILLE: 0.15,
    }
)
"""Share of what is mirrored, in *grey levels*: gain control shows the 40 K between road and sky as about 100 greys and
the few kelvin between parts of a street as another 100, so mirrors show more than their reflectance of 0.07 to 0.11."""
KELVIN_SHARES = _by_zone(
    {
        Zone.GLASS: 0.11,
        Zone.TRIM: 0.45,
        Zone.ROOF: 0.07,
        Zone.BONNET: 0.07,
        Zone.BODY: 0.07,
        Zone.LAMP: 0.07,
        Zone.GRILLE: 0.05,
    }
)
"""Reflectance at normal incidence: one less the emissivities of assets/thermal_profiles.toml."""


class Surroundings:
    """A frame as a picture of what is around its cars."""

    def __init__(self, background: Float32, frame: Frame) -> None:
        """Take a background, (H, W) grey levels or kelvin, for what is around the cars of a frame."""
        self._image = gaussian_blur(background, _BLUR_PX)
        self._row = clipped_horizon_row(frame)
        self.horizon = horizon_level(background, self._row)
        """Level of the horizon, in the unit of the background."""

    def mirrored(self, frame: Frame, share: Float32, *, detail_only: bool = False) -> Float32:
        """What cars mirror less the level of the horizon, times its share.

        Args:
            frame: passes, with normals.
            share: (H, W) of the surroundings at normal incidence, 0-1.
            detail_only: less the mean of its own row instead.

        Returns:
            (H, W) in the unit of the background; 0 where there is no car.

        Raises:
            ThermalError: the frame has no normals.
        """
        if frame.normal is None:
            raise ThermalError("mirrors: the frame has no normals; render it with normals=True")
        rows = self._image.mean(axis=1, dtype=np.float32)
        level = rows if detail_only else np.full_like(rows, self.horizon)
        out = np.zeros(share.shape, np.float32)
        _mirror(self._image, level, frame.instance_id, frame.normal, frame.depth_m, share,
                camera_view(frame), self._row, out)  # fmt: skip
        return out


@njit(cache=True, nogil=True, error_model="numpy")
def _mirror(
    image: Any, level: Any, ids: Any, normals: Any, depth: Any, share: Any, view: CameraView, horizon: float, out: Any
) -> None:
    """Look up the mirror direction of every car pixel; the picture is repeated, mirrored, all around."""
    height, width = image.shape
    turn = view.rotation
    for r in range(height):
        y = (r + 0.5 - view.cy) / view.fy
        for c in range(width):
            if ids[r, c] == 0 or share[r, c] == 0.0:
                continue
            x = (c + 0.5 - view.cx) / view.fx
            n = 1.0 / math.sqrt(x * x + y * y + 1.0)
            dx = (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2]) * n
            dy = (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2]) * n
            dz = (turn[2, 0] * x + turn[2, 1] * y + turn[2, 2]) * n
            bow = _BOW_PER_M * (view.position_m[2] + dz / n * depth[r, c] - _WAIST_M)
            nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
            facing = dx * nx + dy * ny + dz * nz
            rx, ry, rz = dx - 2 * facing * nx, dy - 2 * facing * ny, dz - 2 * facing * nz
            away = 1.0 - min(1.0, abs(facing))
            fresnel = share[r, c] + (1.0 - share[r, c]) * min(_GRAZING_LIMIT, away**5)
            column = abs((math.atan2(ry, rx) * view.fx * _SQUEEZE + 4.5 * width) % (2.0 * width) - width)
            up = math.asin(min(1.0, max(-1.0, rz + bow)))
            room = horizon if up > 0 else height - horizon
            row = horizon - room * math.tanh(up * view.fy / room * _SQUEEZE)
            i = min(max(int(row), 0), height - 1)
            j = min(max(int(column), 0), width - 1)
            out[r, c] = fresnel * (image[i, j] - level[i])
