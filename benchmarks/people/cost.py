"""What people cost: frames with eight cars and eight people against the same frames with the cars alone.

    python -m benchmarks.people.cost [--frames 24] [--rounds 6]

One process, one thread. Of the first frames of the shipped street those are taken that have as many cars and people as
are asked for; each is made with and without its people, in turns; of each the least time of the processor counts, so
that it matters little what else the machine does. Models are read before: what a person costs who is seen for the first
time is left out. ``passes`` is :meth:`RenderSession.frame` as ``gis synthesize`` asks for it, ``frame`` all that ``gis
synthesize`` computes for a frame (weather, passes, temperatures, sensor, label error), before anything is
written. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipelines.synthesis.frame_maker import FrameMaker, open_frame_maker, read_inputs
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.random_streams import Draw

__all__ = ["main"]

LEAST_CARS, PEOPLE = 8, 8


@contextmanager
def opened(out: Path, *, people: int) -> Iterator[FrameMaker]:
    """Makes frames of the shipped street with at most that many people."""
    config = SynthesizeConfig(out=out, objects=f"people={people}", max_label_error=None)
    with open_frame_maker(config, read_inputs(config), open_session) as maker:
        yield maker


def chosen(maker: FrameMaker, count: int) -> list[int]:
    """Frames that show eight people, and eight cars or a few more."""
    found: list[int] = []
    index = 0
    while len(found) < count:
        frame = maker.place(Draw(maker.config.seed, index)).frame
        people = sum(item.category == "person" for item in frame.instances)
        if people == PEOPLE and LEAST_CARS <= len(frame.instances) - people <= LEAST_CARS + 2:
            found.append(index)
        index += 1
    return found


def in_turns(
    with_people: Callable[[int], object], without: Callable[[int], object], indices: Sequence[int], rounds: int
) -> dict[str, float]:
    """Milliseconds of a frame with and without people, and their ratio: of each frame the least of all rounds."""
    seconds = np.full((2, len(indices)), np.inf)
    for _ in range(rounds):
        for column, index in enumerate(indices):
            for row, call in enumerate((with_people, without)):
                begin = time.process_time()
                call(index)
                seconds[row, column] = min(seconds[row, column], time.process_time() - begin)
    ms = 1e3 * seconds.mean(axis=1)
    return {
        "ms_with": round(float(ms[0]), 2),
        "ms_without": round(float(ms[1]), 2),
        "ratio": round(float(ms[0] / ms[1]), 3),
    }


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gis-benchmark-") as folder, opened(Path(folder), people=PEOPLE) as maker:
        alone = replace(maker, config=replace(maker.config, objects="people=0"))
        indices = chosen(maker, options.frames)
        seed = maker.config.seed
        for index in indices:  # models are read once
            maker.make_frame(Draw(seed, index))
        result = {
            "passes": in_turns(
                lambda i: maker.place(Draw(seed, i)), lambda i: alone.place(Draw(seed, i)), indices, options.rounds
            ),
            "frame": in_turns(
                lambda i: maker.make_frame(Draw(seed, i)), lambda i: alone.make_frame(Draw(seed, i)), indices,
                options.rounds,
            ),
            "frames": len(indices),
        }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
