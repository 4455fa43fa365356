"""The wheel, as a stranger gets it: built, installed by pip alone in a fresh environment, and a frame made with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import venv
import zipfile
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 1800


def run(*command: object, folder: Path) -> str:
    """Runs a command outside of the source tree, with no path that leads into it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "GIS_"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**kept, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git knows: building leaves folders behind."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if names.returncode:
        pytest.skip("no git checkout: what belongs to the project is not known")
    for name in filter(None, names.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", out, source, folder=out)
    (found,) = out.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_holds_what_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"pipelines/setup/constraints.txt", "assets/city.blend", "blender_addon/headless.py"} <= names
    assert not {name for name in names if name.startswith(("tests", "benchmarks", "docs"))}


@pytest.mark.slow
def test_a_fresh_environment_makes_a_frame(wheel: Path, tmp_path: Path) -> None:
    """One `pip install`, without constraints and without the project."""
    venv.create(tmp_path / "env", with_pip=True)
    python, gis = tmp_path / "env" / "bin" / "python", tmp_path / "env" / "bin" / "gis"
    begun = time.monotonic()
    told = run(python, "-m", "pip", "install", "-v", f"{wheel}[demo]", folder=tmp_path)
    print(f"installed in {time.monotonic() - begun:.0f} s")
    # The bounds leave pip nothing to walk back through: it looked at one version of each package.
    looked = Counter(name.lower() for name in re.findall(r"(?:Downloading|Using cached) ([A-Za-z0-9_.]+?)-\d", told))
    assert looked
    assert max(looked.values()) == 1, looked.most_common(5)
    assert "looking at multiple versions" not in told
    assert re.search(r"Successfully installed .*\bnumpy-1\.", told)

    checked = run(gis, "doctor", "--warm", folder=tmp_path)
    assert re.search(r"compiled code: compiled \d+ kernels", checked)
    assert "project" not in checked
    assert "make " not in checked
    assert str(ROOT) not in checked
    made = run(gis, "synthesize", "--count", 1, "--size", 96, "--workers", 1, "--out", "set", folder=tmp_path)
    assert made.startswith("1 frame in set")
    assert "no problem found" in run(gis, "validate", "set", folder=tmp_path)
    assert (tmp_path / "set" / "images" / "000000.png").is_file()
