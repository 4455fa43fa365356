"""``objects.csv``, ``croissant.json`` and ``CITATION.cff``, which earlier sets lack, against the records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.errors import DatasetError
from pipelines.io.files import sha256
from pipelines.io.stores import Store

__all__ = ["about_files", "check_about"]

OBJECTS_FILE, CROISSANT_FILE, CARD = "objects.csv", "croissant.json", "README.md"
FILES: Final = frozenset({OBJECTS_FILE, CROISSANT_FILE, "CITATION.cff"})
_NUMBERS: Final = ("left", "top", "width", "height", "distance_m", "truncation")


def about_files(store: Store, *, packed: bool) -> frozenset[str]:
    """Those that belong to a data set: none where neither its card nor a file speaks of them."""
    spoken = store.has(CARD) and CROISSANT_FILE in store.read(CARD).decode(errors="replace")
    here = FILES - {OBJECTS_FILE} if packed else FILES  # a packed set has its objects in Parquet
    return here if spoken or any(map(store.has, here)) else frozenset()


def check_about(store: Store, records: Sequence[FrameRecord]) -> Iterator[str]:
    """What is wrong with the files that are there."""
    table = store.read(OBJECTS_FILE) if store.has(OBJECTS_FILE) else None
    if table is not None:
        yield from _check_table(table, records)
    if store.has(CROISSANT_FILE):
        try:
            told = {one["@id"]: one.get("sha256") for one in store.read_object(CROISSANT_FILE)["distribution"]}
        except (DatasetError, KeyError, TypeError) as error:
            yield f"{CROISSANT_FILE}: cannot be read as Croissant ({error})"
            return
        if table is not None and told.get(OBJECTS_FILE) != sha256(table):
            yield f"{CROISSANT_FILE}: says another SHA-256 than that of {OBJECTS_FILE}"


def _check_table(table: bytes, records: Sequence[FrameRecord]) -> Iterator[str]:
    wanted = (row for record in records for row in _rows(record))
    rows = csv.DictReader(io.StringIO(table.decode(errors="replace"), newline=""))
    for number, (found, row) in enumerate(zip_longest(rows, wanted), 2):
        if found is None or row is None:
            yield f"{OBJECTS_FILE}: line {number}: has {'too few' if found is None else 'too many'} rows"
            return
        odd = [name for name, value in row.items() if not _is_same(name, found.get(name), value)]
        if odd:
            yield f"{OBJECTS_FILE}: line {number}: {odd[0]} is {found.get(odd[0])!r}, expected {row[odd[0]]!r}"


def _is_same(name: str, found: str | None, value: Any) -> bool:
    if found is None or value is None or name not in _NUMBERS:
        return found == ("" if value is None else str(value))
    try:
        return float(found) == float(value)
    except ValueError:
        return False


def _rows(record: FrameRecord) -> Iterator[dict[str, Any]]:
    """What the table says of a frame: labelled objects by ascending id, then real ones."""
    for item in record.labelled:
        box = item.box_visible_px or item.box_amodal_px
        yield {**_row(record, item.category, box, bool(item.ignored), "rendered"), **_known(item)}
    for real in record.real_objects or ():
        yield _row(record, real.category, real.box_px, not real.labelled, "real")


def _row(record: FrameRecord, name: str, box: Sequence[float], ignored: bool, source: str) -> dict[str, Any]:
    left, top, right, bottom = box
    return {
        "image": f"{record.stem}.png", "class": name, "left": left, "top": top, "width": right - left,
        "height": bottom - top, "ignored": int(ignored), "source": source, "gis_id": None, "model": None,
        "profile": None, "distance_m": None, "visible_px": None, "occlusion": None, "truncation": None,
    }  # fmt: skip


def _known(item: InstanceRecord) -> dict[str, Any]:
    return {
        "gis_id": item.id, "model": item.model, "profile": item.profile, "distance_m": item.box_3d.centre_m[2],
        "visible_px": item.visible_px, "occlusion": item.occlusion, "truncation": item.truncation,
    }  # fmt: skip
