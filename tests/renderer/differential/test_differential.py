"""Random scenes by gis, in both engines, and by Blender alone: the same depths, copies and cameras.

A scene that differs is made smaller by hand: ``python tests/renderer/differential/judge_scenes.py FOLDER NAME ...``
takes ``seed17``, or features by their names (``zoom+on_faces``), with ``@0.01`` behind for another unit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from judge_scenes import ENGINES, faults, job_of, render_all

FEW = ["array+mirror+boolean+moving", "solidify+decimate+collections_of_parts+tracking"]
"""Seeds whose scenes have most kinds of things among them."""
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
