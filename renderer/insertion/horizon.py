"""What a frame's horizon tells: its row, the level of the air far away, and the weather of a radiometric frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..thermal.conditions import Conditions

__all__ = ["clipped_horizon_row", "frame_conditions", "horizon_level", "horizon_row"]

_BAND_PX = 8
"""Rows on either side of the horizon that a radiometric frame's air is read from."""
_LEVEL_BAND_PX = 6
_AIR_K, _LEAST_SKY_K = (230.0, 330.0), 180.0
"""Air temperatures of the inhabited earth; no clear zenith is colder in the long-wave infrared."""
_COLDEST_PERCENT = 2.0


def horizon_row(frame: Frame) -> float:
    """Row to which the level direction straight ahead is projected; it may lie outside the picture."""
    pose = frame.cam_to_world[:3, :3]
    ahead = np.array([pose[0, 2], pose[1, 2], 0.0]) @ pose
    return float(frame.camera.cy + frame.camera.fy * ahead[1] / max(ahead[2], 1e-3))


def clipped_horizon_row(frame: Frame) -> float:
    """The same, moved into the picture as far as its level can be read."""
    return float(np.clip(horizon_row(frame), 8.0, frame.camera.height - 9.0))


def horizon_level(background: NDArray[np.float32], row: float) -> float:
    """Median of the rows at the horizon, in the picture's unit.

    Args:
        background: (H, W).
        row: of :func:`clipped_horizon_row`.
    """
    middle = int(row)
    return float(np.median(background[max(0, middle - _LEVEL_BAND_PX) : middle + _LEVEL_BAND_PX + 1 : 2]))


def frame_conditions(kelvin: NDArray[np.float32], conditions: Conditions, horizon_px: float) -> Conditions:
    """Weather that goes with a radiometric frame: air as warm as its horizon, sky as cold as its coldest sky.

    Args:
        kelvin: (H, W) apparent temperatures.
        conditions: hour and weather that were drawn; air and sky are replaced.
        horizon_px: row of the horizon.
    """
    row = int(np.clip(horizon_px, 2, kelvin.shape[0] - 2))
    band = kelvin[max(0, row - _BAND_PX) : row + _BAND_PX]
    air_K = float(np.clip(np.median(band), *_AIR_K))
    sky_K = float(np.clip(np.percentile(kelvin[:row], _COLDEST_PERCENT), _LEAST_SKY_K, air_K))
    return replace(conditions, air_temperature_K=air_K, sky_temperature_K=sky_K)
