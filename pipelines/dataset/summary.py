"""What describes all frames of a data set together: labels, shards, contact sheet, label errors, card, Croissant."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.dataset import shards
from pipelines.dataset.about import CITATION_FILE, About, about_set
from pipelines.dataset.croissant import CROISSANT_FILE, IMAGE_FILES, PACKED_FILES, SET_FILES, Table, croissant
from pipelines.dataset.description import DatasetDescription, ObjectCounter, ShardEntry, read_shards
from pipelines.dataset.label_consistency.page import LABEL_ERRORS_FILE, LabelErrors
from pipelines.dataset.labels.coco import LabelledFrame, write_coco
from pipelines.dataset.labels.yolo import yolo_classes
from pipelines.dataset.objects_table import COLUMNS, OBJECTS_FILE, with_rows
from pipelines.dataset.packed.reader import files_of, is_packed
from pipelines.dataset.packed.writer import PackedStore
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import DATASET_FILE, FramesFolder, generator
from pipelines.io.files import as_bytes, file_sha256
from pipelines.io.images import encode_png
from pipelines.io.stores import open_store
from pipelines.io.typed_json import to_json

__all__ = ["WHOLE_FILES", "coco_frames", "is_finished", "write_summary"]

COCO_FILE = "annotations/coco.json"
CLASSES_FILE = "annotations/yolo/classes.txt"
WHOLE_FILES = (
    COCO_FILE, CLASSES_FILE, "README.md", "preview.png", LABEL_ERRORS_FILE, CITATION_FILE, CROISSANT_FILE,
)  # fmt: skip
"""Files that describe all frames together; a set that is not packed has OBJECTS_FILE too."""


def is_finished(folder: Path, count: int) -> bool:
    """Whether everything that describes ``count`` frames is there."""
    store = open_store(folder)
    if not store.has(DATASET_FILE):
        return False
    described = store.read_object(DATASET_FILE)
    files = [*WHOLE_FILES, *(shard.name for shard in read_shards(described, folder / DATASET_FILE))]
    if not is_packed(folder):
        files.append(OBJECTS_FILE)
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

    out, shown = store.store, list[FrameRecord]()
    counter, errors = ObjectCounter(), LabelErrors()
    records = counter.watch(errors.watch(_kept(store.records(labelled_only=True), shown_frames(count), shown)))
    out.write(CLASSES_FILE, yolo_classes(store.header["categories"]).encode())
    about = about_set(store.header["configuration"], store.header["version"], count)
    _write_labels(store, records, about)
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
    out.write(CITATION_FILE, as_bytes(about.citation_file()))
    out.write_json(CROISSANT_FILE, _croissant(store, about))
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


def _write_labels(store: FramesFolder[FrameRecord], records: Iterator[FrameRecord], about: About) -> None:
    """COCO labels, and beside them the table of objects, which a packed set has in its index."""
    out, categories = store.store, store.header["categories"]

    def write(records: Iterator[FrameRecord]) -> None:
        out.write_through(
            COCO_FILE, lambda place: write_coco(place, coco_frames(records), categories, about.coco_head())
        )

    if isinstance(store, PackedStore):
        write(records)
    else:
        out.write_through(OBJECTS_FILE, lambda place: write(with_rows(place, records)))


def _croissant(store: FramesFolder[FrameRecord], about: About) -> dict[str, Any]:
    if isinstance(store, PackedStore):
        return croissant(about, files=PACKED_FILES)
    files = [group for group in SET_FILES if (store.folder / group.includes[0]).parent.is_dir()]
    return croissant(about, Table(OBJECTS_FILE, file_sha256(store.folder / OBJECTS_FILE), COLUMNS), IMAGE_FILES, files)


def coco_frames(records: Iterable[FrameRecord]) -> Iterator[LabelledFrame]:
    """What :func:`write_coco` takes, from the records of the frames."""
    for record in records:
        image = (record.index, f"{record.stem}.png", record.camera.width, record.camera.height)
        codes = [item.rle or "" for item in record.labelled]
        ignored = {item.id for item in record.ignored}
        real, twin = record.real_objects or (), f"visible/{record.stem}.png"
        twins = twin if twin in record.files else None
        yield LabelledFrame(image, record.labelled, codes, real, ignored, record.sequence, twins)
