"""YOLO, read as Ultralytics reads it: labels are found by the path of the image, links resolved."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from export_sets import CAR, HEIGHT, PERSON, UNKNOWN, WIDTH, box_of, counted, mask_of, records

from pipelines.export.run import export_dataset
from pipelines.io.images import read_png


def images_and_rows(folder: Path, split: str) -> dict[str, list[list[float]]]:
    """Rows of each image of a split of ``data.yaml``."""
    about = yaml.safe_load((folder / "data.yaml").read_text())
    found = {}
    for path in sorted((folder / about[split]).iterdir()):
        here = os.sep + "images" + os.sep
        before, _, after = str(path.resolve()).rpartition(here)
        label = Path(f"{before}{os.sep}labels{os.sep}{after}").with_suffix(".txt")
        assert label.is_file()
        found[path.stem] = [[float(value) for value in line.split()] for line in label.read_text().splitlines()]
    return found


def test_rows_are_the_boxes_of_the_pixels(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "out", "yolo")
    names = yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"]
    seen = 0
    for record in records(scene_set):
        rows = images_and_rows(tmp_path / "out", "train")[record.stem]
        ids = mask_of(scene_set, record.stem)
        wanted = [(item.category, box_of(ids == item.id)) for item in record.instances if item.labelled]
        for (number, cx, cy, width, height), (category, box) in zip(rows, wanted, strict=True):
            found = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2] * np.tile(ids.shape[::-1], 2)
            assert np.abs(found - box).max() < 1e-3
            assert names[int(number)] == category
            seen += 1
    assert seen == counted(scene_set) > 4


def test_segments_fill_the_masks(real_set: Path, tmp_path: Path) -> None:
    """Filled as the trainer fills them; a real object is its box, in as many numbers as a polygon needs."""
    export_dataset(real_set, tmp_path / "out", "yolo", segments=True)
    rows = images_and_rows(tmp_path / "out", "train")
    scale = 8  # the trainer's image is larger
    for record in records(real_set):
        ids = mask_of(real_set, record.stem)
        objects = [item for item in record.instances if item.labelled and not item.ignored]
        assert all(len(row) >= 9 for row in rows[record.stem])
        for row, item in zip(rows[record.stem], objects, strict=False):
            points = np.array(row[1:]).reshape(-1, 2) * (WIDTH * scale, HEIGHT * scale)
            filled = cv2.fillPoly(np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8), [np.int32(points)], 1) > 0
            wanted = (ids == item.id).repeat(scale, 0).repeat(scale, 1)
            assert (filled & wanted).sum() / (filled | wanted).sum() > 0.9


def test_what_is_ignored_is_painted_over(real_set: Path, tmp_path: Path) -> None:
    """A format without a mark for it must not teach that it is background."""
    (tmp_path / "mine.json").write_text('{"bus": "bus", "car": "car", "truck": "car"}')
    export_dataset(real_set, tmp_path / "out", "yolo", classes=str(tmp_path / "mine.json"))
    for record in records(real_set):
        before, after = (read_png(path) for path in (real_set / f"images/{record.stem}.png",
                                                     tmp_path / f"out/images/train/{record.stem}.png"))  # fmt: skip
        ids = mask_of(real_set, record.stem)
        painted = before != after
        inside = np.isin(ids, [item.id for item in record.ignored])
        kept = np.isin(ids, [item.id for item in record.counted])
        for item in record.real_objects or ():
            if not item.labelled or item.category == "person":
                left, top, right, bottom = map(int, item.box_px)
                inside[top:bottom, left:right] = True
        assert not painted[kept | ~inside].any()
        for left, top, right, bottom in (map(int, PERSON), map(int, UNKNOWN)):
            region = after[top:bottom, left:right][~kept[top:bottom, left:right]]
            assert len(np.unique(region)) <= 1 + len(record.ignored)
    rows = [row for found in images_and_rows(tmp_path / "out", "train").values() for row in found]
    people = sum(
        real.labelled and real.category == "person" for one in records(real_set) for real in one.real_objects or ()
    )
    assert len(rows) == counted(real_set) - people
    assert people


def test_images_can_be_left_out_or_left_alone(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path / "alone", "yolo", ignored="background")
    for path in (real_set / "images").iterdir():
        assert path.read_bytes() == (tmp_path / "alone/images/train" / path.name).read_bytes()
    from pipelines.errors import DatasetError

    with pytest.raises(DatasetError, match="no frame is left to export"):
        export_dataset(real_set, tmp_path / "out", "yolo", ignored="leave-out")


def test_classes_keep_the_numbers_of_a_pretrained_head(scene_set: Path, tmp_path: Path) -> None:
    """Of the eighty classes in the order of COCO, car is the third, bus the sixth, truck the eighth."""
    export_dataset(scene_set, tmp_path / "out", "yolo", classes="coco")
    names = yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"]
    assert len(names) == 80
    assert [names[number] for number in (0, 1, 2, 3, 5, 7, 15, 39, 56, 62, 79)] == [
        "person", "bicycle", "car", "motorcycle", "bus", "truck", "cat", "bottle", "chair", "tv", "toothbrush",
    ]  # fmt: skip
    numbers = {row[0] for rows in images_and_rows(tmp_path / "out", "train").values() for row in rows}
    assert numbers == {2.0, 7.0}


def test_links_are_hard(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "out", "yolo", link=True)
    for path in (tmp_path / "out/images/train").iterdir():
        assert not path.is_symlink()
        assert path.samefile(scene_set / "images" / path.name)


def test_without_a_validation_split_the_yaml_says_so(scene_set: Path, real_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "one", "yolo")
    assert yaml.safe_load((tmp_path / "one/data.yaml").read_text())["val"] == "images/train"
    export_dataset(real_set, tmp_path / "three", "yolo", split=(0.5, 0.25, 0.25))
    about = yaml.safe_load((tmp_path / "three/data.yaml").read_text())
    splits = json.loads((tmp_path / "three/splits.json").read_text())["splits"]
    for split in ("train", "val", "test"):
        assert sorted(images_and_rows(tmp_path / "three", split)) == splits[split]
        assert about[split] == f"images/{split}"
    assert CAR  # every frame shows it
