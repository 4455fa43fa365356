"""Sun and sky of a frame in light units: thousands of lux and of candela per square metre.

Sources:
    IES Calculation Procedures Committee, "Recommended practice for the calculation of daylight availability", Journal
    of the IES 13 (1984): illuminance by sun and sky under clear, partly cloudy and overcast skies.
    ISO 15469:2004 / CIE S 011, Spatial distribution of daylight: luminance of the sky types 1, 7 and 12.
    Civil twilight ends at about 3.4 lux (Seidelmann, Explanatory Supplement to the Astronomical Almanac, 1992);
    what a town adds to the night sky and the colours of the sky are assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..thermal.conditions import Conditions

__all__ = ["Daylight", "daylight", "sky_picture"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Daylight:
    """Light that comes from above."""

    sun_klx: float
    """Illuminance of a surface that faces the sun, by the sun alone."""
    sun_colour: Array
    """(3,) linear RGB, luminance 1."""
    towards_sun: Array
    """(3,) unit vector in the world."""
    sky_klx: float
    """Horizontal illuminance by the sky alone."""
    is_dark: float
    """0 by day to 1 when lamps are needed."""


_TYPES = {"clear": 12, "cloudy": 7, "overcast": 1, "rain": 1, "fog": 1}
_GRADATION = {1: (4.0, -0.70), 7: (0.0, -1.0), 12: (-1.0, -0.32)}
_INDICATRIX = {1: (0.0, -1.0, 0.0), 7: (5.0, -2.5, 0.30), 12: (10.0, -3.0, 0.45)}
_SKY_KLX = {"clear": (0.8, 15.5, 0.5), "cloudy": (0.3, 45.0, 1.0), "overcast": (0.3, 21.0, 1.0)}
"""A + B sin(h) ** C."""
_SUN_KLX, _EXTINCTION = 127.5, {"clear": 0.21, "cloudy": 0.80}
_NIGHT_KLX = 2e-4
"""0.2 lux: overcast over a lit town; a clear night has a fifth of it."""
_DARKER = {"rain": 0.7, "fog": 0.8}
"""Against an overcast sky (assumed)."""
_LAMPS_BELOW_KLX = 0.05
"""Street lamps are switched on at some tens of lux."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def daylight(conditions: Conditions) -> Daylight:
    """Sun and sky under a frame's conditions."""
    height, turn = math.radians(conditions.sun_elevation_deg), math.radians(conditions.sun_azimuth_deg)
    towards = np.array([math.cos(height) * math.cos(turn), math.cos(height) * math.sin(turn), math.sin(height)])
    kind = conditions.sky if conditions.sky in _SKY_KLX else "overcast"
    sky_klx = _sky_klx(kind, conditions.sun_elevation_deg) * _DARKER.get(conditions.sky, 1.0)
    sun_klx = 0.0
    if kind in _EXTINCTION and height > 0.0:
        sun_klx = _SUN_KLX * math.exp(-_EXTINCTION[kind] / max(math.sin(height), 0.02))
    level_klx = sky_klx + sun_klx * max(0.0, math.sin(height))
    dark = 1.0 - min(1.0, max(0.0, math.log10(level_klx / _LAMPS_BELOW_KLX) + 0.5))
    return Daylight(sun_klx, _sun_colour(conditions.sun_elevation_deg), towards, sky_klx, dark)


def _sky_klx(kind: str, elevation_deg: float) -> float:
    """Horizontal illuminance by the sky; in twilight log-linear to 3.4 lux at -6 degrees and the night's at -12."""
    a, b, c = _SKY_KLX[kind]
    night = _NIGHT_KLX * (0.2 if kind == "clear" else 1.0)
    if elevation_deg > 0.0:
        return a + b * float(math.sin(math.radians(elevation_deg)) ** c)
    levels = [math.log10(value) for value in (night, 3.4e-3, a)]
    return float(10.0 ** np.interp(elevation_deg, (-12.0, -6.0, 0.0), levels))


def _sun_colour(elevation_deg: float) -> Array:
    """Yellow to red near the horizon (assumed from correlated colour temperatures of 2000 to 5500 K)."""
    low, high = np.array([1.0, 0.5, 0.16]), np.array([1.0, 0.94, 0.86])
    share = float(np.clip(elevation_deg / 25.0, 0.0, 1.0)) ** 0.6
    return _of_luminance_1(low + (high - low) * share)


def _of_luminance_1(rgb: Array) -> Array:
    return np.asarray(rgb / (rgb @ _LUMINANCE))


def sky_picture(conditions: Conditions, light: Daylight, rng: np.random.Generator, rows: int = 256) -> Array:
    """Luminance of the sphere around the camera, (rows, 2 * rows, 3) linear RGB, kcd/m2; row 0 is the zenith.

    Columns run as those of Blender's equirectangular pictures: see :func:`directions`.

    Args:
        conditions: the weather.
        light: of the same conditions.
        rng: draws the clouds.
        rows: height of the picture.
    """
    towards = directions(rows)
    up = towards[..., 2]
    shape = _relative_luminance(towards, light.towards_sun, _TYPES[conditions.sky])
    rgb = shape[..., None] * _sky_colours(towards, light, conditions)
    if conditions.sky == "cloudy":
        rgb = _with_clouds(rgb, towards, light, rng)
    weight = np.where(up > 0, up, 0.0) * _solid_angles(rows)[:, None]
    rgb *= light.sky_klx / max(float((rgb @ _LUMINANCE * weight).sum()), 1e-12)
    below = up <= 0
    rgb[below] = _far_ground(rgb, light)
    return rgb


def directions(rows: int) -> Array:
    """(rows, 2 * rows, 3) unit vectors of the pixels of an equirectangular picture, row 0 at the zenith.

    As Cycles maps them: u = 1/2 - atan2(y, x) / 2 pi, v = 1/2 + atan2(z, |xy|) / pi from the bottom.
    """
    polar = (np.arange(rows) + 0.5) / rows * np.pi
    turn = ((np.arange(2 * rows) + 0.5) / (2 * rows) - 0.5) * 2.0 * np.pi
    z, flat = np.cos(polar)[:, None], np.sin(polar)[:, None]
    return np.stack(np.broadcast_arrays(flat * np.cos(turn), -flat * np.sin(turn), z), axis=-1)


def _solid_angles(rows: int) -> Array:
    edges = np.cos(np.arange(rows + 1) / rows * np.pi)
    return np.asarray((edges[:-1] - edges[1:]) * np.pi / rows)


def _relative_luminance(towards: Array, sun: Array, kind: int) -> Array:
    """CIE S 011: gradation by height times indicatrix by the angle to the sun."""
    a, b = _GRADATION[kind]
    c, d, e = _INDICATRIX[kind]
    z = np.maximum(towards[..., 2], 0.01)
    cosine = np.clip(towards @ sun, -1.0, 1.0)
    angle = np.arccos(cosine)
    return np.asarray(
        (1 + a * np.exp(b / z)) * (1 + c * (np.exp(d * angle) - math.exp(d * math.pi / 2)) + e * cosine**2)
    )


def _sky_colours(towards: Array, light: Daylight, conditions: Conditions) -> Array:
    """(..., 3) colours of luminance 1: grey clouds, or blue to a pale horizon, warm about a low sun."""
    night = np.array([0.75, 0.85, 1.25])
    if conditions.sky not in ("clear", "cloudy"):
        grey = _of_luminance_1(np.array([0.93, 1.0, 1.08]))
        return np.broadcast_to(_of_luminance_1(grey + (night - grey) * light.is_dark), towards.shape)
    zenith, horizon = _of_luminance_1(np.array([0.42, 0.62, 1.0])), _of_luminance_1(np.array([0.85, 0.95, 1.08]))
    share = (1.0 - np.clip(towards[..., 2], 0.0, 1.0))[..., None] ** 3
    rgb = zenith + (horizon - zenith) * share
    low = float(np.clip(1.0 - conditions.sun_elevation_deg / 12.0, 0.0, 1.0)) * (1.0 - light.is_dark)
    near = np.clip(towards @ light.towards_sun, 0.0, 1.0)[..., None] ** 3 * share * low
    return np.asarray(rgb + (_of_luminance_1(np.array([1.0, 0.62, 0.35])) - rgb) * near)


def _with_clouds(rgb: Array, towards: Array, light: Daylight, rng: np.random.Generator) -> Array:
    """Clouds of fractal noise on a plane above: brighter towards the sun, grey below."""
    up = np.maximum(towards[..., 2], 0.04)
    plane = towards[..., :2] / up[..., None]
    noise = sum(_noise(plane * 2.0**k * 0.55, rng) * 0.55**k for k in range(5)) / 2.1
    cover = np.clip((np.asarray(noise) - 0.42) * 5.0, 0.0, 1.0) * np.clip(towards[..., 2] * 12.0, 0.0, 1.0)
    bright = rgb @ _LUMINANCE
    white = np.median(bright) * (1.25 + 0.9 * np.clip(towards @ light.towards_sun, 0.0, 1.0) ** 2)
    shade = 1.0 - 0.45 * np.clip((np.asarray(noise) - 0.5) * 2.5, 0.0, 1.0)
    clouds = (white * shade)[..., None] * _of_luminance_1(np.array([0.98, 1.0, 1.03]))
    return np.asarray(rgb + (clouds - rgb) * cover[..., None])


def _noise(at: Array, rng: np.random.Generator) -> Array:
    """Value noise, 0-1, of a random lattice of 64 x 64 that repeats."""
    lattice = rng.random((64, 64))
    cell = np.floor(at).astype(np.int64)
    part = at - cell
    part = part * part * (3.0 - 2.0 * part)
    i, j = (cell[..., 0] % 64, cell[..., 1] % 64)
    k, m = (i + 1) % 64, (j + 1) % 64
    x, y = part[..., 0], part[..., 1]
    near, far = lattice[i, j] * (1 - x) + lattice[k, j] * x, lattice[i, m] * (1 - x) + lattice[k, m] * x
    return np.asarray(near * (1 - y) + far * y)


def _far_ground(rgb: Array, light: Daylight) -> Array:
    """Luminance of the ground beyond all geometry, (3,): an albedo of 0.2 that fades into the horizon's haze."""
    horizon = rgb[len(rgb) // 2 - 1].mean(axis=0)
    level = light.sky_klx + light.sun_klx * max(0.0, float(light.towards_sun[2]))
    ground = 0.2 / math.pi * level * _of_luminance_1(np.array([1.0, 0.97, 0.9]))
    return np.asarray(0.5 * horizon + 0.5 * ground)
