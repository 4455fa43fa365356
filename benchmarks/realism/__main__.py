"""How near made cars are to real ones: fitted cars replaced in their own frames, and traffic put where no car was.

    python -m benchmarks.realism FRAMES BOXES [--fits DIR] [--weights MODEL.safetensors ...] [--split val] [--out DIR]

FRAMES is any folder of thermal frames, BOXES the boxes of their cars (COCO, KITTI, YOLO, or one JSON object by image;
its ``split``, where there is one, tells which frames are measured and which give levels). ``--fits`` is a folder of
`gis fit` on those frames; without it one is made in the user's cache. LPIPS and features need AlexNet's weights
(``GIS_WEIGHTS`` or ``--weights-dir``).

Prints tables, writes them with a grid of random results to ``--out``, and ends with a line of JSON. ``crop_lpips`` and
``distance_ratio`` are those of the first model, as it made the picture; the shipped one where none is named. See
docs/explanation/realism.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assets import CAMERAS, CAR_WEIGHTS
from benchmarks.realism.cars import (
    BASELINES,
    Case,
    Fits,
    Gallery,
    PhysicsBaseline,
    box_hole,
    draw_samples,
    make_gallery,
    open_case,
    read_fits,
    seen_elsewhere,
    without_cars,
)
from benchmarks.realism.measure import SIDE_PX, FrameBootstrap, Scores, crop, mean_scores, score
from benchmarks.realism.product import (
    PLAIN,
    Distances,
    distances,
    insert_cars,
    match_heights,
    real_crops,
    standing_cars,
)
from gan.data.layout import CHANNELS, Sample
from gan.metrics.bootstrap import Interval
from gan.metrics.features import feature_extractor
from gan.metrics.lpips import Lpips
from gan.serving.inference import TranslationModel, load_model
from pipelines.errors import ConfigError, GisError
from pipelines.io.files import file_sha256, sha256, write_bytes, write_json, write_text
from pipelines.io.images import encode_png
from pipelines.synthesis.source_tensor import dilate_objects
from renderer.thermal.sensor import read_sensors

__all__ = ["main"]

UInt8 = NDArray[np.uint8]

FLAT, PHYSICS = "flat paste", "physics"
GRID, GRID_BLOCKS, HEADER_PX, GAP_PX = 20, 2, 18, 8
GRID_SKIPPED = {"flat paste, real surroundings", "physics, plain", "blur sigma 0.7", "blur sigma 1"}
STREAM_GRID = 5
MEASURED, EVERYWHERE, HIDDEN_TOO = "measured frames", "all frames", "all frames, half hidden cars too"
"""Sets of frames and of their real cars that inserted ones are compared with."""
WEATHERS = 3
"""Draws of weather and of the cars' levels over which the measures of physics are averaged."""


@dataclass(frozen=True)
class Model:
    """A trained model."""

    name: str
    path: Path
    layout: str
    translator: TranslationModel

    def picture(self, sample: Sample) -> UInt8:
        """(H, W) what it makes of a source."""
        made = np.clip(self.translator.translate(sample.source()), -1.0, 1.0)
        return np.asarray(np.rint((made + 1.0) * 127.5), dtype=np.uint8)


def main() -> None:
    """Runs the benchmark."""
    run_or_say(run, arguments())


def run_or_say(benchmark: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> None:
    """Runs a benchmark; what cannot be used is said in one line."""
    try:
        benchmark(options)
    except GisError as error:
        sys.exit(f"error: {error}")


def run(options: argparse.Namespace) -> None:
    """Measures, and writes what was found."""
    cv2.setNumThreads(1)
    fits = read_fits(
        options.frames, options.boxes, options.fits or cache_folder(options), options.camera, options.review
    )
    in_split = fits.chosen(options.split)
    known = seen_elsewhere(fits, fits.in_split(options.split, fits.frames))
    chosen = [name for name in in_split if name not in known]
    models = read_models(options)
    lpips = Lpips("alex", options.weights_dir)
    gallery = make_gallery(fits, in_split)
    # The number of a frame decides its weather: it stays the same whatever else is measured.
    number = {name: index for index, name in enumerate(fits.frames)}
    cases = [case for name in chosen if (case := open_case(fits, name, number[name])).cars]
    if not cases:
        raise ConfigError(f"{options.frames}: no clean car of 40 px or more: give more frames, or --split all")
    scores = replaced(fits, cases, gallery, models, lpips, read_sensors(CAMERAS)[fits.camera.sensor])
    frames = [case.name for case in cases for _ in case.cars]
    report = [heading(cases, known), table(scores, FrameBootstrap(frames), FrameBootstrap([one.name for one in cases]))]
    report += [changes(scores, FrameBootstrap(frames))]
    found: dict[str, Any] = numbers(scores, frames, models) | {"left_out": known}
    if options.leak_test:
        leaks = leak_test(fits, cases, models, lpips, frames)
        report, found = [*report, leak_table(leaks)], found | {"leak": {key: three(one) for key, one in leaks.items()}}
    if options.count:
        everywhere = sorted(path.stem for path in options.frames.iterdir())
        names = [name for name in fits.in_split(options.split, everywhere) if name not in known]
        product, features = product_case(options, fits, names, everywhere, models)
        few = "Too few inserted or real cars for distances of sets."
        report += [product_table(product, features) if product else few]
        found |= product_numbers(product, features, models) if product else {}
    finish(options.out, "\n\n".join(report), found, scores, cases, options.seed)


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--fits", type=Path)
    parser.add_argument("--review", type=Path, help="decisions on the fits; default review.txt in their folder")
    parser.add_argument("--camera", default="flir-adas", help="that took the frames; for a new fit")
    parser.add_argument("--weights", type=Path, nargs="*", default=[CAR_WEIGHTS], help="models; by itself: none")
    parser.add_argument("--precision", default="fp32", help="fp32, bf16, int8 or auto: of the models on fitted cars")
    parser.add_argument("--split", default="val", help="a split that the boxes name, or all")
    parser.add_argument("--count", type=int, default=320, help="frames of the product case; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--leak-test", action="store_true")
    parser.add_argument("--weights-dir", type=Path, help="of AlexNet")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def cache_folder(options: argparse.Namespace) -> Path:
    """Where a fit of these frames is kept."""
    from gan.serving.openvino_engine import cache_folder as cache

    named = f"{options.frames.resolve()} {file_sha256(options.boxes)}"
    return cache() / f"fit-{sha256(f'{named} {options.camera}'.encode())[:24]}"


def read_models(options: argparse.Namespace) -> list[Model]:
    """The models, named by their file, or by its folder where the file is called best or last.

    Raises:
        ConfigError: two of one name, or a model of other sources.
    """
    found: list[Model] = []
    for path in options.weights:
        name = path.parent.name if path.stem in ("best", "last") else path.stem
        if any(name == one.name for one in found):
            raise ConfigError(f"{path}: a second model named {name!r}: give files or folders of different names")
        translator = load_model(path, precision=options.precision)
        if translator.in_channels != len(CHANNELS):
            raise ConfigError(f"{path}: takes {translator.in_channels} channels: expected a model of source tensors")
        found.append(Model(name, path, translator.layout, translator))
    return found


# --- fitted cars replaced ---------------------------------------------------------------------------------------------


def replaced(
    fits: Fits, cases: Sequence[Case], gallery: Gallery, models: Sequence[Model], lpips: Lpips, sensor: Any
) -> dict[str, Scores]:
    """Measures by way of making the pictures, baselines first."""
    ways: dict[str, list[Callable[[Case, Gallery], UInt8]]] = {way: [make] for way, make in BASELINES.items()}
    ways[PHYSICS] = [PhysicsBaseline(sensor, seed) for seed in range(WEATHERS)]
    ways["physics, plain"] = [PhysicsBaseline(sensor, seed, plain=True) for seed in range(WEATHERS)]
    scores: dict[str, Scores] = {}
    for way, makers in ways.items():
        drawn = [Scores() for _ in makers]
        for case in cases:
            for one, make in zip(drawn, makers, strict=True):
                score(one, case, make(case, gallery), lpips, keep=True)
        scores[way] = mean_scores(drawn)
    for model in models:
        scores[model.name] = Scores()
        for case, sample in zip(cases, draw_samples(fits, [one.name for one in cases], model.layout), strict=True):
            score(scores[model.name], case, model.picture(sample), lpips, keep=True)
    return scores


def heading(cases: Sequence[Case], known: Mapping[str, str]) -> str:
    """What was measured."""
    cars, groups = sum(len(case.cars) for case in cases), len({case.group for case in cases})
    left_out = ", ".join(f"{name} (as {other})" for name, other in known.items())
    return (
        f"{cars} cars in {len(cases)} frames of {groups} sequences. In brackets: 95 % intervals, frames resampled."
        + (f" Left out, because frames of other splits show the same scene: {left_out}." if known else "")
        + "\n\n## Fitted cars replaced in their own frames"
    )


def table(scores: Mapping[str, Scores], cars: FrameBootstrap, frames: FrameBootstrap) -> str:
    """Measures of each way, as markdown."""
    rows = [
        "| | crop LPIPS | crop LPIPS, composited | L1 inside the mask | full-frame LPIPS |",
        "|---|---|---|---|---|",
    ]
    for way, one in scores.items():
        cells = [cars.mean(one.crop_lpips), cars.mean(one.composited), cars.mean(one.mask_l1)]
        texts = [said(cell) for cell in (*cells, frames.mean(one.frame_lpips))]
        rows.append(f"| {way} | {' | '.join(texts)} |")
    return "\n".join(rows)


def changes(scores: Mapping[str, Scores], cars: FrameBootstrap) -> str:
    """Crop LPIPS of each way against flat paste and physics, paired."""
    rows = ["| crop LPIPS against | flat paste | | physics | |", "|---|---|---|---|---|"]
    for way, one in scores.items():
        cells = []
        for other in (scores[FLAT], scores[PHYSICS]):
            share = cars.change(one.crop_lpips, other.crop_lpips)
            cells.append(said(cars.difference(one.crop_lpips, other.crop_lpips), sign=True))
            cells.append(f"{100 * share.mean:+.0f} % [{100 * share.low:+.0f}, {100 * share.high:+.0f}]")
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(rows)


def numbers(scores: Mapping[str, Scores], frames: Sequence[str], models: Sequence[Model]) -> dict[str, Any]:
    """What the last line says of the fitted cars."""
    cars = FrameBootstrap(frames)
    first = models[0].name if models else None
    found: dict[str, Any] = {
        "crop_lpips": None if first is None else round(cars.mean(scores[first].crop_lpips).mean, 4),
        "crop_lpips_composited": None if first is None else round(cars.mean(scores[first].composited).mean, 4),
        "crop_lpips_flat": round(cars.mean(scores[FLAT].crop_lpips).mean, 4),
        "crop_lpips_physics": round(cars.mean(scores[PHYSICS].crop_lpips).mean, 4),
        "distance_ratio": None,
        "cars": len(frames),
        "frames": len(set(frames)),
        "model": first,
    }
    # In an object of their own: a model may have any name.
    found["pictures"] = {
        way: {
            "crop_lpips": three(cars.mean(one.crop_lpips)),
            "crop_lpips_composited": three(cars.mean(one.composited)),
            "mask_l1": three(cars.mean(one.mask_l1)),
            "frame_lpips": round(float(np.mean(one.frame_lpips)), 4),
            "change_to_flat": three(cars.change(one.crop_lpips, scores[FLAT].crop_lpips)),
            "change_to_physics": three(cars.change(one.crop_lpips, scores[PHYSICS].crop_lpips)),
        }
        for way, one in scores.items()
    }
    return found


# --- leaks ------------------------------------------------------------------------------------------------------------


def leak_test(
    fits: Fits, cases: Sequence[Case], models: Sequence[Model], lpips: Lpips, frames: Sequence[str]
) -> dict[str, Interval]:
    """Rise of crop LPIPS when the hole around each car becomes a box, by way.

    A hole in the shape of the car could tell where the real car ends, by what of it is left outside. Both pictures are
    put into the frame inside the usual hole, so that what the box hides besides the car is not measured; with ``whole``
    it is.
    """
    cars, found = FrameBootstrap(frames), {}
    names = [one.name for one in cases]
    boxed = [without_cars(case.real, box_hole(case.frame) > 0) for case in cases]
    pairs = {"no car": ([case.empty for case in cases], boxed)}
    for model in models:
        usual, box = (
            [model.picture(sample) for sample in draw_samples(fits, names, model.layout, grow)]
            for grow in (dilate_objects, box_hole)
        )
        pairs[model.name] = (usual, box)
    for way, made in pairs.items():
        before, after = (_scored(cases, pictures, lpips) for pictures in made)
        found[way] = cars.difference(after.composited, before.composited)
        found[f"{way}, whole"] = cars.difference(after.crop_lpips, before.crop_lpips)
    return found


def _scored(cases: Sequence[Case], pictures: Sequence[UInt8], lpips: Lpips) -> Scores:
    scores = Scores()
    for case, picture in zip(cases, pictures, strict=True):
        score(scores, case, picture, lpips)
    return scores


def leak_table(leaks: Mapping[str, Interval]) -> str:
    """The leak test as markdown."""
    rows = ["## Box-shaped holes", "", "| | rise of crop LPIPS |", "|---|---|"]
    return "\n".join([*rows, *(f"| {way} | {said(one, sign=True)} |" for way, one in leaks.items())])


# --- product case -----------------------------------------------------------------------------------------------------


def product_case(
    options: argparse.Namespace, fits: Fits, chosen: Sequence[str], everywhere: Sequence[str], models: Sequence[Model]
) -> tuple[dict[str, Distances], str]:
    """Distances of cars inserted into frames from real ones of the same frames, by set; name of the features.

    No distances where there are too few cars for distances of sets.
    """
    weights = {model.name: model.path for model in models}
    extractor = feature_extractor("alex", options.weights_dir)
    near, far = (
        insert_cars(options.frames, options.boxes, names, weights, options.count, options.seed)
        for names in (chosen, everywhere)
    )
    pairs = {
        MEASURED: (standing_cars(fits, chosen), near),
        EVERYWHERE: (standing_cars(fits, everywhere), far),
        HIDDEN_TOO: (real_crops(options.frames, options.boxes, everywhere), far),
    }
    found = {
        name: distances(real, match_heights(real, inserted), extractor, options.seed)
        for name, (real, inserted) in pairs.items()
    }
    kept = {name: one for name, one in found.items() if one is not None}
    return (kept if MEASURED in kept and EVERYWHERE in kept else {}), extractor.name


def product_table(found: Mapping[str, Distances], features: str) -> str:
    """Distances as markdown."""
    counts = "; ".join(
        f"{name}: {one.inserted} inserted cars against {one.real} real ones" for name, one in found.items()
    )
    rows = [
        "## Cars inserted where none was", "",
        f"{counts}. Of like heights. Kernel distance, and its share of that of plain pasting. Features {features}. "
        "Intervals: random halves of the frames.", "",
        "| | " + " | | ".join(found) + " | | Frechet, " + MEASURED + " |", "|---|" + "---|---|" * len(found) + "---|",
    ]  # fmt: skip
    for way in found[MEASURED].kernel:
        cells = []
        for one in found.values():
            cells += [said(one.kernel[way]), said(one.to_plain[way]) if way in one.to_plain else ""]
        frechet = found[MEASURED].frechet
        cells.append(f"{frechet[way]:.1f}" if way in frechet else "")
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(rows)


def product_numbers(found: Mapping[str, Distances], features: str, models: Sequence[Model]) -> dict[str, Any]:
    """What the last line says of the inserted cars."""

    def ratio(name: str) -> float | None:
        return round(found[name].to_plain[models[0].name].mean, 4) if models and name in found else None

    return {
        "distance_ratio": ratio(MEASURED),
        "distance_ratio_all_frames": ratio(EVERYWHERE),
        "distance_ratio_hidden_too": ratio(HIDDEN_TOO),
        "features": features,
        **{
            f"product, {name}": {
                "real": one.real,
                "inserted": one.inserted,
                "kernel": {way: three(value) for way, value in one.kernel.items()},
                "over_plain": {way: three(value) for way, value in one.to_plain.items() if way != PLAIN},
                "frechet": {way: round(value, 2) for way, value in one.frechet.items()},
            }
            for name, one in found.items()
        },
    }


# --- output -----------------------------------------------------------------------------------------------------------


def said(one: Interval, *, sign: bool = False) -> str:
    """A value and its interval."""
    form = "+.3f" if sign else ".3f"
    return f"{one.mean:{form}} [{one.low:{form}}, {one.high:{form}}]"


def three(one: Interval) -> list[float]:
    """A value and its interval as JSON."""
    return [round(one.mean, 4), round(one.low, 4), round(one.high, 4)]


def grid(scores: Mapping[str, Scores], cases: Sequence[Case], seed: int) -> UInt8:
    """Random cars, not chosen ones: the real one and what each way made of it, with names above the columns."""
    columns = {"real": [crop(case.real, car.box) for case in cases for car in case.cars]}
    columns |= {way: one.crops for way, one in scores.items() if way not in GRID_SKIPPED}
    count = len(columns["real"])
    picked = np.random.default_rng([seed, STREAM_GRID]).permutation(count)[:GRID]
    header = np.hstack([_label(name) for name in columns])
    rows = [np.hstack([crops[place] for crops in columns.values()]) for place in picked]
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % GRID_BLOCKS)
    size = len(rows) // GRID_BLOCKS
    blocks = [np.vstack([header, *rows[at : at + size]]) for at in range(0, len(rows), size)]
    gap = np.full((blocks[0].shape[0], GAP_PX), 255, np.uint8)
    joined = [part for block in blocks for part in (block, gap)][:-1]
    return np.asarray(np.hstack(joined), dtype=np.uint8)


def _label(name: str) -> UInt8:
    tile = np.full((HEADER_PX, SIDE_PX), 255, np.uint8)
    cv2.putText(tile, name, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0, 1, cv2.LINE_AA)
    return tile


def finish(
    out: Path | None, report: str, found: dict[str, Any], scores: Mapping[str, Scores], cases: Sequence[Case], seed: int
) -> None:
    """Prints the tables and the last line, and writes them with the grid."""
    print(report)
    if out is not None:
        write_text(out / "report.md", f"# Realism\n\n{report}\n\n![Random results](grid.png)\n")
        write_bytes(out / "grid.png", encode_png(grid(scores, cases, seed)))
        write_json(out / "realism.json", found | {"by_car": by_car(scores, cases)})
    print(json.dumps(found))


def by_car(scores: Mapping[str, Scores], cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Crop LPIPS of each car by way."""
    keys = [car.key for case in cases for car in case.cars]
    return {
        key: {way: round(one.crop_lpips[place], 4) for way, one in scores.items()} for place, key in enumerate(keys)
    }


if __name__ == "__main__":
    main()
