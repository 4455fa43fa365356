"""The same frames in all weathers, by day and by night, as one picture.

    python -m benchmarks.worlds.weather_sheet weather.jpg [--frame 1 --seed 3]

Traffic is that of one draw; what cars have been doing stays too, so that all that differs is the weather.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import assets
import renderer
from renderer.geometry.frame import Frame
from renderer.thermal.conditions import Conditions
from renderer.thermal.weather.effects import WeatherEffects

__all__ = ["main"]

WEATHERS: tuple[tuple[str, str, float, Callable[[WeatherEffects], bool]], ...] = (
    ("clear", "clear=1", 13.0, lambda effects: effects.deposit is None),
    ("rain", "rain=1", 13.0, lambda effects: (effects.rain_mm_h or 0.0) > 4.0),
    ("fog", "fog=1", 13.0, lambda effects: 0.015 < (effects.extinction_per_m or 0.0) < 0.03),
    ("snowfall", "snowfall", 13.0, lambda effects: (effects.snow_on_road or 0.0) > 0.75),
    ("snow", "snow", 13.0, lambda effects: 0.42 < (effects.snow_on_road or 0.0) < 0.6 and _is_fresh(effects)),
    ("frost", "clear=1", 7.0, lambda effects: effects.deposit == "frost"),
)
"""Label, option, an hour of the day (frost is there before the sun is), and what the draw shown must have."""
NIGHT = 22.0
CAMERA, WIDE, SIZE = "flir-adas", (640, 512), (480, 384)


def _is_fresh(effects: WeatherEffects) -> bool:
    return effects.sky == "clear" and (effects.snow_age_days or 0.0) < 0.8


def _drawn(option: str, hour: float, shown: Callable[[WeatherEffects], bool]) -> Conditions:
    """The first draw of a weather that has what is to be shown at night, at an hour."""
    for index in range(1000):
        draw = functools.partial(renderer.conditions, weather=option, season="winter", seed=1, index=index)
        effects = draw(hour=NIGHT).effects
        if effects is not None and shown(effects):
            return draw(hour=hour)
    raise LookupError(f"{option}: no draw to show")


def _frame(scene: Path, seed: int, index: int) -> Frame:
    """A frame with the bare trees of winter, in which all weathers are drawn."""
    from renderer.blender.engine import RenderSession

    _, option, hour, shown = WEATHERS[0]
    with RenderSession(scene, camera=assets.camera(CAMERA, WIDE), seed=seed) as session:
        return session.frame(index, normals=True, parts=True, edges=True, conditions=_drawn(option, hour, shown))


def tile(frame: Frame, drawn: Conditions, label: str) -> NDArray[np.uint8]:
    """One frame in one weather, labelled."""
    kelvin = renderer.thermal_image(frame, drawn, seed=3)
    grey = renderer.expose(kelvin, assets.sensor("tau2"), frame, seed=3)
    small = cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA)
    text = f"{label}, {drawn.hour:.0f} h, {drawn.air_temperature_K - 273.15:.0f} C"
    for grey_level, thickness in ((0, 3), (255, 1)):
        cv2.putText(small, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, grey_level, thickness)
    return np.asarray(small, dtype=np.uint8)


def sheet(frame: Frame) -> NDArray[np.uint8]:
    """All weathers of one frame: by day above, by night below, three weathers a row."""
    rows = []
    for first in range(0, len(WEATHERS), 3):
        some = WEATHERS[first : first + 3]
        rows.append(np.hstack([tile(frame, _drawn(option, day, shown), label) for label, option, day, shown in some]))
        rows.append(np.hstack([tile(frame, _drawn(option, NIGHT, shown), label) for label, option, _, shown in some]))
    return np.vstack(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--frame", type=int, default=1)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--scene", type=Path, default=assets.CITY)
    options = parser.parse_args(arguments)
    frame = _frame(options.scene, options.seed, options.frame)
    cv2.imwrite(str(options.out), sheet(frame), [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
