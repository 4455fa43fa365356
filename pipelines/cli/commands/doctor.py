"""``gis doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import say

__all__ = ["doctor"]


def doctor(
    folder: Annotated[
        Path, typer.Option("--out", help="Where the output would go.", rich_help_panel="Checks")
    ] = Path(),
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what is missing.", rich_help_panel="Checks")] = False,
) -> None:
    """Check this machine: Python, Blender and its libraries, room on the disk."""
    from pipelines.setup.doctor import examine

    findings = examine(folder)
    for finding in findings:
        lacking = finding.level == "missing"
        if quiet and not lacking:
            continue
        say(f"{finding.level:<8}  {finding.name}: {finding.detail}", err=lacking)
        if finding.advice:
            say(f"          {finding.advice}", err=lacking)
    if any(finding.level == "missing" for finding in findings):
        raise typer.Exit(1)
