"""Make data sets of the open scene with the ``gis`` command of another Python."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import bpy

from .. import adapter, dataset, preferences, process
from ..translations import say
from .common import Refused, refuses, reports_errors, why_no_view

__all__ = ["order_of", "register", "unregister", "why_no_dataset"]


def why_no_dataset(scene: bpy.types.Scene) -> str:
    """Why no data set can be made now; empty where it can."""
    if dataset.is_running():
        return "A command runs already: wait for its end, or cancel it"
    if reason := why_no_view(scene):
        return reason
    if not scene.gis_dataset.out:
        return "Choose an output folder"
    if scene.gis_dataset.out.startswith("//") and not bpy.data.filepath:
        return "Save the file first, or choose an output folder that does not start with //"
    return ""


def _path(text: str) -> str:
    """A path of the panel as one that another process understands."""
    return str(Path(bpy.path.abspath(text)).expanduser().resolve())


def _copy_of_scene(folder: Path) -> Path:
    """Save a copy of the open file; the user's own is neither written nor marked as saved."""
    copy = folder / f"{Path(bpy.data.filepath).stem or 'untitled'}.blend"
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, check_existing=False, compress=False)
    except RuntimeError as error:
        raise process.CommandError(say("The scene could not be copied: {error}", error=str(error).strip())) from None
    return copy


def _options(scene, what: str) -> list[str]:
    """What the panel asks for, as options of a command."""
    settings = scene.gis_dataset
    options = ["--count", str(settings.count), "--seed", str(settings.seed)]
    if what == "render":
        return options
    backend = settings.backend.strip() or "physics"
    options += ["--backend", backend]
    if settings.weights and backend != "physics":
        options += ["--weights", _path(settings.weights)]
    if settings.backgrounds:
        options += ["--backgrounds", _path(settings.backgrounds)]
        if not adapter.renderer("blender.traffic").model_collections():
            options += ["--cars", str(adapter.data_file("cars.blend"))]
    return options if settings.vary else options + _conditions(scene.gis_thermal)


def _conditions(settings) -> list[str]:
    """Weather, hour and season of the panel; and the profile, where it names one for all cars."""
    options = ["--hour", f"{settings.hour % 24.0:g}", "--weather", settings.weather, "--season", settings.season]
    return options if settings.profile == "EACH" else [*options, "--profile", settings.profile]


def _note(scene) -> str:
    """What a user should know of the frames that a scene gives; empty where there is nothing."""
    if scene.gis_dataset.backgrounds or any("gis_camera_path" in item for item in scene.objects):
        return ""
    moves = any(item.animation_data or item.constraints or item.parent for item in scene.objects)
    if moves:
        return say("The scene has no lanes: frame by frame it is the animation from its start on")
    return say("The scene has no lanes and no animation: every frame is the same view")


def _ended(out: Path, copy: Path, note: str):
    """The message at the end of a command, in the words of the panel."""

    def message(job: process.Job) -> str:
        if job.state == process.DONE:
            done = say("{n} frames in {folder}", n=job.count, folder=out)
            return f"{done}. {note}" if note else done
        return job.error.replace(str(copy), copy.name).replace("--out", say("output folder"))

    return message


def order_of(scene: bpy.types.Scene, what: str) -> dataset.Order:
    """The command that a scene's settings ask for, with a copy of the scene.

    Args:
        scene: its ``gis_dataset`` holds the settings.
        what: ``render`` or ``synthesize``.

    Raises:
        CommandError: no program, or a folder that cannot be used.
        OSError: no temporary files can be written.
    """
    program, out = preferences.gis_command(), Path(_path(scene.gis_dataset.out))
    if reason := process.why_not_writable(out):
        raise process.CommandError(reason)
    if not dataset.is_new(out):
        raise process.CommandError(say("{folder} holds files: choose an empty or a new folder", folder=out))
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = dataset.new_folder()
    try:
        copy = _copy_of_scene(folder)
    except process.CommandError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    command = (*program, what, "--scene", str(copy), "--out", str(out), *_options(scene, what))
    log = out.with_name(f"{out.name}.log")
    return dataset.Order(command, log, folder, out, scene.gis_dataset.count, _ended(out, copy, _note(scene)))


class _Runs:
    """Starts a command: to its end in scripts, beside Blender where there is a window."""

    def order(self, _context):
        """The command; None is the last one again."""
        return None

    def execute(self, context):
        """Run to the end."""
        return self._run(context, waits=True)

    def invoke(self, context, _event):
        """Start, and leave the rest to a timer."""
        return self._run(context, waits=bpy.app.background)

    @reports_errors
    def _run(self: Any, context, *, waits):
        try:
            dataset.start(self.order(context))
        except (process.CommandError, adapter.RendererMissing, OSError) as error:
            dataset.fail(str(error))
            raise
        if not waits:
            dataset.watch()
            return {"FINISHED"}
        state, message = dataset.wait(), context.scene.gis_dataset.message
        if state != process.DONE:
            raise Refused(message)
        self.report({"INFO"}, message)
        return {"FINISHED"}


class _MakesDataset(_Runs):
    """A command on the open scene that writes the output folder."""

    what = ""
    """The command's name, as of :func:`order_of`."""

    @classmethod
    def poll(cls, context):
        """There are a camera and an output folder, and no command runs."""
        return not refuses(cls, why_no_dataset(context.scene))

    def order(self, context):
        """The command."""
        return order_of(context.scene, self.what)


class GIS_OT_render_dataset(_MakesDataset, bpy.types.Operator):
    """Render depth, mask and zones of the scene for the chosen count of frames, with gis render"""

    bl_idname = "gis.render_dataset"
    bl_label = "Render Passes"
    what = "render"


class GIS_OT_synthesize_dataset(_MakesDataset, bpy.types.Operator):
    """Make a labelled thermal data set of the scene, or of the backgrounds, with gis synthesize"""

    bl_idname = "gis.synthesize_dataset"
    bl_label = "Synthesize"
    what = "synthesize"


class GIS_OT_continue_dataset(_Runs, bpy.types.Operator):
    """Go on with the command that was cancelled or failed, with the scene as it was then"""

    bl_idname = "gis.continue_dataset"
    bl_label = "Continue"

    @classmethod
    def poll(cls, _context):
        """A command was cut short."""
        return not refuses(cls, "" if dataset.can_continue() else "There is nothing to continue")


class GIS_OT_cancel_dataset(bpy.types.Operator):
    """Cancel the running command; what is complete stays in the output folder"""

    bl_idname = "gis.cancel_dataset"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context):
        """A command runs."""
        return not refuses(cls, "" if dataset.is_running() else "No command runs")

    def execute(self, _context):
        """Ask it to end."""
        dataset.cancel()
        return {"FINISHED"}


class GIS_OT_find_environment(bpy.types.Operator):
    """Look for gis: $GIS_PYTHON, the PATH, a virtual environment beside the file or in the home folder"""

    bl_idname = "gis.find_environment"
    bl_label = "Find gis"

    @reports_errors
    def execute(self, _context):
        """Look, store, report."""
        own = preferences.preferences()
        if own:
            own.program = ""
        found = preferences.known_program()
        if not found:
            raise process.CommandError(say("No Python with gis was found: name its path"))
        if own:
            own.program = found
        self.report({"INFO"}, say("Found {path}", path=found))
        return {"FINISHED"}


class GIS_OT_check_environment(_Runs, bpy.types.Operator):
    """Check with gis doctor that the program works and has all it needs"""

    bl_idname = "gis.check_environment"
    bl_label = "Check gis"

    @classmethod
    def poll(cls, _context):
        """No command runs."""
        return not refuses(cls, "A command runs already" if dataset.is_running() else "")

    def order(self, _context):
        """The command; its log is needed no longer than it is shown."""
        program, folder = preferences.gis_command(), dataset.new_folder()
        return dataset.Order((*program, "doctor", "--out", tempfile.gettempdir()), folder / "doctor.log", folder,
                             ended=_checked)  # fmt: skip


def _checked(job: process.Job) -> str:
    ready, line = process.doctor_says(job.process.returncode, job.text())
    if not ready:
        job.state = process.FAILED
    return line


CLASSES = (
    GIS_OT_render_dataset,
    GIS_OT_synthesize_dataset,
    GIS_OT_continue_dataset,
    GIS_OT_cancel_dataset,
    GIS_OT_find_environment,
    GIS_OT_check_environment,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
