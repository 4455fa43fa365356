"""A Blender whose Python has no numpy, as Debian's package: one line that names what to install, and no traceback."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import fresh_blender
import pytest

from pipelines.setup.addon_zip import build_addon

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

HIDE = """
import bpy, sys  # Blender itself complains of a numpy that cannot be imported
for name in [name for name in sys.modules if name.partition(".")[0] == "numpy"]:
    del sys.modules[name]
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
"""
LEFT_BEHIND = """
import bpy, sys, types
for name in [name for name in sys.modules if name.partition(".")[0] == "numpy"]:
    del sys.modules[name]
numpy = sys.modules["numpy"] = types.ModuleType("numpy")
numpy.__path__ = []
"""
"""Without numpy: nothing of that name; and an empty folder, as Debian has where its package was removed."""
STORY = """
assert bpy.types.GIS_PT_numpy_missing.bl_category == "GIS Thermal"
assert not hasattr(bpy.types.Scene, "gis_thermal")
bpy.ops.preferences.addon_disable(module=module)
assert not [name for name in dir(bpy.types) if name.startswith("GIS_")]
bpy.ops.preferences.addon_enable(module=module)
assert hasattr(bpy.types, "GIS_PT_numpy_missing")
"""


def _check_the_line(done: subprocess.CompletedProcess[str], start: str) -> None:
    """Blender's own modules say nothing of numpy, or say it in other lines."""
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith(start)]
    assert lines
    assert all("has no numpy" in line and "apt-get install python3-numpy" in line for line in lines)


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addon(tmp_path_factory.mktemp("addon"))


@pytest.mark.parametrize("how", [HIDE, LEFT_BEHIND], ids=["nothing", "empty folder"])
def test_the_tab_says_what_to_install(how: str, zipped: Path, tmp_path: Path) -> None:
    story = how + fresh_blender.script(zipped, STORY)
    done = fresh_blender.run([sys.executable, "-c", story], tmp_path)
    assert done.returncode == 0, done.stderr
    _check_the_line(done, "GIS Thermal: ")


def test_the_script_says_what_to_install(zipped: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(zipped).extractall(tmp_path)
    code = HIDE + "import runpy\ndel sys.argv[0]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    words = [str(tmp_path / "gis_thermal" / "headless.py"), "--", "--out", str(tmp_path / "out")]
    done = fresh_blender.run([sys.executable, "-c", code, *words], tmp_path)
    assert done.returncode == 1
    _check_the_line(done, "gis render: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(fresh_blender.PROGRAM is None, reason=fresh_blender.NO_PROGRAM)
def test_the_tab_says_so_in_the_blender_program(zipped: Path, tmp_path: Path) -> None:
    script = tmp_path / "story.py"
    script.write_text(HIDE + fresh_blender.script(zipped, STORY), encoding="utf-8")
    done = fresh_blender.run(fresh_blender.program("-P", str(script)), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    _check_the_line(done, "GIS Thermal: ")
