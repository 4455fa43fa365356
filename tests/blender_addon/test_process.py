"""The command beside Blender: found, started, watched, ended. Real processes, no Blender."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from blender_addon.jobs import process
from blender_addon.jobs.process import CommandError, Job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

FRAMES = """
import sys, time, pathlib
out = pathlib.Path({out!r}); out.mkdir(exist_ok=True)
with (out / "frames.jsonl").open("a") as log:
    for number in range({count}):
        log.write("{{}}\\n"); log.flush()
        time.sleep({pause})
"""
FAMILY = """
import subprocess, sys, time, signal
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); {child}time.sleep(600)"])
print(child.pid, flush=True)
{parent}
time.sleep(600)
"""


def job_of(code: str, tmp_path: Path, **options: object) -> Job:
    return Job([sys.executable, "-c", code], log=tmp_path / "log.txt", cwd=tmp_path, **options)  # type: ignore[arg-type]


def end_of(job: Job, seconds: float = 20.0) -> str:
    limit = time.monotonic() + seconds
    while job.poll() in (process.RUNNING, process.CANCELLING):
        assert time.monotonic() < limit, job.text()
        time.sleep(0.02)
    return job.state


def until(condition: object, seconds: float = 10.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_progress_is_the_lines_that_are_there(tmp_path: Path) -> None:
    job = job_of(FRAMES.format(out=str(tmp_path / "out"), count=5, pause=0.1), tmp_path, out=tmp_path / "out", count=5)
    seen = [job.progress]
    while job.poll() == process.RUNNING:
        seen.append(job.progress)
        time.sleep(0.02)
    assert job.state == process.DONE
    assert seen == sorted(seen)
    assert len(set(seen)) >= 4
    assert (job.done, job.progress) == (5, 1.0)


def test_half_a_line_is_no_frame_and_old_lines_count(tmp_path: Path) -> None:
    (tmp_path / "frames.jsonl").write_text("{}\n{}\n{", encoding="ascii")
    job = job_of("import time; time.sleep(0.3)", tmp_path, out=tmp_path, count=4)
    assert (job.done, job.progress, job.left_s) == (2, 0.5, None)
    with (tmp_path / "frames.jsonl").open("a") as log:
        log.write("}\n")
    job.poll()
    assert (job.done, job.left_s) == (3, None)
    assert end_of(job) == process.DONE


def test_time_left_leaves_the_start_out(tmp_path: Path) -> None:
    """A second to open the scene, then ten frames a second: with five of ten to come half a second is left."""
    code = "import time; time.sleep(1)" + FRAMES.format(out=str(tmp_path / "out"), count=10, pause=0.1)
    job = job_of(code, tmp_path, out=tmp_path / "out", count=10)
    guesses = {}
    while job.poll() == process.RUNNING:
        guesses.setdefault(job.done, job.left_s)
        time.sleep(0.01)
    assert guesses[0] is guesses[1] is None
    assert guesses[5] == pytest.approx(0.5, rel=0.6)


def test_polling_never_waits(tmp_path: Path) -> None:
    job = job_of("import time; time.sleep(5)", tmp_path, out=tmp_path / "none", count=4)
    start = time.monotonic()
    for _ in range(100):
        assert job.poll() == process.RUNNING
    assert time.monotonic() - start < 0.5
    job.terminate()
    assert job.state == process.CANCELLED


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_interrupts_are_heeded_also_where_blender_ignores_them(handler: Any, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        job = job_of("import time; print('on', flush=True); time.sleep(60)", tmp_path)
        assert signal.getsignal(signal.SIGINT) == handler
        until(lambda: job.text().strip())
        job.cancel()
        assert end_of(job, 4.0) == process.CANCELLED
    finally:
        signal.signal(signal.SIGINT, before)


def test_cancelling_ends_the_whole_group_by_an_interrupt(tmp_path: Path) -> None:
    job = job_of(FAMILY.format(child="", parent=""), tmp_path)
    until(lambda: job.text().strip())
    child = int(job.text())
    job.cancel()
    assert job.state == process.CANCELLING
    assert end_of(job, 4.0) == process.CANCELLED  # sooner than SIGTERM
    until(lambda: not is_alive(child))
    job.cancel()
    assert job.state == process.CANCELLED


def test_who_ignores_everything_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.2)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    job = job_of(
        FAMILY.format(child=deaf, parent=deaf + "signal.signal(signal.SIGINT, signal.SIG_IGN); print(1)"), tmp_path
    )
    until(lambda: job.text().count("\n") >= 1)
    time.sleep(0.3)
    child = int(job.text().split()[0])
    start = time.monotonic()
    job.cancel()
    assert end_of(job, 5.0) == process.CANCELLED
    assert time.monotonic() - start > 0.35  # both gentler signals had their time
    until(lambda: not is_alive(child))


def test_a_killed_command_says_so_and_its_children_go(tmp_path: Path) -> None:
    job = job_of(FAMILY.format(child="", parent=""), tmp_path)
    until(lambda: job.text().strip())
    child = int(job.text())
    os.kill(job.process.pid, signal.SIGKILL)
    assert end_of(job) == process.FAILED
    assert "SIGKILL" in job.error
    assert "\n" not in job.error
    until(lambda: not is_alive(child))


def test_the_last_error_line_is_kept_with_the_log(tmp_path: Path) -> None:
    code = "import sys; print('frames: 3'); print('gis synthesize: no room: free some', file=sys.stderr); sys.exit(1)"
    job = job_of(code, tmp_path)
    assert end_of(job) == process.FAILED
    assert job.error == "no room: free some"
    assert "frames: 3" in job.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ""),
        ("Usage: gis\nError: No such option: --x\n", "Error: No such option: --x"),
        ("10%|#  \r20%|## \ngis render: a: b\ntrailing\n", "a: b"),
        ("Traceback\nValueError: odd\n", "ValueError: odd"),
        (
            "/usr/bin/python3: No module named pipelines\n",
            "this Python has no gis: install it there, or name another Python",
        ),
    ],
)
def test_last_error(text: str, error: str) -> None:
    assert process.last_error(text) == error


def test_what_cannot_be_started(tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("no program", encoding="ascii")
    with pytest.raises(CommandError, match="cannot be started"):
        Job([str(plain)], log=tmp_path / "log.txt", cwd=tmp_path)
    with pytest.raises(CommandError, match="no such program"):
        process.command_of(str(tmp_path / "none"))
    with pytest.raises(CommandError, match="without bin/gis"):
        process.command_of(str(tmp_path))


def test_a_python_without_gis_is_told_from_one_with(tmp_path: Path) -> None:
    bare = Job([sys.executable, "-I", "-S", "-m", "pipelines.cli"], log=tmp_path / "log.txt", cwd=tmp_path)
    assert end_of(bare) == process.FAILED
    assert bare.error.startswith("this Python has no gis")


def test_the_other_python_sees_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("PYTHONHOME", "/ours")
    monkeypatch.setenv("BLENDER_SYSTEM_SCRIPTS", "/ours")
    job = job_of("import os, sys; print('/ours' in os.environ.values(), '/ours' in sys.path)", tmp_path)
    assert end_of(job) == process.DONE
    assert job.text().strip() == "False False"


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_gis_is_found_in_this_order(tmp_path: Path) -> None:
    home, prefix = tmp_path / "home", tmp_path / "prefix"
    in_prefix = _program(prefix / "bin" / "gis")
    at_home = _program(home / ".local" / "bin" / "gis")
    on_path = _program(tmp_path / "bin" / "gis")
    named = _program(tmp_path / "python")
    variables = {"HOME": str(home), "PATH": f"/none:{on_path.parent}", "GIS_PYTHON": str(named)}
    assert process.find_gis(variables, prefix) == str(named)
    del variables["GIS_PYTHON"]
    assert process.find_gis(variables, prefix) == str(on_path)
    on_path.chmod(0o644)
    assert process.find_gis(variables, prefix) == str(at_home)
    at_home.unlink()
    assert process.find_gis(variables, prefix) == str(in_prefix)
    assert process.find_gis(variables) == ""


def test_nothing_is_found_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file manager starts Blender in the folder of the file that was opened."""
    for name in ("gis", "bin/gis", ".venv/bin/gis", "venv/bin/gis", "gis/.venv/bin/gis", "python"):
        if not (tmp_path / name.split("/")[0]).is_file():
            _program(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for entries in ("", ":", ".:bin", "//.venv/bin:venv/bin", "gis/.venv/bin"):
        variables = {"HOME": "/none", "PATH": entries, "GIS_PYTHON": "python"}
        assert process.find_gis(variables) == ""
    for program in (".venv", "venv/bin/gis", "./python", "//.venv/bin/gis", "//python", ""):
        with pytest.raises(CommandError, match="whole path"):
            process.command_of(program)


def test_command_lines(tmp_path: Path) -> None:
    script, python = _program(tmp_path / "a" / "bin" / "gis"), _program(tmp_path / "b" / "bin" / "python")
    assert process.command_of(str(script)) == [str(script)]
    assert process.command_of(str(tmp_path / "a")) == [str(script)]
    assert process.command_of(str(tmp_path / "b")) == [str(python), "-m", "pipelines.cli"]


def test_doctor() -> None:
    fine = "ok        Python: 3.11.7\nok        bpy: Blender 4.5.15 LTS\noptional  torch: not installed\n          x\n"
    assert process.doctor_report(0, fine) == (True, "gis is ready: Blender 4.5.15 LTS")
    lacks = "ok        Python: 3.11.7\nmissing   bpy: not installed\n          pip install it\nmissing   disk: none\n"
    assert process.doctor_report(1, lacks) == (False, "gis lacks bpy: not installed")
    assert process.doctor_report(0, "")[0] is False
    assert process.doctor_report(2, "/usr/bin/gis: unknown option\n") == (False, "/usr/bin/gis: unknown option")


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.write_text("x", encoding="ascii")
    assert "is a file" in process.why_not_writable(plain)
    assert "is a file" in process.why_not_writable(plain / "below" / "it")
    assert "cannot be written to" in process.why_not_writable(Path("/proc/gis"))
    assert process.why_not_writable(tmp_path / "new" / "deep") == ""
    assert sorted(tmp_path.iterdir()) == [plain]
