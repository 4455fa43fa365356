"""How much of a contrast fog, rain and falling snow leave over a path, in 8-14 um.

A surface's contrast against the air falls by exp(-extinction x distance) (Beer and Lambert); in visible light it has
fallen to 2 % at the visibility (Koschmieder 1924: extinction 3.912 / visibility).

Sources:
    Shettle, Fenn, "Models for the Aerosols of the Lower Atmosphere", AFGL-TR-79-0214 (1979): sizes of droplets,
    effective radii of 3 and 6 um for radiation fogs, 16 and 20 um for advection fogs.
    Hale, Querry, "Optical constants of water", Applied Optics 12 (1973); with Mie's theory they give
    :data:`_BAND_TO_VISIBLE`.
    Chylek, "Extinction and liquid water content of fogs and clouds", J. Atmos. Sci. 35 (1978): in this band extinction
    follows the liquid water, so that fogs of small droplets are seen through.
    Marshall, Palmer, "The distribution of raindrops with size", J. Meteorology 5 (1948): drops, all far larger than
    any wavelength here, take away twice their cross-section; the integral is 0.365 R^0.63 per km, as in LOWTRAN.
    Seagraves, "Visible and infrared extinction and precipitation rate in falling snow", SPIE 414 (1983): extinction
    by flakes rises with the wavelength as transmissometers measure it, who collect part of what is scattered ahead.
"""

from __future__ import annotations

import numpy as np

__all__ = ["fog_extinction_per_m", "rain_extinction_per_m", "snowfall_extinction_per_m", "visible_extinction_per_m"]

_KOSCHMIEDER = 3.912
"""-ln 0.02: an eye sees contrasts of 2 %."""
_RADII_UM = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0)
_BAND_TO_VISIBLE = (0.23, 0.38, 0.54, 0.68, 0.79, 0.97, 1.06, 1.11, 1.12)
"""Extinction in 8-14 um against that at 0.55 um, by effective radius."""
_FLAKES_TO_VISIBLE = 1.2
"""Assumed: the direction is Seagraves', the size between diffraction that is lost and one that is collected."""


def visible_extinction_per_m(visibility_m: float) -> float:
    """Extinction of visible light from the visibility, 1/m (Koschmieder)."""
    return _KOSCHMIEDER / visibility_m


def fog_extinction_per_m(visibility_m: float, droplet_radius_um: float) -> float:
    """Extinction in the band by a fog of that visibility and effective radius of droplets, 1/m."""
    return visible_extinction_per_m(visibility_m) * float(np.interp(droplet_radius_um, _RADII_UM, _BAND_TO_VISIBLE))


def rain_extinction_per_m(rain_mm_h: float) -> float:
    """Extinction by rain of that rate, 1/m; the same in visible light."""
    return float(0.365e-3 * rain_mm_h**0.63)


def snowfall_extinction_per_m(visibility_m: float) -> float:
    """Extinction in the band by falling snow of that visibility, 1/m."""
    return _FLAKES_TO_VISIBLE * visible_extinction_per_m(visibility_m)
