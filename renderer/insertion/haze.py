"""Air between the camera and a car: with distance cars fade to the level of the frame's horizon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..thermal.atmosphere import path_transmittance
from ..thermal.conditions import Conditions

__all__ = ["FARTHEST_M", "Haze", "fade"]

Float32 = NDArray[np.float32]

FARTHEST_M = 200.0
"""What is farther away is as hazy as what is there."""
_STEPS = 64
_NEAREST_M = 0.5
"""Least distance for which transmittance is asked."""


class Haze:
    """The air of one frame."""

    def __init__(self, conditions: Conditions) -> None:
        """Tabulate the air of some weather, in steps of 3.2 m."""
        distance_m = np.maximum(np.linspace(0.0, FARTHEST_M, _STEPS), _NEAREST_M)
        through = path_transmittance(
            distance_m, conditions.air_temperature_K, conditions.relative_humidity, conditions.visibility_m
        )
        self._share = np.float32(1.0) - through.astype(np.float32)

    def share(self, depth_m: Float32) -> Float32:
        """Share of the air's own radiance by distance, 0 at the camera to 1 where nothing comes through.

        Args:
            depth_m: finite, any shape.
        """
        step = np.clip(depth_m * np.float32((_STEPS - 1) / FARTHEST_M), 0, _STEPS - 1)
        return self._share[step.astype(np.int32)]


def fade(level: Float32, share: Float32, horizon: float) -> Float32:
    """Levels seen through the air; arrays of one shape, ``horizon`` in the unit of ``level``."""
    return np.asarray(level + share * (np.float32(horizon) - level), dtype=np.float32)
