"""Random scenes by gis, in both engines, and by Blender alone: the same depths, copies and cameras.

A scene that differs is made smaller by hand: ``python tests/renderer/differential/judge_scenes.py FOLDER NAME ...``
takes ``seed17``, or features by their names (``zoom+on_faces``), with ``@0.01`` behind for another unit.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from judge_scenes import ENGINES, faults, job_of, render_all

FEW = [f"seed{number}" for number in (2, 3, 4, 11, 12, 19, 30, 54)]
"""Seeds whose scenes have the most different things in them."""
MANY = [f"seed{number}" for number in range(60)]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    render_all(folder, [job_of(name) for name in FEW])
    return folder


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FEW)
def test_scenes_are_as_blender_renders_them(name: str, engine: str, few: Path) -> None:
    assert not faults(few, name, engine)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    render_all(folder, [job_of(name) for name in MANY])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MANY)
def test_sixty_scenes_are_as_blender_renders_them(name: str, engine: str, many: Path) -> None:
    assert not faults(many, name, engine)


def test_a_fault_is_seen(few: Path, tmp_path: Path) -> None:
    """Two objects with one id, and depths that are off by two thousandths: the judge must not be blind."""
    for path in few.glob(f"{FEW[0]}*"):
        shutil.copy(path, tmp_path)
    ours = dict(np.load(tmp_path / f"{FEW[0]}.raster.npz"))
    ids = ours["ids_0"].copy()
    first, second = [number for number in np.unique(ids) if number][:2]
    ids[ours["ids_0"] == second] = first
    np.savez(tmp_path / f"{FEW[0]}.raster.npz", **{**ours, "ids_0": ids})
    assert any("ids of" in line for line in faults(tmp_path, FEW[0], "raster"))
    np.savez(tmp_path / f"{FEW[0]}.raster.npz", **{**ours, "depth_0": ours["depth_0"] * np.float32(1.002)})
    assert any("depths differ" in line for line in faults(tmp_path, FEW[0], "raster"))
