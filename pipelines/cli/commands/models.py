"""``gis models``."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from pipelines.cli.console import results_as_json, say

__all__ = ["models"]


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel="Output")] = False,
) -> None:
    """List the translation models: paper, pairing, default options, parameters."""
    from gan.backends.registry import list_models

    rows = list_models()
    if as_json or results_as_json():
        typer.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        counts = ", ".join(f"{name} {count / 1e6:.1f} M" for name, count in row.parameters.items())
        say(f"{row.name}  ({row.pairing}; {counts} parameters)")
        say(f"    {row.paper}")
        say(f"    docs/models/papers.md#{row.name}")
        say("    " + " ".join(f"{name}={value}" for name, value in row.config.items()))
