"""From luminance to a colour picture: exposure, haze, tone curve."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.visible.exposure import exposed, through_air


@pytest.fixture
def scene() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.uniform(0.5, 8.0, (24, 32, 3)).astype(np.float32)


def test_a_camera_sets_itself_to_the_light(scene: np.ndarray) -> None:
    np.testing.assert_array_equal(exposed(scene, 0.0), exposed(scene * np.float32(4.0), 0.0))
    assert 90 < exposed(scene, 0.0).mean() < 165


def test_what_is_too_dark_for_a_camera_stays_dark(scene: np.ndarray) -> None:
    assert exposed(scene * np.float32(1e-6), 1.0).mean() < 0.25 * exposed(scene, 1.0).mean()


def test_contrast_falls_to_a_twentieth_at_the_meteorological_range() -> None:
    """Koschmieder, as WMO No. 8 defines the meteorological optical range."""
    black_and_white = np.zeros((1, 2, 3), np.float32)
    black_and_white[0, 1] = 1.0
    air = np.full(3, 0.6)
    seen = through_air(black_and_white, np.full((1, 2), 800.0, np.float32), 800.0, air)
    assert float(seen[0, 1, 0] - seen[0, 0, 0]) == pytest.approx(0.05, abs=0.001)
    assert float(seen[0, 0, 0]) == pytest.approx(0.6 * 0.95, abs=0.001)


def test_air_leaves_the_sky_and_what_is_near_as_they_are(scene: np.ndarray) -> None:
    far = np.full(scene.shape[:2], np.inf, np.float32)
    np.testing.assert_array_equal(through_air(scene, far, 200.0, np.ones(3)), scene)
