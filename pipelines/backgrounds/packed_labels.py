"""The labels of a packed data set, frame by frame, from the lines of its index: those of its COCO file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.backgrounds.geometry.boxes import KnownBox, has_area, known_box
from pipelines.dataset.labels import CATEGORIES
from pipelines.dataset.labels.coco import coco_annotations, real_annotations
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import DATASET_FILE, read_records
from pipelines.io.stores import open_store

__all__ = ["read_packed_labels"]


def read_packed_labels(root: Path) -> Iterator[tuple[int, tuple[KnownBox, ...]]]:
    """Number and boxes of each frame, in order; the file of all labels is not read, which is large.

    Args:
        root: folder of the data set, or its address in an object store.

    Raises:
        DatasetError: no data set of gis, or a line that is none of ours.
    """
    categories = open_store(root).read_object(DATASET_FILE).get("categories", CATEGORIES)
    for record in read_records(root, FrameRecord):
        yield record.index, tuple(_boxes(record, categories))


def _boxes(record: FrameRecord, categories: Sequence[str]) -> Iterator[KnownBox]:
    image = (record.index, record.stem, record.camera.width, record.camera.height)
    ignored = {item.id for item in record.ignored}
    entries = coco_annotations(image, record.labelled, [""] * len(record.labelled), 1, ignored)
    entries += real_annotations(image, record.real_objects or (), 1, categories)
    for entry in entries:
        left, top, width, height = entry["bbox"]
        box = (left, top, left + width, top + height)
        if has_area(box):
            yield known_box(CATEGORIES[entry["category_id"] - 1], box, crowd=bool(entry["iscrowd"]))
