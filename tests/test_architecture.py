"""The arrows between packages and rooms, checked on the source itself and by importing where a package stands alone.

Every import counts, those inside functions too: an import that is put off hides a circle and does not open it.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("assets", "benchmarks", "blender_addon", "gan", "pipelines", "renderer")

# What each place may import of the project and of the two heavy engines; a deeper place overrules its parent.
ALLOWED = {
    "renderer": {"numba", "renderer"},
    "renderer/blender": {"bpy", "mathutils", "numba", "renderer"},
    "gan": {"gan", "torch"},
    "pipelines": {"assets", "gan", "pipelines", "renderer", "torch", "numba"},
    "blender_addon": {"bpy", "mathutils", "blender_addon", "renderer", "assets", "numba"},
    "blender_addon/headless.py": {"bpy", "pipelines", "renderer"},
    "assets": {"assets", "bpy", "mathutils", "renderer", "numba"},
}
WATCHED = {"assets", "blender_addon", "bpy", "gan", "mathutils", "numba", "pipelines", "renderer", "torch"}
SHARED_WITH_GAN = {"renderer.errors", "renderer.text_files"}
"""What gan knows of the renderer: the root of all errors, and the reader of JSON; both import nothing of ours."""

# Rooms of each package from the ground up: a room may use those above it in this list, itself, and the modules that
# lie beside the rooms. The package's own name stands for its façade, which nothing inside of the package uses.
ROOMS = {
    "renderer": ("geometry", "raster", "zones", "thermal", "visible", "insertion", "scene", "blender"),
    "gan": ("networks", "data", "metrics", "losses", "backends", "storage", "training", "serving"),
    "pipelines": (
        "io", "cluster", "dataset", "backgrounds", "statistics", "synthesis", "export", "fitting", "evaluation",
        "detection", "translation", "comparison", "registration", "viewing", "setup", "cli",
    ),
    "blender_addon": ("data", "jobs", "ui", "operators"),
}  # fmt: skip


FACADES = ("renderer.api",)
"""What a package shows of itself, where that is more than names."""


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name; a package is named as its folder."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _absolute(node: ast.ImportFrom, importer: str, is_package: bool) -> str:
    """The dotted name that a ``from ... import`` starts at."""
    if not node.level:
        return node.module or ""
    parts = importer.split(".")
    base = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*base, *(node.module.split(".") if node.module else ())])


def _for_types_only(tree: ast.Module) -> set[ast.AST]:
    """Imports below ``if TYPE_CHECKING``: they are never run."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }


def imports(name: str) -> Iterator[str]:
    """Dotted names that a module imports, at any place in it: of ours the module itself, of others the package."""
    path = modules()[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    never_run = _for_types_only(tree)
    for node in ast.walk(tree):
        if node in never_run:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, path.name == "__init__.py")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in modules() else base


@functools.cache
def graph() -> dict[str, set[str]]:
    """Imports between the project's modules."""
    return {name: {other for other in imports(name) if other in modules() and other != name} for name in modules()}


def _components(edges: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node (Tarjan, 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in edges[node]:
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            at = stack.index(node)
            component, stack[at:] = stack[at:], []
            if len(component) > 1:
                found.append(sorted(component))

    for node in edges:
        if node not in order:
            visit(node)
    return found


def test_components_finds_a_circle() -> None:
    assert _components({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert _components({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_no_module_stands_in_a_circle() -> None:
    assert _components(graph()) == []


def _rule(path: Path) -> set[str]:
    place = path.relative_to(ROOT)
    for candidate in (place, *place.parents):
        if str(candidate) in ALLOWED:
            return ALLOWED[str(candidate)]
    raise AssertionError(f"no import rule for {place}")


@pytest.mark.parametrize("package", sorted(ALLOWED.keys() & set(PACKAGES)))
def test_imports_follow_the_arrows(package: str) -> None:
    broken = {}
    for name, path in modules().items():
        if name.split(".")[0] == package:
            used = {other.split(".")[0] for other in imports(name) if other not in SHARED_WITH_GAN}
            if forbidden := (used & WATCHED) - _rule(path):
                broken[name] = forbidden
    assert not broken


def _room(name: str, package: str) -> str | None:
    """The room of a module; the package's name for its façade, None for modules beside the rooms."""
    if name in (package, *FACADES):
        return package
    place = name.split(".")[1]
    return place if (ROOT / package / place).is_dir() else None


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_every_room_has_its_place(package: str) -> None:
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert folders == set(ROOMS[package])


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_rooms_use_only_what_lies_below(package: str) -> None:
    height = {room: number for number, room in enumerate((None, *ROOMS[package]))} | {package: len(ROOMS[package]) + 1}
    # The command line is the one room that stands above the façade.
    height |= {"cli": height[package] + 1} if package == "pipelines" else {}
    upwards = [
        f"{name} -> {other}"
        for name, used in graph().items()
        for other in used
        if name.split(".")[0] == other.split(".")[0] == package
        and height[_room(other, package)] > height[_room(name, package)]
    ]
    assert sorted(upwards) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_grows_past_twenty_files(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert {str(folder.relative_to(ROOT)) for folder in folders if len(list(folder.glob("*.py"))) > 21} == set()


def test_no_two_files_of_tests_have_one_name() -> None:
    """Their folders are no packages: of two such files the second ends the whole run, and neither does alone."""
    alone = [path for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").is_file()]
    names = [path.name for path in alone if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("module", ["gan", "gan.data.layout", "gan.backends.registry", "pipelines", "pipelines.cli"])
def test_import_without_blender_or_torch(module: str) -> None:
    code = f"import sys; sys.modules['bpy'] = None; import {module}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
