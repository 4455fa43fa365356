"""COCO: images in ``train/``, ``val/``, ``test/``, labels in ``annotations/instances_SPLIT.json``.

``segmentation`` is the run-length code of the visible pixels, or polygons; a real object has its box alone. What is
ignored is a crowd (``iscrowd``) of what it could be taken for, in which COCO's measure takes a find for no mistake.
Beside the fields of COCO stand ``gis_id`` (value in ``masks/`` of the data set; FiftyOne keeps ``instance_id`` for
itself), ``source``, ``model``, ``profile``, ``bbox_amodal``, ``occlusion``, ``truncation`` and ``box_3d``.
People have COCO's ``keypoints``.

Source: https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D

from pipelines.dataset.labels.coco import KEY_POINTS, SKELETON, amodal_entries
from pipelines.dataset.labels.run_lengths import encode_rle, run_lengths
from pipelines.export.about import about
from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.export.outlines import object_rings
from pipelines.io.files import write_through

__all__ = ["Coco"]

_PERSON: Final = "person"
"""Our category that has joints."""


class Coco:
    """Writes COCO's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{frame.split}/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: all labels stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes a file of labels for each split."""
        for split in job.splits:
            path = job.out / f"annotations/instances_{split}.json"
            write_through(path, lambda temporary, split=split: _write(temporary, job, split), root=job.out)  # type: ignore[misc]


def _write(path: Path, job: Job, split: str) -> None:
    categories = [_category(job, place) for place in range(len(job.classes.classes))]
    images: list[str] = []  # about 80 bytes each
    with path.open("w", encoding="utf-8") as stream:
        head = {**about(job).coco_head(classes=job.classes.name), "categories": categories}
        stream.write(json.dumps(head)[:-1] + ', "annotations": [')
        _join(stream, map(json.dumps, _annotations(job, split, images)))
        stream.write('\n], "images": [')
        _join(stream, images)
        stream.write("\n]}\n")


def _category(job: Job, place: int) -> dict[str, Any]:
    entry = asdict(job.classes.classes[place])
    has_joints = place == job.classes.number(_PERSON)
    return {**entry, **({"keypoints": [*KEY_POINTS], "skeleton": [*map(list, SKELETON)]} if has_joints else {})}


def _join(stream: IO[str], lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        stream.write(("\n" if place == 0 else ",\n") + line)


def _annotations(job: Job, split: str, images: list[str]) -> Iterator[dict[str, Any]]:
    """Entries of all frames of a split; what stands in ``images`` is added to the list."""
    number = 1
    for frame in job.frames(split):
        width, height = frame.size_px
        image = {"id": frame.record.index, "file_name": f"{frame.name}.png", "width": width, "height": height}
        images.append(json.dumps({**image, "license": 1}))
        for item in frame.objects:
            for place in item.classes:
                yield {
                    "id": number,
                    "image_id": frame.record.index,
                    "category_id": job.classes.classes[place].id,
                    **_entry(frame, item, polygons=job.config.segments),
                    **(_key_points(item) if place == job.classes.number(_PERSON) else {}),
                }
                number += 1


def _entry(frame: ExportFrame, item: ExportObject, *, polygons: bool) -> dict[str, Any]:
    left, top, right, bottom = item.box_px
    area = (right - left) * (bottom - top) if item.instance is None else item.instance.visible_px
    return {
        "bbox": _corner_and_size(item.box_px),
        "area": area,
        "segmentation": _segmentation(frame, item, polygons=polygons),
        "iscrowd": int(item.ignored),
        "source": item.source,
        **_details(item),
        **({} if item.instance is None else amodal_entries(item.instance, *reversed(frame.size_px))),
    }


def _details(item: ExportObject) -> dict[str, Any]:
    known = item.instance
    if known is None:
        return {}
    return {
        "gis_id": known.id,
        "model": known.model,
        "profile": known.profile,
        "bbox_amodal": _corner_and_size(known.box_amodal_px),
        "occlusion": known.occlusion,
        "truncation": known.truncation,
        "box_3d": asdict(known.box_3d),
    }


def _key_points(item: ExportObject) -> dict[str, Any]:
    """Joints of a person; all 0, which means that they are not labelled, where they are not known."""
    points = (item.instance.key_points if item.instance else None) or ((0, 0, 0),) * len(KEY_POINTS)
    return {"keypoints": [value for point in points for value in point], "num_keypoints": sum(p[2] > 0 for p in points)}


def _segmentation(frame: ExportFrame, item: ExportObject, *, polygons: bool) -> Any:
    width, height = frame.size_px
    if item.instance is None:
        return _rectangle(item.box_px, width, height) if item.ignored else []
    if polygons and not item.ignored:
        return [ring.ravel().tolist() for ring in object_rings(frame, item)]
    if item.instance.rle is None:  # of a data set from before records had it
        return _code(frame.mask, item.instance.id, item.box_px)
    return {"size": [height, width], "counts": item.instance.rle}


def _rectangle(box: Box2D, width: int, height: int) -> dict[str, Any]:
    """Run-length code of all pixels of a box; a crowd has no outline in COCO."""
    left, top = (max(0, round(edge)) for edge in box[:2])
    right, bottom = max(round(box[2]), left + 1), max(round(box[3]), top + 1)
    pixels = np.zeros((height, width), np.uint16)
    pixels[top:bottom, left:right] = 1
    return _code(pixels, 1, (left, top, right, bottom))


def _code(mask: NDArray[np.uint16], number: int, box: Box2D) -> dict[str, Any]:
    height, width = mask.shape
    return {"size": [height, width], "counts": encode_rle(run_lengths(mask, number, box))}


def _corner_and_size(box: Box2D) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]
