"""The arrows between the packages, checked on the source itself and by importing where a package must stand alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What each folder may import of the project and of the two heavy engines; a deeper folder overrules its parent.
ALLOWED = {
    "renderer": {"numba"},
    "renderer/blender": {"bpy", "mathutils", "numba"},
    "gan": {"gan", "torch"},
    "pipelines": {"assets", "gan", "pipelines", "renderer", "torch", "numba"},
    "blender_addon": {"bpy", "mathutils", "blender_addon", "renderer", "assets", "numba"},
    "assets": {"assets", "bpy", "mathutils", "renderer", "numba"},
}
WATCHED = {"assets", "blender_addon", "bpy", "gan", "mathutils", "numba", "pipelines", "renderer", "torch"}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names & WATCHED


def _rule(path: Path) -> set[str]:
    folder = path.parent.relative_to(ROOT)
    for candidate in (folder, *folder.parents):
        if str(candidate) in ALLOWED:
            return ALLOWED[str(candidate)]
    raise AssertionError(f"no import rule for {folder}")


@pytest.mark.parametrize("package", ["renderer", "gan", "pipelines", "blender_addon", "assets"])
def test_imports_follow_the_arrows(package: str) -> None:
    broken = {
        str(path.relative_to(ROOT)): forbidden
        for path in (ROOT / package).rglob("*.py")
        if (forbidden := _imported(path) - _rule(path))
    }
    assert not broken


@pytest.mark.parametrize("module", ["gan", "gan.data.layout", "gan.backends.registry", "pipelines.cli"])
def test_import_without_blender_or_torch(module: str) -> None:
    code = f"import sys; sys.modules['bpy'] = None; import {module}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
