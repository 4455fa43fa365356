"""A process that makes frames when it is told to, and tells what they cost.

Started by :mod:`benchmarks.speed.against` as a script, with the code of one commit on ``PYTHONPATH``; so it uses
nothing but that. Lines of JSON come in (``{"what": "passes", "frames": [0, 1]}``), and one goes out for each.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["Frames", "main"]


@dataclass(frozen=True)
class Frames:
    """Makes frames of one kind in all ways that are measured."""

    makers: dict[str, Any]
    """Frame makers by the name of their model."""
    out: Path
    """Files go there."""
    lines: dict[int, str] = field(default_factory=dict)
    """Of the frames that were made last."""

    def make(self, what: str, index: int) -> None:
        """A frame's passes alone, or all of it with its files by one of the models."""
        from pipelines.dataset.writer import encode_frame
        from renderer.random_streams import Draw

        if what == "passes":
            maker = self.makers["physics"]
            # Sub-samples at edges belong to the picture; earlier commits have none.
            without = {"edges": False} if "edges" in inspect.signature(maker.place).parameters else {}
            maker.place(Draw(maker.config.seed, index), **without)
        else:
            made = encode_frame(self.makers[what].make(index))
            (self.out / what).mkdir(parents=True, exist_ok=True)
            made.write(self.out / what)
            self.lines[index] = made.record.to_line()

    def answer(self, asked: dict[str, Any]) -> dict[str, float]:
        """Seconds of processor and wall for what was asked."""
        cpu, wall = time.process_time(), time.perf_counter()
        for index in asked["frames"]:
            self.make(asked["what"], index)
        spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
        for index, line in self.lines.items():
            (self.out / asked["what"] / f"{index}.json").write_text(line, encoding="utf-8")
        self.lines.clear()
        return {**spent, "resident_MB": resident_MB()}


def resident_MB() -> float:
    """Memory of this process, where the system tells it."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS")), 0.0)


def _options_class() -> type[Any]:
    """Of `gis synthesize`, in commits old and new."""
    room = "pipelines.synthesis.options"
    home = f"{room}.synthesize" if find_spec(room) else "pipelines.synthesis.config"
    found: type[Any] = import_module(home).SynthesizeConfig
    return found


def opened(options: dict[str, Any], models: list[str], out: Path) -> Frames:
    """Opens the scene and the models, for as long as the process lives."""
    from dataclasses import replace

    from gan.options import keyword_options
    from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
    from pipelines.synthesis.infrared import open_infrared
    from pipelines.synthesis.model_choice import choose_model
    from pipelines.synthesis.session import open_session

    options_class = _options_class()
    known = {**options, "out": out, "count": 1_000_000, "model": "physics"}
    config = keyword_options(options_class, known)
    maker = FrameMaker(config, read_inputs(config), open_session(config), open_infrared(config))
    makers = {"physics": maker}
    for name in models:
        model, weights, _ = choose_model(name, None, rendered=True)
        other = keyword_options(options_class, {**known, "model": model, "weights": weights})
        makers[name] = replace(maker, config=other, infrared=open_infrared(other))
    return Frames(makers, out)


def options_of(text: str) -> dict[str, Any]:
    """Options of the command line: numbers as they are, paths as paths."""
    values = json.loads(text)
    return {name: Path(value) if name in ("scene", "backgrounds") else value for name, value in values.items()}


def main() -> None:
    """Answers until there is nothing more to read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--options", type=options_of, default={}, help="JSON of what `gis synthesize` is told")
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    frames = opened(given.options, given.models, given.out)
    for line in sys.stdin:
        answers.write(json.dumps(frames.answer(json.loads(line))) + "\n")
        answers.flush()
    os._exit(0)  # Blender may hang at its end


if __name__ == "__main__":
    main()
