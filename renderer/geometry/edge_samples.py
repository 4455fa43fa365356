"""What pixels at the edges of surfaces show beside what their centres hit."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_PX", "SAMPLE_GRID", "SUB_SAMPLES", "EdgeSamples"]

SAMPLE_GRID: Final = 4
"""Sub-samples lie at the centres of the cells of a pixel that is cut into so many columns and rows."""
SUB_SAMPLES: Final = ((0, 1), (1, 3), (2, 0), (3, 2))
"""Column and row of each: one in every column and in every row, so that edges along either have as many steps between
all and nothing ("four rooks": a rotated grid, as graphics cards have it)."""

LARGEST_PX: Final = 8191
"""Longer side of pictures that have them: the place of a sub-sample is a number of 32 bits."""


class EdgeSamples(NamedTuple):
    """E pixels, and the S sub-samples among theirs whose surface no centre of these shows; each array is contiguous.

    Labels and passes are those of the pixels' centres; these are for what a pixel receives of all its area.
    """

    pixel: NDArray[np.int32]
    """(E,) numbers of the pixels, counted along rows."""
    source: NDArray[np.int32]
    """(E, 4) whose surface each of :data:`SUB_SAMPLES` shows: the number of a pixel, or -1 - k for sample k below."""
    column: NDArray[np.int32]
    """(S,) of a grid :data:`SAMPLE_GRID` times as fine as the picture; so is ``row``."""
    row: NDArray[np.int32]
    depth_m: NDArray[np.float32]
    """(S,) as the next three, see :class:`.frame.Frame`."""
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    part: NDArray[np.uint16]
    normal: NDArray[np.float32]
    """(S, 3) world, unit length, facing the camera."""
