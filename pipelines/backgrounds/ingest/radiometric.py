"""Counts of a FLIR camera to object temperature and back, as pure functions.

The camera counts what arrives: the object's emission, the surroundings that it reflects, the air before and behind the
window, and the window itself. With ``S(T) = R1 / (R2 (exp(B / T) - F)) - O`` for the counts of a black body::

    counts = tau w tau (e S(object) + (1 - e) S(reflected))
           + tau w (1 - tau) S(air) + tau (1 - w) S(window) + (1 - tau) S(air)

where ``e`` is the emissivity, ``w`` the transmittance of the window and ``tau`` that of half the air, the window
standing half-way. This is the formula of FLIR's *Toolkit IC2 Dig16 Developers Guide* (1.01) and of Minkina and Dudzik,
*Infrared Thermography: Errors and Uncertainties* (Wiley 2009), with the window in it as in the R package Thermimage
(Tattersall, doi:10.5281/zenodo.1069704); the window reflects nothing (anti-reflection coating assumed).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "KELVIN_AT_0_C",
    "Air",
    "Conditions",
    "Planck",
    "air_transmittance",
    "counts_to_kelvin",
    "kelvin_of_all_counts",
    "kelvin_to_counts",
]

Float64 = NDArray[np.float64]

KELVIN_AT_0_C = 273.15
_ALL_COUNTS = 1 << 16

# Water vapour in saturated air, g/m^3: logarithm as a cubic of degrees Celsius (Minkina and Dudzik).
_VAPOUR = (1.5587, 6.939e-2, -2.7816e-4, 6.8455e-7)


@dataclass(frozen=True)
class Planck:
    """Calibration of a camera: ``counts = R1 / (R2 (exp(B / T) - F)) - O`` for a black body at T kelvin."""

    R1: float
    R2: float
    B: float
    O: float  # noqa: E741 - the name that FLIR, exiftool and every paper give it
    F: float

    @property
    def problem(self) -> str:
        """Why no temperature follows from these numbers; empty where one does."""
        names = [name for name in ("R1", "R2", "B", "F") if not getattr(self, name) > 0]
        names += [name for name in ("R1", "R2", "B", "O", "F") if not math.isfinite(getattr(self, name))]
        if not names:
            return ""
        values = ", ".join(f"{name} = {getattr(self, name):g}" for name in dict.fromkeys(names))
        return f"Planck constants missing or no numbers above 0 ({values})"


@dataclass(frozen=True)
class Air:
    """Constants of the air's transmittance; the defaults are those that nearly all cameras store."""

    alpha1: float = 0.006569
    alpha2: float = 0.012620
    beta1: float = -0.002276
    beta2: float = -0.006670
    X: float = 1.9


@dataclass(frozen=True)
class Conditions:
    """What the camera was told of the scene."""

    emissivity: float = 0.95
    """0 to 1."""
    reflected_K: float = 293.15
    """Reflected apparent temperature: of what the object mirrors."""
    atmospheric_K: float = 293.15
    """Air temperature."""
    humidity: float = 0.5
    """Relative humidity, 0 to 1."""
    distance_m: float = 1.0
    """From camera to object."""
    window_K: float = 293.15
    """Temperature of an infrared window in front of the lens."""
    window_transmittance: float = 1.0
    """0 to 1; 1 is no window."""

    def to_json(self) -> dict[str, Any]:
        """In the units of the command line: degrees Celsius, metres, shares of one."""
        return {
            "emissivity": _rounded(self.emissivity),
            "reflected_C": _rounded(self.reflected_K - KELVIN_AT_0_C),
            "atmospheric_C": _rounded(self.atmospheric_K - KELVIN_AT_0_C),
            "humidity": _rounded(self.humidity),
            "distance_m": _rounded(self.distance_m),
            "window_C": _rounded(self.window_K - KELVIN_AT_0_C),
            "window_transmittance": _rounded(self.window_transmittance),
        }

    def but(self, **changes: float | None) -> Conditions:
        """The same with those fields changed that are not None."""
        return replace(self, **{key: value for key, value in changes.items() if value is not None})


def _rounded(value: float) -> float | None:
    """To what float32 metadata hold; None for what JSON has no number for."""
    return round(float(value), 5) if math.isfinite(value) else None


def air_transmittance(conditions: Conditions, air: Air) -> float:
    """Transmittance of half the air between camera and object, 0 to 1 (1 at no distance)."""
    celsius = conditions.atmospheric_K - KELVIN_AT_0_C
    vapour = conditions.humidity * math.exp(sum(factor * celsius**power for power, factor in enumerate(_VAPOUR)))
    path, root = math.sqrt(conditions.distance_m / 2.0), math.sqrt(vapour)
    first = math.exp(-path * (air.alpha1 + air.beta1 * root))
    second = math.exp(-path * (air.alpha2 + air.beta2 * root))
    return air.X * first + (1.0 - air.X) * second


def _terms(planck: Planck, conditions: Conditions, air: Air) -> tuple[float, float]:
    """``(gain, other)`` of ``counts = gain * S(object) + other``."""
    tau = air_transmittance(conditions, air)
    window = conditions.window_transmittance
    reflected = (1.0 - conditions.emissivity) * _signal(conditions.reflected_K, planck)
    behind = (1.0 - tau) * _signal(conditions.atmospheric_K, planck)
    other = tau * (window * (tau * reflected + behind) + (1.0 - window) * _signal(conditions.window_K, planck)) + behind
    return tau * window * tau * conditions.emissivity, other


def _signal(kelvin: float, planck: Planck) -> float:
    return float(_signals(np.float64(kelvin), planck))


def _signals(kelvin: Any, planck: Planck) -> Any:
    """Counts of a black body."""
    return planck.R1 / (planck.R2 * (np.exp(planck.B / kelvin) - planck.F)) - planck.O


def counts_to_kelvin(counts: NDArray[Any], planck: Planck, conditions: Conditions, air: Air | None = None) -> Float64:
    """Object temperature.

    Args:
        counts: any shape, counts as the camera stores them.
        planck: its calibration.
        conditions: of the scene.
        air: constants of the air; None takes the usual ones.

    Returns:
        float64 kelvin of the same shape; NaN where the object would radiate less than nothing.
    """
    gain, other = _terms(planck, conditions, air or Air())
    signal = (np.asarray(counts, dtype=np.float64) - other) / gain + planck.O
    ratio = np.full(signal.shape, np.nan)
    np.divide(planck.R1 / planck.R2, signal, out=ratio, where=signal > 0)
    ratio += planck.F
    kelvin = np.full(signal.shape, np.nan)
    np.log(ratio, out=kelvin, where=ratio > 1.0)
    return np.asarray(planck.B / kelvin)


def kelvin_to_counts(kelvin: NDArray[Any], planck: Planck, conditions: Conditions, air: Air | None = None) -> Float64:
    """Inverse of :func:`counts_to_kelvin`; counts are not rounded."""
    gain, other = _terms(planck, conditions, air or Air())
    return np.asarray(gain * _signals(np.asarray(kelvin, dtype=np.float64), planck) + other)


def kelvin_of_all_counts(planck: Planck, conditions: Conditions, air: Air | None = None) -> Float64:
    """Temperature of each of the 65536 counts, to be looked up: a frame has more pixels than that."""
    return counts_to_kelvin(np.arange(_ALL_COUNTS), planck, conditions, air)
