"""``gis align``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

__all__ = ["align"]


def align(
    visible: Annotated[Path, typer.Option("--visible", help="Folder of visible pictures of one size.")],
    infrared: Annotated[Path, typer.Option("--infrared", help="Folder of infrared pictures of the same names.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the aligned pairs, transform.json and preview.png.")],
    model: Annotated[str, typer.Option("--model", help="similarity, affine or homography.")] = "affine",
    per_frame: Annotated[bool, typer.Option("--per-frame", help="Also shift each frame a little.")] = False,
    frames: Annotated[int, typer.Option("--frames", help="Frames that the transform is estimated from.")] = 24,
) -> None:
    """Bring a visible camera's pictures onto an infrared camera's: one transform from many frames, cropped pairs."""
    from pipelines.registration.align import AlignConfig
    from pipelines.registration.align import align as run

    about = run(AlignConfig(visible, infrared, out, cast(Any, model), per_frame, frames))
    crop = about["crop_px"]
    typer.echo(
        f"{about['frames']} pairs of {crop['right'] - crop['left']}x{crop['bottom'] - crop['top']} px in {out}; "
        f"edges agree to {about['measure']:.3f} (before: {about['measure_before']:.3f}); look at {out / 'preview.png'}"
    )
