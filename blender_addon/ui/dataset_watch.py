"""Keeps the panel up to date while a command runs: its last frame as a picture, progress, message."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import bpy
import numpy as np
from renderer.zones.catalogue import zone_palette

from ..data import pass_files
from ..jobs.dataset_job import RUNNER, Command
from ..jobs.process import Job
from . import thumbnails

__all__ = ["ROW", "fail", "start", "stop", "tick", "wait", "watch"]

ROW = "last"
"""Row of the panel's pictures that shows the last frame."""
TICK_S = 0.25
"""How often the panel looks at the command; each look reads what was added to one file."""
_WAIT_S = 0.05
_SHOW_S = 2.0
"""How long a frame stays in the panel at least: Blender loads pictures aside, and needs time for each."""


class _LastFrame:
    """The picture of the last complete frame: its infrared image, or its zones where only passes are made."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._keep_until_s = 0.0

    def clear(self) -> None:
        """Show no picture."""
        self._path, self._keep_until_s = None, 0.0
        thumbnails.clear(ROW)

    def update(self, job: Job, command: Command) -> None:
        """Show the newest frame, where the last one has been shown for long enough."""
        if command.out is None or not job.done:
            return
        name = f"{min(job.done, command.count) - 1:06d}"
        image, passes = command.out / "images" / f"{name}.png", command.out / "passes" / f"{name}.exr"
        path = image if image.is_file() else passes
        is_enough = path == self._path or (job.is_running and time.monotonic() < self._keep_until_s)
        if is_enough and thumbnails.icons(ROW):
            return
        self._path, self._keep_until_s = path, time.monotonic() + _SHOW_S
        if path == image:
            thumbnails.show(ROW, [image])
            return
        with contextlib.suppress(OSError, ValueError):  # a picture less is no reason to stop
            zones = pass_files.read_pass(passes, "zone").astype(np.uint8)
            thumbnails.show_pixels(ROW, zone_palette()[zones].astype(np.float32) / 255)


_LAST_FRAME = _LastFrame()
"""Timers are plain functions: what one knows from its last call has to lie in the module."""


def start(command: Command | None = None) -> None:
    """Start a command, or the one that was cut short.

    Raises:
        CommandError: it cannot be started, or another one runs.
    """
    if RUNNER.start(command).out is not None:
        _LAST_FRAME.clear()
    _look()


def fail(message: str) -> None:
    """Show why nothing was started."""
    RUNNER.fail(message)
    _redraw()


def _look() -> None:
    RUNNER.look()
    if RUNNER.job is not None and RUNNER.command is not None:
        _LAST_FRAME.update(RUNNER.job, RUNNER.command)


def _redraw() -> None:
    for window in bpy.context.window_manager.windows if bpy.context.window_manager else ():
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()


def tick() -> float | None:
    """Look, redraw; called by Blender's timers as long as it gives a number."""
    if RUNNER.job is None:
        return None
    _look()
    _redraw()
    return TICK_S if RUNNER.is_running else None


def watch() -> None:
    """Look at the command from now on while Blender goes on as usual."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=TICK_S, persistent=True)


def wait() -> str:
    """Wait for the command's end; returns its state. For scripts and Blender without a window."""
    while RUNNER.is_running:
        _look()
        time.sleep(_WAIT_S)
    _look()
    return RUNNER.state


def stop() -> None:
    """End the command at once, remove its temporary files, look no more."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    RUNNER.close()
