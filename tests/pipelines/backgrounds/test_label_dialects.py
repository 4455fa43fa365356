"""Label files in every dialect: the same objects, written by the formats' own definitions, give the same boxes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets import CAMERAS
from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.geometry.horizon import horizon_from_boxes
from pipelines.errors import BackgroundError
from renderer.geometry.camera import read_cameras

WIDTH, HEIGHT = 640, 512
CAR = (250.0, 281.6, 390.4, 379.5)
NAMES = "person\nbicycle\ncar\ntraffic light\ntruck\n"


def write(folder: Path, text: str, names: str | None = NAMES, listed: str = "classes.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.txt").write_bytes(text.encode())
    if names is not None:
        (folder / listed).write_bytes(names.encode())
    return folder


def shares(*values: float) -> str:
    sides = (WIDTH, HEIGHT) * (len(values) // 2)
    return " ".join(f"{value / side:.10f}" for value, side in zip(values, sides, strict=True))


def corners(box: tuple[float, float, float, float] = CAR) -> tuple[float, ...]:
    left, top, right, bottom = box
    return left, top, right, top, right, bottom, left, bottom


def middle(box: tuple[float, float, float, float] = CAR) -> tuple[float, ...]:
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def octagon(box: tuple[float, float, float, float] = CAR) -> tuple[float, ...]:
    """Touches every side of the box, and no corner of it."""
    left, top, right, bottom = box
    x, y = (right - left) / 3, (bottom - top) / 3
    return (left + x, top, right - x, top, right, top + y, right, bottom - y,
            right - x, bottom, left + x, bottom, left, bottom - y, left, top + y)  # fmt: skip


ROWS = {
    "box": f"2 {shares(*middle())}",
    "box, name of the class as a float": f"2.0 {shares(*middle())}",
    "box and confidence": f"2 {shares(*middle())} 0.91",
    "box and track": f"2 {shares(*middle())} 17",
    "box, confidence and track": f"2 {shares(*middle())} 0.91 17",
    "first track": f"2 {shares(*middle())} 0.91 1",
    "rotated box": f"2 {shares(*corners())}",
    "rotated box and confidence": f"2 {shares(*corners())} 0.91",
    "polygon of 8 points": f"2 {shares(*octagon())}",
    "polygon and confidence": f"2 {shares(*octagon())} 0.9",
    "polygon, confidence and track": f"2 {shares(*octagon())} 0.9 12",
    "polygon of 7 points, KITTI's 15 columns": f"2 {shares(*octagon()[:12], CAR[0], CAR[3] - 20)}",
    "triangle": f"2 {shares(CAR[0], CAR[1], CAR[2], CAR[1], CAR[0], CAR[3])}",
    "pose of 3 points": f"2 {shares(*middle())} {shares(300, 300)} 2 {shares(310, 320)} 1 0 0 0",
    "pose of 2 points": f"2 {shares(*middle())} {shares(300, 300)} 2 {shares(310, 320)} 1",
    "KITTI": f"Car 0.00 0 -10 {' '.join(map(str, CAR))} 1.5 1.8 4 1 1 20 0",
    "KITTI with a score": f"Car 0.00 0 -10 {' '.join(map(str, CAR))} 1.5 1.8 4 1 1 20 0 0.97",
    "DOTA": f"{' '.join(map(str, corners()))} car 0",
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("dress", [
    lambda row: f"{row}\n", lambda row: f"\ufeff{row}\r\n\r\n", lambda row: f"# by hand\n\n  {row}  "
], ids=["plain", "BOM and CRLF", "comment"])  # fmt: skip
def test_every_dialect_gives_the_box_that_was_drawn(tmp_path: Path, row: str, dress: Callable[[str], str]) -> None:
    (found,) = read_boxes(write(tmp_path, dress(row)))["one"]
    assert found.kind == "car"
    whole = found.in_pixels(WIDTH, HEIGHT)
    assert whole.box_px == pytest.approx(CAR, abs=1e-4)
    for ring in whole.outline_px:
        assert (min(x for x, _ in ring), max(y for _, y in ring)) == pytest.approx((CAR[0], CAR[3]), abs=1e-4)


def test_horizon_and_camera_are_those_of_the_box(tmp_path: Path) -> None:
    camera = read_cameras(CAMERAS)["flir-adas"]
    found = {}
    for name in ("box", "rotated box", "polygon of 8 points", "polygon of 7 points, KITTI's 15 columns", "KITTI"):
        boxes = read_boxes(write(tmp_path / name, ROWS[name]))["one"]
        horizon = horizon_from_boxes([box.in_pixels(WIDTH, HEIGHT) for box in boxes], camera)
        assert horizon is not None
        found[name] = (horizon.row_px, horizon.height_m)
    for values in found.values():
        assert values == pytest.approx(found["KITTI"], abs=1e-4)


def test_rotated_rectangle_has_the_box_of_opencv(tmp_path: Path) -> None:
    """An independent oracle: OpenCV's corners of a rotated rectangle, and the box around them by trigonometry."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        cx, cy, w, h = rng.uniform((250, 200, 20, 20), (390, 300, 200, 150))
        angle = rng.uniform(-90, 90)
        points = cv2.boxPoints(((cx, cy), (w, h), angle))
        (box,) = read_boxes(write(tmp_path, f"2 {shares(*map(float, points.ravel()))}"))["one"]
        c, s = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
        half = ((w * c + h * s) / 2, (w * s + h * c) / 2)
        expected = (cx - half[0], cy - half[1], cx + half[0], cy + half[1])
        assert box.in_pixels(WIDTH, HEIGHT).box_px == pytest.approx(expected, abs=1e-2)
        filled = cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [np.rint(points).astype(np.int32)], 1)
        x, y, width, height = cv2.boundingRect(filled)
        assert box.in_pixels(WIDTH, HEIGHT).box_px == pytest.approx((x, y, x + width, y + height), abs=1.6)


def test_a_class_of_two_words_moves_no_other(tmp_path: Path) -> None:
    names = "traffic light\nperson\nstop sign\ncar\n"
    (box,) = read_boxes(write(tmp_path, f"3 {shares(*middle())}", names))["one"]
    assert box.kind == "car"
    (box,) = read_boxes(write(tmp_path, f"3 {shares(*middle())}", names.replace("\n", "\r\n")))["one"]
    assert box.kind == "car"
    (box,) = read_boxes(write(tmp_path, "traffic light 0 0 0 1 2 30 40 1 1 1 1 1 1 1", None))["one"]
    assert box.kind == "other"


@pytest.mark.parametrize("text", [
    "names: [person, bicycle, car]\nnc: 3\npath: ../elsewhere\ntrain: images/train\n",
    "names:\n  0: person\n  1: traffic light\n  2: car\n",
    "names: {2: car, 0: person}\n",
    "\ufeffnames:\r\n- person\r\n- 'stop sign'\r\n- car\r\n",
    "names: [no, 1, car]\n".replace("no", "'no'"),
])  # fmt: skip
@pytest.mark.parametrize("place", ["", "labels", "labels/train"])
def test_names_of_a_data_yaml(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "data.yaml").write_bytes(text.encode())
    folder = write(tmp_path / place, f"2 {shares(*middle())}", None)
    for path in (folder, tmp_path / "data.yaml"):
        (box,) = read_boxes(path)["one"]
        assert box.kind == "car"


def test_key_points_of_a_data_yaml_are_no_polygon(tmp_path: Path) -> None:
    """17 points of x and y behind a box have as many columns as a polygon of 19 points."""
    points = [value for k in range(17) for value in (20.0 + 36 * k, 40.0 + 25 * k)]
    row = f"2 {shares(*middle(), *points)}"
    (taken,) = read_boxes(write(tmp_path / "a", row))["one"]
    assert taken.outline_px
    write(tmp_path / "b", row, "names: [a, b, car]\nkpt_shape: [17, 2]\n", "data.yaml")
    (box,) = read_boxes(tmp_path / "b")["one"]
    assert box.in_pixels(WIDTH, HEIGHT).box_px == pytest.approx(CAR, abs=1e-4)
    assert not box.outline_px


def test_what_lines_were_taken_for_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    read_boxes(write(tmp_path / "plain", ROWS["box"]), said.append)
    read_boxes(write(tmp_path / "kitti", ROWS["KITTI"], None), said.append)
    assert not said
    read_boxes(write(tmp_path / "poly", "\n".join([ROWS["polygon of 8 points"]] * 9)), said.append)
    assert "read as YOLO polygons: 9" in said[0]
    assert "classes.txt" in said[0]
    assert "kpt_shape" in said[1]
    coco = {"images": [{"id": 1, "file_name": "one.png"}], "categories": [{"id": 1, "name": "person"}],
            "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 0, 5]},
                            {"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 5], "iscrowd": 1,
                             "segmentation": {"counts": [1, 2], "size": [3, 1]}}]}  # fmt: skip
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    said.clear()
    (crowd,) = read_boxes(tmp_path / "coco.json", said.append)["one"]
    assert crowd.kind == "other"  # a crowd has not the height of one person
    assert ["no area" in said[0], "crowd" in said[1]] == [True, True]
    coco["info"] = {"contributor": "gis 0.1.0"}  # whose crowds are objects that it has itself marked as not to count
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    said.clear()
    assert read_boxes(tmp_path / "coco.json", said.append)["one"] == (crowd,)
    assert ["no area" in line for line in said] == [True]


def test_files_that_are_no_labels_are_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path, ROWS["box"])
    (folder / "._one.txt").write_bytes(b"\x00\x05\x16\x07")
    (folder / "train.txt").write_text("data/obj_train_data/one.jpg\n")
    (folder / "README.dataset.txt").write_text("about this\n")
    (folder / "empty.txt").write_text("")
    assert {name: len(boxes) for name, boxes in read_boxes(folder).items()} == {"one": 1, "empty": 0}


BAD_ROWS = {
    "class out of range": f"9 {shares(*middle())}",
    "negative class": f"-1 {shares(*middle())}",
    "half a class": f"1.5 {shares(*middle())}",
    "in pixels": "2 320 330 140 98",
    "polygon in pixels": "2 250 281 390 281 390 379",
    "four columns": "2 0.5 0.5 0.2",
    "no number": "2 0.5 0.5 0.2 x",
    "NaN": "2 nan 0.5 0.2 0.2",
    "infinite": "2 1e999 0.5 0.2 0.2",
    "400 digits": f"{'9' * 400} 0.5 0.5 0.2 0.2",
    "hexadecimal": "0x2 0.5 0.5 0.2 0.2",
    "negative width": "2 0.5 0.5 -0.01 -0.01",
    "name without numbers": "car",
    "KITTI cut short": "Car 0 0 0 1 2 3 4",
    "KITTI turned around": "Car 0 0 0 30 2 3 4 1 1 1 1 1 1 1",
    "control characters": "2\x000.5 0.5 0.2 0.2",
}


@pytest.mark.parametrize("row", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_lines_that_cannot_be_are_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(BackgroundError, match=r"one\.txt, line 2: ") as error:
        read_boxes(write(tmp_path, f"{ROWS['box']}\n{row}\n"))
    assert "\n" not in str(error.value)


BAD_LISTS = {
    "tag": ("data.yaml", "names: !!python/object/apply:os.system ['touch canary']\n"),
    "alias": ("data.yaml", "a: &a [1, 2]\nnames: [*a, *a]\n"),
    "deep": ("data.yaml", "names: " + "[" * 5000),
    "number": ("data.yaml", "names: 3\n"),
    "no names": ("data.yaml", "nc: 3\n"),
    "list of lists": ("data.yaml", "names: [[a], [b]]\n"),
    "text keys": ("data.yaml", "names: {a: b}\n"),
    "digits": ("data.yaml", f"names: {'9' * 5000}\n"),
    "date": ("data.yaml", "names: 2001-99-99\n"),
    "no UTF-8": ("classes.txt", None),
    "no list": ("notes.md", "car"),
}


@pytest.mark.parametrize(("listed", "text"), BAD_LISTS.values(), ids=BAD_LISTS.keys())
def test_lists_that_cannot_be_read_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str, text: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "a/b/c/d", ROWS["box"], None)
    (folder / listed).write_bytes(b"\xff\xfe\x00" if text is None else text.encode())
    with pytest.raises(BackgroundError) as error:
        read_boxes(folder)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600
    assert not (tmp_path / "canary").exists()


def coco(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "images": [{"id": 1, "file_name": "one.png"}],
        "categories": [{"id": 3, "name": "car"}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40]}],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def annotation(**changes: object) -> dict[str, object]:
    return coco(annotations=[{"image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], **changes}])


BAD_JSON = {
    "no categories": json.dumps(coco(categories=None)),
    "categories no list": json.dumps(coco(categories={"3": "car"})),
    "unknown image": json.dumps(annotation(image_id=7)),
    "unknown category": json.dumps(annotation(category_id=7)),
    "category a list": json.dumps(annotation(category_id=[3])),
    "bbox NaN": json.dumps(annotation(bbox=[float("nan"), 0, 1, 1])),
    "bbox infinite": json.dumps(annotation(bbox=[1, 2, 3, 4])).replace("[1, 2", "[1e999, 2"),
    "bbox of 3": json.dumps(annotation(bbox=[1, 2, 3])),
    "bbox of texts": json.dumps(annotation(bbox=["1", "2", "3", "4"])),
    "bbox negative": json.dumps(annotation(bbox=[10, 20, -30, 40])),
    "bbox of 400 digits": json.dumps(annotation(bbox=[10**399, 2, 3, 4])),
    "no bbox": json.dumps(annotation(bbox=None)),
    "half a point": json.dumps(annotation(segmentation=[[1, 2, 3]])),
    "ring of texts": json.dumps(annotation(segmentation=["a"])),
    "annotations an object": json.dumps(coco(annotations={})),
    "annotation a number": json.dumps(coco(annotations=[3])),
    "file_name a number": json.dumps(coco(images=[{"id": 1, "file_name": 3}])),
    "two of one name": json.dumps(coco(images=[{"id": 1, "file_name": "a/x.png"}, {"id": 2, "file_name": "b/x.png"}])),
    "two of one id": json.dumps(coco(images=[{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}])),
    "deep": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "two keys": '{"annotations": [], "annotations": []}',
    "digits": '{"one": {"boxes": [{"cls": "car", "xyxy": [' + "9" * 400 + ", 1, 2, 3]}]}}",
    "more digits than Python takes": '{"one": ' + "9" * 5000 + "}",
    "no UTF-8": None,
    "number": "3",
    "text": '"annotations"',
    "boxes a text": '{"one": {"boxes": "car"}}',
    "own NaN": '{"one": {"boxes": [{"cls": "car", "xyxy": [NaN, 1, 2, 3]}]}}',
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_that_holds_no_boxes_is_one_line(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "boxes.json").write_bytes(b'{"a\xff": 1}' if text is None else text.encode())
    with pytest.raises(BackgroundError, match=r"boxes\.json") as error:
        read_boxes(tmp_path / "boxes.json")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_coco_without_bbox_takes_that_of_its_polygons(tmp_path: Path) -> None:
    text = json.dumps(annotation(bbox=None, segmentation=[list(octagon())]))
    (tmp_path / "boxes.json").write_text(text)
    (box,) = read_boxes(tmp_path / "boxes.json")["one"]
    assert box.box_px == pytest.approx(CAR)


def test_more_labels_than_an_image_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackgroundError, match=r"one\.txt: more than 2000 labels"):
        read_boxes(write(tmp_path / "yolo", f"{ROWS['box']}\n" * 60_000))
    many = {"one": {"boxes": [{"cls": "car", "xyxy": [0, 0, 1, 1]}] * 2001}}
    (tmp_path / "boxes.json").write_text(json.dumps(many))
    with pytest.raises(BackgroundError, match="has 2001 boxes"):
        read_boxes(tmp_path / "boxes.json")


def test_outlines_follow_their_box_into_pixels() -> None:
    box = KnownBox("car", (0.25, 0.5, 0.5, 1.0), (((0.25, 0.5), (0.5, 1.0), (0.25, 1.0)),), relative=True)
    assert box.in_pixels(200, 100).outline_px == (((50.0, 50.0), (100.0, 100.0), (50.0, 100.0)),)
