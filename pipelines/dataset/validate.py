"""`gis validate`: is a data set what its lines say, file by file and label by label.

Each check is a function that yields what is wrong, one line each, beginning with the file. Frames are checked in
threads: hashing and decoding let go of Python's lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from gan.data.layout import decode_sample
from gan.errors import LayoutError
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D
from renderer.zones.catalogue import Zone

from pipelines.dataset.description import SCHEMA
from pipelines.dataset.label_consistency.measure import ATTEMPTS
from pipelines.dataset.label_consistency.page import LABEL_ERRORS_FILE
from pipelines.dataset.labels import CATEGORIES, MIN_VISIBLE_PX
from pipelines.dataset.labels.coco import coco_annotations, coco_image, decode_rle
from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.yolo import yolo_classes, yolo_text
from pipelines.dataset.record import (
    SCHEMA_VERSION,
    FrameRecord,
    InstanceRecord,
    LabelError,
    PairRecord,
    PassesRecord,
    Record,
    frame_name,
)
from pipelines.dataset.shards import read_shard
from pipelines.dataset.store import DATASET_FILE, FRAMES_FILE
from pipelines.errors import DatasetError
from pipelines.io.exr import read_exr
from pipelines.io.files import file_sha256, read_json, read_lines, sha256
from pipelines.io.images import decode_png
from pipelines.workers import default_workers

__all__ = ["Report", "validate"]

PASSES_FILE = "config.json"
SYNTHESIZED, PASSES, PAIRS = SCHEMA, "gis-passes", "gis.fit.dataset"
SCHEMAS = {
    SYNTHESIZED: (DATASET_FILE, tuple(range(1, SCHEMA_VERSION + 1))),
    PASSES: (PASSES_FILE, (1,)),
    PAIRS: (DATASET_FILE, (1,)),
}
"""Description and versions that are read of each kind of folder."""
PAIRS_FILES = ("fit.json", "fits-0.jsonl", "models.safetensors", "review.html", "validation.txt")
WHOLE_FILES = ("annotations/coco.json", "annotations/yolo/classes.txt", "README.md", "preview.png", LABEL_ERRORS_FILE)
WHOLE_FILES_1 = (*WHOLE_FILES[:-1], "drift.html")
"""Of version 1."""


@dataclass
class Report:
    """What a check found."""

    frames: int = 0
    objects: int = 0
    files: int = 0
    problems: list[str] = field(default_factory=list)
    """One line each; empty where all is well."""


def validate(folder: Path, *, progress: bool = False) -> Report:
    """Checks a data set of `gis synthesize`, the passes of `gis render`, or the pairs of `gis fit`.

    Raises:
        DatasetError: the folder holds none of them.
    """
    about = _read_about(folder)
    report = Report()
    kind = {SYNTHESIZED: FrameRecord, PASSES: PassesRecord, PAIRS: PairRecord}[about["schema"]]
    lines, records = _read_records(folder, kind, report)
    expected = {FRAMES_FILE, SCHEMAS[about["schema"]][0]}
    for record, problems in zip(records, _in_threads(folder, records, progress), strict=True):
        expected |= set(record.files)
        report.problems += problems
        report.objects += sum(1 for item in record.instances if item.labelled is not False)
    report.frames = lines
    report.problems += _check_count(about, lines)
    expected |= {shard["name"] for shard in about.get("shards", [])}
    report.problems += _check_shards(folder, about, records)
    if about["schema"] == SYNTHESIZED:
        expected |= set(WHOLE_FILES if about["version"] > 1 else WHOLE_FILES_1)
        frames = [record for record in records if isinstance(record, FrameRecord)]
        report.problems += [*_check_coco(folder, lines, frames), *_check_whole(folder)]
    if about["schema"] == PAIRS:
        # The decisions of a review, and a pass of fits for each that was asked for.
        more = {path.name for path in (*folder.glob("fits-*.jsonl"), *folder.glob("review.txt"))}
        expected |= {*PAIRS_FILES, *more}
    report.problems += _check_presence(folder, expected, all_known=len(records) == lines)
    report.files = len(expected)
    return report


def _read_about(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder: expected one of `gis synthesize`, `gis render` or `gis fit`")
    for schema, (name, versions) in SCHEMAS.items():
        if (folder / name).is_file():
            about = read_json(folder / name)
            if isinstance(about, dict) and about.get("schema") == schema and about.get("version") in versions:
                return about
    raise DatasetError(
        f"{folder}: holds no {DATASET_FILE} or {PASSES_FILE} of this version: expected a folder of `gis synthesize`, "
        "`gis render` or `gis fit`"
    )


def _read_records(folder: Path, kind: type[Record], report: Report) -> tuple[int, list[Record]]:
    """Number of whole lines, and the records of those that can be read."""
    log = folder / FRAMES_FILE
    lines, records = 0, []
    try:
        for index, line in enumerate(read_lines(log)):
            lines = index + 1
            try:
                records.append(kind.from_line(line, index, log))
            except DatasetError as error:
                report.problems.append(str(error))
    except DatasetError as error:
        report.problems.append(str(error))
    if log.is_file() and (data := log.read_bytes()) and not data.endswith(b"\n"):
        report.problems.append(f"{FRAMES_FILE}: its last line is cut off: give the same command again")
    return lines, records


def _in_threads(folder: Path, records: list[Record], progress: bool) -> Iterator[list[str]]:
    from tqdm import tqdm

    with ThreadPoolExecutor(default_workers()) as pool:
        checked = pool.map(lambda record: list(_check_record(folder, record)), records)
        yield from tqdm(checked, total=len(records), unit="frame", desc="check", disable=not progress)


def _check_record(folder: Path, record: Record) -> Iterator[str]:
    yield from _check_hashes(folder, record)
    if isinstance(record, FrameRecord):
        yield from _check_frame(folder, record)
    elif isinstance(record, PairRecord):
        yield from _check_pair(folder, record)
    else:
        yield from _check_passes(folder, record)


def _check_count(about: Mapping[str, Any], frames: int) -> Iterator[str]:
    if not about.get("complete") and about["schema"] != PAIRS:  # those are described when they are complete
        yield f"{SCHEMAS[about['schema']][0]}: says that the run is not complete: give the same command again"
    elif about.get("frames") != frames:
        yield f"{FRAMES_FILE}: has {frames} whole lines, expected {about.get('frames')}"


def _check_presence(folder: Path, expected: set[str], *, all_known: bool) -> Iterator[str]:
    """What is missing and, where every line could be read, what is foreign."""
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    for name in sorted(expected - there):
        yield f"{name}: is missing"
    for name in sorted(there - expected) if all_known else ():
        yield f"{name}: does not belong to the data set"


# --- one frame --------------------------------------------------------------------------------------------------------


def _check_passes(folder: Path, record: Record) -> Iterator[str]:
    shape = (record.camera.height, record.camera.width)
    for name in record.files:
        if not (folder / name).is_file():
            continue
        try:
            channels = read_exr(folder / name)
        except DatasetError as error:
            yield f"{name}: {error}"
            continue
        if set(channels) != {"Z", "instance", "zone"}:
            yield f"{name}: has channels {sorted(channels)}, expected Z, instance and zone"
        if any(plane.shape != shape for plane in channels.values()):
            yield f"{name}: is not {shape[1]}x{shape[0]} pixels as its camera says"


def _check_pair(folder: Path, record: PairRecord) -> Iterator[str]:
    """A real frame and its fitted cars."""
    name = record.stem
    planes = _Planes(folder, name, (record.camera.height, record.camera.width))
    mask = planes.png("masks", np.uint16)
    planes.png("images", np.uint8)
    zones = planes.png("zones", np.uint8)
    depth = planes.depth()
    yield from planes.problems
    if zones is not None:
        yield from _check_zones(zones, name)
    if mask is None:
        return
    ids = {item.id for item in record.instances}
    for number in sorted(set(np.unique(mask).tolist()) - {0} - ids):
        yield f"masks/{name}.png: holds id {number}, which is no car of {FRAMES_FILE}"
    for item in record.instances:
        pixels = mask == item.id
        box = _tight_box(pixels) if pixels.any() else None
        if item.box_visible_px != box or item.visible_px != int(pixels.sum()):
            yield (
                f"masks/{name}.png: id {item.id}: {item.visible_px} pixels in {item.box_visible_px}, "
                f"it has {int(pixels.sum())} in {box}"
            )
    yield from _check_depth(mask, depth, name)


def _check_frame(folder: Path, record: FrameRecord) -> Iterator[str]:
    name = record.stem
    yield from _check_file_names(record, name)
    planes = _Planes(folder, name, (record.camera.height, record.camera.width))
    mask = planes.png("masks", np.uint16)
    planes.png("images", np.uint8)
    zones = planes.png("zones", np.uint8)
    if record.span_K is not None:
        planes.png("images16", np.uint16)
        if not 0 < record.span_K[0] < record.span_K[1]:
            yield f"{FRAMES_FILE}: frame {name}: span_K is {record.span_K}, expected two rising temperatures"
    depth = planes.depth()
    yield from planes.problems
    if zones is not None:
        yield from _check_zones(zones, name)
    if mask is not None:
        yield from _check_objects(record, mask, name)
        yield from _check_depth(mask, depth, name)
    yield from _check_labels(folder, record, name)
    if record.label_error is not None:
        yield from _check_label_error(record, record.label_error)


def _check_zones(zones: NDArray[np.uint8], name: str) -> Iterator[str]:
    unknown = sorted(set(np.unique(zones).tolist()) - {int(zone) for zone in Zone})
    if unknown:
        yield f"zones/{name}.png: holds value {unknown[0]}, which is no zone"


def _check_depth(mask: NDArray[np.uint16], depth: NDArray[np.float32] | None, name: str) -> Iterator[str]:
    if depth is not None and not np.isfinite(depth[mask > 0]).all():
        yield f"depth/{name}.exr: is infinite on an object"


def _check_hashes(folder: Path, record: Record) -> Iterator[str]:
    for name, digest in record.files.items():
        path = folder / name
        if path.is_file() and file_sha256(path) != digest:
            yield f"{name}: is not the file that was written (its SHA-256 differs from frames.jsonl)"


def _check_file_names(record: FrameRecord, name: str) -> Iterator[str]:
    expected = {f"{place}/{name}.png" for place in ("images", "masks", "zones")}
    expected |= {f"depth/{name}.exr", f"annotations/kitti/{name}.txt", f"annotations/yolo/{name}.txt"}
    if record.span_K is not None:
        expected.add(f"images16/{name}.png")
    for odd in sorted(expected ^ set(record.files)):
        verb = "does not name" if odd in expected else "names"
        yield f"{FRAMES_FILE}: frame {record.index} {verb} {odd}"


class _Planes:
    """Decodes a frame's images and keeps what is wrong with them."""

    def __init__(self, folder: Path, name: str, shape: tuple[int, int]) -> None:
        self.folder, self.name, self.shape = folder, name, shape
        self.problems: list[str] = []

    def png(self, place: str, dtype: type[np.generic]) -> NDArray[Any] | None:
        """Pixels of a PNG; None where it is missing or not as expected."""
        path = self.folder / place / f"{self.name}.png"
        if not path.is_file():
            return None  # said once, with the missing files
        try:
            pixels = decode_png(path.read_bytes(), f"{place}/{self.name}.png")
        except DatasetError as error:
            self.problems.append(str(error))
            return None
        return self._checked(pixels, dtype, f"{place}/{self.name}.png")

    def depth(self) -> NDArray[np.float32] | None:
        """Depth; None where it is missing or not as expected."""
        path = self.folder / "depth" / f"{self.name}.exr"
        if not path.is_file():
            return None
        try:
            depth = read_exr(path).get("Z")
        except DatasetError as error:
            self.problems.append(f"depth/{self.name}.exr: {error}")
            return None
        if depth is None:
            self.problems.append(f"depth/{self.name}.exr: has no channel Z")
            return None
        if not (depth > 0).all():
            self.problems.append(f"depth/{self.name}.exr: holds NaN or distances of 0 and less")
        return self._checked(depth, np.float32, f"depth/{self.name}.exr")

    def _checked(self, pixels: NDArray[Any], dtype: type[np.generic], where: str) -> NDArray[Any] | None:
        if pixels.dtype == dtype and pixels.shape == self.shape:
            return pixels
        height, width = self.shape
        self.problems.append(
            f"{where}: is {pixels.dtype} {pixels.shape}: "
            f"expected {np.dtype(dtype)} {(height, width)} as its camera says"
        )
        return None


def _check_objects(record: FrameRecord, mask: NDArray[np.uint16], name: str) -> Iterator[str]:
    """Ids, boxes and codes of a frame against its mask."""
    here = f"masks/{name}.png"
    labelled = {item.id: item for item in record.labelled}
    seen = set(np.unique(mask).tolist()) - {0}
    for number in sorted(seen - set(labelled)):
        yield f"{here}: holds id {number}, which has no label"
    for number in sorted(set(labelled) - seen):
        yield f"{here}: id {number} has a label and no pixel"
    for number in sorted(seen & set(labelled)):
        for what in _object_problems(labelled[number], mask == number):
            yield f"{here}: id {number}: {what}"


def _object_problems(item: InstanceRecord, pixels: NDArray[np.bool_]) -> Iterator[str]:
    """One object against its pixels."""
    tight = _tight_box(pixels)
    if item.box_visible_px != tight:
        yield f"its visible box is {item.box_visible_px}, its pixels span {tight}"
    count = int(pixels.sum())
    if item.visible_px != count:
        yield f"visible_px is {item.visible_px}, it has {count} pixels"
    if count < MIN_VISIBLE_PX:
        yield f"has {count} pixels and a label, expected {MIN_VISIBLE_PX} or more"
    if item.amodal_px < count:
        yield f"amodal_px is {item.amodal_px}, less than the {count} that are visible"
    if not _contains(item.box_amodal_px, tight):
        yield f"its amodal box {item.box_amodal_px} does not contain the visible one {tight}"
    if item.category not in CATEGORIES:
        yield f"category {item.category!r}, expected one of {', '.join(CATEGORIES)}"
    if not 0 <= item.truncation <= 1 or item.occlusion not in (0, 1, 2):
        yield f"truncation {item.truncation} and occlusion {item.occlusion}, expected 0 to 1, and 0, 1 or 2"
    try:
        same = np.array_equal(decode_rle(item.rle or "", *pixels.shape), pixels)
    except DatasetError:
        same = False
    if not same:
        yield "its run-length code is not its pixels"


def _tight_box(pixels: NDArray[np.bool_]) -> Box2D:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _contains(outer: Box2D, inner: Box2D, slack_px: float = 1.0) -> bool:
    """Whether a box contains another; a pixel's centre may be inside where its edge is not."""
    near = all(outer[k] <= inner[k] + slack_px for k in (0, 1))
    return near and all(outer[k] >= inner[k] - slack_px for k in (2, 3))


def _check_label_error(record: FrameRecord, error: LabelError) -> Iterator[str]:
    """Label error of a line: within its limits, and of objects that have a label."""
    here = f"{FRAMES_FILE}: frame {record.index}"
    scores = [error.score, *(item.score for item in error.objects)]
    if any(score is not None and not 0 <= score <= 1 for score in scores):
        yield f"{here}: label error {scores}, expected 0 to 1"
    for number in sorted({item.id for item in error.objects} - {item.id for item in record.labelled}):
        yield f"{here}: has the label error of object {number}, which has no label"
    if error.attempt not in range(ATTEMPTS):
        yield f"{here}: label error of attempt {error.attempt}, expected 0 to {ATTEMPTS - 1}"


def _check_labels(folder: Path, record: FrameRecord, name: str) -> Iterator[str]:
    """Label files against the objects of the record."""
    width, height, objects = record.camera.width, record.camera.height, record.labelled
    for place, text in (("kitti", kitti_text(objects, width, height)), ("yolo", yolo_text(objects, width, height))):
        path = folder / "annotations" / place / f"{name}.txt"
        if path.is_file():
            yield from _compare_rows(f"annotations/{place}/{name}.txt", path.read_text(errors="replace"), text)


def _compare_rows(where: str, found: str, wanted: str) -> Iterator[str]:
    for number, (row, expected) in enumerate(zip_longest(found.splitlines(), wanted.splitlines()), 1):
        if row != expected:
            yield f"{where}: row {number} is {row!r}, frames.jsonl says {expected!r}"
            return


# --- the whole --------------------------------------------------------------------------------------------------------


def _check_coco(folder: Path, lines: int, records: list[FrameRecord]) -> Iterator[str]:
    """COCO labels against the lines."""
    where = "annotations/coco.json"
    if not (folder / where).is_file():
        return
    try:
        coco = read_json(folder / where)
        images = {image["id"]: image for image in coco["images"]}
        found: dict[int, list[Any]] = {}
        for annotation in coco["annotations"]:
            found.setdefault(annotation["image_id"], []).append(annotation)
    except (DatasetError, KeyError, TypeError) as error:
        yield f"{where}: cannot be read as COCO labels ({error})"
        return
    if sorted(images) != list(range(lines)):
        yield f"{where}: has {len(images)} images, expected {lines}"
    number = 1
    for index, record in enumerate(records):
        if index != record.index:
            return  # the lines that cannot be read have been named already
        image, wanted = _expected_annotations(record, number)
        number += len(wanted)
        if images.get(index) != image:
            yield f"{where}: image {index} is {images.get(index)}, frames.jsonl says {image}"
        yield from _compare_annotations(where, index, found.get(index, []), wanted)


def _expected_annotations(record: FrameRecord, first: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Entries of a frame in the COCO file, as JSON gives them back."""
    image = (record.index, f"{record.stem}.png", record.camera.width, record.camera.height)
    codes = [item.rle or "" for item in record.labelled]
    annotations = coco_annotations(image, record.labelled, codes, first)
    return coco_image(image), json.loads(json.dumps(annotations))


def _compare_annotations(where: str, index: int, found: list[Any], wanted: list[Any]) -> Iterator[str]:
    if len(found) != len(wanted):
        yield f"{where}: image {index} has {len(found)} annotations, frames.jsonl says {len(wanted)}"
        return
    for one, other in zip(found, wanted, strict=True):
        wrong = [key for key in other if one.get(key) != other[key]]
        if wrong:
            key = wrong[0]
            yield f"{where}: annotation {other['id']}: {key} is {one.get(key)!r}, frames.jsonl says {other[key]!r}"


def _check_whole(folder: Path) -> Iterator[str]:
    classes = folder / "annotations" / "yolo" / "classes.txt"
    if classes.is_file():
        yield from _compare_rows("annotations/yolo/classes.txt", classes.read_text(errors="replace"), yolo_classes())
    preview = folder / "preview.png"
    if preview.is_file():
        try:
            decode_png(preview.read_bytes(), "preview.png")
        except DatasetError as error:
            yield str(error)


def _check_shards(folder: Path, about: Mapping[str, Any], records: list[Record]) -> Iterator[str]:
    """Source tensors against the hashes in dataset.json and in the lines, which name the first variant of a pair."""
    hashes = {record.index: record.tensor_sha256 for record in records if isinstance(record, (FrameRecord, PairRecord))}
    for shard in about.get("shards", []):
        path, name = folder / shard["name"], shard["name"]
        if not path.is_file():
            continue
        if file_sha256(path) != shard["sha256"]:
            yield f"{name}: is not the file that was written (its SHA-256 differs from {DATASET_FILE})"
        try:
            members = {index: sha256(data) for index, data in _decoded(path)}
        except (DatasetError, LayoutError) as error:
            yield f"{name}: {error}"
            continue
        wanted = range(shard["first"], shard["first"] + shard["frames"])
        if list(members) != list(wanted):
            yield f"{name}: holds frames {list(members)[:3]}..., expected {wanted.start} to {wanted.stop - 1}"
        for index, digest in members.items():
            if hashes.get(index) != digest and not (about["schema"] == PAIRS and index not in hashes):
                yield f"{name}: sample {frame_name(index)} is not the one that frames.jsonl names"


def _decoded(path: Path) -> Iterator[tuple[int, bytes]]:
    """Samples of a shard, each decoded once to see that it can be."""
    for index, data in read_shard(path):
        decode_sample(data, f"{path.name}:{frame_name(index)}")
        yield index, data
