"""Trains detectors on sets of frames and tests them on real ones: what a set is worth to those who train on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from gan.options import keyword_options, option_values

from pipelines.detection.config import MeasureConfig
from pipelines.detection.labelled_images import LabelledImages, open_labelled
from pipelines.detection.plan import Row, Training, folds_of, parse_rows, part_images, plan_trainings
from pipelines.errors import ConfigError
from pipelines.io.files import make_folder, read_json, write_json
from pipelines.workers import FrameWorkers, default_workers

__all__ = ["MeasuredRow", "Measurement", "measure", "measure_usefulness"]

Found = dict[str, list[list[float]]]
"""By image: left, top, right, bottom, score, class of each find."""


@dataclass(frozen=True)
class MeasuredRow:
    """What detectors found that were trained on one row's sets."""

    row: str
    images: int
    """Images that were trained on, in the mean over folds."""
    scores: list[dict[str, Any]]
    """By seed: `pipelines.detection.scores.Score` of each class, as plain values."""

    def mean(self, kind: str, part: str = "all", measure: str = "ap50") -> float:
        """Mean of a measure over the seeds, percent."""
        return float(np.mean([one[kind][measure][part] for one in self.scores]))

    def spread(self, kind: str, part: str = "all", measure: str = "ap50") -> float:
        """Standard deviation between seeds."""
        values = [one[kind][measure][part] for one in self.scores]
        return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


@dataclass(frozen=True)
class Measurement:
    """The whole table."""

    classes: tuple[str, ...]
    rows: list[MeasuredRow]


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
        DatasetError, BackgroundError: Images or labels that cannot be used.
        OutputError: Files that cannot be written.
    """
    from pipelines.detection.report import write_report

    inputs = _Inputs.open(config)
    _open_plan(config, inputs)
    trainings = plan_trainings(inputs.rows, inputs.tested, config.folds, config.seeds)
    waiting = [one for one in trainings if not _path(config, one).is_file()]
    _make_views(config, inputs, progress)
    _train(config, inputs, waiting, log, progress)
    result = _score(config, inputs, trainings)
    write_report(config, inputs.test, result, {one.name: _read(config, one) for one in trainings})
    return result


@dataclass(frozen=True, eq=False)
class _Inputs:
    """The sets, opened."""

    sets: dict[str, LabelledImages]
    test: LabelledImages
    rows: tuple[Row, ...]
    tested: str
    """Name of the set that is trained on and tested; "" where none is."""
    folds: list[int]
    """Fold of each test image; all 0 where nothing of them is trained on."""

    @classmethod
    def open(cls, config: MeasureConfig) -> _Inputs:
        opened = [open_labelled(place, config.classes) for place in config.train]
        sets = {one.name: one for one in opened}
        if len(sets) < len(opened):
            raise ConfigError(
                f"two sets are named {opened[0].name!r}: rename a folder, so that rows can tell them apart"
            )
        test = open_labelled(config.test, config.classes)
        tested = next((name for place, name in zip(config.train, sets, strict=True) if place == config.test), "")
        rows = parse_rows(config.rows, tuple(sets))
        return cls(sets, test, rows, tested, folds_of(test, config.folds) if tested else [0] * len(test.images))

    def trained_on(self, training: Training) -> dict[str, list[int]]:
        """Images of each set in a training: never one that is tested, nor one made over one that is tested."""
        tested = {image.name for image in self.tested_by(training)} if training.fold >= 0 else set()
        chosen = {}
        for part in training.row.parts:
            images = self.sets[part.name]
            allowed = [k for k, one in enumerate(images.images) if not {one.name, one.background} & tested]
            chosen[part.name] = part_images(images, allowed, part.percent, training.seed)
        return chosen

    def tested_by(self, training: Training) -> list[Any]:
        """Images that a training is tested on."""
        every = zip(self.test.images, self.folds, strict=True)
        return [image for image, fold in every if training.fold in (-1, fold)]


def _open_plan(config: MeasureConfig, inputs: _Inputs) -> None:
    """Writes down what is measured, or checks that the folder holds the same; other rows and seeds may join it."""
    values = option_values(config)
    plan = {name: values[name] for name in ("test", "classes", "steps", "folds", "views")}
    plan["images"] = {name: one.fingerprint for name, one in {**inputs.sets, "test": inputs.test}.items()}
    path = config.out / "plan.json"
    if not path.is_file():
        make_folder(config.out / "runs")
        write_json(path, plan)
        return
    kept = read_json(path)
    images = kept.get("images", {}) | {
        name: value for name, value in plan["images"].items() if name not in kept["images"]
    }
    for name, value in {**plan, "images": images | plan["images"]}.items():
        if (images if name == "images" else kept.get(name)) != value:
            raise ConfigError(f"{config.out}: holds a measurement with another {name}; give the same, or another --out")
    write_json(path, plan | {"images": images})


def _path(config: MeasureConfig, training: Training) -> Path:
    return config.out / "runs" / f"{training.name}.json"


def _read(config: MeasureConfig, training: Training) -> dict[str, Any]:
    value = read_json(_path(config, training))
    assert isinstance(value, dict)
    return value


def _cache(config: MeasureConfig) -> Path:
    return config.out / "features"


@dataclass(frozen=True)
class _ViewsJob:
    """Computes the features of one set, by number."""

    config: MeasureConfig

    def open(self) -> AbstractContextManager[Callable[[int], str]]:
        @contextlib.contextmanager
        def opened() -> Iterator[Callable[[int], str]]:
            inputs = _Inputs.open(self.config)
            yield lambda number: _views(self.config, list(inputs.sets.values())[number])[1]

        return opened()


def _views(config: MeasureConfig, images: LabelledImages) -> tuple[Any, str]:
    from pipelines.detection.features import make_views
    from pipelines.detection.network import FrozenLayers, imagenet_backbone

    def layers() -> FrozenLayers:
        return FrozenLayers(imagenet_backbone(config.weights_dir))

    return make_views(images, layers, _cache(config), at_least=config.views), images.name


def _make_views(config: MeasureConfig, inputs: _Inputs, progress: bool) -> None:
    with FrameWorkers(_ViewsJob(config), min(config.workers or default_workers(), len(inputs.sets))) as workers:
        workers.wait_ready()
        for _ in _bar(workers.run(range(len(inputs.sets))), len(inputs.sets), progress, "sets"):
            pass


@dataclass(frozen=True)
class _TrainingJob:
    """Runs one training, by number."""

    config: MeasureConfig
    trainings: tuple[Training, ...]

    def open(self) -> AbstractContextManager[Callable[[int], dict[str, Any]]]:
        @contextlib.contextmanager
        def opened() -> Iterator[Callable[[int], dict[str, Any]]]:
            inputs = _Inputs.open(self.config)
            views: dict[str, Any] = {}
            yield lambda number: _run(self.config, inputs, views, self.trainings[number])

        return opened()


def _train(
    config: MeasureConfig, inputs: _Inputs, waiting: list[Training], log: Callable[[str], None], progress: bool
) -> None:
    if not waiting:
        return
    job = _TrainingJob(config, tuple(waiting))
    with FrameWorkers(job, min(config.workers or default_workers(), len(waiting))) as workers:
        workers.wait_ready()
        for number, result in _bar(workers.run(range(len(waiting))), len(waiting), progress, "trainings"):
            write_json(_path(config, waiting[number]), result)
            log(f"{waiting[number].name}: {result['images']} images")


def _run(config: MeasureConfig, inputs: _Inputs, views: dict[str, Any], training: Training) -> dict[str, Any]:
    from pipelines.detection.inference import find_objects
    from pipelines.detection.network import DetectionNetwork, FrozenLayers, imagenet_backbone
    from pipelines.detection.training import TrainingShare, train_detector

    chosen = inputs.trained_on(training)
    for name in chosen:
        if name not in views:
            views[name] = _views(config, inputs.sets[name])[0]
    shares = [TrainingShare(views[name], views[name].rows_of(rows)) for name, rows in chosen.items()]
    network = train_detector(
        shares,
        lambda: DetectionNetwork(imagenet_backbone(config.weights_dir), len(config.classes)),
        steps=config.steps,
        seed=training.seed,
    )
    layers = FrozenLayers(imagenet_backbone(config.weights_dir))
    found: Found = {}
    for image in inputs.tested_by(training):
        finds = find_objects(layers, network, image.read())
        columns = np.column_stack([finds.boxes_px, finds.scores, finds.classes])
        found[image.name] = np.round(columns.astype(np.float64), 4).tolist()
    return {"images": sum(map(len, chosen.values())), "found": found}


def _score(config: MeasureConfig, inputs: _Inputs, trainings: list[Training]) -> Measurement:
    from pipelines.detection.inference import Detections
    from pipelines.detection.scores import score

    rows = []
    for row in inputs.rows:
        scores, images = [], []
        for seed in range(config.seeds):
            runs = [_read(config, one) for one in trainings if one.row == row and one.seed == seed]
            found = {
                name: np.array(finds, np.float32).reshape(-1, 6) for run in runs for name, finds in run["found"].items()
            }
            lists = [found[image.name] for image in inputs.test.images]
            finds = [Detections(one[:, :4], one[:, 4], one[:, 5].astype(np.int64)) for one in lists]
            scores.append({name: asdict(one) for name, one in score(inputs.test.images, finds, config.classes).items()})
            images += [run["images"] for run in runs]
        rows.append(MeasuredRow(row.text, round(float(np.mean(images))), scores))
    return Measurement(config.classes, rows)


def _bar(items: Any, total: int, progress: bool, unit: str) -> Any:
    from tqdm import tqdm

    return tqdm(items, total=total, unit=unit, disable=not progress)
