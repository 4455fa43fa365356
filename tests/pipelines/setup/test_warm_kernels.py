"""What `gis doctor --warm` makes needs every kernel that common runs need."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

RUN = """
import contextlib, json, sys
from pathlib import Path
import cv2
from numba.core import caching, dispatcher
import pipelines
from pipelines.dataset.writer import encode_frame
from pipelines.setup import warm

needed = set()
compile_one = dispatcher.Dispatcher.compile

def compile_told(self, signature):
    if isinstance(self._cache, caching.FunctionCache):  # the first call for these types: loaded, or compiled
        needed.add(f"{self.py_func.__module__}.{self.py_func.__name__} {signature}")
    return compile_one(self, signature)

dispatcher.Dispatcher.compile = compile_told

def make(**options):
    with contextlib.closing(pipelines.synthesize(**options)) as frames:
        return sum(len(encode_frame(frame).record.instances) for frame in frames)

folder, pictures, runs = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
cv2.imwrite(str(folder / "street.png"), warm.drawn_street())
placed = [make(**options) for options in warm.scenes()] + [make(backgrounds=folder, **warm.over_pictures())]
told = {}
for name, options in runs.items():
    warmed = set(needed)
    if "backgrounds" in options:
        options["backgrounds"] = pictures
    placed.append(make(**options))
    told[name] = sorted(needed - warmed)
print(json.dumps([placed, told]))
"""
COMMON = {
    "city": {"count": 3, "seed": 11},
    "city, small": {"count": 2, "size": "320x240"},
    "night rain": {"count": 2, "hour": 23, "weather": "rain", "model": "physics"},
    "fog": {"count": 1, "weather": "fog"},
    "snow": {"count": 1, "weather": "snow", "season": "winter"},
    "worlds": {"count": 2, "scene": "worlds"},
    "pictures": {"count": 2, "backgrounds": True},
    "pictures by physics": {"count": 1, "backgrounds": True, "model": "physics"},
    "shipped model": {"count": 2, "model": "pix2pix"},
    "source tensors": {"count": 1, "tensors": True},
}


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs Blender")
def test_common_runs_find_every_kernel_compiled(tmp_path: Path) -> None:
    for folder in ("warmed", "pictures"):
        (tmp_path / folder).mkdir()
    rows = np.arange(512)[:, None] + np.zeros((1, 640))
    walls = 60 + 40 * np.sin(rows / 9) * np.cos(np.arange(640)[None] / 7)
    street = np.where(rows > 250, 150 - rows / 20, walls) + np.random.default_rng(5).normal(0, 1, rows.shape)
    cv2.imwrite(str(tmp_path / "pictures" / "other.png"), np.clip(street, 0, 255).astype(np.uint8))
    words = [str(tmp_path / "warmed"), str(tmp_path / "pictures"), json.dumps(COMMON)]
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=True)
    placed, missing = json.loads(done.stdout.splitlines()[-1])
    assert min(placed) > 0
    assert missing == {name: [] for name in COMMON}
