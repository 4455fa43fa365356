"""What a translation model makes is painted over a part of a picture, to the bit as by whole arrays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipelines.synthesis.infrared import _counts, _paint


@pytest.mark.parametrize(("levels", "dtype"), [(257, np.uint8), (1, np.uint16)])
@pytest.mark.parametrize("size", [(60, 83), (3, 7), (1, 1)])
def test_a_picture_is_painted_as_by_whole_arrays(size: tuple[int, int], levels: int, dtype: type) -> None:
    rng = np.random.default_rng([*size, levels])
    near = cv2.blur(rng.random(size).astype(np.float32), (5, 5)) > 0.5
    objects = (near * rng.integers(1, 5, size)).astype(np.uint16)
    ids = (objects * (rng.random(size) < 0.4)).astype(np.uint16)
    output = rng.uniform(-1.3, 1.3, size).astype(np.float32)
    picture = rng.integers(0, np.iinfo(dtype).max, size, dtype=dtype, endpoint=True)

    share = near.astype(np.float32)
    share *= cv2.blur(share, (5, 5)).reshape(size)
    share[ids > 0] = 1
    values = np.float32(65535 / 2) * (np.clip(output, -1.0, 1.0) + np.float32(1.0)) / np.float32(levels)
    there = picture.astype(np.float32)
    expected = np.rint((values - there) * share + there).astype(dtype)

    _paint(output, ids, objects, _counts(objects), np.float32(levels), picture)
    np.testing.assert_array_equal(picture, expected)
