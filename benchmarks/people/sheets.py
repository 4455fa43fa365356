"""Contact sheets of people, riders, two-wheelers and animals: what they look like at 300, 100 and 40 px, night and day.

    python -m benchmarks.people.sheets OUT [--models 'person_2*.walk_04,*.rider_*'] [--air 12] [--columns 8]

Each model is drawn alone (a rider with what is ridden), at the distance at which it is as high as its tile asks for,
through the sensor of a car's camera, before nothing but air. The picture has the levels of its temperatures, from 2 K
below the coldest hundredth of the whole row to 1 K above what is warmest in half of its tiles: a hot exhaust does not
darken all others. A row of the sheet is a time and a height.
"""

from __future__ import annotations

import argparse
import fnmatch
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assets import (
    ANIMAL_ARRAYS,
    CAMERAS,
    CITY,
    PEOPLE_ARRAYS,
    THERMAL_PROFILES,
    TRAILER_ARRAYS,
    TWO_WHEELER_ARRAYS,
)
from renderer.blender.engine import RenderSession
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.road_users.two_wheelers import KINDS
from renderer.thermal.conditions import Conditions, sample_conditions
from renderer.thermal.people import profile_of
from renderer.thermal.physics import render_thermal
from renderer.thermal.profiles import read_profiles
from renderer.thermal.sensor import expose, read_sensors

__all__ = ["main", "sheet"]

Kelvin = NDArray[np.float32]

HEIGHTS_PX = (300, 100, 40)
SHOWN_PX = (300, 200, 120)
"""Edge of a tile; smaller pictures are enlarged so that one sees their pixels."""
HOURS = {"night": 22.0, "day": 13.0}
TURNS_DEG = (200.0, 120.0, 60.0, 320.0)
FOCAL_PX, NEAREST_M = 772.0, 3.0
DEFAULT = ",".join(
    ("person_*.stand", "person_[02]*.walk_04", "person_*.sit", "*.rider_*", "bicycle_0?", "motorcycle_0?", "scooter_0?",
     "dog_0?.stand", "*deer_0?.stand", "cat_0?.stand", "stroller_0?")
)  # fmt: skip


def _views(model: ModelSize, vehicle: ModelSize | None, number: int, height_px: int) -> tuple[Camera, FrameSetup]:
    """A camera that sees the model alone, as high as wanted (or as long, where it is longer than high).

    A rider sits on the vehicle.
    """
    largest = max(model.height_m, 0.8 * (vehicle or model).length_m)
    edge = round(1.25 * height_px)
    ahead = max(NEAREST_M, FOCAL_PX * largest / height_px)
    focal = ahead * height_px / largest
    camera = Camera("sheet", edge, edge, focal, focal, edge / 2, edge / 2 - focal * (1.4 - model.height_m / 2) / ahead)
    to_world = np.array([[0.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 1.4], [0.0, 0.0, 0.0, 1.0]])
    yaw = math.radians(TURNS_DEG[number % len(TURNS_DEG)])
    return camera, FrameSetup(0, tuple(_placed(model, vehicle, ahead, yaw)), to_world)


def _placed(model: ModelSize, vehicle: ModelSize | None, ahead_m: float, yaw: float) -> Iterator[Placement]:
    if vehicle is None:
        profile = profile_of(model.category, model.name, "", None, "driving")
        yield Placement(model.name, ahead_m, 0.0, 0.0, yaw, profile)
        return
    kind = next(kind for kind in KINDS.values() if kind.category == vehicle.category)
    yield Placement(vehicle.name, ahead_m, 0.0, 0.0, yaw, kind.moving)
    yield Placement(model.name, ahead_m, 0.0, 0.0, yaw, kind.rider, rides=1)


def _pictures(
    session: RenderSession, models: Sequence[ModelSize], height_px: int, conditions: Conditions
) -> Iterator[Kelvin]:
    """Temperatures (edge, edge) of each model as the sensor gives them."""
    profiles, sensor = read_profiles(THERMAL_PROFILES), read_sensors(CAMERAS)["tau2"]
    vehicles = {size.name: size for size in session.other_sizes}
    for number, model in enumerate(models):
        camera, setup = _views(model, vehicles.get(model.rides), number, height_px)
        frame = session.frame_on_plane(setup, camera=camera, normals=True, parts=True)
        draw = Draw(1, number)
        apparent = render_thermal(frame, conditions, profiles, draw, cars_only=True).apparent_temperature_K
        yield np.asarray(expose(apparent, sensor, draw, camera), np.float32)


def _row(pictures: Sequence[Kelvin], shown_px: int, columns: int) -> NDArray[np.uint8]:
    """One row of tiles (or more, where there are more than columns)."""
    everything = np.concatenate([one.ravel() for one in pictures])
    low, high = np.percentile(everything, 1) - 2.0, np.median([np.percentile(one, 99.8) for one in pictures]) + 1.0
    tiles = []
    for one in pictures:
        grey = np.clip((one - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        way = cv2.INTER_AREA if shown_px < one.shape[0] else cv2.INTER_NEAREST
        tiles.append(np.asarray(cv2.resize(grey, (shown_px, shown_px), interpolation=way), np.uint8))
    tiles += [np.zeros((shown_px, shown_px), np.uint8)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)])


def sheet(models: str, air_C: float | None, columns: int) -> NDArray[np.uint8]:
    """The sheet of all models whose names match one of the patterns."""
    files = [TWO_WHEELER_ARRAYS, ANIMAL_ARRAYS, TRAILER_ARRAYS]
    with RenderSession(CITY, people=PEOPLE_ARRAYS, others=files, seed=0) as session:
        known = {size.name: size for size in (*session.people_sizes, *session.other_sizes)}
        patterns = models.split(",")
        chosen = [known[name] for name in sorted(known) if any(fnmatch.fnmatch(name, one) for one in patterns)]
        rows = []
        for hour in HOURS.values():
            drawn = sample_conditions(Draw(3, 0).rng(Stream.CONDITIONS), weather="clear", hour=hour, season="spring")
            weather = drawn if air_C is None else replace(drawn, air_temperature_K=air_C + 273.15)
            for height_px, shown_px in zip(HEIGHTS_PX, SHOWN_PX, strict=True):
                per_row = columns * SHOWN_PX[0] // shown_px
                row = _row(list(_pictures(session, chosen, height_px, weather)), shown_px, per_row)
                rows.append(row[:, : columns * SHOWN_PX[0]])
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 4), (0, width - row.shape[1]))) for row in rows])


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", default=DEFAULT, help="patterns of names, with commas between them")
    parser.add_argument("--air", type=float, help="temperature of the air, degrees Celsius")
    parser.add_argument("--columns", type=int, default=8)
    options = parser.parse_args()
    cv2.imwrite(str(options.out), sheet(options.models, options.air, options.columns))


if __name__ == "__main__":
    main()
