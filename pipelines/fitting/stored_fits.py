"""The log of a pass of fits, ``fits-N.jsonl``: read by a run that goes on, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.text_files import parse_json

from pipelines.errors import DatasetError
from pipelines.fitting.candidates import Pose
from pipelines.fitting.inputs import RealFrame
from pipelines.fitting.shapes import BINS
from pipelines.io.files import read_lines
from pipelines.io.typed_json import from_json

__all__ = ["read_fits"]


@dataclass(frozen=True)
class _Fit:
    """What `pipelines.fitting.run` writes of one fit."""

    model: str
    angle_deg: float
    box_iou: float
    score: float
    pose: Pose


@dataclass(frozen=True)
class _Car(_Fit):
    key: str
    box: tuple[float, float, float, float]
    time: str
    hidden: float
    confidence: float
    silhouette: float
    levels: tuple[float | None, ...]
    flipped: _Fit | None


@dataclass(frozen=True)
class _Line:
    index: int
    name: str
    cars: tuple[_Car, ...]


def read_fits(log: Path, frames: Sequence[RealFrame]) -> Iterator[dict[str, Any]]:
    """The whole lines of a log, in order; none where there is no log.

    Raises:
        DatasetError: a line that is not that of its frame, or lacks something.
    """
    for number, text in enumerate(read_lines(log)):
        where = f"{log}: line {number + 1}"
        try:
            data = parse_json(text)
        except ValueError as error:
            raise DatasetError(
                f"{where} is no JSON ({error}): delete the file and give the same command again"
            ) from error
        line = from_json(_Line, data, where)
        if number >= len(frames) or (line.index, line.name) != (number, frames[number].name):
            raise DatasetError(f"{where} is that of another frame: delete the file and start the pass again")
        if any(len(car.levels) != BINS for car in line.cars):
            raise DatasetError(f"{where}: levels of a car: expected {BINS}; delete the file and start the pass again")
        yield data
