"""What kernels say of a number and of :data:`LANES` numbers in step alike, beside ``+ - * /`` and comparisons.

The compiler makes no vectors of loops that look up tables and branch by pixel. So kernels of pixels take several at a
time: a value is either one number or so many in a vector (``float32``, ``float64``, ``int32`` or whether), and the
same function does for both. Single numbers of Python adapt to the vector that they meet; of two vectors the wider
kind wins. Where pixels go different ways, both ways are gone and :func:`choose` takes from each.

Where there is no numba a vector is an array of numpy. In compiled code each function becomes instructions, as
:mod:`.compiled` says, which imports numba: so that waits until the first kernel asks for the type of one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .width import LANES

__all__ = [
    "LANES", "absolute", "angle_of", "anywhere", "bare", "bits_of", "choose", "corners", "cosine", "exponential",
    "float_of", "floored", "greatest", "in_lattice", "lanes_at", "least", "looked_up", "narrow", "pair", "put",
    "rooted", "whole", "wide",
]  # fmt: skip

_MASK = 255


class _InStep:
    """A function that numba compiles to instructions of its own, or for lanes as another function of these."""

    def __init__(self, function: Callable[..., Any], of_lanes: Callable[..., Any] | None = None) -> None:
        functools.update_wrapper(self, function)
        self._function, self._of_lanes = function, of_lanes

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    @functools.cached_property
    def _numba_type_(self) -> Any:
        """How numba learns what a global of a kernel is."""
        from .compiled import type_of, type_of_two

        if self._of_lanes is None:
            return type_of(self._function.__name__)
        return type_of_two(self._function, self._of_lanes)


def _in_step(function: Callable[..., Any]) -> Any:
    return _InStep(function)


@_in_step
def least(a: Any, b: Any) -> Any:
    """The lesser of each two."""
    return np.where(a < b, a, b)


@_in_step
def greatest(a: Any, b: Any) -> Any:
    """The greater of each two."""
    return np.where(a > b, a, b)


@_in_step
def choose(which: Any, a: Any, b: Any) -> Any:
    """``a`` where it holds, else ``b``."""
    return np.where(which, a, b)


@_in_step
def anywhere(which: Any) -> Any:
    """Whether it holds for any of them."""
    return bool(np.any(which))


@_in_step
def floored(x: Any) -> Any:
    """The whole number below, as a number of the same kind."""
    return np.floor(x)


@_in_step
def rooted(x: Any) -> Any:
    """Square root."""
    return np.sqrt(x)


@_in_step
def absolute(x: Any) -> Any:
    """Without its sign."""
    return np.abs(x)


@_in_step
def narrow(x: Any) -> Any:
    """Lanes as float32; one number as it is."""
    return x.astype(np.float32) if np.ndim(x) else x


@_in_step
def wide(x: Any) -> Any:
    """As float64."""
    return np.float64(x)


@_in_step
def whole(x: Any) -> Any:
    """As integers, int32 in lanes, cut towards zero."""
    return x.astype(np.int32) if np.ndim(x) else int(x)


@_in_step
def bits_of(x: Any) -> Any:
    """Of float32 lanes, as int32."""
    return np.asarray(x, np.float32).view(np.int32)


@_in_step
def float_of(bits: Any) -> Any:
    """The float32 lanes of int32 bits."""
    return np.asarray(bits, np.int32).view(np.float32)


@_in_step
def bare(table: NDArray[Any]) -> Any:
    """A contiguous array of any shape as one row of numbers, for loops of pixels: only ``size`` is known of it.

    Numba counts who holds an array each time that it gets another name, which costs more than what is looked up.
    The array itself must live on where the loop is.
    """
    return table.reshape(-1)


@_in_step
def lanes_at(table: NDArray[Any], i: Any) -> Any:
    """:data:`LANES` neighbours of a (N,) array, from number ``i`` on; small integers as int32."""
    return table[i : i + LANES]


@_in_step
def looked_up(table: NDArray[Any], i: Any) -> Any:
    """Elements of a contiguous (N,) array by number; small integers as int32."""
    found = table[i]
    return found.astype(np.int32) if np.ndim(i) and found.dtype.kind == "u" else found


@_in_step
def pair(table: NDArray[Any], i: Any) -> tuple[Any, Any]:
    """Elements of a contiguous (N,) float32 array by number, and their next neighbours."""
    return table[i], table[i + 1]


@_in_step
def put(table: NDArray[Any], i: Any, value: Any) -> None:
    """Fill elements of a contiguous (N,) array by number; of equal numbers the last stays."""
    table[i] = value


@_in_step
def in_lattice(values: NDArray[np.float32], row: Any, column: Any) -> Any:
    """A value of the periodic lattice; for lanes it must be a :func:`..surface.wrapped` one."""
    if values.ndim == 1:
        values = values.reshape(_MASK + 2, _MASK + 2)
    return values[row & _MASK, column & _MASK]


@_in_step
def corners(values: NDArray[np.float32], x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """The four values around a cell of the lattice, as (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1).

    For lanes it must be a :func:`..surface.wrapped` one.
    """
    if values.ndim == 1:
        values = values.reshape(_MASK + 2, _MASK + 2)
    i, j = x & _MASK, y & _MASK
    i1, j1 = (i + 1) & _MASK, (j + 1) & _MASK
    return values[j, i], values[j, i1], values[j1, i], values[j1, i1]


def _cosine(x: Any) -> Any:
    """Cosine, within 1e-6 for lanes below 100."""
    return np.cos(x)


def _cosine_of_lanes(x: Any) -> Any:
    """Taylor's polynomial of the sine up to the 11th power, at most a quarter turn from its zero."""
    turns = x * (0.5 / math.pi)
    quarter = (absolute(turns - floored(turns + 0.5)) - 0.25) * (2.0 * math.pi)
    s = quarter * quarter
    tail = 1.0 - s * (1.0 / 72.0) * (1.0 - s * (1.0 / 110.0))
    return -quarter * (1.0 - s * (1.0 / 6.0) * (1.0 - s * (1.0 / 20.0) * (1.0 - s * (1.0 / 42.0) * tail)))


def _angle_of(y: Any, x: Any) -> Any:
    """Angle of a direction, radians, within 1e-6 for lanes."""
    return np.arctan2(y, x)


def _angle_of_lanes(y: Any, x: Any) -> Any:
    """By the arc tangent of Cephes (atanf.c) in the first eighth of a turn."""
    across, up = absolute(x), absolute(y)
    t = least(across, up) / greatest(greatest(across, up), 1e-20)
    far = t > 0.41421356
    t = choose(far, (t - 1.0) / (t + 1.0), t)
    s = t * t
    curve = ((8.05374449538e-2 * s - 1.38776856032e-1) * s + 1.99777106478e-1) * s - 3.33329491539e-1
    angle = choose(far, 0.25 * math.pi, 0.0 * t) + (curve * s * t + t)
    angle = choose(up > across, 0.5 * math.pi - angle, angle)
    angle = choose(x < 0.0, math.pi - angle, angle)
    return choose(y < 0.0, -angle, angle)


def _exponential(x: Any) -> Any:
    """Power of e, within 3e-7 of itself for lanes from -80 to 80, beyond which they stay as there."""
    return np.exp(x)


def _exponential_of_lanes(x: Any) -> Any:
    """As Cephes has it (expf.c): a power of two, which is an exponent, and a polynomial for the rest."""
    x = least(80.0, greatest(-80.0, x))
    twos = floored(x * (1.0 / math.log(2.0)) + 0.5)
    r = (x - twos * 0.693359375) + twos * 2.12194440e-4
    curve = ((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2
    curve = (curve * r + 1.6666665459e-1) * r + 5.0000001201e-1
    return (curve * (r * r) + r + 1.0) * float_of((whole(twos) + 127) << 23)


exponential: Any = _InStep(_exponential, _exponential_of_lanes)
cosine: Any = _InStep(_cosine, _cosine_of_lanes)
angle_of: Any = _InStep(_angle_of, _angle_of_lanes)
