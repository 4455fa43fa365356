"""Planck radiance of a thermal camera's band, and the temperature that a band radiance stands for.

Radiances are integrals over the band, W m-2 sr-1. The exact integral is a fixed Gauss-Legendre quadrature; per-pixel
work reads :class:`BandTable`, whose two tables are made from it once per band.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ThermalError
from ..optional import fast_kernel, inlined_kernel
from .lanes.in_step import bits_of, floored, greatest, least, narrow, pair, whole

__all__ = [
    "LWIR",
    "MAX_TEMPERATURE_K",
    "MIN_TEMPERATURE_K",
    "MWIR",
    "Band",
    "BandTable",
    "band_radiance",
    "band_table",
    "clamped",
    "radiance_in_step",
    "radiance_of",
    "temperature_in_step",
    "temperature_of",
]

Number = TypeVar("Number", float, np.float32)

# CODATA 2018 exact values: first and second radiation constants, 2 h c^2 and h c / k.
_TWO_H_C2 = 2.0 * 6.62607015e-34 * 299792458.0**2
_HC_OVER_K = 6.62607015e-34 * 299792458.0 / 1.380649e-23

MIN_TEMPERATURE_K = 100.0
"""Colder than any sky in the band: the driest zenith is near 190 K."""
MAX_TEMPERATURE_K = 1000.0
"""Hotter than any outer part of a car: an exhaust manifold under load is near 900 K."""
_STEP_K = 0.25
"""Linear interpolation in this step errs by less than 0.4 mK: h^2 L'' / (8 L') with L ~ T^5 is h^2 / (2 T)."""
# The inverse table has 256 equal steps in each octave of radiance, so that the bits of a float32 are its index:
# exponent and 8 bits of mantissa. Temperature bends little within 1/256 of an octave: the error is near 0.1 mK.
_SHIFT = 15
_FIRST_ROW = 115 << 8
"""2^-12 W m-2 sr-1: below the radiance of the coldest temperature."""
_LAST_ROW = 140 << 8
"""2^13 W m-2 sr-1: above that of the hottest."""
_REST = (1 << _SHIFT) - 1
_PER_REST = 1.0 / (1 << _SHIFT)
_LEAST, _MOST = np.float32(2.0**-12), np.float32(2.0**13 - 1.0)
_RUN = 1024
"""Pixels whose places in a table are found at a time."""
_NODES = 96
"""The integrand is smooth: 96 nodes over 6 um agree with adaptive quadrature to 1e-12."""


@dataclass(frozen=True)
class Band:
    """Wavelengths that a detector sees, with a flat response between them."""

    low_um: float = 8.0
    high_um: float = 14.0

    def __post_init__(self) -> None:
        """Check that the band is one."""
        if not 0.0 < self.low_um < self.high_um < 1000.0:
            raise ThermalError(f"band {self.low_um}-{self.high_um} um: expected 0 < low < high < 1000")


MWIR = Band(3.0, 5.0)
"""3-5 um, the band of cooled detectors (indium antimonide)."""
LWIR = Band()
"""8-14 um, the band of uncooled microbolometers (FLIR Tau 2 and Lepton data sheets: 7.5-13.5 and 8-14 um)."""


def band_radiance(temperature_K: ArrayLike, band: Band = LWIR) -> NDArray[np.float64]:
    """Radiance of a black body in the band.

    Args:
        temperature_K: any shape, kelvin, above 0.
        band: wavelengths.

    Returns:
        float64 of the same shape, W m-2 sr-1.

    >>> round(float(band_radiance(300.0)), 2)
    54.93
    """
    kelvin = np.asarray(temperature_K, dtype=np.float64)
    nodes, weights = _quadrature()
    half = (band.high_um - band.low_um) / 2 * 1e-6
    wavelength_m = (band.high_um + band.low_um) / 2 * 1e-6 + half * nodes
    exponent = _HC_OVER_K / (wavelength_m * kelvin[..., None])
    spectral = _TWO_H_C2 / wavelength_m**5 / np.expm1(np.minimum(exponent, 700.0))
    return np.asarray((spectral * weights).sum(axis=-1) * half, dtype=np.float64)


@functools.lru_cache(maxsize=1)
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights on -1 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)  # type: ignore[no-untyped-call]
    return nodes, weights


@dataclass(frozen=True)
class BandTable:
    """Band radiance by temperature and back, for per-pixel use; make it with :func:`band_table`."""

    band: Band
    forward: NDArray[np.float32]
    """Radiance at ``MIN_TEMPERATURE_K + 0.25 i``, W m-2 sr-1."""
    inverse: NDArray[np.float32]
    """Kelvin at 256 equal steps of each octave of radiance."""

    def radiance(self, temperature_K: NDArray[np.float32]) -> NDArray[np.float32]:
        """Radiance of black bodies: any shape float32 K to the same shape, W m-2 sr-1; clipped to the table's span."""
        flat = np.ascontiguousarray(temperature_K, dtype=np.float32).reshape(-1)
        return np.asarray(_radiances(flat, self.forward).reshape(np.shape(temperature_K)))

    def temperature(self, radiance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inverse of :meth:`radiance`, within 1 mK from 200 K up."""
        flat = np.ascontiguousarray(radiance, dtype=np.float32).reshape(-1)
        return np.asarray(_temperatures(flat, self.inverse).reshape(np.shape(radiance)))


@functools.lru_cache(maxsize=8)
def band_table(band: Band = LWIR) -> BandTable:
    """Tables of a band, made once per process."""
    kelvin = np.arange(MIN_TEMPERATURE_K, MAX_TEMPERATURE_K + 2 * _STEP_K, _STEP_K)
    forward = band_radiance(kelvin, band).astype(np.float32)
    steps = (np.arange(_FIRST_ROW, _LAST_ROW + 1, dtype=np.int32) << _SHIFT).view(np.float32)
    return BandTable(band, forward, _kelvin_of(np.log(steps), band).astype(np.float32))


def _kelvin_of(log_radiance: NDArray[np.float32], band: Band) -> NDArray[np.float64]:
    """Temperatures by linear interpolation between 60001, of which those are computed that something lies between."""
    fine_K = np.linspace(MIN_TEMPERATURE_K, MAX_TEMPERATURE_K, 60001)
    every = np.arange(0, 60001, 50)
    # The curve bends so little that a row is found within one; the ends stand for what lies beyond them.
    near = np.interp(log_radiance, np.log(band_radiance(fine_K[every], band)), every).astype(np.int64)
    rows = np.unique(np.clip(near[:, None] + np.arange(-1, 3), 0, 60000))
    kelvin = fine_K[rows]
    pieces = np.array_split(kelvin, len(rows) // 500 + 1)  # they stay in the processor's cache
    fine = np.concatenate([band_radiance(some_K, band) for some_K in pieces])
    return np.asarray(np.interp(log_radiance, np.log(fine), kelvin))


@inlined_kernel
def clamped(value: Number, low: Number, high: Number) -> Number:
    """Between two numbers; ``low`` where it is no number, which as a place in an array would lie anywhere in memory."""
    above: Number = value if value > low else low
    return above if above < high else high


@inlined_kernel
def radiance_of(kelvin: float, forward: NDArray[np.float32]) -> float:
    """One radiance by :attr:`BandTable.forward`."""
    position = (kelvin - np.float32(100.0)) * np.float32(4.0)
    position = clamped(position, np.float32(0.0), np.float32(forward.size - 2))
    row = int(position)
    share = position - np.float32(row)
    radiance: float = forward[row] + share * (forward[row + 1] - forward[row])
    return radiance


@inlined_kernel
def temperature_of(radiance: float, inverse: NDArray[np.float32]) -> float:
    """One temperature by :attr:`BandTable.inverse`."""
    bits = np.float32(clamped(np.float32(radiance), _LEAST, _MOST)).view(np.int32)
    row = (bits >> _SHIFT) - _FIRST_ROW
    share = np.float32((bits & _REST) * _PER_REST)
    kelvin: float = inverse[row] + share * (inverse[row + 1] - inverse[row])
    return kelvin


@inlined_kernel
def radiance_in_step(kelvin: NDArray[np.float32], forward: NDArray[np.float32]) -> NDArray[np.float32]:
    """As :func:`radiance_of`, for :mod:`.lanes`."""
    position = least(greatest((kelvin - 100.0) * 4.0, 0.0), forward.size - 2.0)
    row = floored(position)
    low, high = pair(forward, whole(row))
    radiance: NDArray[np.float32] = low + (position - row) * (high - low)
    return radiance


@inlined_kernel
def temperature_in_step(radiance: NDArray[np.float32], inverse: NDArray[np.float32]) -> NDArray[np.float32]:
    """As :func:`temperature_of`, for :mod:`.lanes`."""
    bits = bits_of(least(greatest(radiance, _LEAST), _MOST))
    low, high = pair(inverse, (bits >> _SHIFT) - _FIRST_ROW)
    kelvin: NDArray[np.float32] = low + narrow(bits & _REST) * _PER_REST * (high - low)
    return kelvin


@fast_kernel
def _radiances(kelvin: NDArray[np.float32], forward: NDArray[np.float32]) -> NDArray[np.float32]:
    """As :func:`radiance_of`: first the places of a run of pixels, by vectors, then what stands there."""
    out = np.empty_like(kelvin)
    place, share = np.empty(_RUN, np.int32), np.empty(_RUN, np.float32)
    lowest, last = np.float32(0.0), np.float32(forward.size - 2)
    for first in range(0, kelvin.size, _RUN):
        part, found = kelvin[first : first + _RUN], out[first : first + _RUN]
        for k in range(part.size):
            at = np.uint64(k)
            position = clamped((part[at] - np.float32(100.0)) * np.float32(4.0), lowest, last)
            place[at] = np.int32(position)
            share[at] = position - np.float32(place[at])
        for k in range(part.size):
            at = np.uint64(k)
            below = np.uint64(place[at])
            found[at] = forward[below] + share[at] * (forward[below + np.uint64(1)] - forward[below])
    return out


@fast_kernel
def _temperatures(radiance: NDArray[np.float32], inverse: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty_like(radiance)
    for i in range(radiance.size):
        out[i] = temperature_of(radiance[i], inverse)
    return out
