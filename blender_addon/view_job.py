"""The one rendering of the view: passes and thermal image, made in another Blender, or here where that is fast.

Its state and progress are no data of the scene: neither undo nor another file can leave a scene that waits for a
rendering which has ended.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import adapter, passes_worker, pictures, thermal

__all__ = ["forget_frame", "frame_of_view", "is_running", "progress", "start", "step", "steps", "stop"]

_WAIT_S = 0.05
"""How long a step waits for the other Blender; shorter than the time between two steps."""
_SETTINGS = ("seed", "index", "hour", "weather", "season", "profile", "sensor")
_LAST: dict[str, object] = {}
"""The frame rendered last, so that weather and hour can change without rendering passes again."""


class _Now:
    """The rendering that runs."""

    work: "Generator[float, None, None] | None" = None
    progress = 0.0
    kernels = False
    """Whether the compiled loops have been used in this session: the first use may compile for half a minute."""


def frame_of_view() -> Any:
    """The frame rendered last, None before the first."""
    return _LAST.get("frame")


def forget_frame() -> None:
    """Forget it, e.g. because another file was opened."""
    _LAST.clear()


def is_running() -> bool:
    """Whether a rendering runs."""
    return _Now.work is not None


def progress() -> float:
    """Share that is done, 0 to 1."""
    return _Now.progress


def start(scene: bpy.types.Scene, what: str, *, reuse: bool) -> None:
    """Begin a rendering; the one that runs is ended."""
    stop()
    _Now.work = steps(scene, what, reuse=reuse)


def step() -> bool:
    """Go on for a moment; returns whether there is more to do. What goes wrong is raised, and ends the rendering."""
    if _Now.work is None:
        return False
    try:
        _Now.progress = next(_Now.work)
    except StopIteration:
        stop()
        return False
    except BaseException:
        stop()
        raise
    return True


def stop() -> None:
    """End the rendering at once; nothing is left of it."""
    work, _Now.work, _Now.progress = _Now.work, None, 0.0
    if work is not None:
        work.close()


def engine_of(settings: bpy.types.PropertyGroup) -> str:
    """``raster`` or ``cycles``.

    Raises:
        ValueError: the fast engine is asked for where it cannot run.
    """
    if settings.engine == "raster" and not adapter.has_numba():
        raise ValueError("the fast engine needs the Python package numba, which this Blender lacks: choose Cycles")
    if settings.engine == "AUTO":
        return "raster" if adapter.has_numba() else "cycles"
    return settings.engine


def steps(scene: bpy.types.Scene, what: str, *, reuse: bool, may_block: bool = False) -> Generator[float, None, None]:
    """Do the work bit by bit; yields the share that is done. Closing the iterator cancels it.

    Args:
        scene: what is rendered, and its settings.
        what: ``ALL``, ``PASSES`` or ``THERMAL``.
        reuse: keep the passes rendered last.
        may_block: nobody waits at a window.
    """
    yield 0.0
    frame = frame_of_view() if reuse else None
    engine = "" if frame is not None else engine_of(scene.gis_thermal)
    is_fast = engine != "cycles" and adapter.has_numba() and (may_block or _Now.kernels)
    if is_fast or (frame is not None and what == "PASSES"):
        yield from _here(scene, what, frame)
    else:
        yield from _elsewhere(scene, what, frame, engine)
    _Now.kernels |= engine == "raster" and what == "ALL"
    yield 1.0


def _here(scene: bpy.types.Scene, what: str, frame: Any) -> Iterator[float]:
    """In this Blender, with compiled loops."""
    if frame is None:
        _LAST["frame"] = frame = adapter.renderer("blender.view").ViewSession(scene).view()
        yield 0.4
    if what != "THERMAL":
        pictures.show_passes(frame)
        yield 0.6
    if what != "PASSES":
        pictures.show_thermal(*thermal.render_thermal(frame, scene))


def _elsewhere(scene: bpy.types.Scene, what: str, frame: Any, engine: str) -> Iterator[float]:
    """In another Blender."""
    with contextlib.closing(_OtherBlender(scene, what != "PASSES", frame, engine)) as other:
        is_new, running = frame is None, True
        while running:
            running = other.is_running(_WAIT_S)
            if is_new and other.has_frame():
                is_new, _LAST["frame"] = False, other.frame()
                if what != "THERMAL":
                    yield 0.4
                    pictures.show_passes(_LAST["frame"])
            yield 0.1 if is_new else 0.6
        other.check()
        if what != "THERMAL" and frame is not None:
            pictures.show_passes(frame)
        if what != "PASSES":
            pictures.show_thermal(*other.thermal())


def _settings_of(scene: bpy.types.Scene) -> dict[str, object]:
    """What the thermal image depends on, beside the frame."""
    camera_sensor = str(scene.camera.get("gis_sensor", "tau2")) if scene.camera else "tau2"
    return {**{name: getattr(scene.gis_thermal, name) for name in _SETTINGS}, "camera_sensor": camera_sensor}


class _OtherBlender:
    """A process that renders a copy of this file, in a folder of its own."""

    def __init__(self, scene: bpy.types.Scene, with_thermal: bool, frame: Any, engine: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gis-")
        self.folder = Path(self._folder.name)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            copy = str(self.folder / "copy.blend") if frame is None else ""
            if copy:
                bpy.ops.wm.save_as_mainfile(filepath=copy, copy=True, check_existing=False, compress=False)
            else:
                passes_worker.save_frame(self.folder / passes_worker.FRAME, frame)
            wanted = _settings_of(scene) if with_thermal else None
            self._start(passes_worker.Request(str(self.folder), copy, engine, wanted, tuple(sys.path)))
        except BaseException:
            self.close()
            raise

    def _start(self, request: passes_worker.Request) -> None:
        """Start it with a request."""
        asked, script = self.folder / "request.json", str(Path(passes_worker.__file__).resolve())
        asked.write_text(json.dumps(asdict(request)), encoding="utf-8")
        blender = [bpy.app.binary_path, "-b", "--factory-startup", "-noaudio", "-P"] if bpy.app.binary_path else None
        command = [*(blender or [sys.executable]), script, "--", str(asked)]
        # Its input stays open as long as this Blender lives; its own temporary files go with the folder.
        environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.folder))}
        with (self.folder / "log.txt").open("wb") as sink:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process, which runs from the beginning on."""
        assert self._process is not None
        return self._process

    def is_running(self, wait_s: float) -> bool:
        """Whether it runs, after waiting a moment for its end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(wait_s)
        return self.process.poll() is None

    def has_frame(self) -> bool:
        """Whether the passes are complete."""
        return (self.folder / passes_worker.FRAME).is_file()

    def frame(self) -> Any:
        """The passes."""
        stored = self.folder / passes_worker.FRAME
        return passes_worker.load_frame(stored, adapter.renderer("geometry.frame"), adapter.renderer("geometry.camera"))

    def thermal(self) -> tuple[np.ndarray, np.ndarray]:
        """The thermal image."""
        return passes_worker.load_thermal(self.folder / passes_worker.THERMAL)

    def check(self) -> None:
        """Raise what went wrong.

        Raises:
            ValueError: the process did not do all that it was to.
        """
        if self.process.returncode == 0:
            return
        log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        said = [line for line in log.splitlines() if line.startswith(passes_worker.ERROR)]
        reason = said[-1][len(passes_worker.ERROR) :] if said else f"it ended with code {self.process.returncode}"
        raise ValueError(f"The view could not be rendered: {reason}")

    def close(self) -> None:
        """End the process and remove its files."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
        self._folder.cleanup()
