"""A wrong value in any label or record field is found, also where all hashes are made right again.

The data set is a real one. Each mutation writes one wrong value on purpose, as a faulty writer would: a file that is
changed gets its new hash, and the line its own, so that only what the value itself says can give it away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_renderer import FakeScene

from pipelines.dataset.validation import validate
from pipelines.io.files import file_sha256
from pipelines.io.images import encode_palette_png, encode_png, read_png
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.passes import render

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FRAME = 0
Json = dict[str, Any]
Change = Callable[[Json], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "dataset_v1", tmp_path / "copy"))


def seal(record: Json) -> None:
    """Gives a line the hash of what it says now."""
    if "record_sha256" in record:
        rest = {key: value for key, value in record.items() if key != "record_sha256"}
        record["record_sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def edit_record(change: Change) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        log = folder / "frames.jsonl"
        records = [json.loads(line) for line in log.read_text().splitlines()]
        change(records[FRAME])
        seal(records[FRAME])
        log.write_text("".join(json.dumps(record) + "\n" for record in records))

    return edit


def edit_object(change: Change) -> Callable[[Path], None]:
    """Changes the first labelled object of the line, and what COCO, KITTI and YOLO say stays."""
    return edit_record(lambda record: change(labelled(record)))


def labelled(record: Json) -> Json:
    return next(item for item in record["instances"] if item["labelled"])


def hidden(record: Json) -> Json:
    return next(item for item in record["instances"] if not item["labelled"])


def rehash(folder: Path, name: str) -> None:
    edit_record(lambda record: record["files"].__setitem__(name, file_sha256(folder / name)))(folder)


def edit_row(place: str, column: int, value: str, row: int = 0) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        name = f"annotations/{place}/{FRAME:06d}.txt"
        rows = [line.split() for line in (folder / name).read_text().splitlines()]
        rows[row][column] = value
        (folder / name).write_text("".join(" ".join(words) + "\n" for words in rows))
        rehash(folder, name)

    return edit


def drop_row(place: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        name = f"annotations/{place}/{FRAME:06d}.txt"
        (folder / name).write_text("".join((folder / name).read_text().splitlines(keepends=True)[1:]))
        rehash(folder, name)

    return edit


def edit_coco(change: Change) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "annotations" / "coco.json"
        coco = json.loads(path.read_text())
        change(coco)
        path.write_text(json.dumps(coco))

    return edit


def edit_about(change: Change) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        about = json.loads((folder / "dataset.json").read_text())
        change(about)
        (folder / "dataset.json").write_text(json.dumps(about))

    return edit


def edit_mask(folder: Path) -> None:
    name = f"masks/{FRAME:06d}.png"
    mask = read_png(folder / name)
    rows, columns = (mask == 1).nonzero()
    mask[rows[0], columns[0]] = 0
    (folder / name).write_bytes(encode_png(mask))
    rehash(folder, name)


def swap_ids(folder: Path) -> None:
    name = f"masks/{FRAME:06d}.png"
    mask = read_png(folder / name)
    first, second = mask == 1, mask == 2
    mask[first], mask[second] = 2, 1
    (folder / name).write_bytes(encode_png(mask))
    rehash(folder, name)


def edit_zone(folder: Path) -> None:
    from renderer.zones.catalogue import zone_palette

    name = f"zones/{FRAME:06d}.png"
    zones = read_png(folder / name).copy()
    zones[0, 0] = 250
    (folder / name).write_bytes(encode_palette_png(zones, zone_palette()))
    rehash(folder, name)


def darken_image16(folder: Path) -> None:
    name = f"images16/{FRAME:06d}.png"
    (folder / name).write_bytes(encode_png(read_png(folder / name) // 2))
    rehash(folder, name)


def push(box: list[float], edge: int, by: float) -> None:
    box[edge] += by


def turn_camera(record: Json) -> None:
    record["camera"]["cam_to_world"][0][0] += 0.1


def turn_everything(item: Json) -> None:
    item["box_3d"]["yaw_rad"] += 0.2


MUTATIONS: dict[str, Callable[[Path], None]] = {
    # KITTI: each column
    "kitti type": edit_row("kitti", 0, "Van"),
    "kitti truncation": edit_row("kitti", 1, "0.40"),
    "kitti occlusion": edit_row("kitti", 2, "1"),
    "kitti alpha": edit_row("kitti", 3, "0.30"),
    "kitti left": edit_row("kitti", 4, "54.49"),
    "kitti top": edit_row("kitti", 5, "40.00"),
    "kitti right": edit_row("kitti", 6, "104.24"),
    "kitti bottom": edit_row("kitti", 7, "91.48"),
    "kitti height": edit_row("kitti", 8, "1.71"),
    "kitti width": edit_row("kitti", 9, "2.09"),
    "kitti length": edit_row("kitti", 10, "4.37"),
    "kitti x": edit_row("kitti", 11, "-0.62"),
    "kitti y": edit_row("kitti", 12, "1.65"),
    "kitti z": edit_row("kitti", 13, "9.52"),
    "kitti rotation_y": edit_row("kitti", 14, "1.53"),
    "kitti row lost": drop_row("kitti"),
    # YOLO
    "yolo class": edit_row("yolo", 0, "1"),
    "yolo centre x": edit_row("yolo", 1, "0.621"),
    "yolo centre y": edit_row("yolo", 2, "0.538"),
    "yolo width": edit_row("yolo", 3, "0.400"),
    "yolo height": edit_row("yolo", 4, "0.340"),
    "yolo row lost": drop_row("yolo"),
    "yolo classes": lambda folder: (
        (folder / "annotations/yolo/classes.txt").write_text("van\ncar\ntruck\nbus\n") and None
    ),
    # COCO
    "coco bbox": edit_coco(lambda coco: push(coco["annotations"][0]["bbox"], 2, 1.0)),
    "coco area": edit_coco(lambda coco: coco["annotations"][0].update(area=7)),
    "coco category": edit_coco(lambda coco: coco["annotations"][0].update(category_id=2)),
    "coco segmentation": edit_coco(lambda coco: coco["annotations"][0]["segmentation"].update(counts="ni6b0]38")),
    "coco segmentation size": edit_coco(lambda coco: coco["annotations"][0]["segmentation"].update(size=[128, 96])),
    "coco image": edit_coco(lambda coco: coco["annotations"][0].update(image_id=1)),
    "coco amodal box": edit_coco(lambda coco: push(coco["annotations"][0]["bbox_amodal"], 0, -3.0)),
    "coco 3-D box": edit_coco(lambda coco: coco["annotations"][0]["box_3d"].update(length_m=4.0)),
    "coco occlusion": edit_coco(lambda coco: coco["annotations"][0].update(occlusion=2)),
    "coco truncation": edit_coco(lambda coco: coco["annotations"][0].update(truncation=0.5)),
    "coco model": edit_coco(lambda coco: coco["annotations"][0].update(model="estate")),
    "coco instance": edit_coco(lambda coco: coco["annotations"][0].update(instance_id=2)),
    "coco crowd": edit_coco(lambda coco: coco["annotations"][0].update(iscrowd=1)),
    "coco file name": edit_coco(lambda coco: coco["images"][0].update(file_name="000001.png")),
    "coco image size": edit_coco(lambda coco: coco["images"][0].update(width=64)),
    "coco category name": edit_coco(lambda coco: coco["categories"][0].update(name="van")),
    "coco two of one id": edit_coco(lambda coco: coco["annotations"][1].update(id=1)),
    # the line of a frame
    "seed": edit_record(lambda record: record.update(seed=12)),
    "scene": edit_record(lambda record: record.update(scene="town.blend")),
    "profile": edit_record(lambda record: record.update(profile="driving")),
    "sensor": edit_record(lambda record: record.update(sensor="lepton35")),
    "focal length": edit_record(lambda record: record["camera"].update(fx=200.0)),
    "principal point": edit_record(lambda record: record["camera"].update(cx=60.0)),
    "matrix K": edit_record(lambda record: record["camera"]["K"][0].__setitem__(0, 200.0)),
    "camera's pose": edit_record(turn_camera),
    "camera's height": edit_record(lambda record: record["camera"]["cam_to_world"][2].__setitem__(3, 5.0)),
    "picture's size": edit_record(lambda record: record["camera"].update(width=127)),
    "background": edit_record(lambda record: record["background"].update(kind="image")),
    "model": edit_record(lambda record: record["backend"].update(name="pix2pix")),
    "weights": edit_record(lambda record: record["backend"].update(weights_sha256="ab")),
    "weather unknown": edit_record(lambda record: record["conditions"].update(weather="snow")),
    "weather of the counts": edit_record(lambda record: record["conditions"].update(weather="rain")),
    "hour": edit_record(lambda record: record["conditions"].update(hour=12.0)),
    "day of the year": edit_record(lambda record: record["conditions"].update(day_of_year=180)),
    "sun": edit_record(lambda record: record["conditions"].update(sun_elevation_deg=20.0)),
    "humidity": edit_record(lambda record: record["conditions"].update(relative_humidity=69.0)),
    "sky warmer than air": edit_record(lambda record: record["conditions"].update(sky_temperature_K=300.0)),
    "span in degrees": edit_record(lambda record: record.update(span_K=[-14.0, 29.0])),
    "span turned": edit_record(lambda record: record.update(span_K=record["span_K"][::-1])),
    "span lost": edit_record(lambda record: record.update(span_K=None)),
    "label error of nobody": edit_record(lambda record: record["drift"]["objects"][0].update(id=999)),
    "label error's pixels": edit_record(lambda record: record["drift"]["objects"][0].update(pixels=3)),
    "label error's score": edit_record(lambda record: record["drift"].update(score=1.5)),
    "attempt": edit_record(lambda record: record["drift"].update(attempt=3)),
    "rejected": edit_record(lambda record: record["drift"].update(rejected=True)),
    "file not named": edit_record(lambda record: record["files"].pop(f"masks/{FRAME:06d}.png")),
    "sample": edit_record(lambda record: record.update(tensor_sha256="00" * 32)),
    # objects of the line
    "id": edit_object(lambda item: item.update(id=99)),
    "category": edit_object(lambda item: item.update(category="van")),
    "category unknown": edit_object(lambda item: item.update(category="tram")),
    "model of an object": edit_object(lambda item: item.update(model="coupe")),
    "profile of an object": edit_object(lambda item: item.update(profile="driving")),
    "object's pose": edit_object(lambda item: item["object_to_world"][0].__setitem__(3, 230.0)),
    "object turned": edit_object(lambda item: item["object_to_world"][0].__setitem__(0, 0.9)),
    "3-D box's place": edit_object(lambda item: item["box_3d"]["centre_m"].__setitem__(2, 19.0)),
    "3-D box's height": edit_object(lambda item: item["box_3d"].update(height_m=0.5)),
    "3-D box's length": edit_object(lambda item: item["box_3d"].update(length_m=1.0)),
    "3-D box's yaw": edit_object(turn_everything),
    "amodal box": edit_object(lambda item: push(item["box_amodal_px"], 2, -9.0)),
    "visible box": edit_object(lambda item: push(item["box_visible_px"], 1, 1.0)),
    "visible pixels": edit_object(lambda item: item.update(visible_px=1651)),
    "amodal pixels": edit_object(lambda item: item.update(amodal_px=5000)),
    "truncation": edit_object(lambda item: item.update(truncation=0.25)),
    "occlusion": edit_object(lambda item: item.update(occlusion=1)),
    "label lost": edit_object(lambda item: item.update(labelled=False)),
    "run lengths": edit_object(lambda item: item.update(rle="ni6b0]38")),
    "run lengths lost": edit_object(lambda item: item.pop("rle")),
    "hidden object's label": edit_record(lambda record: hidden(record).update(labelled=True)),
    "hidden object's occlusion": edit_record(lambda record: hidden(record).update(occlusion=0)),
    # pixels
    "a pixel of the mask": edit_mask,
    "two ids changed about": swap_ids,
    "a zone that is none": edit_zone,
    "16 bits darkened": darken_image16,
    # the data set
    "count of images": edit_about(lambda about: about["counts"].update(images=3)),
    "count of a category": edit_about(lambda about: about["counts"]["category"].update(car=9)),
    "count of a profile": edit_about(lambda about: about["counts"]["profile"].update(driving=9)),
    "count of occlusion": edit_about(lambda about: about["counts"]["occlusion"].update({"0": 9})),
    "zones": edit_about(lambda about: about["zones"].update(body=2)),
    "categories": edit_about(lambda about: about["categories"].reverse()),
    "least pixels": edit_about(lambda about: about.update(min_visible_px=5000)),
    "frames": edit_about(lambda about: about.update(frames=3)),
}


def test_the_data_set_is_right(folder: Path) -> None:
    assert validate(folder).problems == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_value_is_found(folder: Path, name: str) -> None:
    MUTATIONS[name](folder)
    problems = validate(folder).problems
    assert problems
    assert all("\n" not in problem for problem in problems)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all numbers and texts of a JSON tree, of lists the first alone."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))
    elif isinstance(value, (int, float, str)) and path != ("index",):
        yield path


def test_any_value_changed_after_writing_is_found(tmp_path: Path) -> None:
    """What nothing else tells (the wind, a note) the line's own hash does."""
    config = RenderConfig(out=tmp_path / "out", count=1, workers=1)
    log = render(config, session_factory=FakeScene()) / "frames.jsonl"
    line = log.read_text()
    places = list(leaves(json.loads(line)))
    assert len(places) > 25
    for place in places:
        record = json.loads(line)
        node = record
        for key in place[:-1]:
            node = node[key]
        old = node[place[-1]]
        node[place[-1]] = old + "x" if isinstance(old, str) else not old if isinstance(old, bool) else old + 1
        log.write_text(json.dumps(record) + "\n")
        assert validate(tmp_path / "out").problems, place
