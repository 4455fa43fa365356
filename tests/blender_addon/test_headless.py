"""The script of the zip: without any package beside numpy it gives the files of `gis render`.

It runs in processes that see neither our sources nor numba, ISA-L, OpenEXR or OpenCV; what our own code wrote is
read by the OpenEXR library.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import fresh_blender
import numpy as np
import pytest

from pipelines.io.exr import read_exr
from pipelines.setup.addon_zip import build_addon

ROOT = Path(__file__).parents[2]
BARE = """
import runpy, sys
for name in ("numba", "isal", "OpenEXR", "cv2", "imageio", "typer", "tqdm", "PIL", "torch", "safetensors", "tomllib"):
    sys.modules[name] = None  # cannot be imported
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script as the bpy module would in a Python that has numpy alone."""
MAKE_SCENE = """
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
bpy.ops.mesh.primitive_plane_add(size=200)
for category, place in (("car", (0, 12, 0.8)), ("van", (4, 20, 0.8))):
    bpy.ops.mesh.primitive_cube_add(size=2, location=place)
    bpy.context.object.scale = (0.9, 2.2, 0.8)
    bpy.context.object["gis_category"] = category
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(camera)
camera.rotation_euler = (1.5, 0, 0)
for frame, x in ((1, 0), (10, 1)):
    camera.location = (x, 0, 1.6)
    camera.keyframe_insert("location", frame=frame)
scene.camera = camera
scene.render.resolution_x, scene.render.resolution_y = 160, 120
bpy.ops.wm.save_as_mainfile(filepath={path!r})
"""
"""Two boxes that are marked, and a camera that moves; any Blender can make it."""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script as the zip has it, unpacked where none of our packages lies beside it."""
    folder = tmp_path_factory.mktemp("addon")
    with zipfile.ZipFile(build_addon(folder)) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked" / "gis_thermal" / "headless.py"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Blender looks for a scene that is named without a folder in the shell's.
    return fresh_blender.run(command, folder, 300, PWD=str(folder), OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def _in_module(script: Path, folder: Path, *options: str, bare: bool = True) -> subprocess.CompletedProcess[str]:
    """The script in the bpy module."""
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    start = ["-c", BARE, str(script)] if bare else [str(script)]
    return _run([sys.executable, *start, "--", *options], folder)


def _in_program(script: Path, folder: Path, *before: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    """The script in the Blender program, as the manual says."""
    if fresh_blender.PROGRAM is None:
        pytest.skip(fresh_blender.NO_PROGRAM)
    if not fresh_blender.has_numpy(folder):
        pytest.skip(fresh_blender.NO_NUMPY)
    return _run([fresh_blender.PROGRAM, "-b", "-noaudio", *before, "-P", str(script), "--", *options], folder)


def _gis(folder: Path, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "render", "--workers", "1", *options], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _same(ours: Path, gis: Path, depth: float = 0.0) -> list[dict[str, Any]]:
    """Check that two folders hold the same frames, depths within a relative tolerance; returns the records."""
    names = sorted(str(item.relative_to(gis)) for item in gis.rglob("*"))
    assert sorted(str(item.relative_to(ours)) for item in ours.rglob("*")) == names
    assert (ours / "config.json").read_bytes() == (gis / "config.json").read_bytes()
    records = []
    for line, gis_line in zip(
        *((folder / "frames.jsonl").read_text().splitlines() for folder in (ours, gis)), strict=True
    ):
        record, expected = json.loads(line), json.loads(gis_line)
        digest = record.pop("record_sha256")  # of all else in the line, the files' hashes too
        assert hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest() == digest
        assert expected.pop("record_sha256")
        for name, digest in record.pop("files").items():
            assert hashlib.sha256((ours / name).read_bytes()).hexdigest() == digest
            mine, theirs = read_exr(ours / name), read_exr(gis / name)
            assert mine.keys() == theirs.keys() == {"Z", "instance", "zone"}
            for channel in mine:
                rtol = depth if channel == "Z" else 0.0
                np.testing.assert_allclose(mine[channel], theirs[channel], rtol, err_msg=f"{name} {channel}")
        assert list(expected.pop("files")) == [f"passes/{record['index']:06d}.exr"]
        assert record == expected
        records.append(record)
    return records


def test_without_packages_it_gives_the_files_of_gis_render(script: Path, tmp_path: Path) -> None:
    """The shipped city, seeded traffic, a preset's camera; Cycles, as there is no numba."""
    city = ROOT / "assets" / "city.blend"
    before = city.read_bytes()
    options = ["--scene", str(city), "--count", "2", "--seed", "5", "--camera", "kitti-360", "--size", "96"]
    done = _in_module(script, tmp_path, *options, "--out", "ours")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 frames in ours" in done.stdout
    _gis(tmp_path, *options, "--engine", "cycles", "--out", "gis")
    records = _same(tmp_path / "ours", tmp_path / "gis")
    ids = read_exr(tmp_path / "ours" / "passes" / "000000.exr")["instance"]
    assert {int(number) for number in np.unique(ids)} - {0} <= {one["id"] for one in records[0]["instances"]}
    assert any(record["instances"] for record in records)
    assert city.read_bytes() == before


@pytest.mark.slow
def test_with_numba_it_takes_the_fast_engine(script: Path, tmp_path: Path) -> None:
    options = ["--scene", str(ROOT / "assets" / "city.blend"), "--count", "1", "--size", "96"]
    done = _in_module(script, tmp_path, *options, "--out", "ours", bare=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _gis(tmp_path, *options, "--out", "gis")
    _same(tmp_path / "ours", tmp_path / "gis")
    name = "passes/000000.exr"
    assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "gis" / name).read_bytes()


def test_a_run_goes_on_where_it_stopped(script: Path, tmp_path: Path) -> None:
    blender = _run([sys.executable, "-c", MAKE_SCENE.format(path=str(tmp_path / "s.blend"))], tmp_path)
    assert blender.returncode == 0, blender.stderr
    options = ["--scene", "s.blend", "--out", "ours"]
    assert _in_module(script, tmp_path, *options, "--count", "1").returncode == 0
    first = (tmp_path / "ours" / "passes" / "000000.exr").stat().st_mtime_ns
    done = _in_module(script, tmp_path, *options, "--count", "2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ours" / "passes" / "000000.exr").stat().st_mtime_ns == first
    _gis(tmp_path, "--scene", "s.blend", "--count", "2", "--engine", "cycles", "--out", "gis")
    _same(tmp_path / "ours", tmp_path / "gis")


def test_in_the_blender_program(script: Path, tmp_path: Path) -> None:
    """A scene of that program's own, since it may be older than the shipped ones."""
    (tmp_path / "make.py").write_text(MAKE_SCENE.format(path=str(tmp_path / "own.blend")), encoding="utf-8")
    blender = _in_program(tmp_path / "make.py", tmp_path, "--factory-startup", options=[])
    assert (tmp_path / "own.blend").is_file(), blender.stdout + blender.stderr
    before = (tmp_path / "own.blend").read_bytes()
    done = _in_program(script, tmp_path, "own.blend", options=["--count", "2", "--engine", "cycles", "--out", "ours"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "own.blend").read_bytes() == before
    _gis(tmp_path, "--scene", "own.blend", "--count", "2", "--engine", "cycles", "--out", "gis")
    # Two releases of Cycles intersect rays with float32 rounding of their own: 5e-6 of the depth was seen.
    records = _same(tmp_path / "ours", tmp_path / "gis", depth=2e-5)
    assert [[item["category"] for item in record["instances"]] for record in records] == [["car", "van"]] * 2
    ours = read_exr(tmp_path / "ours" / "passes" / "000001.exr")
    assert set(np.unique(ours["instance"])) == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "reason", "status"),
    [
        (["--out", "o"], "no scene is open", 1),
        (["--scene", "none.blend", "--out", "o"], "none.blend: no such file", 1),
        (["--scene", "broken.blend", "--out", "o"], "not a Blender file", 1),
        (["--scene", "broken.blend", "--out", "broken.blend"], "is a file: expected a folder", 1),
        (["--scene", "broken.blend", "--out", "o", "--engine", "fast"], "needs numba", 1),
        (["--scene", "broken.blend", "--out", "o", "--camera", "none"], "unknown camera 'none'", 1),
        (["--scene", "broken.blend", "--out", "."], "holds other files", 1),
        (["--scene", "broken.blend"], "--out", 2),
        (["--out", "o", "--count", "many"], "--count", 2),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    script: Path, tmp_path: Path, options: list[str], reason: str, status: int
) -> None:
    (tmp_path / "broken.blend").write_bytes(b"no scene")
    done = _in_module(script, tmp_path, *options)
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("gis render: ")
    assert reason in done.stderr
    assert not (tmp_path / "o").exists()


def test_the_blender_program_ends_with_the_status(script: Path, tmp_path: Path) -> None:
    done = _in_program(script, tmp_path, "--factory-startup", options=["--out", "o"])
    assert done.returncode == 1
    assert "gis render: no scene is open" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
