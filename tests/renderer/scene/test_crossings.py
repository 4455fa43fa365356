"""Crossings are where markings cover much of a square, by counting each square's cells."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.scene.walkable import _share_around


@pytest.mark.parametrize("radius", [0, 1, 6])
def test_shares_are_those_counted_cell_by_cell(radius: int) -> None:
    mask = np.random.default_rng(7).random((17, 23)) < 0.4
    mask[:8, -8:] = True  # a whole square, at the border too
    side = 2 * radius + 1
    for row, column in np.ndindex(mask.shape):
        around = mask[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
        assert _share_around(mask, radius)[row, column] == np.count_nonzero(around) / side**2
