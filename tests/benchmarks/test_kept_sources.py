"""Sources for int8: what is kept of what the network is given."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.realism.windows import SIZE_PX, as_sample, middle
from gan.data.layout import decode_sample, encode_sample, planes_to_source


@pytest.mark.parametrize(
    ("size", "part", "corner"),
    [
        ((128, 128), (0, 0, 128, 128), (0, 0)),
        ((192, 448), (58, 200, 131, 264), (0, 160)),  # its middle is at (94, 232)
        ((256, 224), (200, 150, 256, 224), (128, 96)),  # no further than the end
        ((256, 224), (0, 0, 10, 10), (0, 0)),
    ],
)
def test_what_is_painted_lies_in_the_middle_on_the_grid(
    size: tuple[int, int], part: tuple[int, int, int, int], corner: tuple[int, int]
) -> None:
    source = np.arange(7 * size[0] * size[1], dtype=np.float32).reshape(7, *size)
    kept = middle(source, part, 32)
    assert kept.shape == (7, SIZE_PX, SIZE_PX)
    assert [int(place) for place in np.argwhere(source == kept[0, 0, 0])[0][1:]] == list(corner)
    assert all(place % 32 == 0 for place in corner)
    np.testing.assert_array_equal(kept[3, -1], source[3, corner[0] + 127, corner[1] : corner[1] + 128])


def test_kept_window_is_stored_as_it_was() -> None:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    heat, depth = rng.integers(0, 4, (32, 48), dtype=np.uint8), rng.integers(0, 65536, (32, 48), dtype=np.uint16)
    source = planes_to_source(label, heat, depth)
    stored = decode_sample(encode_sample(as_sample(source, 7)))
    assert np.array_equal(stored.source(), source)
    assert stored.target is not None
    assert np.array_equal(stored.target >> 8, label[..., 0])
    assert (stored.index, stored.layout, stored.span_K) == (7, "physics", None)
