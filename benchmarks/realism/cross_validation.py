"""How near cars come to real ones in frames that a model has not seen, over more frames than a validation split has.

    python -m benchmarks.realism.cross_validation FRAMES BOXES --fits PAIRS --inserted SOURCES --out DIR
        [--folds 4] [--jobs 2]

The sequences of the training frames are dealt out to folds. For each fold a model is trained by the recipe on the other
folds (`gis train`; frames of other splits choose its weights, as in a usual training), and measured on the frames of
the fold: on their fitted cars, and on cars put where none was. PAIRS and SOURCES are what the recipe is trained on:
`gis fit` of FRAMES, and `gis synthesize --model physics --tensors --layout physics` on the training frames.

A training takes a quarter of an hour on a core, and 3 GB of disk while it lasts. A run that was ended goes on with the
same command. Prints tables and ends with a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from assets import CAMERAS
from benchmarks.realism.__main__ import FLAT, PHYSICS, Model, changes, replaced, run_or_say, said, table, three
from benchmarks.realism.cars import Fits, make_gallery, open_case, read_fits, seen_elsewhere
from benchmarks.realism.measure import FrameBootstrap, Scores
from benchmarks.realism.product import (
    PLAIN,
    Distances,
    Inserted,
    distances,
    insert_cars,
    match_heights,
    standing_cars,
)
from gan.data.layout import Sample, decode_sample
from gan.metrics.features import feature_extractor
from gan.metrics.lpips import Lpips
from gan.serving.inference import load_model
from pipelines.dataset import shards as tensors
from pipelines.dataset.record import frame_name
from pipelines.dataset.store import FRAMES_FILE
from pipelines.errors import ConfigError
from pipelines.io.files import read_lines, write_bytes, write_text
from renderer.thermal.sensor import read_sensors

__all__ = ["main"]

TRAIN = "train"
UNSEEN, SEEN = "unseen", "seen"
"""Cars made by the model of their frame's own fold, and by that of another, which was trained on the frame."""


@dataclass(frozen=True)
class Fold:
    """A part of the training frames, and where the model that has not seen them is trained."""

    frames: tuple[str, ...]
    """Hidden from the training."""
    measured: tuple[str, ...]
    """Those that show no scene of another fold."""
    folder: Path

    @property
    def model(self) -> Path:
        """The model file of the training."""
        return self.folder / "run" / "model.safetensors"


def main() -> None:
    """Runs the benchmark."""
    run_or_say(run, arguments())


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--fits", type=Path, required=True, help="folder of gis fit")
    parser.add_argument("--review", type=Path, help="decisions on the fits; default review.txt in their folder")
    parser.add_argument("--inserted", type=Path, required=True, help="folder of source tensors without targets")
    parser.add_argument("--recipe", default="cars")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, each on one core")
    parser.add_argument("--count", type=int, default=320, help="frames of the product case")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--weights-dir", type=Path, help="of AlexNet and SqueezeNet")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """Trains what is not trained yet, and measures."""
    cv2.setNumThreads(1)
    fits = read_fits(options.frames, options.boxes, options.fits, "flir-adas", options.review)
    folds = deal(fits, options.folds, options.out)
    with ThreadPoolExecutor(options.jobs) as pool:
        for failed in pool.map(lambda fold: train(fold, fits, options), folds):
            if failed:
                raise ConfigError(failed)
    scores, cars, frames = fitted_cars(fits, folds, options)
    found = product_case(fits, folds, options)
    tables = table(scores, FrameBootstrap(cars), FrameBootstrap(frames)), changes(scores, FrameBootstrap(cars))
    print("## Fitted cars replaced in their own frames", *tables, sep="\n\n")
    print("\n## Cars inserted where none was\n", product_table(found), sep="\n")
    print(json.dumps(numbers(scores, cars, found)))


# --- folds ------------------------------------------------------------------------------------------------------------


def deal(fits: Fits, count: int, out: Path) -> list[Fold]:
    """Deals whole sequences out, those with most fitted cars first, each to the fold that has fewest so far."""
    known = [name for name in fits.frames if fits.splits.get(name, TRAIN) == TRAIN]
    if len(known) == len(fits.frames):
        raise ConfigError("the boxes name no frames of another split: expected some that choose a training's weights")
    group = {name: fits.frames[name].group or name for name in known}
    cars = Counter({group[name]: 0 for name in known})
    for name in known:
        cars[group[name]] += len(fits.cars.get(name, ()))
    if len(cars) < count:
        raise ConfigError(f"{len(cars)} sequences of training frames: expected at least --folds {count}")
    chosen: dict[str, int] = {}
    load = [(0, 0)] * count
    for one in sorted(cars, key=lambda one: (-cars[one], one)):
        least = min(range(count), key=lambda number: load[number])
        chosen[one] = least
        load[least] = load[least][0] + cars[one], load[least][1] + sum(name == one for name in group.values())
    folds = []
    for number in range(count):
        frames = tuple(name for name in known if chosen[group[name]] == number)
        others = seen_elsewhere(fits, frames)
        folds.append(Fold(frames, tuple(name for name in frames if name not in others), out / f"fold-{number}"))
    return folds


def train(fold: Fold, fits: Fits, options: argparse.Namespace) -> str:
    """Trains the model that does not see a fold's frames; returns what went wrong, or nothing."""
    if fold.model.is_file():
        return ""
    # Of the samples of pairs each frame has one, then each another variant; those of inserted cars name their frame.
    order = [json.loads(line)["name"] for line in read_lines(options.fits / FRAMES_FILE)]
    hidden = set(fold.frames)
    pairs = keep_samples(
        options.fits, fold.folder / "pairs", hidden, lambda number, sample: str(order[number % len(order)])
    )
    keep_samples(options.inserted, fold.folder / "inserted", hidden, lambda number, sample: Path(sample.group).stem)
    held = [sample for sample, name in pairs.items() if fits.splits.get(name, TRAIN) != TRAIN]
    write_text(fold.folder / "validation.txt", "\n".join(held) + "\n")
    command = [
        *(sys.executable, "-c", "from pipelines.cli import main; main()", "train", "--config", options.recipe),
        *("--data", str(fold.folder / "pairs"), "--unpaired-objects", str(fold.folder / "inserted")),
        *("--validation-list", str(fold.folder / "validation.txt"), "--out", str(fold.model.parent)),
        *(("--weights-dir", str(options.weights_dir)) if options.weights_dir else ()),
        *(["--resume"] if (fold.model.parent / "run.json").is_file() else []),
    ]
    with (fold.folder / "train.log").open("w") as log:
        done = subprocess.run(command, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    if done.returncode:
        return f"training of {fold.folder} failed: see {fold.folder / 'train.log'}"
    for data in ("pairs", "inserted", "run/cache"):  # gigabytes
        shutil.rmtree(fold.folder / data)
    return ""


def keep_samples(
    folder: Path, out: Path, hidden: Collection[str], frame_of: Callable[[int, Sample], str]
) -> dict[str, str]:
    """Writes the samples of a data set whose frame is not hidden, one by one; returns the frame of each by its name."""
    found = {}
    shards = sorted((folder / "tensors").glob("*.tar"))
    if not shards:
        raise ConfigError(f"{folder}: holds no tensors: expected shards of gis fit, or of gis synthesize --tensors")
    for shard in shards:
        for number, data in tensors.read_shard(shard):
            frame = frame_of(number, decode_sample(data, f"{shard}:{number}"))
            if frame not in hidden:
                found[frame_name(number)] = frame
                write_bytes(out / "tensors" / f"{frame_name(number)}.safetensors", data)
    return found


# --- measures ---------------------------------------------------------------------------------------------------------


def fitted_cars(
    fits: Fits, folds: Sequence[Fold], options: argparse.Namespace
) -> tuple[dict[str, Scores], list[str], list[str]]:
    """Measures by way of making the pictures over all folds, the frame of each car, and the frames."""
    lpips, sensor = Lpips("alex", options.weights_dir), read_sensors(CAMERAS)[fits.camera.sensor]
    number = {name: index for index, name in enumerate(fits.frames)}
    scores: dict[str, Scores] = {}
    cars: list[str] = []
    frames: list[str] = []
    for fold in folds:
        cases = [case for name in fold.measured if name in fits.cars
                 if (case := open_case(fits, name, number[name])).cars]  # fmt: skip
        translator = load_model(fold.model, precision="fp32")
        model = Model(UNSEEN, fold.model, translator.layout, translator)
        made = replaced(fits, cases, make_gallery(fits, fold.frames), [model], lpips, sensor)
        for way, one in made.items():
            scores.setdefault(way, Scores()).extend(one)
        cars += [case.name for case in cases for _ in case.cars]
        frames += [case.name for case in cases]
    return scores, cars, frames


def product_case(fits: Fits, folds: Sequence[Fold], options: argparse.Namespace) -> Distances:
    """Distances of inserted cars from the frames' own; each car made by its frame's model, and by another fold's."""
    own = {name: number for number, fold in enumerate(folds) for name in fold.measured}
    names = list(own)
    weights = {str(number): fold.model for number, fold in enumerate(folds)}
    made = insert_cars(options.frames, options.boxes, names, weights, options.count, options.seed)
    by_model = [made.crops.pop(str(number)) for number in range(len(folds))]
    made.crops[UNSEEN] = [by_model[own[name]][place] for place, name in enumerate(made.frames)]
    made.crops[SEEN] = [by_model[(own[name] + 1) % len(folds)][place] for place, name in enumerate(made.frames)]
    real: Inserted = standing_cars(fits, names)
    found = distances(real, match_heights(real, made), feature_extractor("alex", options.weights_dir), options.seed)
    if found is None:
        raise ConfigError(f"{options.frames}: too few cars for distances of sets")
    return found


def product_table(found: Distances) -> str:
    """Distances of sets as markdown."""
    rows = [
        f"{found.inserted} inserted cars against {found.real} real ones, of like heights.", "",
        "| | kernel distance | over that of plain pasting |", "|---|---|---|",
    ]  # fmt: skip
    for way, value in found.kernel.items():
        rows.append(f"| {way} | {said(value)} | {said(found.to_plain[way]) if way in found.to_plain else ''} |")
    return "\n".join(rows)


def numbers(scores: Mapping[str, Scores], cars: Sequence[str], found: Distances) -> dict[str, Any]:
    """The last line."""
    frames, made = FrameBootstrap(cars), scores[UNSEEN].crop_lpips
    return {
        "crop_lpips": round(frames.mean(made).mean, 4),
        "crop_lpips_flat": round(frames.mean(scores[FLAT].crop_lpips).mean, 4),
        "crop_lpips_physics": round(frames.mean(scores[PHYSICS].crop_lpips).mean, 4),
        "change_to_flat": three(frames.change(made, scores[FLAT].crop_lpips)),
        "change_to_physics": three(frames.change(made, scores[PHYSICS].crop_lpips)),
        "cars": len(cars),
        "distance_ratio": three(found.to_plain[UNSEEN]),
        "distance_ratio_seen": three(found.to_plain[SEEN]),
        "distance_ratio_physics": three(found.to_plain[PHYSICS]),
        "kernel": {way: three(value) for way, value in found.kernel.items() if way != PLAIN},
        "real": found.real,
        "inserted": found.inserted,
    }


if __name__ == "__main__":
    main()
