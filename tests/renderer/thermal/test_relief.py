"""Relief of panels: sizes, signs, and what it does to a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.optional import fast_kernel
from renderer.thermal.relief import mirror_share, panel_tilt
from renderer.thermal.surface import lattice
from renderer.zones.catalogue import Zone

FLAT = np.zeros((256, 256), np.float32)


@fast_kernel
def tilt(values: Any, zone: int, x: float, y: float, z: float, shift: float, fine: float) -> tuple[float, float, float]:
    return panel_tilt(values, zone, x, y, z, 2.2, 0.9, 1.5, shift, fine)


def upward(zone: int, x: float, y: float, heights: NDArray[Any], shift: float = 3.0) -> NDArray[Any]:
    return np.array([tilt(FLAT, zone, x, y, float(z), shift, 0.005)[2] for z in heights])


def test_what_is_no_panel_stays_as_its_mesh_says() -> None:
    for zone in (Zone.TYRE, Zone.UNDERBODY, Zone.LAMP, Zone.GRILLE, Zone.UPPER_CLOTHES):
        assert tilt(lattice(3), int(zone), 0.3, 0.85, 0.7, 11.0, 0.01) == (0.0, 0.0, 0.0)


def test_above_a_crease_of_the_flank_the_skin_faces_up_and_below_it_down() -> None:
    heights = np.arange(0.3, 1.05, 0.002)
    own = upward(int(Zone.BODY), 0.2, 0.88, heights)
    falls = np.flatnonzero((own[1:] > 0.05) & (own[:-1] < -0.05))
    assert len(falls) == 0  # one pixel is narrower than the soft edge
    middle = heights[np.flatnonzero((own[1:] > 0) & (own[:-1] <= 0))]
    assert any(0.5 * 1.5 <= z <= 0.57 * 1.5 for z in middle)
    assert any(0.29 * 1.5 <= z <= 0.35 * 1.5 for z in middle)
    assert abs(own).max() < 0.4


def test_cars_of_one_model_are_folded_at_other_heights() -> None:
    heights = np.arange(0.3, 1.05, 0.002)
    places = {round(float(heights[np.argmax(upward(int(Zone.BODY), 0.2, 0.88, heights, s))]), 3) for s in range(1, 9)}
    assert len(places) >= 6


@pytest.mark.parametrize("zone", [Zone.BODY, Zone.BONNET, Zone.ROOF, Zone.GLASS])
def test_panels_are_never_quite_flat_and_never_rough(zone: Zone) -> None:
    at = np.random.default_rng(1).uniform((-1.6, -0.5, 0.75), (1.6, 0.5, 1.4), (300, 3))
    near = np.array([tilt(lattice(5), int(zone), p[0], p[1], p[2], 4.0, 0.003) for p in at])
    far = np.array([tilt(lattice(5), int(zone), p[0], p[1], p[2], 4.0, 0.3) for p in at])
    assert 0.002 < near[:, 0].std() < 0.06
    assert abs(near).max() < 0.1
    if zone != Zone.GLASS:
        assert far[:, 0].std() < near[:, 0].std()


@fast_kernel
def share(zone: int, z: float, gloss: float, fine: float) -> float:
    return mirror_share(FLAT, zone, 0.3, 0.9, z, 1.5, 3.0, gloss, fine)


def test_spray_dulls_dirty_cars_near_the_ground_alone() -> None:
    assert share(int(Zone.BODY), 0.2, 1.0, 0.01) == 1.0
    assert share(int(Zone.BODY), 0.2, 0.7, 0.01) < 0.7 * share(int(Zone.BODY), 1.0, 0.7, 0.01)
    assert share(int(Zone.BODY), 1.0, 0.7, 0.01) == pytest.approx(0.7)


def test_bars_of_metal_fade_where_a_pixel_is_wider() -> None:
    near, far = share(int(Zone.TRIM), 0.8, 1.0, 0.01), share(int(Zone.TRIM), 0.8, 1.0, 0.1)
    assert near == 1.0
    assert far == pytest.approx(0.5)
