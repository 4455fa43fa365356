"""Paths that are no files, are no paths at all, or may never end: one line from every command, and no hang."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import DatasetError, OutputError
from pipelines.io.files import file_sha256, write_bytes, write_json, write_text
from pipelines.setup.addon_zip import build_addon

ROOT = Path(__file__).resolve().parents[3]
ODD = ("pipe", "pipe.toml", "pipe.json", "pipe.blend", "/dev/zero", "/dev/null", "loop", "x" * 300, "x/" * 3000)
COMMANDS = {
    "render --scene": ("render", "--out", "new", "--count", "1", "--scene"),
    "render --cars": ("render", "--out", "new", "--count", "1", "--cars"),
    "render --camera": ("render", "--out", "new", "--count", "1", "--camera"),
    "render --out": ("render", "--count", "1", "--out"),
    "synthesize --boxes": ("synthesize", "--out", "new", "--backgrounds", ".", "--boxes"),
    "synthesize --weights": ("synthesize", "--out", "new", "--model", "pix2pix", "--weights"),
    "fit --boxes": ("fit", "--out", "new", "--frames", ".", "--camera", "kitti-object", "--boxes"),
    "fit --review": ("fit", "--out", "new", "--frames", ".", "--camera", "kitti-object", "--boxes", ".", "--review"),
    "translate --weights": ("translate", "--out", "new", "--input", ".", "--weights"),
    "translate --out": ("translate", "--weights", "none", "--input", ".", "--out"),
    "train --data": ("train", "--out", "new", "--data"),
    "train --out": ("train", "--data", ".", "--out"),
    "align --visible": ("align", "--out", "new", "--infrared", ".", "--visible"),
    "evaluate --out": ("evaluate", "--real", ".", "--generated", ".", "--out"),
    "measure --train": ("measure", "--out", "new", "--test", ".", "--train"),
    "measure --test": ("measure", "--out", "new", "--train", ".", "--test"),
    "measure --weights-dir": ("measure", "--out", "new", "--train", ".", "--test", ".", "--weights-dir"),
    "measure --out": ("measure", "--train", ".", "--test", ".", "--out"),
    "stats": ("stats",),
    "synthesize --like": ("synthesize", "--out", "new", "--like"),
    "view": ("view",),
    "stats --out": ("stats", ".", "--out"),
    "backgrounds --out": ("backgrounds", ".", "--out"),
}


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ODD[:4]:
        os.mkfifo(tmp_path / name)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_file_is_one_line(command: str, odd: Path) -> None:
    for path in ODD:
        if command.endswith("--out") and path.startswith("/dev"):
            continue  # a test is to write nowhere but in its folder, whatever is wrong
        done = CliRunner().invoke(app, [*COMMANDS[command], path])
        assert done.exit_code == 1, (path, done.exception, done.output)
        assert isinstance(done.exception, SystemExit), path
        assert done.stderr.count("\n") == 1, (path, done.stderr)
        assert not (odd / "new").exists()


def test_an_output_that_is_no_folder_is_one_line(odd: Path) -> None:
    (odd / "file").write_text("")
    (odd / "dangling").symlink_to("nowhere")
    for path in ("file", "dangling", "file/below", "pipe"):
        with pytest.raises(Exception, match=r"folder|directory") as caught:
            build_addon(Path(path))
        assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """By a limit on the size of files, which root has too."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import sys; sys.argv = ['gis', 'addon', 'build', '--out', sys.argv[1]]\n"
        "from pipelines.cli import main; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "cannot be written (File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / ("x" * 300), Path("."), tmp_path / "a\0b"):
        with pytest.raises(OutputError, match="cannot be written"):
            write_bytes(path, b"")
    with pytest.raises(OutputError, match="its folder was removed"):
        write_bytes(tmp_path / "gone" / "a" / "b", b"", root=tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    write_bytes(tmp_path / "a" / "b" / "c", b"1", root=tmp_path)
    with pytest.raises(DatasetError, match=r"x\.json"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    write_text(tmp_path / "text", "\udcff")
    assert (tmp_path / "text").read_text(encoding="utf-8") == "\\udcff"


def test_what_is_no_file_is_never_replaced(odd: Path) -> None:
    """Renaming onto a device or a pipe, which root may do to /dev/null, would put a file in its place."""
    (odd / "link").symlink_to("pipe")
    for path in (Path("pipe"), Path("link")):
        with pytest.raises(OutputError, match="no file"):
            write_bytes(path, b"1")
    done = CliRunner().invoke(app, ["render", "--count", "1", "--out", "new", "--save-config", "pipe"])
    assert done.exit_code == 1
    assert "no file" in done.stderr
    assert (odd / "pipe").is_fifo()
    assert (odd / "link").is_symlink()


def test_hashes_of_what_never_ends(odd: Path) -> None:
    for path in (Path("pipe"), Path("/dev/zero"), Path("none"), Path("loop")):
        with pytest.raises(DatasetError):
            file_sha256(path)
