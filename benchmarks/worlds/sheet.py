"""Frames of all streets in many weathers and hours, as one picture.

    python -m benchmarks.worlds.sheet sheet.jpg [--only KIND,... --width 480] [--single FOLDER]

Each cell of :data:`CELLS` is one frame of one street with its traffic, drawn from the cell's number alone, shown by a
camera of its own gain. `--single` writes each frame in full size too.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import assets
import renderer
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.random_streams import Draw
from renderer.scene.place import Place
from renderer.thermal.weather.draws import draw_conditions

__all__ = ["CELLS", "main"]

CELLS: tuple[tuple[str, int, str, str, float, int], ...] = (
    ("residential", 12, "clear=1", "summer", 13.0, 0),
    ("residential", 4, "snow", "winter", 10.0, 1),
    ("residential", 31, "rain=1", "autumn", 20.0, 2),
    ("town", 5, "clear=1", "spring", 22.0, 3),
    ("town", 8, "cloudy=1", "summer", 15.0, 4),
    ("town", 21, "snowfall", "winter", 16.0, 5),
    ("city", 0, "rain=1", "spring", 9.0, 6),
    ("city", 0, "fog=1", "autumn", 7.0, 7),
    ("city", 0, "snow", "winter", 13.0, 8),
    ("arterial", 3, "clear=1", "summer", 17.0, 9),
    ("arterial", 14, "fog=1", "winter", 8.0, 10),
    ("arterial", 9, "overcast=1", "autumn", 21.0, 11),
    ("country", 6, "clear=1", "winter", 6.5, 12),
    ("country", 2, "snow", "winter", 12.0, 13),
    ("country", 17, "fog=1", "autumn", 22.0, 14),
    ("motorway", 5, "cloudy=1", "summer", 14.0, 15),
    ("motorway", 11, "rain=1", "autumn", 18.0, 16),
    ("car_park", 4, "clear=1", "summer", 12.0, 17),
    ("car_park", 9, "snow", "winter", 20.0, 18),
    ("underpass", 7, "clear=1", "summer", 14.0, 25),
    ("underpass", 2, "rain=1", "autumn", 22.0, 28),
    ("underpass", 6, "snow", "winter", 11.0, 31),
    ("hill", 1, "clear=1", "spring", 10.0, 22),
    ("hill", 3, "snowfall", "winter", 21.0, 23),
)
"""Kind and seed of the street, weather, season, hour, and number of the frame."""
COLUMNS, SEED, CAMERA, WIDE = 4, 41, "flir-adas", (640, 512)


class _Streets:
    """The street of each cell, by the frame's number."""

    def name(self, index: int) -> str:
        """``KIND-SEED``."""
        return next(f"{kind}-{seed}" for kind, seed, _, _, _, number in CELLS if number == index)

    def make(self, name: str) -> Place | None:
        """The street; None for the city."""
        from assets.build.worlds.scene import build_place

        kind, _, seed = name.rpartition("-")
        return None if kind == "city" else build_place(kind, int(seed))


def pictures(only: Sequence[str]) -> list[tuple[str, NDArray[np.uint8]]]:
    """Label and picture (H, W) of each cell, of some kinds or all."""
    from renderer.blender.engine import RenderSession

    usual = SynthesizeConfig(out=Path("none"))
    session = RenderSession(
        assets.CITY, camera=assets.camera(CAMERA, WIDE), people=assets.PEOPLE_ARRAYS,
        others=(assets.TWO_WHEELER_ARRAYS, assets.ANIMAL_ARRAYS), seed=SEED, places=_Streets(),
    )  # fmt: skip
    made = []
    for kind, _, weather, season, hour, number in CELLS:
        if only and kind not in only:
            continue
        drawn = draw_conditions(Draw(SEED, number), weather=weather, hour=hour, season=season)
        frame = session.frame(
            number,
            normals=True,
            parts=True,
            edges=True,
            conditions=drawn,
            people=usual.most_people,
            others=usual.most_others,
        )
        kelvin = renderer.thermal_image(dataclasses.replace(frame, notes=()), drawn, seed=SEED)
        grey = renderer.expose(kelvin, assets.sensor("tau2"), frame, seed=SEED)
        celsius = drawn.air_temperature_K - 273.15
        made.append((f"{kind}, {weather.split('=')[0]}, {hour:.0f} h, {celsius:.0f} C", np.asarray(grey, np.uint8)))
    return made


def sheet(made: Sequence[tuple[str, NDArray[np.uint8]]], width: int) -> NDArray[np.uint8]:
    """All cells, labelled."""
    tiles = []
    for label, grey in made:
        height = round(grey.shape[0] * width / grey.shape[1])
        small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
        for level, thickness in ((0, 3), (255, 1)):
            cv2.putText(small, label, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, level, thickness)
        tiles.append(small)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    return np.vstack([np.hstack(tiles[k : k + COLUMNS]) for k in range(0, len(tiles), COLUMNS)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="kinds, separated by commas")
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--single", type=Path, help="folder of the single frames")
    options = parser.parse_args(arguments)
    made = pictures([name for name in options.only.split(",") if name])
    if options.single is not None:
        options.single.mkdir(parents=True, exist_ok=True)
        for k, (_, grey) in enumerate(made):
            cv2.imwrite(str(options.single / f"{k:02d}.png"), grey)
    cv2.imwrite(str(options.out), sheet(made, options.width), [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
