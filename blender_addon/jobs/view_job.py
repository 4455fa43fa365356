"""The one rendering of the view: passes and thermal image, made in another Blender, or here where that is fast.

Its state and progress are no data of the scene: neither undo nor another file can leave a scene that waits for a
rendering which has ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .. import adapter
from ..data import images
from ..data.frame_files import load_frame, load_thermal, save_frame
from ..data.thermal_image import ThermalSettings, render_thermal
from . import passes_worker
from .view_request import FRAME, THERMAL, ViewRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from renderer.blender.engine import Engine
    from renderer.geometry.frame import Frame

__all__ = ["COMPILING", "EXPOSING", "RENDERING", "VIEW", "OtherBlender", "ViewRendering"]

RENDERING = "Rendering the passes"
COMPILING = "Rendering, the first time compiles"
EXPOSING = "Computing the thermal image"
"""Stages of a rendering, for the user."""
_WAIT_S = 0.05
"""How long a step waits for the other Blender; shorter than the time between two steps."""


class ViewRendering:
    """A rendering that goes on step by step, and the frame that it made last."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        """Rendered last, so that weather and hour can change without rendering passes again."""
        self.progress = 0.0
        """Share that is done, 0 to 1."""
        self.stage = ""
        """What is being done."""
        self._started_s = 0.0
        self._kind: tuple[str, ...] = ()
        self._took_s: dict[tuple[str, ...], float] = {}
        """How long each kind of rendering took last, seconds for each pixel of the camera."""
        self._pixels = 1
        self.are_kernels_compiled = False
        """The first use of the compiled loops may compile for half a minute: it is left to another Blender."""
        self._steps: Generator[float, None, None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a rendering runs."""
        return self._steps is not None

    def start(self, scene: bpy.types.Scene, what: str, *, reuse: bool) -> None:
        """Begin a rendering, see :meth:`steps`; the one that runs is ended."""
        self.stop()
        self._started_s, self._pixels = time.monotonic(), _pixels_of(scene)
        self._steps = self.steps(scene, what, reuse=reuse)

    def step(self) -> bool:
        """Go on for a moment; returns whether there is more to do. An error ends the rendering."""
        if self._steps is None:
            return False
        try:
            self.progress = next(self._steps)
        except StopIteration:
            self._took_s[self._kind] = self.elapsed_s / self._pixels
            self.stop()
            return False
        except BaseException:
            self.stop()
            raise
        return True

    @property
    def elapsed_s(self) -> float:
        """How long the rendering has been running, seconds."""
        return time.monotonic() - self._started_s

    @property
    def left_s(self) -> float | None:
        """How long it will probably take, seconds: as the last one of its kind; None where there was none."""
        took_s = self._took_s.get(self._kind)
        return None if took_s is None else max(0.0, took_s * self._pixels - self.elapsed_s)

    def stop(self) -> None:
        """End the rendering at once; nothing is left of it."""
        steps, self._steps, self.progress, self.stage = self._steps, None, 0.0, ""
        if steps is not None:
            steps.close()

    def steps(
        self, scene: bpy.types.Scene, what: str, *, reuse: bool, may_block: bool = False
    ) -> Generator[float, None, None]:
        """Do the work bit by bit; yields the share that is done. Closing the iterator cancels it.

        Args:
            scene: what is rendered, and its settings.
            what: ``ALL``, ``PASSES`` or ``THERMAL``.
            reuse: keep the passes rendered last.
            may_block: nobody waits at a window.
        """
        yield 0.0
        frame = self.frame if reuse else None
        engine = None if frame is not None else _engine_of(scene.gis_thermal)
        is_fast = engine != "cycles" and adapter.has_numba() and (may_block or self.are_kernels_compiled)
        self._kind = (engine or "", what, str(is_fast))
        if is_fast or (frame is not None and what == "PASSES"):
            yield from self._here(scene, what, frame)
        else:
            yield from self._elsewhere(scene, what, frame, engine or "cycles")
        self.are_kernels_compiled |= engine == "raster" and what == "ALL"
        yield 1.0

    def _here(self, scene: bpy.types.Scene, what: str, frame: Frame | None) -> Iterator[float]:
        """In this Blender, with compiled loops."""
        from renderer.blender.view import ViewSession

        if frame is None:
            self.stage = RENDERING
            yield 0.1
            self.frame = frame = ViewSession(scene).view()
            yield 0.4
        if what != "THERMAL":
            images.show_passes(frame)
        self.stage = EXPOSING
        yield 0.6
        if what != "PASSES":
            images.show_thermal(*render_thermal(frame, ThermalSettings.of_scene(scene)))

    def _elsewhere(
        self, scene: bpy.types.Scene, what: str, frame: Frame | None, engine: Engine | None
    ) -> Iterator[float]:
        """In another Blender."""
        with contextlib.closing(OtherBlender(scene, what != "PASSES", frame, engine or "cycles")) as other:
            is_new, running = frame is None, True
            self.stage = EXPOSING if not is_new else RENDERING if engine == "cycles" else COMPILING
            while running:
                running = other.is_running(_WAIT_S)
                if is_new and other.has_frame():
                    is_new, self.frame, self.stage = False, other.frame(), EXPOSING
                    if what != "THERMAL":
                        yield 0.4
                        images.show_passes(self.frame)
                yield 0.1 if is_new else 0.6
            other.check()
            if what != "THERMAL" and frame is not None:
                images.show_passes(frame)
            if what != "PASSES":
                images.show_thermal(*other.thermal())


VIEW = ViewRendering()
"""Blender makes operators and panels by their classes, and gives them nothing in common but the scene, which must not
hold what undo takes back: they meet here."""


def _pixels_of(scene: bpy.types.Scene) -> int:
    render = scene.render
    return max(1, render.resolution_x * render.resolution_y * render.resolution_percentage**2 // 10**4)


def _engine_of(settings: bpy.types.PropertyGroup) -> Engine:
    """The engine that the panel names, else the fast one where it can run.

    Raises:
        ValueError: the fast engine is asked for where it cannot run.
    """
    if settings.engine == "raster" and not adapter.has_numba():
        raise ValueError("the fast engine needs the Python package numba, which this Blender lacks: choose Cycles")
    return "cycles" if settings.engine == "cycles" or not adapter.has_numba() else "raster"


class OtherBlender:
    """A process that renders a copy of this file, in a folder of its own.

    Args:
        scene: whose active camera's view is rendered.
        with_thermal: also make the thermal image.
        frame: passes that are there already, or None.
        engine: what renders them where they are not.
    """

    def __init__(self, scene: bpy.types.Scene, with_thermal: bool, frame: Frame | None, engine: Engine) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gis-")
        self.folder = Path(self._folder.name)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            copy = str(self.folder / "copy.blend") if frame is None else ""
            if frame is None:
                bpy.ops.wm.save_as_mainfile(filepath=copy, copy=True, check_existing=False, compress=False)
            else:
                save_frame(self.folder / FRAME, frame)
            settings = ThermalSettings.of_scene(scene) if with_thermal else None
            self._start(ViewRequest(str(self.folder), copy, engine, settings, tuple(sys.path)))
        except BaseException:
            self.close()
            raise

    def _start(self, request: ViewRequest) -> None:
        """Start it with a request."""
        request_file, script = self.folder / "request.json", str(Path(passes_worker.__file__).resolve())
        request_file.write_text(request.to_json(), encoding="utf-8")
        blender = [bpy.app.binary_path, "-b", "--factory-startup", "-noaudio", "-P"] if bpy.app.binary_path else None
        command = [*(blender or [sys.executable]), script, "--", str(request_file)]
        # Its input stays open as long as this Blender lives; its own temporary files go with the folder.
        environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.folder))}
        with (self.folder / "log.txt").open("wb") as sink:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
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
        return (self.folder / FRAME).is_file()

    def frame(self) -> Frame:
        """The passes."""
        return load_frame(self.folder / FRAME)

    def thermal(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The thermal image: grey levels, and kelvin."""
        return load_thermal(self.folder / THERMAL)

    def check(self) -> None:
        """Raise what went wrong.

        Raises:
            ValueError: the process did not do all that it was to.
        """
        if self.process.returncode == 0:
            return
        log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        errors = [line for line in log.splitlines() if line.startswith(passes_worker.ERROR)]
        reason = errors[-1][len(passes_worker.ERROR) :] if errors else f"it ended with code {self.process.returncode}"
        raise ValueError(f"The view could not be rendered: {reason}")

    def close(self) -> None:
        """End the process and remove its files."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
        self._folder.cleanup()
