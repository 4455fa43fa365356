"""What was guessed and left out stands on the terminal, not in the records alone; a set without objects is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from pipelines.cli.main import app  # noqa: E402


def box(name: str, centre: tuple[float, float, float], size: tuple[float, float, float]) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=1, location=centre)
    item = bpy.context.object
    item.name, item.scale = name, size
    return item


@pytest.fixture
def cars_file(tmp_path: Path) -> Callable[..., Path]:
    def save(width: float = 1.8) -> Path:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        box("body", (0, 0, 0.8), (4.4, width, 0.8))
        box("cabin", (-0.3, 0, 1.35), (2.0, width - 0.2, 0.5))
        box("floor", (0, 0, 0.395), (60, 60, 0.01))
        if width > 3:  # as a collection that says so itself: nothing looks at its shape
            home = bpy.data.collections.new("wide")
            for item in list(bpy.context.scene.objects):
                home.objects.link(item)
            bpy.context.scene.collection.children.link(home)
            home["gis_category"] = "car"
            home["gis_length_m"], home["gis_width_m"], home["gis_height_m"] = 4.4, width, 1.6
        path = tmp_path / "thing.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        return path

    return save


def synthesize(cars: Path, out: Path) -> Any:
    options = ["--count", "2", "--size", "160x128", "--model", "physics", "--workers", "1"]
    return CliRunner().invoke(app, ["synthesize", "--cars", str(cars), "--out", str(out), *options])


def test_notes_are_printed_once(cars_file: Callable[..., Path], tmp_path: Path) -> None:
    done = synthesize(cars_file(), tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("left out what a car stands on or in: 'floor'") == 1


def test_a_model_too_wide_for_every_lane_is_an_error(cars_file: Callable[..., Path], tmp_path: Path) -> None:
    done = synthesize(cars_file(width=9.0), tmp_path / "out")
    assert done.exit_code != 0
    assert "no model fits a lane" in done.stderr + str(done.exception)
    assert "wide (4.4 x 9 m)" in done.stderr + str(done.exception)
