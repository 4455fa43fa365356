"""What each weather costs beside clear: the temperatures of the same frames, taken in turns.

    python -m benchmarks.worlds.weather_cost [--frames 4 --rounds 7 --seed 3]

Every round computes each frame in every weather once, so that what else the machine does falls on all alike; printed is
the median of the rounds' ratios to the simple clear weather, in processor time of this process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

import assets
import renderer
from renderer.geometry.frame import Frame
from renderer.thermal.conditions import Conditions

__all__ = ["main", "ratios"]

WEATHERS = ("clear", "clear=1", "fog=1", "rain=1", "snow", "snowfall")
"""The first is what the others are compared with."""


def drawn(weather: str) -> Conditions:
    """One draw of a weather, at night in winter."""
    return renderer.conditions(weather=weather, hour=22.0, season="winter", seed=1, index=5)


def seconds(frame: Frame, conditions: Conditions) -> float:
    """Processor time of one thermal image."""
    start = time.process_time()
    renderer.thermal_image(frame, conditions)
    return time.process_time() - start


def ratios(frames: Sequence[Frame], rounds: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds of a frame, and median ratio to the first weather, by weather."""
    weathers = {name: drawn(name) for name in WEATHERS}
    for one in weathers.values():
        seconds(frames[0], one)  # compiles
    times = np.array([[[seconds(f, one) for one in weathers.values()] for f in frames] for _ in range(rounds)])
    whole = times.sum(axis=1)
    relative = np.median(whole / whole[:, :1], axis=0)
    return {name: (1000.0 * float(np.median(times[:, :, i])), float(relative[i])) for i, name in enumerate(WEATHERS)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args(arguments)
    with renderer.open_scene(assets.CITY, camera=assets.camera("flir-adas", (640, 512)), seed=options.seed) as scene:
        frames = [scene.render(index) for index in range(options.frames)]
    for name, (milliseconds, ratio) in ratios(frames, options.rounds).items():
        print(f"{name:9s} {milliseconds:7.1f} ms {ratio:5.2f} x")


if __name__ == "__main__":
    main()
