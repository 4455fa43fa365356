"""Milliseconds per frame that placing cars on a background's road takes, and what its estimate costs once per file.

    python -m benchmarks.placement FOLDER [--boxes FILE] [--frames 200]

FOLDER holds thermal images. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from pipelines.backgrounds import choose, open_background, scan_backgrounds
from pipelines.geometry.boxes import read_boxes
from pipelines.geometry.ground import Sites, on_ground
from renderer.placement import sample_on_plane
from renderer.traffic import ModelSize

__all__ = ["main"]

MODELS = (
    ModelSize("hatchback", "car", 4.0, 1.78, 1.46),
    ModelSize("saloon", "car", 4.75, 1.83, 1.44),
    ModelSize("van", "van", 5.9, 2.0, 2.4),
)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    cv2.setNumThreads(0)
    backgrounds = scan_backgrounds(options.folder)
    sites = Sites(None if options.boxes is None else read_boxes(options.boxes))
    estimates, placing, cars, refused = [], [], 0, 0
    for index in range(options.frames):
        background = open_background(backgrounds, choose(backgrounds, 0, index))
        known, begin = len(sites.found), time.perf_counter()
        ground = sites.ground(background)
        if len(sites.found) > known:
            estimates.append(time.perf_counter() - begin)
        placed_on = on_ground(background, ground)
        begin = time.perf_counter()
        setup = sample_on_plane(
            placed_on.camera, MODELS, 0, index, horizon_px=placed_on.horizon_px, road_yaw_rad=ground.road_yaw_rad,
            free_mask=ground.road.free, standing=[one.standing for one in ground.obstacles],
        )  # fmt: skip
        placing.append(time.perf_counter() - begin)
        cars, refused = cars + len(setup.placements), refused + (ground.road.sure == 0.0)
    print(
        json.dumps(
            {
                "estimate_ms_per_file": round(1e3 * float(np.median(estimates)), 1),
                "place_ms_mean": round(1e3 * float(np.mean(placing)), 2),
                "place_ms_median": round(1e3 * float(np.median(placing)), 2),
                "place_ms_p95": round(1e3 * float(np.percentile(placing, 95)), 2),
                "cars_per_frame": round(cars / options.frames, 2),
                "refused_frames": refused,
            }
        )
    )


if __name__ == "__main__":
    main()
