"""The foreground layer: a frame's cars alone, as an ideal camera sees them, and what they do to the road.

The temperatures are those of assumed weather. What a real frame makes of them is the business of :mod:`.harmonise`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..random_streams import Draw, Stream
from ..thermal.balance import surface_balance
from ..thermal.conditions import Conditions
from ..thermal.ground import ground_effects
from ..thermal.physics import render_thermal, road_temperature_K
from ..thermal.planck import LWIR, Band
from ..thermal.profiles import Profiles
from ..zones.catalogue import Zone
from .blur import gaussian_blur

__all__ = ["ForegroundLayer", "render_foreground"]

_REACH = 3.5
"""Half width of the blur of the road, in standard deviations."""
_GROUND_PART = 1
"""Of the random stream: what the ground draws leaves the cars as they are."""


@dataclass(frozen=True)
class ForegroundLayer:
    """Cars as an ideal camera sees them: sharp, without noise."""

    apparent_temperature_K: NDArray[np.float32]
    """(H, W); air temperature where there is no car."""
    ground_change_K: NDArray[np.float32]
    """(H, W): warming (or, in a shadow, cooling) of the road around the cars, softened by a pixel."""
    road_K: float
    """Temperature of the open road under the layer's conditions."""


def render_foreground(
    frame: Frame, conditions: Conditions, profiles: Profiles, draw: Draw, band: Band = LWIR, soft_px: float = 1.0
) -> ForegroundLayer:
    """Render a frame's cars before any sensor.

    Args:
        frame: passes in which only cars were hit (see ``RenderSession.frame_on_plane``).
        conditions: weather and hour; for a display-only background any that suits it.
        profiles: materials and car profiles.
        draw: seed of the dataset and number of the frame.
        band: of the detector.
        soft_px: standard deviation by which the change of the road is blurred, at least 1.

    Raises:
        ThermalError: an instance has a profile that the file lacks.
    """
    image = render_thermal(frame, conditions, profiles, draw, band, cars_only=True)
    balance = surface_balance(conditions, profiles, band)
    rng = draw.rng(Stream.SURFACE, _GROUND_PART)
    cars = [item for item in frame.instances if profiles.is_of_car(item.profile)]
    spread = [float(rng.standard_normal()) for _ in cars]
    heat, shade = ground_effects(frame, cars, profiles, balance, spread, plane=True)
    sun_K = float(balance.sun_K[Zone.ROAD] @ np.maximum(balance.sun_world[:, 2], 0.0)) if balance.sun_K.size else 0.0
    change = gaussian_blur(heat - shade * np.float32(sun_K), max(1.0, soft_px), reach=_REACH)
    return ForegroundLayer(image.apparent_temperature_K, change, road_temperature_K(conditions, profiles))
