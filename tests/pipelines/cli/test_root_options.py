"""What all commands have: the version, JSON for programs, help that fits 80 columns, and how far a run is."""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.console import results_as_json
from pipelines.cli.main import COMMANDS, app
from pipelines.io import progress
from pipelines.io.progress import TEXT, log_as

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def as_text_again() -> Iterator[None]:
    """How a process speaks is set by its options, which here are many processes' in one."""
    yield
    log_as(TEXT)
    results_as_json(False)


@pytest.mark.parametrize("flag", ["--version", "-v", "-V"])
def test_the_version(flag: str) -> None:
    done = CliRunner().invoke(app, [flag])
    assert (done.exit_code, done.stdout) == (0, f"gis {importlib.metadata.version('gis-thermal')}\n")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_whole_at_80_columns(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    done = CliRunner().invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "…" not in done.stdout


def test_results_are_json_wherever_the_option_stands(tmp_path: Path) -> None:
    for words in (["--json", "doctor", "--out", str(tmp_path)], ["doctor", "--out", str(tmp_path), "--json"]):
        findings = json.loads(CliRunner().invoke(app, words).stdout)["findings"]
        assert {"Python", "numpy", "disk"} <= {one["name"] for one in findings}
        assert {one["level"] for one in findings} <= {"ok", "missing", "optional"}


def test_errors_are_json_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["validate", str(tmp_path / "none"), "--log-format", "json"])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "error"
    assert "no such folder" in json.loads(line)["text"]
    done = CliRunner().invoke(app, ["--log-format", "xml", "models"])
    assert done.exit_code == 2
    assert "expected one of text, json" in done.stderr
    assert CliRunner().invoke(app, ["validate", str(tmp_path / "none")]).stderr.startswith("gis validate: ")


def test_after_two_dashes_nothing_is_an_option(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["validate", "--", "--json"])
    assert "--json: no such folder" in done.stderr


@pytest.mark.parametrize("size", ["10", "512x10", "15"])
def test_a_size_that_shows_nothing_is_one_line(size: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["synthesize", "--size", size, "--count", "1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert done.stderr == f"gis synthesize: size is '{size}': expected sides from 16 to 8192 pixels\n"


RUN = """
import sys, time
from pipelines.io import progress
progress.LINES_S = 0.2
progress.log_as(sys.argv[1])
with progress.stage("opening the\\x1b[31m scene", progress=True):
    time.sleep(0.5)
for _ in progress.follow(range(4), 4, "frame", progress=True, before_first="compiling"):
    time.sleep(0.3)
"""


def run(log_format: str, stderr: int) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, log_format], stderr=stderr, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0
    return done.stderr or b""


def test_off_a_terminal_a_line_comes_now_and_then() -> None:
    lines = run("text", subprocess.PIPE).decode().splitlines()
    assert re.fullmatch(r"opening the\\x1b\[31m scene \.\.\. \d s", lines[0])
    counts = [re.fullmatch(r"frames: (\d) of 4 \(\d+ %\)(, about \d s left)?", line) for line in lines[2:]]
    assert [found and int(found[1]) for found in counts] == sorted({int(found[1]) for found in counts if found})
    assert all(counts)


def test_programs_get_events() -> None:
    events = [json.loads(line) for line in run("json", subprocess.PIPE).splitlines()]
    assert events[0]["event"] == "stage"
    assert "opening the" in events[0]["stage"]
    assert (events[1]["done"], events[1]["total"], events[1]["stage"]) == (0, 4, "compiling")
    assert (events[-1]["done"], events[-1]["left_s"]) == (4, 0.0)


def test_on_a_terminal_the_first_second_says_what_is_done() -> None:
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    run("text", inner)
    os.close(inner)
    shown = b""
    while (part := _read(outer)) != b"":
        shown += part
    assert shown.startswith(b"\r\x1b[Kopening the\\x1b[31m scene ... 0 s")
    assert b"frames:" in shown
    assert b"compiling" in shown
    assert b"4/4" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # of a terminal that nobody writes to any more
        return b""


def test_nothing_is_said_where_nothing_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.stage("opening", progress=False):
        assert list(progress.follow("ab", 2, "frame", progress=False)) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_the_shell_completes_commands_options_and_values() -> None:
    code = "import sys; sys.argv[0] = 'gis'; from pipelines.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_GIS_COMPLETE": "complete_bash"}
    cases = {"gis syn": "synthesize", "gis synthesize --weath": "--weather", "gis synthesize --weather f": "fog"}
    for typed, expected in cases.items():
        words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment | words, capture_output=True, text=True, check=False
        )
        assert expected in done.stdout.split()
