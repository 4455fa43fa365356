"""The command line: ``gis COMMAND``.

Each command is a function in a small module of its own and one row of :data:`COMMANDS`. A module is imported when its
command is called, so ``gis --help`` answers at once. A command takes its options (most as one dataclass, see
:mod:`pipelines.cli.declared_options`), calls one function and prints; here errors become exit codes:

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done
1     one of our errors, or the system refused a file: one line on standard error
2     usage: an option that does not exist, or a value of the wrong kind
70    a fault of gis itself: one line, and a file with the traceback
130   Ctrl-C; the same command goes on where it stopped
143   the same by SIGTERM; 129 by SIGHUP, 128 and its number by another signal
====  ==========================================================================
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from renderer.errors import GisError
from typer.core import TyperCommand, TyperGroup

from pipelines.cli.console import results_as_json, say
from pipelines.cli.faults import FAULT, report_fault, report_system, traceback_file
from pipelines.cli.first_steps import take_first_steps
from pipelines.cli.signals import Stopped, ignore_signals, stop_by_signals
from pipelines.cli.streams import unsaid
from pipelines.io.progress import LOG_FORMATS, TEXT, log_as
from pipelines.worker_process import end_early

__all__ = ["COMMANDS", "EXTRAS", "Command", "app", "main"]

_DATA, _MODELS, _OTHER = "Data sets", "Models", "Files and tools"
_PLACE = "pipelines.cli.commands"


@dataclass(frozen=True)
class Command:
    """A row of the help: what can be said of a command before its module is imported."""

    help: str
    """The first line of its function's docstring."""
    panel: str


COMMANDS = {
    "backgrounds": Command(
        "Take in real thermal files: FLIR JPEG and FFF with their degrees, other pictures as display-only.", _DATA
    ),
    "render": Command("Render depth, instance and zone passes of a scene: one EXR a frame, and frames.jsonl.", _DATA),
    "synthesize": Command(
        "Make a labelled thermal data set: images, masks, zones, depth, COCO, KITTI and YOLO labels.", _DATA
    ),
    "scene": Command(
        "Build a scene for gis synthesize --scene: streets with lanes, parking bays and what stands beside them.", _DATA
    ),
    "merge": Command("Put the parts of a data set together, made with --frames on any machines.", _DATA),
    "fit": Command(
        "Fit car models to the cars of real frames: aligned pairs of source tensor and real image, to train from.",
        _DATA,
    ),
    "align": Command(
        "Bring a visible camera's pictures onto an infrared camera's: one transform from many frames, cropped pairs.",
        _DATA,
    ),
    "stats": Command(
        "Tell what is in sets of frames, real or made: sizes, distances, positions, contrast, hours, side by side.",
        _DATA,
    ),
    "view": Command(
        "Look at a set of any size in a browser on this machine: frames by category, size, weather, with all labels.",
        _DATA,
    ),
    "validate": Command("Check a data set: hashes, sizes, ids, boxes, labels.", _DATA),
    "train": Command("Train a translation model and write one small file to share, OUT/model.safetensors.", _MODELS),
    "models": Command("List the translation models: paper, pairing, default options, parameters.", _MODELS),
    "translate": Command(
        "Translate a folder of source tensors or images into infrared images with a trained model.", _MODELS
    ),
    "evaluate": Command(
        "Measure generated images against real ones: LPIPS, SSIM, PSNR and more, with intervals and an HTML report.",
        _MODELS,
    ),
    "measure": Command(
        "Train a small detector on sets of frames and test it on real ones: average precision, what a set is worth.",
        _MODELS,
    ),
    "compare": Command(
        "Train several translation models alike, measure them on the same images, and write one page about it.",
        _MODELS,
    ),
    "export": Command(
        "Write a data set in the form of another tool: YOLO, COCO, KITTI, VOC, or temperatures as TIFF.", _DATA
    ),
    "addon": Command("Build the Blender add-on: an extension from Blender 4.2 on, a legacy add-on before.", _OTHER),
    "doctor": Command("Check this machine: Python, Blender and its libraries, room on the disk.", _OTHER),
}
"""Name of each command, of its function and of that function's module, in the order of the help."""
OLD_COMMANDS = {"backends": "models"}
"""Names of earlier versions, which go on working with a note."""
EXTRAS = {
    "bpy": "render",
    "fsspec": "store",
    "lightning_fabric": "gan",
    "lpips": "gan",
    "nncf": "serve",
    "onnx": "serve",
    "openvino": "serve",
    "pyarrow": "store",
    "pycocotools": "measure",
    "ray": "cluster",
    "tensorboard": "gan",
    "torch": "gan",
}
"""Modules that some commands alone need, and the extras of the package that bring them."""
_CONTEXT = {"help_option_names": ["-h", "--help"]}


class _Commands(TyperGroup):
    """Commands whose modules are imported when they are called; the help needs their rows alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Some options may stand anywhere."""
        return super().parse_args(ctx, _to_the_front(args))

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The row of a command, as the help shows it."""
        row = COMMANDS.get(cmd_name)
        return row and TyperCommand(cmd_name, help=row.help, rich_help_panel=row.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself."""
        if args[0] in OLD_COMMANDS:
            new = OLD_COMMANDS[args[0]]
            if not ctx.resilient_parsing:
                say(f"gis: {args[0]} is now {new}; the next version knows that name alone", err=True)
            args = [new, *args[1:]]
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_command(str(name)), rest


def load_command(name: str) -> Any:
    """A command with its options."""
    from pipelines.cli.declared_options import declared_command, is_declared

    function = getattr(importlib.import_module(f"{_PLACE}.{name}"), name)
    alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False)
    cls = TyperCommand
    if is_declared(function):
        function, cls = declared_command(function)
    alone.command(name, cls=cls, context_settings=_CONTEXT)(_reporting(function))
    return typer.main.get_command(alone)


app = typer.Typer(
    name="gis",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)


def _to_the_front(args: list[str]) -> list[str]:
    """The options that all commands have, wherever they stand, before the command."""
    front: list[str] = []
    end = args.index("--") if "--" in args else len(args)
    words, rest = args[:end], args[end:]
    kept = []
    while words:
        word = words.pop(0)
        if word == "--json" or word.startswith("--log-format="):
            front.append(word)
        elif word == "--log-format" and words:
            front += [word, words.pop(0)]
        else:
            kept.append(word)
    return [*front, *kept, *rest]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gis {importlib.metadata.version('gis-thermal')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-v", "-V", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    log_format: Annotated[
        str,
        typer.Option(help="Progress and notes on standard error: text, or json, one object a line. With any command."),
    ] = TEXT,
    json: Annotated[
        bool, typer.Option("--json", help="The result on standard output as one JSON object. With any command.")
    ] = False,
) -> None:
    """Labelled thermal-infrared training data out of Blender."""
    if log_format not in LOG_FORMATS:
        raise typer.BadParameter(f"{log_format!r}: expected one of {', '.join(LOG_FORMATS)}", param_hint="--log-format")
    log_as(log_format)
    results_as_json(json)


def _reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The command with our errors as one line on standard error."""
    name = f"gis {command.__name__}"

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except GisError as error:
            raise typer.Exit(_report(name, error)) from None
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in EXTRAS:
                raise
            say(f"{name}: {missing} is not installed: pip install 'gis-thermal[{EXTRAS[missing]}]'", err=True)
            raise typer.Exit(1) from None
        except MemoryError:
            say(f"{name}: not enough memory: give fewer --workers, a smaller --size or a smaller --batch", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(_report_end(name, Stopped(signal.SIGINT))) from None

    return run


def _report(name: str, error: GisError) -> int:
    """Says what is wrong; returns the exit status. What a worker did not foresee is a fault, and has its traceback."""
    line, notes = f"{name}: {' '.join(str(error).split())}", getattr(error, "__notes__", ())
    if notes:
        line += f"; this is a fault of gis: please report it with {traceback_file(chr(10).join(notes))}"
    say(line, err=True, event="error")
    return FAULT if notes else 1


def _report_end(name: str, stopped: Stopped) -> int:
    again = "the same command with --resume" if name == "gis train" else "the same command"
    say(f"{name}: stopped{stopped.by}; {again} goes on where it stopped", err=True)
    return stopped.code


def _run(name: str) -> int:
    """Runs the command that stands on the command line; returns the exit status."""
    try:
        stop_by_signals()
        app(prog_name="gis")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Stopped as stopped:
        ignore_signals()
        return _report_end(name, stopped)
    except OSError as error:
        report_system(name, error)
        return 1
    except Exception as error:
        report_fault(name, error)
        return FAULT
    return 0


def main() -> None:
    """A whole process: its streams, its signals, its last words and its exit status."""
    take_first_steps()
    name = " ".join(["gis", *[word for word in sys.argv[1:] if word in COMMANDS][:1]])
    try:
        code = _run(name)
    finally:
        end_early()
    if why := unsaid():
        say(f"{name}: standard output could not be written ({why})", err=True)
        code = code or 1
    sys.exit(code)


if __name__ == "__main__":
    main()
