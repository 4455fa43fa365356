"""COCO's compressed run lengths, read: the format of the COCO API's mask module."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import DatasetError

__all__ = ["decode_rle"]


def decode_rle(text: str, height: int, width: int) -> NDArray[np.bool_]:
    """The mask of a run-length code, (H, W) bool.

    Runs go down the columns and begin with pixels that are off. A number is a row of characters from code 48, five bits
    each with the lowest first; bit 5 says that another follows, bit 4 of the last one is the sign. From the fourth on a
    number is the difference to the run two before.

    Raises:
        DatasetError: a code of another size, or none.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for character in text.encode("ascii", "replace"):
        group = character - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise DatasetError(f"run-length code of {sum(counts)} pixels: expected {height} x {width}")
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.asarray(runs.reshape(width, height).T)
