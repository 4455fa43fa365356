"""Make data sets of the open scene with the ``gis`` command of another Python."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..adapter import FileMissing, data_file
from ..jobs import process
from ..jobs.dataset_job import RUNNER, Command, is_new, new_folder
from ..translations import count_of, say
from ..ui import dataset_watch, preferences
from ..ui.availability import why_no_dataset
from .common import Refused, refuses, reports_errors

__all__ = ["command_of_scene", "register", "unregister"]


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


def _options(scene: bpy.types.Scene, what: str) -> list[str]:
    """What the panel asks for, as options of a command."""
    settings = scene.gis_dataset
    options = ["--count", str(settings.count), "--seed", str(settings.seed)]
    if what == "render":
        return options
    options += _model_options(settings)
    if settings.backgrounds:
        options += _background_options(settings)
    return options + _condition_options(scene.gis_thermal) if _has_one_weather(scene) else options


def _has_one_weather(scene: bpy.types.Scene) -> bool:
    """Whether all frames have the panel's weather and hour: what moves from frame to frame is one moment."""
    chosen = scene.gis_dataset.conditions
    return bool(chosen == "PANEL" or (chosen == "AUTO" and _is_animation(scene)))


def _is_animation(scene: bpy.types.Scene) -> bool:
    """Whether the frames follow each other, neither drawn in lanes nor put into backgrounds."""
    return not (scene.gis_dataset.backgrounds or _has_lanes(scene)) and any(map(_moves, scene.objects))


def _has_lanes(scene: bpy.types.Scene) -> bool:
    return any("gis_camera_path" in item for item in scene.objects)


def _moves(item: bpy.types.Object) -> bool:
    """Whether an object has keys, drivers or a track of its own, or is made to follow another."""
    keys = getattr(item.data, "shape_keys", None)
    animated = [getattr(part, "animation_data", None) for part in (item, item.data, keys)]
    return bool(item.constraints) or any(one and (one.action or one.nla_tracks or one.drivers) for one in animated)


def _model_options(settings: bpy.types.PropertyGroup) -> list[str]:
    """The model that the user chose; nothing where the command is to choose.

    Raises:
        ValueError: a model is to be named, and is not.
    """
    if settings.model == "DEFAULT":
        return []
    if settings.model == "PHYSICS":
        return ["--model", "physics"]
    name = settings.model_name.strip() if settings.model == "NAMED" else settings.model
    if not name:
        raise ValueError(say("Name the translation model: gis models lists them"))
    return ["--model", name, *(["--weights", _path(settings.weights)] if settings.weights else [])]


def _background_options(settings: bpy.types.PropertyGroup) -> list[str]:
    """Backgrounds, and the cars for them: the file's models, else the shipped ones."""
    from renderer.blender.traffic import model_collections

    options = ["--backgrounds", _path(settings.backgrounds)]
    return options if model_collections() else [*options, "--cars", str(data_file("cars.blend"))]


def _condition_options(settings: bpy.types.PropertyGroup) -> list[str]:
    """Weather, hour and season of the panel; and the profile, where it names one for all cars."""
    options = ["--hour", f"{settings.hour % 24.0:g}", "--weather", settings.weather, "--season", settings.season]
    return options if settings.profile == "EACH" else [*options, "--profile", settings.profile]


def _note(scene: bpy.types.Scene) -> str:
    """What a user should know of the frames that a scene gives; empty where there is nothing."""
    if scene.gis_dataset.backgrounds or _has_lanes(scene):
        return ""
    if _is_animation(scene):
        return say("The scene has no lanes: frame by frame it is the animation from its start on")
    return say("The scene has no lanes and no animation: every frame is the same view")


def _end_message(out: Path, copy: Path, note: str) -> Callable[[process.Job], str]:
    """The message at the end of a command, in the words of the panel."""

    def message(job: process.Job) -> str:
        if job.state == process.DONE:
            result = say("{frames} in {folder}", frames=count_of(job.count, "frame"), folder=out)
            return f"{result}. {note}" if note else result
        return job.error.replace(str(copy), copy.name).replace("--out", say("output folder"))

    return message


def command_of_scene(scene: bpy.types.Scene, what: str) -> Command:
    """The command that a scene's settings ask for, with a copy of the scene.

    Args:
        scene: its ``gis_dataset`` holds the settings.
        what: ``render`` or ``synthesize``.

    Raises:
        CommandError: no program, or a folder that cannot be used.
        ValueError: a model is to be named, and is not.
        OSError: no temporary files can be written.
    """
    program, out = preferences.gis_command(), Path(_path(scene.gis_dataset.out))
    if reason := process.why_not_writable(out):
        raise process.CommandError(reason)
    if not is_new(out):
        raise process.CommandError(say("{folder} holds files: choose an empty or a new folder", folder=out))
    options = _options(scene, what)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = new_folder()
    try:
        copy = _copy_of_scene(folder)
    except process.CommandError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    arguments = (*program, what, "--scene", str(copy), "--out", str(out), *options)
    log = out.with_name(f"{out.name}.log")
    return Command(arguments, log, folder, out, scene.gis_dataset.count, _end_message(out, copy, _note(scene)))


class _Runs:
    """Starts a command: to its end in scripts, beside Blender where there is a window."""

    def command(self, _context: bpy.types.Context) -> Command | None:
        """What to run; None is the command that was cut short."""
        return None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run to the end."""
        return self._run(context, waits=True)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start, and leave the rest to a timer."""
        return self._run(context, waits=bpy.app.background)

    @reports_errors
    def _run(self: Any, context: bpy.types.Context, *, waits: bool) -> set[str]:
        try:
            dataset_watch.start(self.command(context))
        except (process.CommandError, FileMissing, ValueError, OSError) as error:
            dataset_watch.fail(str(error))
            raise
        if not waits:
            dataset_watch.watch()
            return {"FINISHED"}
        state, message = dataset_watch.wait(), context.scene.gis_dataset.message
        if state != process.DONE:
            raise Refused(message)
        self.report({"INFO"}, message)
        return {"FINISHED"}


class _MakesDataset(_Runs):
    """A command on the open scene that writes the output folder."""

    what = ""
    """The command's name, as of :func:`command_of_scene`."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are a camera and an output folder, and no command runs."""
        return not refuses(cls, why_no_dataset(context.scene))

    def command(self, context: bpy.types.Context) -> Command:
        """What to run."""
        return command_of_scene(context.scene, self.what)


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
    def poll(cls, _context: bpy.types.Context) -> bool:
        """A command was cut short."""
        return not refuses(cls, "" if RUNNER.can_continue else "There is nothing to continue")


class GIS_OT_cancel_dataset(bpy.types.Operator):
    """Cancel the running command; what is complete stays in the output folder"""

    bl_idname = "gis.cancel_dataset"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """A command runs."""
        return not refuses(cls, "" if RUNNER.is_running else "No command runs")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to end."""
        RUNNER.cancel()
        return {"FINISHED"}


class GIS_OT_find_environment(bpy.types.Operator):
    """Look for gis: $GIS_PYTHON, the PATH, .local/bin in the home folder; never beside the open file"""

    bl_idname = "gis.find_environment"
    bl_label = "Find gis"

    @reports_errors
    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Look, store, report."""
        own = preferences.preferences()
        if own:
            own.program = ""
        program = preferences.known_program()
        if not program:
            raise process.CommandError(say("No Python with gis was found: name its path"))
        if own:
            own.program = program
        self.report({"INFO"}, say("Found {path}", path=program))
        return {"FINISHED"}


class GIS_OT_check_environment(_Runs, bpy.types.Operator):
    """Check with gis doctor that the program works and has all it needs"""

    bl_idname = "gis.check_environment"
    bl_label = "Check gis"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """No command runs."""
        return not refuses(cls, "A command runs already" if RUNNER.is_running else "")

    def command(self, _context: bpy.types.Context) -> Command:
        """What to run; its log is needed no longer than it is shown."""
        arguments, folder = (*preferences.gis_command(), "doctor", "--out", tempfile.gettempdir()), new_folder()
        return Command(arguments, folder / "doctor.log", folder, end_message=_doctor_message)


def _doctor_message(job: process.Job) -> str:
    ready, line = process.doctor_report(job.process.returncode, job.text())
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
