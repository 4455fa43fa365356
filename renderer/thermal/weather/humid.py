"""Water and heat: dew point, wet-bulb temperature, and how firmly evaporation ties a wet surface to it.

Sources:
    Stull, "Wet-Bulb Temperature from Relative Humidity and Air Temperature", J. Appl. Meteor. Climatol. 50 (2011).
    WMO Guide to Instruments, No. 8: Magnus' formula, here solved for the temperature.
    Monteith, Unsworth, "Principles of Environmental Physics" 2013; Penman 1948: evaporation and condensation add
    slope / psychrometric constant to the convective part of a wet surface's heat transfer.
    Allen et al., "Crop evapotranspiration", FAO paper 56 (1998): psychrometric constant at sea level.
"""

from __future__ import annotations

import math

from ..atmosphere import vapour_pressure_hPa

__all__ = ["dew_point_K", "saturation_slope_hPa_K", "wet_bulb_K", "wet_share"]

_PSYCHROMETRIC_HPA_K = 0.674
_RADIATIVE, _CALM, _PER_WIND = 5.0, 5.7, 3.8
"""W/m2K, as in :mod:`..balance`."""


def dew_point_K(air_K: float, relative_humidity: float) -> float:
    """Temperature below which water condenses; humidity above 0, to 1."""
    logarithm = math.log(vapour_pressure_hPa(air_K, max(relative_humidity, 1e-3)) / 6.112)
    return 273.15 + 243.12 * logarithm / (17.62 - logarithm)


def wet_bulb_K(air_K: float, relative_humidity: float) -> float:
    """Temperature of a ventilated wet surface at sea level; within 1 K from 5 to 99 % and -20 to 50 degC."""
    t, percent = air_K - 273.15, 100.0 * min(relative_humidity, 0.99)
    wet = t * math.atan(0.151977 * math.sqrt(percent + 8.313659)) + math.atan(t + percent)
    wet += -math.atan(percent - 1.676331) + 0.00391838 * percent**1.5 * math.atan(0.023101 * percent) - 4.686035
    return float(min(air_K, 273.15 + wet))


def saturation_slope_hPa_K(air_K: float) -> float:
    """How fast the pressure of saturated vapour rises with temperature."""
    t = air_K - 273.15
    return float(vapour_pressure_hPa(air_K, 1.0) * 17.62 * 243.12 / (243.12 + t) ** 2)


def wet_share(air_K: float, wind_m_s: float) -> float:
    """What is left of a surface's difference from the wet-bulb temperature when it is wet, 0-1."""
    convective = _CALM + _PER_WIND * min(wind_m_s, 12.0)
    evaporating = convective * (1.0 + saturation_slope_hPa_K(air_K) / _PSYCHROMETRIC_HPA_K)
    return (_RADIATIVE + convective) / (_RADIATIVE + evaporating)
