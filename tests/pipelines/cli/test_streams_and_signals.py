"""What a shell does to a command: pipes that close, streams that are closed, signals, odd environments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.cli import streams
from pipelines.io.escape import for_console, for_markdown

ROOT = Path(__file__).resolve().parents[3]
GIS = f"{sys.executable} -m pipelines.cli"


def shell(command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    words = ["bash", "-c", f"set -o pipefail; {command}"]
    return subprocess.run(
        words, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False, errors="replace"
    )


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = shell(f"{GIS} render --help | head -1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_a_full_disk_for_the_output_is_told() -> None:
    done = shell(f"{GIS} render --help > /dev/full")
    assert done.returncode == 1
    assert done.stderr == "gis render: standard output could not be written (No space left on device)\n"


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_no_command(closing: str) -> None:
    assert shell(f"{GIS} --help {closing}").returncode == 0


def test_an_error_without_standard_error_is_said_on_the_output(tmp_path: Path) -> None:
    done = shell(f"{GIS} render --count 0 --out x 2>&-", tmp_path)
    assert (done.returncode, done.stdout) == (1, "gis render: count is 0: expected 1 or more\n")


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"},
        {"COLUMNS": "many"},
    ],
)
def test_odd_environments(variables: dict[str, str], tmp_path: Path) -> None:
    done = shell(f"{GIS} render --help", tmp_path, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell(f"{GIS} render --scene $'\\u00fc\\xff\\e[2J.blend' --out x", tmp_path, **variables)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    done = shell(f"cd a && rmdir ../a && {GIS} render --count 0 --out x", tmp_path)
    assert (done.returncode, done.stderr) == (1, "gis render: count is 0: expected 1 or more\n")


def test_what_nobody_foresaw_is_one_line_and_a_file(tmp_path: Path) -> None:
    code = (
        "import sys, pipelines.cli.main as main, pipelines.setup.doctor as doctor\n"
        "def broken(folder): raise KeyError('two\\nlines')\n"
        "doctor.examine = broken; sys.argv = ['gis', 'doctor']; main.main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 70
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("gis doctor: a fault of gis itself: KeyError: ")
    (kept,) = tmp_path.glob("gis-fault-*.txt")
    assert str(kept) in done.stderr
    assert "in broken" in kept.read_text()
    shown = subprocess.run(
        command, capture_output=True, text=True, env={**environment, "GIS_TRACEBACK": "1"}, cwd=ROOT, check=False
    )
    assert "in broken" in shown.stderr


SLEEPING = """
import os, subprocess, sys, time
import pipelines.cli.main as main, pipelines.setup.doctor as doctor
sys.path.insert(0, {tests!r})
from test_workers import FrameWorkers, Job
def endless(folder):
    with FrameWorkers(Job(slow_s=0.05), 2) as pool:
        for index, record in pool.run(range(0, 10**6, 2)):
            open(os.path.join({log!r}, str(record[1])), "w")
doctor.examine = endless
sys.argv = ["gis", "doctor"]
main.main()
"""


def ignore_nothing() -> None:
    """A shell's background job ignores SIGINT, and nohup SIGHUP; children inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("numbers", "code", "said"),
    [
        ([signal.SIGINT], 130, "stopped;"),
        ([signal.SIGINT, signal.SIGINT], 130, "stopped;"),
        ([signal.SIGTERM], 143, "stopped by SIGTERM;"),
        ([signal.SIGHUP], 129, "stopped by SIGHUP;"),
        ([signal.SIGTERM, signal.SIGINT, signal.SIGTERM], 143, "stopped by SIGTERM;"),
    ],
)
def test_signals_end_a_command_and_its_workers(
    numbers: list[signal.Signals], code: int, said: str, tmp_path: Path
) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), tests])}
    script = SLEEPING.format(tests=tests, log=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=ignore_nothing
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while len(list(tmp_path.iterdir())) < 2:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
            begun = time.monotonic()
            for number in numbers:
                process.send_signal(number)
                time.sleep(0.02)
            _, told = process.communicate(timeout=20)
        finally:
            process.kill()  # of a test that failed: else it would be told by another one, later
    assert time.monotonic() - begun < 4  # two seconds, and a machine that is busy
    assert process.returncode == code
    assert told == f"gis doctor: {said} the same command goes on where it stopped\n"
    assert not any(Path(f"/proc/{path.name}").exists() for path in tmp_path.iterdir())


def test_an_ignored_signal_stays_ignored() -> None:
    code = "import os, signal; from pipelines.cli.signals import stop_by_signals; stop_by_signals(); "
    command = f"trap '' HUP; {sys.executable} -c \"{code}os.kill(os.getpid(), signal.SIGHUP); print('here')\""
    assert shell(command).stdout == "here\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünïcode 車", "plain Ünïcode 車"),
        ("a\nb\x1b[2J", "a\\nb\\x1b[2J"),
        ("car\u202egpj.exe", "car\\u202egpj.exe"),
        ("\x9b31m\x07\u2028", "\\x9b31m\\x07\\u2028"),
        ("\udcff", "\\udcff"),
    ],
)
def test_for_console(text: str, shown: str) -> None:
    assert for_console(text) == shown


def test_for_markdown_leaves_no_markup() -> None:
    """Against a CommonMark reader that is not ours."""
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py, which rich brings, is not installed")
    names = [
        "<script>x</script>",
        "[a](javascript:x)",
        "a\n# Heading",
        "`code`",
        "*b* _c_",
        "a|b",
        "![x](y)",
        "&lt;",
        "~~s~~",
    ]
    for name in names:
        html = (
            markdown.MarkdownIt("commonmark")
            .enable(["table", "strikethrough"])
            .render(f"| {for_markdown(name)} |\n|-|\n")
        )
        assert html.count("<") == html.count("<table>") * 8 + 0 or "<script" not in html
        for forbidden in ("<script", "<a", "<h1", "<code", "<em", "<img", "<s>", "<strong"):
            assert forbidden not in html, (name, html)
        assert html.count("<th>") == 1, (name, html)


def test_streams_of_a_test_are_left_alone() -> None:
    assert sys.stdout is not None
    assert not streams._lost
