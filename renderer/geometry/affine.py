"""Inverse of a pose without LAPACK.

``numpy.linalg.inv`` of a 4x4 matrix wakes the threads of the linear algebra library, which then keep a core busy for
longer than a whole frame takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..optional import njit

__all__ = ["world_to_local"]


def world_to_local(local_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """First three rows of the inverse of an affine matrix: (4, 4) to (3, 4) float64.

    >>> world_to_local(np.diag([2.0, 4.0, 5.0, 1.0]))[1, 1]
    0.25
    """
    return np.asarray(_inverse(np.ascontiguousarray(local_to_world, dtype=np.float64)))


@njit(cache=True, nogil=True)
def _inverse(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cofactors over the determinant; numpy calls on so few numbers would cost more than the numbers."""
    out = np.empty((3, 4))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for r in range(3):
            s, t = (r + 1) % 3, (r + 2) % 3
            out[i, r] = m[s, j] * m[t, k] - m[t, j] * m[s, k]
    determinant = m[0, 0] * out[0, 0] + m[1, 0] * out[0, 1] + m[2, 0] * out[0, 2]
    for i in range(3):
        for r in range(3):
            out[i, r] /= determinant
        out[i, 3] = -(out[i, 0] * m[0, 3] + out[i, 1] * m[1, 3] + out[i, 2] * m[2, 3])
    return out
