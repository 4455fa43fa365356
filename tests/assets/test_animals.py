"""The shipped animals: their file is what their script makes, closed meshes of sound sizes that stand on the ground."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assets import ANIMAL_ARRAYS
from renderer.zones.catalogue import Zone


@pytest.fixture(scope="module")
def stored() -> np.lib.npyio.NpzFile:
    return np.load(ANIMAL_ARRAYS, allow_pickle=False)


def test_the_file_is_what_the_script_makes(tmp_path: Path) -> None:
    from assets.build.animals.models import animal_models, pram_model
    from assets.build.people.arrays import model_arrays, write_arrays

    write_arrays(tmp_path / "animals.npz", model_arrays([*animal_models(), pram_model()]))
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "animals.npz", ANIMAL_ARRAYS)]
    assert sums[0] == sums[1]


def test_meshes_are_closed_and_as_large_as_their_kind(stored: np.lib.npyio.NpzFile) -> None:
    """Heights at the withers by the middle of the back: breed standards, handbooks of deer."""
    models = json.loads(str(stored["models"]))["models"]
    assert {marks["marks"]["gis_category"] for marks in models.values()} == {"dog", "deer", "cat", "boar", "stroller"}
    withers = {
        "dog_01": 0.62, "dog_02": 0.5, "dog_03": 0.32, "deer_01": 0.7, "deer_02": 0.95, "cat_01": 0.25,
        "boar_01": 0.75, "boar_02": 0.45,
    }  # fmt: skip
    for name in models:
        vertices, faces = stored[f"{name}/vertices"], stored[f"{name}/corners"].reshape(-1, 3)
        edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()
        directed = {(a, b) for a, b in edges}
        assert len(directed) == len(edges), f"{name}: an edge that two faces go along in one direction"
        assert all((b, a) in directed for a, b in edges), f"{name}: an open edge"
        a, b, c = (vertices[faces[:, corner]].astype(np.float64) for corner in range(3))
        assert (a * np.cross(b, c)).sum() > 0, f"{name}: inside out"
        assert vertices[:, 2].min() == 0.0
        if name.endswith("stand"):
            back = vertices[np.abs(vertices[:, 0]) < 0.1 * np.ptp(vertices[:, 0])]
            assert back[:, 2].max() == pytest.approx(withers[name.split(".")[0]], rel=0.08)
            assert set(np.unique(stored[f"{name}/zones"]).tolist()) <= {Zone.FUR, Zone.HAIR, Zone.CARRIED}


def test_paws_are_on_the_ground(stored: np.lib.npyio.NpzFile) -> None:
    """Standing on four, walking on at least two, one of each pair of ends."""
    models = json.loads(str(stored["models"]))["models"]
    for name in models:
        if name.endswith("stand") or ".walk" in name:
            vertices = stored[f"{name}/vertices"]
            low = vertices[vertices[:, 2] < 0.02 * vertices[:, 2].max()]
            corners = {(bool(x > 0), bool(y > 0)) for x, y in low[:, :2].tolist()}
            assert len(corners) == 4 if name.endswith("stand") else len(corners) >= 2, name
