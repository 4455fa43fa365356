"""Label Studio: for each split ``tasks.json`` and ``images/``; ``label_config.xml`` is the labelling interface.

Boxes, or polygons with --segments, as annotations. What is ignored has the label ``ignored``. Images are named as files
below Label Studio's LOCAL_FILES_DOCUMENT_ROOT, which is to be the folder of the export.

Source: https://labelstud.io/guide/tasks (basic JSON format) and .../guide/export (units: percent of the image's sides).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.export.outlines import object_rings
from pipelines.io.files import write_through

__all__ = ["LabelStudio"]

_IGNORED: Final = "ignored"
_LOCAL_FILES: Final = "/data/local-files/?d="


class LabelStudio:
    """Writes Label Studio's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{frame.split}/images/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: all labels stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes the tasks of each split, and the interface that they are shown in."""
        job.write_text("label_config.xml", "\n".join(_interface(job)) + "\n")
        for split in job.splits:
            path = job.out / split / "tasks.json"
            write_through(path, lambda temporary, split=split: _write(temporary, job, split), root=job.out)  # type: ignore[misc]


def _interface(job: Job) -> Iterator[str]:
    tag = "PolygonLabels" if job.config.segments else "RectangleLabels"
    names = (*(job.classes.names[place] for place in job.classes.used), _IGNORED)
    yield "<View>"
    yield '  <Image name="image" value="$image" zoom="true"/>'
    yield f'  <{tag} name="label" toName="image">'
    yield from (f"    <Label value={quoteattr(name)}/>" for name in names)
    yield f"  </{tag}>"
    yield "</View>"


def _write(path: Path, job: Job, split: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for place, frame in enumerate(job.frames(split)):
            stream.write((",\n" if place else "\n") + json.dumps(_task(job, frame)))
        stream.write("\n]\n")


def _task(job: Job, frame: ExportFrame) -> dict[str, Any]:
    place = quote(f"{frame.split}/images/{frame.name}.png")
    shapes = [shape for number, item in enumerate(frame.objects) for shape in _shapes(job, frame, item, number)]
    return {
        "id": frame.record.index,
        "data": {"image": _LOCAL_FILES + place},
        "annotations": [{"result": shapes, "ground_truth": True}],
    }


def _shapes(job: Job, frame: ExportFrame, item: ExportObject, number: int) -> Iterator[dict[str, Any]]:
    width, height = frame.size_px
    label = _IGNORED if item.ignored else job.classes.names[item.number]
    meta = {"text": [item.source if item.instance is None else f"{item.source}, gis_id {item.instance.id}"]}
    head = {"from_name": "label", "to_name": "image", "original_width": width, "original_height": height, "meta": meta}
    if job.config.segments:
        for part, ring in enumerate(object_rings(frame, item)):
            points = [[100.0 * x / width, 100.0 * y / height] for x, y in ring.tolist()]
            value = {"points": points, "closed": True, "polygonlabels": [label]}
            yield {"id": f"{number}-{part}", "type": "polygonlabels", **head, "image_rotation": 0, "value": value}
    else:
        left, top, right, bottom = item.box_px
        place = {"x": 100.0 * left / width, "y": 100.0 * top / height}
        size = {"width": 100.0 * (right - left) / width, "height": 100.0 * (bottom - top) / height}
        value = {**place, **size, "rotation": 0, "rectanglelabels": [label]}
        yield {"id": f"{number}", "type": "rectanglelabels", **head, "image_rotation": 0, "value": value}
