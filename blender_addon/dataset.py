"""The one ``gis`` command that runs for the panel: its settings, and what the panel shows of it.

State, progress and message are no data of the scene: they are read from here. So neither undo nor opening another file
leaves a scene behind that takes a dead command for a running one.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from . import adapter, pass_files, process, thumbnails
from .properties import RELATIVE
from .translations import say

__all__ = ["CHECKING", "GIS_PG_dataset", "Order", "can_continue", "cancel", "fail", "is_new", "is_running",
           "new_folder", "output", "register", "start", "stop", "unregister", "wait", "watch"]  # fmt: skip

CHECKING = "CHECKING"
"""State while the program itself is being checked; the others are those of :mod:`process`."""
TICK_S = 0.25
"""How often the panel looks at the command; each look reads what was added to one file."""
_WAIT_S = 0.05
_SHOW_S = 2.0
"""How long a frame stays in the panel at least: Blender loads pictures aside, and needs time for each."""
_BACKGROUNDS_SHOWN = 4


@dataclass(frozen=True)
class Order:
    """A command to run."""

    command: tuple[str, ...]
    log: Path
    folder: Path
    """Temporary files that it reads, and where it is started; removed when another command takes its place."""
    out: Path | None = None
    count: int = 1
    ended: Callable[[process.Job], str] = lambda job: job.error
    """Gives the message at the end of a command that was not cancelled."""


class _Status:
    """What the panel shows, and what stands behind it."""

    state = process.IDLE
    message = ""
    order: Order | None = None
    job: process.Job | None = None
    show_again_s = 0.0
    unfinished: Order | None = None
    """The last command that was to make frames, where it was cut short."""


_NOW = _Status()


def is_running() -> bool:
    """Whether a command runs."""
    return _NOW.job is not None and _NOW.job.is_running


def can_continue() -> bool:
    """Whether the last data set was cut short with something done, so that its command can go on with it."""
    return not is_running() and _NOW.unfinished is not None


def is_new(folder: Path) -> bool:
    """Whether a folder is missing or empty."""
    return not folder.is_dir() or not any(folder.iterdir())


def output() -> str:
    """Folder of the command that ran last; empty where it had none."""
    return str(_NOW.order.out) if _NOW.order and _NOW.order.out else ""


def fail(message: str) -> None:
    """Show why nothing was started."""
    if not is_running():
        _NOW.state, _NOW.message, _NOW.job = process.FAILED, message, None
        _redraw()


def start(order: "Order | None" = None) -> None:
    """Start a command, or the last one again.

    Raises:
        CommandError: it cannot be started, or another one runs.
    """
    if is_running():
        raise process.CommandError(say("A command runs already: wait for its end, or cancel it"))
    order = order or _NOW.unfinished
    if order is None:
        raise process.CommandError(say("There is nothing to continue"))
    try:
        job = process.Job(order.command, log=order.log, out=order.out, count=order.count, cwd=order.folder)
    except process.CommandError:
        _forget(order, None)
        raise
    before = _NOW.order, _NOW.unfinished
    _NOW.order, _NOW.job = order, job
    if order.out is not None:
        _NOW.unfinished = order
        thumbnails.clear("last")
    for one in before:
        _forget(one, order)
    _look()


def _forget(old, new) -> None:
    """Remove the temporary files of a command that neither runs nor can be continued."""
    if old is not None and old is not new and old is not _NOW.unfinished:
        shutil.rmtree(old.folder, ignore_errors=True)


def _look() -> None:
    """Take over what the command has done since the last look."""
    job, order = _NOW.job, _NOW.order
    if job is None or order is None:
        return
    was_running, state = job.is_running, job.poll()
    if state == process.RUNNING:
        _NOW.message = say("Checking ...") if order.out is None else _progress_of(job)
    elif state == process.CANCELLING:
        _NOW.message = say("Cancelling ...")
    elif was_running:
        _end(job, order)
    _NOW.state = CHECKING if job.state == process.RUNNING and order.out is None else job.state
    _show_last(job, order)


def _end(job: process.Job, order: Order) -> None:
    if job.state == process.CANCELLED:
        _NOW.message = say("Cancelled after {n} of {m} frames", n=job.done, m=order.count)
    else:
        _NOW.message = order.ended(job)
    if order is _NOW.unfinished and (job.state == process.DONE or order.out is None or is_new(order.out)):
        _NOW.unfinished = None


def _progress_of(job) -> str:
    if not job.done:
        return say("Opening the scene ...")
    left = job.left_s
    if left is None:
        return say("{n} of {m} frames", n=job.done, m=job.count)
    if job.done >= job.count:
        return say("Writing the labels ...")
    return say("{n} of {m} frames, about {t} left", n=job.done, m=job.count, t=_duration(left))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return say("{n} s", n=round(seconds))
    return say("{n} min", n=round(seconds / 60)) if seconds < 5400 else say("{n:.1f} h", n=seconds / 3600)


_SHOWN: dict[str, Path] = {}


def _show_last(job, order) -> None:
    """Show the last complete frame: its infrared image, or its zones where only passes are made."""
    if order.out is None or not job.done:
        return
    name = f"{min(job.done, order.count) - 1:06d}"
    image, passes = order.out / "images" / f"{name}.png", order.out / "passes" / f"{name}.exr"
    path = image if image.is_file() else passes
    is_new_row = not thumbnails.icons("last")
    if not is_new_row and (path == _SHOWN.get("last") or (job.is_running and time.monotonic() < _NOW.show_again_s)):
        return
    _SHOWN["last"], _NOW.show_again_s = path, time.monotonic() + _SHOW_S
    if path == image:
        thumbnails.show("last", [image])
        return
    with contextlib.suppress(OSError, ValueError):  # a picture less is no reason to stop
        zones = pass_files.read_pass(passes, "zone").astype(np.uint8)
        thumbnails.show_pixels(
            "last", adapter.renderer("zones.catalogue").zone_palette()[zones].astype(np.float32) / 255
        )


def _redraw() -> None:
    for window in bpy.context.window_manager.windows if bpy.context.window_manager else ():
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()


def tick() -> "float | None":
    """Look, redraw; called by Blender's timers as long as it gives a number."""
    if _NOW.job is None:
        return None
    _look()
    _redraw()
    return TICK_S if _NOW.job.is_running else None


def watch() -> None:
    """Look at the command from now on while Blender goes on as usual."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=TICK_S, persistent=True)


def wait() -> str:
    """Wait for the command's end; returns its state. For scripts and Blender without a window."""
    while _NOW.job is not None and _NOW.job.is_running:
        _look()
        time.sleep(_WAIT_S)
    _look()
    return _NOW.state


def cancel() -> None:
    """Ask the command to end."""
    if _NOW.job is not None:
        _NOW.job.cancel()
        _look()


def stop() -> None:
    """End the command at once and remove its temporary files."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    if _NOW.job is not None:
        _NOW.job.close()
    for order in (_NOW.order, _NOW.unfinished):
        if order is not None:
            shutil.rmtree(order.folder, ignore_errors=True)
    _NOW.state, _NOW.message, _NOW.job, _NOW.order, _NOW.unfinished = process.IDLE, "", None, None, None


# --- settings ---------------------------------------------------------------------------------------------------------


def _show_backgrounds(self, _context) -> None:
    folder = Path(bpy.path.abspath(self.backgrounds)) if self.backgrounds else None
    thumbnails.show("backgrounds", thumbnails.pictures_of(folder, _BACKGROUNDS_SHOWN) if folder else [])


class GIS_PG_dataset(bpy.types.PropertyGroup):
    """Settings of a scene's data set; and the command's state, the same in all scenes."""

    count: bpy.props.IntProperty(name="Count", description="How many frames", min=1, max=999999, default=16)
    seed: bpy.props.IntProperty(name="Seed", description="Seed of everything random", min=0, default=0)
    out: bpy.props.StringProperty(
        name="Output", description="Folder of the data set: an empty or a new one", subtype="DIR_PATH", options=RELATIVE
    )
    backgrounds: bpy.props.StringProperty(
        name="Backgrounds",
        description="Folder of real thermal images that the cars are put into; empty: the scene itself",
        subtype="DIR_PATH",
        options=RELATIVE,
        update=_show_backgrounds,
    )
    backend: bpy.props.StringProperty(
        name="Backend", description="physics, or a translation model: gis backends lists them", default="physics"
    )
    weights: bpy.props.StringProperty(
        name="Weights", description="Model file of a translation model", subtype="FILE_PATH", options=RELATIVE
    )
    vary: bpy.props.BoolProperty(
        name="Vary Weather and Hour",
        description="Draw weather, hour and season for each frame; off: those of the panel above in all frames",
        default=True,
    )
    state: bpy.props.StringProperty(
        name="State", description="IDLE, CHECKING, RUNNING, CANCELLING, DONE, FAILED or CANCELLED",
        get=lambda _self: _NOW.state,
    )  # fmt: skip
    progress: bpy.props.FloatProperty(
        name="Progress", description="Share of the frames that are complete", min=0.0, max=1.0, subtype="FACTOR",
        get=lambda _self: _NOW.job.progress if _NOW.job else 0.0,
    )  # fmt: skip
    message: bpy.props.StringProperty(
        name="Message", description="What the command does, or why it failed", get=lambda _self: _NOW.message
    )
    log: bpy.props.StringProperty(
        name="Log", description="File with everything that the command wrote",
        get=lambda _self: str(_NOW.order.log) if _NOW.order and _NOW.job else "",
    )  # fmt: skip


def new_folder() -> Path:
    """A new folder for temporary files."""
    return Path(tempfile.mkdtemp(prefix="gis-"))


def register() -> None:
    """Give scenes their settings."""
    bpy.utils.register_class(GIS_PG_dataset)
    bpy.types.Scene.gis_dataset = bpy.props.PointerProperty(
        type=GIS_PG_dataset, name="GIS Dataset", description="Data set of the add-on GIS Thermal"
    )


def unregister() -> None:
    """Take them away again, and end what runs."""
    stop()
    del bpy.types.Scene.gis_dataset
    bpy.utils.unregister_class(GIS_PG_dataset)
