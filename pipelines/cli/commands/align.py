"""``gis align``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note
from pipelines.cli.console import say_result
from pipelines.registration.align import AlignConfig
from pipelines.registration.align import align as run

__all__ = ["align"]


def align(config: AlignConfig) -> None:
    """Bring a visible camera's pictures onto an infrared camera's: one transform from many frames, cropped pairs."""
    done = run(config, print_note)
    left, top, right, bottom = done.crop_px
    say_result(
        f"{done.frames} pairs of {right - left}x{bottom - top} px in {done.folder}; edges agree to "
        f"{done.alignment.measure:.3f} (before: {done.alignment.before:.3f}); look at {done.preview}",
        pairs=done.frames,
        measure=done.alignment.measure,
        out=done.folder,
    )
