"""The air between surface and camera, and the sky above both, in the 8-14 um band.

Sources:
    Idso, "A set of equations for full spectrum and 8- to 14-um and 10.5- to 12.5-um thermal radiation from cloudless
    skies", Water Resources Research 17 (1981): zenith emissivity of a clear sky in this band.
    Kimball, Idso, Aase, "A model of thermal radiation from partly cloudy and overcast skies", Water Resources
    Research 18 (1982): clouds seen through the clear air below them.
    Minkina, Dudzik, "Infrared Thermography: Errors and Uncertainties", Wiley 2009: transmittance of the short
    horizontal path as FLIR's cameras compute it from humidity and distance (a fit to LOWTRAN).
    Kim, McArthur, Korevaar, "Comparison of laser beam propagation at 785 nm and 1550 nm in fog and haze", SPIE 4214
    (2001): extinction by haze and fog from the visibility (Kruse's formula, with its exponent for fog corrected).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .planck import LWIR, Band, band_radiance, band_table

__all__ = [
    "air_mass",
    "clear_sky_emissivity",
    "cloud_temperature_K",
    "haze_extinction_per_m",
    "path_transmittance",
    "sky_emissivity",
    "vapour_pressure_hPa",
    "zenith_sky_temperature_K",
]

_LAPSE_K_PER_M = 6.5e-3
"""ICAO standard atmosphere."""

# Minkina and Dudzik 2009, also FLIR's camera files: transmittance is a mix of two exponentials in sqrt(distance).
_MIX, _ALPHA, _BETA = 1.9, (0.006569, 0.01262), (-0.002276, -0.00667)
_VAPOUR = (6.8455e-7, -2.7816e-4, 6.939e-2, 1.5587)

_BAND_CENTRE_UM = 10.5
_VISIBLE_UM = 0.55


def vapour_pressure_hPa(air_temperature_K: float, relative_humidity: float) -> float:
    """Water vapour pressure by Magnus' formula (WMO Guide to Instruments, No. 8), hPa; humidity 0-1."""
    celsius = air_temperature_K - 273.15
    return float(relative_humidity * 6.112 * np.exp(17.62 * celsius / (243.12 + celsius)))


def clear_sky_emissivity(air_temperature_K: float, relative_humidity: float) -> float:
    """Emissivity of the clear zenith in 8-14 um (Idso 1981), referred to air temperature; 0.24 to 1."""
    vapour = vapour_pressure_hPa(air_temperature_K, relative_humidity)
    return float(min(1.0, 0.24 + 2.98e-8 * vapour**2 * np.exp(3000.0 / air_temperature_K)))


def cloud_temperature_K(air_temperature_K: float, base_height_m: float) -> float:
    """Temperature of a cloud's base, which is black in this band: air temperature less the standard lapse."""
    return air_temperature_K - _LAPSE_K_PER_M * base_height_m


def zenith_sky_temperature_K(
    air_temperature_K: float, relative_humidity: float, cloud_cover: float, cloud_base_m: float, band: Band = LWIR
) -> float:
    """Apparent temperature of the zenith: clear air, and what of the clouds shows through it.

    Args:
        air_temperature_K: near the ground.
        relative_humidity: 0-1, near the ground.
        cloud_cover: share of the sky, 0-1.
        cloud_base_m: height of the clouds' lower side above ground.
        band: wavelengths.
    """
    emissivity = clear_sky_emissivity(air_temperature_K, relative_humidity)
    cloud_K = cloud_temperature_K(air_temperature_K, cloud_base_m)
    air, cloud = band_radiance([air_temperature_K, cloud_K], band)
    radiance = emissivity * air + cloud_cover * (1.0 - emissivity) * cloud
    return float(band_table(band).temperature(np.array([radiance], dtype=np.float32))[0])


def air_mass(elevation_rad: ArrayLike) -> NDArray[np.float64]:
    """Length of the path through the air relative to the zenith's: Kasten and Young, Applied Optics 28 (1989)."""
    elevation = np.maximum(np.asarray(elevation_rad, dtype=np.float64), 0.0)
    degrees = np.degrees(elevation)
    return np.asarray(1.0 / (np.sin(elevation) + 0.50572 * (degrees + 6.07995) ** -1.6364))


def sky_emissivity(zenith_emissivity: float, elevation_rad: ArrayLike) -> NDArray[np.float64]:
    """Emissivity of the sky at an elevation, from the zenith's, by Beer's law along the air mass.

    Grey air is assumed inside the band; at the horizon the sky is as warm as the air.
    """
    return np.asarray(1.0 - (1.0 - zenith_emissivity) ** air_mass(elevation_rad))


def haze_extinction_per_m(visibility_m: float) -> float:
    """Extinction by haze or fog in the band (Kim et al. 2001), 1/m.

    In haze the long waves pass almost freely; in dense fog all wavelengths are lost alike.
    """
    km = visibility_m / 1000.0
    if km > 50.0:
        exponent = 1.6
    elif km > 6.0:
        exponent = 1.3
    elif km > 1.0:
        exponent = 0.16 * km + 0.34
    else:
        exponent = max(0.0, km - 0.5)
    return 3.912 / visibility_m * float((_BAND_CENTRE_UM / _VISIBLE_UM) ** -exponent)


def path_transmittance(
    distance_m: ArrayLike,
    air_temperature_K: float,
    relative_humidity: float,
    visibility_m: float,
    extinction_per_m: float | None = None,
) -> NDArray[np.float64]:
    """Share of a surface's radiance that arrives; the air on the way adds its own, one minus this.

    Args:
        distance_m: along the ray, any shape; ``inf`` gives 0.
        air_temperature_K: of the path.
        relative_humidity: 0-1.
        visibility_m: meteorological range.
        extinction_per_m: in the band, by fog, rain or falling snow; None: what haze of that visibility has.

    Returns:
        float64 of the same shape, 0-1.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    celsius = float(np.clip(air_temperature_K - 273.15, -40.0, 80.0))
    water = relative_humidity * float(np.exp(np.polyval(_VAPOUR, celsius)))
    # 40 km: by then nothing is left, and the terms stay finite.
    root, depth = np.minimum(np.sqrt(distance), 200.0), np.sqrt(water)
    # In humid air the second rate is negative and its weight too: the sum still falls with distance.
    first = np.exp(-root * (_ALPHA[0] + _BETA[0] * depth))
    second = np.exp(-root * (_ALPHA[1] + _BETA[1] * depth))
    gas = np.clip(_MIX * first + (1.0 - _MIX) * second, 0.0, 1.0)
    haze = haze_extinction_per_m(visibility_m) if extinction_per_m is None else extinction_per_m
    return np.asarray(gas * np.exp(-haze * distance))
