"""Render the current view: passes and the thermal image, into image datablocks."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy

from .. import adapter, passes_worker, pictures, thermal
from ..translations import say
from .common import refuses, reports_errors, why_no_view

__all__ = ["forget_frame", "frame_of_view", "register", "unregister"]

_STEP_S = 0.1
_TIMEOUT_S = 900
_LAST: dict[str, object] = {}
"""The frame rendered last, so that weather and hour can change without rendering passes again."""


def engine_of(settings) -> str:
    """``raster`` or ``cycles``.

    Raises:
        ValueError: the fast engine is asked for where it cannot run.
    """
    if settings.engine == "raster" and not adapter.has_numba():
        raise ValueError("the fast engine needs the Python package numba, which this Blender lacks: choose Cycles")
    if settings.engine == "AUTO":
        return "raster" if adapter.has_numba() else "cycles"
    return settings.engine


class _CyclesProcess:
    """Another Blender that renders a copy of this file."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gis-")
        self.out = Path(self.folder.name) / "passes.npz"
        self.error = Path(self.folder.name) / "error.txt"
        copy = Path(self.folder.name) / "copy.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, check_existing=False, compress=False)
        script = str(Path(passes_worker.__file__).resolve())
        blender = [bpy.app.binary_path, "-b", "--factory-startup", "-noaudio", "-P"] if bpy.app.binary_path else None
        command = [*(blender or [sys.executable]), script, "--", str(copy), str(self.out)]
        with self.error.open("wb") as sink:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sink)

    def result(self):
        """The frame, once the process has ended."""
        if self.process.returncode or not self.out.is_file():
            lines = self.error.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise ValueError(f"Cycles could not render the view: {lines[-1] if lines else 'no reason given'}")
        return passes_worker.load_frame(self.out, adapter.renderer("frame"), adapter.renderer("camera"))

    def close(self):
        """End the process and remove its files."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def _cycles_steps() -> Iterator[float]:
    job = _CyclesProcess()
    try:
        while job.process.poll() is None:
            try:
                job.process.wait(_STEP_S / 2)
            except subprocess.TimeoutExpired:
                yield 0.1
        _LAST["frame"] = job.result()
    finally:
        job.close()


def _steps(scene, what: str, *, reuse: bool) -> Iterator[float]:
    """Do the work bit by bit; yields the share that is done. Closing the iterator cancels it."""
    yield 0.0
    if not (reuse and "frame" in _LAST):
        engine = engine_of(scene.gis_thermal)
        if engine == "cycles":
            yield from _cycles_steps()
        else:
            _LAST["frame"] = adapter.renderer("blender.view").ViewSession(scene).view()
    yield 0.5
    frame = _LAST["frame"]
    if what != "THERMAL":
        pictures.show_passes(frame)
        yield 0.7
    if what != "PASSES":
        pictures.show_thermal(*thermal.render_thermal(frame, scene))
    yield 1.0


def frame_of_view():
    """The frame rendered last, None before the first."""
    return _LAST.get("frame")


def forget_frame() -> None:
    """Forget it, e.g. because another file was opened."""
    _LAST.clear()


@bpy.app.handlers.persistent
def _forget_on_load(*_args) -> None:
    forget_frame()
    for scene in bpy.data.scenes:
        scene.gis_thermal.is_rendering = False


class GIS_OT_render_view(bpy.types.Operator):
    """Render what the active camera sees: depth, mask, zones and the thermal image. Esc cancels"""

    bl_idname = "gis.render_view"
    bl_label = "Render View"
    bl_options = {"REGISTER"}

    what: bpy.props.EnumProperty(
        name="What",
        description="What to render",
        items=[
            ("ALL", "All", "Passes and thermal image"),
            ("PASSES", "Passes", "Depth, mask and zones"),
            ("THERMAL", "Thermal Image", "The thermal image alone"),
        ],
    )
    reuse: bpy.props.BoolProperty(
        name="Same View", description="Keep the passes rendered last: only hour, weather and profile have changed"
    )
    _work = None
    _timer = None

    @classmethod
    def poll(cls, context):
        """There is a perspective camera, and no rendering runs."""
        running = "A rendering runs already" if context.scene.gis_thermal.is_rendering else ""
        return not refuses(cls, running or why_no_view(context.scene))

    @reports_errors
    def execute(self, context):
        """Render to the end; used by scripts and without a window."""
        for _ in _steps(context.scene, self.what, reuse=self.reuse):
            pass
        return self._finish(context)

    def invoke(self, context, _event):
        """Render step by step; Blender stays usable."""
        if bpy.app.background:
            return self.execute(context)
        self._work = _steps(context.scene, self.what, reuse=self.reuse)
        self._timer = context.window_manager.event_timer_add(_STEP_S, window=context.window)
        context.scene.gis_thermal.is_rendering = True
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        """One step a tick."""
        if event.type == "ESC" or not context.scene.gis_thermal.is_rendering:
            self._stop(context, say("Cancelled"))
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        return self._tick(context)

    @reports_errors
    def _advance(self, context):
        context.scene.gis_thermal.progress = next(self._work)
        return {"RUNNING_MODAL"}

    def _tick(self, context):
        for area in context.screen.areas:
            area.tag_redraw()
        try:
            if "CANCELLED" in self._advance(context):
                self._stop(context, context.scene.gis_thermal.message)
                return {"CANCELLED"}
        except StopIteration:
            self._stop(context, "")
            return self._finish(context)
        return {"RUNNING_MODAL"}

    def cancel(self, context):
        """Blender closes the window or loads a file."""
        self._stop(context, "")

    def _stop(self, context, message):
        """Leave no timer, process or state behind."""
        if self._work is not None:
            self._work.close()
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
        self._work = self._timer = None
        settings = context.scene.gis_thermal
        settings.is_rendering, settings.progress, settings.message = False, 0.0, message

    def _finish(self, context):
        frame = frame_of_view()
        pictures.bring_up(context, "GIS Zones" if self.what == "PASSES" else "GIS Thermal")
        text = say("{n} cars in view", n=sum(one.visible_px > 0 for one in frame.instances))
        context.scene.gis_thermal.message = text
        self.report({"INFO"}, text)
        return {"FINISHED"}


class GIS_OT_cancel_render(bpy.types.Operator):
    """Cancel the rendering"""

    bl_idname = "gis.cancel_render"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context):
        """A rendering runs."""
        return not refuses(cls, "" if context.scene.gis_thermal.is_rendering else "No rendering runs")

    def execute(self, context):
        """Ask the rendering to stop; it does at its next step."""
        context.scene.gis_thermal.is_rendering = False
        return {"FINISHED"}


CLASSES = (GIS_OT_render_view, GIS_OT_cancel_render)


def register() -> None:
    """Register the operators."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.app.handlers.load_post.append(_forget_on_load)


def unregister() -> None:
    """Unregister them."""
    bpy.app.handlers.load_post.remove(_forget_on_load)
    forget_frame()
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
