"""Strips of what moves in sequences: a cyclist over a turn of the cranks, a car's wheels, gaits over a stride.

    python -m benchmarks.people.moving docs/images/how-to/moving_models.jpg

Each thing is drawn alone from the side, at eight moments of its cycle, through no sensor; grey goes from the coldest to
the warmest of the row.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assets import ANIMAL_ARRAYS, CITY, PEOPLE_ARRAYS, THERMAL_PROFILES, TWO_WHEELER_ARRAYS
from renderer.blender.engine import RenderSession
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.sequences.turning import Motion
from renderer.thermal.conditions import sample_conditions
from renderer.thermal.physics import render_thermal
from renderer.thermal.profiles import read_profiles

__all__ = ["main", "strip"]

MOMENTS = 8
CAMERA = Camera("strip", 480, 400, 400.0, 400.0, 240.0, 200.0)
Placed = Callable[[float], list[Placement]]
"""What stands there at a share of the cycle."""


def _cyclist(share: float) -> list[Placement]:
    turn = 2 * math.pi * share
    motion = Motion(5.0 * share, turn, math.radians(1.5) * math.sin(2 * turn))
    return [
        Placement("bicycle_01", 0, 0, 0, 0, "bicycle_ridden", motion=motion),
        Placement("bicycle_01.rider_01", 0, 0, 0, 0, "cycling", 1, motion=motion),
    ]


def _car(share: float) -> list[Placement]:
    return [Placement("city_car", 0, 0, 0, 0, "driving", motion=Motion(2 * math.pi * 0.29 * share, 0.0, 0.0, 0.06))]


def _gait(kind: str, phases: int) -> Placed:
    models = tuple(f"{kind}_{phase:02d}" for phase in range(phases))

    def placed(share: float) -> list[Placement]:
        number, between = divmod(share * phases, 1.0)
        towards = models[(int(number) + 1) % phases], between
        at = Placement(models[int(number)], 0, 0, 0, 0, "walking", cycle=models, towards=towards)
        pram = [Placement("stroller_01", 0.86, 0, 0, 0, "bicycle_parked")] if ".push" in kind else []
        return [at, *pram]

    return placed


ROWS: tuple[tuple[Placed, float, float], ...] = (
    (_cyclist, 4.6, 0.9),
    (_car, 5.2, 0.8),
    (_gait("dog_01.walk", 4), 2.4, 0.45),
    (_gait("person_14.push", 12), 4.4, 0.9),
)
"""What, how far away, and how high the camera is, metres."""


def strip(session: RenderSession, placed: Placed, away_m: float, height_m: float) -> NDArray[np.uint8]:
    """A row of pictures."""
    profiles, draw = read_profiles(THERMAL_PROFILES), Draw(3, 0)
    weather = sample_conditions(draw.rng(Stream.CONDITIONS), weather="overcast", hour=11.0, season="spring")
    pictures, masks = [], []
    for moment in range(MOMENTS):
        pose = camera_pose(0.0, -away_m, height_m, math.pi / 2, 0.0)
        setup = FrameSetup(0, tuple(placed(moment / MOMENTS)), pose)
        frame = session.frame_on_plane(setup, camera=CAMERA, normals=True, parts=True)
        pictures.append(render_thermal(frame, weather, profiles, draw, cars_only=True).apparent_temperature_K)
        masks.append(frame.instance_id > 0)
    kelvin, seen = np.stack(pictures), np.stack(masks)
    low, high = np.percentile(kelvin[seen], (0.5, 99.5))
    grey = np.where(seen, np.clip((kelvin - low) / (high - low) * 225 + 30, 0, 255), 0).astype(np.uint8)
    rows, columns = (np.flatnonzero(seen.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    return np.hstack(list(grey[:, rows[0] - 4 : rows[-1] + 4, max(columns[0] - 6, 0) : columns[-1] + 6]))


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    files = (TWO_WHEELER_ARRAYS, ANIMAL_ARRAYS)
    with RenderSession(CITY, people=PEOPLE_ARRAYS, others=files, seed=0) as session:
        rows = [strip(session, *row) for row in ROWS]
    width = 1600
    shown = [cv2.resize(row, (width, round(row.shape[0] * width / row.shape[1])), interpolation=3) for row in rows]
    cv2.imwrite(str(options.out), np.vstack([np.pad(row, ((0, 6), (0, 0))) for row in shown]))


if __name__ == "__main__":
    main()
