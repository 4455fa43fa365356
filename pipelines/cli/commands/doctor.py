"""``gis doctor``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import count_of, results_as_json, say, say_result

if TYPE_CHECKING:
    from pipelines.setup.doctor import Finding

__all__ = ["doctor"]


def doctor(
    folder: Annotated[
        Path, typer.Option("--out", help="Where the output would go.", rich_help_panel="Checks")
    ] = Path(),
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what is missing.", rich_help_panel="Checks")] = False,
    warm: Annotated[
        bool,
        typer.Option(
            "--warm", help="Compile now what the first frames would wait for: a minute or two, once for a machine."
        ),
    ] = False,
) -> None:
    """Check this machine: Python, Blender and its libraries, room on the disk."""
    from pipelines.setup.doctor import examine

    findings = examine(folder)
    if results_as_json():
        say_result("", findings=[dataclasses.asdict(finding) for finding in findings])
    else:
        _show(findings, quiet=quiet)
    if any(finding.level == "missing" for finding in findings):
        raise typer.Exit(1)
    if warm:
        _warm()


def _show(findings: list[Finding], *, quiet: bool) -> None:
    for finding in findings:
        lacking = finding.level == "missing"
        if quiet and not lacking:
            continue
        say(f"{finding.level:<8}  {finding.name}: {finding.detail}", err=lacking)
        if finding.advice:
            say(f"          {finding.advice}", err=lacking)


def _warm() -> None:
    """Compiles what is not compiled yet."""
    from pipelines.setup.warm import warm

    done = warm(progress=shows_progress())
    if done.folder is None:
        say("optional  compiled code: nothing is kept here, see the note above", err=True)
        return
    what = f"compiled {count_of(done.compiled, 'kernel')} in {done.seconds:.0f} s" if done.compiled else "all compiled"
    say(f"ok        compiled code: {what}; kept in {done.folder.parent.parent}")
