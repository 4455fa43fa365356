"""``croissant.json`` of an export, and ``objects.csv``: all its objects, each with the name of its image."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pipelines.dataset.croissant import CROISSANT_FILE, FileGroup, Table, croissant
from pipelines.dataset.objects_table import OBJECTS_FILE
from pipelines.export.about import about
from pipelines.export.job import Job
from pipelines.io.files import file_sha256, write_through

__all__ = ["write_croissant", "write_objects"]

_COLUMNS: Final = {
    "image": "sc:Text", "split": "sc:Text", "class": "sc:Text", "left": "sc:Float", "top": "sc:Float",
    "width": "sc:Float", "height": "sc:Float", "ignored": "sc:Integer", "source": "sc:Text", "gis_id": "sc:Integer",
    "model": "sc:Text", "occlusion": "sc:Integer", "truncation": "sc:Float",
}  # fmt: skip
"""Columns of the table."""


def write_objects(job: Job, suffix: str) -> None:
    """Writes ``objects.csv``: a row for each object, of what is ignored one for each class it could be taken for.

    Args:
        job: the export.
        suffix: of the images.
    """
    write_through(job.out / OBJECTS_FILE, lambda temporary: _write_rows(temporary, job, suffix), root=job.out)


def _write_rows(path: Path, job: Job, suffix: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows(_rows(job, suffix))


def _rows(job: Job, suffix: str) -> Iterator[tuple[Any, ...]]:
    for frame in job.frames():
        for item in frame.objects:
            left, top, right, bottom = item.box_px
            known = item.instance
            more = (0, "", 3, 0.0) if known is None else (known.id, known.model, known.occlusion, known.truncation)
            for place in item.classes:
                box = (left, top, right - left, bottom - top)
                name = job.classes.names[place]
                yield (f"{frame.name}{suffix}", frame.split, name, *box, int(item.ignored), item.source, *more)


def write_croissant(job: Job, images: Sequence[str]) -> None:
    """Writes ``croissant.json``, once all other files are there.

    Args:
        job: the export.
        images: names of the images, below the folder of the export.
    """
    table = Table(OBJECTS_FILE, file_sha256(job.out / OBJECTS_FILE), _COLUMNS)
    job.write_json(CROISSANT_FILE, croissant(about(job), table, _files(images)))


def _files(images: Sequence[str]) -> FileGroup:
    suffix = PurePosixPath(images[0]).suffix
    folders = sorted({PurePosixPath(name).parent.as_posix() for name in images})
    encoding = "image/jpeg" if suffix == ".jpg" else "image/png"
    includes = [f"{folder}/*{suffix}" for folder in folders]
    return FileGroup("image-files", "8-bit infrared images, white hot.", includes, encoding)
