"""Modules that lie in the user's current folder are never imported, by whatever a command starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gan.processes import isolated_environment, trusted_path

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    "numpy", "random", "json", "cv2", "torch", "bpy", "pickle", "tomllib", "typing", "encodings", "threading", "signal",
    "numba", "tempfile", "subprocess", "multiprocessing", "safetensors", "typer", "rich", "ctypes", "sitecustomize",
    "usercustomize", "openvino", "lightning_fabric", "tqdm", "yaml", "jinja2", "tifffile", "isal", "scipy",
)  # fmt: skip


def plant(folder: Path) -> Path:
    """Modules that leave their names in a file when they are executed."""
    folder.mkdir()
    ran = folder / "ran.txt"
    for name in NAMES:
        code = (
            f"with open({str(ran)!r}, 'a') as stream: stream.write({name!r} + chr(10))\nraise SystemExit('foreign')\n"
        )
        (folder / f"{name}.py").write_text(code)
    return ran


def run_in(folder: Path, *words: object, python_path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": python_path}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=300
    )


@pytest.mark.parametrize("python_path", [str(ROOT), f"{os.pathsep}{ROOT}{os.pathsep}"])
def test_commands_run_nothing_of_the_current_folder(python_path: str, tmp_path: Path) -> None:
    ran = plant(tmp_path / "here")
    for words in (("--help",), ("models",), ("render", "--count", 0, "--out", "x"), ("doctor", "--quiet")):
        done = run_in(tmp_path / "here", *words, python_path=python_path)
        assert not ran.exists(), (words, ran.read_text())
        assert "foreign" not in done.stderr


WORKER = """
import contextlib, dataclasses, sys
from pipelines.workers import FrameWorkers
from pipelines.backgrounds.ingest.run import IngestConfig, IngestJob
from pathlib import Path
job = IngestJob(IngestConfig(Path({pictures!r}), Path({out!r})), ("a.png",))
with FrameWorkers(job, 2) as pool:
    print(*[entry["status"] for _, entry in pool.run([0])])
"""


def test_workers_of_a_script_run_nothing_of_the_current_folder(tmp_path: Path) -> None:
    ran = plant(tmp_path / "here")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"no picture")
    code = WORKER.format(pictures=str(tmp_path / "pictures"), out=str(tmp_path / "out"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", code]  # this process is safe, and -P is not handed on to its children
    done = subprocess.run(
        command, cwd=tmp_path / "here", capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert not ran.exists(), ran.read_text()
    assert done.stdout == "skipped\n", done.stderr


def test_numba_takes_no_settings_from_the_current_folder(tmp_path: Path) -> None:
    """They may name a folder of compiled kernels, which are code."""
    pytest.importorskip("numba", reason="numba is not installed")
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {tmp_path / 'kernels'}\ndisable_jit: 1\n")
    code = (
        "from renderer.optional import njit\nfrom numba.core import config\n"
        "njit()(lambda x: x + 1)(2); print(repr(config.CACHE_DIR), config.DISABLE_JIT)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "'' 0\n", done.stderr


def test_the_path_of_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    (tmp_path / "link").symlink_to(tmp_path)
    entries = ["", ".", "lib", str(tmp_path), str(tmp_path / "link"), f"{tmp_path}/", str(tmp_path / "lib"), str(ROOT)]
    assert trusted_path(entries) == [str(tmp_path / "lib"), str(ROOT)]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert str(tmp_path) in trusted_path(entries), "spelt out by the user"
    monkeypatch.chdir(ROOT)
    assert str(ROOT) in trusted_path([str(ROOT)]), "where gis itself lies"
    assert isolated_environment({"A": "b", "PYTHONPATH": "/x"}, ["/y", "/y"]) == {
        "A": "b", "PYTHONPATH": "/y", "PYTHONSAFEPATH": "1",
    }  # fmt: skip
