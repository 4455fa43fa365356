"""Distances between two sets of features: does the generator make the right *kind* of image?

The Frechet distance between Gaussians fitted to both sets is the one of Heusel et al. 2017 (arXiv:1706.08500), the
kernel distance the unbiased squared MMD with a cubic polynomial of Binkowski et al. 2018 (arXiv:1801.01401). Both name
the features they were taken on: only the Frechet distance on the published Inception is called FID.

The Frechet distance falls with the number of images (its bias is of order features / images), so compare only sets of
equal size; with few images trust the kernel distance, which has no bias.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gan.errors import MetricError
from gan.metrics.bootstrap import Interval

__all__ = ["Features", "frechet_distance", "kernel_distance", "kernel_distance_interval"]

Features = npt.NDArray[np.floating[Any]]

_SUBSETS: Final = 100  # Binkowski et al. 2018 average over 100 subsets of 1000
_SUBSET_SIZE: Final = 1000


def _checked(real: Features, fake: Features) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise MetricError(f"features of shape {real.shape} and {fake.shape}: expected (N, D) and (M, D)")
    if min(len(real), len(fake)) < 2:
        raise MetricError(
            f"{len(real)} real and {len(fake)} generated images: a distance of distributions needs 2 of each"
        )
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise MetricError("features with NaN or infinite values")
    return real.astype(np.float64), fake.astype(np.float64)


def frechet_distance(real: Features, fake: Features) -> float:
    """Squared Frechet distance of the Gaussians with mean and (unbiased) covariance of both sets; (N, D), (M, D)."""
    a, b = _checked(real, fake)
    offset = a.mean(axis=0) - b.mean(axis=0)
    # With centred rows A and covariance A'A, tr sqrt(Sa Sb) is the sum of singular values of A B': no matrix root, and
    # exact where there are fewer images than features.
    rows_a = (a - a.mean(axis=0)) / np.sqrt(len(a) - 1)
    rows_b = (b - b.mean(axis=0)) / np.sqrt(len(b) - 1)
    cross = np.linalg.svd(_compact(rows_a) @ _compact(rows_b).T, compute_uv=False).sum()
    distance = float(offset @ offset + np.square(rows_a).sum() + np.square(rows_b).sum() - 2.0 * cross)
    return max(distance, 0.0)


def _compact(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A matrix with the same R'R and at most D rows."""
    return rows if rows.shape[0] <= rows.shape[1] else np.asarray(np.linalg.qr(rows, mode="r"))


def kernel_distance(real: Features, fake: Features) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3; around 0 (also below) for sets of one distribution."""
    a, b = _checked(real, fake)
    aa, bb, ab = (_polynomial(x, y) for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    within = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return float(within - 2.0 * ab.mean())


def _polynomial(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3)


def kernel_distance_interval(real: Features, fake: Features, *, seed: int = 0) -> Interval:
    """Kernel distance over all images, with the 2.5 and 97.5 percentiles over random subsets drawn without repetition.

    A subset holds 1000 images, or half of the smaller set where there are fewer. (Drawing with repetition would pair
    images with themselves and so bias the estimate.)
    """
    a, b = _checked(real, fake)
    value = kernel_distance(a, b)
    size = min(_SUBSET_SIZE, max(min(len(a), len(b)) // 2, 2))
    rng = np.random.default_rng(seed)
    values = [
        kernel_distance(a[rng.choice(len(a), size, replace=False)], b[rng.choice(len(b), size, replace=False)])
        for _ in range(_SUBSETS)
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(value, min(float(low), value), max(float(high), value), min(len(a), len(b)))
