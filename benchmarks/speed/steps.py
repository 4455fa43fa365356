"""Processor time of the steps of a frame: functions are replaced by ones that keep time."""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.maker import opened, options_of

__all__ = ["STEPS", "Steps"]

STEPS = {
    "real frame read": ("pipelines.synthesis.frame_maker:FrameMaker._background",),
    "what stands where": (
        "renderer.blender.engine:RenderSession.frame",
        "renderer.blender.engine:RenderSession.frame_on_plane",
        "pipelines.synthesis.frame_maker:FrameMaker._passes",
    ),
    "passes": ("renderer.raster.rasterizer:Rasteriser.draw",),
    "tables of the physics": ("renderer.thermal.physics:_scene_and_ground",),
    "weather": (
        "renderer.thermal.weather.apply:WeatheredFrame.before",
        "renderer.thermal.weather.apply:WeatheredFrame.after",
    ),
    "temperatures": ("renderer.thermal.physics:render", "pipelines.synthesis.infrared:render_thermal"),
    "insertion": (
        "pipelines.synthesis.infrared:render_foreground",
        "pipelines.synthesis.infrared:harmonise_grey",
        "pipelines.synthesis.infrared:harmonise_kelvin",
    ),
    "sensor": ("pipelines.synthesis.infrared:expose",),
    "gain control": ("pipelines.synthesis.infrared:agc", "pipelines.synthesis.infrared:to_uint16"),
    "network": ("pipelines.synthesis.infrared:_OwnModel.translate_each",),
    "around the network": ("pipelines.synthesis.infrared:Translation.make",),
    "label check": ("pipelines.synthesis.frame_maker:measure_label_error",),
    "run lengths": ("pipelines.dataset.writer:_with_code",),
    "files": ("pipelines.dataset.writer:_encode_files",),
    "line": ("pipelines.dataset.made_frame:MadeFrame.__post_init__",),
    "disk": ("pipelines.dataset.made_frame:MadeFrame.write",),
}
"""Functions by the step that they are, as ``module:name``, where they are called by that name. A step's time is without
that of steps inside it."""
REST = "all else"


@dataclass
class Steps:
    """Keeps time while it is entered by :meth:`watching`."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*STEPS, REST), 0.0))
    _open: list[str] = field(default_factory=lambda: [REST])
    _since: float = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time counts inside."""
        undo = [self._replace(name, step) for step, names in STEPS.items() for name in names]
        self._since = time.process_time()
        try:
            yield
        finally:
            self._count()
            for put_back in undo:
                put_back()

    def _count(self) -> None:
        now = time.process_time()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def _replace(self, name: str, step: str) -> Callable[[], None]:
        """A function by one that keeps time; gives what undoes it."""
        module, _, path = name.partition(":")
        *outer, last = path.split(".")
        holder: Any = functools.reduce(getattr, outer, importlib.import_module(module))
        function = vars(holder)[last]

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self._count()
            self._open.append(step)
            try:
                found = function(*arguments, **named)
                return list(found) if isinstance(found, map) else found
            finally:
                self._count()
                self._open.pop()

        setattr(holder, last, timed)
        return lambda: setattr(holder, last, function)


def milliseconds(options: dict[str, Any], backend: str, frames: int, out: Path, *, fresh: bool) -> dict[str, float]:
    """Of each step of a frame; of frames that are made for the first time, but for one, or for the second."""
    made = opened(options, [] if backend == "physics" else [backend], out)
    for index in [frames] if fresh else range(frames):
        made.make(backend, index)
    steps = Steps()
    with steps.watching():
        for index in range(frames):
            made.make(backend, index)
    return {step: 1000 * seconds / frames for step, seconds in steps.seconds.items()}


def main() -> None:
    """Prints a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", type=options_of, required=True, help="JSON of what `gis synthesize` is told")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(milliseconds(given.options, given.backend, given.frames, given.out, fresh=given.fresh)))
    sys.stdout.flush()
    os._exit(0)  # Blender may hang at its end


if __name__ == "__main__":
    main()
