"""Makes scenes, each in a file of its own: ``python make_scenes.py JOBS.json``.

JOBS.json is a list of tables: ``path`` of the .blend to write, and either a ``seed`` or the ``features`` that the scene
is to have. What is expected of a scene is left beside it as .json.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from scene_builder import Builder
from scene_copies import COPIES
from scene_shapes import SHAPES
from scene_views import CAMERAS, SETTINGS
from scene_visibility import VISIBILITY

METRES_PER_UNIT = (0.01, 0.0254, 1000.0)
CAR = "a car that is always there"


def draw_features(seed: int) -> tuple[list[str], float]:
    """Features of a random scene and the length of its unit.

    Each seed begins at another place of each list, so that a row of seeds goes through all of it.
    """
    rng = np.random.default_rng(seed)
    chosen = [_next(SHAPES, seed, 7), _next(SHAPES, seed, 11, 3), _next(COPIES, seed, 5), _next(VISIBILITY, seed, 5)]
    if rng.random() < 0.5:
        chosen.append(_next(COPIES, seed, 7, 2))
    chosen += [_next(CAMERAS, seed, 1), _next(SETTINGS, seed, 1)]
    unit = float(rng.choice(METRES_PER_UNIT)) if seed % 2 else 1.0
    return list(dict.fromkeys(chosen)), unit


def _next(table: dict[str, Any], seed: int, step: int, start: int = 0) -> str:
    names = list(table)
    while math.gcd(len(names), step) > 1:
        step += 1
    return names[(start + seed * step) % len(names)]


def make(job: dict[str, Any]) -> None:
    features, unit = job.get("features"), job.get("metres_per_unit", 1.0)
    if features is None:
        features, unit = draw_features(job["seed"])
    builder = Builder(np.random.default_rng(job.get("seed", 1)), unit)
    every = {**SHAPES, **COPIES, **VISIBILITY, **CAMERAS, **SETTINGS}
    builder.car(CAR, (-2.5, -5.5, 0.5), (1.2, 0.8, 0.9))
    for name in features:
        every[name](builder)
    builder.finish()
    path = Path(job["path"])
    for library in bpy.data.libraries:
        shutil.copy(library.filepath, path.with_suffix(".library"))
        library.filepath = str(path.with_suffix(".library"))
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    expected = {
        "features": features,
        "metres_per_unit": unit,
        "frames": builder.frames,
        "noted": builder.noted,
        "refused": builder.refused,
        "first": builder.scene.frame_start,
    }
    path.with_suffix(".json").write_text(json.dumps(expected))


def main() -> None:
    for job in json.loads(Path(sys.argv[1]).read_text()):
        make(job)
        print("made", job["path"], flush=True)
    sys.stdout.flush()
    os._exit(0)  # bpy sometimes hangs at its end


if __name__ == "__main__":
    main()
