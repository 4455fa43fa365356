"""MOTChallenge: ``gis-SPLIT/SEQUENCE/img1``, ``gt/gt.txt``, ``seqinfo.ini``, and ``seqmaps`` as TrackEval reads them.

A row of ``gt.txt``: frame, track, left, top, width, height, whether it counts, class, share that is visible. Frames and
pixels are counted from 1. The box is that of the whole object inside of the image, hidden parts included, as in MOT16.
Tracks keep the ids of the masks. Classes are MOT16's: a person is a pedestrian (1), one who rides a person on a vehicle
(2); cars, vans, lorries, buses and trams are cars (3); strollers, kick scooters and trailers non-motorised vehicles
(6); animals are distractors (8); lights, signs and lamps are occluders (9), hydrants occluders on the ground (10). What
is ignored has a 0 for whether it counts.

Source: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", arXiv:1603.00831.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from renderer.geometry.boxes import clip_box
from renderer.geometry.frame import Box2D

from pipelines.dataset.record import InstanceRecord
from pipelines.errors import DatasetError
from pipelines.export.job import ExportFrame, Job, Picture
from pipelines.export.sequences import sequence_name, sequence_of, sequences

__all__ = ["CLASSES", "Mot"]

CLASSES: Final[Mapping[str, int]] = {
    "person": 1, "car": 3, "van": 3, "truck": 3, "bus": 3, "bicycle": 4, "motorcycle": 5, "scooter": 6, "stroller": 6,
    "dog": 8, "cat": 8, "deer": 8, "boar": 8, "tram": 3, "trailer": 6,
    "traffic_light": 9, "traffic_sign": 9, "hydrant": 10, "street_lamp": 9,
}  # fmt: skip
_ON_VEHICLE: Final = 2


class Mot:
    """Writes MOTChallenge's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{_folder(frame.split)}/{sequence_name(frame)}/img1/{sequence_of(frame).frame + 1:06d}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: the labels of a sequence stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes labels and description of each sequence, and the lists of the splits."""
        for split in job.splits:
            names = []
            for name, frames in sequences(job, split):
                names.append(name)
                folder = f"{_folder(split)}/{name}"
                job.write_text(f"{folder}/gt/gt.txt", "".join(row for frame in frames for row in _rows(frame)))
                job.write_text(f"{folder}/seqinfo.ini", _about(job, name, frames))
            lines = "".join(f"{name}\n" for name in ("name", *names))
            job.write_text(f"seqmaps/{_folder(split)}.txt", lines)


def _folder(split: str) -> str:
    return f"gis-{split}"


def _about(job: Job, name: str, frames: list[ExportFrame]) -> str:
    width, height = frames[0].size_px
    values = {
        "name": name, "imDir": "img1", "frameRate": _rate(job, frames), "seqLength": sequence_of(frames[-1]).frame + 1,
        "imWidth": width, "imHeight": height, "imExt": ".png",
    }  # fmt: skip
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in values.items())


def _rate(job: Job, frames: list[ExportFrame]) -> str:
    rate = job.description.configuration.get("fps")
    if not isinstance(rate, int | float):
        raise DatasetError(
            f"{job.config.folder}: dataset.json states no fps: expected a set of gis synthesize --sequence"
        )
    return f"{rate:g}"


def _rows(frame: ExportFrame) -> Iterator[str]:
    for item in frame.objects:
        known = item.instance
        box = None if known is None else clip_box(known.box_amodal_px, frame.record.camera)
        if known is not None and box is not None:
            yield _row(sequence_of(frame).frame + 1, known, box, counts=not item.ignored)


def _row(number: int, known: InstanceRecord, box: Box2D, *, counts: bool) -> str:
    left, top, right, bottom = box
    kind = CLASSES[known.category] if known.rides is None else _ON_VEHICLE
    visible = known.visible_px / max(known.amodal_px, 1)
    sides = ",".join(f"{value:.2f}" for value in (left + 1, top + 1, right - left, bottom - top))
    return f"{number},{known.id},{sides},{int(counts)},{kind},{visible:.4f}\n"
