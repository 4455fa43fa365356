"""Cost of the passes in generated streets as ratios to the city's, and the sizes of the cars that are seen there.

    python -m benchmarks.worlds [--frames 40]

Beside each kind the mixture that `gis synthesize --scene worlds` draws from: the median of all kinds' frames by its
weights. `resident_MB` is the process's memory after each kind's streets were built, the ground for people with them.

One process; frames of all kinds alternate, so that a busy machine slows all alike, and processor time is counted. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assets import CITY, PEOPLE_ARRAYS, WORLD_KINDS, camera
from pipelines.synthesis.worlds import DEFAULT_WORLDS, parse_worlds
from renderer.geometry.frame import Frame
from renderer.scene.place import Place

__all__ = ["main"]

KINDS = ("city", *WORLD_KINDS)
STREETS = 2
"""Of each kind."""
EDGES_PX = (20.0, 32.0, 64.0)
SEEN_SHARE, WIDE = 0.3, 1.8
"""A car counts from this visible share on; one wider than this times its height is seen from the side."""


class Alternating:
    """One kind after the other: first one street of each, then another, for a session holds a dozen at a time."""

    def __init__(self, frames: int) -> None:
        self.change = -(-frames // STREETS) * len(KINDS)

    def name(self, index: int) -> str:
        """Kind and street of a frame."""
        return f"{KINDS[index % len(KINDS)]}-{index // self.change}"

    def make(self, name: str) -> Place | None:
        """The street; None for the city."""
        from assets.build.worlds.scene import build_place

        kind, _, seed = name.partition("-")
        return None if kind == "city" else build_place(kind, int(seed))


@dataclass
class Measured:
    """Of one kind."""

    seconds: list[float] = field(default_factory=list)
    heights_px: list[float] = field(default_factory=list)
    wide: list[bool] = field(default_factory=list)

    def add(self, frame: Frame, seconds: float) -> None:
        """One frame."""
        self.seconds.append(seconds)
        for item in frame.instances:
            box = item.box_visible_px
            if item.category in ("car", "van") and box and item.visible_px >= SEEN_SHARE * item.amodal_px:
                self.heights_px.append(box[3] - box[1])
                self.wide.append(box[2] - box[0] > WIDE * self.heights_px[-1])

    def sizes(self) -> Iterator[str]:
        """Cars a frame and the share of those seen from the side, by height."""
        heights, wide = np.array(self.heights_px), np.array(self.wide)
        for low, high in zip((0.0, *EDGES_PX), (*EDGES_PX, np.inf), strict=True):
            there = (heights >= low) & (heights < high)
            side = f" ({wide[there].mean():.0%} from the side)" if there.any() else ""
            yield f"{low:.0f}-{high:.0f} px: {there.sum() / len(self.seconds):.2f}{side}"


def resident_MB() -> int:
    """Memory of this process, where the system tells it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) // 1000 for line in lines if line.startswith("VmRSS")), 0)


def mixture_median(measured: dict[str, Measured]) -> float:
    """Median seconds of a frame of the shipped mixture."""
    weights = parse_worlds(DEFAULT_WORLDS)
    pairs = sorted(
        (each, weights[kind] / len(measured[kind].seconds)) for kind in weights for each in measured[kind].seconds
    )
    reached = np.cumsum([weight for _, weight in pairs])
    return pairs[int(np.searchsorted(reached, reached[-1] / 2))][0]


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--frames", type=int, default=40, help="of each kind")
    frames = parser.parse_args().frames
    from renderer.blender.engine import RenderSession

    measured = {kind: Measured() for kind in KINDS}
    places, known, resident, built = Alternating(frames), set[str](), {"before": 0}, 0.0
    session = RenderSession(CITY, camera=camera("flir-adas", (640, 512)), people=PEOPLE_ARRAYS, seed=11, places=places)
    session.frame(0, normals=True, parts=True)
    resident["before"] = resident_MB()
    for index in range(frames * len(KINDS)):
        name = places.name(index)
        if name not in known:  # built with the ground for people, and not measured
            known.add(name)
            begin = time.process_time()
            session.frame(index, normals=True, parts=True, people=None)
            built += (time.process_time() - begin) / (STREETS * len(KINDS))
            resident[name] = resident_MB()
        begin = time.process_time()
        frame = session.frame(index, normals=True, parts=True)
        measured[KINDS[index % len(KINDS)]].add(frame, time.process_time() - begin)
    medians = {kind: statistics.median(one.seconds) for kind, one in measured.items()}
    for kind, one in measured.items():
        print(f"{kind:12} {1000 * medians[kind]:.0f} ms; cars a frame of {', '.join(one.sizes())}")
    ratios = {kind: round(medians[kind] / medians["city"], 2) for kind in WORLD_KINDS}
    ratios["mixture"] = round(mixture_median(measured) / medians["city"], 2)
    print(json.dumps({"ratio_to_city": ratios, "build_s": round(built, 2), "resident_MB": resident}))
    sys.stdout.flush()
    os._exit(0)  # Blender may hang at its end


if __name__ == "__main__":
    main()
