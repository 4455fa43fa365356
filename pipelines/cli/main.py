"""The command line: ``gis COMMAND``.

Each command is a function in a small module (most in ``pipelines/commands``) and one row of :data:`COMMANDS`. These
modules import nothing heavy before the command runs, so ``gis --help`` answers at once. A command parses, builds a
frozen configuration and calls one function; here errors become exit codes:

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done
1     one of our errors: one line on standard error
2     usage: an option that does not exist, or a value of the wrong kind
130   Ctrl-C; the same command goes on where it stopped
====  ==========================================================================
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

import typer
from renderer.errors import GisError

__all__ = ["COMMANDS", "app", "main"]

COMMANDS = {
    "backgrounds": "pipelines.cli.commands.backgrounds",
    "render": "pipelines.cli.commands.render",
    "synthesize": "pipelines.cli.commands.synthesize",
    "train": "pipelines.cli.commands.train",
    "backends": "pipelines.cli.commands.train",
    "fit": "pipelines.cli.commands.fit",
    "translate": "pipelines.cli.commands.translate",
    "align": "pipelines.cli.commands.align",
    "evaluate": "pipelines.cli.commands.evaluate",
    "compare": "pipelines.cli.commands.compare",
    "validate": "pipelines.cli.commands.validate",
    "export": "pipelines.cli.commands.export",
    "addon": "pipelines.cli.commands.addon",
    "doctor": "pipelines.cli.commands.doctor",
}
"""Name of each command and the module that holds a function of that name, in the order of the help."""

app = typer.Typer(
    name="gis",
    help="Labelled thermal-infrared training data out of Blender.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback()
def _root() -> None:
    """Labelled thermal-infrared training data out of Blender."""


def _reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The command with our errors as one line on standard error."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except GisError as error:
            typer.echo(f"gis {command.__name__}: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            again = "the same command with --resume" if command.__name__ == "train" else "the same command"
            typer.echo(f"gis {command.__name__}: stopped; {again} goes on where it stopped", err=True)
            raise typer.Exit(130) from None

    return run


def _register() -> None:
    for name, module in COMMANDS.items():
        app.command(name)(_reporting(getattr(importlib.import_module(module), name)))


_register()


def main() -> None:
    """Entry point of the script ``gis``."""
    app()
    sys.exit(0)


if __name__ == "__main__":
    main()
