"""Distances of distributions against the textbook formulas, computed the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from gan.errors import MetricError
from gan.metrics.bootstrap import bootstrap_mean
from gan.metrics.distribution import frechet_distance, kernel_distance, kernel_distance_interval


def _sets(n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((n, d)), 0.3 + rng.standard_normal((m, d)) @ rng.standard_normal((d, d))


@pytest.mark.parametrize(("n", "m", "d"), [(200, 150, 12), (40, 300, 12), (9, 7, 12), (9, 50, 12)])
def test_frechet_equals_the_formula_with_a_matrix_root(n: int, m: int, d: int) -> None:
    a, b = _sets(n, m, d)
    s, t = np.cov(a.T), np.cov(b.T)
    # Regularised where a covariance is singular; the root of a product is only defined in the limit there.
    root = sqrtm((s + 1e-12 * np.eye(d)) @ (t + 1e-12 * np.eye(d)))
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(s) + np.trace(t) - 2 * np.trace(root).real
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)


def test_frechet_identities() -> None:
    a, _ = _sets(50, 50, 8)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(a, a + 2.0) == pytest.approx(8 * 4.0)
    spread = frechet_distance(a, a.mean(0) + 3.0 * (a - a.mean(0)))
    assert spread == pytest.approx(4.0 * np.trace(np.cov(a.T)))


def test_kernel_distance_equals_the_double_sum() -> None:
    a, b = _sets(6, 5, 3)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    between = np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(within_a + within_b - 2 * between)


def test_kernel_distance_has_no_bias() -> None:
    rng = np.random.default_rng(0)
    values = [kernel_distance(rng.standard_normal((10, 4)), rng.standard_normal((10, 4))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_kernel_interval_holds_the_value_and_repeats() -> None:
    a, b = _sets(30, 40, 6)
    interval = kernel_distance_interval(a, b, seed=1)
    assert interval.low <= interval.mean <= interval.high
    assert interval == kernel_distance_interval(a, b, seed=1)
    assert interval.mean == kernel_distance(a, b)


def test_bad_features() -> None:
    with pytest.raises(MetricError, match="needs 2"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))
    with pytest.raises(MetricError, match="shape"):
        kernel_distance(np.zeros((4, 3)), np.zeros((4, 2)))
    with pytest.raises(MetricError, match="NaN"):
        kernel_distance(np.full((4, 3), np.nan), np.zeros((4, 3)))


def test_bootstrap_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    intervals = [bootstrap_mean(list(rng.normal(2.0, 1.0, 60)), seed=i, draws=400) for i in range(200)]
    covered = sum(interval.low <= 2.0 <= interval.high for interval in intervals) / 200
    assert 0.88 <= covered <= 0.99


def test_bootstrap_edges() -> None:
    assert bootstrap_mean([0.1] * 7).mean == pytest.approx(0.1)
    constant = bootstrap_mean([0.1] * 7)
    assert constant.high - constant.low < 1e-12
    single = bootstrap_mean([3.0])
    assert (single.low, single.mean, single.high, single.count) == (3.0, 3.0, 3.0, 1)
    assert bootstrap_mean([1.0, float("inf")]).mean == float("inf")
    assert bootstrap_mean([1, 2, 3], seed=4) == bootstrap_mean([1, 2, 3], seed=4)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_mean([])


def test_an_interval_over_sequences_holds_what_their_frames_share() -> None:
    """Forty sequences of eight equal frames are forty independent values; over frames the interval is too narrow."""
    rng = np.random.default_rng(0)
    covered = alone = 0
    for seed in range(200):
        of_sequences = rng.normal(2.0, 1.0, 40)
        frames, names = list(np.repeat(of_sequences, 8)), [str(number) for number in np.repeat(np.arange(40), 8)]
        interval = bootstrap_mean(frames, seed=seed, draws=400, groups=names)
        plain = bootstrap_mean(frames, seed=seed, draws=400)
        covered += interval.low <= 2.0 <= interval.high
        alone += plain.low <= 2.0 <= plain.high
        assert interval.mean == plain.mean
    assert covered >= 180
    assert alone < 120
    with pytest.raises(ValueError, match="2 groups for 3 values"):
        bootstrap_mean([1.0, 2.0, 3.0], groups=["a", "b"])
