"""Which ground lies near a wall or a road, against OpenCV's dilation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from renderer.scene.road_users.parking import _near


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 7, 12, 25])
@pytest.mark.parametrize("shape", [(40, 70), (3, 100), (200, 1)])
def test_near_is_a_dilation_by_a_square(radius: int, shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(radius).random(shape) < 0.02
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    np.testing.assert_array_equal(_near(mask, radius), cv2.dilate(mask.astype(np.uint8), square) > 0)
