"""Trains detectors on sets of frames and tests them on real ones: what a set is worth to those who train on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gan.options import keyword_options, option_values

from pipelines.dataset.labels.box_margins import margins_to_json
from pipelines.detection.config import MeasureConfig
from pipelines.detection.inputs import Inputs
from pipelines.detection.labelled_images import categories_of
from pipelines.detection.plan import Part, Row, Training, file_name, plan_trainings, reported_images
from pipelines.detection.report import write_report
from pipelines.detection.results import MeasuredRow, Measurement
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import locked_folder, make_folder, read_object, write_json
from pipelines.io.progress import follow
from pipelines.workers import FrameWorkers, default_workers

if TYPE_CHECKING:
    from pipelines.detection.inference import Detections

__all__ = ["measure", "measure_usefulness"]

_AS_EARLIER: Final = {"input_width": 400, "all_layers": False}
"""Options that the plans of earlier versions do not name, and what these did."""
_COLUMNS: Final = 6
_NO_LIMIT_S: Final = 0.0
"""Of silence: a training of many steps, or a large set's features, is one piece of work, of any length."""
"""Of a find: left, top, right, bottom, score, class."""


def measure(
    train: str | PathLike[str] | list[str], test: str | PathLike[str], out: str | PathLike[str], **options: Any
) -> Measurement:
    """Trains a small detector on each set and tests it on real frames, as `gis measure` does.

    Args:
        train: Sets to train on: folders, or ``FRAMES=LABELS``.
        test: Real frames with boxes.
        out: Folder of the results.
        options: Those of `gis measure` by name: rows, classes, steps, seeds, folds ...; see
            `pipelines.detection.config.MeasureConfig`.

    Raises:
        ConfigError: An option that cannot work.
        DatasetError, BackgroundError: Images or labels that cannot be used.
        OutputError: Files that cannot be written.
    """
    sets = [str(train)] if isinstance(train, str | PathLike) else [str(one) for one in train]
    values = {**options, "train": sets, "test": str(test), "out": out}
    return measure_usefulness(keyword_options(MeasureConfig, values))


def measure_usefulness(
    config: MeasureConfig, *, log: Callable[[str], None] = lambda text: None, progress: bool = False
) -> Measurement:
    """Runs the trainings that are missing, and writes ``detection.json``, ``report.md`` and a sheet of finds a row.

    Raises:
        ConfigError: Options that do not go together, or a folder that holds another measurement.
        DatasetError, BackgroundError, ItemError: Images or labels that cannot be used; fewer than half of a set's
            images that cannot be are left out.
        OutputError: Files that cannot be written.
    """
    with locked_folder(config.out):
        return _measure(config, log, progress)


def _measure(config: MeasureConfig, log: Callable[[str], None], progress: bool) -> Measurement:
    inputs = Inputs.open(config, log)
    _open_plan(config, inputs)
    trainings = plan_trainings(inputs.rows, inputs.overlapping, config.folds, config.seeds)
    waiting = [one for one in trainings if not _is_done(config, inputs, one)]
    if not config.all_layers:
        _make_views(config, inputs, progress)
    _train(config, inputs, waiting, log, progress)
    reported, others = _parts(config, inputs)
    scored = [
        [_score(config, inputs, trainings, row, part) for row in inputs.rows] for part in (reported, others) if part
    ]
    result = Measurement(config.classes, *scored)
    tested = [inputs.test.chosen(part) for part in (reported, others) if part]
    write_report(config, tested, result, _first_finds(config, trainings))
    _write_margins(config, inputs, trainings, others or reported)
    return result


def _write_margins(config: MeasureConfig, inputs: Inputs, trainings: Sequence[Training], part: Sequence[int]) -> None:
    """Writes ``box-margins-SET.json`` for each set of which a row is trained alone and that shows no tested frames.

    Taken from the images to choose by, so that a set with these margins can be reported on the others.
    """
    from pipelines.detection.margins import box_gaps, margins_of

    images = [inputs.test.images[k] for k in part]
    for row in inputs.rows:
        name = row.parts[0].name
        if row.parts == (Part(name),) and name not in inputs.overlapping:
            runs = [_read(config, one)["found"] for one in trainings if one.row == row]
            gaps = box_gaps(images, runs, config.classes)
            margins = {kind: one for label, one in margins_of(gaps).items() for kind in categories_of(label)}
            if margins:
                about = {
                    "set": name,
                    "test": inputs.test.name,
                    "finds": {label: len(one) for label, one in gaps.items()},
                }
                write_json(config.out / f"box-margins-{file_name(name)}.json", margins_to_json(margins, **about))


def _parts(config: MeasureConfig, inputs: Inputs) -> tuple[list[int], list[int]]:
    """Numbers of the tested images to report on, and of the others; the second is empty without a split."""
    every = range(len(inputs.test.images))
    if not config.report_share:
        return list(every), []
    reported = reported_images(inputs.test, config.report_share)
    return [k for k in every if reported[k]], [k for k in every if not reported[k]]


def _first_finds(config: MeasureConfig, trainings: Sequence[Training]) -> dict[str, dict[str, list[list[float]]]]:
    """What the first seed of each row found in each image."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    for one in trainings:
        if one.seed == 0:
            found.setdefault(one.row.file_name, {}).update(_read(config, one)["found"])
    return found


def _open_plan(config: MeasureConfig, inputs: Inputs) -> None:
    """Writes down what is measured, or checks that the folder holds the same; other rows and seeds may join it."""
    values = option_values(config)
    plan = {name: values[name] for name in ("test", "classes", "steps", "folds", *_AS_EARLIER)}
    plan["views"] = config.windows
    plan["images"] = {name: one.fingerprint for name, one in {**inputs.sets, "test": inputs.test}.items()}
    path = config.out / "plan.json"
    if not path.is_file():
        make_folder(config.out / "runs")
        write_json(path, plan)
        return
    kept = read_object(path)
    if not isinstance(kept.get("images"), dict):
        raise ConfigError(f"{path}: says nothing of images: expected a plan as gis wrote it; give another --out")
    images = plan["images"] | kept["images"]
    for name, value in {**plan, "images": images | plan["images"]}.items():
        if (images if name == "images" else kept.get(name, _AS_EARLIER.get(name))) != value:
            raise ConfigError(f"{config.out}: holds a measurement with another {name}; give the same, or another --out")
    write_json(path, plan | {"images": images})


def _path(config: MeasureConfig, training: Training) -> Path:
    return config.out / "runs" / f"{training.name}.json"


def _read(config: MeasureConfig, training: Training) -> dict[str, Any]:
    return read_object(_path(config, training))


def _is_done(config: MeasureConfig, inputs: Inputs, training: Training) -> bool:
    """Whether the results of a training are there; a file that holds no such results is written anew."""
    try:
        run = _read(config, training)
        found = [np.array(run["found"][image.name], np.float64) for image in inputs.tested_by(training)]
    except (DatasetError, LookupError, TypeError, ValueError):
        return False
    return isinstance(run.get("images"), int) and all(
        not one.size or (one.ndim == 2 and one.shape[1] == _COLUMNS and np.isfinite(one).all()) for one in found
    )


def _make_views(config: MeasureConfig, inputs: Inputs, progress: bool) -> None:
    from pipelines.detection.jobs import ViewsJob

    processes = min(config.workers or default_workers(), len(inputs.sets))
    with FrameWorkers(ViewsJob(config, inputs), processes, timeout_s=_NO_LIMIT_S) as workers:
        workers.wait_ready()
        for _ in _bar(workers.run(range(len(inputs.sets))), len(inputs.sets), progress, "sets"):
            pass


def _train(
    config: MeasureConfig, inputs: Inputs, waiting: list[Training], log: Callable[[str], None], progress: bool
) -> None:
    if not waiting:
        return
    from pipelines.detection.jobs import TrainingJob

    job = TrainingJob(config, inputs, tuple(waiting))
    processes = min(config.workers or default_workers(), len(waiting))
    with FrameWorkers(job, processes, timeout_s=_NO_LIMIT_S) as workers:
        workers.wait_ready()
        for number, result in _bar(workers.run(range(len(waiting))), len(waiting), progress, "trainings"):
            write_json(_path(config, waiting[number]), result)
            log(f"{waiting[number].name}: {result['images']} images")


def _score(
    config: MeasureConfig, inputs: Inputs, trainings: Sequence[Training], row: Row, part: Sequence[int]
) -> MeasuredRow:
    """Scores of a row on some of the tested images."""
    from pipelines.detection.scores import score

    mine = [one for one in trainings if one.row == row]
    images = [inputs.test.images[k] for k in part]
    scores = []
    for seed in range(config.seeds):
        runs = [_read(config, one)["found"] for one in mine if one.seed == seed]
        found = {name: finds for run in runs for name, finds in run.items()}
        finds = [_detections(found[image.name]) for image in images]
        scores.append({name: asdict(one) for name, one in score(images, finds, config.classes).items()})
    counts = [sum(map(len, inputs.trained_on(one).values())) for one in mine]
    objects = np.mean([inputs.objects(one) for one in mine], axis=0).round().astype(int).tolist()
    return MeasuredRow(row.text, round(float(np.mean(counts))), dict(zip(config.classes, objects, strict=True)), scores)


def _detections(finds: list[list[float]]) -> Detections:
    from pipelines.detection.inference import Detections

    rows = np.array(finds, np.float32).reshape(-1, _COLUMNS)
    return Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))


def _bar(items: Any, total: int, progress: bool, unit: str) -> Any:
    return follow(items, total, unit, label=unit, progress=progress)
