"""The zip: what is in it, that Blender takes it, and that what it installs runs without our packages beside it."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import fresh_blender
import pytest

from pipelines.errors import PipelineError
from pipelines.setup.addon_zip import addon_version, build_addon, relative_imports, zip_addon

ROOT = Path(__file__).parents[2]

USE = """
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
bpy.context.scene.gis_thermal.zone = "glass"
assert bpy.ops.gis.assign_zone(target="OBJECT") == {"FINISHED"}
assert {item.value for item in cube.data.attributes["thermal_zone"].data} == {3}
assert bpy.ops.gis.add_car(model="hatchback") == {"FINISHED"}
assert any(item.instance_collection for item in bpy.data.objects)
bpy.ops.preferences.addon_disable(module=module)
assert not hasattr(bpy.types.Scene, "gis_thermal")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addon(tmp_path_factory.mktemp("zip"))


def test_the_same_sources_give_the_same_bytes(built: Path) -> None:
    assert built.read_bytes() == zip_addon()
    assert built.name == f"gis_thermal-{addon_version()}.zip"


def test_one_version_everywhere(built: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert addon_version() == project
    source = (ROOT / "blender_addon" / "__init__.py").read_text(encoding="utf-8")
    assert f'"version": ({", ".join(project.split("."))})' in source


def test_nothing_but_the_addon_is_inside(built: Path) -> None:
    names = zipfile.ZipFile(io.BytesIO(built.read_bytes())).namelist()
    assert {name.split("/")[0] for name in names} == {"gis_thermal"}
    for name in ("blender_manifest.toml", "__init__.py", "renderer/geometry/camera.py", "assets/cars.npz", "LICENSE"):
        assert f"gis_thermal/{name}" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith("ruff.toml")]


def _installed_names(node: ast.AST, name: str) -> list[str]:
    """Files that an import of one of the installed add-on's modules needs; other packages are left out."""
    ours = {"assets", "blender_addon", "gan", "pipelines", "renderer"}
    if isinstance(node, ast.Import):
        assert not ours & {alias.name.split(".")[0] for alias in node.names}, (name, node.lineno)
    if not isinstance(node, ast.ImportFrom):
        return []
    if not node.level:
        assert str(node.module).split(".")[0] not in ours, (name, node.lineno)
        return []
    folder = PurePosixPath(name).parents[node.level - 1]
    return [(folder / str(node.module or "").replace(".", "/")).as_posix()]


def test_the_installed_addon_imports_its_own_files_alone(built: Path) -> None:
    """Every import, also those in functions: no name that another add-on could have, and each leads to a file."""
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
        sources = {name: archive.read(name).decode("utf-8") for name in names if name.endswith(".py")}
    apart = tuple(
        f"gis_thermal/{name}" for name in ("assets/", "gan/", "pipelines/", "headless.py")
    )  # in a process of its own
    ours = {name: text for name, text in sources.items() if not name.startswith(apart)}
    needed = {
        (name, module)
        for name, text in ours.items()
        for node in ast.walk(ast.parse(text))
        for module in _installed_names(node, name)
    }
    assert len([module for _, module in needed if module.startswith("gis_thermal/renderer/")]) > 30
    lost = {(name, module) for name, module in needed if not {f"{module}.py", f"{module}/__init__.py"} & names}
    assert lost == set()


def test_imports_of_the_renderer_become_relative() -> None:
    source = """TEXT = "from renderer.zones import nothing"
from renderer.errors import RendererError  # from renderer
def function():
    from renderer.zones.catalogue import (
        Zone,
    )
"""
    relative = relative_imports(source, "data/mesh_zones.py").splitlines()
    assert relative[0] == source.splitlines()[0]
    assert relative[1] == "from ..renderer.errors import RendererError  # from renderer"
    assert relative[3] == "    from ..renderer.zones.catalogue import ("
    assert relative_imports(source, "adapter.py").splitlines()[1].startswith("from .renderer.errors import")
    with pytest.raises(PipelineError, match=r"adapter.py:2: found 'import renderer'"):
        relative_imports("import os\nimport renderer.errors\n", "adapter.py")


def test_blender_finds_the_extension_valid(built: Path) -> None:
    bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    script = next(Path(bpy.__file__).parents[2].rglob("bl_pkg/cli/blender_ext.py"), None)
    if script is None:
        pytest.skip("this bpy does not bring the tool that validates extensions")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, "validate", built], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    bad = built.with_name("bad.zip")
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("gis_thermal/blender_manifest.toml", 'schema_version = "1.0.0"\nid = "gis thermal"\n')
    refused = subprocess.run(
        [sys.executable, "-W", "ignore", script, "validate", bad], capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0


def test_it_installs_and_runs_as_an_extension(built: Path, tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    done = fresh_blender.run([sys.executable, "-c", fresh_blender.script(built, USE)], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RAN 4" in done.stdout


@pytest.mark.skipif(fresh_blender.PROGRAM is None, reason=fresh_blender.NO_PROGRAM)
def test_it_installs_and_runs_in_the_blender_program(built: Path, tmp_path: Path) -> None:
    if not fresh_blender.has_numpy(tmp_path):
        pytest.skip(fresh_blender.NO_NUMPY)
    (tmp_path / "use.py").write_text(fresh_blender.script(built, USE), encoding="utf-8")
    done = fresh_blender.run(fresh_blender.program("--python", str(tmp_path / "use.py")), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RAN" in done.stdout
