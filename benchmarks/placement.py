"""Milliseconds per frame that placing cars on a background's road takes, and what its estimate costs once per file.

Also the share of the placed cars that are seen from within 10 degrees of their axis, from the front or the rear.

    python -m benchmarks.placement FOLDER [--boxes FILE] [--frames 200]

FOLDER holds thermal images. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import cv2
import numpy as np

from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.backgrounds.geometry.ground import GroundPlanes, with_ground_plane
from pipelines.backgrounds.images import choose, open_background, scan_backgrounds
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import ModelSize, Placement
from renderer.scene.placement import sample_on_plane
from renderer.thermal.conditions import sample_conditions

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
    planes = GroundPlanes(None if options.boxes is None else read_boxes(options.boxes))
    estimates, placing, refused = [], [], 0
    cars: list[Placement] = []
    for index in range(options.frames):
        background = open_background(backgrounds, choose(backgrounds, Draw(0, index)))
        known, begin = len(planes.estimates), time.perf_counter()
        ground = planes.of(background)
        if len(planes.estimates) > known:
            estimates.append(time.perf_counter() - begin)
        placed_on, draw = with_ground_plane(background, ground), Draw(0, index)
        weather = sample_conditions(draw.rng(Stream.CONDITIONS))
        begin = time.perf_counter()
        setup = sample_on_plane(
            placed_on.camera, MODELS, draw, weather, horizon_px=placed_on.horizon_px, road_yaw_rad=ground.road_yaw_rad,
            free_mask=ground.road.free, obstacles=[item.footprint for item in ground.obstacles],
        )  # fmt: skip
        placing.append(time.perf_counter() - begin)
        cars.extend(setup.placements)
        refused += ground.road.confidence == 0.0
    on_axis = round(float(np.mean([off_axis_deg(car) < 10.0 for car in cars])), 3) if cars else None
    print(
        json.dumps(
            {
                "estimate_ms_per_file": round(1e3 * float(np.median(estimates)), 1),
                "place_ms_mean": round(1e3 * float(np.mean(placing)), 2),
                "place_ms_median": round(1e3 * float(np.median(placing)), 2),
                "place_ms_p95": round(1e3 * float(np.percentile(placing, 95)), 2),
                "cars_per_frame": round(len(cars) / options.frames, 2),
                "seen_within_10_degrees": on_axis,
                "refused_frames": refused,
            }
        )
    )


def off_axis_deg(car: Placement) -> float:
    """Angle between a car's long axis and the line of sight from the camera, 0 to 90 degrees."""
    away = (car.yaw_rad - math.atan2(car.y_m, car.x_m)) % math.pi
    return math.degrees(min(away, math.pi - away))


if __name__ == "__main__":
    main()
