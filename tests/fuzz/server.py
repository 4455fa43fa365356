"""A process that has everything loaded and forks a child for each attack: a run of `gis` costs no imports.

It reads one JSON object a line (`args`, `box`, `limit_s`, `limit_bytes`) and answers each with one. The child runs the
command line as a user's shell would, in a folder, a HOME and a TMPDIR of its own, with limits on memory and time. The
worker processes of a command are forks too, which run the very line that a fresh interpreter would be given.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

LOADED = (
    "cv2", "flyr", "imageio.v3", "numba", "OpenEXR", "PIL.Image", "safetensors.torch", "scipy.ndimage",
    "scipy.optimize", "tifffile", "torch", "tqdm",
)  # fmt: skip
CRASHED = 99
_PATIENCE = 6
"""Seconds by the clock for each of the processor's: other work may go on beside the tests."""
ROOMS = (
    "gan.data.training_data", "gan.serving.inference", "gan.storage.model_file", "gan.training.train",
    "pipelines.backgrounds.ingest.run", "pipelines.comparison.run", "pipelines.dataset.validation",
    "pipelines.evaluation.evaluate", "pipelines.export.run", "pipelines.fitting.run", "pipelines.registration.align",
    "pipelines.synthesis.dataset_run", "pipelines.synthesis.passes", "pipelines.translation.translate",
    "pipelines.workers",
)  # fmt: skip


class Fork:
    """What `subprocess.Popen` is to a worker's parent: here a fork that runs the line after ``-c``."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None, **_: Any) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.environ.update(env or {})
                exec(command[command.index("-c") + 1], {})
                code = 0
            except SystemExit as error:
                code = int(error.code or 0)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("worker", timeout or 0)
            time.sleep(0.002)
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def load() -> None:
    """Imports what commands import, on one thread, so that a fork finds no lock held."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    for name in (*LOADED, *ROOMS):
        importlib.import_module(name)
    import cv2
    import torch

    from pipelines import workers
    from pipelines.cli.main import COMMANDS, load_command

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    for name in COMMANDS:
        load_command(name)
    _fork_workers()
    if os.environ.get("GIS_FUZZ_BLENDER"):
        importlib.import_module("renderer.blender.session")
        importlib.import_module("renderer.blender.engine")
        workers._PATIENCE_S = 0.5  # a fork lacks Blender's threads, and waits for them when it closes
    else:
        _leave_blender_out()
        _draw_frames()
    _parse_a_command()
    gc.collect()
    gc.freeze()


def _fork_workers() -> None:
    from pipelines import workers

    class Processes:
        """The module `subprocess`, but for workers, which are forks."""

        Popen = Fork

        def __getattr__(self, name: str) -> Any:
            return getattr(subprocess, name)

    workers.subprocess = Processes()  # type: ignore[assignment]


def _draw_frames() -> None:
    """One over a picture and one of a scene, so that compiled kernels are in memory."""
    from fake_renderer import FakeScene

    import pipelines
    from fuzz.corpus import pillow, street

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.png").write_bytes(pillow(street(), format="PNG"))
        options = {"size": "64x48", "model": "physics", "session_factory": FakeScene()}
        for backgrounds in (folder, None):
            list(pipelines.synthesize(count=1, backgrounds=backgrounds, **options))


def _parse_a_command() -> None:
    """Lets the parser of the command line load what it loads when it is first used."""
    from pipelines.cli.main import app

    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(BaseException):
        app(["validate", os.devnull])


def _leave_blender_out() -> None:
    """Scenes are boxes on a road: Blender takes seconds to load and survives no fork."""
    from fake_renderer import FakeScene

    from pipelines.synthesis import dataset_run, passes

    for function in (dataset_run.synthesize_dataset, passes.render):
        assert function.__kwdefaults__ is not None
        function.__kwdefaults__["session_factory"] = FakeScene()


def child(job: dict[str, Any]) -> int:
    """One run of the command line; its exit code."""
    os.setsid()
    box = Path(job["box"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        handle = os.open(box / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ |= {
        "HOME": str(box / "home"),
        "TMPDIR": str(box / "tmp"),
        "GIS_CACHE": str(box / "cache"),
        "CUDA_VISIBLE_DEVICES": "",
    }
    tempfile.tempdir = None
    os.chdir(box / "cwd")
    resource.setrlimit(resource.RLIMIT_AS, (job["limit_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spent = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + job["limit_s"]) + 1,) * 2)
    sys.argv = ["gis", *job["args"]]
    from pipelines.cli.main import main

    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Forks, waits, and says how it ended: `code`, `seconds` of the processor, `hung`, `grown_bytes`."""
    before = resident()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = CRASHED
        try:
            code = child(job)
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except BaseException:
                    code = CRASHED
            os._exit(code)
    hung = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if not hung and time.monotonic() - start > _PATIENCE * job["limit_s"]:
            hung = True
            kill_group(pid)
        time.sleep(0.003)
    kill_group(pid)
    code = os.waitstatus_to_exitcode(status)
    used = usage.ru_utime + usage.ru_stime
    hung = hung or (code == -signal.SIGKILL and used >= job["limit_s"])
    return {"code": code, "seconds": used, "hung": hung, "grown_bytes": max(0, usage.ru_maxrss * 1024 - before)}


def kill_group(pid: int) -> None:
    """Ends a child and what it started."""
    for end in (lambda: os.killpg(pid, signal.SIGKILL), lambda: os.kill(pid, 0)):
        try:
            end()
            return
        except (ProcessLookupError, PermissionError):
            pass


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def serve() -> None:
    """Life of the process."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    load()
    with answers:
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve()
