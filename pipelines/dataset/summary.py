"""What describes all frames of a data set together: COCO labels, shards, contact sheet, label errors, card."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from pipelines.dataset import shards
from pipelines.dataset.description import DatasetDescription, ObjectCounter, ShardEntry, read_shards
from pipelines.dataset.label_consistency.page import LABEL_ERRORS_FILE, LabelErrors
from pipelines.dataset.labels.coco import LabelledFrame, write_coco
from pipelines.dataset.labels.yolo import yolo_classes
from pipelines.dataset.packed.reader import files_of
from pipelines.dataset.packed.writer import PackedStore
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import DATASET_FILE, FramesFolder, generator
from pipelines.io.files import as_bytes
from pipelines.io.images import encode_png
from pipelines.io.stores import open_store
from pipelines.io.typed_json import to_json

__all__ = ["WHOLE_FILES", "coco_frames", "is_finished", "write_summary"]

COCO_FILE = "annotations/coco.json"
CLASSES_FILE = "annotations/yolo/classes.txt"
WHOLE_FILES = (COCO_FILE, CLASSES_FILE, "README.md", "preview.png", LABEL_ERRORS_FILE)
"""Files that describe all frames together."""


def is_finished(folder: Path, count: int) -> bool:
    """Whether everything that describes ``count`` frames is there."""
    store = open_store(folder)
    if not store.has(DATASET_FILE):
        return False
    described = store.read_object(DATASET_FILE)
    files = [*WHOLE_FILES, *(shard.name for shard in read_shards(described, folder / DATASET_FILE))]
    return bool(described.get("complete") and described.get("frames") == count) and all(map(store.has, files))


def write_summary(store: FramesFolder[FrameRecord], count: int, *, tensors: bool) -> None:
    """Writes what describes all frames, ``dataset.json`` last, which says that the data set is complete.

    The records are gone through once, one by one.

    Args:
        store: the data set, all frames of which are there.
        count: frames.
        tensors: whether there are source tensors.

    Raises:
        DatasetError: a file of a frame cannot be read.
        OutputError: a file cannot be written.
    """
    from pipelines.dataset.card import card_text
    from pipelines.dataset.contact_sheet import contact_sheet, shown_frames

    out, categories, shown = store.store, store.header["categories"], list[FrameRecord]()
    counter, errors = ObjectCounter(), LabelErrors()
    records = counter.watch(errors.watch(_kept(store.records(), shown_frames(count), shown)))
    out.write(CLASSES_FILE, yolo_classes(categories).encode())
    out.write_through(COCO_FILE, lambda place: write_coco(place, coco_frames(records), categories))
    description = DatasetDescription.from_json(
        {
            **store.header,
            "frames": count,
            "counts": to_json(counter.counts),
            "shards": to_json(_shards(store, count, tensors=tensors)),
            "complete": True,
            "generator": generator(),
        }
    )
    files = files_of(store.folder)
    out.write("preview.png", encode_png(contact_sheet(files, shown, description)))
    limit = description.configuration.get("max_label_error")
    out.write(LABEL_ERRORS_FILE, as_bytes(errors.page(files, limit)))
    out.write("README.md", as_bytes(card_text(description)))
    out.write_json(DATASET_FILE, to_json(description))


def _kept(records: Iterable[FrameRecord], numbers: Container[int], kept: list[FrameRecord]) -> Iterator[FrameRecord]:
    """The records; those of some numbers are kept."""
    for record in records:
        if record.index in numbers:
            kept.append(record)
        yield record


def _shards(store: FramesFolder[FrameRecord], count: int, *, tensors: bool) -> list[ShardEntry]:
    if isinstance(store, PackedStore):
        return store.shards()
    return shards.finish_shards(store.folder, count) if tensors else []


def coco_frames(records: Iterable[FrameRecord]) -> Iterator[LabelledFrame]:
    """What :func:`write_coco` takes, from the records of the frames."""
    for record in records:
        image = (record.index, f"{record.stem}.png", record.camera.width, record.camera.height)
        codes = [item.rle or "" for item in record.labelled]
        ignored = {item.id for item in record.ignored}
        yield LabelledFrame(image, record.labelled, codes, record.real_objects or (), ignored, record.sequence)
