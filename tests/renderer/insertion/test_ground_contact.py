"""The road around a car: nothing where the car does nothing, and as real roads are at its ground contact line."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from insertion_scenes import SIZE, parked

from renderer.insertion.ground_contact import REACH, contact_glow, glow_of, shift_ground

CONTACT = 140
"""Row of the car's ground contact line."""
NOTHING = np.zeros(SIZE, np.float32)


def glow(seed: int) -> np.ndarray:
    return contact_glow(parked(), np.random.default_rng(seed))


def test_all_of_it_at_the_contact_line_and_nothing_beyond_its_reach() -> None:
    down, across = np.array([-0.4, 0.0, 0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 0.5, 1.5])
    grey = glow_of(down, across, 40.0)
    assert grey[:2, 1].tolist() == [40.0, 40.0]
    assert grey[2, 1] == pytest.approx(10.0)
    assert grey[1, 2] == pytest.approx(40.0 * (1.0 - 0.5**4))
    assert not grey[3:].any()
    assert not grey[:, [0, 3]].any()


def test_it_stays_near_the_car() -> None:
    for seed in range(20):
        change = glow(seed)
        assert not change[: CONTACT - 20].any()
        assert not change[CONTACT + round(REACH * 80) :].any()
        assert not change[:, : 100 - 12].any()
        assert not change[:, 200 + 12 :].any()


def test_it_is_as_often_lighter_and_darker_as_under_real_cars() -> None:
    """Its mean is that of a normal draw of 26 and 40 greys, cut at -35 and 90."""
    amounts = np.array([glow(seed)[CONTACT, 150] for seed in range(1500)])

    def below(x: float) -> float:
        return 0.5 * (1.0 + math.erf((x - 26.0) / (40.0 * math.sqrt(2.0))))

    expected = 90.0 - 125.0 * np.mean([below(x) for x in np.linspace(-35.0, 90.0, 20001)])
    assert amounts.mean() == pytest.approx(expected, abs=3.0)
    assert (amounts < 0).mean() == pytest.approx(below(0.0), abs=0.04)
    assert amounts.min() == pytest.approx(-35.0, abs=0.1)
    assert amounts.max() == pytest.approx(90.0, abs=0.1)


def test_between_two_cars_the_greater_change_counts() -> None:
    frame = parked()
    beside = dataclasses.replace(frame.instances[0], id=2, box_visible_px=(180.0, 60.0, 280.0, 140.0))
    both = contact_glow(dataclasses.replace(frame, instances=(frame.instances[0], beside)), np.random.default_rng(4))
    rng = np.random.default_rng(4)
    alone = [contact_glow(dataclasses.replace(frame, instances=(item,)), rng) for item in (frame.instances[0], beside)]
    expected = np.where(np.abs(alone[1]) > np.abs(alone[0]), alone[1], alone[0])
    assert np.array_equal(both, expected)
    assert alone[0][CONTACT, 190] != 0 != alone[1][CONTACT, 190]


def test_ground_that_nothing_is_done_to_stays() -> None:
    ground = np.random.default_rng(0).uniform(0.0, 255.0, SIZE).astype(np.float32)
    assert np.array_equal(shift_ground(ground, NOTHING, NOTHING), ground)


@pytest.mark.parametrize(("change_K", "grey"), [(0.1, 1.4), (-0.1, -1.4), (30.0, 25.0), (-30.0, -25.0)])
def test_warmth_raises_greys_and_shadow_lowers_them_to_a_limit(change_K: float, grey: float) -> None:
    ground = np.full(SIZE, 128.0, np.float32)
    shifted = shift_ground(ground, np.full(SIZE, change_K, np.float32), NOTHING)
    np.testing.assert_allclose(shifted - ground, grey, atol=0.01)
