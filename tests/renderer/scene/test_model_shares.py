"""How often each model of a category is drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from renderer.scene.cars import ModelMix, ModelSize

MODELS = (
    ModelSize("saloon", "car", 4.7, 1.8, 1.4, share=3.0),
    ModelSize("taxi", "car", 4.8, 1.8, 1.6, share=1.0),
    ModelSize("van", "van", 4.9, 1.9, 2.0),
)


def test_models_are_drawn_by_category_and_then_by_their_own_share() -> None:
    rng = np.random.default_rng(2)
    counts = Counter(ModelMix(MODELS).draw(rng).name for _ in range(6000))
    # Cars and vans of KITTI's labels: 0.80 to 0.09.
    assert counts["van"] / 6000 == pytest.approx(0.09 / 0.89, abs=0.012)
    assert counts["saloon"] / counts["taxi"] == pytest.approx(3.0, rel=0.1)


def test_a_share_scales_nothing_when_all_have_it() -> None:
    alike = [ModelSize(m.name, m.category, m.length_m, m.width_m, m.height_m, share=7.0) for m in MODELS]
    plain = [ModelSize(m.name, m.category, m.length_m, m.width_m, m.height_m) for m in MODELS]
    assert ModelMix(alike).shares == pytest.approx(ModelMix(plain).shares)
