"""``gis addon``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import say, say_result

__all__ = ["Action", "addon"]


class Action(StrEnum):
    """What can be done with the add-on."""

    BUILD = "build"


def addon(
    action: Annotated[Action, typer.Argument(help="build: write the zip that Blender installs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the zip.", rich_help_panel="Output")] = Path(),
) -> None:
    """Build the Blender add-on: an extension from Blender 4.2 on, a legacy add-on before."""
    from pipelines.setup.addon_zip import build_addon

    assert action is Action.BUILD
    path = build_addon(out)
    say_result(str(path), out=path)
    say(f"The panel starts the gis program on the PATH; else name it there: {Path(sys.prefix).absolute()}", err=True)
