"""Average precision by pycocotools: of all objects, by height, by time of day, with intervals over sequences."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pipelines.detection.inference import Detections
from pipelines.detection.labelled_images import NOT_COUNTED, LabelledImage
from pipelines.errors import ConfigError

__all__ = ["HEIGHTS_PX", "Score", "score"]

HEIGHTS_PX: Final = {"all": (20.0, 1e5), "20-32": (20.0, 32.0), "32-64": (32.0, 64.0), "64-": (64.0, 1e5)}
"""Heights of boxes, pixels, of which precision is told apart; smaller objects are neither wanted nor wrong."""
_AP50: Final = 0  # number of the overlap 0.5 among COCO's


@dataclass(frozen=True)
class Score:
    """Average precision of one class in percent; NaN where there is no such object."""

    ap50: Mapping[str, float]
    """At an overlap of 0.5, by range of heights (`HEIGHTS_PX`), by ``day`` and ``night``."""
    ap: Mapping[str, float]
    """Mean over overlaps 0.50 to 0.95."""
    objects: int
    """Of 20 pixels and more."""
    ap50_interval: tuple[float, float]
    """95 % of AP50 of all, sequences resampled."""
    ap_interval: tuple[float, float]


def score(
    images: Sequence[LabelledImage],
    found: Sequence[Detections],
    classes: Sequence[str],
    *,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Score]:
    """Scores by class.

    Args:
        images: With their boxes.
        found: What was found in each.
        classes: Names of the classes.
        draws: Of the bootstrap; 0 for no intervals.
        seed: Of the bootstrap.

    Raises:
        ConfigError: pycocotools is missing.
    """
    evaluation = _evaluate(images, found, len(classes))
    accumulated = _Table(evaluation)
    every = list(range(len(images)))
    times = {time: [k for k in every if images[k].time == time] for time in sorted({i.time for i in images} - {""})}
    tables = {name: _Table(evaluation, rows) for name, rows in times.items()}
    samples = [_Table(evaluation, rows, only_all=True) for rows in _resampled(images, draws, seed)]
    scores = {}
    for number, name in enumerate(classes):
        parts = {height: accumulated.of(number, row) for row, height in enumerate(HEIGHTS_PX)}
        parts |= {time: table.of(number, 0) for time, table in tables.items()}
        drawn = np.array([sample.of(number, 0) for sample in samples]).reshape(-1, 2)
        heights = np.concatenate([i.boxes_px[i.classes == number] for i in images])
        scores[name] = Score(
            {part: pair[0] for part, pair in parts.items()},
            {part: pair[1] for part, pair in parts.items()},
            int((heights[:, 3] - heights[:, 1] >= HEIGHTS_PX["all"][0]).sum()),
            _interval(drawn[:, 0]),
            _interval(drawn[:, 1]),
        )
    return scores


def _interval(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


class _Table:
    """Precision over some of the images (with repetitions), by class and range of heights."""

    def __init__(self, evaluation: Any, rows: Sequence[int] | None = None, *, only_all: bool = False) -> None:
        chosen = evaluation if rows is None else _with_images(evaluation, rows, only_all)
        with contextlib.redirect_stdout(io.StringIO()):
            chosen.accumulate()
        self._precision = chosen.eval["precision"]  # (overlaps, recalls, classes, heights, limits); -1: no object

    def of(self, number: int, height: int) -> tuple[float, float]:
        """AP50 and AP of a class in percent."""
        values = self._precision[:, :, number, height, -1]
        if not (values > -1).any():
            return float("nan"), float("nan")
        return 100 * float(values[_AP50].mean()), 100 * float(values.mean())


def _with_images(evaluation: Any, rows: Sequence[int], only_all: bool) -> Any:
    """The evaluation as if it had only those images; what was matched in each holds whatever the others are."""
    other = copy.copy(evaluation)
    other.params, other._paramsEval = copy.copy(evaluation.params), copy.copy(evaluation._paramsEval)
    heights = 1 if only_all else len(HEIGHTS_PX)
    table = np.array(evaluation.evalImgs, dtype=object)
    table = table.reshape(len(evaluation.params.catIds), len(HEIGHTS_PX), len(evaluation.params.imgIds))
    other.evalImgs = table[:, :heights][:, :, list(rows)].ravel().tolist()
    for params in (other.params, other._paramsEval):
        params.imgIds = list(range(len(rows)))
        params.areaRng = params.areaRng[:heights]
    return other


def _resampled(images: Sequence[LabelledImage], draws: int, seed: int) -> Iterable[list[int]]:
    """Rows of images, whole sequences drawn with replacement."""
    members: dict[str, list[int]] = {}
    for row, image in enumerate(images):
        members.setdefault(image.sequence or image.name, []).append(row)
    rows = list(members.values())
    rng = np.random.default_rng(seed)
    for _ in range(draws if len(rows) > 1 else 0):
        yield [row for number in rng.integers(0, len(rows), len(rows)) for row in rows[number]]


def _evaluate(images: Sequence[LabelledImage], found: Sequence[Detections], classes: int) -> Any:
    """Matches finds and objects, by pycocotools.

    Its ranges of area are used for ranges of height: each box brings the square of its height as its area.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ConfigError("pycocotools is not installed: pip install 'gis-thermal[measure]'") from error
    objects = [row for number, image in enumerate(images) for row in _objects(number, image, classes)]
    finds = [row for number, one in enumerate(found) for row in _finds(number, one)]
    with contextlib.redirect_stdout(io.StringIO()):
        wanted, results = (_dataset(COCO(), rows, len(images), classes) for rows in (objects, finds))
        evaluation = COCOeval(wanted, results, "bbox")
        evaluation.params.areaRng = [[low**2, high**2 - 1e-6] for low, high in HEIGHTS_PX.values()]
        evaluation.params.areaRngLbl = list(HEIGHTS_PX)
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
    return evaluation


def _dataset(coco: Any, rows: list[dict[str, Any]], images: int, classes: int) -> Any:
    coco.dataset = {
        "images": [{"id": number} for number in range(images)],
        "categories": [{"id": number} for number in range(classes)],
        "annotations": [{**row, "id": number} for number, row in enumerate(rows, start=1)],
    }
    coco.createIndex()
    return coco


def _objects(number: int, image: LabelledImage, classes: int) -> Iterable[dict[str, Any]]:
    for box, kind in zip(image.boxes_px.tolist(), image.classes.tolist(), strict=True):
        # A region that is not counted is COCO's crowd, of every class: finds inside of it are no mistakes.
        for category in range(classes) if kind == NOT_COUNTED else (kind,):
            yield {**_annotation(number, box, category), "iscrowd": int(kind == NOT_COUNTED)}


def _finds(number: int, found: Detections) -> Iterable[dict[str, Any]]:
    rows = zip(found.boxes_px.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True)
    for box, value, kind in rows:
        yield {**_annotation(number, box, kind), "iscrowd": 0, "score": value}


def _annotation(number: int, box: list[float], category: int) -> dict[str, Any]:
    left, top, right, bottom = box
    size = [left, top, right - left, bottom - top]
    return {"image_id": number, "category_id": category, "bbox": size, "area": (bottom - top) ** 2}
