"""`gis export`: radiometric images as TIFF files that ordinary tools read degrees from.

Takes a data set of `gis synthesize` or a folder of `gis backgrounds`. A frame whose pixels have no temperature is not
exported: no scale is made up for it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from renderer.thermal.sensor import from_uint16

from pipelines.backgrounds.images import INDEX_FILE, INDEX_SCHEMA
from pipelines.backgrounds.ingest.radiometric import KELVIN_AT_0_C
from pipelines.backgrounds.ingest.tiff import CONVENTION, KELVIN_PER_COUNT, write_kelvin_tiff
from pipelines.dataset.frame_files import FrameFiles
from pipelines.dataset.packed.reader import files_of
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import DATASET_FILE, RunFolder, generator, read_records
from pipelines.errors import BackgroundError, ConfigError, DatasetError
from pipelines.io.files import check_present, path_inside, read_object, remove_temporaries, sha256, short
from pipelines.io.images import decode_png
from pipelines.io.progress import follow
from pipelines.io.stores import is_remote, open_store

__all__ = ["EXPORT_FILE", "FORMATS", "export_tiff"]

EXPORT_FILE = "export.json"
SCHEMA, SCHEMA_VERSION = "gis-export", 1
FORMATS = ("tiff",)


@dataclass(frozen=True)
class _Image:
    """A frame that may be exported."""

    name: str
    file: str
    """16-bit PNG over the span, below the folder."""
    span_K: tuple[float, float] | None
    about: str


def export_tiff(
    folder: str | PathLike[str], out: str | PathLike[str], file_format: str = "tiff", *, progress: bool = False
) -> dict[str, Any]:
    """Writes ``out/NAME.tiff`` for each radiometric frame, and ``out/export.json``.

    Args:
        folder: a data set of `gis synthesize`, or a folder of `gis backgrounds`.
        out: folder of the images, 16 bits, 10 mK per count.
        file_format: ``tiff``.
        progress: show a bar on stderr.

    Returns:
        what ``export.json`` says: the frames, how counts become kelvin, and how many were left out.

    Raises:
        ConfigError: a format that is none, or folders that cannot work.
        DatasetError: no data set, or none of its frames has temperatures.
        OutputError: a file cannot be written.
    """
    if file_format not in FORMATS:
        raise ConfigError(f"format is {file_format!r}: expected one of {', '.join(FORMATS)}")
    folder, out = Path(folder), Path(out)
    if os.path.realpath(out) == os.path.realpath(folder) or (out.exists() and not out.is_dir()):
        raise ConfigError(f"{out} cannot hold the export: expected a new folder; give another --out")
    source, images = _images(folder)
    files = files_of(folder)
    radiometric = [image for image in images if image.span_K is not None]
    if not radiometric:
        raise DatasetError(
            f"{folder}: none of {len(images)} frames has temperatures (span_K is null: display-only); only frames of a "
            "rendered scene or over radiometric backgrounds (gis backgrounds) can be exported in kelvin"
        )
    head = {"schema": SCHEMA, "version": SCHEMA_VERSION, "configuration": {"format": file_format, "of": source}}
    store = RunFolder(out, EXPORT_FILE, head)
    store.check()
    with store.locked():
        remove_temporaries(out)
        store.describe({"complete": False})
        rows, skipped = [], []
        for image in follow(radiometric, len(radiometric), "frame", progress=progress):
            try:
                rows.append(_write(image, files, out))
            except (BackgroundError, DatasetError) as error:
                skipped.append((image.name, str(error)))
        if not rows:
            raise DatasetError(f"none of {len(radiometric)} frames can be exported, the first: {skipped[0][1]}")
        check_present(out, [row["file"] for row in rows])
        about = {
            "complete": True,
            "generator": generator(),
            "kelvin_per_count": KELVIN_PER_COUNT,
            "convention": CONVENTION,
            "left_out": len(images) - len(radiometric),
            "frames": rows,
            **({"skipped": dict(skipped)} if skipped else {}),
        }
        store.describe(about)
    return {**head, **about}


def _images(folder: Path) -> tuple[dict[str, str], list[_Image]]:
    """Kind and configuration of the folder, and its frames."""
    store = open_store(folder)
    if store.has(DATASET_FILE):
        return _identity(store.read_object(DATASET_FILE)), list(_of_dataset(folder))
    if not is_remote(folder) and store.has(INDEX_FILE) and store.read_object(INDEX_FILE).get("schema") == INDEX_SCHEMA:
        return _identity(store.read_object(INDEX_FILE)), list(_of_backgrounds(folder))
    raise DatasetError(
        f"{folder}: holds neither {DATASET_FILE} nor {INDEX_FILE} of ours: expected a folder of `gis synthesize` or "
        "`gis backgrounds`"
    )


def _identity(about: dict[str, Any]) -> dict[str, str]:
    """What another export into the same folder may not differ in."""
    configuration = json.dumps(about.get("configuration"), sort_keys=True)
    return {"schema": str(about.get("schema")), "configuration_sha256": sha256(configuration.encode())}


def _of_dataset(folder: Path) -> Iterator[_Image]:
    for record in read_records(folder, FrameRecord):
        name = record.stem
        about = f"apparent temperature; backend {record.model.name}; sensor {record.sensor}"
        yield _Image(name, f"images16/{name}.png", _span(record.span_K, name), about)


def _of_backgrounds(folder: Path) -> Iterator[_Image]:
    index = folder / INDEX_FILE
    frames = read_object(index).get("frames")
    if not isinstance(frames, list):
        raise DatasetError(f"{index}: lists no frames; run `gis backgrounds` again")
    for name in frames:
        sidecar = path_inside(folder, name, index)
        about, name = read_object(sidecar), sidecar.stem
        frame, conditions = about.get("frame"), about.get("conditions") or {}
        if not isinstance(frame, dict) or not isinstance(conditions, dict):
            raise DatasetError(f"{sidecar}: expected a sidecar of `gis backgrounds`; run it again")
        words = ", ".join(f"{key} {value}" for key, value in conditions.items() if isinstance(value, float))
        text = f"object temperature at {words}" if words else "temperature as the file states it"
        file = str(path_inside(folder, frame.get("file"), sidecar).relative_to(folder))
        yield _Image(name, file, _span(about.get("span_K"), name), text)


def _span(stored: Any, name: str) -> tuple[float, float] | None:
    if stored is None:
        return None
    try:
        low, high = (float(value) for value in stored)
    except (TypeError, ValueError):
        low = high = 0.0
    if not 0 <= low < high < math.inf:
        raise DatasetError(
            f"frame {name}: span_K is {short(stored)}: expected two rising temperatures; make the frame again"
        )
    return low, high


def _write(image: _Image, files: FrameFiles, out: Path) -> dict[str, Any]:
    counts = decode_png(files.read(image.file), image.file)
    if counts.dtype != np.uint16 or counts.ndim != 2 or image.span_K is None:
        raise DatasetError(f"{image.file}: {counts.dtype} of shape {counts.shape}: expected a grey 16-bit PNG")
    kelvin = from_uint16(counts, image.span_K)
    write_kelvin_tiff(out / f"{image.name}.tiff", kelvin, image.about)
    celsius = [round(float(value) - KELVIN_AT_0_C, 2) for value in (kelvin.min(), np.median(kelvin), kelvin.max())]
    return {"file": f"{image.name}.tiff", **dict(zip(("min_C", "median_C", "max_C"), celsius, strict=True))}
