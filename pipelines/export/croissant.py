"""``croissant.json``: what an export holds, in words that dataset searches and loaders share; and ``objects.csv``.

Two sets of records: the images by their files, and all objects by a table, each with the name of its image.

Source: Croissant format specification 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pipelines.export.about import citation_text, description_text, licence_page, title_text
from pipelines.export.job import Job
from pipelines.io.files import file_sha256, write_through

__all__ = ["OBJECTS_FILE", "write_croissant", "write_objects"]

OBJECTS_FILE: Final = "objects.csv"
_KINDS: Final = {
    "image": "sc:Text", "split": "sc:Text", "class": "sc:Text", "left": "sc:Float", "top": "sc:Float",
    "width": "sc:Float", "height": "sc:Float", "ignored": "sc:Integer", "source": "sc:Text", "gis_id": "sc:Integer",
    "model": "sc:Text", "occlusion": "sc:Integer", "truncation": "sc:Float",
}  # fmt: skip
"""Columns of the table."""
_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


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
        table.writerow(_KINDS)
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
    job.write_json("croissant.json", _croissant(job, images))


def _croissant(job: Job, images: Sequence[str]) -> dict[str, Any]:
    licence = job.config.license
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": title_text(job),
        "description": description_text(job),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": citation_text(job),
        "creator": {"@type": "sc:Organization", "name": "gis"},
        "version": f"{job.description.version}.0.0",
        **({} if licence is None else {"license": licence_page(licence)}),
        "keywords": ["thermal", "infrared", "synthetic", "object detection"],
        "distribution": [_table(job), _files(images)],
        "recordSet": [_image_records(), _object_records()],
    }


def _table(job: Job) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": OBJECTS_FILE,
        "name": OBJECTS_FILE,
        "description": "All objects: image, split, class, box in pixels.",
        "contentUrl": OBJECTS_FILE,
        "encodingFormat": "text/csv",
        "sha256": file_sha256(job.out / OBJECTS_FILE),
    }


def _files(images: Sequence[str]) -> dict[str, Any]:
    suffix = PurePosixPath(images[0]).suffix
    folders = sorted({PurePosixPath(name).parent.as_posix() for name in images})
    return {
        "@type": "cr:FileSet",
        "@id": "image-files",
        "name": "image-files",
        "description": "8-bit infrared images, white hot.",
        "encodingFormat": "image/jpeg" if suffix == ".jpg" else "image/png",
        "includes": [f"{folder}/*{suffix}" for folder in folders],
    }


def _image_records() -> dict[str, Any]:
    files = {"fileSet": {"@id": "image-files"}}
    name = {**files, "extract": {"fileProperty": "filename"}}
    content = {**files, "extract": {"fileProperty": "content"}}
    fields = [_field("images", "image", "sc:Text", name), _field("images", "content", "sc:ImageObject", content)]
    key = {"@id": "images/image"}
    return {"@type": "cr:RecordSet", "@id": "images", "name": "images", "key": key, "field": fields}


def _object_records() -> dict[str, Any]:
    fields = []
    for name, kind in _KINDS.items():
        source = {"fileObject": {"@id": OBJECTS_FILE}, "extract": {"column": name}}
        fields.append(_field("objects", name, kind, source))
    fields[0]["references"] = {"field": {"@id": "images/image"}}
    return {"@type": "cr:RecordSet", "@id": "objects", "name": "objects", "field": fields}


def _field(records: str, name: str, kind: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name, "dataType": kind, "source": source}
