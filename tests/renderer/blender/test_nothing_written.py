"""Nothing in a .blend writes a file: caches, compositor outputs, scripts, wherever it says that they go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession  # noqa: E402

ROOT = Path(__file__).parents[3]
Box = Callable[..., Any]


def add_fluid(add_box: Box, kind: str, cache: Path) -> None:
    domain = add_box(f"domain {kind}", (3.0, 8.0, 2.0), (2.0, 2.0, 2.0))
    modifier = domain.modifiers.new("Fluid", "FLUID")
    modifier.fluid_type = "DOMAIN"
    settings = modifier.domain_settings
    settings.domain_type, settings.cache_type, settings.resolution_max = kind, "REPLAY", 8
    settings.cache_directory = str(cache / kind)
    flow = add_box(f"flow {kind}", (3.0, 8.0, 2.0), (0.6, 0.6, 0.6)).modifiers.new("Fluid", "FLUID")
    flow.fluid_type = "FLOW"
    flow.flow_settings.flow_type = "LIQUID" if kind == "LIQUID" else "SMOKE"
    flow.flow_settings.flow_behavior = "INFLOW"
    # Adding a domain gives it a folder of its own again.
    settings.cache_directory = str(cache / kind)


def add_disk_caches(add_box: Box) -> None:
    """Cloth and particles whose caches lie in a folder beside the file."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, size=2.0, location=(-3, 8, 2))
    sheet = bpy.context.object
    sheet.modifiers.new("cloth", "CLOTH").point_cache.use_disk_cache = True
    source = add_box("source", (-3.0, 12.0, 2.0))
    system = source.modifiers.new("particles", "PARTICLE_SYSTEM").particle_system
    system.point_cache.use_disk_cache, system.settings.count, system.settings.frame_start = True, 20, 1


def add_paint(add_box: Box) -> None:
    """A brush runs over a canvas and leaves a trail in its height; such state is kept on the disk alone."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, size=4.0, location=(0, 12, 1.5))
    canvas = bpy.context.object
    canvas.name = "canvas"
    canvas.modifiers.new("paint", "DYNAMIC_PAINT")
    bpy.ops.dpaint.type_toggle(type="CANVAS")
    canvas.modifiers["paint"].canvas_settings.canvas_surfaces[0].surface_type = "DISPLACE"
    brush = add_box("brush", (-2.0, 12.0, 1.5), (0.8, 0.8, 0.8))
    brush.modifiers.new("paint", "DYNAMIC_PAINT").ui_type = "BRUSH"
    bpy.context.view_layer.objects.active = brush
    bpy.ops.dpaint.type_toggle(type="BRUSH")


def add_outputs(scene: Any, folder: Path) -> None:
    """A compositor that writes each picture, a frame's own path, and a script that Freestyle and a driver would run."""
    scene.use_nodes = True
    tree = scene.node_tree
    layers = next(node for node in tree.nodes if node.type == "R_LAYERS")
    output = tree.nodes.new("CompositorNodeOutputFile")
    output.base_path = str(folder / "composited")
    tree.links.new(layers.outputs[0], output.inputs[0])
    scene.render.filepath, scene.render.use_compositing = str(folder / "frame_"), True
    script = bpy.data.texts.new("canary.py")
    script.write(f"open({str(folder / 'script')!r}, 'w').close()\n")
    script.use_module = True
    scene.render.use_freestyle = True
    layer = scene.view_layers[0]
    layer.freestyle_settings.mode = "SCRIPT"
    layer.freestyle_settings.modules.new().script = script
    curve = scene.camera.driver_add("location", 2)
    curve.driver.expression = f"(open({str(folder / 'driver')!r}, 'w').close(), 1.7)[1]"


def listing(*folders: Path) -> set[Path]:
    """Files; the empty folders that every Blender makes for itself at its start are not a scene's."""
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the scene and of what it would write."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture
def writing_scene(empty_scene: Any, add_box: Box, place: Path) -> Path:
    """The scene, made once; nothing of an earlier test lies where it would write."""
    path = place / "scene" / "writing.blend"
    if not path.is_file():
        make_writing_scene(empty_scene, add_box, path)
    for old in {place / "canaries", place / "home", *path.parent.iterdir()} - {path}:
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    for name in ("canaries", "home"):
        (place / name).mkdir()
    return path


def make_writing_scene(empty_scene: Any, add_box: Box, path: Path) -> None:
    """A scene with every kind of writer; all point to "canaries" beside its folder, or beside the file."""
    add_box("Car", (0.0, 8.0, 0.75), (2.0, 1.8, 1.5))
    add_box("ground", (0.0, 10.0, -0.05), (60.0, 80.0, 0.1))
    canaries = path.parents[1] / "canaries"
    for folder in (canaries, path.parent):
        folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))  # caches on disk need a file to lie beside
    add_disk_caches(add_box)
    add_paint(add_box)
    add_outputs(empty_scene, canaries)
    for kind in ("LIQUID", "GAS"):
        add_fluid(add_box, kind, canaries)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.mark.parametrize("engine", ["raster", "cycles"])
def test_render_writes_nothing_but_its_folder(engine: str, writing_scene: Path, place: Path, tmp_path: Path) -> None:
    home, out = place / "home", tmp_path / "out"
    watched = (place / "canaries", place / "scene", home)
    before = listing(*watched)
    command = [sys.executable, "-m", "pipelines.cli", "render", "--scene", str(writing_scene), "--count", "3"]
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--workers", "1", "--engine", engine, "--out", str(out)],
        cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((out / "passes").iterdir())) == 3
    assert listing(*watched) == before
    assert not list((place / "canaries").iterdir())


def test_what_is_turned_off_is_said(writing_scene: Path) -> None:
    with RenderSession(writing_scene) as session:
        said = "\n".join(session.notes)
        names = {item.name for item in bpy.context.view_layer.depsgraph.objects}
    for what in (
        "domain GAS",
        "domain LIQUID",
        "cloth of",
        "particles of 'source'",
        "dynamic paint of 'canvas'",
        "File",
    ):
        assert what in said
    assert "Car" in names
    assert not any("domain" in name for name in names)


def test_without_that_the_file_does_write(writing_scene: Path, place: Path) -> None:
    """The canaries sing where Blender opens the file as it is."""
    code = "import bpy, os, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1], use_scripts=False); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(writing_scene)], check=False, capture_output=True, timeout=120)
    assert listing(place / "canaries")
