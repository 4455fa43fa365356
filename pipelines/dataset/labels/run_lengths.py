"""Run-length codes of masks, as COCO writes them: runs off and on in column order, and their text form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D
from renderer.optional import njit

__all__ = ["encode_rle", "mask_code", "run_lengths"]

Int64 = NDArray[np.int64]

_MOST_GROUPS = 13
"""Groups of five bits in a number of 64."""


def run_lengths(instance_id: NDArray[np.uint16], number: int, box: Box2D) -> Int64:
    """Runs of pixels off and on in column order, beginning with off: COCO's uncompressed counts, (N,) int64.

    Args:
        instance_id: (H, W) instance pass.
        number: value of the object in it.
        box: of the object's pixels; what is outside is not looked at.
    """
    left, top, right, bottom = int(box[0]), int(box[1]), int(np.ceil(box[2])), int(np.ceil(box[3]))
    # A column has a run for each of its pixels at most, and one more where the object is cut off at its end.
    runs = np.empty((right - left) * (bottom - top + 1) + 2, dtype=np.int64)
    return runs[: _find_runs(instance_id, number, left, top, right, bottom, runs)]


def mask_code(mask: NDArray[np.bool_]) -> str:
    """COCO's run-length code of a mask (H, W)."""
    height, width = mask.shape
    return encode_rle(run_lengths(mask.astype(np.uint16), 1, (0.0, 0.0, float(width), float(height))))


def encode_rle(counts: Sequence[int] | Int64) -> str:
    """COCO's text form of run lengths.

    From the fourth on a run is stored as its difference to the run two before. A number is cut into groups of five
    bits, the lowest first, each stored as a character from code 48; bit 5 says that another group follows, and the
    sign is that of the highest bit of the last group (format of the COCO API's mask module).
    """
    runs = np.asarray(counts, dtype=np.int64)
    text = np.empty(_MOST_GROUPS * len(runs), dtype=np.uint8)
    return text[: _write_code(runs, text)].tobytes().decode("ascii")


@njit(cache=True, nogil=True)
def _find_runs(
    instance_id: NDArray[np.uint16], number: int, left: int, top: int, right: int, bottom: int, runs: Int64
) -> int:
    """Fills in the runs and gives their number."""
    height, width = instance_id.shape
    count, inside, since = 0, False, 0
    for x in range(left, right):
        for y in range(top, bottom):
            if (instance_id[y, x] == number) != inside:
                runs[count] = x * height + y - since
                since, inside, count = x * height + y, not inside, count + 1
        if inside and bottom - top < height:  # else it may go on at the top of the next column
            runs[count] = x * height + bottom - since
            since, inside, count = x * height + bottom, False, count + 1
    if inside and right < width:
        runs[count] = right * height - since
        since, count = right * height, count + 1
    if since < height * width:
        runs[count] = height * width - since
        count += 1
    return count


@njit(cache=True, nogil=True)
def _write_code(runs: Int64, text: NDArray[np.uint8]) -> int:
    """Fills in the characters and gives their number."""
    length = 0
    for place in range(len(runs)):
        value = runs[place] - runs[place - 2] if place > 2 else runs[place]
        more = True
        while more:
            group, value = value & 31, value >> 5
            more = value != (-1 if group & 16 else 0)
            text[length] = 48 + (group | 32 if more else group)
            length += 1
    return length
