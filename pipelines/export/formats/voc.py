"""Pascal VOC: ``VOCdevkit/VOC2012`` with JPEG images, XML and ``ImageSets/Main``.

The benchmark's readers look for ``.jpg`` alone; JPEG changes grey levels a little. What is ignored is ``difficult``, in
each class that it could be taken for: the benchmark counts such objects neither as wanted nor as wrong. Boxes count
pixels from 1, both ends inside.

Source: development kit of the VOC challenge 2012 (Everingham et al., IJCV 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from pipelines.export.job import ExportFrame, ExportObject, Job, Picture

__all__ = ["Voc"]

_ROOT: Final = "VOCdevkit/VOC2012"
_TRUNCATED: Final = 0.15
"""Share outside of the image from which an object is truncated: the annotators' rule, 15 to 20 %."""


class Voc:
    """Writes VOC's files."""

    picture: Picture = "jpeg"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{_ROOT}/JPEGImages/{frame.name}.jpg"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Writes the XML of an image."""
        width, height = frame.size_px
        lines = [
            "<annotation>",
            "  <folder>VOC2012</folder>",
            f"  <filename>{frame.name}.jpg</filename>",
            "  <source><database>gis</database><annotation>gis</annotation><image>gis</image></source>",
            f"  <size><width>{width}</width><height>{height}</height><depth>1</depth></size>",
            "  <segmented>0</segmented>",
            *(line for item in frame.objects for place in item.classes for line in _object(job, item, place)),
            "</annotation>",
        ]
        job.write_text(f"{_ROOT}/Annotations/{frame.name}.xml", "\n".join(lines) + "\n")

    def write_whole(self, job: Job) -> None:
        """Writes the lists of the splits, ``trainval``, and the classes, which Datumaro and CVAT want."""
        names = (job.classes.names[place] for place in job.classes.used)
        lines = ["# label:color_rgb:parts:actions", "background:0,0,0::", *(f"{name}:::" for name in names)]
        job.write_text(f"{_ROOT}/labelmap.txt", "\n".join(lines) + "\n")
        numbers = {split: job.split.frames(split) for split in job.splits}
        both = sorted([*numbers.get("train", ()), *numbers.get("val", ())])
        for name, members in {**numbers, "trainval": both}.items():
            job.write_text(f"{_ROOT}/ImageSets/Main/{name}.txt", "".join(f"{index:06d}\n" for index in members))


def _object(job: Job, item: ExportObject, place: int) -> Iterator[str]:
    known = item.instance
    yield "  <object>"
    yield f"    <name>{escape(job.classes.names[place])}</name>"
    yield "    <pose>Unspecified</pose>"
    yield f"    <truncated>{int(known is not None and known.truncation > _TRUNCATED)}</truncated>"
    yield f"    <occluded>{int(known is not None and known.occlusion > 0)}</occluded>"
    yield f"    <difficult>{int(item.ignored)}</difficult>"
    left, top, right, bottom = item.box_px
    corners = (("xmin", round(left) + 1), ("ymin", round(top) + 1), ("xmax", round(right)), ("ymax", round(bottom)))
    yield "    <bndbox>" + "".join(f"<{name}>{value}</{name}>" for name, value in corners) + "</bndbox>"
    yield "  </object>"
