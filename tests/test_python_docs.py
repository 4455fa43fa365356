"""docs/python.md is one script that runs, block after block."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from flir_files import flir_jpeg, street_counts

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "python.md"

MY_STREET = """
import os
import bpy
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
bpy.ops.mesh.primitive_plane_add(size=40)
bpy.ops.mesh.primitive_cube_add(size=1, location=(0, 8, 0.7))
car = bpy.context.object
car.name, car.dimensions, car["gis_category"] = "my car", (1.8, 4.2, 1.4), "car"
for frame, x in ((1, -2.0), (2, 2.0)):
    car.location.x = x
    car.keyframe_insert("location", frame=frame)
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.location, camera.rotation_euler = (0, 0, 1.5), (1.5708, 0, 0)
bpy.context.collection.objects.link(camera)
scene = bpy.context.scene
scene.camera, scene.render.resolution_x, scene.render.resolution_y = camera, 160, 120
bpy.ops.wm.save_as_mainfile(filepath=os.path.abspath("my_street.blend"))
"""


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def run(code: str, folder: Path) -> str:
    """Runs code in a fresh interpreter."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="Blender's module is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    run(MY_STREET, tmp_path)
    (tmp_path / "my_frames").mkdir()
    (tmp_path / "my_flir_files").mkdir()
    rng = np.random.default_rng(1)
    for number in range(2):
        street = np.clip(90 + np.linspace(0, 80, 240)[:, None] + rng.normal(0, 3, (240, 320)), 0, 255)
        cv2.imwrite(str(tmp_path / "my_frames" / f"{number}.png"), street.astype(np.uint8))
        (tmp_path / "my_flir_files" / f"{number}.jpg").write_bytes(flir_jpeg(street_counts() + number))
    assert len(blocks()) == 7
    printed = run("\n".join(blocks()), tmp_path)
    assert "(256, 256)" in printed
    assert "pix2pix flat (4, 128, 128)" in printed
    assert len(list((tmp_path / "out" / "tiff").rglob("*.tiff"))) == 2


def test_every_name_of_the_page_is_there() -> None:
    """Running the page takes a minute; a name that was moved is found at once."""
    nodes = [node for block in blocks() for node in ast.walk(ast.parse(block))]
    used = {
        (node.value.id, node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    ours = {(package, name) for package, name in used if package in ("assets", "gan", "pipelines", "renderer")}
    assert len(ours) >= 10
    assert not [one for one in ours if not hasattr(importlib.import_module(one[0]), one[1])]


@pytest.mark.parametrize("package", ["assets", "gan", "pipelines", "renderer"])
def test_public_names_are_found_and_typed(package: str) -> None:
    """The lists in a façade agree: what is named is there, and everything that is loaded lazily is named."""
    module = __import__(package)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing
    lazy = {name for names in getattr(module, "_MODULES", {}).values() for name in names}
    assert lazy <= set(module.__all__)
    assert (ROOT / package / "py.typed").is_file()
