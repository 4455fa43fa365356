"""KITTI, YOLO and COCO files against masks and records, each read as its format says and computed anew."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D

from pipelines.dataset.frame_files import FrameFiles
from pipelines.dataset.record import FrameRecord, InstanceRecord, RealObject, Record
from pipelines.dataset.validation.riders import with_cyclists
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.dataset.validation.sequences import video_of
from pipelines.errors import DatasetError
from pipelines.io.stores import Store

__all__ = ["check_classes", "check_coco", "check_rows"]

COCO_FILE, CLASSES_FILE = "annotations/coco.json", "annotations/yolo/classes.txt"
KITTI_COLUMNS = (
    "truncation", "occlusion", "alpha", "left", "top", "right", "bottom", "height", "width", "length", "x", "y", "z",
    "rotation_y",
)  # fmt: skip
"""Columns after the type, in the order of the KITTI object benchmark's development kit."""
_KITTI_WORDS = {"person": {"pedestrian", "person_sitting"}}
"""Types of a category, in small letters, where they are other words."""
_HALF_A_PLACE = 0.005 + 1e-9
"""KITTI rows have two places."""


def check_rows(files: FrameFiles, record: Record, categories: Sequence[str]) -> Iterator[str]:
    """Text labels of one frame: rows of objects that count by ascending id, of real ones, in KITTI of ignored ones."""
    for place, read in (("kitti", _kitti_problem), ("yolo", _yolo_problem)):
        where = f"annotations/{place}/{record.stem}.txt"
        if not files.has(where):
            continue
        rows = files.read(where).decode(errors="replace").splitlines()
        items = _in_kitti(record, rows) if place == "kitti" else _counted(record)
        if len(rows) != len(items):
            yield f"{where}: has {len(rows)} rows, {len(items)} objects have a label"
            continue
        for number, (row, item) in enumerate(zip(rows, items, strict=True), 1):
            if problem := read(row.split(), item, record.camera, categories):
                yield f"{where}: row {number}: {problem}"


def _counted(record: Record) -> list[InstanceRecord | RealObject]:
    """Objects with a row of their own in every format: rendered ones by ascending id, then real ones."""
    rendered = [item for item in record.labelled if not item.ignored]
    return [*rendered, *(item for item in _real(record) if item.labelled)]


def _in_kitti(record: Record, rows: Sequence[str]) -> list[InstanceRecord | RealObject]:
    """Objects in the order of their rows, DontCare last; earlier versions left real ones in their own order."""
    objects = with_cyclists(record)
    counted, ignored = ([item for item in objects if bool(item.ignored) is kind] for kind in (False, True))
    unnamed = [row.lower().startswith("dontcare") for row in rows]
    if unnamed == sorted(unnamed):
        return [*counted, *sorted(_real(record), key=lambda item: not item.labelled), *ignored]
    return [*counted, *_real(record), *ignored]


def _real(record: Record) -> Sequence[RealObject]:
    """What the background shows by itself."""
    return record.real_objects or () if isinstance(record, FrameRecord) else ()


def _kitti_problem(
    words: list[str], item: InstanceRecord | RealObject, camera: Camera, categories: Sequence[str]
) -> str:
    """What is wrong with a row of a KITTI file; empty where nothing is."""
    if len(words) != 1 + len(KITTI_COLUMNS):
        return f"has {len(words)} columns, expected {1 + len(KITTI_COLUMNS)}"
    ignored = not item.labelled if isinstance(item, RealObject) else bool(item.ignored)
    kind = "dontcare" if ignored else item.category
    if words[0].lower() not in _KITTI_WORDS.get(kind, {kind}):
        return f"type {words[0]}, the object is a {kind}"
    box = _kitti_box(item)
    # KITTI counts from the centres of pixels, and its boxes end at the picture.
    sides = (camera.width, camera.height) * 2
    edges = [min(max(edge - 0.5, 0.0), side - 1.0) for edge, side in zip(box, sides, strict=True)]
    for name, word, value in zip(KITTI_COLUMNS, words[1:], _kitti_values(item, edges), strict=True):
        if not _is_near(word, value, _HALF_A_PLACE):
            return f"{name} is {word}, expected {value:.2f}"
    return ""


def _kitti_box(item: InstanceRecord | RealObject) -> Box2D:
    """The whole of an object that counts, what is visible of an ignored one."""
    if isinstance(item, RealObject):
        return item.box_px
    return item.box_visible_px or item.box_amodal_px if item.ignored else item.box_amodal_px


def _kitti_values(item: InstanceRecord | RealObject, edges: Sequence[float]) -> tuple[float, ...]:
    """What a row says; of an object without a third dimension what the development kit gives to DontCare."""
    if isinstance(item, RealObject) or item.ignored:
        return (-1, -1, -10, *edges, -1, -1, -1, -1000, -1000, -1000, -10)
    solid = item.box_3d
    alpha = math.remainder(solid.yaw_rad - math.atan2(solid.centre_m[0], solid.centre_m[2]), 2 * math.pi)
    sizes = (solid.height_m, solid.width_m, solid.length_m)
    return (item.truncation, item.occlusion, alpha, *edges, *sizes, *solid.centre_m, solid.yaw_rad)


def _yolo_problem(
    words: list[str], item: InstanceRecord | RealObject, camera: Camera, categories: Sequence[str]
) -> str:
    """What is wrong with a row of a YOLO file; empty where nothing is."""
    if len(words) != 5:
        return f"has {len(words)} columns, expected 5"
    if words[0] not in map(str, range(len(categories))) or categories[int(words[0])] != item.category:
        return f"class {words[0]}, the object is a {item.category}"
    box = item.box_px if isinstance(item, RealObject) else item.box_visible_px or item.box_amodal_px
    left, top, right, bottom = box
    centre_x, centre_y, wide, high = (float(word) if _is_number(word) else math.nan for word in words[1:])
    found = (
        (centre_x - wide / 2) * camera.width, (centre_y - high / 2) * camera.height,
        (centre_x + wide / 2) * camera.width, (centre_y + high / 2) * camera.height,
    )  # fmt: skip
    # Six places of a share, twice.
    slack = 1.5e-6 * max(camera.width, camera.height) + 1e-9
    if not all(abs(one - other) <= slack for one, other in zip(found, (left, top, right, bottom), strict=True)):
        return f"box {[round(edge, 2) for edge in found]}, its pixels span {[left, top, right, bottom]}"
    return ""


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _is_near(word: str, value: float, slack: float) -> bool:
    return _is_number(word) and abs(float(word) - value) <= slack


def check_classes(store: Store, categories: Sequence[str]) -> Iterator[str]:
    """The names of YOLO's classes, one a line."""
    if not store.has(CLASSES_FILE):
        return
    names = store.read(CLASSES_FILE).decode(errors="replace").splitlines()
    if names != [*categories]:
        yield f"{CLASSES_FILE}: names {names}, {Path(store.where).name}/dataset.json says {[*categories]}"


# --- COCO -------------------------------------------------------------------------------------------------------------


def check_coco(store: Store, records: Sequence[Record], categories: Sequence[str]) -> Iterator[str]:
    """COCO labels of all frames."""
    if not store.has(COCO_FILE):
        return
    try:
        coco = store.read_object(COCO_FILE)
        images = {image["id"]: image for image in coco["images"]}
        licences = {one["id"] for one in coco["licenses"]} or {None}
        odd = {image.pop("license", None) for image in images.values()} - licences
        names = {entry["id"]: entry["name"] for entry in coco["categories"]}
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for annotation in coco["annotations"]:
            found[annotation["image_id"]].append(annotation)
        numbers = [annotation["id"] for annotation in coco["annotations"]]
        if not all(isinstance(number, int) for number in (*numbers, *images, *names)):
            raise TypeError("an id is no whole number")
    except (DatasetError, KeyError, TypeError) as error:
        yield f"{COCO_FILE}: cannot be read as COCO labels ({error})"
        return
    if odd:
        yield f"{COCO_FILE}: images of licence {odd.pop()!r}, which is none of its licences"
    if names != dict(enumerate(categories, 1)):
        yield f"{COCO_FILE}: categories {names}, expected {dict(enumerate(categories, 1))}"
    if len(set(numbers)) != len(numbers):
        yield f"{COCO_FILE}: two annotations have one id"
    if sorted(images) != list(range(len(records))):
        yield f"{COCO_FILE}: has {len(images)} images, expected {len(records)}"
    for record in records:
        yield from (f"{COCO_FILE}: {problem}" for problem in _of_image(images, found[record.index], record, names))


def _of_image(
    images: Mapping[int, Any], found: list[dict[str, Any]], record: Record, names: Mapping[int, str]
) -> Iterator[str]:
    index = record.index
    image = {
        "id": index, "file_name": f"{record.stem}.png", "width": record.camera.width, "height": record.camera.height,
        **({"visible_file_name": twin} if (twin := f"visible/{record.stem}.png") in record.files else {}),
        **(video_of(record) if isinstance(record, FrameRecord) else {}),
    }  # fmt: skip
    if index in images and images[index] != image:
        yield f"image {index} is {images[index]}, expected {image}"
    real = [one for one in found if one.get("source") == "real"]
    yield from _real_problems(real, record, list(names.values()))
    found = [one for one in found if one.get("source") != "real"]
    if len(found) != len(record.labelled):
        yield f"image {index} has {len(found)} annotations, {len(record.labelled)} objects have a label"
        return
    for annotation, item in zip(found, record.labelled, strict=True):
        wanted = _expected(item, record)
        name = names.get(category) if isinstance(category := annotation.get("category_id"), int) else category
        if name != item.category:
            yield f"annotation {annotation.get('id')}: category is {name}, the object is a {item.category}"
        for key, value in wanted.items():
            if annotation.get(key) != value:
                yield f"annotation {annotation.get('id')}: {key} is {annotation.get(key)!r}, expected {value!r}"
                break


def _real_problems(found: list[dict[str, Any]], record: Record, categories: Sequence[str]) -> Iterator[str]:
    """What is wrong with the annotations of what the background shows by itself."""
    wanted = []
    for item in _real(record):
        kinds = [item.category] if item.category in categories else list(categories)
        if item.category in categories or item.category == "dontcare":
            wanted += [(kind, _corner_and_size(item.box_px), int(not item.labelled)) for kind in kinds]
    seen = [
        (categories[one["category_id"] - 1], one.get("bbox"), one.get("iscrowd"))
        for one in found
        if isinstance(one.get("category_id"), int) and one["category_id"] in range(1, len(categories) + 1)
    ]
    if seen != wanted or len(seen) != len(found):
        yield f"image {record.index}: annotations of real objects are {seen}, expected {wanted}"
    for one in found:
        if one.get("iscrowd") and not _is_rectangle(one, record.camera):
            yield f"annotation {one.get('id')}: its pixels are not those of its box"


def _is_rectangle(annotation: Mapping[str, Any], camera: Camera) -> bool:
    """Whether a crowd's run-length code holds just the pixels of its box."""
    code = annotation.get("segmentation")
    box = annotation.get("bbox")
    if not isinstance(code, dict) or code.get("size") != [camera.height, camera.width] or not _is_box(box):
        return False
    left, top, wide, high = box
    wanted = np.zeros((camera.height, camera.width), np.bool_)
    wanted[round(top) : round(top + high), round(left) : round(left + wide)] = True
    try:
        return bool((decode_rle(str(code.get("counts")), camera.height, camera.width) == wanted).all())
    except DatasetError:
        return False


def _is_box(box: Any) -> TypeGuard[list[float]]:
    return isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box)


def _expected(item: InstanceRecord, record: Record) -> dict[str, Any]:
    """What an annotation says of an object, as JSON gives it back."""
    values = {
        "bbox": _corner_and_size(item.box_visible_px or item.box_amodal_px),
        "area": item.visible_px,
        "segmentation": {"size": [record.camera.height, record.camera.width], "counts": item.rle},
        "iscrowd": int(bool(item.ignored)),
        "instance_id": item.id,
        "model": item.model,
        "profile": item.profile,
        "bbox_amodal": _corner_and_size(item.box_amodal_px),
        "occlusion": item.occlusion,
        "truncation": item.truncation,
        "box_3d": {
            "centre_m": item.box_3d.centre_m,
            "length_m": item.box_3d.length_m,
            "height_m": item.box_3d.height_m,
            "width_m": item.box_3d.width_m,
            "yaw_rad": item.box_3d.yaw_rad,
        },
    }
    if item.rle_amodal is not None:
        size = [record.camera.height, record.camera.width]
        values["segmentation_amodal"] = {"size": size, "counts": item.rle_amodal}
        values["area_amodal"] = item.amodal_px
    if item.key_points is not None:
        values["keypoints"] = [value for point in item.key_points for value in point]
        values["num_keypoints"] = sum(seen > 0 for _, _, seen in item.key_points)
    if item.rides is not None:
        values["rides"] = item.rides
    if item.track_id is not None and isinstance(record, FrameRecord):
        values["track_id"] = item.track_id
        values["video_id"] = None if record.sequence is None else record.sequence.number
    return dict(json.loads(json.dumps(values)))


def _corner_and_size(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]
