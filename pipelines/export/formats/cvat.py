"""CVAT for images 1.1: for each split ``annotations.xml`` and ``images/``; ``labels.json`` sets up the task.

Boxes, or polygons with --segments. What is ignored has the label ``ignored``.

Source: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat and .../xml_format.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.export.outlines import object_rings
from pipelines.io.files import write_through

__all__ = ["Cvat"]

_IGNORED: Final = "ignored"


class Cvat:
    """Writes CVAT's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{frame.split}/images/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: all labels stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes the labels of each split, and the classes as CVAT's constructor of labels takes them."""
        job.write_json("labels.json", [_label(name) for name in _names(job)])
        for split in job.splits:
            path = job.out / split / "annotations.xml"
            write_through(path, lambda temporary, split=split: _write(temporary, job, split), root=job.out)  # type: ignore[misc]


def _names(job: Job) -> tuple[str, ...]:
    return (*(job.classes.names[place] for place in job.classes.used), _IGNORED)


def _label(name: str) -> dict[str, Any]:
    origin = {"name": "origin", "mutable": False, "input_type": "select", "default_value": "rendered"}
    return {"name": name, "attributes": [{**origin, "values": ["rendered", "real"]}]}


def _write(path: Path, job: Job, split: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in _lines(job, split))


def _lines(job: Job, split: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "  <version>1.1</version>"
    yield from _meta(job, split)
    for number, frame in enumerate(job.frames(split)):
        width, height = frame.size_px
        yield f'  <image id="{number}" name="{frame.name}.png" width="{width}" height="{height}">'
        for order, item in enumerate(frame.objects):
            yield from _shapes(job, frame, item, order)
        yield "  </image>"
    yield "</annotations>"


def _meta(job: Job, split: str) -> Iterator[str]:
    yield "  <meta>"
    yield "    <task>"
    yield f"      <name>gis {split}</name>"
    yield f"      <size>{len(job.split.frames(split))}</size>"
    yield "      <mode>annotation</mode>"
    yield "      <labels>"
    for name in _names(job):
        yield f"        <label><name>{escape(name)}</name><attributes><attribute><name>origin</name>"
        yield "          <mutable>False</mutable><input_type>select</input_type><default_value>rendered</default_value>"
        yield "          <values>rendered\nreal</values></attribute></attributes></label>"
    yield "      </labels>"
    yield "    </task>"
    yield "  </meta>"


def _shapes(job: Job, frame: ExportFrame, item: ExportObject, order: int) -> Iterator[str]:
    label = _IGNORED if item.ignored else job.classes.names[item.number]
    occluded = int(item.instance is not None and item.instance.occlusion > 0)
    head = f'label={quoteattr(label)} source="file" occluded="{occluded}"'
    origin = f'<attribute name="origin">{item.source}</attribute>'
    if job.config.segments:
        for ring in object_rings(frame, item):
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in ring)
            yield f'    <polygon {head} points="{points}" z_order="{order}">{origin}</polygon>'
    else:
        sides = zip(("xtl", "ytl", "xbr", "ybr"), item.box_px, strict=True)
        place = " ".join(f'{name}="{value:.2f}"' for name, value in sides)
        yield f'    <box {head} {place} z_order="{order}">{origin}</box>'
