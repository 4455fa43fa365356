"""What the tests of scenes share: Blender's own depth of a scene, and the share of pixels in which ours differs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ALLOWED_SHARE = 1e-4
DEPTH_RELATIVE = 1e-3


def blender_depth(scene: Path, frames: Sequence[int], metres_per_unit: float = 1.0) -> list[NDArray[np.float64]]:
    """Planar depth (m, inf where nothing is hit) of frames of a scene's animation, by a process without gis."""
    out = scene.with_suffix(".f12.npz")
    script = Path(__file__).with_name("f12_depth.py")
    command = [sys.executable, str(script), str(scene), str(out), *map(str, frames)]
    subprocess.run(command, cwd=scene.parent, env={}, check=True, capture_output=True, timeout=240)
    with np.load(out) as depths:
        return [depths[str(frame)] * metres_per_unit for frame in frames]


def differing_share(ours: NDArray[np.float32], theirs: NDArray[np.float64]) -> float:
    """Share of the pixels whose depths differ."""
    assert ours.shape == theirs.shape
    with np.errstate(invalid="ignore"):
        return float((~np.isclose(ours, theirs, rtol=DEPTH_RELATIVE, atol=0)).mean())
