"""Ultralytics' YOLO: ``images/SPLIT`` and ``labels/SPLIT`` side by side, and ``data.yaml``.

The labels of an image are looked for where its path, links resolved, has ``images`` replaced by ``labels``: images that
are linked symbolically from elsewhere lose theirs. There is no mark for what is ignored. In a file of rows for
segmentation every row has to be one, so that boxes of real objects are written as polygons of four corners there.

Source: https://docs.ultralytics.com/datasets/detect and .../segment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.export.outlines import joined, object_rings

__all__ = ["Yolo"]


class Yolo:
    """Writes YOLO's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"images/{frame.split}/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Writes the rows of an image; none where it shows nothing, which the trainer counts as background."""
        row = _segment_row if job.config.segments else _box_row
        text = "".join(row(frame, item) for item in frame.counted)
        job.write_text(f"labels/{frame.split}/{frame.name}.txt", text)

    def write_whole(self, job: Job) -> None:
        """Writes ``data.yaml``."""
        first = job.splits[0]
        lines = [
            "# Made by gis. Ultralytics: yolo train data=data.yaml model=yolo11n.pt",
            f"train: images/{first}",
            f"val: images/{'val' if 'val' in job.splits else first}"
            + ("" if "val" in job.splits else "  # there is no validation split: give --split"),
            *([f"test: images/{name}" for name in job.splits if name == "test"]),
            "names:",
            *(f"  {number}: {json.dumps(name)}" for number, name in enumerate(job.classes.names)),
        ]
        job.write_text("data.yaml", "\n".join(lines) + "\n")


def _box_row(frame: ExportFrame, item: ExportObject) -> str:
    (width, height), (left, top, right, bottom) = frame.size_px, item.box_px
    shares = ((left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
    return _row(item.number, shares)


def _segment_row(frame: ExportFrame, item: ExportObject) -> str:
    return _row(item.number, (joined(object_rings(frame, item)) / frame.size_px).ravel())


def _row(number: int, shares: Iterable[float]) -> str:
    return " ".join([str(number), *(f"{min(max(share, 0.0), 1.0):.6f}" for share in shares)]) + "\n"
