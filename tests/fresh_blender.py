"""A Blender of its own for a test: no settings, no packages of ours, the add-on installed from its zip."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

PROGRAM = shutil.which("blender")
NO_PROGRAM = "no blender program on the PATH (Debian: apt-get install blender)"
NO_NUMPY = "the blender program has no numpy, which the add-on needs (Debian: apt-get install python3-numpy)"

_SCRIPT = """\
import os, sys, traceback
from pathlib import Path
import bpy
try:
    if bpy.app.version >= (4, 2, 0):
        bpy.ops.extensions.package_install_files(
            repo="user_default", filepath={zip!r}, enable_on_install=True, overwrite=True
        )
        module = "bl_ext.user_default.gis_thermal"
    else:
        bpy.ops.preferences.addon_install(filepath={zip!r}, overwrite=True)
        bpy.ops.preferences.addon_enable(module="gis_thermal")
        module = "gis_thermal"
    assert module in bpy.context.preferences.addons, module
    assert not [name for name in ("renderer", "pipelines", "gan", "assets", "numba") if name in sys.modules]
{story}
    print("RAN", bpy.app.version_string, flush=True)
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
os._exit(0)  # Blender's own end can hang or crash where it was started by another Python
"""


def script(zip_file: Path, story: str, **values: str) -> str:
    """A script that installs the zip, runs the story and says RAN, or fails with a traceback.

    Args:
        zip_file: the add-on.
        story: code that finds the add-on's name in ``module``.
        values: variables of the story.
    """
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return _SCRIPT.format(zip=str(zip_file), story=textwrap.indent(given + story.strip("\n"), "    "))


def environment(home: Path) -> dict[str, str]:
    """Variables with which Blender sees no setting and no package of ours; its own go below ``home``."""
    home.mkdir(exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER"))}
    return {**kept, "BLENDER_USER_RESOURCES": str(home), "BLENDER_USER_CONFIG": str(home / "config"),
            "BLENDER_USER_SCRIPTS": str(home / "scripts")}  # fmt: skip


def run(command: list[str], folder: Path, timeout_s: float = 240, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder with the environment of a fresh Blender."""
    return subprocess.run(
        command, cwd=folder, env=environment(folder / "user") | variables, capture_output=True, text=True, check=False,
        timeout=timeout_s,
    )  # fmt: skip


def program(*options: str) -> list[str]:
    """The command of the Blender program without a window."""
    return [str(PROGRAM), "-b", "--factory-startup", "-noaudio", *options]


def has_numpy(folder: Path) -> bool:
    """Whether the Blender program can import numpy."""
    return "HAS" in run(program("--python-expr", "import numpy; print('HAS')"), folder).stdout
