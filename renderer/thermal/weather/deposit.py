"""Dew and frost: what condenses on surfaces that the sky has cooled below the dew point.

The heat of condensation keeps such a surface near the dew point (:mod:`.humid`), and drops or crystals take the mirror
from paint and panes: a bonnet that showed the cold sky shows itself.

Sources:
    Beysens, "The formation of dew", Atmospheric Research 39 (1995): nights, surfaces and sky that bring dew.
    Salisbury et al., "Measurements of thermal infrared spectral reflectance of frost, snow, and ice", JGR 99 (1994);
    Hori et al. 2006: rime, as fine snow, is black to within 2 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...geometry.frame import Instance
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..balance import SKY_VIEW, Balance
from ..conditions import Conditions
from ..kernels import Cars, Passes, Surfaces
from ..profiles import Profiles
from .humid import dew_point_K, wet_share
from .snow import has_stood

__all__ = ["ON_COLD_CAR", "cover_cold_cars", "deposit_of", "let_condense"]

ON_COLD_CAR = 29
"""Zone number of dewed or rimed panels while a frame's temperatures are computed."""
_EMISSIVITY = 0.98
_UP = 0.25
"""Panels whose normal rises less see too little of the sky to become wet (assumed)."""
_PANELS = (Zone.BODY, Zone.ROOF, Zone.BONNET, Zone.GLASS, Zone.TRIM)
_GROUND = (Zone.SOIL, Zone.VEGETATION, Zone.METAL)
_SUN_DEG = 6.0
"""Higher suns have dried it (assumed)."""


def deposit_of(conditions: Conditions, sky_loss_K: float) -> str | None:
    """``dew``, ``frost`` or None, of a panel that loses that much to the open sky.

    Args:
        conditions: weather and hour.
        sky_loss_K: how far below air a surface goes that sees nothing but sky.
    """
    dry_K = conditions.air_temperature_K - SKY_VIEW * sky_loss_K
    if dry_K >= dew_point_K(conditions.air_temperature_K, conditions.relative_humidity):
        return None
    if conditions.sun_elevation_deg > _SUN_DEG:
        return None
    return "dew" if dry_K > 273.15 else "frost"


def let_condense(conditions: Conditions, surfaces: Surfaces, balance: Balance, cars: Cars) -> None:
    """Fills the rows of dewed panels, and keeps grass, leaves and posts near the dew point."""
    loss_K = _damped_loss_K(conditions, float(balance.sky_loss_K[Zone.ROOF]))
    surfaces.emissivity[ON_COLD_CAR], surfaces.mirror[ON_COLD_CAR], surfaces.grazing[ON_COLD_CAR] = _EMISSIVITY, 0, 0.1
    balance.sky_loss_K[ON_COLD_CAR] = loss_K
    balance.sun_K[ON_COLD_CAR], balance.diffuse_K[ON_COLD_CAR] = balance.sun_K[Zone.ROOF], balance.diffuse_K[Zone.ROOF]
    cars.base_K[:, ON_COLD_CAR], cars.variation_K[:, ON_COLD_CAR] = cars.base_K[:, Zone.ROOF], 0.3
    cars.sun_gain[:, ON_COLD_CAR], cars.gloss[:, ON_COLD_CAR] = cars.sun_gain[:, Zone.ROOF], 0.0
    for zone in _GROUND:
        balance.sky_loss_K[zone] = _damped_loss_K(conditions, float(balance.sky_loss_K[zone]))
        surfaces.emissivity[zone], surfaces.mirror[zone] = max(_EMISSIVITY, surfaces.emissivity[zone]), 0.0


def _damped_loss_K(conditions: Conditions, loss_K: float) -> float:
    """Cooling by the open sky, of which little is left below the dew point."""
    air_K = conditions.air_temperature_K
    below_K = air_K - dew_point_K(air_K, conditions.relative_humidity)
    full_K = SKY_VIEW * loss_K
    if full_K <= below_K:
        return loss_K
    return (below_K + (full_K - below_K) * wet_share(air_K, conditions.wind_m_s)) / SKY_VIEW


def cover_cold_cars(passes: Passes, instances: Sequence[Instance], profiles: Profiles) -> Passes:
    """Passes in which the upper panels of cars that stood through the night have the zone :data:`ON_COLD_CAR`."""
    stood = np.zeros(65536, dtype=np.bool_)
    stood[[one.id for one in instances if has_stood(profiles, one)]] = True
    panel = np.zeros(256, dtype=np.bool_)
    panel[list(_PANELS)] = True
    wet = stood[passes.instance_id] & panel[passes.zone] & (passes.normal[..., 2] > _UP)
    assert ON_COLD_CAR < FIRST_ENVIRONMENT_ZONE
    return passes._replace(zone=np.where(wet, np.uint8(ON_COLD_CAR), passes.zone))
