"""The shipped tram: its file is what its script makes, its size a real one's, its zones where heat is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assets import TRAM_ARRAYS, thermal_profiles
from renderer.zones.catalogue import Zone


def test_the_file_is_what_the_script_makes(tmp_path: Path) -> None:
    from assets.build.people.arrays import model_arrays, write_arrays
    from assets.build.trams.models import tram_model

    write_arrays(tmp_path / "trams.npz", model_arrays([tram_model()]))
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "trams.npz", TRAM_ARRAYS)]
    assert sums[0] == sums[1]


def test_it_is_as_large_as_a_gt6n_and_seen_from_outside() -> None:
    """26.8 m over the couplers, 2.3 m wide; the body holds what a box of those sides and 2.7 m height does."""
    stored = np.load(TRAM_ARRAYS, allow_pickle=False)
    marks = json.loads(str(stored["models"]))["models"]["tram_01"]["marks"]
    assert marks["gis_category"] == "tram"
    assert marks["gis_length_m"] == pytest.approx(26.8, abs=0.3)
    assert marks["gis_width_m"] == pytest.approx(2.3, abs=0.01)
    vertices, faces = stored["tram_01/vertices"].astype(np.float64), stored["tram_01/corners"].reshape(-1, 3)
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    assert (a * np.cross(b, c)).sum() / 6 == pytest.approx(26.8 * 2.3 * 2.7, rel=0.1)
    assert -0.01 <= vertices[:, 2].min() <= 0.0


def test_its_heat_is_on_the_roof_and_at_the_bogies() -> None:
    """Brake resistors stand above the body, motors and wheels below the floor; each zone's warmth is stated."""
    stored = np.load(TRAM_ARRAYS, allow_pickle=False)
    vertices, faces = stored["tram_01/vertices"], stored["tram_01/corners"].reshape(-1, 3)
    zones, height = stored["tram_01/zones"], vertices[faces][:, :, 2].mean(axis=1)
    assert height[zones == Zone.GRILLE].min() >= 3.0
    for zone in (Zone.ENGINE, Zone.BRAKE):
        assert height[zones == zone].max() < 0.5
    assert height[zones == Zone.TYRE].max() < 0.7
    heat = thermal_profiles().others["tram_in_service"].heat
    assert set(heat) >= {Zone(number) for number in np.unique(zones).tolist()}
    assert max(heat, key=lambda zone: heat[zone].mean_K) == Zone.GRILLE
