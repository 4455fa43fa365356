"""``objects.csv``: all objects of a data set in one table, for those who want no more than rows.

Rendered objects with a label come first, then what a real background shows by itself, image by image. ``ignored`` is 1
where a detector should neither be asked for an object nor be blamed for finding it; a region in which nothing is
labelled has the class ``DontCare``. What is not known is left empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipelines.dataset.record import FrameRecord

__all__ = ["COLUMNS", "OBJECTS_FILE", "with_rows"]

OBJECTS_FILE: Final = "objects.csv"
COLUMNS: Final[Mapping[str, str]] = {
    "image": "sc:Text", "class": "sc:Text", "left": "sc:Float", "top": "sc:Float", "width": "sc:Float",
    "height": "sc:Float", "ignored": "sc:Integer", "source": "sc:Text", "gis_id": "sc:Integer", "model": "sc:Text",
    "profile": "sc:Text", "distance_m": "sc:Float", "visible_px": "sc:Integer", "occlusion": "sc:Integer",
    "truncation": "sc:Float",
}  # fmt: skip
"""Names and data types; the box is that of the visible pixels, ``gis_id`` the value in ``masks/``."""
_UNKNOWN: Final = ("", "", "", "", "", "", "")


def with_rows(path: Path, records: Iterable[FrameRecord]) -> Iterator[FrameRecord]:
    """The records as they are; the table is written to ``path`` while they are gone through."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for record in records:
            table.writerows(_rows(record))
            yield record


def _rows(record: FrameRecord) -> Iterator[tuple[Any, ...]]:
    image = f"{record.stem}.png"
    for item in record.labelled:
        left, top, right, bottom = item.box_visible_px or item.box_amodal_px
        told = (item.id, item.model, item.profile, item.box_3d.centre_m[2], item.visible_px)
        box = (left, top, right - left, bottom - top)
        yield (image, item.category, *box, int(item.ignored or 0), "rendered", *told, item.occlusion, item.truncation)
    for real in record.real_objects or ():
        left, top, right, bottom = real.box_px
        box = (left, top, right - left, bottom - top)
        yield (image, real.category, *box, int(not real.labelled), "real", *_UNKNOWN)
