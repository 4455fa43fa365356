"""``gis backgrounds``."""

from __future__ import annotations

from typing import Any

from pipelines.backgrounds.ingest.run import IngestConfig, ingest
from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import say, say_result

__all__ = ["backgrounds"]

SHOWN = 40
"""Files that are named one by one; after that only how many more there are."""


def backgrounds(config: IngestConfig) -> None:
    """Take in real thermal files: FLIR JPEG and FFF with their degrees, other pictures as display-only."""
    index = ingest(config, progress=shows_progress(), report=print_note)
    _show_problems([entry for entry in index["files"] if entry["reason"] or entry["warnings"]])
    counts = index["counts"]
    say_result(
        f"{counts['files']} files: {counts['radiometric']} radiometric, {counts['display-only']} display-only, "
        f"{counts['skipped']} skipped; {counts['frames']} frames in {config.out}",
        **counts,
        out=config.out,
    )


def _show_problems(entries: list[dict[str, Any]]) -> None:
    for entry in entries[:SHOWN]:
        text = f"skipped, {entry['reason']}" if entry["reason"] else "; ".join(entry["warnings"])
        say(f"{entry['source']}: {text}", err=True)
    if len(entries) > SHOWN:
        say(f"... and {len(entries) - SHOWN} more; index.json has them all", err=True)
