"""``gis fit``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import say_result
from pipelines.fitting.run import FitConfig
from pipelines.fitting.run import fit as run

__all__ = ["fit"]


def fit(config: FitConfig) -> None:
    """Fit car models to the cars of real frames: aligned pairs of source tensor and real image, to train from."""
    done = run(config, print_note, progress=shows_progress())
    say_result(
        f"{done.cars} of {done.fitted} fitted cars in {done.frames} frames in {done.folder}; "
        f"look at {done.review_sheet}",
        cars=done.cars,
        fitted=done.fitted,
        frames=done.frames,
        out=done.folder,
    )
