"""Frames of an export by the sequences that they are of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pipelines.dataset.record import SequenceRecord
from pipelines.errors import DatasetError
from pipelines.export.job import ExportFrame, Job

__all__ = ["sequence_name", "sequence_of", "sequences"]


def sequence_of(frame: ExportFrame) -> SequenceRecord:
    """Where a frame lies in its sequence.

    Raises:
        DatasetError: it is of none.
    """
    if frame.record.sequence is None:
        raise DatasetError(
            f"{frame.folder}: holds single frames: expected sequences (gis synthesize --sequence SECONDS) for a format "
            "of tracks"
        )
    return frame.record.sequence


def sequence_name(frame: ExportFrame) -> str:
    """Name of the folder or file of a frame's sequence."""
    return f"{sequence_of(frame).number:04d}"


def sequences(job: Job, split: str | None = None) -> Iterator[tuple[str, list[ExportFrame]]]:
    """The sequences of a split, or of all, each with its frames in their order."""
    for name, frames in itertools.groupby(job.frames(split), sequence_name):
        yield name, list(frames)
