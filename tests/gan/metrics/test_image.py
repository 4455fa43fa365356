"""Image measures against torchmetrics (another implementation) and against identities worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from gan.errors import MetricError
from gan.metrics import image as measures
from gan.metrics.torchvision_shim import import_torchvision

ALL = [
    measures.mean_absolute_error,
    measures.mean_squared_error,
    measures.root_mean_squared_error,
    measures.psnr_dB,
    measures.ssim,
    measures.uqi,
    measures.gradient_error,
]


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    real = rng.random((48, 61))
    return real, np.clip(real + 0.2 * rng.standard_normal(real.shape), 0, 1)


def _torch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image)[None, None]


def test_ssim_and_psnr_equal_torchmetrics(pair: tuple[np.ndarray, np.ndarray]) -> None:
    import_torchvision()  # torchmetrics imports it
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    real, fake = pair
    _, theirs = structural_similarity_index_measure(
        _torch(fake), _torch(real), data_range=1.0, sigma=1.5, return_full_image=True
    )
    # They reflect the image at its border; the paper counts only windows that lie inside it.
    assert measures.ssim(real, fake) == pytest.approx(float(theirs[..., 5:-5, 5:-5].mean()), abs=1e-9)
    assert measures.psnr_dB(real, fake) == pytest.approx(
        float(peak_signal_noise_ratio(_torch(fake), _torch(real), data_range=1.0)), abs=1e-5
    )


def test_uqi_is_the_paper_s_formula_on_every_window(pair: tuple[np.ndarray, np.ndarray]) -> None:
    real, fake = pair
    x = sliding_window_view(real, (8, 8)).reshape(-1, 64)
    y = sliding_window_view(fake, (8, 8)).reshape(-1, 64)
    quality = []
    for a, b in zip(x, y, strict=True):
        ((saa, sab), (_, sbb)) = np.cov(a, b)
        quality.append(4 * sab * a.mean() * b.mean() / ((saa + sbb) * (a.mean() ** 2 + b.mean() ** 2)))
    assert measures.uqi(real, fake) == pytest.approx(np.mean(quality), abs=1e-9)


def test_uqi_of_flat_images() -> None:
    black, grey, dim = np.zeros((16, 16)), np.full((16, 16), 0.8), np.full((16, 16), 0.4)
    assert measures.uqi(black, black) == 1.0
    assert measures.uqi(grey, dim) == pytest.approx(2 * 0.8 * 0.4 / (0.8**2 + 0.4**2))


def test_equal_images() -> None:
    image = np.random.default_rng(0).random((20, 20, 3))
    assert measures.ssim(image, image) == pytest.approx(1.0)
    assert measures.uqi(image, image) == pytest.approx(1.0)
    assert measures.psnr_dB(image, image) == math.inf
    assert measures.gradient_error(image, image) == 0.0


def test_known_offsets() -> None:
    real, fake = np.full((16, 16), 0.25), np.full((16, 16), 0.5)
    assert measures.mean_absolute_error(real, fake) == 0.25
    assert measures.mean_squared_error(real, fake) == 0.0625
    assert measures.root_mean_squared_error(real, fake) == 0.25
    assert measures.psnr_dB(real, fake) == pytest.approx(20 * math.log10(4))
    # Without contrast only the luminance term of SSIM is left.
    assert measures.ssim(real, fake) == pytest.approx((2 * 0.125 + 1e-4) / (0.0625 + 0.25 + 1e-4))
    assert measures.gradient_error(real, fake) == 0.0


def test_gradient_of_a_ramp_is_its_slope() -> None:
    y, x = np.mgrid[0:12, 0:12]
    length = measures.gradient_magnitude((0.03 * x + 0.04 * y)[..., None])[1:-1, 1:-1]
    np.testing.assert_allclose(length, 0.05, atol=1e-12)


@pytest.mark.parametrize("measure", ALL)
def test_region_sees_only_its_pixels(measure: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> None:
    real, fake = pair
    region = np.zeros(real.shape, dtype=bool)
    region[15:20, 20:30] = True
    inside = measure(real, fake, region)
    changed = fake.copy()
    changed[33:] = 0.0  # further than half a window from the region
    assert measure(real, changed, region) == pytest.approx(inside, abs=1e-12)
    assert measure(real, fake, np.ones_like(region)) == pytest.approx(measure(real, fake), abs=1e-12)
    changed[17, 25] = 1.0 - changed[17, 25]
    assert measure(real, changed, region) != pytest.approx(inside, abs=1e-6)


def test_colour_is_the_mean_of_channels() -> None:
    rng = np.random.default_rng(1)
    real, fake = rng.random((2, 24, 24, 3))
    for measure in (measures.ssim, measures.uqi, measures.mean_squared_error):
        each = [measure(real[..., c], fake[..., c]) for c in range(3)]
        assert measure(real, fake) == pytest.approx(np.mean(each), abs=1e-12)


@pytest.mark.parametrize("measure", ALL)
def test_what_cannot_be_compared(measure: Callable[..., float]) -> None:
    good = np.zeros((16, 16))
    with pytest.raises(MetricError, match="different size"):
        measure(good, np.zeros((16, 17)))
    with pytest.raises(MetricError, match="NaN"):
        measure(good, np.full((16, 16), np.nan))
    with pytest.raises(MetricError, match="empty"):
        measure(good, good, np.zeros((16, 16), dtype=bool))


def test_region_at_the_border_has_no_window() -> None:
    region = np.zeros((16, 16), dtype=bool)
    region[0, 0] = True
    with pytest.raises(MetricError, match="border"):
        measures.ssim(np.zeros((16, 16)), np.zeros((16, 16)), region)
    with pytest.raises(MetricError, match="smaller than the window"):
        measures.ssim(np.zeros((8, 16)), np.zeros((8, 16)))
