"""What the packages import, at any place in them, is what pyproject.toml declares, by extra."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.cli.main import EXTRAS as EXTRAS_OF_COMMANDS
from pipelines.setup import doctor

ROOT = Path(__file__).resolve().parent.parent
OURS = {"assets", "blender_addon", "gan", "pipelines", "renderer"}
# Names of packages that are not those of their modules.
PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow", "yaml": "pyyaml", "lightning_fabric": "lightning-fabric"}
OF_BLENDER = dict.fromkeys(("blf", "bmesh", "cycles", "gpu", "gpu_extras", "mathutils"), "bpy")
# Comes with lpips, and is taken only where that is there.
COMES_ALONG = {"torchvision"}
# Imported by others: torch.utils.tensorboard, torch.onnx; by its name in renderer.optional, which stands in for it.
FOR_OTHERS = {"numba", "onnx", "tensorboard"}
# A module of ours beside the packages; test_torchvision holds that the wheel brings it.
OUR_MODULES = {"gis_torchvision"}
# A deeper folder overrules its parent.
EXTRAS = {
    "assets": {"render"},
    "assets/build/people": {"build"},
    "blender_addon": {"render"},
    "gan": {"gan", "serve"},
    "pipelines": set(),
    "pipelines/cluster": {"cluster"},
    "pipelines/comparison": {"gan"},
    "pipelines/dataset/packed": {"store"},
    "pipelines/dataset/validation": {"store"},
    "pipelines/detection": {"gan", "measure"},
    "pipelines/io": {"store"},
    "renderer": set(),
    "renderer/blender": {"render"},
}


OF_OTHERS = {"gis-thermal", "numpy"}


def _declared() -> dict[str, set[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: {re.split(r"[\s<>=!~;\[]", item)[0].lower() for item in items} for extra, items in lists.items()}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    foreign = names - OURS - OUR_MODULES - COMES_ALONG - set(sys.stdlib_module_names)
    return {(PACKAGES | OF_BLENDER).get(name, name).lower() for name in foreign}


def _extras(path: Path) -> set[str]:
    folders = [folder.as_posix() for folder in path.relative_to(ROOT).parents]
    return EXTRAS[next(folder for folder in folders if folder in EXTRAS)]


@pytest.mark.parametrize("package", sorted(OURS))
def test_every_import_is_declared(package: str) -> None:
    declared = _declared()
    missing = {
        str(path.relative_to(ROOT)): lacking
        for path in (ROOT / package).rglob("*.py")
        if (lacking := _imported(path) - declared[""].union(*(declared[extra] for extra in _extras(path))))
    }
    assert not missing


def test_every_declaration_is_imported() -> None:
    imported = {name for package in OURS for path in (ROOT / package).rglob("*.py") for name in _imported(path)}
    declared = set().union(*(names for extra, names in _declared().items() if extra not in {"dev", "docs"}))
    assert declared - imported - FOR_OTHERS - {"gis-thermal"} == set()


def test_doctor_looks_for_what_no_command_can_do_without() -> None:
    # typer is there wherever `gis doctor` runs.
    assert {name.lower() for name in doctor.PACKAGES.values()} == _declared()[""] - {"typer"}
    assert {PACKAGES.get(module, module).lower() for module in doctor.PACKAGES} == _declared()[""] - {"typer"}


def test_commands_know_which_extra_brings_what() -> None:
    declared = {
        (name, extra)
        for extra in ("render", "gan", "serve", "measure", "store", "cluster")
        for name in _declared()[extra] - OF_OTHERS
    }
    assert {(PACKAGES.get(module, module), extra) for module, extra in EXTRAS_OF_COMMANDS.items()} == declared
