"""The part of the infrared picture that the visible one covers in all frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.errors import DatasetError
from pipelines.registration.pictures import LEAST_SIDE_PX

__all__ = ["common_field", "largest_rectangle"]

Float64 = npt.NDArray[np.float64]

_MASK_STEP_PX: Final = 2  # resolution of the common field


def common_field(
    transforms: Sequence[Float64], visible: tuple[int, ...], infrared: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The largest rectangle of the infrared picture that the visible one covers in all frames: x0, y0, x1, y1.

    Raises:
        DatasetError: the fields hardly meet.
    """
    mask = np.ones(infrared[:2], dtype=np.bool_)
    for transform in transforms:
        whole = np.ones(visible[:2], dtype=np.float32)
        size = (infrared[1], infrared[0])
        mask &= cv2.warpPerspective(whole, transform, size, flags=cv2.INTER_LINEAR) > 0.999
    step = _MASK_STEP_PX
    rows, columns = mask.shape[0] // step, mask.shape[1] // step
    small = mask[: rows * step, : columns * step].reshape(rows, step, columns, step).all(axis=(1, 3))
    x0, y0, x1, y1 = (edge * step for edge in largest_rectangle(small))
    if min(x1 - x0, y1 - y0) < LEAST_SIDE_PX:
        raise DatasetError(
            f"the common field is {x1 - x0}x{y1 - y0} px: expected at least {LEAST_SIDE_PX} each way; "
            "the pictures do not show the same scenes, or the alignment failed: try --model similarity, more frames"
        )
    return x0, y0, x1, y1


def largest_rectangle(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The largest rectangle of true pixels in (H, W): x0, y0, x1, y1, ends exclusive; zeros where none is true."""
    most, rectangle = 0, (0, 0, 0, 0)
    heights = np.zeros(mask.shape[1] + 1, dtype=np.int64)  # the last stays 0 and closes every open column
    for row, line in enumerate(mask):
        heights[:-1] = np.where(line, heights[:-1] + 1, 0)
        open_columns: list[tuple[int, int]] = []  # left edge and height, rising
        for column, height in enumerate(heights.tolist()):
            left = column
            while open_columns and open_columns[-1][1] >= height:
                left, tall = open_columns.pop()
                if tall * (column - left) > most:
                    most, rectangle = tall * (column - left), (left, row + 1 - tall, column, row + 1)
            open_columns.append((left, height))
    return rectangle
