"""The blur against sums written out, with numpy's own borders."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.insertion.blur import Border, gaussian_blur


@pytest.mark.parametrize(("border", "mode"), [(Border.REPLICATE, "edge"), (Border.REFLECT, "reflect")])
@pytest.mark.parametrize(("sigma", "reach"), [(0.6, 3.0), (1.0, 3.5), (2.5, 3.0)])
def test_it_is_a_gaussian_with_the_border_it_names(border: Border, mode: str, sigma: float, reach: float) -> None:
    image = np.random.default_rng(0).normal(100.0, 30.0, (24, 31)).astype(np.float32)
    half = max(1, int(np.ceil(reach * sigma)))
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weights /= weights.sum()
    wide = np.pad(image.astype(np.float64), half, mode=mode)  # type: ignore[call-overload]
    down = sum(w * wide[k : k + 24] for k, w in enumerate(weights))
    expected = sum(w * down[:, k : k + 31] for k, w in enumerate(weights))
    np.testing.assert_allclose(gaussian_blur(image, sigma, border, reach=reach), expected, atol=2e-3)


def test_the_borders_differ_only_at_the_edge() -> None:
    image = np.random.default_rng(0).normal(0.0, 1.0, (40, 40)).astype(np.float32)
    difference = gaussian_blur(image, 1.0) - gaussian_blur(image, 1.0, Border.REFLECT)
    assert np.abs(difference[3:-3, 3:-3]).max() == 0.0
    assert np.abs(difference[0]).max() > 0.05
