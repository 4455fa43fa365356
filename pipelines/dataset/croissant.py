"""``croissant.json``: what a set holds, in words that dataset searches and loaders share.

Two sets of records: the images by their files, and all objects by a table, each with the name of its image.

Source: Croissant format specification 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipelines.dataset.about import About

__all__ = ["CROISSANT_FILE", "FileGroup", "Table", "croissant"]

CROISSANT_FILE: Final = "croissant.json"
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


@dataclass(frozen=True)
class FileGroup:
    """Files of one kind."""

    id: str
    about: str
    includes: Sequence[str]
    """Patterns of their names."""
    encoding: str
    """MIME type."""

    def to_json(self) -> dict[str, Any]:
        """Entry of ``distribution``."""
        names = {"@type": "cr:FileSet", "@id": self.id, "name": self.id, "description": self.about}
        return {**names, "encodingFormat": self.encoding, "includes": list(self.includes)}


@dataclass(frozen=True)
class Table:
    """A CSV file with a row for each object; its first column is the name of the image."""

    file: str
    sha256: str
    columns: Mapping[str, str]
    """Data type of each."""

    def to_json(self) -> dict[str, Any]:
        """Entry of ``distribution``."""
        names = {"@type": "cr:FileObject", "@id": self.file, "name": self.file, "contentUrl": self.file}
        about = "All objects: image, class, box in pixels and more."
        return {**names, "description": about, "encodingFormat": "text/csv", "sha256": self.sha256}


IMAGE_FILES: Final = FileGroup("image-files", "8-bit infrared images, white hot.", ["images/*.png"], "image/png")
SET_FILES: Final = (
    FileGroup("mask-files", "16-bit instance ids; 0 is everything without a label.", ["masks/*.png"], "image/png"),
    FileGroup("zone-files", "Thermal zones, 8-bit palette images.", ["zones/*.png"], "image/png"),
    FileGroup("depth-files", "Metres along the optical axis, channel Z.", ["depth/*.exr"], "image/x-exr"),
    FileGroup("kelvin-files", "Apparent temperature, 16 bit over span_K.", ["images16/*.png"], "image/png"),
    FileGroup("normal-files", "Normals in the camera's axes, channels X, Y, Z.", ["normals/*.exr"], "image/x-exr"),
    FileGroup("part-files", "Parts of objects; a table of the numbers lies beside.", ["parts/*.png"], "image/png"),
    FileGroup("disparity-files", "Disparity of a stereo pair, pixels.", ["disparity/*.exr"], "image/x-exr"),
    FileGroup("flow-files", "Optical flow, channels u, v, valid.", ["flow/*.exr"], "image/x-exr"),
    FileGroup("visible-files", "The same moments in colour, 8-bit sRGB.", ["visible/*.png"], "image/png"),
    FileGroup("tensor-files", "Source tensors, WebDataset shards.", ["tensors/*.tar"], "application/x-tar"),
)
"""What lies beside the images of a data set, as far as it is there."""
PACKED_FILES: Final = (
    FileGroup("shard-files", "Frames with all their files, WebDataset shards.", ["shards/*.tar"], "application/x-tar"),
    FileGroup("frame-tables", "Records of the frames.", ["frames/*.parquet"], "application/x-parquet"),
    FileGroup("object-tables", "Labelled objects.", ["objects/*.parquet"], "application/x-parquet"),
)
"""A packed data set."""


def croissant(
    about: About, table: Table | None = None, images: FileGroup | None = None, files: Sequence[FileGroup] = ()
) -> dict[str, Any]:
    """The document.

    Args:
        about: The set in words.
        table: Of its objects, the second set of records.
        images: The files that are the first.
        files: Further files, which are named and described.
    """
    images_and_objects = [] if images is None else [_image_records(images.id)]
    images_and_objects += [] if table is None else [_object_records(table)]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": about.title,
        "description": about.sentence,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": about.citation,
        "creator": {"@type": "sc:Organization", "name": "gis"},
        "version": f"{about.version}.0.0",
        **({} if about.license_page is None else {"license": about.license_page}),
        "keywords": ["thermal", "infrared", "synthetic", "object detection"],
        "distribution": [one.to_json() for one in (table, images, *files) if one is not None],
        "recordSet": images_and_objects,
    }


def _image_records(files: str) -> dict[str, Any]:
    group = {"fileSet": {"@id": files}}
    name = {**group, "extract": {"fileProperty": "filename"}}
    content = {**group, "extract": {"fileProperty": "content"}}
    fields = [_field("images", "image", "sc:Text", name), _field("images", "content", "sc:ImageObject", content)]
    key = {"@id": "images/image"}
    return {"@type": "cr:RecordSet", "@id": "images", "name": "images", "key": key, "field": fields}


def _object_records(table: Table) -> dict[str, Any]:
    fields = []
    for name, kind in table.columns.items():
        source = {"fileObject": {"@id": table.file}, "extract": {"column": name}}
        fields.append(_field("objects", name, kind, source))
    fields[0]["references"] = {"field": {"@id": "images/image"}}
    return {"@type": "cr:RecordSet", "@id": "objects", "name": "objects", "field": fields}


def _field(records: str, name: str, kind: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name, "dataType": kind, "source": source}
