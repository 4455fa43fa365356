"""What describes all frames of a data set together: COCO labels, shards, contact sheet, label errors, card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.dataset import shards
from pipelines.dataset.description import DatasetDescription, count_objects, read_shards
from pipelines.dataset.label_consistency.page import LABEL_ERRORS_FILE, write_label_errors
from pipelines.dataset.labels.coco import LabelledFrame, write_coco
from pipelines.dataset.labels.yolo import yolo_classes
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import DATASET_FILE, FrameStore, generator
from pipelines.io.files import read_object, write_json, write_text
from pipelines.io.typed_json import to_json

__all__ = ["WHOLE_FILES", "coco_frames", "is_finished", "write_summary"]

COCO_FILE = "annotations/coco.json"
CLASSES_FILE = "annotations/yolo/classes.txt"
WHOLE_FILES = (COCO_FILE, CLASSES_FILE, "README.md", "preview.png", LABEL_ERRORS_FILE)
"""Files that describe all frames together."""


def is_finished(folder: Path, count: int) -> bool:
    """Whether everything that describes ``count`` frames is there."""
    described = read_object(folder / DATASET_FILE)
    files = [*WHOLE_FILES, *(shard.name for shard in read_shards(described, folder / DATASET_FILE))]
    whole = all((folder / name).is_file() for name in files)
    return bool(described.get("complete") and described.get("frames") == count and whole)


def write_summary(store: FrameStore[FrameRecord], count: int, *, tensors: bool) -> None:
    """Writes what describes all frames, ``dataset.json`` last, which says that the data set is complete.

    Args:
        store: the data set, all frames of which have a line.
        count: frames.
        tensors: whether there are source tensors.

    Raises:
        DatasetError: a file of a frame cannot be read.
        OutputError: a file cannot be written.
    """
    from pipelines.dataset.card import write_card
    from pipelines.dataset.contact_sheet import write_contact_sheet

    folder = store.folder
    write_text(folder / CLASSES_FILE, yolo_classes(store.header["categories"]))
    write_coco(folder / COCO_FILE, coco_frames(store.records()), store.header["categories"])
    description = DatasetDescription.from_json(
        {
            **store.header,
            "frames": count,
            "counts": to_json(count_objects(store.records())),
            "shards": to_json(shards.finish_shards(folder, count) if tensors else []),
            "complete": True,
            "generator": generator(),
        }
    )
    write_contact_sheet(folder, description)
    write_label_errors(folder, description.configuration.get("max_label_error"))
    write_card(folder, description)
    write_json(folder / DATASET_FILE, to_json(description))


def coco_frames(records: Iterable[FrameRecord]) -> Iterator[LabelledFrame]:
    """What :func:`write_coco` takes, from the records of the frames."""
    for record in records:
        image = (record.index, f"{record.stem}.png", record.camera.width, record.camera.height)
        codes = [item.rle or "" for item in record.labelled]
        ignored = {item.id for item in record.ignored}
        yield LabelledFrame(image, record.labelled, codes, record.real_objects or (), ignored, record.sequence)
