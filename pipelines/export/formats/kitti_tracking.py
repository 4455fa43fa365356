"""KITTI's tracking benchmark: ``training/image_02/SEQUENCE``, ``label_02``, ``calib`` and maps of the sequences.

A row of ``label_02/0000.txt`` is that of the object benchmark with the number of the frame and of the track before it.
Tracks keep the ids of the masks; a rider and a bicycle are one track, that of the rider. What is ignored is a
``DontCare`` region of track -1. Truncation is a level here: 0 up to 15 %, 1 up to 50 %, 2 above (the shares are ours;
the benchmark states none, and its measure leaves out what is above 0). All sequences stand in
``training/evaluate_tracking.seqmap.training``, as TrackEval reads it, and in ``....train`` and so on those of a split.

Its labels know a few types alone, and tools stop at any other: where no classes are asked for, what is none of them (a
bus, a dog) is a ``Misc``; who sits is a ``Person``, as in its files.

Source: development kit of the KITTI tracking benchmark (Geiger, Lenz, Urtasun, CVPR 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.export.formats.kitti import object_rows, projection_rows
from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.export.sequences import sequence_name, sequence_of, sequences

__all__ = ["KittiTracking", "type_of"]

_TRUNCATED: Final = (0.15, 0.5)
_TYPES: Final = frozenset({"Car", "Van", "Truck", "Pedestrian", "Person", "Cyclist", "Tram", "Misc", "DontCare"})
_MAP: Final = "training/evaluate_tracking.seqmap"


class KittiTracking:
    """Writes KITTI's files of sequences."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"training/image_02/{sequence_name(frame)}/{sequence_of(frame).frame:06d}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: the labels of a sequence stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes labels and calibration of each sequence, and the lists of the splits."""
        for name, frames in sequences(job):
            rows = "".join(row for frame in frames for row in _rows(job, frame))
            job.write_text(f"training/label_02/{name}.txt", rows)
            calibration = projection_rows(frames[0].record.camera, ("R_rect", "Tr_velo_cam", "Tr_imu_velo"))
            job.write_text(f"training/calib/{name}.txt", calibration)
        job.write_text(f"{_MAP}.training", _map(job, None))
        for split in job.splits:
            job.write_text(f"{_MAP}.{split}", _map(job, split))


def _rows(job: Job, frame: ExportFrame) -> Iterator[str]:
    for item, row in object_rows(job, frame):
        kind, truncated, rest = row.split(" ", 2)
        unknown = item.instance is None or item.ignored
        kind = type_of(kind, given=job.config.classes is not None)
        level = "-1" if unknown else str(sum(float(truncated) > share for share in _TRUNCATED))
        yield f"{sequence_of(frame).frame} {_track(item)} {kind} {level} {rest}"


def type_of(kind: str, *, given: bool) -> str:
    """The benchmark's type of an object that the object benchmark calls ``kind``; ``given`` names stay."""
    if kind == "Person_sitting":
        return "Person"
    return kind if given or kind in _TYPES else "Misc"


def _track(item: ExportObject) -> int:
    return -1 if item.instance is None or item.ignored else item.instance.id


def _map(job: Job, split: str | None) -> str:
    """A line for each sequence: its name, and its frames from the first to the one after the last."""
    return "".join(f"{name} empty 000000 {_end(frames):06d}\n" for name, frames in sequences(job, split))


def _end(frames: Sequence[ExportFrame]) -> int:
    return sequence_of(frames[-1]).frame + 1
