"""`gis doctor --warm`: everything that is compiled or converted once for a machine, done now and not by the first run.

Compiled kernels lie beside their modules (``__pycache__``), else in the folder that ``NUMBA_CACHE_DIR`` names, else in
the user's cache folder: :mod:`renderer.kernel_cache`. All processes of the machine share them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from renderer.kernel_cache import forget_stale_kernels, kept_kernels

from pipelines.io.progress import stage
from pipelines.synthesis.config import SynthesizeConfig
from pipelines.synthesis.dataset_run import synthesize_dataset

__all__ = ["Warmed", "warm"]

_SIZE = "96"


@dataclass(frozen=True)
class Warmed:
    """What is ready now."""

    compiled: int
    """Kernels that were not there before."""
    kept: int
    """Kernels that are there."""
    seconds: float
    folder: Path | None
    """One that holds kernels; None where none are kept."""


def warm(*, progress: bool = False) -> Warmed:
    """Makes a frame of the shipped street, and one over a picture: what these need is compiled and kept.

    Args:
        progress: say what is being done.

    Raises:
        PipelineError: there is no room, or a part of gis is missing.
        RendererError: Blender cannot open the shipped scene.
    """
    forget_stale_kernels()
    before, begun = set(kept_kernels()), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gis-") as name:
        folder = Path(name)
        for text, make in (("the renderer", _scene), ("what puts objects into pictures", _picture)):
            with stage(f"compiling {text}, once for this machine", progress=progress):
                make(folder)
    after = set(kept_kernels())
    place = next(iter(after)).parent if after else None
    return Warmed(len(after - before), len(after), time.monotonic() - begun, place)


def _scene(folder: Path) -> None:
    """A frame of the shipped street, with all kinds of road users."""
    config = SynthesizeConfig(out=folder / "scene", count=1, size=_SIZE, workers=1, worker_timeout=0.0, model="physics")
    synthesize_dataset(config)


def _picture(folder: Path) -> None:
    """A frame over a drawn street: bright below, dark above."""
    (folder / "pictures").mkdir()
    rows = np.linspace(60, 160, 240)[:, None] + np.random.default_rng(1).normal(0, 3, (240, 320))
    cv2.imwrite(str(folder / "pictures" / "street.png"), np.clip(rows, 0, 255).astype(np.uint8))
    config = SynthesizeConfig(
        out=folder / "over", count=1, workers=1, worker_timeout=0.0, model="physics", backgrounds=folder / "pictures"
    )
    synthesize_dataset(config)
