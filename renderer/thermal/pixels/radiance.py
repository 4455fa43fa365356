"""Emission, reflection and path of pixels in step, as apparent temperature."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...optional import fast_kernel, inlined_kernel
from ...zones.catalogue import Zone
from ..balance import SKY_VIEW
from ..kernels import TRANSMITTANCE_FIRST_ROW, TRANSMITTANCE_SHIFT, Surroundings
from ..lanes.in_step import anywhere, bits_of, choose, floored, greatest, least, narrow, pair, rooted, whole
from ..planck import radiance_in_step, temperature_in_step
from ..surface import Lattice, noise2

__all__ = ["Air", "Levels", "air_of", "apparent_K", "levels_of", "sky_radiance", "upward"]

Singles = NDArray[np.float32]

_AHEAD = 0.5
"""Share of what Fresnel's law adds at grazing incidence that a rough surface reflects ahead (assumed)."""
_LEAF_TILT = 0.3
"""Share of a leaf polygon's tilt that its pixels keep (assumed: a crown's upper side still sees more sky)."""
_NEAR = 0.1
"""One over the distance, in metres, of the trees and houses that surfaces mirror: a step aside shows others."""
_LEAST_MIRROR = 0.004
"""Share of what is seen that is worth the way to where a mirror looks."""
_REST, _PER_REST = (1 << TRANSMITTANCE_SHIFT) - 1, 1.0 / (1 << TRANSMITTANCE_SHIFT)
_TABLE_START_M, _TABLE_END_M = 0.125, 2047.0


class Levels(NamedTuple):
    """Numbers of :class:`..kernels.Surroundings` that all surfaces mirror, W m-2 sr-1, and how trees thin out."""

    air: float
    ground: float
    walls: float
    hemisphere: float
    canopy: float


class Air(NamedTuple):
    """Tables of sky and air, float32 as pixels in step look them up; see :class:`..kernels.Surroundings`."""

    sky_mean: Singles
    sky_clear: Singles
    sky_cloud: Singles
    transmittance: Singles


def levels_of(around: Surroundings) -> Levels:
    """The numbers among what surfaces mirror."""
    return Levels(*(float(getattr(around, name)) for name in Levels._fields))


def air_of(around: Surroundings, transmittance: NDArray[np.float64]) -> Air:
    """The tables among it, and that of the air."""
    tables = around.sky_mean, around.sky_clear, around.sky_cloud, transmittance
    return Air(*(np.ascontiguousarray(table, np.float32) for table in tables))


@inlined_kernel
def upward(zone: int, nz: Any) -> Any:
    """How far a surface faces the sky, -1 to 1; leaves of all directions are in a pixel, whatever their polygon's."""
    return (_LEAF_TILT if zone == Zone.VEGETATION else 1.0) * nz


@inlined_kernel
def apparent_K(
    values: Lattice, sky_mean: Singles, through: Singles, forward: Singles, inverse: Singles, levels: Levels,
    emissivity: Any, mirror: Any, grazing: float, up: Any, facing: Any, dx: Any, dy: Any, dz: Any, distance: Any,
    nx: Any, ny: Any, nz: Any, px: Any, py: Any, kelvin: Any,
) -> Any:  # fmt: skip
    """What a camera reads of surfaces.

    Args:
        values: the wrapped lattice.
        sky_mean: as the next three, see :class:`Air` and :class:`..kernels.Tables`.
        through: transmittance.
        forward: radiance by temperature.
        inverse: temperature by radiance.
        levels: what else they mirror.
        emissivity: at normal incidence.
        mirror: share of what is reflected that comes from one direction.
        grazing: how far reflectance rises at grazing incidence.
        up: how far they face the sky, 0-1.
        facing: cosine of the angle of view.
        dx: direction of view, with dy and dz.
        dy: see dx.
        dz: see dx.
        distance: metres.
        nx: unit normal, with ny and nz.
        ny: see nx.
        nz: see nx.
        px: place in the world, with py.
        py: see px.
        kelvin: temperature.
    """
    away = 1.0 - facing
    away2 = away * away
    fresnel = emissivity * grazing * away2 * away2 * away
    reflectance = 1.0 - emissivity + fresnel
    # What a rough surface reflects at grazing incidence goes on ahead (off-specular peak): far asphalt shows what
    # stands at the horizon, and not the cold zenith.
    ahead = mirror + (1.0 - mirror) * _AHEAD * fresnel / (reflectance + 1e-9)
    open_sky = up * SKY_VIEW
    back = open_sky * levels.hemisphere + (up - open_sky) * levels.walls + (1.0 - up) * levels.ground
    mirrors = ahead * reflectance > _LEAST_MIRROR
    if anywhere(mirrors):
        twice = 2.0 * (dx * nx + dy * ny + dz * nz)
        rx, ry, rz = dx - twice * nx + _NEAR * px, dy - twice * ny + _NEAR * py, dz - twice * nz
        crowned = mirrors & (mirror > 0.4) & (reflectance > 0.02)
        blur = choose(crowned, 0.04 + 1.2 * (1.05 - mirror), 0.0 * mirror)
        there = mirrored(values, sky_mean, levels.ground, levels.walls, levels.canopy, rx, ry, rz, blur)
        back = back + choose(mirrors, ahead * (there - back), 0.0)
    seen = (1.0 - reflectance) * radiance_in_step(kelvin, forward) + reflectance * back
    bits = bits_of(least(greatest(distance, _TABLE_START_M), _TABLE_END_M))
    low, high = pair(through, (bits >> TRANSMITTANCE_SHIFT) - TRANSMITTANCE_FIRST_ROW)
    tau = low + narrow(bits & _REST) * _PER_REST * (high - low)
    return temperature_in_step(levels.air + tau * (seen - levels.air), inverse)


@inlined_kernel
def _sky_at(table: Singles, sine: Any) -> Any:
    """One of the sky's tables at sines of elevation."""
    position = rooted(least(greatest(sine, 0.0), 1.0)) * (table.size - 1.0001)
    row = floored(position)
    low, high = pair(table, whole(row))
    return low + (position - row) * (high - low)


@inlined_kernel
def sky_radiance(
    values: Lattice, sky_clear: Singles, sky_cloud: Singles, cover: float, contrast: float, dx: Any, dy: Any, dz: Any
) -> Any:
    """Sky in directions: clear air, and clouds on a plane above."""
    clear, added = _sky_at(sky_clear, dz), _sky_at(sky_cloud, dz)
    far = 1.0 / (greatest(dz, 0.0) + 0.12)
    x, y = dx * far, dy * far
    bend = 0.4 * noise2(values, x * 0.5 + 11.0, y * 0.5)
    n = 0.6 * noise2(values, x * 0.55 + bend, y * 0.8) + 0.32 * noise2(values, x * 1.7, y * 1.9 + bend)
    n = n + 0.16 * noise2(values, x * 4.3, y * 4.1) + 0.07 * noise2(values, x * 9.7, y * 9.1)
    if contrast < 0.5:  # closed cover, structure in its base
        return clear + added * (cover + contrast * n * 0.5)
    edge = 1.1 * (0.5 - cover)
    t = least(1.0, greatest(0.0, (n - edge + 0.3) * (1.0 / 0.6)))
    thin = 0.04 * greatest(0.0, n + 0.2)  # no clear sky is without a veil
    return clear + added * least(1.0, t * t * (3.0 - 2.0 * t) * min(1.0, cover * 6.0) + thin)


@fast_kernel
def mirrored(
    values: Lattice, sky_mean: Singles, ground: float, walls: float, canopy: float, rx: Any, ry: Any, rz: Any, blur: Any
) -> Any:
    """Radiance from mirror directions: ground below, houses, crowns of trees with gaps between them, sky above.

    ``blur`` is how wide an edge gets in the mirror; 0 leaves out the crowns.
    """
    t = least(1.0, greatest(0.0, (rz - 0.12) * 10.0))
    crowned = (blur > 0.0) & (rz > 0.0) & (rz <= 0.92)
    if anywhere(crowned):  # masses, crowns and boughs: the higher, the fewer
        crowns, aside = rx - ry, ry + rz
        hidden = 0.62 * noise2(values, rx * 2.1 + 40.0, ry * 2.1) + 0.3 * noise2(values, 8.0 * crowns, 8.0 * aside)
        hidden = hidden + 0.16 * noise2(values, 25.0 * crowns, 25.0 * aside)
        soft = choose(blur > 0.0, blur, 1.0)
        t = choose(crowned, least(1.0, greatest(0.0, 0.5 + (canopy * (rz - 0.17) - hidden) / soft)), t)
    below = ground + (walls - ground) * greatest(0.0, 1.0 + rz * 8.0)
    above = walls + t * t * (3.0 - 2.0 * t) * (_sky_at(sky_mean, rz) - walls)
    return choose(rz > 0.0, above, below)
