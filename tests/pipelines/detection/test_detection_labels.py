"""Folders of images with labels as different tools write them: all give the same boxes and classes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.backgrounds.labelled_folders import folder_name
from pipelines.detection.labelled_images import NOT_COUNTED, LabelledImages, open_labelled
from pipelines.errors import DatasetError

CLASSES = ("car", "person", "bicycle")
BOXES = [[64, 32, 128, 96], [200, 100, 220, 160], [10, 10, 50, 40]]
NAMES = ["car", "person", "truck"]


def write_images(folder: Path, names: tuple[str, ...] = ("drive_1", "drive_2", "walk_1")) -> None:
    folder.mkdir(parents=True)
    for name in names:
        cv2.imwrite(str(folder / f"{name}.png"), np.full((256, 320), 90, np.uint8))


def kitti(root: Path) -> None:
    write_images(root / "image_2")
    (root / "label_2").mkdir()
    rows = [f"{n.title()} 0 0 0 {' '.join(map(str, b))} 1 1 1 0 0 9 0" for n, b in zip(NAMES, BOXES, strict=True)]
    for image in (root / "image_2").iterdir():
        (root / "label_2" / f"{image.stem}.txt").write_text("\n".join(rows))


def yolo(root: Path) -> None:
    write_images(root / "images")
    (root / "labels").mkdir()
    (root / "labels" / "classes.txt").write_text("\n".join(NAMES))
    rows = [
        f"{k} {(a + c) / 640} {(b + d) / 512} {(c - a) / 320} {(d - b) / 256}" for k, (a, b, c, d) in enumerate(BOXES)
    ]
    for image in (root / "images").iterdir():
        (root / "labels" / f"{image.stem}.txt").write_text("\n".join(rows))


def coco(root: Path) -> None:
    write_images(root / "images")
    names = sorted(path.name for path in (root / "images").iterdir())
    rows = [
        {"id": 9 * i + k, "image_id": i, "category_id": k, "bbox": [a, b, c - a, d - b], "area": 1, "iscrowd": 0}
        for i in range(len(names))
        for k, (a, b, c, d) in enumerate(BOXES)
    ]
    categories = [{"id": k, "name": name} for k, name in enumerate(NAMES)]
    images = [{"id": i, "file_name": f"images/{name}", "width": 320, "height": 256} for i, name in enumerate(names)]
    (root / "annotations").mkdir()
    text = json.dumps({"images": images, "annotations": rows, "categories": categories})
    (root / "annotations" / "coco.json").write_text(text)


@pytest.mark.parametrize("write", [kitti, yolo, coco])
def test_labels_of_different_tools(tmp_path: Path, write: object) -> None:
    root = tmp_path / "set"
    assert callable(write)
    write(root)
    opened = open_labelled(str(root), CLASSES)
    check(opened)
    assert opened.name == "set"


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train2017", "annotations/instances_train2017.json"),
        ("train", "train/_annotations.coco.json"),
        ("data", "coco.json"),
    ],
)
def test_where_coco_roboflow_and_flir_have_them(tmp_path: Path, images: str, labels: str) -> None:
    coco(tmp_path / "set")
    root = tmp_path / "set" / "train" if images == "data" else tmp_path / "set"  # FLIR has a folder for each split
    root.mkdir(exist_ok=True)
    (tmp_path / "set" / "images").rename(root / images)
    (root / labels).parent.mkdir(exist_ok=True)
    (tmp_path / "set" / "annotations" / "coco.json").rename(root / labels)
    opened = open_labelled(str(root), CLASSES)
    check(opened)
    assert opened.name == "set"


def test_images_of_the_folder_itself_come_before_those_of_a_split_in_it(tmp_path: Path) -> None:
    coco(tmp_path / "set")
    for image in (tmp_path / "set" / "images").iterdir():
        image.rename(tmp_path / "set" / image.name)
    write_images(tmp_path / "set" / "train", ("other_1",))
    check(open_labelled(str(tmp_path / "set"), CLASSES))


def check(opened: LabelledImages) -> None:
    assert [image.name for image in opened.images] == ["drive_1", "drive_2", "walk_1"]
    assert [image.sequence for image in opened.images] == ["drive_", "drive_", "walk_"]
    for image in opened.images:
        np.testing.assert_allclose(image.boxes_px, BOXES, atol=1e-3)
        assert image.classes.tolist() == [0, 1, NOT_COUNTED]
        assert image.read().shape == (256, 320)
    assert opened.labelled.tolist() == [True, True, False]
    assert opened.count(0) == 3


def test_labels_from_elsewhere_with_sequences(tmp_path: Path) -> None:
    write_images(tmp_path / "frames")
    rows = {
        "drive_1": {"boxes": [{"cls": "Pedestrian", "xyxy": BOXES[1]}], "group": 7, "time": "night"},
        "drive_2": {"boxes": [], "group": 8, "time": "day"},
    }
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    opened = open_labelled(f"{tmp_path / 'frames'}={tmp_path / 'labels.json'}", CLASSES)
    assert [(image.sequence, image.time, len(image.classes)) for image in opened.images] == [
        ("7", "night", 1),
        ("8", "day", 0),
    ]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/sets/day/images", "day"),
        ("/sets/day/images/train", "day"),
        ("/data/images", "data"),
        ("/images", "images"),
        ("/", ""),
    ],
)
def test_a_set_is_named_by_what_says_something(folder: str, name: str) -> None:
    assert folder_name(Path(folder)) == name


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images"):
        open_labelled(str(tmp_path / "nowhere"), CLASSES)
    write_images(tmp_path / "bare")
    with pytest.raises(DatasetError, match="no labels"):
        open_labelled(str(tmp_path / "bare"), CLASSES)
    (tmp_path / "other.json").write_text(json.dumps({"x": {"boxes": []}}))
    with pytest.raises(DatasetError, match="none of them"):
        open_labelled(f"{tmp_path / 'bare'}={tmp_path / 'other.json'}", CLASSES)
