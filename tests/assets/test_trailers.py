"""The shipped trailers: their file is what their script makes, closed bodies of real sizes, warm at the wheels."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assets import TRAILER_ARRAYS, thermal_profiles
from renderer.zones.catalogue import Zone

SIZES = {  # length with drawbar, width, height: makers' sheets
    "trailer_01": (6.4, 2.3, 2.7), "trailer_02": (3.3, 1.5, 1.5), "trailer_03": (3.7, 1.7, 1.0),
    "trailer_04": (4.3, 2.1, 2.45),
}  # fmt: skip


def test_the_file_is_what_the_script_makes(tmp_path: Path) -> None:
    from assets.build.people.arrays import model_arrays, write_arrays
    from assets.build.trailers.models import trailer_models

    write_arrays(tmp_path / "trailers.npz", model_arrays([*trailer_models()]))
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "trailers.npz", TRAILER_ARRAYS)]
    assert sums[0] == sums[1]


@pytest.mark.parametrize("name", SIZES)
def test_bodies_are_closed_and_of_real_sizes(name: str) -> None:
    stored = np.load(TRAILER_ARRAYS, allow_pickle=False)
    models = json.loads(str(stored["models"]))["models"]
    assert set(models) == set(SIZES)
    marks = models[name]["marks"]
    assert marks["gis_category"] == "trailer"
    found = tuple(marks[f"gis_{side}_m"] for side in ("length", "width", "height"))
    assert found == pytest.approx(SIZES[name], rel=0.06)
    vertices, faces = stored[f"{name}/vertices"].astype(np.float64), stored[f"{name}/corners"].reshape(-1, 3)
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()
    directed = {(a, b) for a, b in edges}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in edges), "an open edge"
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    assert (a * np.cross(b, c)).sum() > 0, "inside out"
    assert vertices[:, 2].min() == pytest.approx(0.0, abs=0.01), "stands on its wheels"


def test_what_is_warm_is_below() -> None:
    heat = thermal_profiles().others["trailer_towed"].heat
    warm = {zone for zone, one in heat.items() if one.mean_K > 3.5}
    assert warm == {Zone.TYRE, Zone.TRIM}
    stored = np.load(TRAILER_ARRAYS, allow_pickle=False)
    for name in SIZES:
        vertices, faces = stored[f"{name}/vertices"], stored[f"{name}/corners"].reshape(-1, 3)
        height = vertices[faces][:, :, 2].mean(axis=1)
        assert height[stored[f"{name}/zones"] == Zone.TYRE].max() < 0.7
