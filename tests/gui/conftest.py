"""One Blender window for all tests here: the add-on is installed from its zip, then a story is played in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import cut_pictures
from PIL import Image

from pipelines.setup.addon_zip import build_addon

HERE = Path(__file__).parent
SCREEN = (1440, 1080)
PROGRAMS = ("blender", "Xvfb", "xdotool", "import")
PATIENCE_S = float(os.environ.get("GIS_GUI_PATIENCE_S", "900"))
"""The story takes some two minutes on two quiet cores."""
INSTALL = """
import bpy
if bpy.app.version >= (4, 2, 0):
    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath={zip!r}, enable_on_install=True, overwrite=True
    )
else:
    bpy.ops.preferences.addon_install(filepath={zip!r}, overwrite=True)
    bpy.ops.preferences.addon_enable(module="gis_thermal")
bpy.context.preferences.view.show_splash = False
bpy.context.preferences.view.show_tooltips = False
bpy.context.preferences.system.viewport_aa = "OFF"
bpy.ops.wm.save_userpref()
print("INSTALLED", bpy.app.version_string)
"""


@dataclass(frozen=True)
class Seen:
    """What the story saw."""

    folder: Path
    """Screenshots and data sets."""
    console: str
    report: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        """What was noted at a step; fails where the story did not come so far."""
        steps = [step for step in self.report["steps"] if step["step"] == name]
        assert steps, f"the story did not come to {name!r}: {self.report['error']}"
        return dict(steps[-1])

    def pixels(self, name: str, area: str = "VIEW_3D") -> NDArray[np.uint8]:
        """The part of a screenshot that shows an area."""
        left, top, width, height = self.report["screens"][name][area][0]
        with Image.open(self.folder / f"{name}.png") as picture:
            return np.asarray(picture.convert("RGB").crop((left, top, left + width, top + height)))


def clean_environment(home: Path) -> dict[str, str]:
    """An environment in which Blender finds no settings of anybody, and no packages: it takes a `.venv` on the path."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER", "XDG_", "GIS_"))
    }
    for name in ("config", "tmp", "run"):
        (home / name).mkdir(parents=True)
    (home / "run").chmod(0o700)
    if Path(sys.prefix, "bin", "gis").is_file():  # the panel's search looks there
        (home / ".local" / "bin").mkdir(parents=True)
        (home / ".local" / "bin" / "gis").symlink_to(Path(sys.prefix, "bin", "gis"))
    else:
        kept["GIS_PYTHON"] = sys.executable
    folders = [folder for folder in kept["PATH"].split(os.pathsep) if not Path(folder, "../pyvenv.cfg").is_file()]
    return {
        **kept, "PATH": os.pathsep.join(folders),
        "HOME": str(home), "TMPDIR": str(home / "tmp"), "XDG_RUNTIME_DIR": str(home / "run"),
        "BLENDER_USER_RESOURCES": str(home), "BLENDER_USER_CONFIG": str(home / "config"),
        "BLENDER_USER_SCRIPTS": str(home / "scripts"), "BLENDER_USER_DATAFILES": str(home / "datafiles"),
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }  # fmt: skip


def lend_numpy(home: Path, environment: dict[str, str]) -> None:
    """Puts numpy, and nothing else of ours, into a Blender that lacks it, as Debian's does without python3-numpy."""
    ask = ["blender", "-b", "--factory-startup", "-noaudio", "--python-exit-code", "1", "--python-expr", "import numpy"]
    if subprocess.run(ask, env=environment, capture_output=True, check=False, timeout=PATIENCE_S).returncode == 0:
        return
    modules = home / "scripts" / "modules"
    modules.mkdir(parents=True, exist_ok=True)
    ours = Path(np.__file__).parent
    for found in (ours, ours.with_name("numpy.libs")):
        if found.is_dir():
            (modules / found.name).symlink_to(found)


@contextmanager
def screen() -> Iterator[str]:
    """A screen in memory; gives its name."""
    read, write = os.pipe()
    width, height = SCREEN
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "+extension", "GLX", "+render",
         "-noreset", "-nolisten", "tcp"],
        pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(20)


def output_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go: the folder that GIS_GUI_OUT names, else a temporary one."""
    named = os.environ.get("GIS_GUI_OUT")
    if not named:
        return tmp_path_factory.mktemp("gui")
    folder = Path(named).resolve()
    for old in [*folder.glob("*.png"), *folder.glob("seen.json"), *folder.glob("console.txt")]:
        old.unlink()
    for name in ("dataset", "cancelled"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The story, played once."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"no window here: {', '.join(lacking)} not found (Debian: blender xvfb xdotool imagemagick)")
    home, out = tmp_path_factory.mktemp("home"), output_folder(tmp_path_factory)
    steps = os.environ.get("GIS_GUI_STEPS", "")  # some of the story's, for whoever works on them
    environment = clean_environment(home) | {"GIS_GUI_OUT": str(out), "GIS_GUI_STEPS": steps}
    lend_numpy(home, environment)
    zipped = build_addon(home)
    installed = subprocess.run(
        ["blender", "-b", "--factory-startup", "-noaudio", "--python-expr", INSTALL.format(zip=str(zipped))],
        env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert "INSTALLED" in installed.stdout, installed.stdout + installed.stderr
    console = out / "console.txt"
    with screen() as display, console.open("wb") as sink:
        window = subprocess.Popen(
            ["blender", "-noaudio", "--window-geometry", "0", "0", *map(str, SCREEN), "--python-exit-code", "1",
             "-P", str(HERE / "story.py")],
            env=environment | {"DISPLAY": display}, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            window.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            window.kill()
            window.wait()
    text = installed.stdout + installed.stderr + console.read_text(encoding="utf-8", errors="replace")
    report = out / "seen.json"
    assert report.is_file(), f"the story did not begin:\n{text}"
    cut_pictures(out)
    return Seen(out, text, json.loads(report.read_text(encoding="utf-8")))
