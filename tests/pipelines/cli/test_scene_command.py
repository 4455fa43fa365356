"""``gis scene``: what it refuses, and that Blender opens what it writes as a street."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--kind residential --out street.obj", ".blend"),
        ("--kind residential --out nowhere/street.blend", "no such folder"),
        ("--kind village --out street.blend", "village"),
        ("--kind arterial --seed -1 --out street.blend", "seed"),
    ],
)
def test_what_cannot_be_written(options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["scene", *options.split()])
    assert done.exit_code in (1, 2)
    assert said in done.output + (done.stderr or "")
    assert list(tmp_path.iterdir()) == []


_OPEN = """
import sys
from pathlib import Path
from renderer.blender.session import open_blend
from renderer.blender.traffic import read_street
street = read_street(open_blend(Path(sys.argv[1])))
print(len(street.lanes), len(street.bays), len(street.camera_paths), street.far_m, street.has_people, flush=True)
"""


@pytest.mark.slow
def test_a_motorway_is_written_with_its_marks(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    path = tmp_path / "motorway.blend"
    command = [sys.executable, "-m", "pipelines.cli", "scene", "--kind", "motorway", "--seed", "7", "--out", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert str(path) in done.stdout
    read = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)], check=True, capture_output=True, text=True, timeout=300
    )
    lanes, bays, paths, far, people = read.stdout.split()[-5:]
    assert (int(lanes) in (4, 6, 8), int(bays), int(paths), float(far), people) == (True, 0, int(lanes), 150.0, "False")
