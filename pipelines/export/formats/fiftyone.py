"""FiftyOne: for each split a folder that `FiftyOneImageDetectionDataset` reads, ``data/`` and ``labels.json``.

Boxes are shares of the image: left, top, width, height. What is ignored has the attribute ``iscrowd``, by which
FiftyOne's evaluation in COCO's manner goes.

Source: https://docs.voxel51.com/user_guide/import_datasets.html#fiftyoneimagedetectiondataset.
"""

from __future__ import annotations

from typing import Any

from pipelines.export.job import ExportFrame, ExportObject, Job, Picture

__all__ = ["FiftyOne"]


class FiftyOne:
    """Writes FiftyOne's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{frame.split}/data/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: all labels stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes the labels of each split."""
        for split in job.splits:
            labels = {
                frame.name: [_detection(job, frame, item, place) for item in frame.objects for place in item.classes]
                for frame in job.frames(split)
            }
            job.write_json(f"{split}/labels.json", {"classes": list(job.classes.names), "labels": labels})


def _detection(job: Job, frame: ExportFrame, item: ExportObject, place: int) -> dict[str, Any]:
    (width, height), (left, top, right, bottom) = frame.size_px, item.box_px
    attributes: dict[str, Any] = {"iscrowd": item.ignored, "source": item.source}
    if item.instance is not None:
        known = item.instance
        attributes |= {"gis_id": known.id, "model": known.model, "profile": known.profile}
        attributes |= {"occlusion": known.occlusion, "truncation": known.truncation}
    return {
        "label": job.classes.names[place],
        "bounding_box": [left / width, top / height, (right - left) / width, (bottom - top) / height],
        "attributes": attributes,
    }
