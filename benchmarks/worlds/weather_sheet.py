"""The same frames in all weathers, by day and by night, as one picture.

    python -m benchmarks.worlds.weather_sheet weather.jpg [--frame 1 --seed 3]

Traffic is that of one draw; what cars have been doing stays too, so that all that differs is the weather.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import assets
import renderer
from renderer.geometry.frame import Frame

__all__ = ["main"]

WEATHERS = (
    ("clear", "clear", 0, 13.0), ("rain", "rain=1", 15, 13.0), ("fog", "fog=1", 5, 13.0),
    ("snowfall", "snowfall", 1, 13.0), ("snow", "snow", 6, 13.0), ("frost", "clear=1", 5, 7.0),
)  # fmt: skip
"""Label, option, which of the draws, and an hour of the day; frost is there before the sun is."""
NIGHT = 22.0
CAMERA, WIDE, SIZE = "flir-adas", (640, 512), (480, 384)


def _frames(scene: Path, seed: int, indices: Sequence[int]) -> list[Frame]:
    camera = assets.camera(CAMERA, WIDE)
    with renderer.open_scene(scene, camera=camera, seed=seed) as opened:
        return [opened.render(index) for index in indices]


def tile(frame: Frame, weather: str, hour: float, index: int, label: str) -> NDArray[np.uint8]:
    """One frame in one weather, labelled."""
    drawn = renderer.conditions(weather=weather, hour=hour, season="winter", seed=1, index=index)
    kelvin = renderer.thermal_image(frame, drawn, seed=3)
    grey = renderer.expose(kelvin, assets.sensor("tau2"), frame, seed=3)
    small = cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA)
    celsius = drawn.air_temperature_K - 273.15
    cv2.putText(small, f"{label}, {hour:.0f} h, {celsius:.0f} C", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 3)
    cv2.putText(small, f"{label}, {hour:.0f} h, {celsius:.0f} C", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    return np.asarray(small, dtype=np.uint8)


def sheet(frame: Frame) -> NDArray[np.uint8]:
    """All weathers of one frame: by day above, by night below, three weathers a row."""
    rows = []
    for first in range(0, len(WEATHERS), 3):
        shown = WEATHERS[first : first + 3]
        rows.append(np.hstack([tile(frame, option, day, index, label) for label, option, index, day in shown]))
        rows.append(np.hstack([tile(frame, option, NIGHT, index, label) for label, option, index, _ in shown]))
    return np.vstack(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--frame", type=int, default=1)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--scene", type=Path, default=assets.CITY)
    options = parser.parse_args(arguments)
    frame = _frames(options.scene, options.seed, [options.frame])[0]
    cv2.imwrite(str(options.out), sheet(frame), [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
