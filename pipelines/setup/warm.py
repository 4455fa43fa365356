"""`gis doctor --warm`: everything that is compiled or converted once for a machine, done now and not by the first run.

Compiled kernels lie beside their modules (``__pycache__``), else in the folder that ``NUMBA_CACHE_DIR`` names, else in
the user's cache folder: :mod:`renderer.kernel_cache`. All processes of the machine share them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from gan.options import keyword_options
from numpy.typing import NDArray
from renderer.kernel_cache import forget_stale_kernels, kept_kernels

from pipelines.io.progress import stage
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.model_choice import AUTO, PHYSICS, choose_model
from pipelines.synthesis.options.synthesize import SynthesizeConfig

__all__ = ["Warmed", "drawn_street", "over_pictures", "scenes", "warm"]


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
    """Makes frames of the shipped street, and over a picture: what these need is compiled and kept.

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
    """Frames of the shipped street, in their own size: smaller ones have no object that the label check looks at."""
    for number, options in enumerate(scenes()):
        _make(folder / f"scene{number}", **options)


def _picture(folder: Path) -> None:
    """Frames over a drawn street."""
    cv2.imwrite(str(_folder(folder / "pictures") / "street.png"), drawn_street())
    _make(folder / "over", backgrounds=folder / "pictures", **over_pictures())


def scenes() -> tuple[dict[str, Any], ...]:
    """Options of the frames that between them need whatever frames of a scene need."""
    return (
        {"count": 1, "model": PHYSICS},
        {"count": 1, "model": PHYSICS, "weather": "snow", "distortion": "-0.3,0.1,0,0"},
        {"count": 8, "model": PHYSICS, "sensor_variety": 1.0},  # of all kinds of gain control
        {"count": 4, "model": _shipped_model(), "seed": 3},  # objects of all sizes, whole and cut off
    )


def over_pictures() -> dict[str, Any]:
    """Options of the frames over :func:`drawn_street`, in which objects find a place."""
    return {"count": 2, "model": _shipped_model()}


def _shipped_model() -> str:
    """The shipped model, or physics where it cannot run."""
    return choose_model(AUTO, None, rendered=False)[0]


def drawn_street() -> NDArray[np.uint8]:
    """(H, W) even ground, and above the horizon what is not."""
    height, width, patch_px = 480, 640, 8
    rng = np.random.default_rng(1)
    patches = rng.integers(30, 90, (height // patch_px, width // patch_px)).repeat(patch_px, 0).repeat(patch_px, 1)
    below = np.arange(height)[:, None] >= 0.48 * height
    return np.asarray(np.clip(np.where(below, 130, patches) + rng.normal(0, 1, (height, width)), 0, 255), np.uint8)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _make(out: Path, **options: Any) -> None:
    synthesize_dataset(keyword_options(SynthesizeConfig, {**options, "out": out, "workers": 1, "worker_timeout": 0.0}))
